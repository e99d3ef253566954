//go:build unix

package rootfs

import (
	"errors"
	"io/fs"
	"os"
	"syscall"
)

const openFlags = syscall.O_NONBLOCK | syscall.O_NOCTTY

const notEmpty = syscall.ENOTEMPTY

func identify(i *Info, fi fs.FileInfo) {
	if st, ok := fi.Sys().(*syscall.Stat_t); ok {
		i.Inode, i.Dev, i.Nlink = uint64(st.Ino), uint64(st.Dev), uint32(st.Nlink)
	}
}

func noHardLinks(err error) bool {
	return errors.Is(err, syscall.EPERM) || errors.Is(err, syscall.ENOTSUP) ||
		errors.Is(err, syscall.EMLINK) || errors.Is(err, syscall.ENOSYS)
}

// rootChmod goes through an open file, because os.Root.Chmod follows symlinks.
func rootChmod(dir *os.Root, base string, mode fs.FileMode) error {
	seen, err := dir.Lstat(base)
	if err != nil {
		return err
	}
	if !seen.Mode().IsRegular() && !seen.IsDir() {
		return errors.ErrUnsupported
	}
	f, err := dir.OpenFile(base, os.O_RDONLY|openFlags, 0)
	if errors.Is(err, fs.ErrPermission) {
		return dir.Chmod(base, mode) // unreadable: its own mode forbids the better way
	}
	if err != nil {
		return notEscaping(err)
	}
	defer f.Close()
	now, err := f.Stat()
	if err != nil {
		return err
	}
	if !os.SameFile(seen, now) {
		return ErrEscapes
	}
	if now.IsDir() {
		mode |= now.Mode() & (fs.ModeSetgid | fs.ModeSetuid | fs.ModeSticky)
	}
	return f.Chmod(mode)
}

func syncDir(dir *os.Root) error {
	f, err := dir.Open(".")
	if err != nil {
		return err
	}
	defer f.Close()
	err = f.Sync()
	if errors.Is(err, syscall.EINVAL) {
		return as(errors.ErrUnsupported, err)
	}
	return err
}
