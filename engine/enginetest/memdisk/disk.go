package memdisk

import (
	"io/fs"
	"strings"
	"sync"
	"syscall"
	"time"

	"pinion/platform/rootfs"
)

// Options are what a Disk can and cannot do. The zero value is an ext4 of
// endless size.
type Options struct {
	Now        func() time.Time // needed
	Grain      time.Duration    // of modification times
	NoExchange bool
	NoSyncFS   bool
	FoldCase   bool // "a" and "A" are one file
	NoSymlinks bool
	Sly        bool  // a power cut can leave other bytes in a file without a sign of it in its size and time
	Capacity   int64 // bytes; 0: endless. A person is never short of room
}

// Disk is a folder's directory. Its methods may be called from any goroutine.
type Disk struct {
	name string

	mu       sync.Mutex // guards all below; never held in a Gate
	o        Options
	root     *inode
	last     uint64 // inode number
	used     int64
	journal  []*operation // since the last flush, oldest first
	bad      map[uint64]bool
	watchers []*Watcher
	changes  int64 // what the engine has changed
}

// inode is a file, a directory or a symlink.
type inode struct {
	id       uint64
	kind     rootfs.Kind
	mode     uint32
	mtime    int64
	ctime    int64
	data     []byte
	target   string
	children map[string]*inode
	links    int
	writers  int
	mine     bool                // a person's unflushed words are in it
	wrote    map[int64]time.Time // the mtimes that its writes had, and when that was

	// what a power cut leaves
	durable  map[string]*inode
	kept     []byte
	keptMode uint32
	keptTime int64
	dirty    bool
}

// New makes an empty disk. name is the path by which it is opened.
func New(name string, o Options) *Disk {
	d := &Disk{name: name, o: o, bad: map[uint64]bool{}}
	d.root = d.make(rootfs.Directory, 0o755)
	d.root.links = 1
	d.root.keptMode, d.root.keptTime = d.root.mode, d.root.mtime
	return d
}

func (d *Disk) make(kind rootfs.Kind, mode uint32) *inode {
	d.last++
	n := &inode{id: d.last, kind: kind, mode: mode, dirty: true}
	n.mtime = d.written(n)
	d.stamp(n)
	if kind == rootfs.Directory {
		n.children, n.durable = map[string]*inode{}, map[string]*inode{}
	}
	return n
}

func (d *Disk) now() int64 {
	t := d.o.Now().UnixNano()
	if g := int64(d.o.Grain); g > 1 {
		t -= t % g
	}
	return t
}

// written is the mtime of a write. A clock that was set back into a tick in which
// the file was written once before would hide the write from everybody who does
// not read the file; no file system tells that, and it is not played.
func (d *Disk) written(n *inode) int64 {
	at, now := d.now(), time.Now()
	for n.wrote[at] != (time.Time{}) && now.Sub(n.wrote[at]) > 2*max(d.o.Grain, time.Millisecond) {
		at += int64(max(d.o.Grain, 1))
	}
	if n.wrote == nil {
		n.wrote = map[int64]time.Time{}
	}
	n.wrote[at] = now
	return at
}

// stamp gives an inode the time of a change that nobody can set, each another one.
func (d *Disk) stamp(n *inode) { n.ctime = max(d.o.Now().UnixNano(), n.ctime+1) }

// child gives what a name in a directory means, and the name as it is written.
func (d *Disk) child(dir *inode, name string) (*inode, string) {
	if n := dir.children[name]; n != nil || !d.o.FoldCase {
		return n, name
	}
	for k, n := range dir.children {
		if strings.EqualFold(k, name) {
			return n, k
		}
	}
	return nil, name
}

func parts(path string) []string {
	if path == "" || path == "." {
		return nil
	}
	return strings.Split(path, "/")
}

// walk finds what stands at a path.
func (d *Disk) walk(path string) (*inode, error) {
	at := d.root
	for _, name := range parts(path) {
		switch at.kind {
		case rootfs.Directory:
		case rootfs.Symlink:
			return nil, rootfs.ErrEscapes
		default:
			return nil, rootfs.ErrNotDirectory
		}
		if at, _ = d.child(at, name); at == nil {
			return nil, fs.ErrNotExist
		}
	}
	return at, nil
}

// place finds the directory and the name of a path.
func (d *Disk) place(path string) (*inode, string, error) {
	dir, name := "", path
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		dir, name = path[:i], path[i+1:]
	}
	if name == "" || name == "." || name == ".." {
		return nil, "", fs.ErrInvalid
	}
	if len(name) > 255 {
		return nil, "", syscall.ENAMETOOLONG
	}
	at, err := d.walk(dir)
	switch {
	case err != nil:
		return nil, "", err
	case at.kind == rootfs.Symlink:
		return nil, "", rootfs.ErrEscapes
	case at.kind != rootfs.Directory:
		return nil, "", rootfs.ErrNotDirectory
	}
	return at, name, nil
}

// free finds the place of a path at which nothing stands.
func (d *Disk) free(path string) (*inode, string, error) {
	dir, name, err := d.place(path)
	if err == nil {
		if n, _ := d.child(dir, name); n != nil {
			err = fs.ErrExist
		}
	}
	return dir, name, err
}

func info(name string, n *inode) rootfs.Info {
	i := rootfs.Info{Name: name, Kind: n.kind, Size: n.size(), MTime: n.mtime, CTime: n.ctime, Mode: n.mode, Inode: n.id, Dev: 1, Nlink: uint32(n.links)}
	return i
}

func (n *inode) size() int64 {
	if n.kind == rootfs.Symlink {
		return int64(len(n.target))
	}
	return int64(len(n.data))
}

// write puts bytes into a file, beginning at off.
func (d *Disk) write(n *inode, off int64, b []byte) {
	end := off + int64(len(b))
	data := make([]byte, max(end, int64(len(n.data)))) // a new slice: the old one may be what was kept
	copy(data, n.data)
	copy(data[off:], b)
	d.setData(n, data)
}

func (d *Disk) setData(n *inode, data []byte) {
	if n.links > 0 {
		d.used += int64(len(data)) - int64(len(n.data))
	}
	n.data, n.mtime, n.dirty = data, d.written(n), true
	d.stamp(n)
}

// room says whether so many bytes more can be kept.
func (d *Disk) room(more int64) error {
	if d.o.Capacity > 0 && more > 0 && d.used+more > d.o.Capacity {
		return syscall.ENOSPC
	}
	return nil
}

// SetCapacity fills the disk, or gives it room.
func (d *Disk) SetCapacity(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.o.Capacity = bytes
}

// Free is how many bytes more there is room for.
func (d *Disk) Free() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.o.Capacity == 0 {
		return 1 << 40
	}
	return max(0, d.o.Capacity-d.used)
}

// Used is how many bytes there are in files.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

// Changes counts what the engine has changed on the disk.
func (d *Disk) Changes() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.changes
}

// SetBad makes the reading of the file at path fail to the engine. MendAll
// mends the whole disk, and says whether there was anything to mend.
func (d *Disk) SetBad(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.walk(path)
	if err == nil {
		d.bad[n.id] = true
	}
	return err
}

func (d *Disk) MendAll() (mended bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	mended = len(d.bad) > 0
	clear(d.bad)
	return mended
}
