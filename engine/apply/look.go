package apply

import (
	"errors"
	"fmt"
	"io/fs"
	"time"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// coarse is the grain of mtimes from which on two saves by a person may carry
// the same one. young is how long after an mtime another save may still get it.
const (
	coarse = 100 * time.Millisecond
	young  = 2 * time.Second
)

// What stands is not what the index says.
var (
	errChanged = errors.New("it was changed since it was last looked at")
	errGone    = errors.New("it is not there any more")
	errUnseen  = errors.New("something stands there that nobody had seen")
)

// statOf is an lstat as the index keeps it.
func statOf(i rootfs.Info) tree.Stat {
	s := tree.Stat{Size: i.Size, MTime: i.MTime, Mode: i.Mode, Inode: i.Inode}
	switch i.Kind {
	case rootfs.Regular:
		s.Kind = tree.File
	case rootfs.Directory:
		s.Kind = tree.Dir
	case rootfs.Symlink:
		s.Kind = tree.Symlink
	}
	return s
}

// same says whether a and b are lstats of the same unchanged thing. Of a
// directory only the kind and the mode count: its size and mtime move with what
// is in it.
func (a *Applier) same(x, y tree.Stat) bool {
	if x.Kind != y.Kind || x.Kind == 0 || x.Mode != y.Mode {
		return false
	}
	if x.Kind == tree.Dir {
		return true
	}
	return x.Size == y.Size && x.MTime == y.MTime && (!a.caps.Inodes || x.Inode == y.Inode)
}

// look says whether what stands at path, live or displaced, is what was says:
// nil, or errChanged, or why it can't be known. Of a file whose mtime does not
// prove it, the content is read.
func (a *Applier) look(path string, was tree.Record) (tree.Stat, error) {
	info, err := a.fs.Lstat(path)
	if err != nil {
		return tree.Stat{}, fmt.Errorf("look: %w", err)
	}
	now := statOf(info)
	if !a.same(now, was.Disk) {
		return now, errChanged
	}
	switch {
	case now.Kind == tree.Symlink:
		target, err := a.fs.Readlink(path)
		if err != nil {
			return now, fmt.Errorf("look: %w", err)
		}
		if target != was.Target {
			return now, errChanged
		}
	case now.Kind == tree.File && a.doubtful(now.MTime):
		return now, a.read(path, now, was.Content)
	}
	return now, nil
}

// doubtful says whether a file with this mtime may have been written again
// without a sign of it in its lstat.
func (a *Applier) doubtful(mtime int64) bool {
	return a.caps.MTimeGrain >= coarse || mtime > a.o.Now().Add(-young-2*a.caps.MTimeGrain).UnixNano()
}

// read says whether the file at path holds content, and still has the lstat now.
func (a *Applier) read(path string, now tree.Stat, content tree.ContentID) error {
	if a.o.Content == nil {
		return errors.New("it was written too lately to be sure of its content")
	}
	f, err := a.fs.Open(path)
	if err != nil {
		return fmt.Errorf("look: %w", err)
	}
	got, err := a.o.Content(f, now.Size)
	if err = errors.Join(err, f.Close()); err != nil {
		return fmt.Errorf("look: %w", err)
	}
	info, err := a.fs.Lstat(path)
	if err != nil {
		return fmt.Errorf("look: %w", err)
	}
	if got != content || !a.same(statOf(info), now) {
		return errChanged
	}
	return nil
}

// busy says whether somebody has the file open for writing, where that can be
// known.
func (a *Applier) busy(path string) bool {
	if !a.caps.Lease {
		return false
	}
	busy, err := a.fs.Writers(path)
	return err == nil && busy
}

// absent says whether nothing stands at path.
func (a *Applier) absent(path string) (bool, error) {
	_, err := a.fs.Lstat(path)
	if isAbsent(err) {
		return true, nil
	}
	return false, err
}

func isAbsent(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, rootfs.ErrNotDirectory)
}
