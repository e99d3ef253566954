package folder

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"sync"
	"time"

	"pinion/engine/crash"
	"pinion/engine/ignore"
	"pinion/engine/index"
	"pinion/engine/scan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
	"pinion/platform/watch"
)

// ignoreFile is where a person writes what is not to be synced.
const ignoreFile = ".pinionignore"

// A lane is a scan that may run beside the others.
type lane int

const (
	quick lane = iota // paths that a hint named
	slow              // big files among them
	full              // the whole folder
	lanes
)

// notice is what the loop knows of the disk's changes that are not looked at yet.
type notice struct {
	c *cycle

	paths, deep map[string]struct{} // hinted, for the quick lane
	big         []tree.Path         // for the slow lane
	rules       tree.ContentID      // of the text whose rules hold
	full        bool                // the whole folder is to be looked at
	fullDone    bool                // it was, once, since the folder was opened
	nextFull    time.Time
	running     [lanes]bool
	asked       [lanes][]string           // what the scans under way were told to look at
	overlapped  bool                      // the quick scan under way had another beside it
	again       map[string]struct{}       // looked at beside another scan, which may have seen them before
	held        map[tree.Path]struct{}    // changed while something was under way with them
	swapped     map[tree.Path][lanes]bool // by the scans that may have seen what an apply has taken back since
	unstable    map[string]time.Time      // files that change while they are read: when to look again
	inDir       tree.Path                 // in which something was recorded last, in the batch at hand
	observed    chan observed
	ended       chan ended
}

// observed is a batch of a scan that waits to be taken in.
type observed struct {
	lane    lane
	changes []scan.Change
	answer  chan error
}

// ended is a scan that is over.
type ended struct {
	lane    lane
	summary scan.Summary
	err     error
}

// maxHints bounds the hinted paths; more become a full scan.
const maxHints = 50_000

func newNotice(c *cycle) notice {
	return notice{
		c:     c,
		paths: map[string]struct{}{}, deep: map[string]struct{}{}, unstable: map[string]time.Time{}, held: map[tree.Path]struct{}{}, again: map[string]struct{}{}, swapped: map[tree.Path][lanes]bool{},
		observed: make(chan observed), ended: make(chan ended, lanes),
	}
}

// next is how long until something is to be looked at.
func (n *notice) next(now time.Time) time.Duration {
	next := time.Hour
	if len(n.paths)+len(n.deep) > 0 && !n.running[quick] || len(n.big) > 0 && !n.running[slow] {
		return 0
	}
	if !n.nextFull.IsZero() {
		next = n.nextFull.Sub(now)
	}
	for _, at := range n.unstable {
		next = min(next, at.Sub(now))
	}
	return next
}

// takeHints carries the watcher's hints to the loop.
func (n *notice) takeHints(ctx context.Context, to chan<- watch.Hints, end context.CancelCauseFunc) {
	c := n.c
	for {
		h, err := c.watcher.Take(ctx)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if merr := c.f.checkMarker(); merr != nil {
				err = merr
			}
			end(fmt.Errorf("watch the folder: %w", err))
			return
		}
		select {
		case to <- h:
		case <-ctx.Done():
			return
		}
	}
}

func (n *notice) hinted(h watch.Hints) {
	if h.All {
		n.full = true
	}
	for _, p := range h.Paths {
		n.c.names.besideMoved(tree.Path(p))
		n.look(p)
	}
	for _, p := range h.Deep {
		if !n.c.moves.goes(tree.Path(p)) {
			n.deep[p] = struct{}{}
		}
	}
}

// look has a path looked at soon.
func (n *notice) look(path string) {
	switch {
	case n.c.moves.goes(tree.Path(path)): // all of it is looked at in the end
		return
	case len(n.paths) >= maxHints:
		n.full = true
		return
	}
	n.paths[path] = struct{}{}
}

// busyLooking says whether the disk may hold what the index does not know.
func (n *notice) busyLooking() bool {
	return !n.fullDone || n.full || n.running != [lanes]bool{} || len(n.paths)+len(n.deep)+len(n.big)+len(n.unstable)+len(n.held)+len(n.again) > 0
}

