package scan

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

var errNoSuchName = fmt.Errorf("no name of this spelling: %w", fs.ErrNotExist)

// target is a path to look at.
type target struct {
	path tree.Path
	deep bool
}

// paths looks at what it is told.
func (r *run) paths(paths, deep []string) error {
	v := visitor{run: r}
	defer v.leave()
	targets := r.targets(paths, deep)
	for i, t := range targets {
		if i%rowsAhead == 0 {
			if err := v.readAhead(targets[i:min(i+rowsAhead, len(targets))]); err != nil {
				return err
			}
		}
		if err := r.tick(); err != nil {
			return err
		}
		if err := r.ctx.Err(); err != nil {
			return err
		}
		if v.covers(t.path) {
			continue
		}
		if err := v.visit(t); err != nil {
			return err
		}
	}
	return nil
}

// targets makes a sorted list without repetitions of what is to be looked at.
func (r *run) targets(paths, deep []string) []target {
	list := make([]target, 0, len(paths)+len(deep))
	take := func(s string, deep bool) {
		s = strings.Trim(s, "/")
		if s == "" || s == "." {
			list = append(list, target{deep: deep})
			return
		}
		if s == tree.Private || strings.HasPrefix(s, tree.Private+"/") {
			return
		}
		p, err := tree.ParsePath(s)
		if err == nil {
			list = append(list, target{p, deep})
		} else if !r.inIgnored(s) && !r.o.Ignored(s, false) && r.there(s) {
			r.badName(s, err)
		}
	}
	for _, s := range paths {
		take(s, false)
	}
	for _, s := range deep {
		take(s, true)
	}
	slices.SortFunc(list, func(a, b target) int {
		if c := a.path.Compare(b.path); c != 0 || a.deep == b.deep {
			return c
		}
		if a.deep {
			return -1
		}
		return 1
	})
	return slices.CompactFunc(list, func(a, b target) bool { return a.path == b.path })
}

// there says whether something stands at what is no Path.
func (r *run) there(path string) bool {
	dir, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:i], path[i+1:]
	}
	d, err := r.o.FS.OpenDir(dir)
	if err != nil {
		return !absent(err)
	}
	defer d.Close()
	_, err = d.Lstat(name)
	return !absent(err)
}

// inIgnored says whether path lies in an ignored directory.
func (r *run) inIgnored(path string) bool {
	for i := range len(path) {
		if path[i] == '/' && r.o.Ignored(path[:i], true) {
			return true
		}
	}
	return false
}

// rowsAhead is for how many targets rows are read at once.
const rowsAhead = 64

// visitor goes from one target to the next and keeps the directory of the last
// one open, since the next one is often in it.
type visitor struct {
	*run
	at      place
	look    looker
	rows    map[tree.Path]tree.Record // of the targets ahead; asked: all of them
	asked   map[tree.Path]struct{}
	seen    tree.Path   // this and all below it was looked at
	any     bool        // seen is set
	shallow []tree.Path // directories above the present target whose children were compared
}

func (v *visitor) covers(p tree.Path) bool { return v.any && p.Within(v.seen) }

func (v *visitor) cover(p tree.Path) { v.seen, v.any = p, true }

// readAhead reads the rows of the next targets: many at once cost a third.
func (v *visitor) readAhead(targets []target) (err error) {
	v.rows, v.asked = nil, nil
	if len(targets) < 2 || !v.known {
		return nil
	}
	paths := make([]tree.Path, 0, len(targets))
	v.asked = make(map[tree.Path]struct{}, len(targets))
	for _, t := range targets {
		paths = append(paths, t.path)
		v.asked[t.path] = struct{}{}
	}
	v.rows, err = v.o.Index.At(v.ctx, paths)
	return indexError(err)
}

// row gives the live row of a target; nil: there is none.
func (v *visitor) row(p tree.Path) (*tree.Record, error) {
	rec, found := v.rows[p]
	if _, asked := v.asked[p]; !asked {
		var err error
		if rec, found, err = v.o.Index.Get(v.ctx, p); err != nil {
			return nil, indexError(err)
		}
	}
	if !found || !rec.Exists() {
		return nil, nil
	}
	return &rec, nil
}

// compared says whether p was compared as a child of its directory.
func (v *visitor) compared(p tree.Path) bool {
	for len(v.shallow) > 0 {
		last := v.shallow[len(v.shallow)-1]
		if last != p && p.Within(last) {
			return last == p.Dir()
		}
		v.shallow = v.shallow[:len(v.shallow)-1]
	}
	return false
}

func (v *visitor) leave() {
	if v.at.dir != nil {
		_ = v.at.dir.Close()
		v.at.dir = nil
	}
}

