package apply

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"pinion/platform/rootfs"
)

// ErrTwin is why a name can't be given: the disk takes it for another one that
// stands beside it.
var ErrTwin = fmt.Errorf("another name here is the same to this disk: %w", fs.ErrExist)

// Problem is what keeps one path from being changed, in a sentence for a person.
type Problem struct {
	Path string
	Why  string
	Err  error
}

func (p *Problem) Error() string { return p.Path + " " + p.Why }

// Unwrap gives the error of the system.
func (p *Problem) Unwrap() error { return p.Err }

func problem(path string, err error) error {
	if p, ok := errors.AsType[*Problem](err); ok {
		return p
	}
	return &Problem{Path: path, Why: sentence(err), Err: err}
}

func sentence(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "has no room: the disk is full. Free some space; it goes on by itself."
	case errors.Is(err, syscall.EDQUOT):
		return "has no room: your quota on this disk is used up."
	case errors.Is(err, syscall.EROFS):
		return "can't be changed: the disk is read-only."
	case errors.Is(err, syscall.ENAMETOOLONG):
		return "has a name that is too long for this disk. Rename it on another device."
	case errors.Is(err, syscall.EILSEQ), errors.Is(err, syscall.EINVAL), errors.Is(err, fs.ErrInvalid):
		return "has a name that this disk can't hold. Rename it on another device."
	case errors.Is(err, fs.ErrPermission):
		return "can't be changed: permission is denied. Give the user that runs pinion the right to write in its directory."
	case errors.Is(err, rootfs.ErrEscapes):
		return "can't be changed: a symlink or another disk stands in its way."
	case errors.Is(err, errors.ErrUnsupported):
		return "is something that this disk can't hold."
	}
	return "could not be changed: " + err.Error()
}

// dead says whether err means that the folder's disk is not there any more, so
// that nothing else needs to be tried.
func dead(err error) bool {
	for _, e := range []error{rootfs.ErrGone, fs.ErrClosed, syscall.ENOTCONN, syscall.ESTALE, syscall.ENODEV, syscall.ENXIO} {
		if errors.Is(err, e) {
			return true
		}
	}
	return false
}
