package rootfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncfsTells says whether syncfs means what it should: kernels before 5.8 keep
// the errors of writing to themselves. (FUSE file systems are not even told.)
func syncfsTells() bool {
	var u unix.Utsname
	if unix.Uname(&u) != nil {
		return false
	}
	major, minor := version(unix.ByteSliceToString(u.Release[:]))
	return major > 5 || major == 5 && minor >= 8
}

// version reads the first two numbers of a kernel's release.
func version(release string) (major, minor int) {
	part := [2]int{}
	i := 0
	for _, c := range release {
		switch {
		case c >= '0' && c <= '9' && part[i] < 1000:
			part[i] = part[i]*10 + int(c-'0')
		case c == '.' && i == 0:
			i = 1
		default:
			return part[0], part[1]
		}
	}
	return part[0], part[1]
}

func (c *confined) syncFS() error {
	if !c.sync {
		return errors.ErrUnsupported
	}
	// The root's descriptor was open before anything was written, so that it
	// sees each error of writing once.
	return untilDone(func() error { return unix.Syncfs(c.fd) })
}

func (c *confined) syncDir(path string) error {
	fd, err := c.open(path, unix.O_RDONLY|unix.O_DIRECTORY, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	err = untilDone(func() error { return unix.Fsync(fd) })
	if err == unix.EINVAL || err == unix.ENOSYS {
		return as(errors.ErrUnsupported, err)
	}
	return err
}

// writers asks for a read lease on a descriptor of its own, which the kernel
// refuses while anybody has the file open for writing, and gives it back at
// once. An open for writing in between waits for those microseconds.
func (c *confined) writers(path string) (bool, error) {
	f, _, err := c.openFile(path)
	if err == unix.EAGAIN {
		return true, nil // leased by a writer
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	err = lease(f, unix.F_RDLCK)
	switch err {
	case nil:
		return false, lease(f, unix.F_UNLCK)
	case unix.EAGAIN:
		return true, nil
	case unix.EINVAL, unix.EACCES, unix.EPERM, unix.ENOSYS, unix.EOPNOTSUPP, unix.ENOLCK, unix.ENOTTY:
		return false, as(errors.ErrUnsupported, err)
	}
	return false, err
}

func lease(f *os.File, kind int) error {
	_, err := ignoringEINTR(func() (int, error) { return unix.FcntlInt(f.Fd(), unix.F_SETLEASE, kind) })
	return err
}

func reflink(dst, src *os.File) error {
	err := untilDone(func() error { return unix.IoctlFileClone(int(dst.Fd()), int(src.Fd())) })
	switch err {
	case unix.EINVAL, unix.ENOTTY, unix.ENOSYS, unix.EOPNOTSUPP, unix.EXDEV, unix.EPERM:
		return as(errors.ErrUnsupported, err)
	}
	return err
}
