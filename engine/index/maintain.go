package index

import (
	"context"
	"fmt"
	"time"

	"pinion/engine/tree"
)

// MaintainOptions says what may be forgotten.
type MaintainOptions struct {
	// Seen: all devices of the circle have recorded our history up to here
	// (their Have). Tombstones beyond stay.
	Seen uint64
	// TombstoneAge: younger tombstones stay, whoever has seen them. 0 keeps all.
	TombstoneAge time.Duration
}

// Maintained is what Maintain did.
type Maintained struct {
	Tombstones int // forgotten
	Manifests  int // dropped: nothing names their content any more
}

// batch is how many rows a transaction of Maintain looks at, so that commits
// get their turn between them.
const batch = 500

// Maintain forgets tombstones that all have seen, drops chunk lists that nothing
// names, gives free pages back and empties the WAL.
func (ix *Index) Maintain(ctx context.Context, o MaintainOptions) (m Maintained, err error) {
	if err := ix.keepMet(ctx); err != nil {
		return m, err
	}
	if o.TombstoneAge > 0 {
		if m.Tombstones, err = ix.pruneTombstones(ctx, o); err != nil {
			return m, err
		}
	}
	if m.Manifests, err = ix.pruneManifests(ctx); err != nil {
		return m, err
	}
	return m, ix.compact(ctx)
}

func (ix *Index) pruneTombstones(ctx context.Context, o MaintainOptions) (pruned int, err error) {
	before := uint64(max(0, ix.o.Now().Add(-o.TombstoneAge).Unix()))
	for after, n := uint64(0), batch; n == batch; {
		err = ix.write(ctx, "forget tombstones", func(tx *txn) error {
			rows, err := tx.tombstones(after, o.Seen)
			n = len(rows)
			for _, rec := range rows {
				after = rec.Seq
				if newest(rec.Version) >= before {
					continue
				}
				key := pathKey(rec.Path)
				if told, err := tx.remotes(key); err != nil || len(told) > 0 {
					if err != nil {
						return err
					}
					continue
				}
				if _, err := tx.drop(key, rec.Seq); err != nil {
					return err
				}
				pruned++
			}
			return err
		})
		if err != nil {
			return 0, err
		}
	}
	return pruned, nil
}

func (tx *txn) tombstones(after, upto uint64) (rows []tree.Record, err error) {
	err = tx.c.query(func(r *row) error {
		rec, err := tx.ix.record(r, 0)
		rows = append(rows, rec)
		return err
	}, "SELECT "+columns+" FROM entry WHERE kind >= 16 AND seq > ? AND seq <= ? ORDER BY seq LIMIT ?", after, upto, batch)
	return rows, err
}

// newest is the highest counter of a version: about when it was last written,
// in seconds since 1970.
func newest(v tree.Version) (n uint64) {
	for _, s := range v {
		n = max(n, s.N)
	}
	return n
}

// pruneManifests looks at the manifests in turn. Whether a pending entry names
// one is found out by reading all of those once for each turn, before the
// writer is held up; those that came since are read under the lock.
func (ix *Index) pruneManifests(ctx context.Context) (pruned int, err error) {
	for after, n := int64(0), batch; n == batch; {
		loose := map[tree.ContentID]int64{}
		if after, n, err = ix.looseManifests(ctx, after, loose); err != nil {
			return pruned, err
		}
		if len(loose) == 0 {
			continue
		}
		ix.mu.Lock()
		arrivals := ix.head.Arrivals
		ix.mu.Unlock()
		if err = ix.claim(ctx, loose); err != nil {
			return pruned, err
		}
		err = ix.write(ctx, "drop chunk lists", func(tx *txn) error {
			if tx.head.Arrivals != arrivals {
				return nil // next time
			}
			for content, id := range loose {
				used, err := tx.c.named(content, tx.ix)
				if err != nil {
					return err
				}
				if used {
					continue
				}
				if _, err := tx.c.exec("DELETE FROM manifest WHERE id = ?", id); err != nil {
					return err
				}
				pruned++
			}
			return nil
		})
		if err != nil {
			return 0, err
		}
	}
	return pruned, nil
}

// looseManifests adds manifests that neither an entry nor the archive names.
func (ix *Index) looseManifests(ctx context.Context, after int64, loose map[tree.ContentID]int64) (last int64, n int, err error) {
	last = after
	err = ix.read(ctx, "list chunk lists", func(c *conn) error {
		err := c.query(func(r *row) error {
			n++
			last = r.int(0)
			id, err := tree.ContentIDFromBytes(r.blob(1))
			if err != nil || id.IsZero() {
				return fmt.Errorf("%w: a chunk list of no content", ErrDamaged)
			}
			loose[id] = last
			return nil
		}, "SELECT id, content FROM manifest WHERE id > ? ORDER BY id LIMIT ?", after, batch)
		for id := range loose {
			if err != nil {
				return err
			}
			var used bool
			if used, err = c.named(id, ix); used {
				delete(loose, id)
			}
		}
		return err
	})
	return last, n, err
}

// named says whether a live entry or an archived file names a content.
func (c *conn) named(id tree.ContentID, ix *Index) (used bool, err error) {
	n, err := c.integer("SELECT EXISTS (SELECT 1 FROM archive WHERE content = ?)", id[:])
	if n > 0 || err != nil {
		return n > 0, err
	}
	for _, column := range []string{"c6", "b6"} {
		err = c.query(func(r *row) error {
			rec, err := ix.record(r, 0)
			used = used || rec.Content == id || rec.Base == id
			return err
		}, "SELECT "+columns+" FROM entry WHERE "+column+" = ?", prefix(id))
		if used || err != nil {
			return used, err
		}
	}
	return false, nil
}

// claim takes out of loose what a pending entry names.
func (ix *Index) claim(ctx context.Context, loose map[tree.ContentID]int64) error {
	after := int64(0)
	for n := page; n == page && len(loose) > 0; {
		n = 0
		err := ix.read(ctx, "look through what is pending", func(c *conn) error {
			return c.query(func(r *row) error {
				n++
				after = r.int(0)
				e, err := ix.remoteEntry(r, 1)
				delete(loose, e.Content)
				delete(loose, e.Base)
				return err
			}, "SELECT rank, kind, meta FROM remote WHERE rank > ? ORDER BY rank LIMIT ?", after, page)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// compact gives the file's free pages back once they are many, a run at a time,
// and moves the WAL into the file.
func (ix *Index) compact(ctx context.Context) error {
	free, err := int64(0), error(nil)
	err = ix.write(ctx, "give free pages back", func(tx *txn) error {
		pages, err := tx.c.integer("PRAGMA page_count")
		if err != nil {
			return err
		}
		free, err = tx.c.integer("PRAGMA freelist_count")
		if free < 256 || free*8 < pages {
			free = 0
		}
		return err
	})
	for ; free > 0 && err == nil; free -= 1000 {
		err = ix.write(ctx, "give free pages back", func(tx *txn) error {
			return tx.c.query(func(*row) error { return nil }, "PRAGMA incremental_vacuum(1000)")
		})
	}
	if err != nil {
		return err
	}
	return ix.outside(ctx, "empty the WAL", func(c *conn) error {
		return c.query(func(*row) error { return nil }, "PRAGMA wal_checkpoint(TRUNCATE)")
	})
}
