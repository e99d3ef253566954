package apply

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"syscall"
	"time"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// fakeFS is a file system in memory. Each call of the FS interface is one step:
// a hook may act before and after it, it may fail, or the machine may stop.
type fakeFS struct {
	nodes   map[string]*node // by path; "." is the root
	durable map[string]*node // what a power cut leaves
	clock   int64            // milliseconds; each write takes one
	inodes  uint64
	grain   int64 // of mtimes, in milliseconds
	noSwap  bool
	noSync  bool // SyncFS unsupported
	noCase  bool

	step   int
	log    []string
	before func(step int, op string)
	after  func(step int, op string)
	fail   func(step int, op string) error
	stopAt int // from this step on nothing happens any more; -1: never
}

type node struct {
	kind    rootfs.Kind
	data    string // or a symlink's target
	mtime   int64
	mode    uint32
	inode   uint64
	writers int
	flushed string // data at the last flush
}

func newFake() *fakeFS {
	f := &fakeFS{nodes: map[string]*node{}, clock: 1_700_000_000_000, stopAt: -1, grain: 1}
	f.nodes["."] = f.add(rootfs.Directory, "")
	for _, dir := range []string{tree.Private, Staging} {
		f.nodes[dir] = f.add(rootfs.Directory, "")
	}
	return f
}

func (f *fakeFS) now() time.Time { return time.UnixMilli(f.clock) }

func (f *fakeFS) add(k rootfs.Kind, data string) *node {
	f.inodes++
	f.clock++
	mode := uint32(0o644)
	switch k {
	case rootfs.Directory:
		mode = 0o755
	case rootfs.Symlink:
		mode = 0o777
	}
	return &node{kind: k, data: data, mtime: f.clock / f.grain * f.grain * 1e6, mode: mode, inode: f.inodes}
}

// do is one step.
func (f *fakeFS) do(op string, fn func() error) error {
	i := f.step
	f.step++
	if f.stopAt >= 0 && i >= f.stopAt {
		return fmt.Errorf("stopped: %w", syscall.ENOTCONN)
	}
	if f.before != nil {
		f.before(i, op)
	}
	var err error
	if f.fail != nil {
		err = f.fail(i, op)
	}
	if err == nil {
		err = fn()
	}
	line := op
	if err != nil {
		line += ": " + err.Error()
	}
	f.log = append(f.log, line)
	if f.after != nil {
		f.after(i, op)
	}
	return err
}

func (f *fakeFS) get(p string) (*node, error) {
	if n, ok := f.nodes[p]; ok {
		return n, nil
	}
	for dir := path.Dir(p); dir != "."; dir = path.Dir(dir) {
		if n, ok := f.nodes[dir]; ok && n.kind != rootfs.Directory {
			if n.kind == rootfs.Symlink {
				return nil, rootfs.ErrEscapes
			}
			return nil, rootfs.ErrNotDirectory
		}
	}
	return nil, fs.ErrNotExist
}

// room says whether a new name can be put at p.
func (f *fakeFS) room(p string) error {
	if _, err := f.get(path.Dir(p)); err != nil {
		return err
	}
	if f.nodes[path.Dir(p)].kind != rootfs.Directory {
		return rootfs.ErrNotDirectory
	}
	if f.twinOf(p) != "" {
		return fs.ErrExist
	}
	return f.writable(p)
}

func (f *fakeFS) twinOf(p string) string {
	for q := range f.nodes {
		if q == p || f.noCase && strings.EqualFold(p, q) {
			return q
		}
	}
	return ""
}

func (f *fakeFS) writable(p string) error {
	if n := f.nodes[path.Dir(p)]; n != nil && n.mode&0o200 == 0 {
		return fs.ErrPermission
	}
	return nil
}

// rename moves p and what is below it.
func (f *fakeFS) rename(from, to string) {
	moved := map[string]*node{}
	for p, n := range f.nodes {
		if p == from || strings.HasPrefix(p, from+"/") {
			moved[to+p[len(from):]] = n
			delete(f.nodes, p)
		}
	}
	maps.Copy(f.nodes, moved)
}

func (f *fakeFS) info(p string, n *node) rootfs.Info {
	size := int64(len(n.data))
	return rootfs.Info{Name: path.Base(p), Kind: n.kind, Size: size, MTime: n.mtime, Mode: n.mode, Inode: n.inode}
}

func (f *fakeFS) Lstat(p string) (info rootfs.Info, err error) {
	err = f.do("lstat "+p, func() error {
		n, err := f.get(p)
		if err == nil {
			info = f.info(p, n)
		}
		return err
	})
	return info, err
}

func (f *fakeFS) children(dir string) (names []string) {
	for p := range f.nodes {
		if p != "." && path.Dir(p) == dir {
			names = append(names, path.Base(p))
		}
	}
	slices.Sort(names)
	return names
}

func (f *fakeFS) Names(dir string) (names []string, err error) {
	err = f.do("list "+dir, func() error {
		if _, err := f.get(dir); err != nil {
			return err
		}
		names = f.children(dir)
		return nil
	})
	return names, err
}

func (f *fakeFS) Readlink(p string) (target string, err error) {
	err = f.do("readlink "+p, func() error {
		n, err := f.get(p)
		if err == nil {
			target = n.data
		}
		return err
	})
	return target, err
}

func (f *fakeFS) Open(p string) (r io.ReadCloser, err error) {
	err = f.do("read "+p, func() error {
		n, err := f.get(p)
		if err == nil && n.kind != rootfs.Regular {
			err = rootfs.ErrNotRegular
		}
		if err == nil {
			r = io.NopCloser(strings.NewReader(n.data))
		}
		return err
	})
	return r, err
}

