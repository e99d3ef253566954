package index

import (
	"context"
	"math"

	"pinion/engine/tree"
)

// Remote is what a device has at a path and our own row does not cover.
type Remote struct {
	Device tree.DeviceID
	Entry  tree.Entry
}

// Pending is a path that awaits a decision.
type Pending struct {
	Path     tree.Path
	Local    tree.Record // zero if HasLocal is not set
	HasLocal bool
	Remotes  []Remote // at least one; by when the device was first met
}

// Cursor is a place in the order of urgency; zero is its start.
type Cursor int64

// PendingQuery asks for what is pending.
type PendingQuery struct {
	After Cursor
	Limit int
	// Span, unless it is zero, is the only part of the order that is looked at, from
	// After on: one of those that News gave.
	Span Span
	Skip func(tree.Path) bool // leaves paths out; nil: none
	// NoDeletions leaves out the rows by which somebody deletes a path.
	NoDeletions bool
	// NoSuspects leaves out the paths at which a told content is suspect and was
	// not let pass.
	NoSuspects bool
	// Most leaves out the files of more bytes; 0: none.
	Most int64
	// Without leaves out what is at and below these paths.
	Without []tree.Path
}

// Span is a part of the order of urgency: what lies between two places.
type Span struct{ After, Before Cursor }

// News gives the parts of the order in which what came after the given arrival
// stands, most urgent first, and the arrival up to which that is so.
func (ix *Index) News(since uint64) (parts []Span, until uint64) {
	ix.mu.Lock()
	until = ix.head.Arrivals
	ix.mu.Unlock()
	if until <= since {
		return nil, until
	}
	const first = Cursor(1) << classShift
	parts = append(parts, Span{first - Cursor(until) - 1, first - Cursor(since)})
	for class := smallClass; class <= bigClass; class++ {
		from := Cursor(class) << classShift
		parts = append(parts, Span{from + Cursor(since), from + Cursor(until) + 1})
	}
	return parts, until
}

// pendingRow is a row of remote that stands for its path.
type pendingRow struct {
	rank   Cursor
	p      Pending
	others bool // devices beside the one in p
}

func (q PendingQuery) tooBig(e tree.Entry) bool {
	return q.Most > 0 && !e.Deleted && e.Kind == tree.File && e.Size > q.Most
}

// before is the end of what is looked at: where the Span ends, or only files begin
// that Most leaves out.
func (q PendingQuery) before() Cursor {
	end := Cursor(math.MaxInt64)
	switch {
	case q.Most <= 0 || q.Most > middleSize:
	case q.Most > smallSize:
		end = bigClass << classShift
	default:
		end = middleClass << classShift
	}
	if q.Span != (Span{}) {
		end = min(end, q.Span.Before)
	}
	return end
}

// Pending gives what is pending, most urgent first, and the cursor after which
// to go on; a cursor of 0 says that the end was reached. What arrives meanwhile
// may sort before the cursor: it is found by starting anew.
func (ix *Index) Pending(ctx context.Context, q PendingQuery) (out []Pending, next Cursor, err error) {
	out = make([]Pending, 0, min(q.Limit, int(ix.Counts().PendingPaths)))
	for next = max(q.After, q.Span.After); len(out) < q.Limit; {
		rows, last, err := ix.pendingPage(ctx, next, min(page, q.Limit+32), q)
		if err != nil {
			return nil, 0, err
		}
		for _, r := range rows {
			if len(out) == q.Limit {
				return out, next, nil
			}
			next = r.rank
			if q.tooBig(r.p.Remotes[0].Entry) || q.Skip != nil && q.Skip(r.p.Path) {
				continue
			}
			if r.others {
				p, found, err := ix.PendingAt(ctx, r.p.Path)
				if err != nil {
					return nil, 0, err
				}
				if !found {
					continue
				}
				r.p = p
			}
			out = append(out, r.p)
		}
		if last == 0 {
			return out, 0, nil
		}
		next = last
	}
	return out, next, nil
}

