package watch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"
)

// Hints says where to look. Paths are slash-separated and relative to the
// root; the root itself is "".
type Hints struct {
	Paths []string // something changed at the path itself; of a directory: look at its children, too
	Deep  []string // anything may have changed in the whole subtree
	All   bool     // events were lost: anything may have changed anywhere
}

// Empty says whether there is nothing to look at.
func (h Hints) Empty() bool { return len(h.Paths) == 0 && len(h.Deep) == 0 && !h.All }

// Options may be left zero.
type Options struct {
	// Skip names paths that wake nobody; a directory that is skipped is not
	// watched, nor is anything below it. It is called from the watcher's own
	// goroutine. After its answers change, call Refresh.
	Skip func(rel string) bool
	// Limit is how many dirty paths may wait; beyond it they are collapsed to
	// their directories, and then to All. Default 8192.
	Limit int
	// Rest is how long a path must have been left alone before it is handed
	// out. Default 15 ms. A path that never rests is handed out less and less
	// often, down to once in ten seconds.
	Rest time.Duration
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Skip == nil {
		o.Skip = func(string) bool { return false }
	}
	if o.Limit <= 0 {
		o.Limit = 8192
	}
	if o.Rest <= 0 {
		o.Rest = 15 * time.Millisecond
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

var (
	// ErrRootGone is what Take returns once the root is removed, renamed or
	// unmounted, after a last Hints with All.
	ErrRootGone = errors.New("the folder is not there any more")
	// ErrClosed is what Take returns after Close.
	ErrClosed = errors.New("watcher is closed")
	// ErrUnsupported is the warning where the system can't be asked to watch.
	ErrUnsupported = errors.New("watching for changes is not supported on this system: changes are found by scanning only")
)

// LimitError says that the system would not let us watch every directory.
type LimitError struct {
	Limit      string // the setting's name
	Have, Need int    // its value now, and one that is enough
	Remedy     string // what to type
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("not everything can be watched: %s is %d, at least %d is needed; changes elsewhere are found by scanning only. To mend it: %s",
		e.Limit, e.Have, e.Need, e.Remedy)
}

// Watcher watches one folder. Take is for one caller at a time; the other
// methods may be called from anywhere.
type Watcher struct {
	root  string
	o     Options
	ready chan struct{}
	wake  chan struct{} // capacity 1: Take should look at the set again
	done  chan struct{} // closed by Close

	closeOnce sync.Once
	back      backend

	mu      sync.Mutex
	set     *dirty
	waiting time.Time // when Take will look by itself; zero: not before a wake
	gone    bool      // the root is not there any more
	told    bool      // Take has handed out its last All
	warning error
}

// backend is what a system gives: it calls the watcher's note methods from
// goroutines of its own, which have ended when stop returns.
type backend interface {
	refresh()
	stop() error
}

// Open starts to watch root. It returns at once; Ready tells when everything
// below root is watched.
func Open(root string, o Options) (*Watcher, error) {
	abs, err := filepath.Abs(root)
	if err != nil {
		return nil, fmt.Errorf("watch %s: %w", root, err)
	}
	w := newWatcher(abs, o.withDefaults())
	if w.back, err = startBackend(w); err != nil {
		return nil, fmt.Errorf("watch %s: %w", root, err)
	}
	return w, nil
}

func newWatcher(root string, o Options) *Watcher {
	return &Watcher{
		root:  root,
		o:     o,
		ready: make(chan struct{}),
		wake:  make(chan struct{}, 1),
		done:  make(chan struct{}),
		set:   newDirty(o.Rest, o.Limit),
	}
}

// Ready is closed when everything below the root is watched (or as much of it
// as Warning says).
func (w *Watcher) Ready() <-chan struct{} { return w.ready }

// Take waits until something has changed and rested, and hands it out: all that
// is due, once. It returns ctx's error, ErrClosed, or ErrRootGone.
func (w *Watcher) Take(ctx context.Context) (Hints, error) {
	for {
		select {
		case <-w.done:
			return Hints{}, ErrClosed
		case <-ctx.Done():
			return Hints{}, ctx.Err()
		default:
		}
		h, next, gone := w.due()
		if !h.Empty() {
			return h, nil
		}
		if gone {
			return Hints{}, ErrRootGone
		}
		if err := w.sleep(ctx, next); err != nil {
			return Hints{}, err
		}
	}
}

// due gives what may be handed out, and when to look again if that is nothing.
func (w *Watcher) due() (h Hints, next time.Time, gone bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.gone {
		h.All = !w.told
		w.told = true
		return h, time.Time{}, true
	}
	h, next = w.set.take(w.o.Now())
	w.waiting = next
	return h, next, false
}

func (w *Watcher) sleep(ctx context.Context, next time.Time) error {
	var alarm <-chan time.Time
	if !next.IsZero() {
		t := time.NewTimer(next.Sub(w.o.Now()))
		defer t.Stop()
		alarm = t.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-w.done:
		return ErrClosed
	case <-w.wake:
	case <-alarm:
	}
	return nil
}

// Warning is nil while everything is watched. Otherwise (a *LimitError,
// ErrUnsupported, or what the system said) changes may come without a hint, and
// the caller should scan more often.
func (w *Watcher) Warning() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.warning
}

// Refresh makes the watches anew, because what Skip answers has changed, and
// hands out All when that is done.
func (w *Watcher) Refresh() { w.back.refresh() }

// Close ends the watching and waits until its goroutines have ended.
func (w *Watcher) Close() (err error) {
	w.closeOnce.Do(func() {
		close(w.done)
		err = w.back.stop()
	})
	return err
}

// note records a change at rel.
func (w *Watcher) note(rel string, deep bool) {
	w.change(func(now time.Time) time.Time { return w.set.mark(rel, deep, now) })
}

// noteAll records that events were lost.
func (w *Watcher) noteAll() {
	w.change(func(now time.Time) time.Time { return w.set.markAll(now) })
}

// noteGone records that the root is not there any more.
func (w *Watcher) noteGone() {
	w.mu.Lock()
	already := w.gone
	w.gone = true
	w.mu.Unlock()
	if !already {
		w.noteAll()
	}
}

// change applies f, which gives the time at which its mark is due, and wakes
// Take if that is before Take would look by itself.
func (w *Watcher) change(f func(now time.Time) time.Time) {
	w.mu.Lock()
	due := f(w.o.Now())
	early := w.waiting.IsZero() || due.Before(w.waiting)
	w.mu.Unlock()
	if early {
		select {
		case w.wake <- struct{}{}:
		default:
		}
	}
}

func (w *Watcher) warn(err error) {
	w.mu.Lock()
	w.warning = err
	w.mu.Unlock()
}
