package apply

import (
	"errors"
	"fmt"
	"strings"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// AttrFS is a disk that keeps attributes.
type AttrFS interface {
	Attrs(path string, kinds rootfs.AttrKinds) ([]rootfs.Attr, error)
	SetAttrs(path string, want []rootfs.Attr, kinds rootfs.AttrKinds) error
}

// AttrBatcher is an AttrFS that has a Batcher's batch.
type AttrBatcher interface {
	BatchAttrs() (fs AttrFS, end func())
}

// Attributes says what is done about them in this folder. The zero value: nothing.
type Attributes struct {
	FS    AttrFS
	Kinds rootfs.AttrKinds // that are synced
	// Own are the kinds that the disk keeps though they are not synced: a file
	// that is replaced hands them on to the one that takes its place.
	Own rootfs.AttrKinds
}

// wears says what stands on a path, for the index: what a directory bequeaths to
// what is made in it (a default access control list) is there, too.
func (a *Applier) wears(path string) uint64 {
	sum, _ := a.sumOf(path) // where it is not known, the next scan looks again
	return sum
}

// sumOf is wears, and whether that could be seen.
func (a *Applier) sumOf(path string) (sum uint64, known bool) {
	if a.o.Attributes.Kinds == 0 {
		return 0, true
	}
	list, err := a.o.Attributes.FS.Attrs(path, a.o.Attributes.Kinds)
	if err != nil {
		return 0, false
	}
	packed, err := tree.PackAttrs(fromDisk(list))
	if err != nil {
		return 0, false
	}
	return packed.Sum(), true
}

// give puts an entry's attributes on what stands at path. What the disk refuses
// for the sake of one attribute is not given, and noted with the item: the file
// itself comes to stand all the same. The mode is to be set afterwards: an access
// control list changes it.
func (g *group) give(it *item, path string, want tree.Attrs) error {
	o := g.a.o.Attributes
	if o.Kinds == 0 || !want.Known() {
		return nil
	}
	err := o.FS.SetAttrs(path, toDisk(want), o.Kinds)
	if err == nil {
		return nil
	}
	names := refusedAttrs(err)
	if names == "" {
		return fmt.Errorf("set attributes: %w", err)
	}
	it.lacks = &Problem{it.path(), fmt.Sprintf("is here, but this disk does not take its attribute %s, which is kept in the index and goes on to the other devices. Make it smaller, or turn attributes off for this folder on this device.", names), err}
	return nil
}

// handOn gives a staged file what the file that it replaces has on this disk
// alone, and says whether there was anything.
func (g *group) handOn(it *item, path string) bool {
	o := g.a.o.Attributes
	if o.Own == 0 || !it.act.Was.Exists() || it.act.Was.Kind != tree.File {
		return false
	}
	list, err := o.FS.Attrs(it.path(), o.Own)
	if err == nil && len(list) > 0 {
		err = o.FS.SetAttrs(path, list, o.Own)
	}
	if err != nil {
		g.a.o.Log.Info("what stood on a file here alone was not handed on; the old file is in the archive", "path", it.path(), "error", err)
	}
	return len(list) > 0
}

// sameAttrs says whether the attributes of a live path are those of the last
// look, before others are put in their place.
func (g *group) sameAttrs(it *item, was tree.Record) bool {
	if g.a.o.Attributes.Kinds == 0 || !it.act.Entry.Attrs.Known() {
		return true
	}
	return g.a.wears(string(was.Path)) == was.Disk.Attrs
}

// refusedAttrs names the attributes that the disk did not take; empty if err is
// of another sort.
func refusedAttrs(err error) string {
	var names []string
	for _, e := range unjoin(err) {
		one, ok := errors.AsType[*rootfs.AttrError](e)
		if !ok {
			return ""
		}
		names = append(names, one.Name)
	}
	return strings.Join(names, ", ")
}

func unjoin(err error) []error {
	if many, ok := errors.AsType[interface {
		error
		Unwrap() []error
	}](err); ok {
		return many.Unwrap()
	}
	return []error{err}
}

func fromDisk(list []rootfs.Attr) []tree.Attr {
	out := make([]tree.Attr, len(list))
	for i, a := range list {
		out[i] = tree.Attr(a)
	}
	return out
}

func toDisk(attrs tree.Attrs) []rootfs.Attr {
	list := attrs.List()
	out := make([]rootfs.Attr, len(list))
	for i, a := range list {
		out[i] = rootfs.Attr(a)
	}
	return out
}
