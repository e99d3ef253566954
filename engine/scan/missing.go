package scan

import (
	"slices"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// goneMax is how many bytes of held paths are kept. With more, they are told
// early; a file that moved out of what was told is then read again, which costs
// time only.
const goneMax = 4 << 20

// gone is a name that a directory does not hold any more; below: something
// stands there, but nothing below it.
type gone struct {
	dir   tree.Path
	name  string
	below bool
}

func (g gone) path() tree.Path {
	if g.dir == "" {
		return tree.Path(g.name)
	}
	return g.dir + "/" + tree.Path(g.name)
}

// hold keeps g until everything else was told.
func (r *run) hold(g gone) error {
	r.gone = append(r.gone, g)
	r.goneSize += len(g.dir) + len(g.name) + 48
	if r.goneSize > goneMax {
		return r.tellMissing()
	}
	return nil
}

// tellMissing looks once more for what is held, and tells what is still not
// there.
func (r *run) tellMissing() error {
	held := r.gone
	r.gone, r.goneSize = nil, 0
	if len(held) == 0 {
		return nil
	}
	if err := r.flush(); err != nil {
		return err
	}
	if err := r.emit(nil); err != nil { // what was told is in the index then
		return err
	}
	if err := r.rootHolds(); err != nil {
		return err
	}
	for len(held) > 0 {
		n := 1
		for n < len(held) && held[n].dir == held[0].dir {
			n++
		}
		if err := r.tellMissingIn(held[0].dir, held[:n]); err != nil {
			return err
		}
		held = held[n:]
	}
	return r.flush()
}

// rootHolds fails when the root was emptied meanwhile.
func (r *run) rootHolds() error {
	root, err := r.o.FS.OpenDir("")
	if err != nil {
		return rootError(err)
	}
	defer root.Close()
	names, err := root.Names()
	if err != nil {
		return rootError(err)
	}
	return r.notEmptied(names)
}

// notEmptied fails when a root of these names holds nothing that is synced
// while the index holds files.
func (r *run) notEmptied(names []string) error {
	for _, name := range names {
		if name != tree.Private && !r.o.Ignored(name, false) {
			return nil
		}
	}
	if r.o.Emptied() {
		return nil
	}
	var e EmptiedError
	cur := r.under("")
	defer cur.close()
	for {
		row, err := cur.peek()
		if err != nil {
			return indexError(err)
		}
		if row == nil {
			break
		}
		switch {
		case row.Kind == tree.Dir:
			e.Dirs++
		case row.Kind == tree.File && !r.o.Ignored(string(row.Path), false):
			e.Files++ // a symlink weighs nothing: the index does not count them either
		}
		cur.advance()
	}
	if e.Files == 0 {
		return nil
	}
	return &e
}

// tellMissingIn tells what is still missing in one directory.
func (r *run) tellMissingIn(dir tree.Path, held []gone) error {
	d, err := r.o.FS.OpenDir(string(dir))
	if absent(err) {
		return nil // gone itself meanwhile, which comes with a hint of its own
	}
	if err != nil {
		r.unreadable(string(dir), err)
		return nil
	}
	defer d.Close()
	look := looker{d: d, exact: r.exactNames()}
	for _, g := range held {
		if err := r.tick(); err != nil {
			return err
		}
		info, err := look.at(g.name)
		switch {
		case g.below && err == nil && info.Kind == rootfs.Directory:
			continue
		case !g.below && err == nil:
			continue // it is back
		case err != nil && !absent(err):
			r.unreadable(string(g.path()), err)
			continue
		}
		if err := r.each(g.path(), !g.below, r.tellRow); err != nil {
			return err
		}
	}
	return nil
}

// tellRow tells that a row's path is missing; or, if it is ignored, that it is.
func (r *run) tellRow(rec *tree.Record, ignored bool) error {
	return r.add(Change{Path: rec.Path, BasedOn: rec.Seq, Now: tree.Entry{Path: rec.Path}, Ignored: ignored})
}

// ignored tells the live rows at and below an ignored path.
func (r *run) ignored(path tree.Path) error {
	return r.each(path, true, func(rec *tree.Record, _ bool) error { return r.tellRow(rec, true) })
}

// each calls fn for the live rows below path, and for that at path if itself.
func (r *run) each(path tree.Path, itself bool, fn func(rec *tree.Record, ignored bool) error) error {
	var under tree.Path // an ignored directory
	if itself {
		rec, found, err := r.o.Index.Get(r.ctx, path)
		if err != nil {
			return indexError(err)
		}
		if found && rec.Exists() {
			out := r.o.Ignored(string(path), rec.Kind == tree.Dir)
			if out {
				under = path
			}
			if err := fn(&rec, out); err != nil {
				return err
			}
		}
	}
	cur := r.under(path)
	defer cur.close()
	for {
		row, err := cur.peek()
		if err != nil {
			return indexError(err)
		}
		if row == nil {
			return nil
		}
		out := under != "" && row.Path.Within(under)
		if !out && r.o.Ignored(string(row.Path), row.Kind == tree.Dir) {
			out, under = true, row.Path
		}
		if err := fn(row, out); err != nil {
			return err
		}
		cur.advance()
	}
}

// looker looks for names in a directory by their exact spelling, also where the
// file system would find them by another.
type looker struct {
	d     Dir
	exact bool // the file system does so by itself
	names []string
	read  bool
}

func (r *run) exactNames() bool { return r.o.Caps.CaseSensitive && r.o.Caps.UnicodeExact }

func (l *looker) at(name string) (rootfs.Info, error) {
	info, err := l.d.Lstat(name)
	if err != nil || l.exact {
		return info, err
	}
	if !l.read {
		if l.names, err = l.d.Names(); err != nil {
			return rootfs.Info{}, err
		}
		l.read = true
	}
	if _, found := slices.BinarySearch(l.names, name); !found {
		return rootfs.Info{}, errNoSuchName
	}
	return info, nil
}
