package rootfs

import (
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// portable works through os.Root, which keeps every path inside of the root but
// follows symlinks there and crosses mounts; hence the look at each component.
// It is built everywhere so that its tests run everywhere.
type portable struct {
	root *os.Root
	info fs.FileInfo // of the root, as of Open
	name string
	dev  uint64
}

func openPortable(name string) (backend, error) {
	root, err := os.OpenRoot(name)
	if err != nil {
		return nil, err
	}
	info, err := root.Stat(".")
	if err != nil {
		root.Close()
		return nil, err
	}
	return &portable{root: root, info: info, name: name, dev: portableInfo(".", info).Dev}, nil
}

func (p *portable) close() error { return p.root.Close() }

func portableInfo(name string, fi fs.FileInfo) Info {
	i := Info{Name: name, Kind: Other, Size: fi.Size(), MTime: nanos(fi.ModTime()), Mode: uint32(fi.Mode().Perm())}
	switch mode := fi.Mode(); {
	case mode.IsRegular():
		i.Kind = Regular
	case mode&fs.ModeSymlink != 0:
		i.Kind = Symlink
	case mode.IsDir() && mode&fs.ModeIrregular == 0:
		i.Kind = Directory
	}
	identify(&i, fi)
	return i
}

// nanos holds times that int64 nanoseconds can't tell at its ends.
func nanos(t time.Time) int64 {
	switch {
	case t.Unix() >= math.MaxInt64/1_000_000_000:
		return math.MaxInt64
	case t.Unix() <= math.MinInt64/1_000_000_000:
		return math.MinInt64
	}
	return t.UnixNano()
}

// parent opens the directory of path's last component.
func (p *portable) parent(path string) (dir *os.Root, base string, done func(), err error) {
	parent, base := split(path)
	dir, done, err = p.walk(p.root, parent)
	return dir, base, done, err
}

// walk opens the directory path below at, which it never closes.
func (p *portable) walk(at *os.Root, path string) (dir *os.Root, done func(), err error) {
	dir, done = at, func() {}
	if path == "." {
		return dir, done, nil
	}
	for name := range strings.SplitSeq(path, "/") {
		next, err := p.step(dir, name)
		done()
		if err != nil {
			return nil, nil, err
		}
		dir, done = next, func() { next.Close() }
	}
	return dir, done, nil
}

// step opens one directory in dir and makes sure that it is what lstat saw.
func (p *portable) step(dir *os.Root, name string) (*os.Root, error) {
	fi, err := dir.Lstat(name)
	if err != nil {
		return nil, notEscaping(err)
	}
	switch i := portableInfo(name, fi); {
	case i.Kind == Symlink, i.Kind == Directory && i.Dev != p.dev:
		return nil, ErrEscapes
	case i.Kind == Other && fi.Mode().IsDir(): // a junction
		return nil, ErrEscapes
	case i.Kind != Directory:
		return nil, ErrNotDirectory
	}
	next, err := dir.OpenRoot(name)
	if err != nil {
		return nil, notEscaping(err)
	}
	if now, err := next.Stat("."); err != nil || !os.SameFile(fi, now) {
		next.Close()
		return nil, ErrEscapes
	}
	return next, nil
}

// notEscaping gives os.Root's refusal, which is not exported, our name.
func notEscaping(err error) error {
	if pe, ok := errors.AsType[*fs.PathError](err); ok && pe.Err.Error() == "path escapes from parent" {
		return as(ErrEscapes, pe.Err)
	}
	return err
}

func (p *portable) at(path string, f func(dir *os.Root, base string) error) error {
	dir, base, done, err := p.parent(path)
	if err != nil {
		return err
	}
	defer done()
	return bare(f(dir, base))
}

// bare takes the standard library's wrapping off, whichever it is.
func bare(err error) error {
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err
	}
	return err
}

