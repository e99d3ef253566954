package rootfs

import (
	"errors"
	"os"
	"unsafe"

	"golang.org/x/sys/unix"
)

// dress goes through the descriptor: no path is resolved.
func (c *confined) dress(f *os.File, mode uint32, ns int64) error {
	ts := unix.NsecToTimespec(ns)
	if c.fuse || ts.Nano() != ns {
		return errors.ErrUnsupported // setMTime knows what to do
	}
	fd := f.Fd()
	err := untilDone(func() error { return unix.Fchmod(int(fd), mode) })
	if err != nil {
		return err
	}
	times := [2]unix.Timespec{{Nsec: unix.UTIME_OMIT}, ts}
	// utimensat(2) without a name is futimens(3).
	_, _, errno := unix.Syscall6(unix.SYS_UTIMENSAT, fd, 0, uintptr(unsafe.Pointer(&times)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
