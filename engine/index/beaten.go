package index

import (
	"context"
	"fmt"

	"pinion/engine/tree"
)

// Beaten is a deletion that did not happen because the file had been changed
// elsewhere meanwhile.
type Beaten struct {
	Record tree.Record    // what stands there, in the version that beat the deletion
	By     tree.ReplicaID // who deleted it
	At     uint64         // when, in seconds since 1970
}

// maxBeaten is how many of them are remembered; the oldest are forgotten first.
const maxBeaten = 1000

// NoteBeaten remembers deletions that gave way. A note is bound to the version
// that stands: whatever happens to the file afterwards ends it.
func (ix *Index) NoteBeaten(ctx context.Context, notes []Beaten) error {
	return ix.write(ctx, "note what beat a deletion", func(tx *txn) error {
		for _, n := range notes {
			version, err := packVersion(n.Record.Version, tx.ix.names.local)
			if err != nil {
				return err
			}
			by := uint64(0)
			if n.By != 0 {
				if by, err = tx.ix.names.local(n.By); err != nil {
					return err
				}
			}
			_, err = tx.c.exec(`INSERT INTO beaten (path, version, by, at) VALUES (?, ?, ?, ?)
				ON CONFLICT (path) DO UPDATE SET version = excluded.version, by = excluded.by, at = excluded.at`,
				pathKey(n.Record.Path), version, by, n.At)
			if err != nil {
				return err
			}
		}
		_, err := tx.c.exec("DELETE FROM beaten WHERE id <= (SELECT id FROM beaten ORDER BY id DESC LIMIT 1 OFFSET ?)", maxBeaten)
		return err
	})
}

// Beaten lists the deletions that gave way to what still stands as it was then,
// in path order. Notes that are over are forgotten on the way.
func (ix *Index) Beaten(ctx context.Context) ([]Beaten, error) {
	var out []Beaten
	var over [][]byte
	err := ix.read(ctx, "list what beat a deletion", func(c *conn) error {
		return c.query(func(r *row) error {
			if r.null(3) {
				over = append(over, r.blob(0))
				return nil
			}
			rd := &reader{b: r.blob(1)}
			v, by := rd.version(ix.names.replica), tree.ReplicaID(0)
			if id, ok := ix.names.replica(uint64(r.int(2))); ok {
				by = id
			}
			if rd.err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, rd.err)
			}
			p, err := keyPath(r.blob(0))
			if err != nil {
				return err
			}
			rec, err := ix.recordOf(r, 4, p)
			if err != nil {
				return err
			}
			if !rec.Exists() || rec.Version.Compare(v) != tree.Equal {
				over = append(over, r.blob(0))
				return nil
			}
			out = append(out, Beaten{Record: rec, By: by, At: uint64(r.int(3))})
			return nil
		}, `SELECT b.path, b.version, b.by, CASE WHEN e.seq IS NULL THEN NULL ELSE b.at END, e.seq, e.kind, e.c6, e.inode, e.meta
			FROM beaten b LEFT JOIN entry e ON e.path = b.path ORDER BY b.path`)
	})
	if err != nil || len(over) == 0 {
		return out, err
	}
	return out, ix.write(ctx, "forget what is over", func(tx *txn) error {
		for _, key := range over {
			if _, err := tx.c.exec("DELETE FROM beaten WHERE path = ?", key); err != nil {
				return err
			}
		}
		return nil
	})
}
