package scan

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

var (
	// ErrRootGone: the marker is not there, so that nothing on this disk can be
	// believed.
	ErrRootGone = errors.New("the folder's disk or marker is not there")
	// ErrEmptied: nothing stands in the folder while the index holds files. See
	// EmptiedError for how many.
	ErrEmptied = errors.New("the folder is empty, although files were in it")
)

// EmptiedError is an ErrEmptied with what the index holds.
type EmptiedError struct{ Files, Dirs int64 }

func (e *EmptiedError) Error() string {
	return fmt.Sprintf("%v (%d files, %d directories)", ErrEmptied, e.Files, e.Dirs)
}

func (e *EmptiedError) Is(target error) bool { return target == ErrEmptied }

// Index is what a scan reads of the index. The functions that are handed to
// Standing and Children may take their time, and may call the other methods.
type Index interface {
	// Position tells by a Seq of 0 that no row was ever written.
	Position() tree.Position
	// Get gives the row of a path, a tombstone included.
	Get(ctx context.Context, p tree.Path) (tree.Record, bool, error)
	// At gives the rows of paths, tombstones included.
	At(ctx context.Context, paths []tree.Path) (map[tree.Path]tree.Record, error)
	// Standing gives the live rows below under, some at a time, in the order of
	// tree.Path.Compare: of each only Path, Kind, Disk, Attrs and Seq. They are valid
	// during the call.
	Standing(ctx context.Context, under tree.Path, fn func([]tree.Record) (bool, error)) error
	// Walk gives the live rows below under that come after a path, whole, in the same
	// order.
	Walk(ctx context.Context, under, after tree.Path, fn func(tree.Record) (bool, error)) error
	// Children gives the live rows directly in dir, in the same order.
	Children(ctx context.Context, dir tree.Path, fn func(tree.Record) (bool, error)) error
	// Fresh says whether there is no row at a path nor below it, not even a tombstone.
	Fresh(ctx context.Context, p tree.Path) (bool, error)
	// ByInode gives live files and directories that had this inode.
	ByInode(ctx context.Context, inode uint64, limit int) ([]tree.Record, error)
}

// Options is what a Scanner works with. FS, Index and Hash are needed.
type Options struct {
	FS    FS
	Index Index
	Name  string // of the folder's directory, for people; may be empty
	// Caps is what the file system was found to be able to: which of mode bits,
	// inodes and names mean something.
	Caps rootfs.Capabilities
	// Attrs are the kinds of attributes that are read.
	Attrs rootfs.AttrKinds
	// Hash reads size bytes and cuts them; another number of bytes is an error.
	Hash func(ctx context.Context, r io.Reader, size int64) (tree.Manifest, tree.ContentID, error)
	// Large is used in place of Hash for files of at least LargeFrom bytes that are
	// new or have another length than before: others are often read anew and found
	// to be what they were. as is what the file at path looks like, and base the
	// content that the index has there, if any. nil: Hash is used for all.
	Large     func(ctx context.Context, r io.Reader, path tree.Path, as tree.Stat, base tree.ContentID) (tree.Manifest, tree.ContentID, error)
	LargeFrom int64
	// Sealed says of a content's first bytes (SealedHead at most) whether it looks
	// encrypted; nil: none does. It must not keep them.
	Sealed func(head []byte) bool
	// Check fails when the folder's marker is not there.
	Check func() error
	// Ignored says what is not synced. It is asked for every level from the top,
	// and its answers may change between scans.
	Ignored func(path string, dir bool) bool
	// Emptied says whether a person has said that all was deleted on purpose.
	Emptied func() bool
	// MaxInline is the largest file that Paths reads; larger ones are put into
	// Summary.Deferred, for Big. 0: no limit.
	MaxInline int64
	// Progress is called now and then, from the scanning goroutine.
	Progress func(Progress)
	Now      func() time.Time
}

// Progress is how far a scan is.
type Progress struct {
	Files  int64 // and directories and symlinks that were looked at
	Hashed int64 // bytes read
}

