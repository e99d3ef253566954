package rootfs

import (
	"errors"

	"golang.org/x/sys/unix"
)

func renameNoReplace(from, to name) error { return renameatx(from, to, unix.RENAME_EXCL) }

func exchange(a, b name) error { return renameatx(a, b, unix.RENAME_SWAP) }

func renameatx(from, to name, flags uint32) error {
	for {
		err := unix.RenameatxNp(int(from.dir.Fd()), from.base, int(to.dir.Fd()), to.base, flags)
		switch err {
		case unix.EINTR:
			continue
		case unix.ENOTSUP, unix.EINVAL:
			return as(errors.ErrUnsupported, err)
		}
		return err
	}
}

func writers(string) (bool, error) { return false, errors.ErrUnsupported }
