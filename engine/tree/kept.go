package tree

// Reason is why something went to an archive.
type Reason uint8

const (
	Replaced Reason = iota + 1
	Removed
	Conflicted // it gave way in a conflict, or was written to after it had been displaced
)

// String is the word that a person and the API are given.
func (r Reason) String() string {
	switch r {
	case Replaced:
		return "replaced"
	case Removed:
		return "deleted"
	case Conflicted:
		return "conflict"
	}
	return "unknown"
}

// Kept is one version in a device's archive, as that device tells it.
type Kept struct {
	Path    Path
	Seq     uint64 // its place in that archive; never zero, ascending with time
	When    int64  // it was put away, nanoseconds since 1970 by that device's clock
	Kind    Kind   // File or Symlink
	Size    int64
	MTime   int64     // nanoseconds since 1970
	Mode    uint32    // permission bits
	Content ContentID // zero if not known, and of a symlink
	Target  string    // of a symlink
	By      DeviceID  // whose change took it away; zero if not known
	Reason  Reason
	Expires int64 // when its device lets go of it, nanoseconds since 1970; 0: not known
}

// KeptQuery asks a device for one page of what its archive of a folder holds.
type KeptQuery struct {
	Within  Path   // that path and all below it; empty: everything
	Deleted bool   // only of paths at which nothing stands on that device
	Path    Path   // the page begins after this path and place …
	Seq     uint64 // … in the order of Path.Compare, then of Seq
	// Names asks for a directory at a glance, however much is below it: of each
	// name in Within (and of Within itself) at most KeptNear versions, and one of
	// what is below that name, if something is. The page begins after all that is below Path's name.
	Names bool
	At    int64 // with Names: those put away after this moment, the first of them; 0: the newest
	Limit int   // at most so many rows; 0: MaxKept
}

// KeptPage is one page: versions in the order of their paths, those of one path
// from the oldest on.
type KeptPage struct {
	Rows []Kept
	More bool // there is more after the last one
}

// After is the query for the page that follows.
func (q KeptQuery) After(p KeptPage) KeptQuery {
	if n := len(p.Rows); n > 0 {
		q.Path, q.Seq = p.Rows[n-1].Path, p.Rows[n-1].Seq
	}
	return q
}

// Precedes says whether a page may hold k after a row at p and seq.
func (k Kept) Precedes(p Path, seq uint64) bool {
	c := k.Path.Compare(p)
	return c < 0 || c == 0 && k.Seq <= seq
}

const (
	// MaxKept is how many rows a page may have.
	MaxKept = 1000
	// KeptNear is how many versions of a name are told at a glance.
	KeptNear = 8
	// LastMoment is the latest that a Kept may name, in nanoseconds since 1970: the
	// year 2200.
	LastMoment = int64(7_258_118_400_000_000_000)
)