// pendingPage reads one page; a path stands in it at its most urgent row only,
// but in a Span at each of its rows there: its most urgent one may lie elsewhere.
// last is the rank of the last row that was looked at, 0 at the end.
func (ix *Index) pendingPage(ctx context.Context, after Cursor, limit int, q PendingQuery) (rows []pendingRow, last Cursor, err error) {
	n, below := 0, 256
	if q.NoDeletions {
		below = 16 // the mark of a tombstone
	}
	filter := ""
	if q.NoSuspects {
		filter = " AND NOT EXISTS (SELECT 1 FROM suspect s WHERE s.path = r.path AND s.side = 1 AND s.passed = 0)"
	}
	args := []any{int64(after), int64(q.before()), below}
	for _, p := range q.Without {
		_, to := span(p)
		filter += " AND NOT (r.path >= ? AND r.path < ?)"
		args = append(args, pathKey(p), to)
	}
	args = append(args, limit)
	rows = make([]pendingRow, 0, min(limit, int(ix.Counts().PendingPaths)))
	err = ix.read(ctx, "list what is pending", func(c *conn) error {
		return c.query(func(r *row) error {
			n++
			last = Cursor(r.int(0))
			if r.int(5) != int64(last) && q.Span == (Span{}) {
				return nil
			}
			path, err := keyPath(r.bytes(1))
			if err != nil {
				return err
			}
			e, err := ix.remoteEntry(r, 3)
			if err != nil {
				return err
			}
			e.Path = path
			dev, err := ix.names.device(r.int(2))
			if err != nil {
				return err
			}
			p := Pending{Path: path, Remotes: []Remote{{dev, e}}}
			if !r.null(7) {
				p.HasLocal = true
				if p.Local, err = ix.recordOf(r, 7, path); err != nil {
					return err
				}
			}
			rows = append(rows, pendingRow{last, p, r.int(6) > 1})
			return nil
		}, `SELECT r.rank, r.path, r.dev, r.kind, r.meta,
			(SELECT min(rank) FROM remote x WHERE x.path = r.path),
			(SELECT count(*) FROM remote x WHERE x.path = r.path),
			e.seq, e.kind, e.c6, e.inode, e.meta
			FROM remote r LEFT JOIN entry e ON e.path = r.path WHERE r.rank > ? AND r.rank < ? AND r.kind < ?`+filter+` ORDER BY r.rank LIMIT ?`, args...)
	})
	if n < limit {
		last = 0
	}
	return rows, last, err
}

// PendingAt gives what is pending at one path.
func (ix *Index) PendingAt(ctx context.Context, path tree.Path) (p Pending, found bool, err error) {
	p.Path = path
	err = ix.read(ctx, "look up what is pending", func(c *conn) error {
		err := c.query(func(r *row) error {
			e, err := ix.remoteEntry(r, 1)
			if err != nil {
				return err
			}
			e.Path = path
			dev, err := ix.names.device(r.int(0))
			p.Remotes = append(p.Remotes, Remote{dev, e})
			if !r.null(3) && err == nil {
				p.HasLocal = true
				p.Local, err = ix.recordOf(r, 3, path)
			}
			return err
		}, `SELECT r.dev, r.kind, r.meta, e.seq, e.kind, e.c6, e.inode, e.meta
			FROM remote r LEFT JOIN entry e ON e.path = r.path WHERE r.path = ? ORDER BY r.dev`, pathKey(path))
		return err
	})
	return p, err == nil && len(p.Remotes) > 0, err
}

// PendingUnder says whether something that stands elsewhere is pending below
// dir, and whether a tombstone is.
func (ix *Index) PendingUnder(ctx context.Context, dir tree.Path) (stands, gone bool, err error) {
	from, to := span(dir)
	err = ix.read(ctx, "look up what is pending below a directory", func(c *conn) error {
		n, err := c.integer("SELECT EXISTS (SELECT 1 FROM remote WHERE path > ? AND path < ? AND kind < 16)", from, to)
		if err != nil {
			return err
		}
		stands = n > 0
		n, err = c.integer("SELECT EXISTS (SELECT 1 FROM remote WHERE path > ? AND path < ? AND kind >= 16)", from, to)
		gone = n > 0
		return err
	})
	return stands, gone, err
}

// PendingWithin counts what is pending at and below a path, as Counts does for all
// of it.
func (ix *Index) PendingWithin(ctx context.Context, p tree.Path) (paths, files, bytes int64, err error) {
	_, to := span(p)
	var sum Counts
	var at []byte
	var rows []remoteRow
	err = ix.read(ctx, "count what is pending below a path", func(c *conn) error {
		err := c.query(func(r *row) error {
			if key := r.blob(0); string(key) != string(at) {
				sum.pendingAt(rows, 1)
				at, rows = append(at[:0], key...), rows[:0]
			}
			e, err := ix.remoteEntry(r, 1)
			rows = append(rows, remoteRow{entry: e})
			return err
		}, "SELECT path, kind, meta FROM remote WHERE path >= ? AND path < ? ORDER BY path", pathKey(p), to)
		sum.pendingAt(rows, 1)
		return err
	})
	return sum.PendingPaths, sum.NeedFiles, sum.NeedBytes, err
}

