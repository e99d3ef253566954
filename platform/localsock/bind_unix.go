//go:build unix

package localsock

import (
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"
)

// bind makes the socket in a directory that nobody else can enter, gives it its
// mode, and only then its name: between bind and chmod anybody could connect to
// it, and the umask is the whole process's. The rename replaces a dead socket.
func bind(path string) (*net.UnixListener, error) {
	dir := path + newSuffix
	made := filepath.Join(dir, "s")
	for _, left := range []string{made, dir} { // by one that died here; we hold the lock
		if err := os.Remove(left); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, err
	}
	defer os.Remove(dir)
	var l *net.UnixListener
	err := nearby(made, func(address string) (err error) {
		l, err = net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, err
	}
	if err = os.Chmod(made, 0o600); err == nil {
		err = os.Rename(made, path)
	}
	if err != nil {
		l.SetUnlinkOnClose(false)
		l.Close()
		os.Remove(made)
		return nil, err
	}
	return l, nil
}

func isSocket(fi fs.FileInfo) bool { return fi.Mode()&fs.ModeSocket != 0 }

func refused(err error) bool { return errors.Is(err, syscall.ECONNREFUSED) }
