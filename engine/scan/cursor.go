package scan

import "pinion/engine/tree"

// cursor is a stream of rows with a look ahead. The index is read beside the disk:
// one page is read while another is compared.
type cursor struct {
	full, free chan []tree.Record
	done       chan struct{} // closed when no more rows are wanted
	err        error         // why the stream ended; set before full is closed
	page       []tree.Record
	at         int // of the row ahead in page
	over       bool
}

const pages = 2

// rows streams what walk gives.
func rows(walk func(fn func([]tree.Record) (bool, error)) error) *cursor {
	c := &cursor{full: make(chan []tree.Record, pages), free: make(chan []tree.Record, pages), done: make(chan struct{})}
	for range pages {
		c.free <- nil
	}
	go func() {
		defer close(c.full)
		c.err = walk(c.take)
	}()
	return c
}

// take keeps a copy of a page for the comparing side.
func (c *cursor) take(page []tree.Record) (bool, error) {
	select {
	case own := <-c.free:
		c.full <- append(own[:0], page...)
		return true, nil
	case <-c.done:
		return false, nil
	}
}

// under streams the live rows below dir.
func (r *run) under(dir tree.Path) *cursor {
	if !r.known {
		return none()
	}
	return rows(func(fn func([]tree.Record) (bool, error)) error { return r.o.Index.Standing(r.ctx, dir, fn) })
}

// in streams the live rows directly in dir.
func (r *run) in(dir tree.Path) *cursor {
	if !r.known {
		return none()
	}
	return byRow(func(fn func(tree.Record) (bool, error)) error { return r.o.Index.Children(r.ctx, dir, fn) })
}

// entire streams the live rows below dir with all that is in them.
func (r *run) entire(dir tree.Path) *cursor {
	return byRow(func(fn func(tree.Record) (bool, error)) error { return r.o.Index.Walk(r.ctx, dir, "", fn) })
}

// byRow streams what is given row by row.
func byRow(walk func(fn func(tree.Record) (bool, error)) error) *cursor {
	return rows(func(fn func([]tree.Record) (bool, error)) error {
		var page []tree.Record
		err := walk(func(rec tree.Record) (bool, error) {
			if page = append(page, rec); len(page) < rowsPage {
				return true, nil
			}
			more, err := fn(page)
			page = page[:0]
			return more, err
		})
		if err == nil && len(page) > 0 {
			_, err = fn(page)
		}
		return err
	})
}

const rowsPage = 64

// none is a cursor without rows.
func none() *cursor { return &cursor{over: true} }

// peek gives the row ahead, which stays as it is until advance; nil at the end.
func (c *cursor) peek() (*tree.Record, error) {
	if c.at < len(c.page) {
		return &c.page[c.at], nil
	}
	if c.over {
		return nil, c.err
	}
	if c.page != nil {
		c.free <- c.page
	}
	page, more := <-c.full
	c.page, c.at, c.over = page, 0, !more
	if !more {
		return nil, c.err
	}
	return &c.page[0], nil
}

func (c *cursor) advance() { c.at++ }

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

// close ends the stream, and returns when nothing of it is read any more.
func (c *cursor) close() {
	if c.full == nil {
		return
	}
	close(c.done)
	for range c.full {
	}
}

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
