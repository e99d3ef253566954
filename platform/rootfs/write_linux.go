package rootfs

import (
	"errors"
	"io"
	"unsafe"

	"golang.org/x/sys/unix"
)

// writeNew goes through the descriptor, without an os.File: of many small files
// that would be a good part of the work.
func (c *confined) writeNew(path string, data []byte, mode uint32, ns int64) error {
	var file int
	err := c.at(path, func(fd int, base string) (err error) {
		file, err = c.openAt(fd, base, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL, 0o600)
		return err
	})
	if err != nil {
		return err
	}
	for len(data) > 0 && err == nil {
		var n int
		err = untilDone(func() (err error) { n, err = unix.Write(file, data); return err })
		if n == 0 && err == nil {
			err = io.ErrShortWrite
		}
		data = data[max(n, 0):]
	}
	if err == nil {
		_ = c.dress(file, mode, ns)
	}
	return errors.Join(err, unix.Close(file))
}

// dress gives an open file mode and mtime, where both are kept just so.
func (c *confined) dress(fd int, mode uint32, ns int64) error {
	ts := unix.NsecToTimespec(ns)
	if c.fuse || ts.Nano() != ns {
		return errors.ErrUnsupported // setMTime knows what to do
	}
	if err := untilDone(func() error { return unix.Fchmod(fd, mode) }); err != nil {
		return err
	}
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, ts}
	// utimensat(2) without a name is futimens(3).
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, uintptr(fd), 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
