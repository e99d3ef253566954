package watch

import (
	"slices"
	"strings"
	"time"
)

const (
	// maxHold is the longest time between two hand-outs of a path that keeps
	// changing.
	maxHold = 10 * time.Second
	// maxBusy is how long a path that does not rest is kept back at first.
	maxBusy = time.Second
	// calm is how long after its last hand-out a path must have been left alone
	// for its next change to count as a new one.
	calm = 500 * time.Millisecond
)

// dirty is the bounded set of paths that wait to be handed out. It is told the
// time and keeps none.
type dirty struct {
	rest  time.Duration
	limit int

	waits map[string]*wait
	all   *wait
	given map[string]given // what was handed out lately, for backing off; forgotten in bulk
}

// wait is one path that waits.
type wait struct {
	deep        bool
	dir         bool          // a directory that stands for changed children: can't be collapsed further
	first, last time.Time     // of its events
	notBefore   time.Time     // the hand-out before, plus the hold
	hold        time.Duration // between this hand-out and the next, should it go on changing
}

// due is when the path has rested, or has waited for as long as it may.
func (w *wait) due(rest time.Duration) time.Time {
	at := w.last.Add(rest)
	if force := w.first.Add(max(maxBusy, w.hold)); force.Before(at) {
		at = force
	}
	if at.Before(w.notBefore) {
		at = w.notBefore
	}
	return at
}

type given struct {
	at     time.Time
	hold   time.Duration
	rested bool // it was written once and then left alone
}

// aSave is how long the events of a single save may take.
const aSave = 100 * time.Millisecond

// rested says whether the path looks saved rather than under constant writing.
func (w *wait) rested(now time.Time, rest time.Duration) bool {
	return now.Sub(w.last) >= rest && w.last.Sub(w.first) < aSave
}

func newDirty(rest time.Duration, limit int) *dirty {
	return &dirty{rest: rest, limit: limit, waits: map[string]*wait{}, given: map[string]given{}}
}

// mark records a change at path and says when it is due.
func (d *dirty) mark(path string, deep bool, now time.Time) time.Time {
	if d.all != nil {
		d.all.last = now
		return d.all.due(d.rest)
	}
	if above := d.deepAbove(path); above != nil {
		above.last = now
		return above.due(d.rest)
	}
	w := d.waits[path]
	if w == nil {
		w = d.newWait(path, now)
		d.waits[path] = w
	}
	w.last = now
	w.deep = w.deep || deep
	if len(d.waits) > d.limit {
		d.collapse(now)
		if d.all != nil {
			return d.all.due(d.rest)
		}
	}
	return w.due(d.rest)
}

// markAll records that anything may have changed.
func (d *dirty) markAll(now time.Time) time.Time {
	if d.all == nil {
		d.all = d.newWait("/", now) // no relative path is "/"
		clear(d.waits)
	}
	d.all.last = now
	return d.all.due(d.rest)
}

// deepAbove finds a waiting subtree that covers path, path itself included.
func (d *dirty) deepAbove(path string) *wait {
	for {
		if w := d.waits[path]; w != nil && w.deep {
			return w
		}
		if path == "" {
			return nil
		}
		path = parent(path)
	}
}

func (d *dirty) newWait(path string, now time.Time) *wait {
	w := &wait{first: now, last: now, hold: d.rest}
	if g, ok := d.given[path]; ok && now.Sub(g.at) < max(calm, 2*g.hold) {
		most := maxHold
		if g.rested {
			most = calm // saved again and again, by a person: none of it is to wait for long
		}
		w.hold = min(2*g.hold, most)
		w.notBefore = g.at.Add(g.hold)
	}
	return w
}

// collapse makes fewer waits of the many: children become their directory, and
// where that does not help, everything becomes All.
func (d *dirty) collapse(now time.Time) {
	old := d.waits
	d.waits = make(map[string]*wait, len(old)/2)
	for path, w := range old {
		if !w.deep && !w.dir {
			path, w.dir = parent(path), true
		}
		if have := d.waits[path]; have != nil {
			have.deep, have.dir = have.deep || w.deep, have.dir || w.dir
			if w.first.Before(have.first) {
				have.first = w.first
			}
			if w.last.After(have.last) {
				have.last = w.last
			}
			continue
		}
		w.notBefore = time.Time{}
		d.waits[path] = w
	}
	if len(d.waits) > d.limit/2 {
		d.markAll(now)
	}
}

// take removes what is due and gives it. When nothing is, next is when
// something will be; zero when nothing waits.
func (d *dirty) take(now time.Time) (h Hints, next time.Time) {
	d.forget(now)
	if d.all != nil {
		if at := d.all.due(d.rest); at.After(now) {
			return h, at
		}
		d.given["/"] = given{now, d.all.hold, d.all.rested(now, d.rest)}
		d.all = nil
		h.All = true
		return h, time.Time{}
	}
	for path, w := range d.waits {
		at := w.due(d.rest)
		if at.After(now) {
			if next.IsZero() || at.Before(next) {
				next = at
			}
			continue
		}
		delete(d.waits, path)
		d.given[path] = given{now, w.hold, w.rested(now, d.rest)}
		if w.deep {
			h.Deep = append(h.Deep, path)
		} else {
			h.Paths = append(h.Paths, path)
		}
	}
	slices.Sort(h.Paths)
	slices.Sort(h.Deep)
	return h, next
}

// forget drops what was given long ago, whenever there is much of it.
func (d *dirty) forget(now time.Time) {
	if len(d.given) <= d.limit/4 {
		return
	}
	for path, g := range d.given {
		if now.Sub(g.at) >= max(calm, 2*g.hold) {
			delete(d.given, path)
		}
	}
	if len(d.given) > d.limit {
		clear(d.given) // backing off starts anew: better than growing
	}
}

// parent is the directory that holds path; of the root, the root.
func parent(path string) string {
	if i := strings.LastIndexByte(path, '/'); i >= 0 {
		return path[:i]
	}
	return ""
}
