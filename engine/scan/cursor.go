package scan

import (
	"iter"

	"pinion/engine/tree"
)

// cursor is a stream of rows with a look ahead of one.
type cursor struct {
	next func() (tree.Record, bool)
	stop func()
	err  error // why the stream ended
	row  tree.Record
	have bool // row is the one ahead
	over bool
}

// rows streams what walk gives.
func rows(walk func(fn func(tree.Record) (bool, error)) error) *cursor {
	c := &cursor{}
	c.next, c.stop = iter.Pull(func(yield func(tree.Record) bool) {
		c.err = walk(func(rec tree.Record) (bool, error) { return yield(rec), nil })
	})
	return c
}

// under streams the live rows below dir.
func (r *run) under(dir tree.Path) *cursor {
	if !r.known {
		return none()
	}
	return rows(func(fn func(tree.Record) (bool, error)) error { return r.o.Index.Walk(r.ctx, dir, "", fn) })
}

// in streams the live rows directly in dir.
func (r *run) in(dir tree.Path) *cursor {
	if !r.known {
		return none()
	}
	return rows(func(fn func(tree.Record) (bool, error)) error { return r.o.Index.Children(r.ctx, dir, fn) })
}

// none is a cursor without rows.
func none() *cursor { return &cursor{over: true, stop: func() {}} }

// peek gives the row ahead, which stays as it is until advance; nil at the end.
func (c *cursor) peek() (*tree.Record, error) {
	if !c.have && !c.over {
		c.row, c.have = c.next()
		c.over = !c.have
	}
	if c.have {
		return &c.row, nil
	}
	return nil, c.err
}

func (c *cursor) advance() { c.have = false }

// skip goes past the rows at and below path.
func (c *cursor) skip(path tree.Path) error {
	for {
		row, err := c.peek()
		if err != nil || row == nil || !row.Path.Within(path) {
			return err
		}
		c.advance()
	}
}

func (c *cursor) close() { c.stop() }

// nameIn is the component of path that stands directly in dir, and whether path
// is no deeper than that. path lies below dir.
func nameIn(path, dir tree.Path) (name string, direct bool) {
	rest := string(path)
	if dir != "" {
		rest = rest[len(dir)+1:]
	}
	for i := range len(rest) {
		if rest[i] == '/' {
			return rest[:i], false
		}
	}
	return rest, true
}