// LiveChildren says what stands here below dir: unpending is 1 if there is a
// live row without a pending tombstone, pending is 1 if there is one with.
func (ix *Index) LiveChildren(ctx context.Context, dir tree.Path) (unpending, pending int, err error) {
	from, to := span(dir)
	err = ix.read(ctx, "look up what stands below a directory", func(c *conn) error {
		n, err := c.integer(`SELECT EXISTS (SELECT 1 FROM entry e WHERE path > ? AND path < ? AND kind < 16
			AND NOT EXISTS (SELECT 1 FROM remote r WHERE r.path = e.path AND r.kind >= 16))`, from, to)
		if err != nil {
			return err
		}
		unpending = int(n)
		n, err = c.integer(`SELECT EXISTS (SELECT 1 FROM remote r WHERE r.path > ? AND r.path < ? AND r.kind >= 16
			AND EXISTS (SELECT 1 FROM entry e WHERE e.path = r.path AND e.kind < 16))`, from, to)
		pending = int(n)
		return err
	})
	return unpending, pending, err
}

// PendingDeletions counts the live files here that some device's pending
// tombstone would remove: those whose version it knows all of. A file that is
// said to have moved is not counted where its content stands, or is announced, at
// the place that it moved to.
func (ix *Index) PendingDeletions(ctx context.Context) (count int64, err error) {
	after, dev := cursor(""), int64(0)
	var last tree.Path
	var moved []tree.Entry
	one := func(r *row) error {
		after, dev = r.blob(0), r.int(1)
		path, err := keyPath(after)
		if err != nil || r.null(4) || path == last {
			return err
		}
		local, err := ix.recordOf(r, 4, path)
		if err != nil {
			return err
		}
		gone, err := ix.remoteEntry(r, 2)
		if err == nil && local.Kind == tree.File && local.Exists() && gone.Version.Covers(local.Version) {
			if last = path; gone.MovedTo != "" {
				moved = append(moved, gone)
			} else {
				count++
			}
		}
		return err
	}
	for n := page; n == page && err == nil; {
		n = 0
		err = ix.read(ctx, "count pending deletions", func(c *conn) error {
			return c.query(func(r *row) error { n++; return one(r) },
				`SELECT r.path, r.dev, r.kind, r.meta, e.seq, e.kind, e.c6, e.inode, e.meta
				FROM remote r LEFT JOIN entry e ON e.path = r.path
				WHERE r.kind >= 16 AND (r.path, r.dev) > (?, ?) ORDER BY r.path, r.dev LIMIT ?`, after, dev, page)
		})
		for i := 0; i < len(moved) && err == nil; i++ {
			var arrives bool
			if arrives, err = ix.arrives(ctx, moved[i].MovedTo, moved[i].Content); !arrives {
				count++
			}
		}
		moved = moved[:0]
	}
	return count, err
}

// arrives says whether a content stands, or is announced, at a path.
func (ix *Index) arrives(ctx context.Context, p tree.Path, content tree.ContentID) (bool, error) {
	own, _, err := ix.Get(ctx, p)
	if err != nil || own.Exists() && own.Content == content {
		return err == nil, err
	}
	pending, _, err := ix.PendingAt(ctx, p)
	for _, r := range pending.Remotes {
		if r.Entry.Exists() && r.Entry.Content == content {
			return true, err
		}
	}
	return false, err
}

// Told is what a device has told of a path; with the zero device, what any has.
type Told struct {
	Path   tree.Path
	Device tree.DeviceID
}

// DropPending drops what is pending and needs nothing, or is not wanted here.
func (ix *Index) DropPending(ctx context.Context, list []Told) error {
	return ix.write(ctx, "drop what is pending", func(tx *txn) error {
		for _, t := range list {
			dev := int64(0)
			if !t.Device.IsZero() {
				var err error
				if dev, err = tx.device(t.Device); err != nil {
					return err
				}
			}
			if err := tx.withdraw(pathKey(t.Path), func(r *remoteRow) bool { return dev == 0 || r.device == dev }); err != nil {
				return err
			}
		}
		return nil
	})
}
