package apply

import (
	"errors"
	"io/fs"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// create gives a name to what stands nowhere yet.
func (g *group) create(it *item) {
	var err error
	if it.act.Op == plan.Make {
		err = g.createDir(it)
	} else {
		err = g.a.rename(it.src, it.path())
	}
	switch {
	case err == nil:
		it.end(Done, nil)
	case errors.Is(err, fs.ErrExist):
		g.taken(it)
	default:
		it.fail(err)
	}
}

func (g *group) createDir(it *item) error {
	if _, err := g.a.parents(it.path()); err != nil {
		return err
	}
	return g.a.lifted(func() (err error) {
		it.want, err = g.makeDir(it, it.path())
		return err
	}, it.path())
}

// taken ends a creation whose name is not free: by a local change that nobody
// had seen, by the directory that is wanted, or by a name that the file system
// takes for the same.
func (g *group) taken(it *item) {
	p := it.act.Entry.Path
	if twin := g.a.twin(p); twin != "" {
		it.end(Failed, &Problem{string(p), "can't be on this disk beside " + string(twin) + ", which differs only in case. Rename one of them.", ErrTwin})
		return
	}
	if info, err := g.a.fs.Lstat(string(p)); err == nil && it.act.Op == plan.Make && info.Kind == rootfs.Directory && info.Mode == it.act.Entry.Mode {
		it.want = statOf(info)
		it.want.Attrs = g.a.wears(string(p))
		it.end(Done, nil)
		return
	}
	it.end(Exists, errUnseen)
}

// twin finds the name that a file system without case takes for p's.
func (a *Applier) twin(p tree.Path) tree.Path {
	if a.caps.CaseSensitive && a.caps.UnicodeExact {
		return ""
	}
	dir := string(p.Dir())
	if dir == "" {
		dir = "."
	}
	names, err := a.fs.Names(dir)
	if err != nil {
		return ""
	}
	twin := ""
	for _, name := range names {
		if name == p.Base() {
			return ""
		}
		if tree.SameName(name, p.Base()) {
			twin = name
		}
	}
	if twin == "" || p.Dir() == "" {
		return tree.Path(twin)
	}
	return p.Dir() + "/" + tree.Path(twin)
}

// replace swaps what stands for what was prepared, and looks at what came out.
func (g *group) replace(it *item) {
	if it.act.Was.Kind == tree.Dir && !g.onlyJunk(it, it.path()) {
		return
	}
	if !g.a.caps.Exchange {
		g.replaceOverGap(it)
		return
	}
	err := g.a.lifted(func() error { return g.a.fs.Exchange(it.src, it.path()) }, it.path())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		it.end(Changed, errGone)
		return
	case err != nil:
		it.fail(err)
		return
	}
	now, err := g.a.look(it.src, it.act.Was)
	if err == nil {
		err = g.putAway(it, now)
	}
	if err == nil {
		it.end(Done, nil)
		return
	}
	g.swapBack(it)
	g.refused(it, err)
}

// swapBack undoes an exchange, once. If the world moved again meanwhile, what
// came out by undoing is a person's too, and is not live: it gets a conflict's
// name.
func (g *group) swapBack(it *item) {
	err := g.a.lifted(func() error { return g.a.fs.Exchange(it.src, it.path()) }, it.path())
	if err == nil && g.ours(it) {
		return
	}
	// Without the swap it is what we displaced that lies here: where its place is
	// free (somebody removed what we had put there) it goes back to it.
	_, file, err := g.a.giveBack(it.src, it.act.Entry.Path)
	if err == nil && file != "" {
		g.archived(it, file, tree.Stat{}, tree.ContentID{}, Conflict)
	}
}

// ours says whether what lies at src is what we prepared, untouched.
func (g *group) ours(it *item) bool {
	info, err := g.a.fs.Lstat(it.src)
	return err == nil && g.a.same(statOf(info), it.want)
}

