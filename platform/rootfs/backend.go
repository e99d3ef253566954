package rootfs

import "os"

// backend is one system's way to work below a directory. Paths are checked,
// errors are the system's own or kindErrors; Root does the rest.
type backend interface {
	lstat(path string) (Info, error)
	openDir(path string) (dirBackend, error)
	openFile(path string) (*os.File, Info, error)
	openRW(path string) (*os.File, error)
	create(path string, perm uint32) (*os.File, error)
	readlink(path string) (string, error)
	mkdir(path string, perm uint32) error
	symlink(target, path string) error
	unlink(path string) error // never a directory
	rmdir(path string) error  // nothing but an empty directory
	rename(from, to string) error
	renameNoReplace(from, to string) error // ErrUnsupported: the file system can't
	exchange(a, b string) error            // ErrUnsupported: the file system can't
	link(from, to string) error
	setMode(path string, mode uint32) error
	setMTime(path string, ns int64) error
	writers(path string) (bool, error)
	syncFS() error
	syncDir(path string) error
	same() error
	fsType() string
	close() error
}

type dirBackend interface {
	info() (Info, error)
	names() ([]string, error)
	lstat(name string) (Info, error)
	openDir(name string) (dirBackend, error)
	openFile(name string) (*os.File, Info, error)
	readlink(name string) (string, error)
	close() error
}