// startScans starts the scans that are due and whose lane is free.
func (n *notice) startScans(ctx context.Context, beside *sync.WaitGroup) {
	c := n.c
	now := time.Now()
	for p, at := range n.unstable {
		if !now.Before(at) {
			delete(n.unstable, p)
			n.look(p)
		}
	}
	if !n.nextFull.IsZero() && !now.Before(n.nextFull) {
		n.full = true
	}
	if n.full && !n.running[full] && n.watching() {
		n.full = false
		c.scanned.Store(0)
		n.nextFull = now.Add(n.jitter(n.scanEvery()))
		n.start(ctx, beside, full, c.scanner.Full)
	}
	if len(n.paths) > 0 && !n.running[quick] {
		n.holdApplied()
	}
	if len(n.paths)+len(n.deep) > 0 && !n.running[quick] {
		paths, deep := keys(n.paths), keys(n.deep)
		n.asked[quick] = append(slices.Clone(paths), deep...)
		clear(n.paths)
		clear(n.deep)
		if _, ok := find(paths, ignoreFile); ok {
			n.ignoreChanged()
		}
		n.start(ctx, beside, quick, func(ctx context.Context, emit func([]scan.Change) error) (scan.Summary, error) {
			return c.scanner.Paths(ctx, paths, deep, emit)
		})
	}
	if len(n.big) > 0 && !n.running[slow] {
		big := n.big
		n.big = nil
		n.start(ctx, beside, slow, func(ctx context.Context, emit func([]scan.Change) error) (scan.Summary, error) {
			return c.scanner.Big(ctx, big, emit)
		})
	}
}

// holdApplied has what is being carried out looked at when that has ended: before,
// it would be read as what nobody knows of.
func (n *notice) holdApplied() {
	if !n.c.carry.running {
		return
	}
	for p := range n.paths {
		if u := n.c.work.units[tree.Path(p)]; u != nil && u.applying {
			delete(n.paths, p)
			n.held[tree.Path(p)] = struct{}{}
		}
	}
}

// watching says whether every directory is watched by now: what changes before is
// found only by a scan that begins after.
func (n *notice) watching() bool {
	select {
	case <-n.c.watcher.Ready():
		return true
	default:
		return false
	}
}

func (n *notice) start(ctx context.Context, beside *sync.WaitGroup, l lane, run func(context.Context, func([]scan.Change) error) (scan.Summary, error)) {
	n.running[l] = true
	n.overlapped = n.running[quick] && (n.running[slow] || n.running[full]) || n.overlapped && l != quick
	// The next batch is looked for while one is taken in; before what is missing is
	// looked for, all is (an empty batch).
	answer := make(chan error, 1)
	answer <- nil
	emit := func(changes []scan.Change) error {
		err := <-answer
		if err != nil || len(changes) == 0 {
			answer <- err
			return err
		}
		select {
		case n.observed <- observed{lane: l, changes: changes, answer: answer}:
			return nil
		case <-ctx.Done():
			answer <- ctx.Err()
			return ctx.Err()
		}
	}
	beside.Go(func() {
		s, err := run(ctx, emit)
		if last := <-answer; err == nil {
			err = last
		}
		n.ended <- ended{lane: l, summary: s, err: err}
	})
}

// scanEvery is the interval of the safety net: shorter where the watcher says
// that it can't see everything.
func (n *notice) scanEvery() time.Duration {
	c := n.c
	if c.watcher.Warning() != nil {
		return min(c.f.cfg.ScanEvery, time.Minute)
	}
	return c.f.cfg.ScanEvery
}

// jitter gives a length of time up to a quarter shorter or longer.
func (n *notice) jitter(d time.Duration) time.Duration {
	var b [8]byte
	if _, err := io.ReadFull(n.c.f.cfg.Rand, b[:]); err != nil {
		return d
	}
	return d - d/4 + time.Duration(binary.LittleEndian.Uint64(b[:])%uint64(d/2+1))
}

// swappedBack notes a path at which an apply has put something and taken it back: a
// scan that runs may have seen it, and is not believed there.
func (n *notice) swappedBack(p tree.Path) {
	if n.running != [lanes]bool{} && p != "" {
		n.swapped[p] = n.running
	}
}

