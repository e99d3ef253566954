package rootfs

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"golang.org/x/sys/unix"
)

// confined works on descriptors below one directory.
type confined struct {
	fd   int // of the root; opened for reading, because syncfs wants that
	dev  uint64
	ino  uint64
	name string
	walk bool // no openat2 here: walk component by component
	fuse bool // the file system is FUSE
	sync bool // syncfs tells of errors, and of all of them

	listAt bool // attributes can be listed by directory and name

	recent *recent // set in a batch
}

func openBackend(name string) (backend, error) { return openConfined(name, false) }

func openConfined(name string, walk bool) (*confined, error) {
	fd, err := ignoringEINTR(func() (int, error) {
		return unix.Open(name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	})
	if err != nil {
		return nil, err
	}
	c := &confined{fd: fd, name: name, walk: walk || !openat2Works(fd), listAt: !walk && listxattrAtWorks(fd)}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		unix.Close(fd)
		return nil, err
	}
	c.dev, c.ino = uint64(st.Dev), st.Ino
	c.fuse = isFUSE(fd)
	c.sync = !c.fuse && syncfsTells()
	return c, nil
}

func (c *confined) close() error { return unix.Close(c.fd) }

// parent opens the directory that path's last component is in. What it gives is
// only for *at calls; done closes it. kept: it was open from before.
func (c *confined) parent(path string) (fd int, base string, kept bool, done func(), err error) {
	dir, base := split(path)
	if dir == "." {
		return c.fd, base, false, func() {}, nil
	}
	open := func() (int, error) { return c.open(dir, unix.O_PATH|unix.O_DIRECTORY, 0) }
	if c.recent != nil {
		fd, kept, err = c.recent.take(dir, open)
		return fd, base, kept, func() {}, err
	}
	if fd, err = open(); err != nil {
		return 0, "", false, nil, err
	}
	return fd, base, false, func() { unix.Close(fd) }, nil
}

// at runs one *at call on path.
func (c *confined) at(path string, f func(fd int, base string) error) error {
	for {
		fd, base, kept, done, err := c.parent(path)
		if err != nil {
			return err
		}
		err = untilDone(func() error { return f(fd, base) })
		done()
		if !kept || !errors.Is(err, unix.ENOENT) {
			return err
		}
		dir, _ := split(path)
		c.recent.forget(dir) // it may be gone, and another one stand there
	}
}

// at2 runs one *at call on two paths.
func (c *confined) at2(a, b string, f func(fda int, a string, fdb int, b string) error) error {
	return c.at(a, func(fda int, a string) error {
		return c.at(b, func(fdb int, b string) error { return f(fda, a, fdb, b) })
	})
}

func (c *confined) lstat(path string) (info Info, err error) {
	err = c.at(path, func(fd int, base string) (err error) { info, err = lstatAt(fd, base); return })
	return info, err
}

func (c *confined) openFile(path string) (f *os.File, info Info, err error) {
	err = c.at(path, func(fd int, base string) (err error) {
		f, info, err = c.openRegular(fd, base, unix.O_RDONLY, c.filename(path))
		return
	})
	return f, info, err
}

