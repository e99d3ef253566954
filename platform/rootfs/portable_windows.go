package rootfs

import (
	"errors"
	"io/fs"
	"os"

	"golang.org/x/sys/windows"
)

const openFlags = 0

const notEmpty = windows.ERROR_DIR_NOT_EMPTY

// identify does nothing: os.FileInfo does not tell the file's number here.
func identify(*Info, fs.FileInfo) {}

func noHardLinks(err error) bool {
	return errors.Is(err, windows.ERROR_INVALID_FUNCTION) || errors.Is(err, windows.ERROR_NOT_SUPPORTED) ||
		errors.Is(err, windows.ERROR_TOO_MANY_LINKS)
}

// rootChmod does nothing: the only bit that Windows knows is "read-only", which
// would keep the file from being replaced later.
func rootChmod(*os.Root, string, fs.FileMode) error { return errors.ErrUnsupported }

func syncDir(*os.Root) error { return errors.ErrUnsupported }

func renameNoReplace(from, to name) error {
	a, err := windows.UTF16PtrFromString(from.full)
	if err != nil {
		return err
	}
	b, err := windows.UTF16PtrFromString(to.full)
	if err != nil {
		return err
	}
	// Neither REPLACE_EXISTING nor COPY_ALLOWED: a rename, or nothing.
	return windows.MoveFileEx(a, b, windows.MOVEFILE_WRITE_THROUGH)
}

func exchange(name, name) error { return errors.ErrUnsupported }

// writers opens the file without sharing writing, which fails while anybody has
// it open for writing.
func writers(full string) (bool, error) {
	p, err := windows.UTF16PtrFromString(full)
	if err != nil {
		return false, err
	}
	h, err := windows.CreateFile(p, windows.GENERIC_READ, windows.FILE_SHARE_READ|windows.FILE_SHARE_DELETE, nil,
		windows.OPEN_EXISTING, windows.FILE_FLAG_OPEN_REPARSE_POINT, 0)
	if err == windows.ERROR_SHARING_VIOLATION {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	return false, windows.CloseHandle(h)
}
