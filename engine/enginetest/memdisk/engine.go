package memdisk

import (
	"errors"
	"io/fs"
	"strings"
	"syscall"
	"time"

	"pinion/engine/apply"
	"pinion/engine/folder"
	"pinion/engine/scan"
	"pinion/engine/transfer"
	"pinion/platform/rootfs"
)

// Gate is passed by each call of an engine before it does anything: there it may
// be kept waiting or be failed. Alive is asked where a call can't wait, since
// the engine may hold locks.
type Gate struct {
	Pass  func(op, path string) error
	Alive func() error
}

// handle is a Disk as one engine has it open.
type handle struct {
	*Disk
	gate Gate
}

// Root is the handle by which an engine has a Disk open.
type Root struct{ d *handle }

// Open opens the disk for an engine.
func (d *Disk) Open(g Gate) *Root { return &Root{&handle{d, g}} }

func (r *Root) Name() string          { return r.d.name }
func (r *Root) Close() error          { return nil }
func (r *Root) Scan() scan.FS         { return scanFS{r.d} }
func (r *Root) Apply() apply.FS       { return applyFS{r.d} }
func (r *Root) Transfer() transfer.FS { return transferFS{r.d} }

// Probe tells what the disk was made to do.
func (r *Root) Probe() (rootfs.Capabilities, error) {
	o := r.d.o
	return rootfs.Capabilities{
		Exchange: !o.NoExchange, NoReplace: !o.NoExchange, HardLink: true, Lease: true, CaseSensitive: !o.FoldCase, UnicodeExact: true,
		ExecBit: true, Symlinks: !o.NoSymlinks, Inodes: true, MTimeGrain: max(o.Grain, 1), CTimeGrain: ctimeGrain(o), FSType: "memory",
	}, nil
}

// ctimeGrain: where mtimes are coarse, nothing is told by ctimes either.
func ctimeGrain(o Options) time.Duration {
	if o.Grain > time.Millisecond {
		return 0
	}
	return 1
}

func (r *Root) Lstat(path string) (rootfs.Info, error) { return r.d.lstat(path) }

func (r *Root) Mkdir(path string, perm uint32) error { return r.d.mkdir(path, perm) }

func (r *Root) ReadFile(path string, most int64) ([]byte, error) {
	f, _, err := r.d.open(path)
	if err != nil {
		return nil, err
	}
	b := make([]byte, min(most, f.n.size()))
	_, err = f.ReadAt(b, 0)
	return b, err
}

var _ folder.Disk = (*Root)(nil)

// do is one call of the engine.
func (d *handle) do(op, path string, fn func() error) error {
	err := d.gate.Pass(op, path)
	if err == nil {
		d.mu.Lock()
		err = fn()
		d.mu.Unlock()
	}
	if err != nil {
		return &fs.PathError{Op: op, Path: path, Err: err}
	}
	return nil
}

// alter is one call that changes the disk.
func (d *handle) alter(op, path string, fn func() error) error {
	return d.do(op, path, func() error {
		err := fn()
		if err == nil {
			d.changes++
		}
		return err
	})
}

func (d *handle) lstat(path string) (i rootfs.Info, err error) {
	err = d.do("lstat", path, func() error {
		n, err := d.walk(path)
		if err == nil {
			i = info(base(path), n)
		}
		return err
	})
	return i, err
}

