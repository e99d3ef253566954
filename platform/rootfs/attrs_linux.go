package rootfs

import (
	"errors"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The names under which Linux keeps access control lists.
const (
	xattrAccess  = "system.posix_acl_access"
	xattrDefault = "system.posix_acl_default"
)

func (c *confined) attrs(path string, kinds AttrKinds, who *people) (list []Attr, err error) {
	err = c.at(path, func(fd int, base string) (err error) { list, err = c.attrsAt(fd, base, kinds, who); return })
	return list, err
}

func (d *confinedDir) attrs(name string, kinds AttrKinds, who *people) (list []Attr, err error) {
	err = untilDone(func() (err error) { list, err = d.c.attrsAt(d.fd(), name, kinds, who); return })
	return list, err
}

// procName names base in the open directory dir: the calls for attributes that
// take a directory are younger (6.13) than most kernels that are in use. The name
// leads through the descriptor, so that no swapped parent is followed, and the
// calls with an l take a symlink for what it is.
func procName(dir int, base string) string {
	return "/proc/self/fd/" + strconv.Itoa(dir) + "/" + base
}

func (c *confined) attrsAt(dir int, base string, kinds AttrKinds, who *people) ([]Attr, error) {
	var list []Attr
	if kinds&(Notes|ACLs) != 0 {
		found, err := c.xattrsAt(dir, base, kinds, who)
		if err != nil {
			return nil, err
		}
		list = found
	}
	if kinds&Owner != 0 {
		var st unix.Stat_t
		if err := unix.Fstatat(dir, base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
			return nil, err
		}
		list = append(list, Attr{ownerUser, who.name(person{id: st.Uid})}, Attr{ownerGroup, who.name(person{group: true, id: st.Gid})})
	}
	return list, nil
}

func (c *confined) xattrsAt(dir int, base string, kinds AttrKinds, who *people) (list []Attr, err error) {
	names, err := c.xattrNames(dir, base)
	if err != nil || len(names) == 0 {
		return nil, err
	}
	path, left := procName(dir, base), attrLimit
	for _, x := range names {
		name := fromXattr(x)
		if kindOfAttr(name)&kinds == 0 {
			continue
		}
		value, err := xattr(path, x, left)
		if errors.Is(err, unix.ENODATA) {
			continue // removed since it was listed
		}
		if err != nil {
			return nil, err
		}
		if left -= len(name) + len(value); left < 0 {
			return nil, ErrAttrs
		}
		text := string(value)
		if kindOfAttr(name) == ACLs {
			if text, err = who.aclText(value); err != nil {
				return nil, err
			}
		}
		list = append(list, Attr{name, text})
	}
	return list, nil
}

// xattrNames lists all names. Most files have none, which costs one call; where
// that takes the directory, a quarter of what a name in /proc costs.
func (c *confined) xattrNames(dir int, base string) ([]string, error) {
	var few [256]byte
	b := few[:]
	n, err := c.listXattrs(dir, base, b)
	if err == unix.ERANGE {
		b = make([]byte, attrLimit)
		if n, err = c.listXattrs(dir, base, b); err == unix.ERANGE {
			return nil, ErrAttrs
		}
	}
	switch {
	case err == unix.EOPNOTSUPP:
		return nil, as(errors.ErrUnsupported, err)
	case err != nil:
		return nil, err
	case n == 0:
		return nil, nil
	}
	return strings.Split(strings.TrimSuffix(string(b[:n]), "\x00"), "\x00"), nil
}

func (c *confined) listXattrs(dir int, base string, b []byte) (int, error) {
	if c.listAt {
		return listxattrAt(dir, base, b)
	}
	return unix.Llistxattr(procName(dir, base), b)
}

func listxattrAt(dir int, base string, b []byte) (int, error) {
	name, err := unix.BytePtrFromString(base)
	if err != nil {
		return 0, err
	}
	n, _, errno := unix.Syscall6(unix.SYS_LISTXATTRAT, uintptr(dir), uintptr(unsafe.Pointer(name)), unix.AT_SYMLINK_NOFOLLOW,
		uintptr(unsafe.Pointer(unsafe.SliceData(b))), uintptr(len(b)), 0)
	if errno != 0 {
		return 0, errno
	}
	return int(n), nil
}

// listxattrAtWorks: since Linux 6.13, and where no sandbox forbids it.
func listxattrAtWorks(dir int) bool {
	_, err := listxattrAt(dir, ".", make([]byte, 256))
	return err == nil || err == unix.ERANGE || err == unix.EOPNOTSUPP
}

func xattr(path, name string, most int) ([]byte, error) {
	var few [512]byte
	n, err := unix.Lgetxattr(path, name, few[:])
	if err == nil {
		return few[:n], nil
	}
	if err != unix.ERANGE {
		return nil, err
	}
	if n, err = unix.Lgetxattr(path, name, nil); err != nil {
		return nil, err
	}
	if n > most {
		return nil, ErrAttrs
	}
	b := make([]byte, n)
	if n, err = unix.Lgetxattr(path, name, b); err != nil {
		return nil, err
	}
	return b[:n], nil
}

func fromXattr(x string) string {
	switch x {
	case xattrAccess:
		return aclAccess
	case xattrDefault:
		return aclDefault
	}
	if strings.HasPrefix(x, notes) {
		return x
	}
	return ""
}

func toXattr(name string) string {
	switch name {
	case aclAccess:
		return xattrAccess
	case aclDefault:
		return xattrDefault
	}
	return name
}

// setAttrs sets what programs noted first, since that asks for the right to
// write, which an access control list or the mode that follows may take away.
func (c *confined) setAttrs(path string, want []Attr, kinds AttrKinds, who *people) error {
	return c.at(path, func(fd int, base string) error {
		now, err := c.attrsAt(fd, base, kinds, who)
		if err != nil {
			return err
		}
		s := attrSetter{c: c, dir: fd, base: base, path: procName(fd, base), who: who}
		for _, kind := range []AttrKinds{Owner, Notes, ACLs} {
			if kinds&kind != 0 {
				s.set(kind, now, want)
			}
		}
		return s.result()
	})
}

type attrSetter struct {
	c          *confined
	dir        int
	base, path string
	who        *people
	refused    []error
	fatal      error
}

func (s *attrSetter) result() error {
	if s.fatal != nil {
		return s.fatal
	}
	return errors.Join(s.refused...)
}

// set makes want the attributes of one kind.
func (s *attrSetter) set(kind AttrKinds, now, want []Attr) {
	have := map[string]string{}
	for _, a := range now {
		have[a.Name] = a.Value
	}
	wanted := map[string]bool{}
	for _, a := range want {
		if kindOfAttr(a.Name) != kind {
			continue
		}
		wanted[a.Name] = true
		if v, ok := have[a.Name]; !ok || v != a.Value {
			s.try(a.Name, func() error { return s.one(kind, a) })
		}
	}
	for _, a := range now {
		if kind != Owner && kindOfAttr(a.Name) == kind && !wanted[a.Name] {
			s.try(a.Name, func() error {
				err := unix.Lremovexattr(s.path, toXattr(a.Name))
				if err == unix.ENODATA {
					return nil
				}
				return err
			})
		}
	}
}

func (s *attrSetter) one(kind AttrKinds, a Attr) error {
	switch kind {
	case ACLs:
		raw, err := s.who.aclRaw(a.Value)
		if err != nil {
			return err
		}
		return unix.Lsetxattr(s.path, toXattr(a.Name), raw, 0)
	case Owner:
		id, ok := s.who.number(a.Name == ownerGroup, a.Value)
		if !ok {
			return nil // nobody here has that name: it stays as it is
		}
		uid, gid := int(id), -1
		if a.Name == ownerGroup {
			uid, gid = -1, int(id)
		}
		return unix.Fchownat(s.dir, s.base, uid, gid, unix.AT_SYMLINK_NOFOLLOW)
	}
	return unix.Lsetxattr(s.path, a.Name, []byte(a.Value), 0)
}

// try runs one change. A file that its owner may not write is given that right for
// the length of a second try.
func (s *attrSetter) try(name string, change func() error) {
	if s.fatal != nil {
		return
	}
	err := untilDone(change)
	if err == unix.EACCES {
		err = s.lifted(change)
	}
	switch {
	case err == nil:
	case err == unix.ENOSPC, err == unix.E2BIG, err == unix.ERANGE, err == unix.EOPNOTSUPP, err == unix.EPERM, err == unix.EACCES,
		err == unix.EINVAL, err == unix.EDQUOT, errors.Is(err, errACL):
		s.refused = append(s.refused, &AttrError{name, err})
	default:
		s.fatal = err
	}
}

func (s *attrSetter) lifted(change func() error) error {
	var st unix.Stat_t
	if err := unix.Fstatat(s.dir, s.base, &st, unix.AT_SYMLINK_NOFOLLOW); err != nil {
		return err
	}
	mode := st.Mode & 0o7777
	if st.Mode&unix.S_IFMT == unix.S_IFLNK || mode&0o200 != 0 || unix.Fchmodat(s.dir, s.base, mode|0o200, unix.AT_SYMLINK_NOFOLLOW) != nil {
		return unix.EACCES
	}
	err := untilDone(change)
	if back := unix.Fchmodat(s.dir, s.base, mode, unix.AT_SYMLINK_NOFOLLOW); err == nil {
		err = back
	}
	return err
}
