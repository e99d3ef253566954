package scan

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// attrDir is a Dir that can be asked for attributes. Who has none is not asked:
// Options.Attrs is zero there.
type attrDir interface {
	Attrs(name string, kinds rootfs.AttrKinds) ([]rootfs.Attr, error)
	Strangers(acl, now string) string
}

// seenAttrs is what the disk says of one path's attributes.
type seenAttrs struct {
	known bool // the disk was asked, and answered
	list  []tree.Attr
	sum   uint64
	dir   attrDir
}

// attrs asks the disk for the attributes of what stands at a name. What is not
// to be had is not known, and then the row keeps what it has.
func (r *run) attrs(d Dir, name string, info rootfs.Info) (seen seenAttrs) {
	ad, ok := d.(attrDir)
	if r.o.Attrs == 0 || !ok || info.Kind != rootfs.Regular && info.Kind != rootfs.Directory {
		return seen
	}
	list, err := ad.Attrs(name, r.o.Attrs)
	if err != nil {
		seen.sum = failedAttrs(err)
		return seen
	}
	seen.known, seen.dir = true, ad
	if len(list) == 0 {
		return seen
	}
	for _, a := range list {
		seen.list = append(seen.list, tree.Attr(a))
	}
	packed, err := tree.PackAttrs(seen.list)
	if err != nil {
		return seenAttrs{sum: tooMany}
	}
	seen.sum = packed.Sum()
	return seen
}

// tooMany is in place of a sum where there is more than is carried.
const tooMany = ^uint64(0)

func failedAttrs(err error) uint64 {
	if errors.Is(err, rootfs.ErrAttrs) {
		return tooMany
	}
	return 0
}

func (r *run) manyAttrs(path tree.Path) {
	r.problem(string(path), "has more attributes than are carried (64, of 64 KiB together) and is synced without their changes. List them with getfattr -d and remove what is not needed.")
}

// sameAttrs says whether the disk's word on attributes is what it was when the
// row was written.
func (r *run) sameAttrs(was tree.Stat, seen seenAttrs) bool {
	return !seen.known || was.Attrs == seen.sum
}

// withAttrs gives e the attributes that it has by what the disk says and by what
// the row knew: of kinds that this disk can't hold, and of people whom this
// device does not know, the row's word stays.
func (r *run) withAttrs(e tree.Entry, row *tree.Record, seen seenAttrs) (tree.Entry, error) {
	e.Attrs = ""
	if row != nil && row.Kind == e.Kind {
		e.Attrs = row.Attrs
	}
	if !seen.known || row != nil && row.Kind == e.Kind && row.Disk.Attrs == seen.sum {
		return e, nil
	}
	kept := e.Attrs.Only(func(name string) bool { return !r.carries(name) })
	list := append(kept, seen.list...)
	for i, a := range list {
		if strings.HasPrefix(a.Name, "acl.") {
			list[i].Value = seen.dir.Strangers(valueOf(e.Attrs, a.Name), a.Value)
		}
	}
	if row != nil && row.Kind == e.Kind && !r.wasApplied(row) {
		// Not all that the row knows ever stood here: what is not here was not
		// taken away.
		list = append(list, e.Attrs.Only(func(name string) bool { return r.carries(name) && valueIn(list, name) == "" })...)
	}
	if len(list) == 0 && !e.Attrs.Known() {
		return e, nil
	}
	packed, err := tree.PackAttrs(list)
	if err == nil {
		e.Attrs = packed
	}
	return e, err
}

// wasApplied says whether the disk held all of the row's attributes, as far as it
// can hold them, when the row was written.
func (r *run) wasApplied(row *tree.Record) bool {
	return packedSum(row.Attrs.Only(r.carries)) == row.Disk.Attrs
}

func packedSum(list []tree.Attr) uint64 {
	packed, err := tree.PackAttrs(list)
	if err != nil {
		return tooMany
	}
	return packed.Sum()
}

// carries says whether attributes of this name are read and set here.
func (r *run) carries(name string) bool {
	switch {
	case strings.HasPrefix(name, "user."):
		return r.o.Attrs&rootfs.Notes != 0
	case strings.HasPrefix(name, "acl."):
		return r.o.Attrs&rootfs.ACLs != 0
	}
	return r.o.Attrs&rootfs.Owner != 0
}

func valueOf(a tree.Attrs, name string) string { return valueIn(a.List(), name) }

func valueIn(list []tree.Attr, name string) string {
	for _, a := range list {
		if a.Name == name {
			return a.Value
		}
	}
	return ""
}

// undressed notes a path whose row knows attributes that are not on the disk
// although it keeps their kind: they came while they were not wanted here, or it
// had no room for them.
func (r *run) undressed(path tree.Path, row *tree.Record, seen seenAttrs) {
	if !seen.known || row.Attrs.Sum() == 0 {
		return
	}
	lacks := row.Attrs.Only(func(name string) bool { return r.carries(name) && !has(seen.list, name) })
	if len(lacks) == 0 {
		return
	}
	r.problem(string(path), fmt.Sprintf("does not have its attribute %s on this disk, which did not take it; the other devices have it. Make it smaller there, or turn attributes off for this folder on this device.", lacks[0].Name))
	if seen.sum == 0 && row.Disk.Attrs == 0 && len(r.sum.Undressed) < MaxUnstable {
		r.sum.Undressed = append(r.sum.Undressed, path)
	}
}

func has(list []tree.Attr, name string) bool {
	return slices.ContainsFunc(list, func(a tree.Attr) bool { return a.Name == name })
}
