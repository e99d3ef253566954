package rootfs

import (
	"errors"
	"io/fs"
)

// Errors that callers branch on. They come inside an *fs.PathError, beside the
// usual fs.ErrNotExist, fs.ErrExist and fs.ErrPermission. An operation that the
// file system or the system lacks gives errors.ErrUnsupported.
var (
	// ErrEscapes: a symlink or a mount is in the way, or the path is absolute or
	// has a ".." in it. Nothing was touched.
	ErrEscapes = errors.New("path leads out of the folder")
	// ErrNotRegular: what was to be opened is not a regular file.
	ErrNotRegular = errors.New("not a regular file")
	// ErrNotDirectory: something that is not a directory (nor a symlink) stands
	// where a directory was expected, so nothing can stand below it.
	ErrNotDirectory = errors.New("not a directory")
	// ErrNotEmpty: a directory still holds something. It is fs.ErrExist too,
	// which is why this one is to be asked for first.
	ErrNotEmpty = errors.New("directory is not empty")
	// ErrShared: OpenRW found that the file has another name (a hard link), so
	// that writing would change the other too.
	ErrShared = errors.New("file has more than one name")
	// ErrGone: at the root's path there is no longer the directory that is open.
	ErrGone = errors.New("the folder's directory is not there any more")
)

// kindError says in our words what the system's error means here.
type kindError struct {
	kind error
	sys  error
}

func (e *kindError) Error() string   { return e.kind.Error() + " (" + e.sys.Error() + ")" }
func (e *kindError) Unwrap() []error { return []error{e.kind, e.sys} }

func as(kind, sys error) error {
	if sys == nil || errors.Is(sys, kind) {
		return sys
	}
	return &kindError{kind, bare(sys)}
}

// wrap makes err an *fs.PathError of this operation and path; what the standard
// library wrapped already is unwrapped first.
func wrap(op, path string, err error) error {
	if err == nil {
		return nil
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	if path == "" {
		path = "."
	}
	return &fs.PathError{Op: op, Path: path, Err: err}
}
