package index

import (
	"errors"
	"fmt"
)

// applicationID is "Pini" in the file's header.
const applicationID = 0x50696e69

// errNewer is returned for a file that a later version of the program wrote.
var errNewer = errors.New("the index was written by a newer version of Pinion: install that version")

// migrations are applied in order; the file's user_version counts them. A
// script that was released is never changed.
var migrations = [...]string{schema1, schemaKept, schemaPast, schemaSuspect, schemaCTime}

// Partial indexes hold only the rows that are ever looked up in them: c6 and
// inode are NULL but for live files, b6 but for files edited from something.
const schema1 = `
CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE replica (id INTEGER PRIMARY KEY, replica INTEGER NOT NULL UNIQUE, device BLOB NOT NULL, name TEXT NOT NULL);
CREATE TABLE device (id INTEGER PRIMARY KEY, device BLOB NOT NULL UNIQUE, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, seq INTEGER NOT NULL);
CREATE TABLE epoch (id INTEGER PRIMARY KEY, replica INTEGER NOT NULL, epoch INTEGER NOT NULL, first INTEGER NOT NULL);

CREATE TABLE entry (seq INTEGER PRIMARY KEY, path BLOB NOT NULL, kind INTEGER NOT NULL, c6 INTEGER, b6 INTEGER, inode INTEGER, meta BLOB NOT NULL);
CREATE UNIQUE INDEX entry_path ON entry (path);
CREATE INDEX entry_content ON entry (c6) WHERE c6 IS NOT NULL;
CREATE INDEX entry_base ON entry (b6) WHERE b6 IS NOT NULL;
CREATE INDEX entry_inode ON entry (inode) WHERE inode IS NOT NULL;
CREATE INDEX entry_gone ON entry (seq) WHERE kind >= 16;
CREATE INDEX entry_conflict ON entry (path) WHERE kind & 8;

CREATE TABLE remote (rank INTEGER PRIMARY KEY, path BLOB NOT NULL, dev INTEGER NOT NULL, kind INTEGER NOT NULL, meta BLOB NOT NULL);
CREATE UNIQUE INDEX remote_path ON remote (path, dev);
CREATE INDEX remote_gone ON remote (path, dev) WHERE kind >= 16;

CREATE TABLE manifest (id INTEGER PRIMARY KEY, content BLOB NOT NULL UNIQUE, chunks BLOB NOT NULL);
CREATE TABLE missing (path BLOB PRIMARY KEY) WITHOUT ROWID;

CREATE TABLE archive (id INTEGER PRIMARY KEY, path BLOB NOT NULL, at INTEGER NOT NULL, size INTEGER NOT NULL, content BLOB, author INTEGER NOT NULL, reason INTEGER NOT NULL, file TEXT NOT NULL);
CREATE INDEX archive_path ON archive (path);
CREATE INDEX archive_content ON archive (content) WHERE content IS NOT NULL;

CREATE TABLE activity (id INTEGER PRIMARY KEY, at INTEGER NOT NULL, path BLOB NOT NULL, action TEXT NOT NULL, dev INTEGER NOT NULL);
`

// schemaPast: what stood at paths before, so that what two versions have in
// common can be told; and deletions that gave way to a change.
const schemaPast = `
CREATE TABLE lineage (id INTEGER PRIMARY KEY, path BLOB NOT NULL, version BLOB NOT NULL, content BLOB NOT NULL);
CREATE INDEX lineage_path ON lineage (path);
CREATE TABLE beaten (id INTEGER PRIMARY KEY, path BLOB NOT NULL UNIQUE, version BLOB NOT NULL, by INTEGER NOT NULL, at INTEGER NOT NULL);
`

// schemaSuspect: contents that look encrypted and would take the place of others.
const schemaSuspect = `
CREATE TABLE suspect (path BLOB NOT NULL, side INTEGER NOT NULL, content BLOB NOT NULL, passed INTEGER NOT NULL, PRIMARY KEY (path, side)) WITHOUT ROWID;
`

// schemaCTime: rows that say when a file was changed, which programs of before
// don't know how to read.
const schemaCTime = `SELECT 1`

// setUp gives a connection its settings. The first connection to a new file
// also settles what can't be changed later.
func (c *conn) setUp(cacheKiB int, writer bool) error {
	if err := c.script(`PRAGMA busy_timeout = 10000; PRAGMA mmap_size = 0; PRAGMA trusted_schema = OFF;
		PRAGMA cell_size_check = ON; PRAGMA temp_store = FILE;`); err != nil {
		return err
	}
	if err := c.script(fmt.Sprintf("PRAGMA cache_size = -%d;", cacheKiB)); err != nil {
		return err
	}
	if !writer {
		return c.script("PRAGMA query_only = ON;")
	}
	// A WAL of 4,000 pages is copied back: the more commits go into one copy, the
	// fewer pages are copied twice. One that had to grow beyond 16 MiB gives the
	// space back.
	return c.script(`PRAGMA page_size = 4096; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;
		PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 4000; PRAGMA journal_size_limit = 16777216;`)
}

// migrate brings the file to the newest schema.
func (c *conn) migrate() error {
	app, err := c.integer("PRAGMA application_id")
	if err != nil {
		return err
	}
	version, err := c.integer("PRAGMA user_version")
	if err != nil {
		return err
	}
	tables, err := c.integer("SELECT count(*) FROM sqlite_schema")
	if err != nil {
		return err
	}
	fresh := app == 0 && version == 0 && tables == 0
	switch {
	case !fresh && app != applicationID:
		return fmt.Errorf("%w: it is a database of another program", ErrDamaged)
	case version > int64(len(migrations)):
		return errNewer
	case version < 0 || !fresh && version == 0:
		return fmt.Errorf("%w: its schema has no number", ErrDamaged)
	}
	for i := int(version); i < len(migrations); i++ {
		step := fmt.Sprintf("BEGIN IMMEDIATE; %s; PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT;", migrations[i], applicationID, i+1)
		if err := c.script(step); err != nil {
			_ = c.script("ROLLBACK;")
			return fmt.Errorf("bring the schema to %d: %w", i+1, err)
		}
	}
	return nil
}
