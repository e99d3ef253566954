package tree

// Kind is what an entry is.
type Kind uint8

const (
	File Kind = iota + 1
	Dir
	Symlink
)

func (k Kind) String() string {
	switch k {
	case File:
		return "file"
	case Dir:
		return "directory"
	case Symlink:
		return "symlink"
	}
	return "nothing"
}

// Entry is what devices tell each other about a path: the state that stands, or
// (Deleted) the tombstone of what stood.
type Entry struct {
	Path    Path
	Kind    Kind
	Deleted bool
	Size    int64     // of a file, in bytes
	MTime   int64     // of a file or symlink, nanoseconds since 1970; 0 for a directory
	Mode    uint32    // permission bits (0o777) of a file or directory; 0 for a symlink
	Content ContentID // of a file. In a tombstone: what was deleted
	Target  string    // of a symlink, as written in it
	Attrs   Attrs     // of a file or directory
	// Base is the content that this one was edited from; zero when it was not
	// edited from anything. For three-way merge, and for sending a chunk list
	// as a difference.
	Base     ContentID
	Version  Version
	Author   ReplicaID // who made the change; its counter in Version is when
	Conflict *Conflict // set: this is a conflict copy
	MovedTo  Path      // in a tombstone: where the content went, a hint; else empty
}

// Conflict tags a conflict copy.
type Conflict struct {
	Of   Path      // the path whose name the other version holds
	Base ContentID // what both were edited from; zero when not known
}

// MaxTarget is how long a symlink's target may be, in bytes.
const MaxTarget = 4096

// Exists says whether something stands at the path.
func (e Entry) Exists() bool { return e.Kind != 0 && !e.Deleted }

// SameContent says whether a person would find the same thing at both paths,
// metadata aside.
func (e Entry) SameContent(f Entry) bool {
	if e.Exists() != f.Exists() {
		return false
	}
	return !e.Exists() || (e.Kind == f.Kind && e.Content == f.Content && e.Target == f.Target)
}

// SameMeta says whether the metadata is the same, too: permission bits, mtime,
// attributes, the conflict tag.
func (e Entry) SameMeta(f Entry) bool {
	if e.Mode != f.Mode || e.MTime != f.MTime || e.Attrs != f.Attrs || (e.Conflict == nil) != (f.Conflict == nil) {
		return false
	}
	return e.Conflict == nil || *e.Conflict == *f.Conflict
}

// Stat is what the disk said of a path when its entry was recorded. A path
// whose lstat still gives this is taken as unchanged.
type Stat struct {
	Kind  Kind
	Size  int64
	MTime int64 // nanoseconds, as the file system keeps it: its grain may be coarser than Entry.MTime
	Mode  uint32
	Inode uint64
	Attrs uint64 // Attrs.Sum of what stood on it; 0: nothing, or nobody looked
	// CTime is that of a file when it was looked at last, in nanoseconds: while the
	// disk says the same, neither content nor attributes were changed since. 0: not
	// known, or so young then that a change could have hidden behind it.
	CTime  int64
	Looked uint8 // the kinds of attributes (rootfs.AttrKinds) that Attrs is of, where CTime is known
}

// Record is one row of the local index: what stands (or stood) here.
type Record struct {
	Entry
	Disk Stat   // zero for a tombstone
	Seq  uint64 // the place in this index's history at which the row was last written; never 0
	// Sealed: the content of a file looks encrypted (engine/noise). Known where it
	// was looked at; peers are not told.
	Sealed bool
}
