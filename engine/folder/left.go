package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"pinion/engine/index"
	"pinion/engine/scan"
	"pinion/engine/tree"
)

// left adds the tombstone of what stood at old's path and stands at to now.
func (n *notice) left(u *index.Update, old tree.Record, to tree.Path, clock uint64) {
	t := tombstone(old, n.c.index.Self().ID, clock)
	t.MovedTo = to
	u.Changes = append(u.Changes, index.Change{Record: t, If: old.Seq})
}

// leftDirectory adds the tombstone of a directory that stands elsewhere now with all
// that was in it, unless another has taken its place or something is under way in it.
func (n *notice) leftDirectory(u *index.Update, ch scan.Change, clock uint64) {
	_, err := n.c.root.Lstat(string(ch.Path))
	if !errors.Is(err, fs.ErrNotExist) || n.c.work.anyWithin(ch.Path) {
		n.look(string(ch.Path))
		return
	}
	n.left(u, *ch.Was, ch.To, clock)
}

// recordMove adds the tombstone of the path that a moved file left, unless it
// still stands (a hard link).
func (n *notice) recordMove(ctx context.Context, u *index.Update, ch scan.Change, e tree.Entry, clock uint64) error {
	c := n.c
	if _, err := c.root.Lstat(string(ch.From)); err == nil && !c.names.respeltAt(ch.From) || c.work.units[ch.From] != nil {
		return nil
	}
	old, had, err := c.index.Get(ctx, ch.From)
	if err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	if !had || !old.Exists() || old.Content != e.Content {
		return nil
	}
	n.left(u, old, e.Path, clock)
	u.Activity[len(u.Activity)-1].Action = "moved"
	return nil
}

// tombstone is the row of what stood at old's path once it is gone by r's doing.
func tombstone(old tree.Record, r tree.ReplicaID, clock uint64) tree.Record {
	t := tree.Record{Entry: old.Entry}
	t.Deleted, t.Conflict, t.Base, t.MovedTo, t.Attrs = true, nil, tree.ContentID{}, "", ""
	t.Version, t.Author = old.Version.Bump(r, clock), r
	return t
}
