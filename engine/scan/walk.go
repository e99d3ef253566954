package scan

import (
	"errors"
	"fmt"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// full compares everything.
func (r *run) full() error {
	r.whole = true
	root, err := r.o.FS.OpenDir("")
	if err != nil {
		return rootError(err)
	}
	defer root.Close()
	names, err := root.Names()
	if err != nil {
		return rootError(err)
	}
	if err := r.notEmptied(names); err != nil {
		return err
	}
	cur := r.under("")
	defer cur.close()
	return r.merge(place{dir: root}, names, cur)
}

// place is where a directory is compared: its handle, its path, and whether
// directories in it that the index knows are entered.
type place struct {
	path    tree.Path
	dir     Dir
	shallow bool
	old     *former // what the index knows it as; nil: as itself
}

// walk compares one directory and what is below it with the rows of cur that
// lie in it, and goes past those.
func (r *run) walk(at place, cur *cursor) error {
	names, err := at.dir.Names()
	if err != nil {
		if cerr := r.ctx.Err(); cerr != nil {
			return cerr
		}
		r.unreadable(string(at.path), err)
		return cur.skip(at.path)
	}
	return r.merge(at, names, cur)
}

// merge joins the names of a directory with the rows in it. Both are in the
// same order.
func (r *run) merge(at place, names []string, cur *cursor) error {
	for _, name := range names {
		if at.path == "" && name == tree.Private {
			continue
		}
		if err := r.tick(); err != nil {
			return err
		}
		if err := r.unlisted(at, name, false, cur); err != nil {
			return err
		}
		if err := r.visit(at, name, cur); err != nil {
			return err
		}
	}
	return r.unlisted(at, "", true, cur)
}

// unlisted holds the rows before name (all: the rest of the rows in this place)
// for missing: the directory's list does not have them.
func (r *run) unlisted(at place, name string, all bool, cur *cursor) error {
	for {
		row, err := cur.peek()
		if err != nil {
			return indexError(err)
		}
		if row == nil || !row.Path.Within(at.path) {
			return nil
		}
		missing, _ := nameIn(row.Path, at.path)
		if !all && missing >= name {
			return nil
		}
		path := row.Path[:len(row.Path)-len(nameBelow(row.Path, at.path))+len(missing)]
		if err := r.hold(gone{dir: at.path, name: missing}); err != nil {
			return err
		}
		if err := cur.skip(path); err != nil {
			return indexError(err)
		}
	}
}

// nameBelow is the part of path below dir.
func nameBelow(path, dir tree.Path) tree.Path {
	if dir == "" {
		return path
	}
	return path[len(dir)+1:]
}

// visit compares one name of a directory, and what is below it, and goes past
// its rows.
func (r *run) visit(at place, name string, cur *cursor) error {
	row, err := cur.peek()
	if err != nil {
		return indexError(err)
	}
	rows := false // there are rows at or below this path
	if row != nil && row.Path.Within(at.path) {
		have, direct := nameIn(row.Path, at.path)
		if rows = have == name; !rows || !direct {
			row = nil
		}
	} else {
		row = nil
	}
	r.asOf = r.o.Now()
	info, err := at.dir.Lstat(name)
	path, ok := r.named(at, name, row, info.Kind == rootfs.Directory)
	if !ok {
		return nil
	}
	switch {
	case absent(err):
		if rows {
			if err := r.hold(gone{dir: at.path, name: name}); err != nil {
				return err
			}
		}
		return cur.skip(path)
	case err != nil:
		r.unreadable(string(path), err)
		return cur.skip(path)
	case r.o.Ignored(string(path), info.Kind == rootfs.Directory):
		if rows {
			if err := r.ignored(path); err != nil {
				return err
			}
		}
		return cur.skip(path)
	}
	return r.stands(at, name, path, info, row, rows, cur)
}

// named makes the path of a name. Not ok: it can't be one, and that was said.
func (r *run) named(at place, name string, row *tree.Record, dir bool) (tree.Path, bool) {
	if row != nil {
		return row.Path, true
	}
	path, err := at.path.Join(name)
	if err == nil {
		return path, true
	}
	raw := name
	if at.path != "" {
		raw = string(at.path) + "/" + name
	}
	if !r.o.Ignored(raw, dir) {
		r.badName(raw, err)
	}
	return "", false
}

// stands compares what stands at path, which is not ignored.
func (r *run) stands(at place, name string, path tree.Path, info rootfs.Info, row *tree.Record, rows bool, cur *cursor) error {
	switch {
	case info.Kind == rootfs.Other:
		r.special(string(path))
		return cur.skip(path)
	case info.Dev != r.dev:
		r.otherDevice(string(path))
		return cur.skip(path)
	}
	wasDir := row != nil && row.Kind == tree.Dir
	if at.old != nil {
		if err := at.old.next(name); err != nil {
			return indexError(err)
		}
		r.kin = at.old
	}
	if err := r.compare(at.dir, name, path, info, row); err != nil {
		return err
	}
	if row != nil {
		cur.advance()
	}
	if info.Kind == rootfs.Directory {
		return r.enter(at, name, path, wasDir, cur)
	}
	if wasDir || rows && row == nil {
		if err := r.hold(gone{dir: at.path, name: name, below: true}); err != nil {
			return err
		}
	}
	return cur.skip(path)
}

// enter goes into a directory.
func (r *run) enter(at place, name string, path tree.Path, wasDir bool, cur *cursor) error {
	if at.shallow {
		if wasDir {
			return nil
		}
		cur = r.under(path)
		defer cur.close()
	}
	sub, err := at.dir.OpenDir(name)
	switch {
	case err == nil:
	case absent(err), errors.Is(err, rootfs.ErrNotDirectory):
		r.unstable(path) // it was there a moment ago
		return cur.skip(path)
	default:
		r.unreadable(string(path), err)
		return cur.skip(path)
	}
	defer sub.Close()
	if r.came != nil {
		return r.walkMoved(at, place{path: path, dir: sub}, cur)
	}
	return r.walk(place{path: path, dir: sub}, cur)
}

func indexError(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("read the index: %w", err)
}
