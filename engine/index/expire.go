package index

import (
	"context"
	"fmt"
	"math"

	"pinion/engine/tree"
)

// schemaKept lets the archive be read by time, of one path too, and keeps its
// size up with every row.
const schemaKept = `
DROP INDEX archive_path;
CREATE INDEX archive_path ON archive (path, at);
CREATE INDEX archive_at ON archive (at);
CREATE TABLE kept (files INTEGER NOT NULL, bytes INTEGER NOT NULL);
INSERT INTO kept SELECT count(*), coalesce(sum(size), 0) FROM archive;
CREATE TRIGGER archive_in AFTER INSERT ON archive BEGIN
	UPDATE kept SET files = files + 1, bytes = bytes + NEW.size;
END;
CREATE TRIGGER archive_out AFTER DELETE ON archive BEGIN
	UPDATE kept SET files = files - 1, bytes = bytes - OLD.size;
END;
`

// Kept says how many files the archive holds, and their bytes.
func (ix *Index) Kept(ctx context.Context) (files, bytes int64, err error) {
	err = ix.read(ctx, "measure the archive", func(c *conn) error {
		return c.query(func(r *row) error {
			files, bytes = r.int(0), r.int(1)
			return nil
		}, "SELECT files, bytes FROM kept")
	})
	return files, bytes, err
}

// Place is a place among the archived files by time; FirstPlace is before all.
type Place struct{ When, ID int64 }

// FirstPlace is before all archived files.
func FirstPlace() Place { return Place{When: math.MinInt64} }

// Aging is an archived file as one that could expire.
type Aging struct {
	Archived
	Newest bool // no later version of its path is kept
}

// Place is where it stands.
func (a Aging) Place() Place { return Place{a.When, a.ID} }

// Oldest lists archived files after a place, those first that were archived first.
func (ix *Index) Oldest(ctx context.Context, after Place, limit int) (out []Aging, err error) {
	err = ix.read(ctx, "list the archive by time", func(c *conn) error {
		return c.query(func(r *row) error {
			a, err := ix.archived(r)
			out = append(out, Aging{a, r.int(8) == 0})
			return err
		}, "SELECT "+archiveColumns+`,
			EXISTS (SELECT 1 FROM archive b WHERE b.path = a.path AND (b.at > a.at OR b.at = a.at AND b.id > a.id))
			FROM archive a WHERE (a.at, a.id) > (?, ?) ORDER BY a.at, a.id LIMIT ?`, after.When, after.ID, limit)
	})
	return out, err
}

// Needed says which of some contents are not to be lost from the archive: a
// standing conflict was edited from them, what is pending names them, or a file
// that is missing here, and not judged yet, had them.
func (ix *Index) Needed(ctx context.Context, contents []tree.ContentID) (map[tree.ContentID]bool, error) {
	loose := map[tree.ContentID]int64{}
	for _, id := range contents {
		if !id.IsZero() {
			loose[id] = 0
		}
	}
	all := len(loose)
	if err := ix.baseless(ctx, loose); err != nil {
		return nil, err
	}
	if err := ix.unmissed(ctx, loose); err != nil {
		return nil, err
	}
	if ix.Counts().PendingPaths > 0 {
		if err := ix.claim(ctx, loose); err != nil {
			return nil, err
		}
	}
	needed := make(map[tree.ContentID]bool, all-len(loose))
	for _, id := range contents {
		if _, ok := loose[id]; !ok && !id.IsZero() {
			needed[id] = true
		}
	}
	return needed, nil
}

// baseless takes out of loose what a standing conflict was edited from.
func (ix *Index) baseless(ctx context.Context, loose map[tree.ContentID]int64) error {
	if ix.Counts().Conflicts == 0 {
		return nil
	}
	after := tree.Path("")
	for n := page; n == page && len(loose) > 0; {
		rows, err := ix.Conflicts(ctx, after, page)
		if err != nil {
			return err
		}
		for _, r := range rows {
			after = r.Path
			delete(loose, r.Base)
			if r.Conflict != nil {
				delete(loose, r.Conflict.Base)
			}
		}
		n = len(rows)
	}
	return nil
}

// unmissed takes out of loose what files had that are held as missing.
func (ix *Index) unmissed(ctx context.Context, loose map[tree.ContentID]int64) error {
	if n, err := ix.MissingCount(ctx); n == 0 || err != nil {
		return err
	}
	return ix.read(ctx, "look through what is missing", func(c *conn) error {
		for id := range loose {
			n, err := c.integer("SELECT EXISTS (SELECT 1 FROM entry e JOIN missing m ON m.path = e.path WHERE e.c6 = ?)", prefix(id))
			if err != nil {
				return err
			}
			if n > 0 {
				delete(loose, id)
			}
		}
		return nil
	})
}

// HasArchived says whether a file of the archive has a row, other than the one
// with the ID except. The rows of path are looked at, or with "" all.
func (ix *Index) HasArchived(ctx context.Context, path tree.Path, file string, except int64) (has bool, err error) {
	err = ix.read(ctx, "look up an archived file", func(c *conn) error {
		query, args := "SELECT EXISTS (SELECT 1 FROM archive WHERE file = ? AND id <> ?", []any{file, except}
		if path != "" {
			query, args = query+" AND path = ?", append(args, pathKey(path))
		}
		n, err := c.integer(query+")", args...)
		has = n > 0
		return err
	})
	if err != nil {
		return false, fmt.Errorf("%s: %w", file, err)
	}
	return has, nil
}
