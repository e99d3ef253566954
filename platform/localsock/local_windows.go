package localsock

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/windows"
)

// bind relies on the directory's permissions: who may open a socket here is who
// may write to its directory.
func bind(path string) (*net.UnixListener, error) {
	if err := os.Remove(path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
}

// isSocket: a socket is shown as a socket by new systems, and as something
// irregular by older ones.
func isSocket(fi fs.FileInfo) bool { return fi.Mode()&(fs.ModeSocket|fs.ModeIrregular) != 0 }

func refused(err error) bool { return errors.Is(err, windows.WSAECONNREFUSED) }

func place(path string) (string, error) {
	path, err := absolute(path)
	if err != nil || len(path) <= maxAddress {
		return path, err
	}
	dir := filepath.Join(os.TempDir(), "pinion")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return "", err
	}
	return shortened(dir, path), nil
}

func nearby(path string, f func(address string) error) error { return f(path) }

// lockedByte lies far behind the end, so that the number in the file can be
// read while the lock is held.
const lockedByte = 1 << 30

func tryLock(f *os.File) (held bool, err error) {
	at := windows.Overlapped{Offset: lockedByte}
	err = windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, &at)
	if err == windows.ERROR_LOCK_VIOLATION || err == windows.ERROR_IO_PENDING {
		return true, nil
	}
	return false, err
}
