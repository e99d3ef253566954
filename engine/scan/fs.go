package scan

import (
	"io/fs"

	"pinion/platform/rootfs"
)

// FS is what a scan reads of the disk.
type FS interface {
	OpenDir(path string) (Dir, error)
}

// Dir is an open directory. Names gives all names, sorted bytewise, or an
// error.
type Dir interface {
	Info() (rootfs.Info, error)
	Names() ([]string, error)
	Lstat(name string) (rootfs.Info, error)
	OpenDir(name string) (Dir, error)
	OpenFile(name string) (fs.File, rootfs.Info, error)
	Readlink(name string) (string, error)
	Close() error
}

// Disk makes an FS of a folder's confined handle.
func Disk(r *rootfs.Root) FS { return disk{r} }

type disk struct{ r *rootfs.Root }

func (d disk) OpenDir(path string) (Dir, error) {
	dir, err := d.r.OpenDir(path)
	if err != nil {
		return nil, err
	}
	return diskDir{dir}, nil
}

type diskDir struct{ *rootfs.Dir }

func (d diskDir) OpenDir(name string) (Dir, error) {
	dir, err := d.Dir.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return diskDir{dir}, nil
}

func (d diskDir) OpenFile(name string) (fs.File, rootfs.Info, error) {
	f, info, err := d.Dir.OpenFile(name)
	if err != nil {
		return nil, info, err
	}
	return f, info, nil
}
