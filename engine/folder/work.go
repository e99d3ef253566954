package folder

import (
	"cmp"
	"context"
	"fmt"
	"math"
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

	more      bool                  // the index may hold pending rows that can be taken
	cursor    index.Cursor          // where in them the next look begins
	again     bool                  // what others may have waited for has ended: from the front once more after the end
	heard     uint64                // the last arrival that the looks up to the cursor have met
	news      []index.Span          // where later ones stand that are more urgent than the cursor; looked at first
	front     bool                  // there may be more of those
	left      bool                  // since the last look began at the front, something was looked at and not taken on
	most      int64                 // up to what size files are looked at; 0: any
	units     map[tree.Path]*unit   // by every path that a unit touches
	only      map[tree.DeviceID]int // units that depend on one device alone
	stalled   map[tree.Path]bool    // wait for another path; looked at again after each commit
	later     map[tree.Path]wait    // failed, busy: looked at again after a while
	unsent    []transfer.Job        // the fetcher had no room for them yet
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
	under     *unit            // makes the directory that it is in; nil: that stands
	applying  bool             // it is in the group that is being carried out
	done      bool             // all of it was carried out: nothing of it is pending any more
	manifests map[tree.ContentID]tree.Manifest
	looks     []looked         // at what has come
	sealed    []tree.ContentID // of its contents, those that look encrypted
	fresh     bool             // at its path the index had no row, and can't get one meanwhile
}

