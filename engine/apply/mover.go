package apply

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// tries bounds every search for a free name.
const tries = 100

// rename is RenameNoReplace that makes missing parents of to and lifts the mode
// bits of parents that deny us.
func (a *Applier) rename(from, to string) error {
	op := func() error { return a.fs.RenameNoReplace(from, to) }
	err := a.lifted(op, from, to)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	made, perr := a.parents(to)
	if perr != nil {
		return perr
	}
	if !made {
		return err
	}
	return a.lifted(op, from, to)
}

// parents makes the directories that path needs, and says whether any had been
// missing.
func (a *Applier) parents(p string) (made bool, err error) {
	dir := path.Dir(p)
	if dir == "." {
		return false, nil
	}
	info, err := a.fs.Lstat(dir)
	if err == nil && info.Kind != rootfs.Directory {
		return false, fmt.Errorf("%s is no directory any more: %w", dir, errChanged)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	if _, err := a.parents(dir); err != nil {
		return false, err
	}
	err = a.lifted(func() error { return a.fs.Mkdir(dir, 0o777) }, dir)
	if err != nil && !errors.Is(err, fs.ErrExist) {
		return false, err
	}
	a.touch(dir)
	return true, nil
}

// lifted runs op, which changes names at paths; if permission is denied and the
// directory that holds one of them lacks its owner's bits, they are given to it
// for the length of a second try.
func (a *Applier) lifted(op func() error, paths ...string) error {
	a.touch(paths...)
	err := op()
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}
	lifted := false
	for _, p := range paths {
		dir := path.Dir(p)
		info, lerr := a.fs.Lstat(dir)
		if dir == "." || lerr != nil || info.Kind != rootfs.Directory || info.Mode&0o300 == 0o300 {
			continue
		}
		if a.fs.SetMode(dir, info.Mode|0o700) == nil {
			lifted = true
			defer a.lower(dir, info.Mode)
		}
	}
	if lifted {
		return op()
	}
	return err
}

// lower takes back what lifted gave, unless somebody set other bits meanwhile.
func (a *Applier) lower(dir string, mode uint32) {
	info, err := a.fs.Lstat(dir)
	if err == nil && info.Kind == rootfs.Directory && info.Mode == mode|0o700 {
		err = a.fs.SetMode(dir, mode)
	}
	if err != nil {
		a.o.Log.Warn("a directory keeps the write permission that was lent to it", "path", dir, "error", err)
	}
}

func (a *Applier) touch(paths ...string) {
	for _, p := range paths {
		a.touched[path.Dir(p)] = struct{}{}
	}
}

// giveBack brings what lies at held, a person's, to path; beside it when the
// place is taken; into the archive when neither can be. kept is empty with the
// last. An error: it still lies at held.
func (a *Applier) giveBack(held string, p tree.Path) (kept tree.Path, file string, err error) {
	for range 2 {
		err = a.rename(held, string(p))
		if err == nil {
			return p, "", nil
		}
		if errors.Is(err, fs.ErrExist) {
			break
		}
	}
	return a.beside(held, p)
}

// beside brings what lies at held to a conflict's name beside p.
func (a *Applier) beside(held string, p tree.Path) (kept tree.Path, file string, err error) {
	mtime := a.o.Now().UnixNano()
	if info, err := a.fs.Lstat(held); err == nil && info.Kind != rootfs.Directory {
		mtime = info.MTime
	}
	for n := range tries {
		name := conflictName(a.o.Original(p), a.o.Device, mtime, n)
		err = a.rename(held, string(name))
		if err == nil {
			return name, "", nil
		}
		if !errors.Is(err, fs.ErrExist) && n > 0 {
			break
		}
	}
	file, err = a.shelve(held, p)
	if err != nil {
		a.stranded = true
		a.o.Log.Error("a displaced file could be brought nowhere; it is kept and tried again", "path", string(p), "file", held, "error", err)
	}
	return "", file, err
}

// shelve brings what lies at held into the archive, as a version of p.
func (a *Applier) shelve(held string, p tree.Path) (file string, err error) {
	shelf, err := a.shelf(p.Dir())
	if err != nil {
		return "", err
	}
	when := a.o.Now()
	for n := range tries {
		file = shelf + "/" + archiveName(p.Base(), when, n)
		err = a.lifted(func() error { return a.fs.RenameNoReplace(held, file) }, held, file)
		if errors.Is(err, fs.ErrNotExist) && n == 0 {
			// Somebody tidied the archive: its directory is not there any more.
			clear(a.shelves)
			if shelf, err = a.shelf(p.Dir()); err != nil {
				return "", err
			}
			continue
		}
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
	}
	return "", err
}

// shelf makes the directory of the archive for the files of dir. Where one of
// its names is taken by a file in the archive it gets another one.
func (a *Applier) shelf(dir tree.Path) (string, error) {
	if s, ok := a.shelves[string(dir)]; ok {
		return s, nil
	}
	at := Archive
	if err := a.mkdirAt(at); err != nil {
		return "", err
	}
	for _, part := range shelfParts(dir) {
		next, err := a.shelfIn(at, part)
		if err != nil {
			return "", err
		}
		at = next
	}
	if len(a.shelves) >= 1024 {
		clear(a.shelves)
	}
	a.shelves[string(dir)] = at
	return at, nil
}

func (a *Applier) shelfIn(at, part string) (string, error) {
	var err error
	for n := range tries {
		dir := at + "/" + shelfName(part, n)
		if err = a.mkdirAt(dir); err == nil {
			return dir, nil
		}
		if !errors.Is(err, errChanged) {
			return "", err
		}
	}
	return "", err
}

// mkdirAt sees to it that path is a directory: errChanged if it is something
// else.
func (a *Applier) mkdirAt(path string) error {
	err := a.fs.Mkdir(path, 0o700)
	if err == nil {
		a.touch(path)
		return nil
	}
	if !errors.Is(err, fs.ErrExist) {
		return err
	}
	info, err := a.fs.Lstat(path)
	if err == nil && info.Kind != rootfs.Directory {
		err = errChanged
	}
	return err
}

// inStaging says whether a path given from outside lies in the staging area.
func inStaging(p string) bool {
	return strings.HasPrefix(p, Staging+"/") && path.Clean(p) == p
}