// visit looks at one target.
func (v *visitor) visit(t target) error {
	if t.path == "" {
		return v.root(t.deep)
	}
	if v.inIgnored(string(t.path)) {
		return nil
	}
	t, ok, err := v.approach(t)
	if err != nil || !ok || v.covers(t.path) {
		return err
	}
	row, err := v.row(t.path)
	if err != nil {
		return err
	}
	compared := v.compared(t.path)
	if compared && (row == nil || row.Kind != tree.Dir) {
		return nil // not a directory, or a new one, which was entered
	}
	name := t.path.Base()
	v.asOf = v.o.Now()
	info, err := v.look.at(name)
	switch {
	case compared && (err != nil || info.Kind != rootfs.Directory || info.Dev != v.dev || v.o.Ignored(string(t.path), true)):
		return nil // told already
	case compared:
		return v.inside(t, name)
	case absent(err):
		v.cover(t.path)
		return v.missingAt(t.path, name, row)
	case err != nil:
		v.cover(t.path)
		v.unreadable(string(t.path), err)
		return nil
	case v.o.Ignored(string(t.path), info.Kind == rootfs.Directory):
		v.cover(t.path)
		return v.ignored(t.path)
	}
	return v.stands(t, name, info, row)
}

// missingAt holds a path that does not stand, if the index thinks it does.
func (v *visitor) missingAt(path tree.Path, name string, row *tree.Record) error {
	if row == nil {
		cur := v.under(path)
		defer cur.close()
		if below, err := cur.peek(); below == nil || err != nil {
			return indexError(err)
		}
	}
	return v.hold(gone{dir: v.at.path, name: name})
}

// stands compares what stands at a target.
func (v *visitor) stands(t target, name string, info rootfs.Info, row *tree.Record) error {
	known := row != nil && row.Kind == tree.Dir
	switch {
	case info.Kind != rootfs.Directory || info.Dev != v.dev:
		v.cover(t.path)
		cur := none()
		if info.Kind == rootfs.Regular || info.Kind == rootfs.Symlink {
			return v.run.stands(v.at, name, t.path, info, row, row != nil, cur)
		}
		return v.run.stands(v.at, name, t.path, info, nil, false, cur)
	case !known:
		v.cover(t.path)
		cur := v.under(t.path)
		defer cur.close()
		if err := v.compare(v.at.dir, name, t.path, info, row); err != nil {
			return err
		}
		return v.enter(place{path: v.at.path, dir: v.at.dir}, name, t.path, false, cur)
	}
	if err := v.compare(v.at.dir, name, t.path, info, row); err != nil {
		return err
	}
	return v.inside(t, name)
}

// inside compares what is in a directory that the index knows.
func (v *visitor) inside(t target, name string) error {
	sub, err := v.at.dir.OpenDir(name)
	if err != nil {
		v.changing(t.path, err)
		return nil
	}
	defer sub.Close()
	if t.deep {
		v.cover(t.path)
		cur := v.under(t.path)
		defer cur.close()
		return v.walk(place{path: t.path, dir: sub}, cur)
	}
	v.shallow = append(v.shallow, t.path)
	cur := v.in(t.path)
	defer cur.close()
	return v.walk(place{path: t.path, dir: sub, shallow: true}, cur)
}

// root looks at the folder itself.
func (v *visitor) root(deep bool) error {
	if deep {
		v.cover("")
		return v.full()
	}
	d, err := v.o.FS.OpenDir("")
	if err != nil {
		return rootError(err)
	}
	defer d.Close()
	v.shallow = append(v.shallow, "")
	cur := v.in("")
	defer cur.close()
	return v.walk(place{dir: d, shallow: true}, cur)
}

// approach opens the directory that holds the target. Where that is missing, is
// something else, or is not in the index, the target becomes the directory, or
// the one above it. Not ok: there is nothing to look at, and why was said.
func (v *visitor) approach(t target) (target, bool, error) {
	for {
		dir := t.path.Dir()
		if v.at.dir != nil && v.at.path == dir {
			return t, true, nil
		}
		v.leave()
		d, err := v.o.FS.OpenDir(string(dir))
		switch {
		case err == nil:
		case dir == "":
			return t, false, rootError(err)
		case absent(err), errors.Is(err, rootfs.ErrNotDirectory), errors.Is(err, rootfs.ErrEscapes):
			t = target{path: dir, deep: true}
			continue
		default:
			v.unreadable(string(dir), err)
			return t, false, nil
		}
		known, err := v.knows(dir)
		if err != nil || known {
			v.at, v.look = place{path: dir, dir: d}, looker{d: d, exact: v.exactNames()}
			return t, err == nil, err
		}
		_ = d.Close()
		t = target{path: dir, deep: true}
	}
}

// knows says whether the index has dir as a directory.
func (v *visitor) knows(dir tree.Path) (bool, error) {
	if dir == "" {
		return true, nil
	}
	rec, found, err := v.o.Index.Get(v.ctx, dir)
	return found && rec.Exists() && rec.Kind == tree.Dir, indexError(err)
}
