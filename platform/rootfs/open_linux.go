package rootfs

import (
	"strings"

	"golang.org/x/sys/unix"
)

const resolve = unix.RESOLVE_BENEATH | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_MAGICLINKS

// openTries bounds the repetitions of an openat2 that says EAGAIN, which it does
// when names moved about while it looked, and when a file is leased.
const openTries = 64

func openat2Works(dir int) bool {
	fd, err := openat2(dir, ".", unix.O_PATH|unix.O_DIRECTORY, 0)
	if err == nil {
		unix.Close(fd)
	}
	return err == nil
}

func openat2(dir int, path string, flags int, perm uint32) (fd int, err error) {
	// Without O_NOFOLLOW, by which a symlink would be "not a directory".
	how := unix.OpenHow{Flags: uint64(flags | unix.O_CLOEXEC), Mode: uint64(perm), Resolve: resolve}
	for range openTries {
		fd, err = ignoringEINTR(func() (int, error) { return unix.Openat2(dir, path, &how) })
		if err != unix.EAGAIN {
			break
		}
	}
	switch err {
	case unix.ELOOP, unix.EXDEV:
		return -1, as(ErrEscapes, err)
	case unix.ENOTDIR:
		return -1, as(ErrNotDirectory, err)
	}
	return fd, err
}

// open opens a path below the root.
func (c *confined) open(path string, flags int, perm uint32) (int, error) {
	if !c.walk {
		return openat2(c.fd, path, flags, perm)
	}
	fd := c.fd
	for path != "" {
		name, rest, _ := strings.Cut(path, "/")
		how, mode := unix.O_PATH|unix.O_DIRECTORY, uint32(0)
		if rest == "" {
			how, mode = flags, perm
		}
		next, err := c.step(fd, name, how, mode)
		if fd != c.fd {
			unix.Close(fd)
		}
		if err != nil {
			return -1, err
		}
		fd, path = next, rest
	}
	return fd, nil
}

// openAt opens one name in an open directory.
func (c *confined) openAt(dir int, name string, flags int, perm uint32) (int, error) {
	if c.walk {
		return c.step(dir, name, flags, perm)
	}
	return openat2(dir, name, flags, perm)
}

// step opens one component without openat2.
func (c *confined) step(dir int, name string, flags int, perm uint32) (int, error) {
	fd, err := ignoringEINTR(func() (int, error) {
		return unix.Openat(dir, name, flags|unix.O_NOFOLLOW|unix.O_CLOEXEC, perm)
	})
	if err == unix.ENOTDIR || err == unix.ELOOP {
		if i, lerr := lstatAt(dir, name); lerr == nil && i.Kind != Symlink {
			return -1, as(ErrNotDirectory, err)
		}
		return -1, as(ErrEscapes, err)
	}
	if err != nil {
		return -1, err
	}
	var st unix.Stat_t
	err = unix.Fstat(fd, &st)
	// Only directories: overlayfs gives files the device of their layer.
	if err == nil && st.Mode&unix.S_IFMT == unix.S_IFDIR && uint64(st.Dev) != c.dev {
		err = as(ErrEscapes, unix.EXDEV)
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}

func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		n, err := f()
		if err != unix.EINTR {
			return n, err
		}
	}
}

func untilDone(f func() error) error {
	for {
		if err := f(); err != unix.EINTR {
			return err
		}
	}
}
