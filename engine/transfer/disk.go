package transfer

import (
	"errors"
	"io/fs"
	"os"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// Disk gives the FS of a real folder.
func Disk(r *rootfs.Root) FS { return disk{r} }

type disk struct{ root *rootfs.Root }

func (d disk) Batch() (FS, func()) {
	r, end := d.root.Batch()
	return disk{r}, end
}

func (d disk) WriteNew(path string, data []byte, mode uint32, mtime int64) error {
	return d.root.WriteNew(path, data, mode, mtime)
}

func (d disk) StartWriting(f File) {
	if file, ok := f.(*os.File); ok {
		rootfs.StartWriting(file)
	}
}

func (d disk) Open(path string) (File, tree.Stat, error) {
	f, info, err := d.root.OpenFile(path)
	if err != nil {
		return nil, tree.Stat{}, err
	}
	return f, statOf(info), nil
}

func (d disk) Create(path string) (File, error) { return opened(d.root.Create(path, 0o600)) }
func (d disk) OpenRW(path string) (File, error) { return opened(d.root.OpenRW(path)) }

// opened keeps a nil *os.File from becoming a File that is not nil.
func opened(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d disk) Lstat(path string) (tree.Stat, error) {
	info, err := d.root.Lstat(path)
	return statOf(info), err
}

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

func (d disk) Names(dir string) ([]string, error) {
	h, err := d.root.OpenDir(dir)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return h.Names()
}

func (d disk) Remove(path string) error              { return d.root.Remove(path) }
func (d disk) RenameNoReplace(from, to string) error { return d.root.RenameNoReplace(from, to) }

func (d disk) Reflink(dst, src File) error {
	a, okA := dst.(*os.File)
	b, okB := src.(*os.File)
	if !okA || !okB {
		return errors.ErrUnsupported
	}
	return d.root.Reflink(a, b)
}

func (d disk) SyncDir(path string) error {
	if err := d.root.SyncDir(path); err != nil && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

func (d disk) MakeStaging() error {
	for _, dir := range []string{tree.Private, Staging} {
		if err := d.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return err
		}
	}
	return nil
}
