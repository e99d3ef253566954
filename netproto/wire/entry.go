package wire

import (
	"encoding/binary"
	"strings"

	"pinion/engine/tree"
)

// MaxSize is the first size of a file that is too large to be said.
const MaxSize = int64(1) << 56

// CapAttrs in Hello.Caps says that a device understands attributes in entries. One
// that does not is not told of any.
const CapAttrs = 1 << 2

// The flags of an entry: its kind in the two low bits, then what is there.
const (
	entryKind    = 3
	entryDeleted = 1 << (iota + 1)
	entrySize
	entryMTime
	entryMode
	entryContent
	entryBase
	entryTarget
	entryConflict
	entryConflictBase
	entryMovedTo
	entryAttrs // only to and from peers that have said CapAttrs
	entryAll   = 1<<(iota+1) - 1
)

// CheckEntry says why an entry may not be sent. It is the table of section 6,
// but for paths, which their type vouches for.
func CheckEntry(e tree.Entry) error {
	if e.Path == "" {
		return bad("an entry without a path")
	}
	if err := checkKind(e); err != nil {
		return bad("%q: %v", e.Path, err)
	}
	switch {
	case e.Size < 0 || e.Size >= MaxSize:
		return bad("%q: a size of %d", e.Path, e.Size)
	case e.Mode > 0o777:
		return bad("%q: a mode of %o", e.Path, e.Mode)
	case len(e.Target) > tree.MaxTarget || strings.IndexByte(e.Target, 0) >= 0:
		return bad("%q: a target that no symlink has", e.Path)
	case e.Attrs != "" && (e.Deleted || e.Kind == tree.Symlink):
		return bad("%q: attributes where none can be", e.Path)
	case e.Conflict != nil && (e.Deleted || e.Conflict.Of == ""):
		return bad("%q: a conflict tag that means nothing", e.Path)
	case len(e.Version) == 0 || !e.Version.Valid():
		return bad("%q: a version that is none", e.Path)
	case e.Version.Counter(e.Author) == 0:
		return bad("%q: its author is not in its version", e.Path)
	}
	if _, err := tree.ParseAttrs(string(e.Attrs)); err != nil {
		return bad("%q: %v", e.Path, err)
	}
	return nil
}

func checkKind(e tree.Entry) error {
	if e.Deleted {
		if e.Kind > tree.Symlink {
			return bad("of no kind")
		}
		return nil
	}
	switch {
	case e.Kind < tree.File || e.Kind > tree.Symlink:
		return bad("of no kind")
	case e.MovedTo != "":
		return bad("moved although it is there")
	case (e.Kind == tree.File) == e.Content.IsZero():
		return bad("a %s with or without content", e.Kind)
	case (e.Kind == tree.Symlink) == (e.Target == ""):
		return bad("a %s with or without a target", e.Kind)
	case e.Kind != tree.File && e.Size != 0:
		return bad("a %s with a size", e.Kind)
	case e.Kind == tree.Dir && e.MTime != 0:
		return bad("a directory with an mtime")
	case e.Kind == tree.Symlink && e.Mode != 0:
		return bad("a symlink with a mode")
	}
	return nil
}

// running is what an entry is told as a difference to.
type running struct {
	path  string
	mtime int64
	n     uint64
}

func entryFlags(e tree.Entry) (flags uint16) {
	flags = uint16(e.Kind) & entryKind
	set := func(bit uint16, on bool) {
		if on {
			flags |= bit
		}
	}
	set(entryDeleted, e.Deleted)
	set(entrySize, e.Size != 0)
	set(entryMTime, e.MTime != 0)
	set(entryMode, e.Mode != 0)
	set(entryContent, !e.Content.IsZero())
	set(entryBase, !e.Base.IsZero())
	set(entryTarget, e.Target != "")
	set(entryConflict, e.Conflict != nil)
	set(entryConflictBase, e.Conflict != nil && !e.Conflict.Base.IsZero())
	set(entryMovedTo, e.MovedTo != "")
	set(entryAttrs, e.Attrs != "")
	return flags
}

