package apply

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// prepare looks at what stands at each path and dresses what will stand there.
// No name of a person's is touched.
func (g *group) prepare(ctx context.Context) {
	seen := make(map[tree.Path]bool, len(g.items))
	for i, it := range g.items {
		if ctx.Err() != nil || g.dead != nil {
			return
		}
		p := it.act.Entry.Path
		if err := checkAction(it.act); err != nil {
			it.end(Failed, &Problem{string(p), "could not be changed: the plan is wrong: " + err.Error(), err})
			continue
		}
		if seen[p] {
			it.end(Changed, errors.New("it is changed twice in one group"))
			continue
		}
		seen[p] = true
		g.ready(it, i)
		if it.err != nil && dead(it.err) {
			g.dead = it.err
		}
	}
}

// checkAction refuses what a plan never holds.
func checkAction(act *plan.Action) error {
	e := act.Entry
	if _, err := tree.ParsePath(string(e.Path)); err != nil {
		return err
	}
	kinds := map[plan.Op]tree.Kind{plan.Make: tree.Dir, plan.Put: tree.File, plan.Link: tree.Symlink, plan.Move: tree.File}
	kind, stands := kinds[act.Op]
	switch {
	case stands && (!e.Exists() || e.Kind != kind):
		return fmt.Errorf("a %s of a %s", act.Op, e.Kind)
	case act.Was.Seq != 0 && act.Was.Path != e.Path:
		return errors.New("it rests on another path's row")
	case act.Keep != nil && (!act.Was.Exists() || act.Was.Kind == tree.Dir || !act.Keep.SameContent(act.Was.Entry)):
		return errors.New("what it keeps is not what stands")
	}
	if act.Keep != nil {
		if _, err := tree.ParsePath(string(act.Keep.Path)); err != nil {
			return err
		}
	}
	switch act.Op {
	case plan.Put:
		if !inStaging(act.Staged) {
			return errors.New("its content is not staged")
		}
	case plan.Adopt, plan.Meta:
		if !e.SameContent(act.Was.Entry) || act.Op == plan.Meta && !e.Exists() {
			return fmt.Errorf("a %s of other content", act.Op)
		}
	case plan.Delete:
		if !e.Deleted {
			return errors.New("a deletion without a tombstone")
		}
	case plan.Move:
		if act.From == nil || act.FromGone == nil || act.Was.Exists() || !act.From.Exists() || act.From.Kind != tree.File || act.From.Content != e.Content || act.FromGone.Path != act.From.Path {
			return errors.New("a move of something else")
		}
	case plan.Make, plan.Link:
	default:
		return errors.New(act.Op.String())
	}
	return nil
}

func (g *group) ready(it *item, n int) {
	act := it.act
	mine := Private + "/" + g.id + "-" + strconv.Itoa(n)
	switch act.Op {
	case plan.Adopt:
		it.want = act.Was.Disk
	case plan.Move:
		if !g.stands(it, *act.From) {
			return
		}
		it.want = act.From.Disk
		if !g.a.caps.NoReplace || g.twins(act.From.Path, act.Entry.Path) {
			it.held = mine // through Private: see move
		}
	case plan.Meta:
		if !g.stands(it, act.Was) {
			return
		}
		if !g.sameAttrs(it, act.Was) {
			it.end(Changed, errChanged)
			return
		}
	case plan.Delete:
		if !g.standsOrGone(it) {
			return
		}
		if act.Was.Kind != tree.Dir {
			it.held = mine
		}
	default:
		if act.Was.Exists() && !g.stands(it, act.Was) {
			return
		}
		if act.Was.Exists() {
			it.held = mine
			if !g.a.caps.Exchange {
				it.held = mine + "-old"
			}
		}
		if !g.dress(it, mine) {
			return
		}
	}
	it.ready = g.shelfReady(it) && g.keepReady(it)
}

// twins says whether a file system without case takes both for one name.
func (g *group) twins(p, q tree.Path) bool {
	return !(g.a.caps.CaseSensitive && g.a.caps.UnicodeExact) && tree.SameName(string(p), string(q))
}

// stands says whether what was says stands there, and nobody is writing it. Its
// content, where lstat can't tell, is looked at when it has been displaced.
func (g *group) stands(it *item, was tree.Record) bool {
	info, err := g.a.fs.Lstat(string(was.Path))
	if isAbsent(err) {
		it.end(Changed, errGone)
		return false
	}
	return g.standsAs(it, was, info, err)
}

// standsOrGone is stands for a deletion, which is content to find nothing.
func (g *group) standsOrGone(it *item) bool {
	info, err := g.a.fs.Lstat(it.path())
	if isAbsent(err) {
		it.gone = true
		return true
	}
	if err == nil && !it.act.Was.Exists() {
		it.end(Exists, errUnseen)
		return false
	}
	return g.standsAs(it, it.act.Was, info, err)
}

func (g *group) standsAs(it *item, was tree.Record, info rootfs.Info, err error) bool {
	switch {
	case err != nil:
		it.fail(err)
		return false
	case !g.a.same(statOf(info), was.Disk):
		it.end(Changed, errChanged)
		return false
	}
	if was.Kind == tree.File && it.act.Op != plan.Meta && g.a.busy(string(was.Path)) {
		it.end(Busy, errors.New("somebody has it open for writing"))
		return false
	}
	return true
}

