package index

import (
	"bytes"
	"context"
	"fmt"
	"strings"

	"pinion/engine/tree"
)

// columns are what record reads.
const columns = "path, seq, kind, c6, inode, meta"

// record reads columns, starting at the given one.
func (ix *Index) record(r *row, at int) (tree.Record, error) {
	p, err := keyPath(r.bytes(at))
	if err != nil {
		return tree.Record{}, err
	}
	return ix.recordOf(r, at+1, p)
}

// recordOf reads columns after the path.
func (ix *Index) recordOf(r *row, at int, p tree.Path) (tree.Record, error) {
	rec, err := unpack(stored{kind: r.int(at + 1), c6: r.optional(at + 2), inode: r.optional(at + 3), meta: r.bytes(at + 4)}, ix.names.replica)
	rec.Path, rec.Seq = p, uint64(r.int(at))
	if err == nil && rec.Seq == 0 {
		err = fmt.Errorf("%w: a row without a place in history", ErrDamaged)
	}
	return rec, err
}

// remoteEntry reads kind and meta of a remote row.
func (ix *Index) remoteEntry(r *row, at int) (tree.Entry, error) {
	return unpackRemote(r.int(at), r.bytes(at+1), ix.names.replica)
}

func unpackRemote(kind int64, meta []byte, names func(uint64) (tree.ReplicaID, bool)) (tree.Entry, error) {
	s := stored{kind: kind, meta: meta}
	if len(meta) > 0 && liveFile(kind) && meta[0]&hasContent != 0 {
		if len(meta) < 6 {
			return tree.Entry{}, fmt.Errorf("%w: %w", ErrDamaged, errShort)
		}
		var c tree.ContentID
		cut := len(meta) - 6
		copy(c[1:], meta[cut:])
		s.c6, s.meta = prefix(c), meta[:cut]
	}
	rec, err := unpack(s, names)
	return rec.Entry, err
}

// Get gives the row of a path, also a tombstone.
func (ix *Index) Get(ctx context.Context, p tree.Path) (rec tree.Record, found bool, err error) {
	err = ix.read(ctx, "look up a path", func(c *conn) error {
		return c.query(func(r *row) (err error) {
			found = true
			rec, err = ix.record(r, 0)
			return err
		}, "SELECT "+columns+" FROM entry WHERE path = ?", pathKey(p))
	})
	return rec, found && err == nil, err
}

// pathsAtOnce is how many paths one query asks for.
const pathsAtOnce = 32

var pathsQuery = "SELECT " + columns + " FROM entry WHERE path IN (?" + strings.Repeat(", ?", pathsAtOnce-1) + ")"

// At gives the rows of paths, also tombstones. It costs a third of what Get costs
// for each.
func (ix *Index) At(ctx context.Context, paths []tree.Path) (map[tree.Path]tree.Record, error) {
	out := make(map[tree.Path]tree.Record, len(paths))
	if len(paths) == 1 {
		rec, found, err := ix.Get(ctx, paths[0])
		if found {
			out[rec.Path] = rec
		}
		return out, err
	}
	err := ix.read(ctx, "look up paths", func(c *conn) error {
		args := make([]any, pathsAtOnce)
		for len(paths) > 0 {
			some := paths[:min(len(paths), pathsAtOnce)]
			paths = paths[len(some):]
			for i := range args {
				args[i] = pathKey(some[min(i, len(some)-1)])
			}
			err := c.query(func(r *row) error {
				rec, err := ix.record(r, 0)
				out[rec.Path] = rec
				return err
			}, pathsQuery, args...)
			if err != nil {
				return err
			}
		}
		return nil
	})
	return out, err
}

// list gives up to limit records of a query that pass keep.
func (ix *Index) list(ctx context.Context, verb string, limit int, keep func(*tree.Record) bool, query string, args ...any) (out []tree.Record, err error) {
	err = ix.read(ctx, verb, func(c *conn) error {
		return c.query(func(r *row) error {
			rec, err := ix.record(r, 0)
			if err == nil && len(out) < limit && keep(&rec) {
				out = append(out, rec)
			}
			return err
		}, "SELECT "+columns+" FROM entry WHERE "+query, args...)
	})
	return out, err
}

func all(*tree.Record) bool { return true }

// ByContent gives live files with that content, oldest row first.
func (ix *Index) ByContent(ctx context.Context, id tree.ContentID, limit int) ([]tree.Record, error) {
	if id.IsZero() {
		return nil, ctx.Err()
	}
	// Contents that share 48 bits are made on purpose or not at all.
	return ix.list(ctx, "look up a content", limit, func(r *tree.Record) bool { return r.Content == id },
		"c6 = ? ORDER BY seq LIMIT ?", prefix(id), limit+16)
}

// knownAtOnce is how many contents one query asks for.
const knownAtOnce = 32

// KnownContents says of each content whether a live file had it when it was
// recorded, or the archive keeps it. It may say so of one that is not there.
func (ix *Index) KnownContents(ctx context.Context, ids []tree.ContentID) ([]bool, error) {
	known := make([]bool, len(ids))
	at := map[int64][]int{}
	args := make([]any, 0, knownAtOnce)
	for i, id := range ids {
		c6 := prefix(id)
		at[c6] = append(at[c6], i)
	}
	err := ix.read(ctx, "look up contents", func(c *conn) error {
		found := func(r *row) error {
			for _, i := range at[r.int(0)] {
				known[i] = true
			}
			return nil
		}
		for c6 := range at {
			if args = append(args, c6); len(args) == knownAtOnce {
				if err := c.query(found, knownQuery, args...); err != nil {
					return err
				}
				args = args[:0]
			}
		}
		if len(args) == 0 {
			return nil
		}
		for len(args) < knownAtOnce {
			args = append(args, args[0])
		}
		return c.query(found, knownQuery, args...)
	})
	if err != nil {
		return nil, err
	}
	return known, ix.knownArchived(ctx, ids, known)
}

