package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"
)

// Capabilities is what a root's file system was seen to do.
type Capabilities struct {
	Exchange      bool          // Exchange swaps
	NoReplace     bool          // RenameNoReplace has no window (see there)
	HardLink      bool          // Link works
	Reflink       bool          // Reflink works
	Lease         bool          // Writers tells
	CaseSensitive bool          // "a" and "A" are two files
	UnicodeExact  bool          // the NFC and the NFD form of a name are two files
	OddNames      bool          // names that Windows has not, and all Unicode, are kept as they are, up to 255 bytes
	ExecBit       bool          // permission bits are kept
	Symlinks      bool          // Symlink works
	Inodes        bool          // Info.Inode belongs to the file: it stays through a rename
	Xattrs        bool          // user.* attributes are kept
	ACLs          bool          // POSIX access control lists are kept
	MTimeGrain    time.Duration // the coarseness of modification times; 0: they can't be set
	CTimeGrain    time.Duration // a change moves Info.CTime if that was this old at the last look; 0: not to be relied on
	FSType        string        // for people; "fuse" for all of FUSE, "" where it isn't told
}

const (
	probeParent = private + "/tmp"
	probeTries  = 100
)

// probe is one run of Probe in a directory of its own.
type probe struct {
	r    *Root
	dir  string
	caps Capabilities
}

// Probe tries out what the file system can do, in a new directory below
// ".pinion/tmp" that it removes again. ".pinion" has to be there (fs.ErrNotExist):
// nothing is written to a root that is not a folder of ours. What a test meets
// unexpectedly (a full disk, a read-only one) is an error; what is only missing
// is a capability that is false. The root remembers what it can't do.
func (r *Root) Probe() (Capabilities, error) {
	dir, err := r.makeProbeDir()
	if err != nil {
		return Capabilities{}, fmt.Errorf("probe: %w", err)
	}
	p := &probe{r: r, dir: dir}
	err = p.run()
	if cerr := p.clear(); err == nil {
		err = cerr
	}
	if err != nil {
		return Capabilities{}, fmt.Errorf("probe: %w", err)
	}
	r.noExchange.Store(!p.caps.Exchange)
	r.noNoReplace.Store(!p.caps.NoReplace)
	return p.caps, nil
}

func (r *Root) makeProbeDir() (string, error) {
	if err := r.Mkdir(probeParent, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", err
	}
	var err error
	for i := range probeTries {
		dir := fmt.Sprintf("%s/probe-%d", probeParent, i)
		if err = r.Mkdir(dir, 0o700); !errors.Is(err, fs.ErrExist) {
			return dir, err
		}
	}
	return "", err
}

func (p *probe) run() error {
	p.caps.FSType = p.r.b.fsType()
	for _, test := range []func() error{
		p.exchange, p.noReplace, p.hardLink, p.reflink, p.lease, p.names, p.oddNames, p.mode, p.attrs, p.symlink, p.inode, p.mtime, p.ctime,
	} {
		if err := test(); err != nil {
			return err
		}
		if err := p.empty(); err != nil {
			return err
		}
	}
	return nil
}

// empty removes everything in the probe's directory; clear, the directory too.
func (p *probe) empty() error {
	d, err := p.r.OpenDir(p.dir)
	if err != nil {
		return err
	}
	defer d.Close()
	names, err := d.Names()
	if err != nil {
		return err
	}
	for _, name := range names {
		if err := p.r.Remove(p.dir + "/" + name); err != nil {
			return err
		}
	}
	return nil
}

func (p *probe) clear() error {
	if err := p.empty(); err != nil {
		return err
	}
	return p.r.RemoveDir(p.dir)
}

// file makes a file that holds its own name.
func (p *probe) file(name string) (string, error) {
	path := p.dir + "/" + name
	f, err := p.r.Create(path, 0o644)
	if err != nil {
		return "", err
	}
	_, err = f.WriteString(name)
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return path, err
}

func (p *probe) two() (a, b string, err error) {
	if a, err = p.file("a"); err != nil {
		return "", "", err
	}
	b, err = p.file("bb")
	return a, b, err
}

func (p *probe) content(path string) string {
	f, _, err := p.r.OpenFile(path)
	if err != nil {
		return ""
	}
	defer f.Close()
	b := make([]byte, 16)
	n, _ := f.Read(b)
	return string(b[:n])
}

func (p *probe) exchange() error {
	a, b, err := p.two()
	if err != nil {
		return err
	}
	err = p.r.do2("exchange", a, b, p.r.b.exchange)
	p.caps.Exchange = err == nil && p.content(a) == "bb" && p.content(b) == "a"
	return nil
}