// shelfReady makes the place in the archive beforehand, so that a full disk is
// met before anything was displaced.
func (g *group) shelfReady(it *item) bool {
	if it.held == "" || it.gone || it.act.Op == plan.Move || it.act.Keep != nil || it.act.Was.Kind == tree.Dir {
		return true
	}
	if _, err := g.a.shelf(it.act.Entry.Path.Dir()); err != nil {
		it.fail(err)
		return false
	}
	return true
}

func (g *group) keepReady(it *item) bool {
	if it.act.Keep == nil {
		return true
	}
	free, err := g.a.absent(string(it.act.Keep.Path))
	if err != nil {
		it.fail(err)
	} else if !free {
		it.end(Exists, fmt.Errorf("%s stands already", it.act.Keep.Path))
	}
	return err == nil && free
}

// dress gives staged content the mode and mtime that it will have, so that its
// name appears complete; mine is its place in Private should it need one.
func (g *group) dress(it *item, mine string) bool {
	it.src = mine
	switch {
	case it.act.Op == plan.Link && (len(it.act.Entry.Target) == 0 || len(it.act.Entry.Target) > tree.MaxTarget):
		it.end(Failed, &Problem{it.path(), "is a symlink whose target can't be written.", errors.ErrUnsupported})
		return false
	case it.act.Op == plan.Link && !g.a.caps.Symlinks:
		it.end(Failed, &Problem{it.path(), "is a symlink, which this disk can't hold.", errors.ErrUnsupported})
		return false
	case it.act.Op != plan.Put:
		return true
	}
	if !it.act.Was.Exists() {
		it.src = it.act.Staged
	}
	want, err := g.dressFile(it)
	if err != nil {
		it.fail(err)
		return false
	}
	it.want = want
	return true
}

// dressFile gives a staged file its attributes, mode and mtime, and tells its
// lstat.
func (g *group) dressFile(it *item) (tree.Stat, error) {
	a, staged, e := g.a, it.act.Staged, it.act.Entry
	info, err := a.fs.Lstat(staged)
	if err != nil {
		return tree.Stat{}, fmt.Errorf("its content is not staged: %w", err)
	}
	if info.Kind != rootfs.Regular || info.Size != e.Size {
		return tree.Stat{}, fmt.Errorf("what is staged for it has %d bytes and not %d", info.Size, e.Size)
	}
	set := g.handOn(it, staged) || e.Attrs.Sum() != 0
	if err := g.give(it, staged, e.Attrs); err != nil {
		return tree.Stat{}, err
	}
	if a.caps.ExecBit && (set || info.Mode != e.Mode) {
		if err := a.fs.SetMode(staged, e.Mode); err != nil {
			return tree.Stat{}, err
		}
		set = true
	}
	if info.MTime != e.MTime {
		if err := a.fs.SetMTime(staged, e.MTime); err != nil {
			return tree.Stat{}, err
		}
		set = true
	}
	if it.dressed = set; set {
		if info, err = a.fs.Lstat(staged); err != nil {
			return tree.Stat{}, err
		}
	}
	now := statOf(info)
	now.Attrs = a.wears(staged)
	return now, nil
}

// stage brings what will be exchanged, and what is made by us, into Private.
// The intent already tells of it.
func (g *group) stage() {
	for _, it := range g.items {
		if !it.ready {
			continue
		}
		var err error
		switch {
		case it.act.Op == plan.Put && it.act.Was.Exists():
			it.staged = true
			g.a.touch(it.act.Staged)
			err = g.a.fs.RenameNoReplace(it.act.Staged, it.src)
		case it.act.Op == plan.Link:
			it.staged = true
			err = g.stageLink(it)
		case it.act.Op == plan.Make && it.act.Was.Exists():
			it.staged = true
			it.want, err = g.makeDir(it, it.src)
		}
		if err != nil {
			it.ready = false
			it.fail(err)
		}
	}
}

func (g *group) stageLink(it *item) error {
	if err := g.a.fs.Symlink(it.act.Entry.Target, it.src); err != nil {
		return err
	}
	// Not every system can set a symlink's own time; the record says what it got.
	if err := g.a.fs.SetMTime(it.src, it.act.Entry.MTime); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	info, err := g.a.fs.Lstat(it.src)
	it.want = statOf(info)
	return err
}

// makeDir makes a directory with exactly this mode and these attributes.
func (g *group) makeDir(it *item, path string) (tree.Stat, error) {
	a, mode := g.a, it.act.Entry.Mode
	if err := a.fs.Mkdir(path, mode); err != nil {
		return tree.Stat{}, err
	}
	if err := g.give(it, path, it.act.Entry.Attrs); err != nil {
		return tree.Stat{}, err
	}
	info, err := a.fs.Lstat(path)
	if err == nil && info.Kind != rootfs.Directory {
		// A person has put something else in its place. What was made is a directory
		// all the same: with the lstat of the other a scan would find nothing changed.
		return tree.Stat{Kind: tree.Dir, Mode: mode}, nil
	}
	if err != nil || info.Mode == mode || !a.caps.ExecBit {
		now := statOf(info)
		now.Attrs = a.wears(path)
		return now, err
	}
	if err := a.fs.SetMode(path, mode); err != nil {
		return statOf(info), err
	}
	now := statOf(info)
	now.Mode, now.Attrs = mode, a.wears(path)
	return now, nil
}