func (c *confined) openRW(path string) (f *os.File, err error) {
	err = c.at(path, func(fd int, base string) (err error) {
		var info Info
		f, info, err = c.openRegular(fd, base, unix.O_RDWR, c.filename(path))
		if err == nil && info.Nlink > 1 {
			f.Close()
			return ErrShared
		}
		return
	})
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (c *confined) filename(path string) string { return filepath.Join(c.name, path) }

// openRegular looks before it opens, because opening alone can already mean
// something to a device or to the other end of a FIFO; O_NONBLOCK and the second
// look are for what takes the file's place in between.
func (c *confined) openRegular(dir int, base string, flags int, name string) (*os.File, Info, error) {
	info, err := lstatAt(dir, base)
	if err != nil {
		return nil, Info{}, err
	}
	if info.Kind != Regular {
		return nil, Info{}, ErrNotRegular
	}
	fd, err := c.openAt(dir, base, flags|unix.O_NONBLOCK|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, Info{}, err
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	info = infoOf(base, &st)
	if err == nil && info.Kind != Regular {
		err = ErrNotRegular
	}
	if err != nil {
		unix.Close(fd)
		return nil, Info{}, err
	}
	return os.NewFile(uintptr(fd), name), info, nil
}

func (c *confined) create(path string, perm uint32) (f *os.File, err error) {
	err = c.at(path, func(fd int, base string) error {
		nfd, err := c.openAt(fd, base, unix.O_RDWR|unix.O_CREAT|unix.O_EXCL, perm)
		if err != nil {
			return err
		}
		f = os.NewFile(uintptr(nfd), c.filename(path))
		return nil
	})
	return f, err
}

func (c *confined) readlink(path string) (target string, err error) {
	err = c.at(path, func(fd int, base string) (err error) { target, err = readlinkAt(fd, base); return })
	return target, err
}

func (c *confined) mkdir(path string, perm uint32) error {
	return c.at(path, func(fd int, base string) error { return unix.Mkdirat(fd, base, perm) })
}

func (c *confined) symlink(target, path string) error {
	return c.at(path, func(fd int, base string) error { return unix.Symlinkat(target, fd, base) })
}

func (c *confined) unlink(path string) error {
	return c.at(path, func(fd int, base string) error { return unix.Unlinkat(fd, base, 0) })
}

func (c *confined) rmdir(path string) error {
	return c.at(path, func(fd int, base string) error {
		err := unix.Unlinkat(fd, base, unix.AT_REMOVEDIR)
		switch err {
		case unix.ENOTEMPTY, unix.EEXIST:
			return as(ErrNotEmpty, err)
		case unix.ENOTDIR:
			return as(ErrNotDirectory, err)
		}
		return err
	})
}

func (c *confined) rename(from, to string) error {
	return c.at2(from, to, unix.Renameat)
}

func (c *confined) renameNoReplace(from, to string) error {
	return c.rename2(from, to, unix.RENAME_NOREPLACE)
}

func (c *confined) exchange(a, b string) error {
	return c.rename2(a, b, unix.RENAME_EXCHANGE)
}

func (c *confined) rename2(from, to string, flags uint) error {
	err := c.at2(from, to, func(fda int, a string, fdb int, b string) error {
		return unix.Renameat2(fda, a, fdb, b, flags)
	})
	// EINVAL is how a file system says that it does not know the flag; that one
	// path is inside the other, which gives it too, is for the caller's check.
	if err == unix.EINVAL || err == unix.ENOSYS {
		return as(errors.ErrUnsupported, err)
	}
	return err
}

func (c *confined) link(from, to string) error {
	err := c.at2(from, to, func(fda int, a string, fdb int, b string) error {
		return unix.Linkat(fda, a, fdb, b, 0)
	})
	switch err {
	case unix.EPERM, unix.EOPNOTSUPP, unix.ENOSYS, unix.EMLINK:
		return as(errors.ErrUnsupported, err)
	}
	return err
}

// confinedDir is an open directory.
type confinedDir struct {
	c *confined // for openAt; its descriptor is not used
	f *os.File
}

func (c *confined) openDir(path string) (dirBackend, error) {
	fd, err := c.open(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return c.newDir(fd, c.filename(path))
}

// newDir refuses what openat2 lets through although nothing can be moved into
// it: a btrfs subvolume, which is no mount but has a device of its own.
func (c *confined) newDir(fd int, name string) (dirBackend, error) {
	var st unix.Stat_t
	err := unix.Fstat(fd, &st)
	if err == nil && uint64(st.Dev) != c.dev {
		err = as(ErrEscapes, unix.EXDEV)
	}
	if err != nil {
		unix.Close(fd)
		return nil, err
	}
	return &confinedDir{c, os.NewFile(uintptr(fd), name)}, nil
}

func (d *confinedDir) close() error { return d.f.Close() }

func (d *confinedDir) fd() int { return int(d.f.Fd()) }

func (d *confinedDir) info() (Info, error) {
	var st unix.Stat_t
	if err := unix.Fstat(d.fd(), &st); err != nil {
		return Info{}, err
	}
	return infoOf(filepath.Base(d.f.Name()), &st), nil
}

func (d *confinedDir) names() ([]string, error) {
	if _, err := d.f.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	names, err := d.f.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	return names, nil
}

func (d *confinedDir) lstat(name string) (info Info, err error) {
	err = untilDone(func() (err error) { info, err = lstatAt(d.fd(), name); return })
	return info, err
}

func (d *confinedDir) openDir(name string) (dirBackend, error) {
	fd, err := d.c.openAt(d.fd(), name, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return nil, err
	}
	return d.c.newDir(fd, filepath.Join(d.f.Name(), name))
}

func (d *confinedDir) openFile(name string) (f *os.File, info Info, err error) {
	err = untilDone(func() (err error) {
		f, info, err = d.c.openRegular(d.fd(), name, unix.O_RDONLY, filepath.Join(d.f.Name(), name))
		return
	})
	return f, info, err
}

func (d *confinedDir) readlink(name string) (target string, err error) {
	err = untilDone(func() (err error) { target, err = readlinkAt(d.fd(), name); return })
	return target, err
}
