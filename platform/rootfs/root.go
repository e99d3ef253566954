package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// Kind is what stands at a path.
type Kind uint8

// The kinds. Other is everything that is not synced: FIFOs, sockets, devices,
// and on Windows the reparse points that are not symlinks.
const (
	Regular Kind = iota + 1
	Directory
	Symlink
	Other
)

func (k Kind) String() string {
	switch k {
	case Regular:
		return "file"
	case Directory:
		return "directory"
	case Symlink:
		return "symlink"
	case Other:
		return "special file"
	}
	return "nothing"
}

// Info is what lstat tells. Inode, Dev and Nlink are 0 where the system does not
// tell them. A directory whose Dev is not the root's is a mount point (or a btrfs
// subvolume): it can be seen, but OpenDir of it fails with ErrEscapes, as does
// every operation on a path below a mount point.
type Info struct {
	Name  string // last component
	Kind  Kind
	Size  int64
	MTime int64  // nanoseconds since 1970, held at the ends of int64
	CTime int64  // when anything about it was changed, which nobody can set; 0: not known
	Mode  uint32 // permission bits, 0o777 at most
	Inode uint64
	Dev   uint64
	Nlink uint32
}

// Root is an open folder. Its methods may be called from several goroutines;
// Close waits for those under way.
type Root struct {
	name string

	mu     sync.RWMutex // read: an operation is under way; write: closing
	b      backend
	closed bool

	// What Probe found missing although the system takes the call.
	noExchange  atomic.Bool
	noNoReplace atomic.Bool

	people *people
}

// Open opens the directory dir. Symlinks on the way to it are resolved now, once.
func Open(dir string) (*Root, error) {
	name, err := filepath.Abs(dir)
	if err != nil {
		return nil, wrap("open root", dir, err)
	}
	if resolved, err := filepath.EvalSymlinks(name); err == nil {
		name = resolved
	}
	b, err := openBackend(name)
	if err != nil {
		return nil, wrap("open root", dir, err)
	}
	return &Root{name: name, b: b, people: &people{}}, nil
}

// Name is the root's absolute path, without symlinks, as of Open.
func (r *Root) Name() string { return r.name }

// Close ends the use of the root. Open Dirs and files stay usable.
func (r *Root) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return wrap("close", ".", fs.ErrClosed)
	}
	r.closed = true
	return wrap("close", ".", r.b.close())
}

// Same says whether the directory at the root's path is still the one that is
// open. ErrGone: it is not, or can't be looked at: the disk was unplugged,
// unmounted, or the directory moved away. Operations on an open root still go to
// the directory that was opened, so Same is to be asked before and after
// anything that takes a missing file for a deleted one.
func (r *Root) Same() error {
	return r.do("same", ".", func(string) error { return r.b.same() })
}

// do runs op on the checked path while the root can't be closed.
func (r *Root) do(op, path string, f func(path string) error) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if r.closed {
		return wrap(op, path, fs.ErrClosed)
	}
	p, err := check(path)
	if err == nil {
		err = f(p)
	}
	return wrap(op, path, err)
}

// doName is do for what can't be done to the root itself.
func (r *Root) doName(op, path string, f func(path string) error) error {
	return r.do(op, path, func(p string) error {
		if p == "." {
			return fs.ErrInvalid
		}
		return f(p)
	})
}

// do2 runs op on two names, neither of which is the root.
func (r *Root) do2(op, a, b string, f func(a, b string) error) error {
	return r.doName(op, a, func(pa string) error {
		pb, err := check(b)
		if err == nil && pb == "." {
			err = fs.ErrInvalid
		}
		if err != nil {
			return err
		}
		return f(pa, pb)
	})
}

// Lstat tells what stands at path.
func (r *Root) Lstat(path string) (info Info, err error) {
	err = r.do("lstat", path, func(p string) (err error) { info, err = r.b.lstat(p); return })
	return info, err
}

// OpenFile opens a regular file for reading. Anything else gives ErrNotRegular
// and is not touched. The Info is of the file that was opened.
func (r *Root) OpenFile(path string) (f *os.File, info Info, err error) {
	err = r.do("open", path, func(p string) (err error) { f, info, err = r.b.openFile(p); return })
	return f, info, err
}

// OpenRW opens an existing regular file for reading and writing, to go on with a
// staged one; never for a live file. ErrShared: the file has another name.
func (r *Root) OpenRW(path string) (f *os.File, err error) {
	err = r.doName("open", path, func(p string) (err error) { f, err = r.b.openRW(p); return })
	return f, err
}

