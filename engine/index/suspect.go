package index

import (
	"context"
	"fmt"

	"pinion/engine/tree"
)

// Side says where a suspect content comes from.
type Side uint8

const (
	Here   Side = iota // it stands on this disk, and its row is not written
	Theirs             // a peer has told of it, and it is not carried out
)

// Suspect is a content that looks encrypted and would take the place of another.
type Suspect struct {
	Path    tree.Path
	Side    Side
	Content tree.ContentID
	Passed  bool // it is let happen
}

// HoldSuspects remembers suspects, in place of what was remembered of the same
// path and side.
func (ix *Index) HoldSuspects(ctx context.Context, list []Suspect) error {
	return ix.write(ctx, "hold suspect files", func(tx *txn) error {
		for _, s := range list {
			_, err := tx.c.exec("INSERT INTO suspect VALUES (?, ?, ?, ?) ON CONFLICT (path, side) DO UPDATE SET content = excluded.content, passed = excluded.passed",
				pathKey(s.Path), int64(s.Side), s.Content[:], b2i(s.Passed))
			if err != nil {
				return err
			}
		}
		return nil
	})
}

func b2i(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func suspect(r *row) (s Suspect, err error) {
	if s.Path, err = keyPath(r.blob(0)); err != nil {
		return s, err
	}
	if s.Content, err = tree.ContentIDFromBytes(r.blob(2)); err != nil {
		return s, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	s.Side, s.Passed = Side(r.int(1)), r.int(3) != 0
	return s, nil
}

// Suspects gives one side's suspects in tree.Path.Compare's order, those that
// were let pass left out.
func (ix *Index) Suspects(ctx context.Context, side Side, after tree.Path, limit int) (out []Suspect, err error) {
	err = ix.read(ctx, "list suspect files", func(c *conn) error {
		return c.query(func(r *row) error {
			s, err := suspect(r)
			out = append(out, s)
			return err
		}, "SELECT path, side, content, passed FROM suspect WHERE path > ? AND side = ? AND passed = 0 ORDER BY path LIMIT ?", cursor(after), int64(side), limit)
	})
	return out, err
}

// SuspectAt gives what is remembered of a path on one side.
func (ix *Index) SuspectAt(ctx context.Context, p tree.Path, side Side) (s Suspect, found bool, err error) {
	err = ix.read(ctx, "look up a suspect file", func(c *conn) error {
		return c.query(func(r *row) (err error) {
			found = true
			s, err = suspect(r)
			return err
		}, "SELECT path, side, content, passed FROM suspect WHERE path = ? AND side = ?", pathKey(p), int64(side))
	})
	return s, found && err == nil, err
}

// SuspectCount is how many wait on one side, and whether anything is remembered
// of it at all.
func (ix *Index) SuspectCount(ctx context.Context, side Side) (waiting int64, any bool, err error) {
	err = ix.read(ctx, "count suspect files", func(c *conn) error {
		all, err := c.integer("SELECT count(*) FROM suspect WHERE side = ?", int64(side))
		if any = all > 0; err != nil || !any {
			return err
		}
		waiting, err = c.integer("SELECT count(*) FROM suspect WHERE side = ? AND passed = 0", int64(side))
		return err
	})
	return waiting, any, err
}

// PassSuspects lets all of one side happen.
func (ix *Index) PassSuspects(ctx context.Context, side Side) error {
	return ix.write(ctx, "let suspect files pass", func(tx *txn) error {
		_, err := tx.c.exec("UPDATE suspect SET passed = 1 WHERE side = ?", int64(side))
		return err
	})
}

// DropSuspects forgets paths of one side.
func (ix *Index) DropSuspects(ctx context.Context, side Side, paths []tree.Path) error {
	if len(paths) == 0 {
		return ctx.Err()
	}
	return ix.write(ctx, "forget suspect files", func(tx *txn) error {
		for _, p := range paths {
			if _, err := tx.c.exec("DELETE FROM suspect WHERE path = ? AND side = ?", pathKey(p), int64(side)); err != nil {
				return err
			}
		}
		return nil
	})
}
