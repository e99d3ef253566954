package index

import (
	"context"
	"fmt"
	"math"
	"strings"

	"pinion/engine/tree"
)

// Reason is why a file went to the archive.
type Reason uint8

const (
	Replaced Reason = iota + 1
	Deleted
	Conflicted
)

func (r Reason) String() string {
	switch r {
	case Replaced:
		return "replaced"
	case Deleted:
		return "deleted"
	case Conflicted:
		return "conflict"
	}
	return "unknown"
}

// Archived is a file in the archive.
type Archived struct {
	ID      int64 // given by Commit
	Path    tree.Path
	When    int64 // it went there, nanoseconds since 1970
	Size    int64
	Content tree.ContentID // zero if not known
	By      tree.ReplicaID // whose change took it away; zero if not known
	Reason  Reason
	File    string // its path in .pinion/archive
}

// ArchiveQuery chooses archived files. The zero value chooses all, newest first.
type ArchiveQuery struct {
	Path    tree.Path // of that path only
	Under   tree.Path // of what is below that directory only
	Deleted bool      // only of paths at which nothing stands now
	Before  int64     // with an ID below that; 0: from the newest on
	Oldest  bool      // oldest first, and with an ID above Before
	Limit   int       // at least 1
}

const archiveColumns = "a.id, a.path, a.at, a.size, a.content, a.author, a.reason, a.file"

func (ix *Index) archived(r *row) (a Archived, err error) {
	if a.Path, err = keyPath(r.blob(1)); err != nil {
		return a, err
	}
	a.ID, a.When, a.Size = r.int(0), r.int(2), r.int(3)
	if !r.null(4) {
		if a.Content, err = tree.ContentIDFromBytes(r.blob(4)); err != nil {
			return a, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	}
	if local := r.int(5); local != 0 {
		id, ok := ix.names.replica(uint64(local))
		if !ok {
			return a, fmt.Errorf("%w: replica %d", ErrDamaged, local)
		}
		a.By = id
	}
	a.Reason, a.File = Reason(r.int(6)), r.text(7)
	return a, nil
}

// Archived lists archived files.
func (ix *Index) Archived(ctx context.Context, q ArchiveQuery) ([]Archived, error) {
	var where strings.Builder
	where.WriteString("a.id < ?")
	args := []any{q.Before}
	order := " ORDER BY a.id DESC"
	switch {
	case q.Oldest:
		where.Reset()
		where.WriteString("a.id > ?")
		order = " ORDER BY a.id"
	case q.Before == 0:
		args[0] = int64(math.MaxInt64)
	}
	if q.Path != "" {
		where.WriteString(" AND a.path = ?")
		args = append(args, pathKey(q.Path))
	}
	if q.Under != "" {
		from, to := span(q.Under)
		where.WriteString(" AND a.path > ? AND a.path < ?")
		args = append(args, from, to)
	}
	if q.Deleted {
		where.WriteString(" AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.path = a.path AND e.kind < 16)")
	}
	return ix.listArchived(ctx, where.String()+order, append(args, max(1, q.Limit))...)
}

// ArchivePage lists archived files of a path and of all below it (empty: of
// everything), in the order of their paths, those of one path from the oldest
// on, beginning after the one with that path and ID.
func (ix *Index) ArchivePage(ctx context.Context, q ArchivePageQuery) ([]Archived, error) {
	from, to := span(q.Within)
	if q.Within != "" {
		from = pathKey(q.Within)
	}
	where := "a.path >= ? AND a.path < ?"
	args := []any{from, to}
	if q.Path != "" {
		where += " AND (a.path, a.id) > (?, ?)"
		args = append(args, pathKey(q.Path), q.ID)
	}
	if q.Deleted {
		where += " AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.path = a.path AND e.kind < 16)"
	}
	return ix.listArchived(ctx, where+" ORDER BY a.path, a.id", append(args, max(1, q.Limit))...)
}

// ArchivePageQuery chooses a page of the archive.
type ArchivePageQuery struct {
	Within  tree.Path
	Deleted bool // only of paths at which nothing stands now
	Path    tree.Path
	ID      int64
	Limit   int // at least 1
}

// Gone calls fn for each tombstone of a kind at a path and below it, in
// tree.Path.Compare's order, until it returns false or an error. fn may use the
// index.
func (ix *Index) Gone(ctx context.Context, within tree.Path, kind tree.Kind, fn func(tree.Record) (bool, error)) error {
	from, to := span(within)
	if within != "" {
		if rec, ok, err := ix.Get(ctx, within); err != nil {
			return err
		} else if ok && rec.Deleted && rec.Kind == kind {
			if more, err := fn(rec); !more || err != nil {
				return err
			}
		}
	}
	for {
		rows, err := ix.list(ctx, "list what was deleted", page, all, "path > ? AND path < ? AND kind >= 16 AND kind & 7 = ? ORDER BY path LIMIT ?", from, to, int64(kind), page)
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

// EverHeld says whether a file or symlink stands below a directory, or stood
// there and is not forgotten.
func (ix *Index) EverHeld(ctx context.Context, dir tree.Path) (held bool, err error) {
	from, to := span(dir)
	err = ix.read(ctx, "look below a directory", func(c *conn) error {
		n, err := c.integer("SELECT EXISTS (SELECT 1 FROM entry WHERE path > ? AND path < ? AND kind & 7 <> 2)", from, to)
		held = n > 0
		return err
	})
	return held, err
}

// FindArchived gives archived files of that content, newest first.
func (ix *Index) FindArchived(ctx context.Context, content tree.ContentID, limit int) ([]Archived, error) {
	if content.IsZero() {
		return nil, ctx.Err()
	}
	return ix.listArchived(ctx, "a.content = ? ORDER BY a.id DESC", content[:], limit)
}

func (ix *Index) listArchived(ctx context.Context, query string, args ...any) (out []Archived, err error) {
	err = ix.read(ctx, "list the archive", func(c *conn) error {
		return c.query(func(r *row) error {
			a, err := ix.archived(r)
			out = append(out, a)
			return err
		}, "SELECT "+archiveColumns+" FROM archive a WHERE "+query+" LIMIT ?", args...)
	})
	return out, err
}

func (tx *txn) archive(rows []Archived) error {
	for i := range rows {
		a := &rows[i]
		if a.Path == "" || len(a.Path) > tree.MaxPath || a.File == "" || a.Reason == 0 {
			return fmt.Errorf("archive %q as %q: it has no path, file or reason", a.Path, a.File)
		}
		var author uint64
		if a.By != 0 {
			var err error
			if author, err = tx.ix.names.local(a.By); err != nil {
				return err
			}
		}
		var content any
		if !a.Content.IsZero() {
			content = a.Content[:]
		}
		_, err := tx.c.exec("INSERT INTO archive (path, at, size, content, author, reason, file) VALUES (?, ?, ?, ?, ?, ?, ?)",
			pathKey(a.Path), a.When, a.Size, content, author, int64(a.Reason), a.File)
		if err != nil {
			return err
		}
	}
	return nil
}

// RemoveArchived drops rows of files that are no longer in the archive.
func (ix *Index) RemoveArchived(ctx context.Context, ids []int64) error {
	return ix.write(ctx, "drop from the archive", func(tx *txn) error {
		for _, id := range ids {
			if _, err := tx.c.exec("DELETE FROM archive WHERE id = ?", id); err != nil {
				return err
			}
		}
		return nil
	})
}
