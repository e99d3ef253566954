package watch

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	// maxDepth is how deep below the root directories are watched: deeper ones
	// can't be synced.
	maxDepth = 256
	// rebuildEvery is the least time between two makings of all watches.
	rebuildEvery = 2 * time.Second
	// listAtOnce is how many names of a directory are held at a time.
	listAtOnce = 256
)

// notifier is what is used of fsnotify.
type notifier interface {
	Add(dir string) error
	Remove(dir string) error
	Events() <-chan fsnotify.Event
	Errors() <-chan error
	Close() error
}

// fsnotifier takes fsnotify's errors off it at once, whatever its user is at: it
// tells them while it holds the lock that Add and Remove need.
type fsnotifier struct {
	w    *fsnotify.Watcher
	errs chan error
	done chan struct{}
}

func (n fsnotifier) Add(dir string) error          { return n.w.Add(dir) }
func (n fsnotifier) Remove(dir string) error       { return n.w.Remove(dir) }
func (n fsnotifier) Events() <-chan fsnotify.Event { return n.w.Events }
func (n fsnotifier) Errors() <-chan error          { return n.errs }

func (n fsnotifier) Close() error {
	err := n.w.Close()
	<-n.done
	return err
}

// drain keeps one error: each has the same consequence. That a watch is gone
// already, of a directory that was moved away and removed, is none.
func (n fsnotifier) drain() {
	defer close(n.done)
	for err := range n.w.Errors {
		if errors.Is(err, syscall.EINVAL) {
			continue
		}
		select {
		case n.errs <- err:
		default:
		}
	}
}

func newFsnotifier() (notifier, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	n := fsnotifier{w: w, errs: make(chan error, 1), done: make(chan struct{})}
	go n.drain()
	return n, nil
}

// inotify keeps a watch on every directory. Only its loop touches its state,
// and it handles one event to its end before it takes the next: so a watch is
// always added after the events that came before it were handled, and is
// dropped when the event comes that its directory, or one above, has moved
// away. Otherwise the kernel would go on reporting under a name that is not
// true any more.
type inotify struct {
	w    *Watcher
	open func() (notifier, error)

	n       notifier // nil: could not be made
	top     *node
	root    fs.FileInfo // what the root was when its watch was added
	queue   []string    // directories to watch; a stack, so that it stays short
	ready   bool        // Ready was told
	filling bool        // the queue holds a full making of watches, to be followed by All
	rebuilt time.Time   // when that last began

	limit   string // the limit that was hit
	refused int    // directories that it left without a watch
	watched int

	again  chan struct{} // Refresh; capacity 1
	mounts chan mountNews
	stopMt func()
	wg     sync.WaitGroup
}

// node is a directory that is watched.
type node struct{ below map[string]*node }

func startBackend(w *Watcher) (backend, error) { return startInotify(w, newFsnotifier) }

func startInotify(w *Watcher, open func() (notifier, error)) (backend, error) {
	info, err := os.Lstat(w.root)
	if err != nil {
		return nil, err
	}
	if info.Mode()&fs.ModeSymlink != 0 {
		if w.root, err = filepath.EvalSymlinks(w.root); err != nil {
			return nil, err
		}
		if info, err = os.Lstat(w.root); err != nil {
			return nil, err
		}
	}
	if !info.IsDir() {
		return nil, &fs.PathError{Op: "watch", Path: w.root, Err: syscall.ENOTDIR}
	}
	b := &inotify{w: w, open: open, root: info, again: make(chan struct{}, 1), mounts: make(chan mountNews, 1)}
	b.stopMt = watchMounts(w.root, b.mounts, &b.wg)
	b.rebuild()
	b.wg.Add(1)
	go b.loop()
	return b, nil
}

func (b *inotify) refresh() {
	select {
	case b.again <- struct{}{}:
	default:
	}
}

func (b *inotify) stop() error {
	b.stopMt()
	b.wg.Wait()
	if b.n == nil {
		return nil
	}
	return b.n.Close()
}