var knownQuery = "SELECT DISTINCT c6 FROM entry WHERE c6 IN (?" + strings.Repeat(", ?", knownAtOnce-1) + ")"

// knownArchived marks the contents that the archive keeps.
func (ix *Index) knownArchived(ctx context.Context, ids []tree.ContentID, known []bool) error {
	return ix.read(ctx, "look up contents in the archive", func(c *conn) error {
		if any, err := c.integer("SELECT EXISTS (SELECT 1 FROM archive)"); err != nil || any == 0 {
			return err
		}
		for i, id := range ids {
			if known[i] {
				continue
			}
			n, err := c.integer("SELECT EXISTS (SELECT 1 FROM archive WHERE content = ?)", id[:])
			if err != nil {
				return err
			}
			known[i] = n > 0
		}
		return nil
	})
}

// Fresh says whether the index has no row at a path nor below it, not even a
// tombstone.
func (ix *Index) Fresh(ctx context.Context, p tree.Path) (fresh bool, err error) {
	_, to := span(p)
	err = ix.read(ctx, "look up what was below a path", func(c *conn) error {
		n, err := c.integer("SELECT EXISTS (SELECT 1 FROM entry WHERE path >= ? AND path < ?)", pathKey(p), to)
		fresh = err == nil && n == 0
		return err
	})
	return fresh, err
}

// ByInode gives live files and directories that had that inode when they were
// recorded.
func (ix *Index) ByInode(ctx context.Context, inode uint64, limit int) ([]tree.Record, error) {
	if inode == 0 {
		return nil, ctx.Err()
	}
	return ix.list(ctx, "look up an inode", limit, all, "inode = ? ORDER BY seq LIMIT ?", inode, limit)
}

// Since gives rows, also tombstones, that were written after seq, in the order
// of their Seq.
func (ix *Index) Since(ctx context.Context, seq uint64, limit int) ([]tree.Record, error) {
	return ix.list(ctx, "list what is new", limit, all, "seq > ? ORDER BY seq LIMIT ?", seq, limit)
}

// Conflicts gives the conflict copies that stand here, in path order.
func (ix *Index) Conflicts(ctx context.Context, after tree.Path, limit int) ([]tree.Record, error) {
	return ix.list(ctx, "list conflicts", limit, all, "kind & 8 AND path > ? ORDER BY path LIMIT ?", cursor(after), limit)
}

// Walk calls fn for each live row below under that comes after after (empty:
// for all), in tree.Path.Compare's order, until it returns false or an error.
// fn may use the index.
func (ix *Index) Walk(ctx context.Context, under, after tree.Path, fn func(tree.Record) (bool, error)) error {
	from, to := span(under)
	if k := pathKey(after); bytes.Compare(k, from) > 0 {
		from = k
	}
	for {
		rows, err := ix.list(ctx, "walk the index", page, all, "path > ? AND path < ? AND kind < 16 ORDER BY path LIMIT ?", from, to, page)
		if err != nil {
			return err
		}
		for _, rec := range rows {
			if more, err := fn(rec); !more || err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
		from = pathKey(rows[len(rows)-1].Path)
	}
}

// Standing calls fn with the live rows below under, some at a time, in
// tree.Path.Compare's order, until it returns false or an error. Of each there is
// Path, Kind, Disk, Attrs, Target, Conflict and Seq. They are valid during the call;
// fn may use the index.
func (ix *Index) Standing(ctx context.Context, under tree.Path, fn func([]tree.Record) (bool, error)) error {
	from, to := span(under)
	var rows []tree.Record
	for {
		rows = rows[:0]
		err := ix.read(ctx, "walk the index", func(c *conn) error {
			return c.query(func(r *row) error {
				path, err := ownPath(r.blob(0))
				if err != nil {
					return err
				}
				rec, err := unpack(stored{kind: r.int(2), inode: r.optional(3), meta: r.bytes(4)}, nil)
				rec.Path, rec.Seq = path, uint64(r.int(1))
				rows = append(rows, rec)
				return err
			}, "SELECT path, seq, kind, inode, meta FROM entry WHERE path > ? AND path < ? AND kind < 16 ORDER BY path LIMIT ?", from, to, page)
		})
		if err != nil {
			return err
		}
		more := len(rows) == page
		if more {
			from = pathKey(rows[page-1].Path)
		}
		if len(rows) > 0 {
			if on, err := fn(rows); !on || err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// Children calls fn for each live row directly in dir, in the order of the
// names' bytes, until it returns false or an error. fn may use the index.
func (ix *Index) Children(ctx context.Context, dir tree.Path, fn func(tree.Record) (bool, error)) error {
	from, to := span(dir)
	start := len(from)
	if dir == "" {
		start = 0
	}
	for {
		rows, err := ix.list(ctx, "list a directory", page, all, "path > ? AND path < ? AND kind < 16 ORDER BY path LIMIT ?", from, to, page)
		if err != nil {
			return err
		}
		for _, rec := range rows {
			key := pathKey(rec.Path)
			name, _, deeper := bytes.Cut(key[start:], []byte{0})
			// No path has a byte 0xff: this is after all that is below name.
			from = append(key[:start+len(name):start+len(name)], 0, 0xff)
			if deeper {
				continue
			}
			if more, err := fn(rec); !more || err != nil {
				return err
			}
		}
		if len(rows) < page {
			return nil
		}
	}
}
