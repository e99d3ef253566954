package apply

import (
	"errors"

	"pinion/engine/plan"
	"pinion/engine/tree"
)

// meta changes mode, mtime or attributes of what stands.
func (g *group) meta(it *item) {
	it.want = it.act.Was.Disk
	g.dressLive(it, it.act.Entry.Path, it.act.Was.Entry)
}

// dressLive gives what stands at p, which until now was as was says, the mode
// and mtime of the item's entry.
//
// Setting the mtime of a live file could hide an edit that was made since the
// last look: so its content is read afterwards. If it is another one, the file
// gets the present time, and shows up as edited.
func (g *group) dressLive(it *item, p tree.Path, was tree.Entry) {
	a, e := g.a, it.act.Entry
	a.touch(string(p))
	if e.Kind != tree.Symlink {
		if err := g.dressModes(it, string(p), was); err != nil {
			it.fail(err)
			return
		}
	}
	if e.Kind == tree.Dir || e.MTime == was.MTime || e.MTime == it.want.MTime {
		it.end(Done, nil)
		return
	}
	if err := a.fs.SetMTime(string(p), e.MTime); err != nil {
		if e.Kind == tree.Symlink && errors.Is(err, errors.ErrUnsupported) {
			it.end(Done, nil)
			return
		}
		it.fail(err)
		return
	}
	g.dressed(it, p, was)
}

// dressModes sets attributes and mode of what stands at p.
func (g *group) dressModes(it *item, p string, was tree.Entry) error {
	a, e := g.a, it.act.Entry
	give := a.o.Attributes.Kinds != 0 && e.Attrs.Known() && (e.Attrs != was.Attrs || it.act.Op == plan.Meta)
	if give {
		if err := g.give(it, p, e.Attrs); err != nil {
			return err
		}
		info, err := a.fs.Lstat(p)
		if err != nil {
			return err
		}
		it.want.Mode = info.Mode // an access control list may have changed it
	}
	mode := a.caps.ExecBit && e.Mode != it.want.Mode
	if mode {
		if err := a.fs.SetMode(p, e.Mode); err != nil {
			return err
		}
		it.want.Mode = e.Mode
	}
	if give || mode {
		it.want.Attrs = a.wears(p)
	}
	return nil
}

// dressed looks at a live file or symlink whose mtime was set.
func (g *group) dressed(it *item, p tree.Path, was tree.Entry) {
	a := g.a
	info, err := a.fs.Lstat(string(p))
	if err != nil {
		it.fail(err)
		return
	}
	now := statOf(info)
	it.want.MTime = now.MTime
	switch {
	case !a.same(now, it.want):
		err = errChanged
	case now.Kind == tree.File:
		err = a.read(string(p), now, was.Content)
	}
	if err == nil {
		it.end(Done, nil)
		return
	}
	if now.Kind == tree.File {
		if terr := a.fs.SetMTime(string(p), a.o.Now().UnixNano()); terr != nil {
			a.o.Log.Warn("an edited file keeps the time of its old content", "path", string(p), "error", terr)
		}
	}
	it.fail(err)
}