// forgetSwapped notes that the scan of a lane has ended.
func (n *notice) forgetSwapped(l lane) {
	for p, by := range n.swapped {
		if by[l] = false; by == [lanes]bool{} {
			delete(n.swapped, p)
		} else {
			n.swapped[p] = by
		}
	}
}

// observe takes a scan's batch into the index.
func (n *notice) observe(ctx context.Context, l lane, changes []scan.Change) error {
	c := n.c
	var u index.Update
	var gone []tree.Path
	clock := c.index.Tick()
	n.inDir = ""
	paths := make([]tree.Path, 0, len(changes))
	for _, ch := range changes {
		if !ch.Along || ch.BasedOn != 0 { // else the commit sees to it that there is none
			paths = append(paths, ch.Path)
		}
	}
	rows, err := c.index.At(ctx, paths) // which only this goroutine writes
	if err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	for _, ch := range changes {
		if c.moves.goes(ch.Path) || c.moves.goes(ch.From) {
			continue // looked at again once it has gone
		}
		if c.work.units[ch.Path] != nil {
			n.held[ch.Path] = struct{}{} // looked at again when what is under way with it has ended
			continue
		}
		if n.swapped[ch.Path][l] {
			n.look(string(ch.Path))
			continue
		}
		if ch.Ignored {
			u.Changes = append(u.Changes, index.Change{Record: tree.Record{Entry: tree.Entry{Path: ch.Path}}, If: ch.BasedOn, Forget: true})
			continue
		}
		if ch.To != "" {
			n.leftDirectory(&u, ch, clock)
			continue
		}
		if ch.Now.Kind == 0 {
			gone = append(gone, ch.Path)
			continue
		}
		if err := n.record(ctx, &u, ch, rows, clock); err != nil {
			return err
		}
	}
	if len(gone) > 0 {
		if err := c.missing.seenMissing(ctx, gone); err != nil {
			return err
		}
	}
	return c.commit(ctx, u)
}

// commit commits u; refused paths are looked at again.
func (c *cycle) commit(ctx context.Context, u index.Update) error {
	if len(u.Changes)+len(u.Archived)+len(u.Activity) == 0 {
		return nil
	}
	crash.At("index.commit.before")
	refused, err := c.index.Commit(ctx, u)
	crash.At("index.commit.after")
	if err != nil {
		return fmt.Errorf("write the index: %w", err)
	}
	for _, p := range refused {
		c.notice.look(string(p))
		c.work.onceMore() // what was told of it is pending still
	}
	for _, ch := range u.Changes {
		c.names.besideMoved(ch.Record.Path)
	}
	if len(u.Archived) > 0 {
		c.space.measureArchive(ctx)
	}
	c.exchange.Moved()
	c.saying.changed = true
	return nil
}

// lookSoon has a path looked at once its file may hold still.
func (n *notice) lookSoon(path string) {
	if len(n.unstable) < maxHints {
		n.unstable[path] = time.Now().Add(unstableAgain)
	} else {
		n.full = true
	}
}

// unstableAgain is when a file that changed while it was read is read again.
const unstableAgain = 2 * time.Second

// lookOver has looked at once more what was looked at while another scan went on:
// that may have seen a file before it was removed, and told it afterwards.
func (n *notice) lookOver(ended lane) {
	if ended == quick && n.overlapped {
		n.overlapped = false
		for _, p := range n.asked[quick] {
			n.again[p] = struct{}{}
		}
		if len(n.again) > maxHints {
			n.full = true
			clear(n.again)
		}
	}
	if n.running[slow] || n.running[full] {
		return
	}
	for p := range n.again {
		n.look(p)
	}
	clear(n.again)
}

