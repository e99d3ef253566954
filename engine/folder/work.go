package folder

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/reconcile"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// work is what the loop has taken on of what is pending in the index.
type work struct {
	c *cycle

	more      bool                // the index may hold pending rows that can be taken
	cursor    index.Cursor        // where in them the next look begins
	again     bool                // what others may have waited for has ended: from the front once more after the end
	front     bool                // but first a look at the most urgent: there may be new ones
	units     map[tree.Path]*unit // by every path that a unit touches
	stalled   map[tree.Path]bool  // wait for another path; looked at again after each commit
	later     map[tree.Path]wait  // failed, busy: looked at again after a while
	unsent    []transfer.Job      // the fetcher had no room for them yet
	revive    map[tree.Path]revival
	tellAgain bool // peers are to tell everything again: rules have changed
}

// revival is a directory that is to be revived once all is told.
type revival struct {
	since time.Time
	heard uint64 // how far they had come
	due   bool   // it has waited for enough, and was looked at again
}

// wait is what was put off. Once it is due it is decided like any other path, and
// kept for the number of times: what then fails again waits for longer.
type wait struct {
	until time.Time
	times int
	due   bool
}

const (
	doublings = 5                // a wait grows to so many times twice its length
	laterMost = 10 * time.Minute // and to this at most
	overAfter = 15 * time.Minute // what was not put off again for so long is over
)

// unit is what one decision asks for: actions that are committed together.
type unit struct {
	path      tree.Path
	actions   []plan.Action
	needs     int // contents that are still to come
	urgent    bool
	word      string           // what the activity calls it, if not what it looks like
	facts     []reconcile.Fact // of the decision
	sources   []tree.DeviceID  // who has its content, of one that a person asked for
	only      tree.DeviceID    // the only device that told of it and is connected; zero: there are more
	ended     func(error)      // set: a person waits for it
	failed    error            // what ended is told
	manifests map[tree.ContentID]tree.Manifest
	sealed    []tree.ContentID // of its contents, those that look encrypted
}

func (u *unit) bytes() (n int64) {
	for _, a := range u.actions {
		if a.Op == plan.Put {
			n += a.Entry.Size
		}
	}
	return n
}

// paths calls fn for every path that the unit touches.
func (u *unit) paths(fn func(tree.Path)) {
	fn(u.path)
	for _, a := range u.actions {
		fn(a.Entry.Path)
		if a.Keep != nil {
			fn(a.Keep.Path)
		}
		if a.From.Path != "" {
			fn(a.From.Path)
		}
	}
}

const (
	takeAtOnce = 256  // pending paths decided in one round
	maxLater   = 4096 // paths put off; beyond that they are simply tried again
)

// next is how long until work could be taken.
func (w *work) next(now time.Time) time.Duration {
	if w.more && len(w.units) == 0 {
		return 0
	}
	next := time.Hour
	for _, l := range w.later {
		if !l.due {
			next = min(next, max(0, l.until.Sub(now)))
		}
	}
	for _, r := range w.revive {
		if !r.due {
			next = min(next, max(0, r.since.Add(enough).Sub(now)))
		}
	}
	return next
}

// takeWork decides what is pending and most urgent, and sends for the content it
// needs. It takes on no more than Limits.Units paths at a time.
func (w *work) takeWork(ctx context.Context) error {
	c := w.c
	if w.tellAgain {
		w.tellAgain = false
		if err := w.tellAllAgain(ctx); err != nil {
			return err
		}
	}
	w.submit()
	w.wakeLater()
	if c.paused != nil || c.f.cfg.Mode == Send || len(c.exchange.Peers()) == 0 {
		w.more = false
		return nil
	}
	for w.more && len(w.units) < c.lim.Units && len(w.unsent) == 0 {
		taken, err := w.takeSome(ctx)
		if err != nil {
			return err
		}
		if taken > 0 {
			c.saying.changed = true
			break // others have their turn first
		}
	}
	w.submit()
	return nil
}

// takeSome takes one round's worth and says how many paths were decided.
func (w *work) takeSome(ctx context.Context) (int, error) {
	c := w.c
	c.missing.told()
	after, front := w.cursor, w.front
	if w.front = false; front {
		after = 0
	}
	pending, next, err := c.index.Pending(ctx, index.PendingQuery{
		Limit: takeAtOnce, After: after, Skip: w.skipPending, NoDeletions: c.missing.remote > 0 && !c.missing.isAllowedTheirs(),
		NoSuspects: c.suspicion.theirs.waiting > 0,
	})
	if err != nil {
		return 0, fmt.Errorf("read what is pending: %w", err)
	}
	if !front || after == w.cursor {
		w.cursor = next
	}
	if next == 0 {
		w.cursor, w.more, w.again = 0, w.again, false // else not until something happens
	}
	if len(pending) == 0 {
		return 0, nil
	}
	c.space.measure()
	r := round{c: c, reach: map[tree.DeviceID]bool{}, seen: map[tree.Path]bool{}, rows: map[tree.Path]tree.Record{}, pends: map[tree.Path]bool{}}
	if _, r.gone, err = c.index.PendingUnder(ctx, ""); err != nil {
		return 0, fmt.Errorf("read what is pending: %w", err)
	}
	for _, p := range c.exchange.Peers() {
		r.reach[p.Device] = true
	}
	share := w.share()
	for _, p := range pending {
		only := r.only(p)
		if share[only] >= c.lim.Units-c.lim.Units/8 {
			continue // the rest is for what others tell
		}
		if err := r.take(ctx, p, 0); err != nil {
			return 0, err
		}
		if u := w.units[p.Path]; u != nil && !only.IsZero() {
			u.only = only
			share[only]++
		}
	}
	return len(pending), r.finish(ctx)
}