// loop drains events first and adds watches when there are none.
func (b *inotify) loop() {
	defer b.wg.Done()
	var later <-chan time.Time // a rebuild that had to wait
	for {
		if len(b.queue) > 0 {
			select {
			case <-b.w.done:
				return
			case e, ok := <-b.events():
				b.event(e, ok)
			case err := <-b.errors():
				later = b.failed(err, later)
			default:
				b.addNext()
			}
			continue
		}
		b.filled()
		select {
		case <-b.w.done:
			return
		case e, ok := <-b.events():
			b.event(e, ok)
		case err := <-b.errors():
			later = b.failed(err, later)
		case <-later:
			later = nil
			b.rebuild()
		case <-b.again:
			b.rebuild()
		case m := <-b.mounts:
			b.mounted(m)
		}
	}
}

func (b *inotify) events() <-chan fsnotify.Event {
	if b.n == nil {
		return nil
	}
	return b.n.Events()
}

func (b *inotify) errors() <-chan error {
	if b.n == nil {
		return nil
	}
	return b.n.Errors()
}

// rebuild makes all watches anew.
func (b *inotify) rebuild() {
	b.rebuilt = b.w.o.Now()
	if b.n != nil {
		_ = b.n.Close() // only drops watches
	}
	b.top, b.queue, b.watched, b.refused, b.limit = nil, nil, 0, 0, ""
	b.filling = true
	var err error
	if b.n, err = b.open(); err != nil {
		b.n = nil
		if errors.Is(err, syscall.EMFILE) && readSetting(limitInstances) > 0 { // unreadable: it is our own files that are too many
			b.limit = limitInstances
		} else {
			b.w.warn(err)
		}
	}
	b.queue = append(b.queue, "")
}

// filled tells what came of the making of watches, once.
func (b *inotify) filled() {
	if !b.filling {
		return
	}
	b.filling = false
	b.tellLimit()
	if !b.ready {
		b.ready = true
		close(b.w.ready)
		return
	}
	b.w.noteAll()
}

func (b *inotify) tellLimit() {
	if b.limit != "" {
		b.w.warn(limitError(b.limit, b.watched+b.refused))
	} else if b.n != nil {
		b.w.warn(nil)
	}
}

// failed handles what the notifier itself complains about: above all, that the
// kernel's queue was full.
func (b *inotify) failed(err error, later <-chan time.Time) <-chan time.Time {
	if err == nil || later != nil {
		return later
	}
	if wait := b.rebuilt.Add(rebuildEvery).Sub(b.w.o.Now()); wait > 0 {
		b.w.noteAll()
		return time.After(wait)
	}
	b.rebuild()
	return nil
}

// event handles one event. Its order of steps matters: watches first, hint last.
func (b *inotify) event(e fsnotify.Event, ok bool) {
	if !ok {
		b.n = nil // closed under us: nothing comes any more
		b.w.noteAll()
		return
	}
	rel, inside := b.rel(e.Name)
	if !inside {
		return
	}
	away := e.Has(fsnotify.Remove) || e.Has(fsnotify.Rename)
	if rel == "" {
		if away {
			b.w.noteGone()
		} else {
			b.w.note("", false)
		}
		return
	}
	if b.w.o.Skip(rel) {
		return
	}
	if away || e.Has(fsnotify.Create) {
		b.drop(rel)
	}
	if e.Has(fsnotify.Create) && b.isDir(rel) {
		b.queue = append(b.queue, rel)
		return // addNext tells
	}
	b.w.note(rel, false)
}

func (b *inotify) rel(name string) (string, bool) {
	if name == b.w.root {
		return "", true
	}
	rest, ok := strings.CutPrefix(name, b.w.root)
	if !ok {
		return "", false
	}
	return strings.TrimPrefix(rest, "/"), true
}

func (b *inotify) abs(rel string) string {
	if rel == "" {
		return b.w.root
	}
	if b.w.root == "/" {
		return "/" + rel
	}
	return b.w.root + "/" + rel
}

