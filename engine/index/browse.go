package index

import (
	"bytes"
	"context"
	"time"

	"pinion/engine/tree"
)

// heads is the beginning of a statement that finds the names in a directory, by
// one look-up each however much is below: ?1 is the key after which it begins, ?2
// where it ends, ?3 the place (from 1) of the name in a key.
func heads(table string) string {
	const head = "CASE instr(substr(p, ?3), x'00') WHEN 0 THEN p ELSE substr(p, 1, ?3 - 2 + instr(substr(p, ?3), x'00')) END"
	next := func(after string) string {
		return "(SELECT path FROM " + table + " WHERE path > " + after + " AND path < ?2 ORDER BY path LIMIT 1)"
	}
	// No path has a byte 0xff: the key that ends in 00ff is after all that is below.
	return "WITH RECURSIVE n(p) AS (SELECT " + next("?1") + " UNION ALL SELECT " + next("CAST("+head+" || x'00ff' AS BLOB)") + " FROM n WHERE p IS NOT NULL), " +
		"h(head) AS (SELECT CAST(" + head + " AS BLOB) FROM n WHERE p IS NOT NULL) "
}

// names gives the bounds that heads takes: of dir, after a path in it and all
// that is below that path's name.
func namesIn(dir, after tree.Path) (from, to []byte, at int) {
	from, to = span(dir)
	if at = 1; dir != "" {
		at = len(from) + 1
	}
	if name := after.NameIn(dir); name != "" {
		from = behind(name)
	}
	return from, to, at
}

// Names gives the rows, also tombstones, of the names in a directory, in the
// order of the names' bytes, after the name that after is or lies in. A name that
// has no row, but something below it, is a Record of a Path alone. It costs
// nothing that there is much below.
func (ix *Index) Names(ctx context.Context, dir, after tree.Path, limit int) (out []tree.Record, err error) {
	from, to, at := namesIn(dir, after)
	err = ix.read(ctx, "list the names in a directory", func(c *conn) error {
		return c.query(func(r *row) error {
			p, err := keyPath(r.blob(0))
			if err != nil {
				return err
			}
			if r.null(1) {
				out = append(out, tree.Record{Entry: tree.Entry{Path: p}})
				return nil
			}
			rec, err := ix.record(r, 1)
			out = append(out, rec)
			return err
		}, heads("entry")+"SELECT head, "+columns+" FROM h LEFT JOIN entry ON path = head LIMIT ?4", from, to, at, max(1, limit))
	})
	return out, err
}

// ArchiveNamesQuery chooses what ArchiveNames gives.
type ArchiveNamesQuery struct {
	Within tree.Path
	Path   tree.Path // begins after the name that it is or lies in; "": at the beginning
	After  int64     // only what was put away after this moment; 0: everything
	Near   int       // how many of a name: the newest, or with After the oldest; at least 1
	Limit  int       // begins no further name beyond so many rows; at least 1
}

// deepest is how many archived files below a name are looked at for one that was
// put away after a moment.
const deepest = 256

// ArchiveNames gives archived files of Within, then of each name in it, and one of
// what is below the name, if there is any. They are in the order of their paths,
// those of one path from the oldest on. more: there are names after these.
func (ix *Index) ArchiveNames(ctx context.Context, q ArchiveNamesQuery) (out []Archived, more bool, err error) {
	from, to, at := namesIn(q.Within, q.Path)
	err = ix.read(ctx, "list the names in the archive", func(c *conn) error {
		if q.Path == "" && q.Within != "" {
			if out, err = ix.near(c, pathKey(q.Within), q); err != nil {
				return err
			}
		}
		var names [][]byte
		limit := max(1, q.Limit)
		err := c.query(func(r *row) error {
			names = append(names, bytes.Clone(r.blob(0)))
			return nil
		}, heads("archive")+"SELECT head FROM h LIMIT ?4", from, to, at, limit+1)
		if err != nil {
			return err
		}
		for i, key := range names {
			if more = len(out) >= limit || i == limit; more {
				return nil
			}
			rows, err := ix.near(c, key, q)
			if err != nil {
				return err
			}
			below, err := ix.below(c, key, q.After)
			if err != nil {
				return err
			}
			out = append(append(out, rows...), below...)
		}
		return nil
	})
	return out, more, err
}

