package tree

import (
	"encoding/binary"
	"errors"
	"hash/fnv"
	"slices"
	"strings"
)

// Attrs are an entry's attributes beside mode and mtime: what other programs
// have noted on the file, its access control list, perhaps its owner. They are
// held in one canonical form, so that two values are equal when all of their
// attributes are.
//
// The zero value says that nothing is known of any: whoever knows of some goes on
// knowing them (Inherit). NoAttrs says that there are none, because there were some
// and a person took them away.
//
// The form: a byte 1, then for each attribute in the order of their names
// uvarint length and bytes of the name, uvarint length and bytes of the value.
type Attrs string

// NoAttrs is the known absence of attributes.
const NoAttrs Attrs = "\x01"

// Attr is one attribute. The names are those of the carried kinds:
//
//	user.NAME                  what programs note (on macOS without the "user.")
//	acl.access, acl.default    a POSIX access control list, as text that names people
//	owner.user, owner.group    whose the file is, by name
type Attr struct {
	Name, Value string
}

// Limits of an entry's attributes. What has more is not carried.
const (
	MaxAttrs     = 64
	MaxAttrName  = 255
	MaxAttrValue = 64 << 10
	MaxAttrBytes = 64 << 10 // of the whole form
)

var (
	errAttrForm = errors.New("attributes in an unknown form")
	errAttrMany = errors.New("more than 64 attributes, or more than 64 KiB of them")
	errAttrName = errors.New("an attribute whose name is none")
)

// PackAttrs gives the canonical form of a list, which it sorts. An empty list
// gives NoAttrs.
func PackAttrs(list []Attr) (Attrs, error) {
	slices.SortFunc(list, func(a, b Attr) int { return strings.Compare(a.Name, b.Name) })
	b := []byte(NoAttrs)
	for i, a := range list {
		if !attrName(a.Name) || i > 0 && list[i-1].Name == a.Name {
			return "", errAttrName
		}
		if len(b)+len(a.Name)+len(a.Value)+8 > MaxAttrBytes {
			return "", errAttrMany
		}
		b = append(binary.AppendUvarint(b, uint64(len(a.Name))), a.Name...)
		b = append(binary.AppendUvarint(b, uint64(len(a.Value))), a.Value...)
	}
	if len(list) > MaxAttrs {
		return "", errAttrMany
	}
	return Attrs(b), nil
}

// ParseAttrs checks what came from outside. The empty string is the zero value.
func ParseAttrs(s string) (Attrs, error) {
	if s == "" {
		return "", nil
	}
	list, err := unpackAttrs(s)
	if err != nil {
		return "", err
	}
	// Only what PackAttrs gives is canonical: lengths could be padded.
	back, err := PackAttrs(list)
	if err == nil && string(back) != s {
		err = errAttrForm
	}
	return back, err
}

func unpackAttrs(s string) (list []Attr, err error) {
	if len(s) > MaxAttrBytes || s[0] != NoAttrs[0] {
		return nil, errAttrForm
	}
	take := func() (field string) {
		n, used := uvarint(s)
		if used <= 0 || n > uint64(len(s)-used) {
			err = errAttrForm
			return ""
		}
		field, s = s[used:used+int(n)], s[used+int(n):]
		return field
	}
	for s = s[1:]; s != ""; {
		a := Attr{Name: take()}
		if err == nil {
			a.Value = take()
		}
		switch {
		case err != nil:
			return nil, err
		case len(list) == MaxAttrs:
			return nil, errAttrMany
		case !attrName(a.Name) || len(list) > 0 && list[len(list)-1].Name >= a.Name:
			return nil, errAttrName
		}
		list = append(list, a)
	}
	return list, nil
}

// uvarint is binary.Uvarint of a string.
func uvarint(s string) (n uint64, used int) {
	return binary.Uvarint([]byte(s[:min(len(s), binary.MaxVarintLen64)]))
}

// attrName says whether a name is one of the carried kinds: nothing that comes
// from another device may set what a system keeps for itself.
func attrName(name string) bool {
	switch name {
	case "acl.access", "acl.default", "owner.user", "owner.group":
		return true
	}
	rest, ok := strings.CutPrefix(name, "user.")
	return ok && rest != "" && len(name) <= MaxAttrName && strings.IndexByte(name, 0) < 0
}

// Known says whether anything is known: some, or that there are none.
func (a Attrs) Known() bool { return a != "" }

// List gives the attributes in the order of their names.
func (a Attrs) List() []Attr {
	if a == "" {
		return nil
	}
	list, err := unpackAttrs(string(a))
	if err != nil {
		return nil // only PackAttrs and ParseAttrs make values
	}
	return list
}

// Sum names what stands on a disk, for tree.Stat: 0 for nothing.
func (a Attrs) Sum() uint64 {
	if len(a) <= len(NoAttrs) {
		return 0
	}
	h := fnv.New64a()
	_, _ = h.Write([]byte(a)) // never fails
	return max(1, h.Sum64())
}

// Only gives those attributes whose names keep takes.
func (a Attrs) Only(keep func(name string) bool) []Attr {
	return slices.DeleteFunc(a.List(), func(x Attr) bool { return !keep(x.Name) })
}

// Inherit gives e with the attributes of what its author had before, as far as we
// know: they are kept where e does not say anything of attributes, as the word of
// a device that can't see them does.
func (e Entry) Inherit(own Entry) Entry {
	if !e.Attrs.Known() && e.Exists() && own.Exists() && e.Kind == own.Kind {
		e.Attrs = own.Attrs
	}
	return e
}
