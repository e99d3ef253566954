package apply

import (
	"errors"
	"io/fs"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// confirm looks at each path that is done, and writes down what the index is to
// say of it: always the lstat of what was put there, never a later one, which
// could hide an edit.
func (g *group) confirm() {
	for _, it := range g.items {
		if it.status != Done || g.dead != nil {
			continue
		}
		if err := g.confirmed(it); err != nil {
			it.changes = nil
			it.fail(err)
			if dead(err) {
				g.dead = err
			}
		}
	}
}

func (g *group) confirmed(it *item) error {
	act := it.act
	rec := tree.Record{Entry: act.Entry}
	if act.Entry.Exists() {
		rec.Disk = it.want
	}
	if act.Entry.Exists() && act.Op != plan.Adopt {
		if _, err := g.a.fs.Lstat(it.path()); err != nil && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, rootfs.ErrNotDirectory) {
			return err
		}
	}
	it.changes = append(it.changes, Change{Record: rec, If: act.Was.Seq})
	if act.Op == plan.Move {
		it.changes = append(it.changes, Change{Record: tree.Record{Entry: act.FromGone}, If: act.From.Seq})
	}
	if act.Keep == nil || it.gone {
		return nil
	}
	_, err := g.a.fs.Lstat(string(act.Keep.Path))
	if err == nil {
		it.changes = append(it.changes, Change{Record: tree.Record{Entry: *act.Keep, Disk: act.Was.Disk}})
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil // removed again at once, or it found its place taken: a scan tells
	}
	return err
}