func (p *portable) lstat(path string) (info Info, err error) {
	err = p.at(path, func(dir *os.Root, base string) (err error) { info, err = rootLstat(dir, base); return })
	return info, err
}

func rootLstat(dir *os.Root, base string) (Info, error) {
	fi, err := dir.Lstat(base)
	if err != nil {
		return Info{}, err
	}
	return portableInfo(base, fi), nil
}

func (p *portable) openFile(path string) (f *os.File, info Info, err error) {
	err = p.at(path, func(dir *os.Root, base string) (err error) {
		f, info, err = rootOpen(dir, base, os.O_RDONLY)
		return
	})
	return f, info, err
}

func rootOpen(dir *os.Root, base string, flags int) (*os.File, Info, error) {
	seen, err := dir.Lstat(base)
	if err != nil {
		return nil, Info{}, err
	}
	if !seen.Mode().IsRegular() {
		return nil, Info{}, ErrNotRegular
	}
	f, err := dir.OpenFile(base, flags|openFlags, 0)
	if err != nil {
		return nil, Info{}, notEscaping(err)
	}
	fi, err := f.Stat()
	if err == nil && !os.SameFile(seen, fi) {
		err = ErrNotRegular // swapped meanwhile; perhaps through a symlink
	}
	if err != nil {
		f.Close()
		return nil, Info{}, err
	}
	return f, portableInfo(base, fi), nil
}

func (p *portable) openRW(path string) (f *os.File, err error) {
	err = p.at(path, func(dir *os.Root, base string) error {
		file, info, err := rootOpen(dir, base, os.O_RDWR)
		if err == nil && info.Nlink > 1 {
			file.Close()
			err = ErrShared
		}
		if err == nil {
			f = file
		}
		return err
	})
	return f, err
}

func (p *portable) create(path string, perm uint32) (f *os.File, err error) {
	err = p.at(path, func(dir *os.Root, base string) (err error) {
		f, err = dir.OpenFile(base, os.O_RDWR|os.O_CREATE|os.O_EXCL, fs.FileMode(perm))
		return
	})
	return f, err
}

func (p *portable) readlink(path string) (target string, err error) {
	err = p.at(path, func(dir *os.Root, base string) (err error) { target, err = dir.Readlink(base); return })
	return target, err
}

func (p *portable) mkdir(path string, perm uint32) error {
	return p.at(path, func(dir *os.Root, base string) error { return dir.Mkdir(base, fs.FileMode(perm)) })
}

func (p *portable) symlink(target, path string) error {
	return p.at(path, func(dir *os.Root, base string) error { return dir.Symlink(target, base) })
}

func (p *portable) unlink(path string) error {
	return p.at(path, func(dir *os.Root, base string) error { return removeKind(dir, base, false) })
}

func (p *portable) rmdir(path string) error {
	return p.at(path, func(dir *os.Root, base string) error {
		if err := removeKind(dir, base, true); err != nil {
			return err
		}
		return nil
	})
}

// removeKind looks first, because os.Root.Remove takes files and directories
// alike.
func removeKind(dir *os.Root, base string, directory bool) error {
	i, err := rootLstat(dir, base)
	if err != nil {
		return err
	}
	if isDir := i.Kind == Directory; isDir != directory {
		if directory {
			return ErrNotDirectory
		}
		return fs.ErrInvalid
	}
	err = bare(dir.Remove(base))
	if directory && errors.Is(err, notEmpty) {
		return as(ErrNotEmpty, err)
	}
	return err
}

// at2 makes sure of both parents and then gives f both full paths.
func (p *portable) at2(a, b string, f func(a, b string) error) error {
	return p.at(a, func(*os.Root, string) error {
		return p.at(b, func(*os.Root, string) error { return f(a, b) })
	})
}

func (p *portable) rename(from, to string) error { return p.at2(from, to, p.root.Rename) }

func (p *portable) renameNoReplace(from, to string) error {
	return p.at2dirs(from, to, renameNoReplace)
}

