package rootfs

import (
	"errors"
	"io/fs"
	"strings"
)

// RenameNoReplace moves a file, symlink or directory to a name at which nothing
// stands; fs.ErrExist if something does. Where the file system takes case twins
// for one name, a name's own twin exists.
//
// Where Capabilities.NoReplace is true the system guarantees it. Elsewhere:
//   - a directory is renamed after a look; what could take its place meanwhile
//     and be replaced is an empty directory;
//   - a file that goes into ".pinion" is renamed after a look: names there are
//     ours alone;
//   - another file is linked to its new name, which never replaces, and then
//     unlinked. If the old name is outside ".pinion" and gets another file
//     between the last look and the unlink, that file is lost: go through
//     ".pinion" instead;
//   - without hard links (FAT, exFAT) a file is renamed after a look, and what
//     is created at the new name between the two is lost.
func (r *Root) RenameNoReplace(from, to string) error {
	return r.do2("rename", from, to, func(from, to string) error {
		if nested(from, to) {
			return fs.ErrInvalid
		}
		if !r.noNoReplace.Load() {
			err := r.b.renameNoReplace(from, to)
			if !errors.Is(err, errors.ErrUnsupported) {
				return err
			}
		}
		return r.renameByHand(from, to)
	})
}

func (r *Root) renameByHand(from, to string) error {
	old, err := r.b.lstat(from)
	if err != nil {
		return err
	}
	if old.Kind == Directory || isPrivate(to) {
		return r.renameAfterLook(from, to)
	}
	err = r.b.link(from, to)
	if errors.Is(err, errors.ErrUnsupported) {
		return r.renameAfterLook(from, to)
	}
	if err != nil {
		return err
	}
	made, err := r.b.lstat(to)
	if err != nil {
		return err
	}
	now, err := r.b.lstat(from)
	if err != nil {
		return err
	}
	// Either may be equal alone: the file can have been replaced before the link
	// was made, and FUSE gives a file's two names two numbers.
	if now.Inode != made.Inode && now.Inode != old.Inode {
		return nil // moved, and somebody made another file at the old name
	}
	return r.b.unlink(from)
}

func (r *Root) renameAfterLook(from, to string) error {
	_, err := r.b.lstat(to)
	if err == nil {
		return fs.ErrExist
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return r.b.rename(from, to)
}

// Exchange swaps what stands at a and b, of whatever kind, at one instant.
// errors.ErrUnsupported where the file system can't: Capabilities.Exchange.
func (r *Root) Exchange(a, b string) error {
	return r.do2("exchange", a, b, func(a, b string) error {
		if nested(a, b) {
			return fs.ErrInvalid
		}
		if r.noExchange.Load() {
			return errors.ErrUnsupported
		}
		return r.b.exchange(a, b)
	})
}

// nested: neither can be moved to the other's place.
func nested(a, b string) bool {
	return strings.HasPrefix(a, b+"/") || strings.HasPrefix(b, a+"/")
}