// Change is a difference between the disk and the index.
type Change struct {
	Path    tree.Path
	BasedOn uint64 // the Seq of the row that this was compared with; 0: there is none
	// Now is what stands there, without Version and Author. Kind 0: nothing.
	Now tree.Entry
	// Disk is what lstat gave, for the next scan to compare with.
	Disk     tree.Stat
	Manifest tree.Manifest // of a file that was read
	Sealed   bool          // tree.Record.Sealed
	// From is the path of a row that was live with the same inode, size and mtime
	// when this was found: the content is that row's, and was not read. The file
	// was moved from there, or, if it still stands there, has two names. A change
	// of From itself may have been told before this one.
	//
	// A directory that came from there has the row's inode, and nothing stands at
	// From any more. What was in it need not have come along: once that was looked
	// at, and all of it has, From itself is told, with To, after what was below it.
	From tree.Path
	To   tree.Path // nothing stands at Path any more, but here; Now.Kind is 0
	// Was is From's row (with To: Path's own), as it was read.
	Was *tree.Record
	// Along: it came along with the directory that it is in.
	Along bool
	// Ignored: the path has a row and is ignored now. The row is to be forgotten,
	// and nothing to be deleted anywhere for it.
	Ignored bool
}

// Missing says whether the path was found to be gone.
func (c Change) Missing() bool { return c.Now.Kind == 0 && !c.Ignored && c.To == "" }

// Problem is something on disk that can't be synced.
type Problem struct {
	Path string
	Why  string // a sentence for a person, with the cure
}

// Summary is what a scan found besides changes.
type Summary struct {
	Files, Dirs, Symlinks int64 // that were looked at
	Bytes                 int64 // in those files
	HashedFiles           int64
	HashedBytes           int64
	Changed, Missing      int64 // emitted; Missing is not part of Changed
	Problems              []Problem
	MoreProblems          int64       // that did not fit in Problems
	Unstable              []tree.Path // to be looked at again in a moment
	MoreUnstable          bool        // there are others: everything is to be looked at again
	Deferred              []tree.Path // by Paths: for Big
	Undressed             []tree.Path // whose row knows attributes that were never put on the disk; up to MaxUnstable
}

// Bounds of a Summary and of a batch.
const (
	MaxProblems = 1000
	MaxUnstable = 1000
	MaxDeferred = 1000

	// SealedHead is how much of a content Options.Sealed is shown.
	SealedHead = 4096

	batchChanges = 2000
	batchChunks  = 64 << 10
	batchTime    = 200 * time.Millisecond
)

// Scanner looks at one folder. It keeps no state: scans may run side by side.
type Scanner struct{ o Options }

// New makes a Scanner.
func New(o Options) *Scanner {
	if o.Check == nil {
		o.Check = func() error { return nil }
	}
	if o.Ignored == nil {
		o.Ignored = func(string, bool) bool { return false }
	}
	if o.Sealed == nil {
		o.Sealed = func([]byte) bool { return false }
	}
	if o.Emptied == nil {
		o.Emptied = func() bool { return false }
	}
	if o.Progress == nil {
		o.Progress = func(Progress) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Scanner{o: o}
}

// Full compares the whole folder. emit is called with one batch after the other
// and may keep them; its error ends the scan.
func (s *Scanner) Full(ctx context.Context, emit func([]Change) error) (Summary, error) {
	return s.run(ctx, emit, 0, (*run).full)
}

// Paths compares what stands at paths (of a directory: its children, too) and in
// the subtrees deep. Paths of either kind may come from a watcher: they need not
// be valid, and may repeat or contain each other.
func (s *Scanner) Paths(ctx context.Context, paths, deep []string, emit func([]Change) error) (Summary, error) {
	return s.run(ctx, emit, s.o.MaxInline, func(r *run) error { return r.paths(paths, deep) })
}

// Big is Paths for what Paths has deferred.
func (s *Scanner) Big(ctx context.Context, paths []tree.Path, emit func([]Change) error) (Summary, error) {
	list := make([]string, len(paths))
	for i, p := range paths {
		list[i] = string(p)
	}
	return s.run(ctx, emit, 0, func(r *run) error { return r.paths(list, nil) })
}

// run is the frame of each scan: the marker before, the look, what is missing,
// the marker after.
func (s *Scanner) run(ctx context.Context, emit func([]Change) error, inline int64, look func(*run) error) (Summary, error) {
	r := &run{o: &s.o, ctx: ctx, emit: emit, inline: inline, flushed: s.o.Now(), known: s.o.Index.Position().Seq != 0}
	err := r.begin()
	if err == nil {
		err = look(r)
	}
	if err == nil {
		err = r.tellMissing()
	}
	if err == nil {
		err = r.flush()
	}
	if err == nil {
		err = r.marker()
	}
	r.o.Progress(r.progress())
	return r.sum, err
}