func (p *portable) exchange(a, b string) error { return p.at2dirs(a, b, exchange) }

// name is a path as an open directory and a name in it, and as a full path, for
// the systems that want one or the other.
type name struct {
	dir        *os.File
	base, full string
}

func (p *portable) at2dirs(a, b string, f func(a, b name) error) error {
	return p.at(a, func(da *os.Root, na string) error {
		return p.at(b, func(db *os.Root, nb string) error {
			fa, err := da.Open(".")
			if err != nil {
				return err
			}
			defer fa.Close()
			fb, err := db.Open(".")
			if err != nil {
				return err
			}
			defer fb.Close()
			return f(name{fa, na, p.full(a)}, name{fb, nb, p.full(b)})
		})
	})
}

func (p *portable) full(path string) string { return filepath.Join(p.name, filepath.FromSlash(path)) }

func (p *portable) link(from, to string) error {
	err := p.at2(from, to, p.root.Link)
	if noHardLinks(err) {
		return as(errors.ErrUnsupported, err)
	}
	return err
}

func (p *portable) setMode(path string, mode uint32) error {
	return p.at(path, func(dir *os.Root, base string) error { return rootChmod(dir, base, fs.FileMode(mode)) })
}

func (p *portable) setMTime(path string, ns int64) error {
	return p.at(path, func(dir *os.Root, base string) error {
		i, err := rootLstat(dir, base)
		if err != nil {
			return err
		}
		if i.Kind == Symlink { // os.Root would follow it
			return errors.ErrUnsupported
		}
		// Both times, because libfuse 2 drops a change of one alone.
		t := time.Unix(0, ns)
		return dir.Chtimes(base, t, t)
	})
}

func (p *portable) writers(path string) (bool, error) {
	f, _, err := p.openFile(path)
	if err != nil {
		return false, err
	}
	f.Close()
	return writers(p.full(path))
}

func (p *portable) syncFS() error { return errors.ErrUnsupported }

func (p *portable) syncDir(path string) error {
	dir, done, err := p.walk(p.root, path)
	if err != nil {
		return err
	}
	defer done()
	return syncDir(dir)
}

func (p *portable) same() error {
	fi, err := os.Stat(p.name)
	if err != nil {
		return as(ErrGone, bare(err))
	}
	if !os.SameFile(fi, p.info) {
		return ErrGone
	}
	return nil
}

func (p *portable) fsType() string { return "" }

// portableDir is an open directory.
type portableDir struct {
	p    *portable
	root *os.Root
}

func (p *portable) openDir(path string) (dirBackend, error) {
	dir, _, err := p.walk(p.root, path)
	if err != nil {
		return nil, err
	}
	if path == "." {
		if dir, err = p.root.OpenRoot("."); err != nil {
			return nil, err
		}
	}
	return &portableDir{p, dir}, nil
}

func (d *portableDir) close() error { return d.root.Close() }

func (d *portableDir) info() (Info, error) {
	fi, err := d.root.Stat(".")
	if err != nil {
		return Info{}, bare(err)
	}
	return portableInfo(filepath.Base(d.root.Name()), fi), nil
}

func (d *portableDir) names() ([]string, error) {
	f, err := d.root.Open(".")
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

func (d *portableDir) lstat(name string) (Info, error) {
	i, err := rootLstat(d.root, name)
	return i, bare(err)
}

func (d *portableDir) openDir(name string) (dirBackend, error) {
	next, err := d.p.step(d.root, name)
	if err != nil {
		return nil, bare(err)
	}
	return &portableDir{d.p, next}, nil
}

func (d *portableDir) openFile(name string) (*os.File, Info, error) {
	f, i, err := rootOpen(d.root, name, os.O_RDONLY)
	return f, i, bare(err)
}

func (d *portableDir) readlink(name string) (string, error) {
	t, err := d.root.Readlink(name)
	return t, bare(err)
}
