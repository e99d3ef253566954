package folder

import (
	"context"
	"fmt"
	"slices"

	"pinion/engine/index"
	"pinion/engine/scan"
	"pinion/engine/tree"
)

// record adds an observed entry to u as a change made here, where rows are the
// present ones.
func (n *notice) record(ctx context.Context, u *index.Update, ch scan.Change, rows map[tree.Path]tree.Record, clock uint64) (err error) {
	c := n.c
	old, had := rows[ch.Path]
	if had && old.Seq != ch.BasedOn || !had && ch.BasedOn != 0 {
		n.look(string(ch.Path))
		return nil
	}
	if stands, err := n.belowFile(ctx, u, ch.Path.Dir()); stands || err != nil {
		return err
	}
	e := ch.Now
	if !c.caps.ExecBit && had && old.Kind == e.Kind {
		e.Mode = old.Mode
	}
	if old.Exists() && old.Entry.SameContent(e) && old.Mode == e.Mode && old.Attrs == e.Attrs && sameTime(old, e, ch.Disk) {
		// The disk's word differs (an inode, say), not the entry.
		old.Disk, old.Sealed = ch.Disk, ch.Sealed
		u.Changes = append(u.Changes, index.Change{Record: old, If: old.Seq, Quiet: true})
		return nil
	}
	if old.Exists() && old.Kind == tree.Dir && e.Kind != tree.Dir {
		if wait, err := c.missing.afterChildren(ctx, ch.Path); wait || err != nil {
			return err
		}
	}
	if wait, err := c.suspicion.holdHere(ctx, old, ch); wait || err != nil {
		return err
	}
	self := c.index.Self()
	e.Version, e.Author = old.Version.Bump(self.ID, clock), self.ID
	e.Conflict = old.Conflict
	if old.Exists() && old.Kind == tree.File && old.Content != e.Content {
		e.Base = old.Content
	} else if old.Exists() {
		e.Base = old.Base
	}
	if !old.Exists() && !ch.Along {
		attrs, err := c.dressing.movedAttrs(ctx, e)
		if err != nil {
			return err
		}
		e.Attrs = attrs
	}
	if tag := c.tags[ch.Path]; tag != nil {
		if !old.Exists() {
			e.Conflict = tag
		}
		delete(c.tags, ch.Path)
	}
	u.Changes = append(u.Changes, index.Change{Record: tree.Record{Entry: e, Disk: ch.Disk, Sealed: ch.Sealed}, If: old.Seq, Manifest: ch.Manifest})
	if !ch.Along { // else the directory's move says it
		u.Activity = append(u.Activity, c.activity(e.Path, actionOf(old, e), self.ID))
	}
	c.work.another(e.Path)
	switch {
	case ch.From == "":
	case e.Kind == tree.Dir:
		if !ch.Along {
			u.Activity[len(u.Activity)-1].Action = "moved"
		}
	case ch.Along:
		if c.work.units[ch.From] == nil {
			n.left(u, *ch.Was, e.Path, clock)
		}
	default:
		return n.recordMove(ctx, u, ch, e, clock)
	}
	return nil
}

// belowFile says whether the row of a directory is that of a file still: what was
// seen in it is taken in together with it, when that can be. Else it would be
// looked for by nobody should the file's row be right again.
func (n *notice) belowFile(ctx context.Context, u *index.Update, dir tree.Path) (bool, error) {
	c := n.c
	if dir == "" || dir == n.inDir {
		return false, nil
	}
	row, had, err := c.index.Get(ctx, dir)
	if err != nil {
		return false, fmt.Errorf("read the index: %w", err)
	}
	if !had || !row.Exists() || row.Kind == tree.Dir || slices.ContainsFunc(u.Changes, func(ch index.Change) bool { return ch.Record.Path == dir }) {
		n.inDir = dir
		return false, nil
	}
	if c.work.units[dir] != nil {
		n.held[dir] = struct{}{}
	} else {
		n.look(string(dir))
	}
	return true, nil
}

// sameTime says whether the entry's time is what the disk says, as far as this
// file system can keep it: the disk's word has not moved since it was recorded.
func sameTime(old tree.Record, e tree.Entry, disk tree.Stat) bool {
	return old.MTime == e.MTime || old.Disk.MTime == disk.MTime || e.Kind == tree.Dir
}
