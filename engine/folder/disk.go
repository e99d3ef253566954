package folder

import (
	"context"
	"errors"
	"io"

	"pinion/engine/apply"
	"pinion/engine/scan"
	"pinion/engine/transfer"
	"pinion/platform/drive"
	"pinion/platform/rootfs"
	"pinion/platform/watch"
)

// Disk is the open handle to where a folder lives, as its rooms need it. Paths
// and errors are those of rootfs.
type Disk interface {
	Name() string // absolute, without symlinks
	Probe() (rootfs.Capabilities, error)
	Lstat(path string) (rootfs.Info, error)
	Mkdir(path string, perm uint32) error
	ReadFile(path string, most int64) ([]byte, error) // a regular file's first bytes
	Scan() scan.FS
	Apply() apply.FS
	Transfer() transfer.FS
	Close() error
}

// Watcher tells where something may have changed on a folder's disk. It keeps
// the promises of watch.Watcher.
type Watcher interface {
	Ready() <-chan struct{}
	Take(ctx context.Context) (watch.Hints, error)
	Warning() error
	Refresh()
	Close() error
}

// Machine opens what a folder stands on. The zero value is this computer.
type Machine struct {
	OpenDisk func(dir string) (Disk, error)
	Watch    func(dir string, o watch.Options) (Watcher, error)
	Space    func(dir string) (drive.Space, error)
}

func (m Machine) openDisk(dir string) (Disk, error) {
	if m.OpenDisk != nil {
		return m.OpenDisk(dir)
	}
	r, err := rootfs.Open(dir)
	if err != nil {
		return nil, err
	}
	return disk{r}, nil
}

func (m Machine) watch(dir string, o watch.Options) (Watcher, error) {
	if m.Watch != nil {
		return m.Watch(dir, o)
	}
	w, err := watch.Open(dir, o)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (m Machine) space(dir string) (drive.Space, error) {
	if m.Space != nil {
		return m.Space(dir)
	}
	return drive.Room(dir)
}

// disk is a real one.
type disk struct{ *rootfs.Root }

func (d disk) Scan() scan.FS                      { return scan.Disk(d.Root) }
func (d disk) BatchAttrs() (apply.AttrFS, func()) { return d.Batch() }

func (d disk) Apply() apply.FS       { return crashApply(apply.Disk(d.Root)) }
func (d disk) Transfer() transfer.FS { return crashTransfer(transfer.Disk(d.Root)) }

func (d disk) ReadFile(path string, most int64) ([]byte, error) {
	f, info, err := d.OpenFile(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b := make([]byte, min(most, info.Size))
	n, err := io.ReadFull(f, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // it was cut since
	}
	return b[:n], err
}