// appendEntry appends an entry whose replicas all have an index.
func appendEntry(dst []byte, e *tree.Entry, run *running, index func(tree.ReplicaID) uint64) []byte {
	flags := entryFlags(*e)
	dst = binary.LittleEndian.AppendUint16(dst, flags)
	dst = appendPath(dst, run.path, string(e.Path))
	run.path = string(e.Path)
	if flags&entrySize != 0 {
		dst = binary.AppendUvarint(dst, uint64(e.Size))
	}
	if flags&entryMTime != 0 {
		dst = appendSigned(dst, e.MTime-run.mtime)
		run.mtime = e.MTime
	}
	if flags&entryMode != 0 {
		dst = binary.AppendUvarint(dst, uint64(e.Mode))
	}
	if flags&entryContent != 0 {
		dst = append(dst, e.Content[:]...)
	}
	if flags&entryBase != 0 {
		dst = append(dst, e.Base[:]...)
	}
	if flags&entryTarget != 0 {
		dst = appendBytes(dst, e.Target)
	}
	dst = binary.AppendUvarint(dst, uint64(len(e.Version)))
	for _, s := range e.Version {
		dst = binary.AppendUvarint(dst, index(s.Replica))
		dst = appendSigned(dst, int64(s.N-run.n))
		run.n = s.N
	}
	dst = binary.AppendUvarint(dst, index(e.Author))
	if flags&entryConflict != 0 {
		dst = appendBytes(dst, e.Conflict.Of)
	}
	if flags&entryConflictBase != 0 {
		dst = append(dst, e.Conflict.Base[:]...)
	}
	if flags&entryMovedTo != 0 {
		dst = appendBytes(dst, e.MovedTo)
	}
	if flags&entryAttrs != 0 {
		dst = appendBytes(dst, e.Attrs)
	}
	return dst
}

// entry reads an entry and checks it.
func (c *cursor) entry(run *running, dict []tree.ReplicaID) (e tree.Entry) {
	flags := uint16(c.byte("the flags")) | uint16(c.byte("the flags"))<<8
	if flags&^entryAll != 0 || (flags&entryConflictBase != 0 && flags&entryConflict == 0) {
		c.fail("an entry with unknown flags")
		return e
	}
	e.Kind, e.Deleted = tree.Kind(flags&entryKind), flags&entryDeleted != 0
	run.path = c.pathAfter(run.path, "a path")
	e.Path = c.path(run.path, "a path")
	if flags&entrySize != 0 {
		e.Size = int64(c.uvMax(uint64(MaxSize-1), "a size"))
	}
	if flags&entryMTime != 0 {
		run.mtime += c.sv("an mtime")
		e.MTime = run.mtime
	}
	if flags&entryMode != 0 {
		e.Mode = uint32(c.uvMax(0o777, "a mode"))
	}
	if flags&entryContent != 0 {
		e.Content = c.content("a content id")
	}
	if flags&entryBase != 0 {
		e.Base = c.content("a base")
	}
	if flags&entryTarget != 0 {
		e.Target = string(c.bytes(tree.MaxTarget, "a target"))
	}
	e.Version = c.version(run, dict)
	e.Author = c.replica(dict)
	if flags&entryConflict != 0 {
		e.Conflict = &tree.Conflict{Of: c.path(string(c.bytes(tree.MaxPath, "a conflict path")), "a conflict path")}
	}
	if flags&entryConflictBase != 0 {
		e.Conflict.Base = c.content("a conflict base")
	}
	if flags&entryMovedTo != 0 {
		e.MovedTo = c.path(string(c.bytes(tree.MaxPath, "a moved-to path")), "a moved-to path")
	}
	if flags&entryAttrs != 0 {
		e.Attrs = c.attrs("attributes")
	}
	if c.err == nil && entryFlags(e) != flags {
		c.fail("an entry with a field that is there and empty")
	}
	if c.err == nil {
		c.err = CheckEntry(e)
	}
	return e
}

func (c *cursor) attrs(what string) tree.Attrs {
	b := c.bytes(tree.MaxAttrBytes, what)
	if c.err != nil {
		return ""
	}
	attrs, err := tree.ParseAttrs(string(b))
	if err != nil {
		c.err = bad("%s: %v", what, err)
		c.b = nil
	}
	return attrs
}

func (c *cursor) version(run *running, dict []tree.ReplicaID) tree.Version {
	// A stamp has at least two bytes.
	n := c.uvMax(min(tree.MaxStamps, uint64(len(c.b))/2), "a number of stamps")
	if c.err != nil {
		return nil
	}
	v := make(tree.Version, n)
	for i := range v {
		v[i].Replica = c.replica(dict)
		run.n += uint64(c.sv("a counter"))
		v[i].N = run.n
	}
	return v
}

func (c *cursor) replica(dict []tree.ReplicaID) tree.ReplicaID {
	i := c.uv("a replica")
	if c.err != nil || i >= uint64(len(dict)) {
		c.fail("a replica that was not told")
		return 0
	}
	return dict[i]
}
