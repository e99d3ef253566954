package memdisk

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"syscall"
	"time"

	"pinion/engine/scan"
	"pinion/engine/transfer"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

func (n *inode) names() []string { return slices.Sorted(maps.Keys(n.children)) }

// file is an open one. Reading and writing it passes no gate: locks of the
// engine's may be held over it.
type file struct {
	d      *handle
	n      *inode
	name   string
	at     int64
	writes bool
	closed bool
}

func (f *file) Read(p []byte) (int, error) {
	n, err := f.ReadAt(p, f.at)
	f.at += int64(n)
	if err == io.EOF && n > 0 {
		err = nil
	}
	return n, err
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	switch {
	case f.closed:
		return 0, fs.ErrClosed
	case f.d.bad[f.n.id]:
		return 0, &fs.PathError{Op: "read", Path: f.name, Err: syscall.EIO}
	case off >= int64(len(f.n.data)):
		if len(p) == 0 {
			return 0, nil
		}
		return 0, io.EOF
	}
	n := copy(p, f.n.data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.closed || !f.writes {
		return 0, fs.ErrClosed
	}
	if err := f.d.gate.Alive(); err != nil {
		return 0, err
	}
	if err := f.d.room(off + int64(len(p)) - int64(len(f.n.data))); err != nil {
		return 0, &fs.PathError{Op: "write", Path: f.name, Err: err}
	}
	f.d.write(f.n, off, p)
	f.d.changes++
	return len(p), nil
}

func (f *file) Seek(off int64, whence int) (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	switch whence {
	case io.SeekStart:
		f.at = off
	case io.SeekCurrent:
		f.at += off
	case io.SeekEnd:
		f.at = int64(len(f.n.data)) + off
	default:
		return 0, syscall.EINVAL
	}
	return f.at, nil
}

func (f *file) Truncate(size int64) error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if err := f.d.gate.Alive(); err != nil {
		return err
	}
	if err := f.d.room(size - int64(len(f.n.data))); err != nil {
		return &fs.PathError{Op: "truncate", Path: f.name, Err: err}
	}
	data := make([]byte, size)
	copy(data, f.n.data)
	f.d.setData(f.n, data)
	f.d.changes++
	return nil
}

func (f *file) Sync() error {
	return f.d.do("fsync", f.name, func() error { f.n.keep(); return nil })
}

func (f *file) Close() error {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	f.closed = true
	if f.writes {
		f.n.writers--
	}
	return nil
}

func (f *file) Stat() (fs.FileInfo, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	return fileInfo{info(base(f.name), f.n)}, nil
}

// fileInfo is an Info as the standard library has it.
type fileInfo struct{ i rootfs.Info }

func (f fileInfo) Name() string       { return f.i.Name }
func (f fileInfo) Size() int64        { return f.i.Size }
func (f fileInfo) Mode() fs.FileMode  { return fs.FileMode(f.i.Mode) }
func (f fileInfo) ModTime() time.Time { return time.Unix(0, f.i.MTime) }
func (f fileInfo) IsDir() bool        { return false }
func (f fileInfo) Sys() any           { return nil }

// scanFS is the disk as scan reads it.
type scanFS struct{ d *handle }