// refused ends an item whose displaced content went back.
func (g *group) refused(it *item, err error) {
	switch {
	case errors.Is(err, rootfs.ErrNotEmpty):
		it.end(NotEmpty, errors.New("it holds something that nobody had seen"))
	case errors.Is(err, fs.ErrExist):
		it.end(Exists, errors.New("the place of its conflict copy was taken"))
	default:
		it.fail(err)
	}
}

// replaceOverGap takes out what stands, looks at it, and puts the new in its
// place, where the file system can't exchange. The intent tells of the gap.
func (g *group) replaceOverGap(it *item) {
	now, ok := g.takeOut(it, it.act.Entry.Path, it.act.Was)
	if !ok {
		return
	}
	err := g.a.rename(it.src, it.path())
	switch {
	case errors.Is(err, fs.ErrExist):
		// A newcomer: it stays. What we hold is a version that the index knows.
		it.end(Changed, errors.New("it was made anew meanwhile"))
	case err != nil:
		g.bringBack(it, it.act.Entry.Path)
		it.fail(err)
		return
	default:
		it.end(Done, nil)
	}
	if err := g.putAway(it, now); err != nil {
		g.bringBack(it, it.act.Entry.Path)
	}
}

// takeOut brings what stands at p to Private and looks at it there. What is not
// what was says goes back.
func (g *group) takeOut(it *item, p tree.Path, was tree.Record) (tree.Stat, bool) {
	err := g.a.lifted(func() error { return g.a.fs.RenameNoReplace(string(p), it.held) }, string(p))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		it.end(Changed, errGone)
		return tree.Stat{}, false
	case err != nil:
		it.fail(err)
		return tree.Stat{}, false
	}
	now, err := g.a.look(it.held, was)
	if err != nil {
		g.bringBack(it, p)
		it.fail(err)
		return now, false
	}
	return now, true
}

// bringBack gives what lies at held back to p, or beside it.
func (g *group) bringBack(it *item, p tree.Path) {
	_, file, err := g.a.giveBack(it.held, p)
	if err == nil && file != "" {
		g.archived(it, file, tree.Stat{}, tree.ContentID{}, Conflict)
	}
}

// remove takes out what stands and puts it away. A directory goes only when it
// is empty, and is never renamed for it.
func (g *group) remove(it *item) {
	if it.act.Was.Kind == tree.Dir {
		g.removeDir(it)
		return
	}
	now, ok := g.takeOut(it, it.act.Entry.Path, it.act.Was)
	if !ok {
		return
	}
	if err := g.putAway(it, now); err != nil {
		g.bringBack(it, it.act.Entry.Path)
		g.refused(it, err)
		return
	}
	it.end(Done, nil)
}

func (g *group) removeDir(it *item) {
	junk, err := g.a.rmdir(it.path(), it.act.Entry.Path)
	it.archived = append(it.archived, junk...)
	switch {
	case err == nil, errors.Is(err, fs.ErrNotExist):
		it.end(Done, nil)
	case errors.Is(err, rootfs.ErrNotDirectory):
		it.end(Changed, errors.New("it is no directory any more"))
	default:
		g.refused(it, err)
	}
}

// rmdir removes a directory, which is or was at p, that is empty but for junk;
// the junk is archived.
func (a *Applier) rmdir(dir string, p tree.Path) (archived []Archived, err error) {
	remove := func() error { return a.lifted(func() error { return a.fs.RemoveDir(dir) }, dir) }
	err = remove()
	if !errors.Is(err, rootfs.ErrNotEmpty) {
		return nil, err
	}
	names, lerr := a.junk(dir)
	if lerr != nil || len(names) == 0 {
		return nil, errors.Join(err, lerr)
	}
	for _, name := range names {
		info, err := a.fs.Lstat(dir + "/" + name)
		if err != nil || info.Kind == rootfs.Directory {
			return archived, rootfs.ErrNotEmpty
		}
		junk := p + "/" + tree.Path(name)
		file, err := a.shelve(dir+"/"+name, junk)
		if err != nil {
			return archived, err
		}
		archived = append(archived, Archived{Path: junk, File: file, Size: info.Size, MTime: info.MTime, When: a.o.Now(), Reason: Deleted})
	}
	return archived, remove()
}

