package index

import (
	"context"
	"encoding/binary"
	"fmt"

	"pinion/engine/tree"
)

// Step says how an Outline goes on.
type Step uint8

const (
	Into Step = iota // to the next path
	Past             // past all that is below this one
	Stop
)

// Outlined is a live row as far as Outline reads it.
type Outlined struct {
	Path tree.Path
	Kind tree.Kind
	Size int64
}

// Outline calls fn with each live row whose path is wanted, in tree.Path.Compare's
// order: those that come after after and are not below it. What is not wanted
// costs the reading of its path alone. fn may use the index.
func (ix *Index) Outline(ctx context.Context, after tree.Path, want func(tree.Path) bool, fn func(Outlined) (Step, error)) error {
	from := cursor("")
	if after != "" {
		from = behind(after)
	}
	var past tree.Path
	for {
		wanted, n, last := false, 0, []byte(nil)
		err := ix.read(ctx, "list paths", func(c *conn) error {
			return c.query(func(r *row) error {
				n, last = n+1, r.blob(0)
				if wanted {
					return nil
				}
				p, err := keyPath(last)
				wanted = err == nil && want(p)
				return err
			}, "SELECT path FROM entry WHERE path > ? ORDER BY path LIMIT ?", from, page)
		})
		if err != nil {
			return err
		}
		if past = ""; wanted {
			var stop bool
			if past, stop, err = ix.outlinePage(ctx, from, last, want, fn); stop || err != nil {
				return err
			}
		}
		if n < page {
			return nil
		}
		if from = last; past != "" {
			from = behind(past)
		}
	}
}

// outlinePage calls fn for a stretch of keys. past is what the last of them are
// below, if they are to be passed by.
func (ix *Index) outlinePage(ctx context.Context, from, last []byte, want func(tree.Path) bool, fn func(Outlined) (Step, error)) (past tree.Path, stop bool, err error) {
	var rows []Outlined
	err = ix.outlined(ctx, from, append(last[:len(last):len(last)], 0), page, func(o Outlined) { rows = append(rows, o) })
	if err != nil {
		return "", false, err
	}
	for _, o := range rows {
		if past != "" && o.Path.Within(past) {
			continue
		}
		if past = ""; !want(o.Path) {
			continue
		}
		step, err := fn(o)
		if err != nil || step == Stop {
			return "", true, err
		}
		if step == Past {
			past = o.Path
		}
	}
	return past, false, nil
}

// outlined reads up to limit live rows between two keys.
func (ix *Index) outlined(ctx context.Context, from, to []byte, limit int, fn func(Outlined)) error {
	return ix.read(ctx, "list files", func(c *conn) error {
		return c.query(func(r *row) error {
			p, err := keyPath(r.blob(0))
			if err != nil {
				return err
			}
			size, err := sizeIn(r.blob(2))
			fn(Outlined{p, tree.Kind(r.int(1) & kindMask), size})
			return err
		}, "SELECT path, kind, substr(meta, 1, 20) FROM entry WHERE path > ? AND path < ? AND kind < 16 ORDER BY path LIMIT ?", from, to, limit)
	})
}

// behind is the key after all that is below a path. No path has a byte 0xff.
func behind(p tree.Path) []byte {
	k := pathKey(p)
	return append(k[:len(k):len(k)], 0, 0xff)
}

// Weigh says how many files stand below a directory, and their bytes.
func (ix *Index) Weigh(ctx context.Context, dir tree.Path) (files, size int64, err error) {
	from, to := span(dir)
	for {
		n, last := 0, tree.Path("")
		err := ix.outlined(ctx, from, to, page, func(o Outlined) {
			if n, last = n+1, o.Path; o.Kind != tree.Dir {
				files, size = files+1, size+o.Size
			}
		})
		if err != nil || n < page {
			return files, size, err
		}
		from = pathKey(last)
	}
}

// sizeIn reads the size at the beginning of a packed row.
func sizeIn(meta []byte) (int64, error) {
	_, n := binary.Uvarint(meta)
	if n > 0 {
		if size, m := binary.Uvarint(meta[n:]); m > 0 && int64(size) >= 0 {
			return int64(size), nil
		}
	}
	return 0, fmt.Errorf("%w: %w", ErrDamaged, errShort)
}
