package memdisk

import (
	"context"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"pinion/platform/watch"
)

// private is not watched.
const private = ".pinion"

// rest is how long a path is left alone before it is handed out.
const rest = 15 * time.Millisecond

// Watcher tells what was changed on a Disk.
type Watcher struct {
	gate  Gate
	ready chan struct{}
	done  chan struct{}
	wake  chan struct{}

	mu          sync.Mutex
	closed      bool
	paths, deep map[string]bool
	all         bool
}

// Watch begins to watch for an engine.
func (d *Disk) Watch(g Gate) *Watcher {
	w := &Watcher{
		gate: g, ready: make(chan struct{}), done: make(chan struct{}), wake: make(chan struct{}, 1), paths: map[string]bool{}, deep: map[string]bool{},
	}
	close(w.ready)
	d.mu.Lock()
	d.watchers = append(d.watchers, w)
	d.mu.Unlock()
	return w
}

// note tells the watchers; d.mu is held.
func (d *Disk) note(path string, deep bool) {
	if path == private || strings.HasPrefix(path, private+"/") {
		return
	}
	for _, w := range d.watchers {
		w.note(path, deep, false)
	}
}

// Overflow makes the watchers lose what they have seen.
func (d *Disk) Overflow() {
	d.mu.Lock()
	defer d.mu.Unlock()
	for _, w := range d.watchers {
		w.note("", false, true)
	}
}

func (w *Watcher) note(path string, deep, all bool) {
	w.mu.Lock()
	switch {
	case all:
		w.all = true
		clear(w.paths)
		clear(w.deep)
	case deep:
		w.deep[path] = true
	default:
		w.paths[path] = true
	}
	w.mu.Unlock()
	select {
	case w.wake <- struct{}{}:
	default:
	}
}

func (w *Watcher) Ready() <-chan struct{} { return w.ready }
func (w *Watcher) Warning() error         { return nil }
func (w *Watcher) Refresh()               { w.note("", false, true) }

func (w *Watcher) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.closed {
		w.closed = true
		close(w.done)
	}
	return nil
}

// Take waits until something was changed and hands it out after a rest.
func (w *Watcher) Take(ctx context.Context) (watch.Hints, error) {
	for {
		select {
		case <-ctx.Done():
			return watch.Hints{}, ctx.Err()
		case <-w.done:
			return watch.Hints{}, watch.ErrClosed
		case <-w.wake:
		}
		alarm := time.NewTimer(rest)
		select {
		case <-ctx.Done():
			alarm.Stop()
			return watch.Hints{}, ctx.Err()
		case <-alarm.C:
		}
		if err := w.gate.Pass("watch", ""); err != nil {
			return watch.Hints{}, err
		}
		w.mu.Lock()
		h := watch.Hints{Paths: slices.Sorted(maps.Keys(w.paths)), Deep: slices.Sorted(maps.Keys(w.deep)), All: w.all}
		clear(w.paths)
		clear(w.deep)
		w.all = false
		w.mu.Unlock()
		if !h.Empty() {
			return h, nil
		}
	}
}
