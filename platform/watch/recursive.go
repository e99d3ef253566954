//go:build darwin || windows

package watch

import (
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rjeczalik/notify"
)

// queueLen is how many events the library may hold for us. It drops without a
// word what does not fit, so that a queue which was ever nearly full counts as
// one that overflowed.
const queueLen = 1 << 16

// recursive watches the tree with one native watch.
type recursive struct {
	w      *Watcher
	events chan notify.EventInfo
	wg     sync.WaitGroup
}

func startBackend(w *Watcher) (backend, error) {
	root, err := filepath.EvalSymlinks(w.root) // events name true paths
	if err != nil {
		return nil, err
	}
	w.root = root
	b := &recursive{w: w, events: make(chan notify.EventInfo, queueLen)}
	if err := notify.Watch(filepath.Join(root, "..."), b.events, notify.All); err != nil {
		return nil, err
	}
	close(w.ready)
	b.wg.Add(1)
	go b.loop()
	return b, nil
}

func (b *recursive) loop() {
	defer b.wg.Done()
	for {
		select {
		case <-b.w.done:
			return
		case e := <-b.events:
			if len(b.events) >= queueLen*3/4 {
				b.w.noteAll()
			}
			b.event(e)
		}
	}
}

func (b *recursive) event(e notify.EventInfo) {
	rel, err := filepath.Rel(b.w.root, e.Path())
	rel = filepath.ToSlash(rel)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return
	}
	if rel == "." {
		rel = ""
	}
	away := e.Event()&(notify.Remove|notify.Rename) != 0
	if away {
		if _, err := os.Lstat(b.w.root); err != nil {
			b.w.noteGone()
			return
		}
	}
	if b.skipped(rel) {
		return
	}
	info, err := os.Lstat(e.Path())
	comes := e.Event()&(notify.Create|notify.Rename) != 0
	b.w.note(rel, comes && err == nil && info.IsDir())
}

// skipped asks for every level, because the native watch knows of no skipped
// directories.
func (b *recursive) skipped(rel string) bool {
	for i := range len(rel) {
		if rel[i] == '/' && b.w.o.Skip(rel[:i]) {
			return true
		}
	}
	return rel != "" && b.w.o.Skip(rel)
}

// refresh has no watches to make: only the answers to Skip have changed.
func (b *recursive) refresh() { b.w.noteAll() }

func (b *recursive) stop() error {
	notify.Stop(b.events)
	b.wg.Wait()
	return nil
}