func (p *probe) noReplace() error {
	a, b, err := p.two()
	if err != nil {
		return err
	}
	native := func(from, to string) error { return p.r.do2("rename", from, to, p.r.b.renameNoReplace) }
	refused := errors.Is(native(a, b), fs.ErrExist) && p.content(a) == "a" && p.content(b) == "bb"
	p.caps.NoReplace = refused && native(a, p.dir+"/c") == nil && p.content(p.dir+"/c") == "a"
	return nil
}

func (p *probe) hardLink() error {
	a, err := p.file("a")
	if err != nil {
		return err
	}
	p.caps.HardLink = p.r.Link(a, p.dir+"/b") == nil && p.content(p.dir+"/b") == "a"
	return nil
}

func (p *probe) reflink() error {
	a, err := p.file("a")
	if err != nil {
		return err
	}
	src, _, err := p.r.OpenFile(a)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := p.r.Create(p.dir+"/b", 0o644)
	if err != nil {
		return err
	}
	defer dst.Close()
	p.caps.Reflink = p.r.Reflink(dst, src) == nil && p.content(p.dir+"/b") == "a"
	return nil
}

func (p *probe) lease() error {
	a, err := p.file("a")
	if err != nil {
		return err
	}
	w, err := p.r.OpenRW(a)
	if err != nil {
		return err
	}
	busy, err := p.r.Writers(a)
	if cerr := w.Close(); cerr != nil {
		return cerr
	}
	// A process that is being started holds a copy of w for a moment; then the
	// answer is still "busy", which says that leases work.
	p.caps.Lease = err == nil && busy
	return nil
}

func (p *probe) names() error {
	a, err := p.file("Caf\u00e9")
	if err != nil {
		return err
	}
	absent := func(path string) bool {
		_, err := p.r.Lstat(path)
		return errors.Is(err, fs.ErrNotExist)
	}
	p.caps.CaseSensitive = absent(strings.Replace(a, "Caf\u00e9", "caf\u00e9", 1))
	p.caps.UnicodeExact = absent(strings.Replace(a, "Caf\u00e9", "Cafe\u0301", 1))
	return nil
}

func (p *probe) oddNames() error {
	p.caps.OddNames = true
	for _, name := range []string{`<a:b"|?*\\>`, "dot.", "space ", "aux.txt", "\U0001f642", strings.Repeat("n", 255)} {
		p.caps.OddNames = p.caps.OddNames && p.r.holdsName(p.dir, name) == nil
	}
	return nil
}

// HoldsName says whether the disk can hold a file of this name, by making one in
// ".pinion/tmp" for a moment: nil, or the system's error, or fs.ErrInvalid where it
// is kept under another name.
func (r *Root) HoldsName(name string) error {
	dir, err := r.makeProbeDir()
	if err != nil {
		return fmt.Errorf("try a name: %w", err)
	}
	err = r.holdsName(dir, name)
	if rerr := r.RemoveDir(dir); err == nil {
		err = rerr
	}
	return err
}

func (r *Root) holdsName(dir, name string) error {
	f, err := r.Create(dir+"/"+name, 0o600)
	if errors.Is(err, fs.ErrNotExist) {
		return wrap("make", dir+"/"+name, as(fs.ErrInvalid, err)) // which is how exfat-fuse refuses a character
	}
	if err != nil {
		return err
	}
	err = f.Close()
	d, derr := r.OpenDir(dir)
	if err == nil {
		err = derr
	}
	if derr == nil {
		names, nerr := d.Names()
		if err == nil {
			err = nerr
		}
		if err == nil && !slices.Contains(names, name) {
			err = wrap("keep the name of", dir+"/"+name, fs.ErrInvalid)
		}
		d.Close()
	}
	if rerr := r.Remove(dir + "/" + name); err == nil {
		err = rerr
	}
	return err
}

func (p *probe) mode() error {
	a, err := p.file("a")
	if err != nil {
		return err
	}
	p.caps.ExecBit = true
	for _, mode := range []uint32{0o751, 0o640} {
		err := p.r.SetMode(a, mode)
		i, lerr := p.r.Lstat(a)
		if lerr != nil {
			return lerr
		}
		p.caps.ExecBit = p.caps.ExecBit && err == nil && i.Mode == mode
	}
	return nil
}

