package transfer

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"os"
	"time"

	"pinion/engine/tree"
)

// Staging is the directory that this package owns, in a folder's root.
const Staging = tree.Private + "/tmp"

var (
	// ErrGone says that those who announced a content have not got it any more.
	ErrGone = errors.New("no device has this content any more")
	// ErrLied says that a peer sent other bytes than were asked for.
	ErrLied = errors.New("a device sent other bytes than were asked for")
	// ErrStalled says that a peer sent nothing for too long.
	ErrStalled = errors.New("a device stopped sending")
)

// Source is a session with a peer. Its methods end soon after their ctx did. An
// error that is ErrGone, or that has a method Gone() bool which says so, means
// that the peer has not got the content.
type Source interface {
	Device() tree.DeviceID
	// Manifest gives the chunks of a content; base is one whose chunks the
	// asker knows, or zero. A list of more than most chunks is the peer's fault.
	Manifest(ctx context.Context, folder tree.FolderID, content, base tree.ContentID, most int64) (tree.Manifest, error)
	// Fetch gives the bytes of the wants in their order: sink is called with the
	// successive pieces of want i, where off counts from the start of the
	// content and data is the caller's again when sink returns; done(i, nil)
	// ends it. An error of sink ends Fetch with that error. Neither is called any
	// more after Fetch has returned.
	Fetch(ctx context.Context, folder tree.FolderID, wants []tree.Want,
		sink func(i int, off int64, data []byte) error, done func(i int, err error)) error
}

// Index is what is known of the folder's own content.
type Index interface {
	Get(context.Context, tree.Path) (tree.Record, bool, error)
	ByContent(ctx context.Context, id tree.ContentID, limit int) ([]tree.Record, error)
	Manifest(context.Context, tree.ContentID) (tree.Manifest, bool, error)
}

// Archive finds the files below the root that kept a content which was replaced
// or deleted. It may be wrong: what it names is checked.
type Archive func(context.Context, tree.ContentID) (files []string, err error)

// FS is the folder's disk. Paths are slash-separated and relative to the root.
// Disk makes one of a *rootfs.Root.
type FS interface {
	Open(path string) (File, tree.Stat, error) // a regular file, for reading
	Create(path string) (File, error)          // exclusively, mode 0600
	OpenRW(path string) (File, error)          // a part file, to go on with it
	Lstat(path string) (tree.Stat, error)      // Kind is zero for what is no file, directory or symlink
	Names(dir string) ([]string, error)        //
	Remove(path string) error                  //
	RenameNoReplace(from, to string) error     //
	Reflink(dst, src File) error               // dst is empty; errors.ErrUnsupported
	SyncDir(path string) error                 //
	MakeStaging() error                        // makes Staging if it is not there
}

// Batcher is an FS that takes many operations in a row at less cost, through the FS
// that it gives to one goroutine, until end is called.
type Batcher interface {
	Batch() (fs FS, end func())
}

// Writer is an FS that makes a whole file at less cost than Create and what comes
// after it. It may have mode and mtime then: whoever gives the file a name looks.
type Writer interface {
	WriteNew(path string, data []byte, mode uint32, mtime int64) error
}

// Starter is an FS that can have what was written to a file begin its way to the
// disk, without waiting for it, so that the flush before it gets its name is short.
type Starter interface {
	StartWriting(f File)
}

// File is an open file; an *os.File is one.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Seeker
	io.Closer
	Stat() (os.FileInfo, error)
	Truncate(size int64) error
	Sync() error
}

// Job asks for the content of one entry.
type Job struct {
	Entry   tree.Entry
	Sources []tree.DeviceID // who announced it
	Urgent  bool            // a person waits for it
	// Near is a path here whose content is likely to be similar: where the file
	// was moved from. It may be empty.
	Near tree.Path
	// Final has it answered with ErrGone rather than wait for a device that is not
	// connected: a person waits for the answer.
	Final bool
}

// Result is what became of a Job. There is one for each job that was accepted
// and not dropped.
type Result struct {
	Job      Job
	Staged   string        // where the content lies; belongs to the receiver
	Manifest tree.Manifest // when it has more than one chunk
	Look     Look          // at its first bytes, where they were at hand
	Received int64         // bytes of it that came from peers
	Reused   int64         // bytes of it that were here
	Err      error         // why there is no content; what was fetched is kept for another try
}

// Limits bound what a Fetcher costs. A zero value of a field means its default.
type Limits struct {
	Queue      int           // jobs taken in at once; 4096
	Jobs       int           // big contents under way at once, of up to 1 GiB; 2. Four times as many of up to 4 MiB, one that is larger, and two more that are urgent
	SmallLanes int           // batches of small contents under way for each peer; 2
	BigLanes   int           // runs of chunks under way for each peer; 2
	BatchFiles int           // contents in a batch; 256
	BatchBytes int64         // bytes in a batch; 1 MiB
	RunBytes   int64         // the most bytes in a run; 8 MiB
	StallAfter time.Duration // silence that ends a request; 30 s
	Lies       int           // contents after which a liar is asked for nothing more; 3
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	def(&l.Queue, 4096)
	def(&l.Jobs, 2)
	def(&l.SmallLanes, 2)
	def(&l.BigLanes, 2)
	def(&l.BatchFiles, 256)
	def(&l.Lies, 3)
	if l.BatchBytes <= 0 {
		l.BatchBytes = 1 << 20
	}
	if l.RunBytes <= 0 {
		l.RunBytes = 8 << 20
	}
	if l.StallAfter <= 0 {
		l.StallAfter = 30 * time.Second
	}
	return l
}

// Options are what a Fetcher needs to know of the world.
type Options struct {
	Folder  tree.FolderID
	FS      FS
	Index   Index
	Archive Archive // nil: there is none
	Limits  Limits
	Log     *slog.Logger                         // nil: silent
	Now     func() time.Time                     // nil: time.Now
	After   func(time.Duration) <-chan time.Time // nil: time.After
	Rand    io.Reader                            // nil: crypto/rand
	// Known says of each content whether a file here may hold it, so that the others
	// are not looked for one by one. nil: any may be here.
	Known func(context.Context, []tree.ContentID) ([]bool, error)
	// Sealed looks at the first bytes of a content that came in one piece. nil:
	// nobody wants to know.
	Sealed func(head []byte) bool
	// Bad is told of a peer that sent other bytes than were asked for. It must
	// not call the Fetcher. nil: nobody.
	Bad func(tree.DeviceID, error)
}

// Look is what Options.Sealed said of a content.
type Look uint8

const (
	Unlooked Look = iota
	Plain
	Sealed
)

// Progress is how far the jobs at hand are.
type Progress struct {
	Jobs                  int   // accepted and not yet answered
	BytesDone, BytesTotal int64 // of these
	Received              int64 // from peers since the Fetcher was made
	Reused                int64 // found here since then
	Active                []Active
}

// Active is a content under way.
type Active struct {
	Path       tree.Path // one of those that need it
	Size, Done int64
	From       []tree.DeviceID // those that were asked for it and have not answered yet
}

// mostSmall is how many small contents Progress names at most, after the big ones:
// those whose paths come first.
const mostSmall = 8