// share counts the units that depend on one device alone, so that one which tells
// of much and gives nothing does not hold up what others tell.
func (w *work) share() map[tree.DeviceID]int {
	n := map[tree.DeviceID]int{}
	for p, u := range w.units {
		if p == u.path && !u.only.IsZero() {
			n[u.only]++
		}
	}
	return n
}

func (w *work) skipPending(p tree.Path) bool {
	c := w.c
	_, waits := c.space.waiting[p]
	return w.units[p] != nil || w.stalled[p] || w.isPutOff(p) || waits || c.names.isAside(p)
}

// wakeLater has what was put off tried again when its time has come.
func (w *work) wakeLater() {
	now := time.Now()
	for p, l := range w.later {
		switch {
		case !l.until.Before(now) || w.units[p] != nil:
		case !l.due:
			l.due = true
			w.later[p] = l
			clear(w.stalled) // it may be what they wait for
			w.more = true
		case now.Sub(l.until) >= overAfter:
			delete(w.later, p)
		}
	}
	for p, r := range w.revive {
		if !r.due && now.Sub(r.since) >= enough {
			w.revive[p] = revival{since: r.since, heard: r.heard, due: true}
			clear(w.stalled)
			w.more = true
		}
	}
}

// dropUnreachable gives up fetching what nobody who is connected has, so that it
// holds up nothing else. It is pending still.
func (w *work) dropUnreachable() {
	c := w.c
	c.saying.changed = true
	reach := map[tree.DeviceID]bool{}
	for _, p := range c.exchange.Peers() {
		reach[p.Device] = true
	}
	var paths []tree.Path
	given := func(j transfer.Job) bool {
		for _, dev := range j.Sources {
			if reach[dev] {
				return false
			}
		}
		if len(j.Sources) > 0 {
			paths = append(paths, j.Entry.Path)
		}
		return len(j.Sources) > 0
	}
	c.fetcher.Drop(given)
	w.unsent = slices.DeleteFunc(w.unsent, given)
	for _, p := range paths {
		if u := w.units[p]; u != nil {
			u.failed = fmt.Errorf("%s: the device that has it is not connected any more", p)
			w.release(u)
		}
	}
}

// putOff has a path tried again after d, and after longer each time.
func (w *work) putOff(p tree.Path, d time.Duration) {
	n := w.later[p].times
	w.putOffFor(p, min(d<<min(n, doublings), laterMost))
}

// putOffFor has a path tried again after d, however often that was so before.
func (w *work) putOffFor(p tree.Path, d time.Duration) {
	l, known := w.later[p]
	if !known && len(w.later) >= maxLater && !w.forgetDue() {
		return
	}
	w.later[p] = wait{until: time.Now().Add(d), times: l.times + 1}
}

// forgetDue forgets how often something was put off that is not now.
func (w *work) forgetDue() bool {
	for p, l := range w.later {
		if l.due {
			delete(w.later, p)
			return true
		}
	}
	return false
}

func (w *work) isPutOff(p tree.Path) bool {
	l, ok := w.later[p]
	return ok && !l.due
}

// another says that a path is another case now than when it was put off.
func (w *work) another(p tree.Path) {
	if _, ok := w.later[p]; ok {
		delete(w.later, p)
		w.more, w.cursor = true, 0
	}
}

// allAnother says so of all paths: another device can be asked.
func (w *work) allAnother() {
	if len(w.later) > 0 {
		clear(w.later)
		clear(w.stalled)
		w.more, w.cursor = true, 0
	}
}

// release lets go of a unit's paths.
func (w *work) release(u *unit) {
	c := w.c
	u.paths(func(p tree.Path) {
		if w.units[p] == u {
			delete(w.units, p)
		}
		if _, held := c.notice.held[p]; held {
			delete(c.notice.held, p)
			c.notice.look(string(p))
		}
	})
	c.names.freeNames(u)
	if u.ended != nil {
		u.ended(u.failed)
		u.ended = nil
	}
	clear(w.stalled)
	w.more, w.again = true, true
}

// submit hands the fetcher what it has room for.
func (w *work) submit() {
	if len(w.unsent) > 0 {
		n := w.c.fetcher.Submit(w.unsent)
		w.unsent = append([]transfer.Job(nil), w.unsent[n:]...)
	}
}

// tellAllAgain forgets how far peers' indexes are recorded, so that they tell
// everything again when they are next connected to; and has them connected anew.
func (w *work) tellAllAgain(ctx context.Context) error {
	c := w.c
	for _, dev := range c.f.cfg.Members() {
		if err := c.index.ResetHave(ctx, dev); err != nil {
			return fmt.Errorf("have peers tell again: %w", err)
		}
	}
	c.f.relink(ctx, c)
	return nil
}

// enough is how long a directory that is to be revived waits for those who are
// busy but tell nothing more: they may be waiting for the same from us.
const enough = 10 * time.Second

// patient says whether a directory has waited for enough.
func (w *work) patient(p tree.Path, heard uint64) bool {
	now := time.Now()
	old, there := w.revive[p]
	if there && old.heard == heard {
		return now.Sub(old.since) >= enough
	}
	if len(w.revive) >= maxLater {
		return true
	}
	w.revive[p] = revival{since: now, heard: heard}
	return false
}