func (b *inotify) isDir(rel string) bool {
	var st syscall.Stat_t // for each file that comes to stand: without what os makes of it
	err := syscall.Lstat(b.abs(rel), &st)
	return err == nil && st.Mode&syscall.S_IFMT == syscall.S_IFDIR
}

// addNext watches one directory of the queue, then lists it for those below it,
// then tells that all of it is to be looked at.
func (b *inotify) addNext() {
	rel := b.queue[len(b.queue)-1]
	b.queue = b.queue[:len(b.queue)-1]
	dir := b.abs(rel)
	info, err := os.Lstat(dir)
	switch {
	case rel == "" && (err != nil || !os.SameFile(info, b.root)):
		b.w.noteGone()
		return
	case err != nil || !info.IsDir():
		b.vanished()
		b.w.note(rel, false)
		return
	case device(info) != device(b.root):
		b.w.note(rel, false) // another file system: not part of the folder
		return
	}
	if b.n != nil {
		err = b.n.Add(dir)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		b.vanished()
	case errors.Is(err, syscall.ENOSPC):
		b.limit = limitWatches
		b.refused++
	case b.n == nil:
		b.refused++
	case err == nil:
		b.keep(rel)
	}
	b.list(rel, dir)
	if !b.filling {
		b.w.note(rel, true)
		if b.limit != "" {
			b.tellLimit()
		}
	}
}

// vanished looks whether it is the whole root that is not there any more.
func (b *inotify) vanished() {
	if info, err := os.Lstat(b.w.root); err != nil || !os.SameFile(info, b.root) {
		b.w.noteGone()
	}
}

// list queues the directories in rel. One that can't be read is left to the
// scan, which has words for it.
func (b *inotify) list(rel, dir string) {
	if strings.Count(rel, "/") >= maxDepth {
		return
	}
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	defer f.Close()
	for {
		entries, err := f.ReadDir(listAtOnce)
		for _, e := range entries {
			if !e.IsDir() {
				continue
			}
			below := e.Name()
			if rel != "" {
				below = rel + "/" + below
			}
			if !b.w.o.Skip(below) {
				b.queue = append(b.queue, below)
			}
		}
		if err != nil {
			if !errors.Is(err, io.EOF) {
				b.w.note(rel, false)
			}
			return
		}
	}
}

// keep remembers that rel is watched.
func (b *inotify) keep(rel string) {
	if b.top == nil {
		b.top = &node{}
		b.watched++
	}
	at := b.top
	if rel == "" {
		return
	}
	for name := range strings.SplitSeq(rel, "/") {
		next := at.below[name]
		if next == nil {
			if at.below == nil {
				at.below = map[string]*node{}
			}
			next = &node{}
			at.below[name] = next
			b.watched++
		}
		at = next
	}
}

// drop removes the watches of rel and of everything below it.
func (b *inotify) drop(rel string) {
	if b.top == nil {
		return
	}
	at, up := b.top, (*node)(nil)
	last := ""
	for name := range strings.SplitSeq(rel, "/") {
		up, last = at, name
		if at = at.below[name]; at == nil {
			return
		}
	}
	delete(up.below, last)
	b.unwatch(rel, at)
}

func (b *inotify) unwatch(rel string, at *node) {
	if b.n != nil {
		_ = b.n.Remove(b.abs(rel)) // a removed directory's watch is gone already
	}
	b.watched--
	for name, below := range at.below {
		b.unwatch(rel+"/"+name, below)
	}
}

// mounted acts on a change of the mount table near the root.
func (b *inotify) mounted(m mountNews) {
	if m.err != nil {
		return // without the table, only the marker tells of an unmounted folder
	}
	if info, err := os.Lstat(b.w.root); err != nil || !os.SameFile(info, b.root) {
		b.w.noteGone()
		return
	}
	if m.below {
		b.rebuild()
	}
}

func device(info fs.FileInfo) uint64 {
	if s, ok := info.Sys().(*syscall.Stat_t); ok {
		return uint64(s.Dev)
	}
	return 0
}