// Create makes a new file and opens it for reading and writing; fs.ErrExist if
// anything stands there. The system's umask applies to perm.
func (r *Root) Create(path string, perm uint32) (f *os.File, err error) {
	err = r.doName("create", path, func(p string) (err error) { f, err = r.b.create(p, perm&0o777); return })
	return f, err
}

// Readlink gives a symlink's target as it is written.
func (r *Root) Readlink(path string) (target string, err error) {
	err = r.doName("readlink", path, func(p string) (err error) { target, err = r.b.readlink(p); return })
	return target, err
}

// Mkdir makes a directory. The umask applies to perm.
func (r *Root) Mkdir(path string, perm uint32) error {
	return r.doName("mkdir", path, func(p string) error { return r.b.mkdir(p, perm&0o777) })
}

// Symlink makes a symlink; fs.ErrExist if anything stands there. The target is
// never looked at.
func (r *Root) Symlink(target, path string) error {
	return r.doName("symlink", path, func(p string) error { return r.b.symlink(target, p) })
}

// Remove removes a file, a symlink or an empty directory, whichever stands
// there. Who means a directory calls RemoveDir: by Remove a file that took the
// directory's place in this moment would be lost.
func (r *Root) Remove(path string) error {
	return r.doName("remove", path, r.remove)
}

func (r *Root) remove(path string) error {
	err := r.b.unlink(path)
	if err == nil {
		return nil
	}
	if i, lerr := r.b.lstat(path); lerr == nil && i.Kind == Directory {
		return r.b.rmdir(path)
	}
	return err
}

// RemoveDir removes an empty directory and nothing else: ErrNotEmpty,
// ErrNotDirectory.
func (r *Root) RemoveDir(path string) error {
	return r.doName("rmdir", path, r.b.rmdir)
}

// Link gives the file at from a second name; fs.ErrExist if anything stands at
// to. errors.ErrUnsupported where the file system has no hard links.
func (r *Root) Link(from, to string) error {
	return r.do2("link", from, to, r.b.link)
}

// SetMode sets the permission bits of a file or a directory; a directory keeps
// its setgid and sticky bits. A symlink has no mode: errors.ErrUnsupported.
func (r *Root) SetMode(path string, mode uint32) error {
	return r.do("chmod", path, func(p string) error { return r.b.setMode(p, mode&0o777) })
}

// SetMTime sets the modification time, in nanoseconds since 1970, of a file,
// a directory, or (where the system can) of a symlink itself.
func (r *Root) SetMTime(path string, ns int64) error {
	return r.do("set mtime", path, func(p string) error { return r.b.setMTime(p, ns) })
}

// WriteNew makes a file that holds data. Where that takes less than SetMode and
// SetMTime it has mode and the modification time ns, in nanoseconds since 1970;
// elsewhere it is its owner's alone and new. When it fails, a part may be there.
func (r *Root) WriteNew(path string, data []byte, mode uint32, ns int64) error {
	return r.doName("write", path, func(p string) error {
		if b, ok := r.b.(interface {
			writeNew(path string, data []byte, mode uint32, ns int64) error
		}); ok {
			return b.writeNew(p, data, mode&0o777, ns)
		}
		f, err := r.b.create(p, 0o600)
		if err != nil {
			return err
		}
		_, err = f.Write(data)
		return errors.Join(err, f.Close())
	})
}

// Writers tells whether anybody, this process included, holds the file open for
// writing or has it mapped for writing. errors.ErrUnsupported where that can't
// be told: no leases on this system or file system, or the file is another
// user's.
func (r *Root) Writers(path string) (busy bool, err error) {
	err = r.doName("lease", path, func(p string) (err error) { busy, err = r.b.writers(p); return })
	return busy, err
}

// Reflink makes dst, which must be empty or shorter, share the blocks of src.
// errors.ErrUnsupported where the file system can't; dst is then as before.
func (r *Root) Reflink(dst, src *os.File) error {
	return wrap("reflink", dst.Name(), reflink(dst, src))
}

// SyncFS makes everything that was written to the root's file system durable,
// contents and names, and gives every error of writing since the last call.
// errors.ErrUnsupported where that can't be had (not Linux, kernels before 5.8
// which hide the errors, FUSE which is not told): the caller then syncs each
// file itself and each directory by SyncDir.
func (r *Root) SyncFS() error {
	return r.do("syncfs", ".", func(string) error { return r.b.syncFS() })
}

// SyncDir makes the names in a directory durable. errors.ErrUnsupported where
// directories can't be synced.
func (r *Root) SyncDir(path string) error {
	return r.do("sync", path, r.b.syncDir)
}
