package index

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine/tree"
)

// Options are what an index needs from outside.
type Options struct {
	Now        func() time.Time
	Rand       io.Reader // for replica ids and epochs
	Device     tree.DeviceID
	DeviceName string
	CacheKiB   int // SQLite's page caches together; 0: 4096
	// Refused is told of the entries that Observe left out, up to some for each
	// batch, and why. nil: nobody wants to know.
	Refused func(from tree.DeviceID, path tree.Path, why error)
}

// readers is how many reads go on at once, apart from what Commit and Observe
// read for themselves.
const readers = 2

// page is how many rows are read at a time.
const page = 256

// ErrClosed is returned by all methods after Close.
var ErrClosed = errors.New("the index is closed")

// Index is an open index. All methods may be called from any goroutine.
type Index struct {
	o       Options
	readers chan *conn
	names   *names
	done    chan struct{} // closed by Close
	met     atomic.Bool   // a peer has known our history since the index was opened

	writing chan struct{} // holds one token: who takes it may use w, epoch, begun and buf
	w       *conn
	epoch   uint64 // drawn at opening
	begun   bool   // the epoch is in the file
	buf     []byte

	unflushed bool // the writer's transactions are not flushed at present

	mu      sync.Mutex
	head    head // as committed
	unclean bool // the file was not closed in order before
	echoes  echoes

	hist history
	last uint64 // the clock's newest value
}

// Open opens the index in file, or makes one. ErrDamaged asks for SetAside.
func Open(ctx context.Context, file string, o Options) (*Index, error) {
	if o.CacheKiB == 0 {
		o.CacheKiB = 4096
	}
	ix := &Index{o: o, readers: make(chan *conn, readers), names: newNames(), done: make(chan struct{}), writing: make(chan struct{}, 1)}
	if err := ix.open(ctx, file); err != nil {
		return nil, fmt.Errorf("open index: %w", errors.Join(err, ix.shut()))
	}
	return ix, nil
}

func (ix *Index) open(ctx context.Context, file string) (err error) {
	if st, err := os.Stat(file + "-wal"); err == nil { // a clean end leaves none
		ix.unclean = st.Size() > 0
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if ix.w, err = dial(file); err != nil {
		return err
	}
	if err = ix.w.setUp(max(64, ix.o.CacheKiB/2), true); err != nil {
		return err
	}
	if ix.unclean {
		if err = ix.w.check(); err != nil {
			return err
		}
	}
	if err = ix.w.migrate(); err != nil {
		return err
	}
	for range readers {
		r, err := dial(file)
		if err != nil {
			return err
		}
		ix.readers <- r
		if err := r.setUp(max(64, ix.o.CacheKiB/2/readers), false); err != nil {
			return err
		}
	}
	ix.writing <- struct{}{}
	return ix.load(ctx)
}

// Unclean says whether the index was not closed in order before it was opened: by
// a power cut, for instance.
func (ix *Index) Unclean() bool { return ix.unclean }

// Check looks through the whole file: ErrDamaged if it is not sound.
func (ix *Index) Check(ctx context.Context) error {
	return ix.read(ctx, "check the index", (*conn).check)
}

// check looks through the whole file, apart from the agreement of the indexes.
func (c *conn) check() error {
	verdict := ""
	err := c.query(func(r *row) error { verdict = r.text(0); return nil }, "PRAGMA quick_check(1)")
	if err == nil && verdict != "ok" {
		err = fmt.Errorf("%w: %s", ErrDamaged, verdict)
	}
	return err
}

// Close waits for what is under way and ends the use of the index.
func (ix *Index) Close() error {
	_ = ix.keepMet(context.Background()) // the next start would be more careful than it need be
	select {
	case <-ix.done:
		return nil
	case <-ix.writing:
	}
	close(ix.done)
	if err := ix.shut(); err != nil {
		return fmt.Errorf("close index: %w", err)
	}
	return nil
}

// shut closes the readers, then the writer, whose close ends the WAL.
func (ix *Index) shut() error {
	var errs []error
	for range cap(ix.readers) {
		select {
		case r := <-ix.readers:
			errs = append(errs, r.Close())
		default:
		}
	}
	if ix.w != nil {
		errs = append(errs, ix.w.Close())
	}
	return errors.Join(errs...)
}

// SetAside renames a damaged index, with what belongs to it, so that a new one
// can be made in its place. It gives the new name of the main file.
func SetAside(file string, now time.Time) (string, error) {
	to := file + ".damaged-" + now.UTC().Format("20060102T150405.000000000Z")
	for _, suffix := range []string{"", "-wal", "-shm"} {
		if err := os.Rename(file+suffix, to+suffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("set the damaged index aside: %w", err)
		}
	}
	return to, nil
}

// read lends a reader to fn.
func (ix *Index) read(ctx context.Context, verb string, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", verb, ctx.Err())
	case <-ix.done:
		return fmt.Errorf("%s: %w", verb, ErrClosed)
	case c := <-ix.readers:
		defer func() { ix.readers <- c }()
		if err := fn(c); err != nil {
			return fmt.Errorf("%s: %w", verb, err)
		}
		return nil
	}
}
