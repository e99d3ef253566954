package rootfs

import (
	"io/fs"
	"os"
	"sync"
)

// Dir is an open directory, for looking at many names in it at little cost. It
// stays with the directory that was opened, wherever that is moved meanwhile;
// that is why it only reads. Its methods may be called from several goroutines.
type Dir struct {
	path   string
	people *people

	mu     sync.RWMutex
	b      dirBackend
	closed bool
}

// OpenDir opens a directory for reading. ErrNotDirectory: it is none.
func (r *Root) OpenDir(path string) (*Dir, error) {
	var b dirBackend
	err := r.do("open directory", path, func(p string) (err error) { b, err = r.b.openDir(p); return })
	if err != nil {
		return nil, err
	}
	return &Dir{path: path, people: r.people, b: b}, nil
}

// Close ends the use of the directory.
func (d *Dir) Close() error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.closed {
		return wrap("close", d.path, fs.ErrClosed)
	}
	d.closed = true
	return wrap("close", d.path, d.b.close())
}

// do runs op on the directory itself while it can't be closed.
func (d *Dir) do(op string, f func() error) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	if d.closed {
		return wrap(op, d.path, fs.ErrClosed)
	}
	return wrap(op, d.path, f())
}

// doName runs op on a name in the directory.
func (d *Dir) doName(op, name string, f func() error) error {
	d.mu.RLock()
	defer d.mu.RUnlock()
	err := checkName(name)
	if d.closed {
		err = fs.ErrClosed
	}
	if err == nil {
		err = f()
	}
	return wrap(op, d.join(name), err)
}

func (d *Dir) join(name string) string {
	if d.path == "" || d.path == "." {
		return name
	}
	return d.path + "/" + name
}

// Info is of the directory itself.
func (d *Dir) Info() (info Info, err error) {
	err = d.do("stat", func() (err error) { info, err = d.b.info(); return })
	return info, err
}

// Names lists the directory, sorted bytewise. With an error the list is nil:
// half a list would look like deletions. Only one goroutine at a time may call
// Names on one Dir.
func (d *Dir) Names() (names []string, err error) {
	err = d.do("list", func() (err error) { names, err = d.b.names(); return })
	return names, err
}

// Lstat tells what stands at a name in the directory.
func (d *Dir) Lstat(name string) (info Info, err error) {
	err = d.doName("lstat", name, func() (err error) { info, err = d.b.lstat(name); return })
	return info, err
}

// OpenDir opens a directory in this one.
func (d *Dir) OpenDir(name string) (*Dir, error) {
	var b dirBackend
	err := d.doName("open directory", name, func() (err error) { b, err = d.b.openDir(name); return })
	if err != nil {
		return nil, err
	}
	return &Dir{path: d.join(name), people: d.people, b: b}, nil
}

// OpenFile opens a regular file in the directory, as Root.OpenFile does.
func (d *Dir) OpenFile(name string) (f *os.File, info Info, err error) {
	err = d.doName("open", name, func() (err error) { f, info, err = d.b.openFile(name); return })
	return f, info, err
}

// Readlink gives the target of a symlink in the directory.
func (d *Dir) Readlink(name string) (target string, err error) {
	err = d.doName("readlink", name, func() (err error) { target, err = d.b.readlink(name); return })
	return target, err
}