func (f *fakeFS) WriteNew(p string, data []byte) error {
	return f.do("write "+p, func() error {
		if err := f.room(p); err != nil {
			return err
		}
		f.nodes[p] = f.add(rootfs.Regular, string(data))
		return nil
	})
}

func (f *fakeFS) Mkdir(p string, perm uint32) error {
	return f.do(fmt.Sprintf("mkdir %s %o", p, perm), func() error {
		if err := f.room(p); err != nil {
			return err
		}
		f.nodes[p] = f.add(rootfs.Directory, "")
		f.nodes[p].mode = perm &^ 0o022
		return nil
	})
}

func (f *fakeFS) Symlink(target, p string) error {
	return f.do("symlink "+p+" -> "+target, func() error {
		if err := f.room(p); err != nil {
			return err
		}
		f.nodes[p] = f.add(rootfs.Symlink, target)
		return nil
	})
}

func (f *fakeFS) Remove(p string) error {
	return f.do("unlink "+p, func() error {
		if !strings.HasPrefix(p, Private+"/") {
			panic("unlink of " + p)
		}
		n, err := f.get(p)
		if err == nil && n.kind == rootfs.Directory {
			err = errors.New("is a directory")
		}
		if err == nil {
			delete(f.nodes, p)
		}
		return err
	})
}

func (f *fakeFS) RemoveDir(p string) error {
	return f.do("rmdir "+p, func() error {
		n, err := f.get(p)
		switch {
		case err != nil:
			return err
		case n.kind != rootfs.Directory:
			return rootfs.ErrNotDirectory
		case len(f.children(p)) > 0:
			return rootfs.ErrNotEmpty
		}
		if err := f.writable(p); err != nil {
			return err
		}
		delete(f.nodes, p)
		return nil
	})
}

func (f *fakeFS) RenameNoReplace(from, to string) error {
	return f.do("rename "+from+" -> "+to, func() error {
		if _, err := f.get(from); err != nil {
			return err
		}
		if err := errors.Join(f.writable(from), f.room(to)); err != nil {
			return err
		}
		f.rename(from, to)
		return nil
	})
}

func (f *fakeFS) Exchange(a, b string) error {
	return f.do("exchange "+a+" <-> "+b, func() error {
		if f.noSwap {
			return errors.ErrUnsupported
		}
		for _, p := range []string{a, b} {
			if _, err := f.get(p); err != nil {
				return err
			}
			if err := f.writable(p); err != nil {
				return err
			}
		}
		f.rename(a, "\x00")
		f.rename(b, a)
		f.rename("\x00", b)
		return nil
	})
}

func (f *fakeFS) SetMode(p string, mode uint32) error {
	return f.do(fmt.Sprintf("chmod %s %o", p, mode), func() error {
		n, err := f.get(p)
		if err == nil {
			n.mode = mode
		}
		return err
	})
}

func (f *fakeFS) SetMTime(p string, ns int64) error {
	return f.do("utimes "+p, func() error {
		n, err := f.get(p)
		if err == nil {
			n.mtime = ns / (f.grain * 1e6) * (f.grain * 1e6)
		}
		return err
	})
}

func (f *fakeFS) Writers(p string) (busy bool, err error) {
	err = f.do("lease "+p, func() error {
		n, err := f.get(p)
		busy = err == nil && n.writers > 0
		return err
	})
	return busy, err
}

func (f *fakeFS) Same() error { return f.do("same", func() error { return nil }) }

func (f *fakeFS) SyncFS() error {
	return f.do("syncfs", func() error {
		if f.noSync {
			return errors.ErrUnsupported
		}
		f.flush()
		return nil
	})
}

// flush makes everything durable; a fake that is synced file by file is not
// asked what a power cut leaves.
func (f *fakeFS) flush() {
	f.durable = map[string]*node{}
	for p, n := range f.nodes {
		n.flushed = n.data
		c := *n
		f.durable[p] = &c
	}
}

func (f *fakeFS) SyncFile(p string) error { return f.do("fsync "+p, func() error { return nil }) }
func (f *fakeFS) SyncDir(p string) error  { return f.do("fsync "+p+"/", func() error { return nil }) }

// revive starts the machine again after it stopped. powerCut: names that were
// not flushed are gone; torn: they are there, but what was written and not
// flushed is not.
func (f *fakeFS) revive(powerCut, torn bool) {
	if powerCut {
		f.nodes = f.durable
	}
	if torn {
		for _, n := range f.nodes {
			if n.kind == rootfs.Regular {
				n.data = n.flushed
			}
		}
	}
	f.stopAt, f.before, f.after, f.fail = -1, nil, nil, nil
}

// contents gives what files hold and symlinks say, by path, below dir.
func (f *fakeFS) contents(where func(p string) bool) map[string]bool {
	out := map[string]bool{}
	for p, n := range f.nodes {
		if n.kind != rootfs.Directory && where(p) {
			out[n.data] = true
		}
	}
	return out
}

func isLive(p string) bool    { return p != tree.Private && !strings.HasPrefix(p, tree.Private+"/") }
func isArchive(p string) bool { return strings.HasPrefix(p, Archive+"/") }
func isTmp(p string) bool     { return strings.HasPrefix(p, Staging+"/") }

func contentOf(data string) tree.ContentID {
	var c tree.ContentID
	c[0] = tree.HashBLAKE3
	sum := sha256.Sum256([]byte(data))
	copy(c[1:], sum[:])
	return c
}

func sumContent(r io.Reader, _ int64) (tree.ContentID, error) {
	var b bytes.Buffer
	_, err := b.ReadFrom(r)
	return contentOf(b.String()), err
}
