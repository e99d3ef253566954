package index

import (
	"context"
	"slices"

	"pinion/engine/tree"
)

// Going is what is known of one path below a directory that goes elsewhere, and of
// the path that it has there.
type Going struct {
	Here  tree.Record  // live, at the old path
	Gone  []tree.Entry // what devices tell of the old path and our row does not cover
	There tree.Record  // our row of the new path; zero: none
	Come  []tree.Entry // what devices tell of the new path
}

// goingRows is how many rows one query for what goes elsewhere gives. Each path
// comes as often as devices have told of it, times the same for its new path.
const goingRows = 2 * page

// Goings gives what is known of the live rows below from and after after, in
// tree.Path.Compare's order, and of their paths once from has become to: a page of
// it, and whether there are others.
func (ix *Index) Goings(ctx context.Context, from, to, after tree.Path) (out []Going, more bool, err error) {
	first, end := span(from)
	cut := len(first) // of a key: what follows is the path below from
	if k := pathKey(after); after != "" {
		first = k
	}
	prefix, _ := span(to)
	n := 0
	err = ix.read(ctx, "list what goes elsewhere", func(c *conn) error {
		return c.query(func(r *row) error {
			n++
			here, err := ix.record(r, 0)
			if err != nil {
				return err
			}
			if len(out) == 0 || out[len(out)-1].Here.Path != here.Path {
				g := Going{Here: here}
				if !r.null(12) {
					g.There, err = ix.recordOf(r, 12, to+here.Path[len(from):])
				}
				out = append(out, g)
			}
			g := &out[len(out)-1]
			if err == nil {
				g.Gone, err = ix.told(r, 6, here.Path, g.Gone)
			}
			if err == nil {
				g.Come, err = ix.told(r, 9, to+here.Path[len(from):], g.Come)
			}
			return err
		}, `SELECT e.path, e.seq, e.kind, e.c6, e.inode, e.meta, g.rank, g.kind, g.meta, n.rank, n.kind, n.meta, o.seq, o.kind, o.c6, o.inode, o.meta
			FROM entry e LEFT JOIN remote g ON g.path = e.path
			LEFT JOIN remote n ON n.path = CAST(? || substr(e.path, ?) AS BLOB)
			LEFT JOIN entry o ON o.path = CAST(? || substr(e.path, ?) AS BLOB)
			WHERE e.path > ? AND e.path < ? AND e.kind < 16 ORDER BY e.path LIMIT ?`,
			prefix, cut+1, prefix, cut+1, first, end, goingRows)
	})
	if n == goingRows && len(out) > 1 {
		out, more = out[:len(out)-1], true // there may be more rows of the last path
	}
	return out, more, err
}

// Told gives what devices tell of a path and our row does not cover, each word once.
func (ix *Index) Told(ctx context.Context, p tree.Path) (list []tree.Entry, err error) {
	err = ix.read(ctx, "look up what is pending", func(c *conn) error {
		return c.query(func(r *row) (err error) {
			list, err = ix.told(r, 0, p, list)
			return err
		}, "SELECT rank, kind, meta FROM remote WHERE path = ? ORDER BY dev", pathKey(p))
	})
	return list, err
}

// Moved gives what a device tells of a moved file at length: by our own row of where
// it was, or by what the device has told of it before.
func (ix *Index) Moved(ctx context.Context, dev tree.DeviceID, m tree.Moved) (come, gone tree.Entry, ok bool, err error) {
	rec, _, err := ix.Get(ctx, m.From)
	if err != nil {
		return come, gone, false, err
	}
	if come, gone, ok = m.Entries(rec.Entry); ok {
		return come, gone, true, nil
	}
	p, _, err := ix.PendingAt(ctx, m.From)
	for _, r := range p.Remotes {
		if r.Device == dev {
			come, gone, ok = m.Entries(r.Entry)
		}
	}
	return come, gone, ok && err == nil, err
}

// told adds what a device has told (rank, kind and meta at a column), once.
func (ix *Index) told(r *row, at int, p tree.Path, list []tree.Entry) ([]tree.Entry, error) {
	if r.null(at) {
		return list, nil
	}
	e, err := ix.remoteEntry(r, at+1)
	e.Path = p
	if err != nil || slices.ContainsFunc(list, func(o tree.Entry) bool { return identical(&o, &e) }) {
		return list, err
	}
	return append(list, e), nil
}
