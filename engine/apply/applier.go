package apply

import (
	"io"
	"log/slog"
	"sync/atomic"
	"time"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// The places in a folder's own directory that matter here.
const (
	Staging = tree.Private + "/tmp"     // where Action.Staged lies; owned by transfer
	Archive = tree.Private + "/archive" // what was replaced or deleted
	Private = tree.Private + "/apply"   // on its way in or out, and the notes about it; owned by this package
)

// FS is the folder's disk. Paths are slash-separated and relative to the root;
// no component is ever followed if it is a symlink. Disk makes one of a
// *rootfs.Root.
type FS interface {
	Lstat(path string) (rootfs.Info, error)
	Names(dir string) ([]string, error)
	Readlink(path string) (string, error)
	Open(path string) (io.ReadCloser, error) // a regular file, for reading
	WriteNew(path string, data []byte) error // exclusively; not flushed
	Mkdir(path string, perm uint32) error
	Symlink(target, path string) error
	Remove(path string) error    // only ever called below Private
	RemoveDir(path string) error // an empty directory and nothing else: rootfs.ErrNotEmpty, rootfs.ErrNotDirectory
	RenameNoReplace(from, to string) error
	Exchange(a, b string) error // errors.ErrUnsupported where the file system can't
	SetMode(path string, mode uint32) error
	SetMTime(path string, ns int64) error
	Writers(path string) (bool, error)
	SyncFS() error // errors.ErrUnsupported: SyncFile and SyncDir are called for each instead
	SyncFile(path string) error
	SyncDir(path string) error
	Same() error // rootfs.ErrGone: the root is no longer at its place
}

// Batcher is an FS that takes many operations in a row on names in few
// directories at less cost, through the FS that it gives, until end is called.
type Batcher interface {
	Batch() (fs FS, end func())
}

// batch has what follows until end go through a Batcher's batch.
func (a *Applier) batch() (end func()) {
	files, attrs := a.fs, a.o.Attributes.FS
	var ends []func()
	if b, ok := files.(Batcher); ok {
		fs, done := b.Batch()
		a.fs, ends = fs, append(ends, done)
	}
	if b, ok := attrs.(AttrBatcher); ok {
		fs, done := b.BatchAttrs()
		a.o.Attributes.FS, ends = fs, append(ends, done)
	}
	return func() {
		a.fs, a.o.Attributes.FS = files, attrs
		for _, done := range ends {
			done()
		}
	}
}

// Options are what New needs to know of the world.
type Options struct {
	Now func() time.Time
	// Content names the bytes of r. It is asked where lstat alone cannot tell
	// that a file is unchanged: the mtime is younger than a few seconds or the
	// file system's grain is coarse. Without it, such files are left alone.
	Content func(r io.Reader, size int64) (tree.ContentID, error)
	// Device is this device's name, for the names of conflict copies.
	Device string
	// Original gives what a path would be a conflict copy of, by its name, so that
	// copies don't nest; nil: the path itself.
	Original func(tree.Path) tree.Path
	// Attributes says which attributes are set, and by whom.
	Attributes Attributes
	// Junk says whether a file of this name may go with its directory when that
	// is deleted (.DS_Store, Thumbs.db): it goes to the archive. nil: none.
	Junk func(name string) bool
	// LateFor is how long a displaced file is looked at again; 0: ten minutes.
	// One that somebody still has open for writing is kept longer.
	LateFor time.Duration
	Log     *slog.Logger // nil: silent
}

// Applier carries out groups of actions in one folder, one at a time.
type Applier struct {
	fs   FS // guarded by turn
	caps rootfs.Capabilities
	o    Options

	turn     chan struct{}       // of length 1, held by Group, Recover and Recheck for their whole length; guards all below
	serial   uint64              // of the last id drawn
	touched  map[string]struct{} // directories to flush where SyncFS is not to be had
	shelves  map[string]string   // live directory -> its place in the archive, made already; bounded
	lateLeft atomic.Bool         // the last Recheck left something to look at again
	stranded bool                // something lies in Private that could not be brought anywhere

	begun, ended atomic.Uint64 // numbers of the last flush of the whole disk that began, and that ended well
}

// NextFlush is the number of the next flush to begin: it covers what was written
// before NextFlush was called.
func (a *Applier) NextFlush() uint64 { return a.begun.Load() + 1 }

// Flushed says whether that flush has ended well, or one after it.
func (a *Applier) Flushed(number uint64) bool { return number > 0 && a.ended.Load() >= number }

// New makes an Applier. Recover must be called once before the first scan.
func New(fs FS, caps rootfs.Capabilities, o Options) *Applier {
	if o.LateFor == 0 {
		o.LateFor = 10 * time.Minute
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Original == nil {
		o.Original = func(p tree.Path) tree.Path { return p }
	}
	if o.Junk == nil {
		o.Junk = func(string) bool { return false }
	}
	return &Applier{fs: fs, caps: caps, o: o, turn: make(chan struct{}, 1), touched: map[string]struct{}{}, shelves: map[string]string{}}
}

// Status is how an action ended.
type Status uint8

const (
	Skipped  Status = iota // not tried: the group ended before its turn; nothing was touched
	Done                   // as planned, and durable
	Changed                // the disk is not what the index says: the path has to be looked at again
	Busy                   // somebody has it open for writing: later
	Exists                 // something stands where nothing should: a local change that nobody had seen
	NotEmpty               // a directory holds something that the index doesn't know
	Failed                 // Err says why, in a sentence for a person
)

func (s Status) String() string {
	return [...]string{"skipped", "done", "changed", "busy", "exists", "not empty", "failed"}[s]
}

// Outcome is what became of one action. Err is nil only with Done.
type Outcome struct {
	Action   *plan.Action // of those that Group was given
	Status   Status
	Err      error
	Changes  []Change   // for the index; with Done only
	Archived []Archived // what now lies in the archive because of it; may be there with any status
	Lacks    error      // with Done: what the disk could not take beside the content, in a sentence for a person
}

// Change is a row for the index, if the row there still has the Seq that If says.
type Change struct {
	Record tree.Record
	If     uint64 // for a conflict copy (Action.Keep) always 0: the plan carries no row of that path
}

// Reasons for which something is archived.
const (
	Replaced = "replaced"
	Deleted  = "deleted"
	Conflict = "conflict"
)

// Archived is one file or symlink that was put into the archive.
type Archived struct {
	Path    tree.Path // where it was live
	File    string    // where it is: its path, relative to the root
	Size    int64
	MTime   int64
	Content tree.ContentID // zero: not known (a symlink, a junk file)
	When    time.Time
	Reason  string
}

// Late is something that was brought back from where it had been put away: an
// archived file that was written after it had been displaced, or what a crash
// had left on its way.
type Late struct {
	Path tree.Path      // where it had been live
	Kept tree.Path      // where it stands now: Path itself or a conflict's name beside it, to be scanned; empty: it is in the archive, at File
	File string         // its place in the archive: where it was (Kept is set) or is (Kept is empty)
	Base tree.ContentID // what it held when it was displaced; zero if not known
}