// near gives some of a path's archived files, oldest first.
func (ix *Index) near(c *conn, key []byte, q ArchiveNamesQuery) (out []Archived, err error) {
	order := "DESC"
	if q.After != 0 {
		order = "ASC"
	}
	err = c.query(func(r *row) error {
		a, err := ix.archived(r)
		out = append(out, a)
		return err
	}, "SELECT * FROM (SELECT "+archiveColumns+" FROM archive a WHERE a.path = ? AND a.at > ? ORDER BY a.at "+order+", a.id "+order+" LIMIT ?) ORDER BY id",
		key, q.After, max(1, q.Near))
	return out, err
}

// below gives one archived file that lay below a path, if there is any.
func (ix *Index) below(c *conn, key []byte, after int64) (out []Archived, err error) {
	from, to := append(key[:len(key):len(key)], 0), append(key[:len(key):len(key)], 1)
	err = c.query(func(r *row) error {
		a, err := ix.archived(r)
		out = append(out, a)
		return err
	}, "SELECT "+archiveColumns+" FROM archive a WHERE a.id = (SELECT id FROM (SELECT id, at FROM archive WHERE path > ? AND path < ? ORDER BY path LIMIT ?) WHERE at > ? LIMIT 1)",
		from, to, deepest, after)
	return out, err
}

// Below gives the first rows, also tombstones, below a directory.
func (ix *Index) Below(ctx context.Context, dir tree.Path, limit int) ([]tree.Record, error) {
	from, to := span(dir)
	return ix.list(ctx, "look below a directory", limit, all, "path > ? AND path < ? ORDER BY path LIMIT ?", from, to, limit)
}

// Search looks through up to budget paths below a directory, after after, that
// have a row, also a tombstone, or something in the archive, and gives up to limit
// of those that match. last is the last one that was looked at; "" when that was
// all.
func (ix *Index) Search(ctx context.Context, q SearchQuery, match func(tree.Path) bool) (found []tree.Path, last tree.Path, err error) {
	from, to := span(q.Dir)
	if k := pathKey(q.After); bytes.Compare(k, from) > 0 {
		from = k
	}
	for looked := 0; ; {
		var paths []tree.Path
		err := ix.read(ctx, "search for a path", func(c *conn) error {
			return c.query(func(r *row) error {
				p, err := keyPath(r.blob(0))
				paths = append(paths, p)
				return err
			}, `SELECT path FROM entry WHERE path > ?1 AND path < ?2 UNION
				SELECT path FROM archive WHERE path > ?1 AND path < ?2 ORDER BY 1 LIMIT ?3`, from, to, searchPage)
		})
		if err != nil {
			return nil, "", err
		}
		for _, p := range paths {
			if match(p) {
				found = append(found, p)
			}
			if len(found) >= q.Limit {
				return found, p, nil
			}
		}
		if len(paths) < searchPage {
			return found, "", nil
		}
		last = paths[len(paths)-1]
		if looked += len(paths); looked >= q.Budget {
			return found, last, nil
		}
		from = pathKey(last)
	}
}

const searchPage = 1000

// SearchQuery says where Search looks, and for how long.
type SearchQuery struct {
	Dir, After    tree.Path
	Limit, Budget int // at least 1
}

// ArchivedDays says of each span between two moments how many files were put away
// in it, counted up to most.
func (ix *Index) ArchivedDays(ctx context.Context, moments []time.Time, most int) (counts []int64, err error) {
	counts = make([]int64, max(0, len(moments)-1))
	err = ix.read(ctx, "count the archive by days", func(c *conn) error {
		for i := range counts {
			n, err := c.integer("SELECT count(*) FROM (SELECT 1 FROM archive WHERE at >= ? AND at < ? LIMIT ?)", moments[i].UnixNano(), moments[i+1].UnixNano(), most)
			if err != nil {
				return err
			}
			counts[i] = n
		}
		return nil
	})
	return counts, err
}

// ActivityBefore gives changes with an ID below before (0: all), newest first.
func (ix *Index) ActivityBefore(ctx context.Context, before int64, limit int) ([]Activity, error) {
	if before <= 0 {
		return ix.LastActivity(ctx, limit)
	}
	return ix.activities(ctx, "id < ? ORDER BY id DESC LIMIT ?", before, limit)
}
