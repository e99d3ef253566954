package rootfs

import (
	"errors"
	"fmt"
	"strings"
)

// AttrKinds says which kinds of attributes are meant.
type AttrKinds uint8

const (
	Notes AttrKinds = 1 << iota // user.*: what programs note on a file
	ACLs                        // acl.access, acl.default: POSIX access control lists
	Owner                       // owner.user, owner.group; only root can give files away
)

// Attr is one attribute of a file or directory. An access control list is text
// (see acl.go), an owner a name; who has no name is "#" and a number.
type Attr struct {
	Name  string
	Value string
}

// AttrError says that one attribute can't be had on this file: the file system
// has no room for it, or not its kind. The others are as they were asked for.
type AttrError struct {
	Name string
	Err  error
}

func (e *AttrError) Error() string { return fmt.Sprintf("attribute %q: %v", e.Name, e.Err) }
func (e *AttrError) Unwrap() error { return e.Err }

// attrLimit bounds what is read of one file's attributes, in bytes; with more it
// is ErrAttrs. Nothing is read of what is certainly too much.
const attrLimit = 64 << 10

// ErrAttrs: the attributes of a file are more than are looked at.
var ErrAttrs = errors.New("more than 64 attributes, or more than 64 KiB of them")

// attrBackend is a backend that has attributes; attrDir a directory of it.
type attrBackend interface {
	attrs(path string, kinds AttrKinds, who *people) ([]Attr, error)
	setAttrs(path string, want []Attr, kinds AttrKinds, who *people) error
}

type attrDir interface {
	attrs(name string, kinds AttrKinds, who *people) ([]Attr, error)
}

// Attrs gives the attributes of a file or directory, of the kinds that are asked
// for. Never of a symlink, which has none.
func (r *Root) Attrs(path string, kinds AttrKinds) (list []Attr, err error) {
	err = r.do("read attributes", path, func(p string) error {
		b, ok := r.b.(attrBackend)
		if !ok {
			return errors.ErrUnsupported
		}
		list, err = b.attrs(p, kinds, r.people)
		return err
	})
	return list, err
}

// SetAttrs makes want the attributes of a file or directory, as far as they are
// of kinds; others stay as they are. What the file system refuses for the sake of
// one attribute is an *AttrError, several are joined, and the rest is done.
func (r *Root) SetAttrs(path string, want []Attr, kinds AttrKinds) error {
	return r.do("set attributes", path, func(p string) error {
		b, ok := r.b.(attrBackend)
		if !ok {
			return errors.ErrUnsupported
		}
		return b.setAttrs(p, want, kinds, r.people)
	})
}

// Attrs is Root.Attrs of a name in the directory.
func (d *Dir) Attrs(name string, kinds AttrKinds) (list []Attr, err error) {
	err = d.doName("read attributes", name, func() error {
		b, ok := d.b.(attrDir)
		if !ok {
			return errors.ErrUnsupported
		}
		list, err = b.attrs(name, kinds, d.people)
		return err
	})
	return list, err
}

// Strangers gives the entries of an access control list that name people or
// groups whom this device does not know, and that therefore can't stand on its
// disk; and, of now, the text with those added.
func (d *Dir) Strangers(acl, now string) string { return d.people.withStrangers(acl, now) }

// kindOfAttr says of which kind a name is; 0: of none that is ever touched.
func kindOfAttr(name string) AttrKinds {
	switch name {
	case aclAccess, aclDefault:
		return ACLs
	case ownerUser, ownerGroup:
		return Owner
	}
	if rest, ok := strings.CutPrefix(name, notes); ok && rest != "" {
		return Notes
	}
	return 0
}

const (
	notes      = "user."
	aclAccess  = "acl.access"
	aclDefault = "acl.default"
	ownerUser  = "owner.user"
	ownerGroup = "owner.group"
)