func (s scanFS) OpenDir(path string) (scan.Dir, error) {
	var dir *openDir
	err := s.d.do("open directory", path, func() error {
		n, err := s.d.walk(path)
		switch {
		case err != nil:
			return err
		case n.kind == rootfs.Symlink:
			return rootfs.ErrEscapes
		case n.kind != rootfs.Directory:
			return rootfs.ErrNotDirectory
		}
		dir = &openDir{s.d, n, path}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return dir, nil
}

// openDir is a directory that is open, wherever it was moved since.
type openDir struct {
	d    *handle
	n    *inode
	path string
}

func (o *openDir) join(name string) string {
	if o.path == "" || o.path == "." {
		return name
	}
	return o.path + "/" + name
}

func (o *openDir) do(op, name string, fn func(*inode) error) error {
	return o.d.do(op, o.join(name), func() error {
		n, _ := o.d.child(o.n, name)
		if n == nil {
			return fs.ErrNotExist
		}
		return fn(n)
	})
}

func (o *openDir) Info() (i rootfs.Info, err error) {
	err = o.d.do("stat", o.path, func() error { i = info(base(o.path), o.n); return nil })
	return i, err
}

func (o *openDir) Names() (names []string, err error) {
	err = o.d.do("list", o.path, func() error { names = o.n.names(); return nil })
	return names, err
}

func (o *openDir) Lstat(name string) (i rootfs.Info, err error) {
	err = o.do("lstat", name, func(n *inode) error { i = info(name, n); return nil })
	return i, err
}

func (o *openDir) OpenDir(name string) (scan.Dir, error) {
	var dir *openDir
	err := o.do("open directory", name, func(n *inode) error {
		switch n.kind {
		case rootfs.Symlink:
			return rootfs.ErrEscapes
		case rootfs.Directory:
			dir = &openDir{o.d, n, o.join(name)}
			return nil
		}
		return rootfs.ErrNotDirectory
	})
	if err != nil {
		return nil, err
	}
	return dir, nil
}

func (o *openDir) OpenFile(name string) (fs.File, rootfs.Info, error) {
	var f *file
	var i rootfs.Info
	err := o.do("open", name, func(n *inode) error {
		if n.kind != rootfs.Regular {
			return rootfs.ErrNotRegular
		}
		f, i = &file{d: o.d, n: n, name: o.join(name)}, info(name, n)
		return nil
	})
	if err != nil {
		return nil, i, err
	}
	return f, i, nil
}

func (o *openDir) Readlink(name string) (target string, err error) {
	err = o.do("readlink", name, func(n *inode) error {
		if n.kind != rootfs.Symlink {
			return fs.ErrInvalid
		}
		target = n.target
		return nil
	})
	return target, err
}

func (o *openDir) Close() error { return nil }

// applyFS is the disk as apply changes it.
type applyFS struct{ d *handle }

func (a applyFS) Lstat(path string) (rootfs.Info, error) { return a.d.lstat(path) }
func (a applyFS) Names(dir string) ([]string, error)     { return a.d.names(dir) }
func (a applyFS) Readlink(path string) (string, error)   { return a.d.readlink(path) }
func (a applyFS) Mkdir(path string, perm uint32) error   { return a.d.mkdir(path, perm) }
func (a applyFS) Symlink(target, path string) error      { return a.d.symlink(target, path) }
func (a applyFS) Remove(path string) error               { return a.d.remove(path, false) }
func (a applyFS) RemoveDir(path string) error            { return a.d.remove(path, true) }
func (a applyFS) RenameNoReplace(from, to string) error  { return a.d.renameNoReplace(from, to) }
func (a applyFS) Exchange(x, y string) error             { return a.d.exchange(x, y) }
func (a applyFS) SetMode(path string, mode uint32) error { return a.d.setMode(path, mode) }
func (a applyFS) SetMTime(path string, ns int64) error   { return a.d.setMTime(path, ns) }
func (a applyFS) Writers(path string) (bool, error)      { return a.d.writers(path) }
func (a applyFS) SyncFS() error                          { return a.d.syncFS() }
func (a applyFS) SyncFile(path string) error             { return a.d.syncFile(path) }
func (a applyFS) Same() error                            { return nil }

func (a applyFS) SyncDir(path string) error {
	if err := a.d.syncDir(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (a applyFS) Open(path string) (io.ReadCloser, error) {
	f, _, err := a.d.open(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (a applyFS) WriteNew(path string, data []byte) error {
	f, err := a.d.create(path)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	return errors.Join(err, f.Close())
}

// transferFS is the disk as transfer stages and serves it.
type transferFS struct{ d *handle }

func (t transferFS) Names(dir string) ([]string, error)    { return t.d.names(dir) }
func (t transferFS) Remove(path string) error              { return t.d.remove(path, false) }
func (t transferFS) RenameNoReplace(from, to string) error { return t.d.renameNoReplace(from, to) }
func (t transferFS) SyncDir(path string) error             { return t.d.syncDir(path) }
func (t transferFS) Reflink(_, _ transfer.File) error      { return errors.ErrUnsupported }

func (t transferFS) Open(path string) (transfer.File, tree.Stat, error) {
	f, i, err := t.d.open(path)
	if err != nil {
		return nil, tree.Stat{}, err
	}
	return f, statOf(i), nil
}

func (t transferFS) Create(path string) (transfer.File, error) { return opened(t.d.create(path)) }
func (t transferFS) OpenRW(path string) (transfer.File, error) { return opened(t.d.openRW(path)) }

func opened(f *file, err error) (transfer.File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (t transferFS) Lstat(path string) (tree.Stat, error) {
	i, err := t.d.lstat(path)
	return statOf(i), err
}

func (t transferFS) MakeStaging() error {
	for _, dir := range []string{tree.Private, transfer.Staging} {
		if err := t.d.mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}

func statOf(i rootfs.Info) tree.Stat {
	kinds := map[rootfs.Kind]tree.Kind{rootfs.Regular: tree.File, rootfs.Directory: tree.Dir, rootfs.Symlink: tree.Symlink}
	return tree.Stat{Kind: kinds[i.Kind], Size: i.Size, MTime: i.MTime, Mode: i.Mode, Inode: i.Inode}
}
