package scan

import (
	"errors"
	"io"
	"io/fs"
	"time"
	"unicode/utf8"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

const (
	// tick is the coarseness of a kernel's clock for mtimes (HZ=100), whatever
	// the file system could keep.
	tick = 10 * time.Millisecond
	// unbatched is the size from which what waits is handed out before a file is
	// read.
	unbatched = 8 << 20
	// Modes where the file system keeps none.
	plainFile, plainDir = 0o644, 0o755
)

// compare tells the difference, if there is one, between what stands at path
// and its live row (nil: there seemed to be none).
func (r *run) compare(d Dir, name string, path tree.Path, info rootfs.Info, row *tree.Record) error {
	kin := r.kin
	r.kin, r.came = nil, nil
	switch info.Kind {
	case rootfs.Directory:
		r.sum.Dirs++
	case rootfs.Symlink:
		r.sum.Symlinks++
	default:
		r.sum.Files++
		r.sum.Bytes += info.Size
	}
	if row != nil && r.unchanged(row, info) && r.sameCTime(row, info) {
		return nil
	}
	seen := r.attrs(d, name, info)
	if seen.sum == tooMany {
		r.manyAttrs(path)
	}
	if row != nil && r.asItWas(row, info, seen) {
		r.undressed(path, row, seen)
		if !r.undated(row, info) {
			return nil
		}
	}
	var based uint64
	if r.known && (kin == nil || !kin.fresh) {
		// The row may have been written since the walk read it, or be a tombstone,
		// which the walk does not show.
		rec, found, err := r.o.Index.Get(r.ctx, path)
		if err != nil {
			return indexError(err)
		}
		row, based = nil, rec.Seq
		if found && rec.Exists() {
			if row = &rec; r.asItWas(row, info, seen) && !r.undated(row, info) {
				return nil
			}
		}
	}
	c := Change{Path: path, BasedOn: based, Disk: r.stat(info), Now: r.entry(path, info, row)}
	c.Disk.Attrs = seen.sum
	r.date(&c.Disk, info, seen)
	var err error
	if row == nil {
		if c.Was = r.kinOf(kin, info); c.Was != nil {
			c.From, c.Along = c.Was.Path, true
		}
	}
	if c.Now, err = r.withAttrs(c.Now, row, seen); err != nil {
		r.manyAttrs(path)
	}
	switch info.Kind {
	case rootfs.Directory:
		return r.directory(info, row, c)
	case rootfs.Symlink:
		return r.symlink(d, name, c)
	}
	return r.file(d, name, info, row, c)
}

// stat is the part of info that an index row keeps.
func (r *run) stat(info rootfs.Info) tree.Stat {
	s := tree.Stat{Kind: kindOf(info.Kind), Mode: info.Mode, Inode: info.Inode}
	if s.Kind != tree.Dir {
		s.Size, s.MTime = info.Size, info.MTime
	}
	return s
}

func kindOf(k rootfs.Kind) tree.Kind {
	switch k {
	case rootfs.Directory:
		return tree.Dir
	case rootfs.Symlink:
		return tree.Symlink
	}
	return tree.File
}

// sameCTime says whether nothing at all was done to a file since it was looked at,
// its attributes included, and nothing is to be said about those.
func (r *run) sameCTime(row *tree.Record, info rootfs.Info) bool {
	was := &row.Disk
	return r.o.Caps.CTimeGrain != 0 && was.CTime != 0 && was.CTime == info.CTime && info.Kind == rootfs.Regular &&
		was.Looked == uint8(r.o.Attrs) && was.Attrs != tooMany && was.Attrs == row.Attrs.Sum()
}

// touched says whether a file of the same inode, size and mtime had something done
// to it since it was looked at. Where neither its mode nor its attributes tell what
// that was, the content may have been edited, and the mtime put back.
func (r *run) touched(row *tree.Record, info rootfs.Info) bool {
	return r.o.Caps.CTimeGrain != 0 && row.Disk.CTime != 0 && row.Disk.CTime != info.CTime && info.Kind == rootfs.Regular
}

// asItWas says whether a row needs no other by what was seen.
func (r *run) asItWas(row *tree.Record, info rootfs.Info, seen seenAttrs) bool {
	return r.unchanged(row, info) && r.sameAttrs(row.Disk, seen) && !r.touched(row, info)
}

// undated says whether a full scan may give a row the ctime that it lacks, so that
// the next one is quicker.
func (r *run) undated(row *tree.Record, info rootfs.Info) bool {
	s := r.stat(info)
	return r.whole && (row.Disk.CTime == 0 || row.Disk.Looked != uint8(r.o.Attrs)) && r.date(&s, info, seenAttrs{known: true})
}

// date notes a ctime: one that is old enough for every later change to get another,
// and of which attributes are known that were looked at afterwards.
func (r *run) date(s *tree.Stat, info rootfs.Info, seen seenAttrs) bool {
	grain := r.o.Caps.CTimeGrain
	if s.Kind != tree.File || grain == 0 || info.CTime == 0 || !seen.known && r.o.Attrs != 0 || r.asOf.Sub(time.Unix(0, info.CTime)) < grain {
		return false
	}
	s.CTime, s.Looked = info.CTime, uint8(r.o.Attrs)
	return true
}

// unchanged says whether a row needs no other: its lstat is the present one, and of
// a thing of the row's kind.
func (r *run) unchanged(row *tree.Record, info rootfs.Info) bool {
	return row.Kind == row.Disk.Kind && r.same(row.Disk, info)
}

// same says whether lstat still gives what it gave when the row was written. Of
// a directory only the mode counts: its size, mtime and inode are not synced.
func (r *run) same(was tree.Stat, info rootfs.Info) bool {
	if was.Kind != kindOf(info.Kind) {
		return false
	}
	if r.o.Caps.ExecBit && was.Kind != tree.Symlink && was.Mode != info.Mode {
		return false
	}
	return was.Kind == tree.Dir || r.untouched(was, info)
}

// untouched says whether the content can't have changed.
func (r *run) untouched(was tree.Stat, info rootfs.Info) bool {
	return was.Kind == kindOf(info.Kind) && was.Size == info.Size && was.MTime == info.MTime &&
		(was.Inode == info.Inode || !r.o.Caps.Inodes)
}

// entry is what stands at path, but for its content. Where the disk says of mode
// or mtime what it said when the row was written, the row's own value stays: the
// disk may not be able to hold it.
func (r *run) entry(path tree.Path, info rootfs.Info, row *tree.Record) tree.Entry {
	e := tree.Entry{Path: path, Kind: kindOf(info.Kind), MTime: info.MTime, Mode: info.Mode}
	if !r.o.Caps.ExecBit {
		e.Mode = plainFile
		if e.Kind == tree.Dir {
			e.Mode = plainDir
		}
	}
	if row != nil && row.Kind == e.Kind {
		e.Base, e.Conflict = row.Base, row.Conflict
		if row.Disk.MTime == info.MTime {
			e.MTime = row.MTime
		}
		if row.Disk.Mode == info.Mode || !r.o.Caps.ExecBit {
			e.Mode = row.Mode
		}
	}
	switch e.Kind {
	case tree.File:
		e.Size = info.Size
	case tree.Dir:
		e.MTime = 0
	case tree.Symlink:
		e.Mode = 0
	}
	return e
}

func (r *run) symlink(d Dir, name string, c Change) error {
	target, err := d.Readlink(name)
	switch {
	case err != nil:
		r.changing(c.Path, err)
		return nil
	case len(target) > tree.MaxTarget:
		r.problem(string(c.Path), "is a symlink whose target is longer than 4096 bytes, which can't be synced. Make it shorter.")
		return nil
	case target == "" || !utf8.ValidString(target):
		r.problem(string(c.Path), "is a symlink whose target is not UTF-8, which can't be synced. Make it anew with another target.")
		return nil
	}
	c.Now.Target = target
	if c.Was != nil && c.Was.Target != target {
		c.From, c.Was, c.Along = "", nil, false
	}
	return r.add(c)
}

// directory tells of a directory, and of where it came from if it is new here.
func (r *run) directory(info rootfs.Info, row *tree.Record, c Change) (err error) {
	if row == nil && c.Was == nil {
		if c.Was, err = r.whence(c.Path, info); err != nil {
			return err
		}
		if c.Was != nil {
			c.From = c.Was.Path
		}
	}
	if err := r.add(c); err != nil {
		return err
	}
	if c.Was != nil {
		r.came = &c
	}
	return nil
}

// changing tells of something that could not be read although it was there a
// moment ago.
func (r *run) changing(path tree.Path, err error) {
	if absent(err) || errors.Is(err, rootfs.ErrNotRegular) || errors.Is(err, rootfs.ErrEscapes) || errors.Is(err, fs.ErrInvalid) {
		r.unstable(path)
		return
	}
	r.unreadable(string(path), err)
}

// file finds a changed or new file's content: from its row, from the row of the
// file that it was, or by reading it.
func (r *run) file(d Dir, name string, info rootfs.Info, row *tree.Record, c Change) error {
	var from *tree.Record
	if row != nil && row.Kind == tree.File && r.untouched(row.Disk, info) {
		if !r.touched(row, info) || c.Disk.Mode != row.Disk.Mode || c.Disk.Attrs != row.Disk.Attrs {
			c.Now.Content, c.Sealed = row.Content, row.Sealed
			return r.add(c)
		}
	} else if from = c.Was; from == nil {
		var err error
		if from, err = r.twin(c.Path, info); err != nil {
			return err
		}
	}
	if from != nil {
		c.Was = from
		c.From, c.Now.Content, c.Now.MTime = from.Path, from.Content, from.MTime
		c.Sealed = from.Sealed
		if row == nil || row.Kind != tree.File {
			c.Now.Base = from.Base
		}
		if from.Disk.Mode == info.Mode || !r.o.Caps.ExecBit {
			c.Now.Mode = from.Mode
		}
		if from.Disk.Attrs == c.Disk.Attrs {
			c.Now.Attrs = from.Attrs
		}
		return r.add(edited(c, row))
	}
	if r.inline > 0 && info.Size > r.inline && len(r.sum.Deferred) < MaxDeferred {
		r.sum.Deferred = append(r.sum.Deferred, c.Path)
		return nil
	}
	return r.read(d, name, info, row, c)
}

// edited notes which content the new one was edited from.
func edited(c Change, row *tree.Record) Change {
	if row != nil && row.Kind == tree.File && row.Content != c.Now.Content {
		c.Now.Base = row.Content
	}
	return c
}

// twin finds the live row of the file that stands at path now, under another
// path. Where mtimes are coarse, inode, size and mtime are no proof.
func (r *run) twin(path tree.Path, info rootfs.Info) (*tree.Record, error) {
	grain := r.o.Caps.MTimeGrain
	if !r.known || !r.o.Caps.Inodes || info.Inode == 0 || grain == 0 || grain > tick {
		return nil, nil
	}
	found, err := r.o.Index.ByInode(r.ctx, info.Inode, 8)
	if err != nil {
		return nil, indexError(err)
	}
	for i := range found {
		if f := &found[i]; f.Exists() && f.Path != path && f.Kind == tree.File && r.untouched(f.Disk, info) {
			return f, nil
		}
	}
	return nil, nil
}

// read reads the content of a file that holds still.
func (r *run) read(d Dir, name string, info rootfs.Info, row *tree.Record, c Change) error {
	if info.Size >= unbatched {
		if err := r.flush(); err != nil {
			return err
		}
	}
	f, opened, err := d.OpenFile(name)
	if err != nil {
		r.changing(c.Path, err)
		return nil
	}
	defer f.Close()
	if !r.still(info, opened) {
		r.unstable(c.Path)
		return nil
	}
	m, id, calm, err := r.hash(f, opened, row, c.Path)
	if cerr := r.ctx.Err(); cerr != nil {
		return cerr
	}
	after, lerr := d.Lstat(name)
	if lerr != nil || !calm || !r.still(info, after) {
		r.unstable(c.Path)
		return nil
	}
	if err != nil {
		r.unreadable(string(c.Path), err)
		return nil
	}
	r.sum.HashedFiles++
	c.Now.Content, c.Manifest = id, m
	c.Sealed = r.o.Sealed(r.head)
	if r.young(info) {
		c.Disk.MTime = 0
		r.unstable(c.Path)
	}
	return r.add(edited(c, row))
}

// still says whether nobody has touched the file between two looks at it.
func (r *run) still(a, b rootfs.Info) bool {
	return a.Kind == b.Kind && a.Size == b.Size && a.MTime == b.MTime && (a.Inode == b.Inode || !r.o.Caps.Inodes)
}

// young says whether a write that came after ours could have got the same mtime.
func (r *run) young(info rootfs.Info) bool {
	age := r.o.Now().Sub(time.Unix(0, info.MTime))
	return age >= -tick && age < max(tick, r.o.Caps.MTimeGrain)
}

// hash reads a file that is open and looked like opened. calm: it did not change
// meanwhile, as far as the file itself tells.
func (r *run) hash(f fs.File, opened rootfs.Info, row *tree.Record, path tree.Path) (m tree.Manifest, id tree.ContentID, calm bool, err error) {
	r.head = r.head[:0]
	from := &counted{r: r, from: f}
	known := row != nil && row.Exists() && row.Kind == tree.File
	if r.o.Large != nil && opened.Size >= r.o.LargeFrom && !(known && row.Size == opened.Size) {
		var base tree.ContentID
		if known {
			base = row.Content
		}
		as := tree.Stat{Kind: tree.File, Size: opened.Size, MTime: opened.MTime, Inode: opened.Inode}
		m, id, err = r.o.Large(r.ctx, from, path, as, base)
	} else {
		m, id, err = r.o.Hash(r.ctx, from, opened.Size)
	}
	if r.o.Caps.Inodes {
		return m, id, true, err // the look at the name that follows is of this very file
	}
	after, serr := f.Stat()
	calm = serr == nil && after.Size() == opened.Size && after.ModTime().UnixNano() == opened.MTime
	return m, id, calm, err
}

// counted reads a file for as long as the scan is wanted.
type counted struct {
	r    *run
	from io.Reader
	told int64
}

func (c *counted) Read(p []byte) (int, error) {
	if err := c.r.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := c.from.Read(p)
	if more := SealedHead - len(c.r.head); more > 0 {
		c.r.head = append(c.r.head, p[:min(n, more)]...)
	}
	c.r.sum.HashedBytes += int64(n)
	if c.told += int64(n); c.told >= 4<<20 {
		c.told = 0
		c.r.o.Progress(c.r.progress())
	}
	return n, err
}
