package apply

import (
	"errors"
	"io"
	"io/fs"

	"pinion/platform/rootfs"
)

// Disk gives the FS of a real folder.
func Disk(r *rootfs.Root) FS { return disk{r} }

type disk struct{ *rootfs.Root }

func (d disk) Batch() (FS, func()) {
	r, end := d.Root.Batch()
	return disk{r}, end
}

func (d disk) Open(path string) (io.ReadCloser, error) {
	f, _, err := d.OpenFile(path)
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (d disk) Names(dir string) ([]string, error) {
	h, err := d.OpenDir(dir)
	if err != nil {
		return nil, err
	}
	defer h.Close()
	return h.Names()
}

func (d disk) WriteNew(path string, data []byte) error {
	f, err := d.Create(path, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (d disk) SyncFile(path string) error {
	info, err := d.Lstat(path)
	if err != nil || info.Kind != rootfs.Regular {
		return err
	}
	if info.Mode&0o600 != 0o600 {
		return d.syncReadOnly(path)
	}
	f, err := d.OpenRW(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// syncReadOnly: fsync through a descriptor for reading works on Unix; Windows
// refuses, and there no file is read-only by its mode bits.
func (d disk) syncReadOnly(path string) error {
	f, _, err := d.OpenFile(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

func (d disk) SyncDir(path string) error {
	err := d.Root.SyncDir(path)
	if errors.Is(err, errors.ErrUnsupported) || errors.Is(err, fs.ErrNotExist) {
		return nil // nothing better is to be had; a directory that has gone needs none
	}
	return err
}