func base(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

func (d *handle) names(path string) (names []string, err error) {
	err = d.do("list", path, func() error {
		n, err := d.walk(path)
		if err == nil && n.kind != rootfs.Directory {
			err = rootfs.ErrNotDirectory
		}
		if err == nil {
			names = n.names()
		}
		return err
	})
	return names, err
}

func (d *handle) readlink(path string) (target string, err error) {
	err = d.do("readlink", path, func() error {
		n, err := d.walk(path)
		if err == nil && n.kind != rootfs.Symlink {
			err = fs.ErrInvalid
		}
		if err == nil {
			target = n.target
		}
		return err
	})
	return target, err
}

func (d *handle) open(path string) (f *file, i rootfs.Info, err error) {
	err = d.do("open", path, func() error {
		n, err := d.walk(path)
		if err == nil && n.kind != rootfs.Regular {
			err = rootfs.ErrNotRegular
		}
		if err == nil {
			f, i = &file{d: d, n: n, name: path}, info(base(path), n)
		}
		return err
	})
	return f, i, err
}

func (d *handle) create(path string) (f *file, err error) {
	err = d.alter("create", path, func() error {
		dir, name, err := d.free(path)
		if err == nil {
			err = d.room(block)
		}
		if err != nil {
			return err
		}
		n := d.make(rootfs.Regular, 0o600)
		n.writers++
		d.change(entry{dir: dir, name: name, node: n})
		d.note(path, false)
		f = &file{d: d, n: n, name: path, writes: true}
		return nil
	})
	return f, err
}

func (d *handle) openRW(path string) (f *file, err error) {
	err = d.do("open to write", path, func() error {
		n, err := d.walk(path)
		switch {
		case err != nil:
			return err
		case n.kind != rootfs.Regular:
			return rootfs.ErrNotRegular
		case n.links > 1:
			return rootfs.ErrShared
		}
		n.writers++
		f = &file{d: d, n: n, name: path, writes: true}
		return nil
	})
	return f, err
}

func (d *handle) mkdir(path string, perm uint32) error {
	return d.alter("mkdir", path, func() error {
		dir, name, err := d.free(path)
		if err == nil {
			err = d.room(block)
		}
		if err != nil {
			return err
		}
		d.change(entry{dir: dir, name: name, node: d.make(rootfs.Directory, perm&^0o022)})
		d.note(path, true)
		return nil
	})
}

func (d *handle) symlink(target, path string) error {
	return d.alter("symlink", path, func() error {
		if d.o.NoSymlinks {
			return &fs.PathError{Op: "symlink", Path: path, Err: syscall.EPERM}
		}
		dir, name, err := d.free(path)
		if err != nil {
			return err
		}
		n := d.make(rootfs.Symlink, 0o777)
		n.target = target
		d.change(entry{dir: dir, name: name, node: n})
		d.note(path, false)
		return nil
	})
}

func (d *handle) remove(path string, dirs bool) error {
	op := "unlink"
	if dirs {
		op = "rmdir"
	}
	return d.alter(op, path, func() error {
		dir, name, err := d.place(path)
		if err != nil {
			return err
		}
		n, name := d.child(dir, name)
		switch {
		case n == nil:
			return fs.ErrNotExist
		case dirs && n.kind != rootfs.Directory:
			return rootfs.ErrNotDirectory
		case len(n.children) > 0:
			return rootfs.ErrNotEmpty
		}
		d.change(entry{dir: dir, name: name})
		d.note(path, false)
		return nil
	})
}

func nested(a, b string) bool { return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/") }

func (d *handle) renameNoReplace(from, to string) error {
	return d.alter("rename", from+" -> "+to, func() error {
		if nested(from, to) {
			return fs.ErrInvalid
		}
		a, nameA, err := d.place(from)
		if err != nil {
			return err
		}
		n, nameA := d.child(a, nameA)
		if n == nil {
			return fs.ErrNotExist
		}
		b, nameB, err := d.free(to)
		if err != nil {
			return err
		}
		d.change(entry{dir: a, name: nameA}, entry{dir: b, name: nameB, node: n})
		d.note(from, false)
		d.note(to, n.kind == rootfs.Directory)
		return nil
	})
}

func (d *handle) exchange(x, y string) error {
	if d.o.NoExchange {
		return &fs.PathError{Op: "exchange", Path: x, Err: errors.ErrUnsupported}
	}
	return d.alter("exchange", x+" <-> "+y, func() error {
		if nested(x, y) {
			return fs.ErrInvalid
		}
		a, nameA, err := d.place(x)
		if err != nil {
			return err
		}
		b, nameB, err := d.place(y)
		if err != nil {
			return err
		}
		m, nameA := d.child(a, nameA)
		n, nameB := d.child(b, nameB)
		if m == nil || n == nil {
			return fs.ErrNotExist
		}
		d.change(entry{dir: a, name: nameA, node: n}, entry{dir: b, name: nameB, node: m})
		d.note(x, n.kind == rootfs.Directory)
		d.note(y, m.kind == rootfs.Directory)
		return nil
	})
}

func (d *handle) setMode(path string, mode uint32) error {
	return d.alter("chmod", path, func() error {
		n, err := d.walk(path)
		if err == nil && n.kind == rootfs.Symlink {
			err = errors.ErrUnsupported
		}
		if err == nil {
			n.mode, n.dirty = mode&0o777, true
			d.stamp(n)
			d.note(path, false)
		}
		return err
	})
}

func (d *handle) setMTime(path string, ns int64) error {
	return d.alter("set mtime", path, func() error {
		n, err := d.walk(path)
		if err == nil {
			if g := int64(d.o.Grain); g > 1 {
				ns -= (ns%g + g) % g
			}
			n.mtime, n.dirty = ns, true
			d.stamp(n)
			d.note(path, false)
		}
		return err
	})
}

func (d *handle) writers(path string) (busy bool, err error) {
	err = d.do("lease", path, func() error {
		n, err := d.walk(path)
		if err == nil {
			busy = n.writers > 0
		}
		return err
	})
	return busy, err
}

func (d *handle) syncFS() error {
	if d.o.NoSyncFS {
		return errors.ErrUnsupported
	}
	return d.do("syncfs", "", func() error { d.flushAll(); return nil })
}

func (d *handle) syncFile(path string) error {
	return d.do("fsync", path, func() error {
		n, err := d.walk(path)
		if err == nil && n.kind == rootfs.Regular {
			n.keep()
		}
		return err
	})
}

func (d *handle) syncDir(path string) error {
	return d.do("sync directory", path, func() error {
		n, err := d.walk(path)
		if err != nil {
			return err
		}
		d.flushDir(n)
		return nil
	})
}

func (d *Disk) flushDir(n *inode) {
	d.flush(func(op *operation) bool {
		for _, e := range op.set {
			if e.dir == n {
				return true
			}
		}
		return false
	})
}