func (p *probe) attrs() error {
	a, err := p.file("a")
	if err != nil {
		return err
	}
	kept := func(x Attr) bool {
		kind := kindOfAttr(x.Name)
		if p.r.SetAttrs(a, []Attr{x}, kind) != nil {
			return false
		}
		list, err := p.r.Attrs(a, kind)
		return err == nil && len(list) == 1 && list[0] == x
	}
	p.caps.Xattrs = kept(Attr{notes + "pinion.probe", "1"})
	p.caps.ACLs = kept(Attr{aclAccess, "user::rw-,user:#0:r--,group::r--,mask::r--,other::---"}) ||
		kept(Attr{aclAccess, "user::rw-,user:root:r--,group::r--,mask::r--,other::---"})
	return nil
}

func (p *probe) symlink() error {
	link := p.dir + "/link"
	if p.r.Symlink("to/nowhere", link) == nil {
		target, err := p.r.Readlink(link)
		p.caps.Symlinks = err == nil && target == "to/nowhere"
	}
	return nil
}

func (p *probe) inode() error {
	a, err := p.file("a")
	if err != nil {
		return err
	}
	before, err := p.r.Lstat(a)
	if err != nil {
		return err
	}
	b := p.dir + "/b"
	if err := p.r.RenameNoReplace(a, b); err != nil {
		return err
	}
	after, err := p.r.Lstat(b)
	if err != nil {
		return err
	}
	p.caps.Inodes = before.Inode != 0 && before.Inode == after.Inode
	if p.caps.Inodes && p.caps.FSType == "fuse" {
		p.caps.Inodes = p.linksShareInode(b, after.Inode)
	}
	return nil
}

// linksShareInode: a FUSE file system that makes numbers up as it goes gives a
// file's two names two numbers; one without hard links is not trusted.
func (p *probe) linksShareInode(path string, inode uint64) bool {
	second := p.dir + "/second"
	if p.r.Link(path, second) != nil {
		return false
	}
	i, err := p.r.Lstat(second)
	return err == nil && i.Inode == inode
}

// oddTime is odd in every unit that file systems round to.
const oddTime = int64(1_000_000_001_123_456_789)

func (p *probe) mtime() error {
	a, err := p.file("a")
	if err != nil {
		return err
	}
	if p.r.SetMTime(a, oddTime) != nil {
		return nil
	}
	i, err := p.r.Lstat(a)
	if err != nil {
		return err
	}
	p.caps.MTimeGrain = grainOf(oddTime, i.MTime)
	return nil
}

// Coarse clocks of kernels tick every 1 to 10 ms.
const (
	clockTick   = 10 * time.Millisecond
	ctimeLooks  = 8
	ctimeWait   = 3 * clockTick
	ctimeStrays = 100 * time.Millisecond // by which the file system's clock may differ from ours
)

// ctime looks whether CTime tells of each change, by a clock that is ours, and
// stays out of the reach of who sets the mtime. Kernels from 6.13 on give a change
// that comes after a look another time in any case; before, the clock has to have
// ticked.
func (p *probe) ctime() error {
	if !p.caps.ExecBit || p.caps.MTimeGrain == 0 || p.caps.MTimeGrain > clockTick {
		return nil
	}
	a, err := p.file("a")
	if err != nil {
		return err
	}
	if err := p.r.SetMTime(a, oddTime); err != nil {
		return err
	}
	now := func() (int64, error) {
		i, err := p.r.Lstat(a)
		return i.CTime, err
	}
	last, err := now()
	if off := time.Since(time.Unix(0, last)); err != nil || off < -ctimeStrays || off > ctimeStrays {
		return err
	}
	ticks, mode := 0, uint32(0o600)
	for began := time.Now(); ticks < ctimeLooks && time.Since(began) < ctimeWait; {
		mode ^= 0o100
		if err := p.r.SetMode(a, mode); err != nil {
			return err
		}
		next, err := now()
		if err != nil {
			return err
		}
		switch {
		case next > last:
			ticks++
			p.caps.CTimeGrain = max(p.caps.CTimeGrain, 1)
		case next == last:
			p.caps.CTimeGrain = max(p.caps.CTimeGrain, clockTick)
			time.Sleep(time.Millisecond)
		default:
			p.caps.CTimeGrain = 0
			return nil
		}
		last = next
	}
	if ticks == 0 {
		p.caps.CTimeGrain = 0
	}
	return nil
}

// grainOf is the finest grain by which set became got.
func grainOf(set, got int64) time.Duration {
	off := max(set-got, got-set)
	for _, g := range []time.Duration{1, 100, time.Microsecond, time.Millisecond, 10 * time.Millisecond, time.Second} {
		if off < int64(g) && got%int64(g) == 0 {
			return g
		}
	}
	return 2 * time.Second
}