// looked is whether a content looks encrypted.
type looked struct {
	content tree.ContentID
	sealed  bool
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
		if a.From != nil {
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
	for w.more && !w.full() && len(w.unsent) == 0 {
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

// mostOfOne is how many units may depend on one device alone: the rest of the
// places is for what others tell.
func (w *work) mostOfOne() int { return w.c.lim.Units - w.c.lim.Units/8 }

// full says whether nothing more can be taken on.
func (w *work) full() bool {
	if len(w.units) >= w.c.lim.Units {
		return true
	}
	peers := w.c.exchange.Peers()
	return len(peers) == 1 && w.only[peers[0].Device] >= w.mostOfOne()
}

// takeSome takes one round's worth and says how many paths were decided.
func (w *work) takeSome(ctx context.Context) (int, error) {
	c := w.c
	c.missing.told()
	c.moves.takeUp()
	pending, err := w.nextPending(ctx)
	if err != nil {
		return 0, fmt.Errorf("read what is pending: %w", err)
	}
	if len(pending) == 0 {
		return 0, nil
	}
	c.space.measure()
	defer c.names.near.leave()
	r := round{c: c, reach: map[tree.DeviceID]bool{}, seen: map[tree.Path]bool{}, rows: map[tree.Path]tree.Record{}, pends: map[tree.Path]bool{}}
	if _, r.gone, err = c.index.PendingUnder(ctx, ""); err != nil {
		return 0, fmt.Errorf("read what is pending: %w", err)
	}
	r.bounded = c.small.most > 0
	for _, p := range c.exchange.Peers() {
		r.reach[p.Device] = true
		if p.State.Small > 0 {
			if r.small == nil {
				r.small = map[tree.DeviceID]int64{}
			}
			r.small[p.Device], r.bounded = p.State.Small, true
		}
	}
	for _, p := range pending {
		only := r.only(p)
		if w.only[only] >= w.mostOfOne() {
			w.left = true
			continue
		}
		if err := r.take(ctx, p, 0); err != nil {
			return 0, err
		}
		u := w.units[p.Path]
		if w.left = w.left || u == nil; u != nil && u.path == p.Path && u.only.IsZero() && !only.IsZero() {
			// So that a device which tells of much and gives nothing does not hold up
			// what others tell.
			u.only = only
			w.only[only]++
		}
	}
	return len(pending), r.finish(ctx)
}

// making gives the unit that makes a directory where nothing stands, if that is
// all it does. Where names are not exact, what is in it waits until it stands:
// another directory might be taken for it.
func (w *work) making(p tree.Path) *unit {
	u := w.units[p]
	if u == nil || len(u.actions) != 1 || !w.c.names.exactNames() {
		return nil
	}
	if a := u.actions[0]; a.Op != plan.Make || a.Entry.Path != p || a.Was.Seq != 0 {
		return nil
	}
	return u
}

// anyWithin says whether something is under way at or below a path.
func (w *work) anyWithin(p tree.Path) bool {
	for q := range w.units {
		if q.Within(p) {
			return true
		}
	}
	return false
}

// isFresh says whether the index has no row at a path, not even a tombstone.
func (w *work) isFresh(p tree.Path) bool {
	u := w.units[p]
	return u != nil && u.path == p && u.fresh
}

// atEnd is a cursor beyond all that is pending.
const atEnd = index.Cursor(math.MaxInt64)

// nextPending reads the most urgent of what is pending and was not looked at yet.
// Each row is read once for each look from the front to the end; what comes
// meanwhile and stands before the cursor is found by when it came.
func (w *work) nextPending(ctx context.Context) ([]index.Pending, error) {
	c := w.c
	if most := c.mostNow(); most != w.most {
		w.most = most
		w.fromFront()
	}
	switch {
	case w.cursor == 0:
		_, w.heard = c.index.News(w.heard)
		w.news, w.front, w.left = nil, false, false
	case w.front:
		w.hear()
	}
	q := index.PendingQuery{
		Limit: takeAtOnce, After: w.cursor, Skip: w.skipPending, NoDeletions: c.missing.remote > 0 && !c.missing.isAllowedTheirs(),
		NoSuspects: c.suspicion.theirs.waiting > 0, Most: w.most, Without: c.moves.without(),
	}
	inNews := len(w.news) > 0
	if inNews {
		q.Span = w.news[0]
		q.After = q.Span.After
	}
	pending, next, err := c.index.Pending(ctx, q)
	switch {
	case err != nil:
		return nil, err
	case inNews && next == 0:
		w.news = w.news[1:]
	case inNews:
		w.news[0].After = next
	case next == 0:
		w.cursor = atEnd
	default:
		w.cursor = next
	}
	if w.cursor == atEnd && len(w.news) == 0 {
		if w.more = w.again; w.again {
			w.fromFront()
		}
	}
	return pending, nil
}

// fromFront has all that is pending looked at (again).
func (w *work) fromFront() { w.more, w.again, w.cursor = true, false, 0 }

// onceMore has what was not taken on looked at again, after what others have told
// since and what is being looked at.
func (w *work) onceMore() {
	if w.cursor == atEnd {
		w.fromFront()
	}
	w.more, w.again = true, w.cursor != 0
}

// told has what peers have told meanwhile taken on: the most urgent of it before
// what is less urgent, and, where others may have waited for it, those once more.
func (w *work) told() {
	if w.left || len(w.stalled) > 0 || len(w.units) == 0 {
		clear(w.stalled)
		w.onceMore()
	}
	w.more, w.front = true, true
}

// maxNews bounds the places that are to be looked at before the cursor goes on.
const maxNews = 64

// hear notes where those stand that were told since and are more urgent than the
// cursor.
func (w *work) hear() {
	w.front = false
	parts, until := w.c.index.News(w.heard)
	w.heard = until
	for _, s := range parts {
		if w.cursor != atEnd {
			s.Before = min(s.Before, w.cursor+1)
		}
		if s.After < s.Before-1 {
			w.news = append(w.news, s)
		}
	}
	if len(w.news) > maxNews {
		w.news = nil
		w.fromFront()
		return
	}
	slices.SortFunc(w.news, func(a, b index.Span) int { return cmp.Compare(a.After, b.After) })
	joined := w.news[:0]
	for _, s := range w.news {
		if n := len(joined); n > 0 && s.After < joined[n-1].Before {
			joined[n-1].Before = max(joined[n-1].Before, s.Before)
			continue
		}
		joined = append(joined, s)
	}
	w.news = joined
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
			w.onceMore()
		case now.Sub(l.until) >= overAfter:
			delete(w.later, p)
		}
	}
	for p, r := range w.revive {
		if !r.due && now.Sub(r.since) >= enough {
			w.revive[p] = revival{since: r.since, heard: r.heard, due: true}
			clear(w.stalled)
			w.onceMore()
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
	w.abandon(paths, "the device that has it is not connected any more")
}

// abandon lets go of what was decided for paths whose content does not come now.
func (w *work) abandon(paths []tree.Path, why string) {
	for _, p := range paths {
		if u := w.units[p]; u != nil {
			u.failed = fmt.Errorf("%s: %s", p, why)
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
	w.left = true
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
		w.fromFront()
	}
}

// allAnother says so of all paths: another device can be asked.
func (w *work) allAnother() {
	clear(w.later)
	clear(w.stalled)
	w.fromFront()
}

// release lets go of a unit's paths. What moves is another thing afterwards: with the
// last one nothing does, and nobody would come to say so.
func (w *work) release(u *unit) {
	c := w.c
	c.saying.changed = true
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
	if !u.only.IsZero() {
		w.only[u.only]--
		u.only = tree.DeviceID{}
	}
	if w.left || len(w.stalled) > 0 || !u.done {
		clear(w.stalled)
		w.onceMore()
	}
	w.more = true
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