// scanEnded takes in what a scan found apart from changes.
func (n *notice) scanEnded(ctx context.Context, e ended) error {
	c := n.c
	n.running[e.lane] = false
	n.forgetSwapped(e.lane)
	n.lookOver(e.lane)
	c.saying.changed = true
	switch {
	case e.err == nil:
	case errors.Is(e.err, context.Canceled):
		return nil
	case errors.Is(e.err, scan.ErrRootGone), errors.Is(e.err, ErrMissing):
		return fmt.Errorf("%w: %v", ErrMissing, e.err)
	case errors.Is(e.err, scan.ErrEmptied):
		n.fullDone = true
		n.emptied(e.err)
		return nil
	default:
		return fmt.Errorf("scan: %w", e.err)
	}
	c.missing.lookedAgain()
	if e.lane == full {
		n.fullDone = true
		c.coming.looked(c)
		c.missing.filled()
		c.emptyAllowed.Store(false)
		c.problems.replaceScanned(e.summary)
		c.names.check = len(c.names.aside) > 0
		if err := c.saying.clearSettled(ctx); err != nil {
			return err
		}
	} else {
		c.problems.noteScanned(e.summary, n.asked[e.lane], func(path string) bool {
			_, err := c.root.Lstat(path)
			return err == nil || !errors.Is(err, fs.ErrNotExist)
		})
		n.full = n.full || c.missing.emptied != nil // something stands there again, perhaps
	}
	for _, p := range e.summary.Unstable {
		n.lookSoon(string(p))
	}
	n.full = n.full || e.summary.MoreUnstable
	n.big = append(n.big, e.summary.Deferred...)
	return c.dressing.dressAgain(ctx, e.summary)
}

// emptied holds everything when the root was found to be empty though the index
// is not. Where it may be we who are emptying it, which the index is about to say,
// it is looked at again soon.
func (n *notice) emptied(err error) {
	c := n.c
	if counts := c.index.Counts(); counts.Files+counts.Dirs == 0 {
		c.missing.emptied = nil
		return
	}
	c.missing.emptied = err
	c.missing.holdBegan()
	if c.carry.running || len(c.work.units) > 0 {
		n.nextFull = time.Now().Add(unstableAgain)
	}
}

// loadIgnore reads the folder's ignore file. What bears its name and is no file,
// which another device may have brought about, holds no rules.
func (n *notice) loadIgnore() error {
	c := n.c
	c.problems.clear(ignoreFile)
	text, err := c.root.ReadFile(ignoreFile, 1<<20)
	switch {
	case errors.Is(err, rootfs.ErrNotRegular):
		c.problems.note(c.f.cfg.Now(), ignoreFile, "is not a file, so that it holds no rules of what is left out. Rename it.")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("read %s: %w", ignoreFile, err)
	}
	if n.rules, err = contentOf(bytes.NewReader(text), int64(len(text))); err != nil {
		return fmt.Errorf("name what %s holds: %w", ignoreFile, err)
	}
	m, bad := ignore.Parse(string(text))
	for _, b := range bad {
		c.problems.note(c.f.cfg.Now(), ignoreFile, fmt.Sprintf("line %d: %s", b.Line, b.Why))
	}
	c.ignored.Store(m)
	return nil
}

// ignoreChanged reads the rules anew and has everything looked at under them: the
// scan reports rows that are now ignored, which are then forgotten, never
// deleted; and peers tell everything again, since what was ignored may be wanted.
// The file is looked at again for many reasons, and by none of them may all this
// begin anew when it says what it said before.
func (n *notice) ignoreChanged() {
	c := n.c
	before := n.rules
	if err := n.loadIgnore(); err != nil {
		c.problems.note(c.f.cfg.Now(), ignoreFile, err.Error())
		return
	}
	if n.rules == before {
		return
	}
	c.watcher.Refresh()
	n.full = true
	c.work.tellAgain = true
}

// skipWatch says which paths wake nobody. Whether rel is a directory is not known:
// what is ignored only as one is not watched, but its own events do come.
func (n *notice) skipWatch(rel string) bool {
	c := n.c
	m := c.ignored.Load()
	if m.Match(rel, false) {
		return true
	}
	if !m.Match(rel, true) {
		return false
	}
	info, err := c.root.Lstat(rel)
	return err == nil && info.Kind == rootfs.Directory
}

func keys(m map[string]struct{}) []string {
	out := make([]string, 0, len(m))
	for k := range m {
		out = append(out, k)
	}
	return out
}

func find(list []string, s string) (int, bool) {
	for i, x := range list {
		if x == s {
			return i, true
		}
	}
	return 0, false
}