// junk lists what a directory holds if all of it may go with it.
func (a *Applier) junk(dir string) ([]string, error) {
	names, err := a.fs.Names(dir)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !a.o.Junk(name) {
			return nil, nil
		}
	}
	return names, nil
}

// onlyJunk looks whether a directory that is to give way holds anything.
func (g *group) onlyJunk(it *item, dir string) bool {
	names, err := g.a.fs.Names(dir)
	if errors.Is(err, fs.ErrNotExist) {
		it.end(Changed, errGone)
		return false
	}
	if err != nil {
		it.fail(err)
		return false
	}
	for _, name := range names {
		if !g.a.o.Junk(name) {
			it.end(NotEmpty, errors.New("it holds something that nobody had seen"))
			return false
		}
	}
	return true
}

// putAway brings what was displaced, and is what the index said, to where it
// belongs: the conflict copy's path, or the archive. now is its lstat. On error
// it still lies where it lay.
func (g *group) putAway(it *item, now tree.Stat) error {
	was, held := it.act.Was, it.held
	switch {
	case was.Kind == tree.Dir:
		junk, err := g.a.rmdir(held, was.Path)
		it.archived = append(it.archived, junk...)
		return err
	case it.act.Keep != nil:
		return g.a.rename(held, string(it.act.Keep.Path))
	}
	file, err := g.a.shelve(held, was.Path)
	if err != nil {
		return err
	}
	reason := Replaced
	if it.act.Op == plan.Delete {
		reason = Deleted
	}
	g.archived(it, file, now, was.Content, reason)
	if now.Kind == tree.File {
		g.late = append(g.late, lateEntry{Path: was.Path, File: file, Size: now.Size, MTime: now.MTime, When: g.a.o.Now(), Content: was.Content, Doubt: g.a.doubtful(now.MTime)})
	}
	return nil
}

func (g *group) archived(it *item, file string, now tree.Stat, content tree.ContentID, reason string) {
	if now.Kind == 0 {
		if info, err := g.a.fs.Lstat(file); err == nil {
			now = statOf(info)
		}
	}
	it.archived = append(it.archived, Archived{Path: it.act.Entry.Path, File: file, Size: now.Size, MTime: now.MTime, Content: content, When: g.a.o.Now(), Reason: reason})
}

// move gives a file another name. It is looked at again under it: what is not
// what the index said goes back.
func (g *group) move(it *item) {
	from, to := it.act.From.Path, it.act.Entry.Path
	if it.held != "" {
		g.moveThrough(it)
		return
	}
	err := g.a.rename(string(from), string(to))
	switch {
	case errors.Is(err, fs.ErrExist):
		g.taken(it)
		return
	case errors.Is(err, fs.ErrNotExist):
		it.end(Changed, errGone)
		return
	case err != nil:
		it.fail(err)
		return
	}
	if _, err := g.a.look(string(to), *it.act.From); err != nil {
		// If the old name is taken again it stays here: live, and to be scanned.
		if rerr := g.a.rename(string(to), string(from)); rerr != nil {
			g.a.o.Log.Info("a file that was edited while it was moved stays at its new name", "path", string(to), "error", rerr)
		}
		it.fail(err)
		return
	}
	g.dressLive(it, to, it.act.From.Entry)
}

// moveThrough moves by way of Private: where both names are one to the file
// system, and where it can't rename without a window outside of Private.
func (g *group) moveThrough(it *item) {
	if _, ok := g.takeOut(it, it.act.From.Path, *it.act.From); !ok {
		return
	}
	err := g.a.rename(it.held, it.path())
	if err != nil {
		g.bringBack(it, it.act.From.Path)
		if errors.Is(err, fs.ErrExist) {
			g.taken(it)
			return
		}
		it.fail(err)
		return
	}
	g.dressLive(it, it.act.Entry.Path, it.act.From.Entry)
}
