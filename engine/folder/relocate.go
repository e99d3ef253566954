package folder

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"pinion/engine/apply"
	"pinion/engine/exchange"
	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/tree"
)

// relocations are directories that another device says have gone elsewhere with all
// that was in them. While it tells of one, what is below it waits; when all is told
// and it is here just as it was there, it goes by one rename. Else each path is
// decided for itself.
//
// From the moment that a directory is looked at until the index says where it went,
// nothing that is told is recorded: the rows that are then written are those that
// were compared with the disk.
type relocations struct {
	c    *cycle
	gate chan struct{} // of length 1, full while something that was told is recorded, or a directory goes

	mu    sync.Mutex
	heard []*relocation // guarded by mu: announced, and not known to the loop yet

	// owned by the loop from here on
	open    []*relocation
	under   *relocation // the one of open that is looked at, or has gone
	results chan relocated
}

// relocation is one of them.
type relocation struct {
	from, to tree.Path
	by       tree.DeviceID
	last     time.Time // when more of it was told

	top   plan.Action // once it has gone
	gone  bool
	after tree.Path // up to where the index says so
	dirs  bool      // what is left are the old rows of directories
	files int64
}

// relocated is what came of one.
type relocated struct {
	out apply.Outcome
	err error
}

const (
	// mostRelocations bounds how many directories are waited for at a time.
	mostRelocations = 4
	// relocationWait is how long what is below one waits at most while nothing more is
	// told of it.
	relocationWait = 2 * time.Second
)

// errApart is why a directory does not go as a whole: something else is to be done
// with what is in it.
var errApart = errors.New("not all that is in it goes along")

func newRelocations(c *cycle) relocations {
	return relocations{c: c, gate: make(chan struct{}, 1), results: make(chan relocated, 1)}
}

// recording has what a peer tells wait while a directory goes. It gives what ends
// that.
func (m *relocations) recording(ctx context.Context) (end func(), err error) {
	select {
	case m.gate <- struct{}{}:
		return func() { <-m.gate }, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-m.c.done:
		return nil, ErrClosed
	}
}

// announce notes the directories that seem to have gone elsewhere by what a peer is
// about to be recorded to have told.
func (m *relocations) announce(ctx context.Context, dev tree.DeviceID, b tree.Batch) {
	c := m.c
	if c.f.cfg.Mode == Send || !c.caps.NoReplace || !c.names.exactNames() {
		return
	}
	for _, w := range goneAlike(b, c.lim.Along) {
		here, _, err := c.index.Get(ctx, w.from)
		if err != nil || !here.Exists() || here.Kind != tree.Dir {
			continue
		}
		there, _, err := c.index.Get(ctx, w.to)
		if err != nil || there.Exists() {
			continue
		}
		m.mu.Lock()
		m.heard = append(m.heard, &relocation{from: w.from, to: w.to, by: dev, last: time.Now()})
		m.mu.Unlock()
	}
}

type way struct{ from, to tree.Path }

// goneAlike lists by which ways directories went, if many files have gone by them:
// those of the uppermost first.
func goneAlike(b tree.Batch, least int) []way {
	count := map[way]int{}
	for _, e := range b.Entries {
		if e.Deleted && e.MovedTo != "" && e.Kind != tree.Dir {
			way{e.Path, e.MovedTo}.count(count)
		}
	}
	for _, e := range b.Moved {
		way{e.From, e.To}.count(count)
	}
	var ways []way
	for w, n := range count {
		if n >= least && !w.to.Within(w.from) && !w.from.Within(w.to) {
			ways = append(ways, w)
		}
	}
	slices.SortFunc(ways, func(a, b way) int { return a.from.Compare(b.from) })
	return ways
}

// count counts a file by the ways of the directories that it was in, as far as those
// went along.
func (w way) count(ways map[way]int) {
	for w.from.Base() == w.to.Base() {
		if w = (way{w.from.Dir(), w.to.Dir()}); w.from == "" || w.to == "" {
			return
		}
		ways[w]++
	}
}

// takeUp lets the loop know of what was announced.
func (m *relocations) takeUp() {
	m.mu.Lock()
	heard := m.heard
	m.heard = nil
	m.mu.Unlock()
	for _, h := range heard {
		i := slices.IndexFunc(m.open, func(r *relocation) bool { return h.from.Within(r.from) || h.to.Within(r.to) })
		switch {
		case i >= 0:
			if r := m.open[i]; r.from == h.from && r.to == h.to && r.by == h.by {
				r.last = h.last
			}
		case len(m.open) < mostRelocations:
			m.open = append(m.open, h)
		}
	}
}

// waits says whether a path is below a directory that may be about to go.
func (m *relocations) waits(p tree.Path) bool {
	return slices.ContainsFunc(m.open, func(r *relocation) bool { return r.covers(p) })
}

// goes says whether a path is below a directory that is looked at, or has gone and
// the index does not say so yet.
func (m *relocations) goes(p tree.Path) bool { return m.under != nil && m.under.covers(p) }

func (r *relocation) covers(p tree.Path) bool { return p.Within(r.from) || p.Within(r.to) }

// without lists the paths that wait.
func (m *relocations) without() (list []tree.Path) {
	for _, r := range m.open {
		list = append(list, r.from, r.to)
	}
	return list
}

// next is how long until something is to be done.
func (m *relocations) next(now time.Time) time.Duration {
	switch {
	case m.under != nil && m.under.gone:
		return 0
	case m.under != nil || len(m.open) == 0:
		return time.Hour
	}
	return 50 * time.Millisecond
}

// start begins with a directory of which all is told.
func (m *relocations) start(ctx context.Context, beside *sync.WaitGroup) error {
	m.takeUp()
	if m.under != nil {
		return m.record(ctx)
	}
	for _, r := range slices.Clone(m.open) {
		now, ok, err := m.told(ctx, r)
		switch {
		case err != nil:
			return err
		case !ok:
			m.drop(r)
		case now && m.begin(ctx, beside, r):
			return nil
		}
	}
	return nil
}

// told says whether all that is needed is told of a directory; not ok: it is not
// going to be.
func (m *relocations) told(ctx context.Context, r *relocation) (now, ok bool, err error) {
	c := m.c
	peers := c.exchange.Peers()
	i := slices.IndexFunc(peers, func(p exchange.PeerState) bool { return p.Device == r.by })
	if i < 0 || c.paused != nil || time.Since(r.last) > relocationWait {
		return false, false, nil
	}
	p, _, err := c.index.PendingAt(ctx, r.from)
	if err != nil {
		return false, false, fmt.Errorf("read what is pending: %w", err)
	}
	gone := slices.ContainsFunc(p.Remotes, func(x index.Remote) bool {
		return x.Device == r.by && x.Entry.Deleted && x.Entry.MovedTo == r.to
	})
	if !gone {
		return false, !peers[i].Recorded || peers[i].State.Busy, nil
	}
	if above := r.to.Dir(); above != "" {
		dir, _, err := c.index.Get(ctx, above)
		if err != nil {
			return false, false, fmt.Errorf("read the index: %w", err)
		}
		if !dir.Exists() || dir.Kind != tree.Dir {
			return false, true, nil
		}
	}
	return true, true, nil
}

// begin has a directory looked at and renamed, unless something is under way in it.
func (m *relocations) begin(ctx context.Context, beside *sync.WaitGroup, r *relocation) bool {
	c := m.c
	if c.work.anyWithin(r.from) || c.work.anyWithin(r.to) {
		return false
	}
	select {
	case m.gate <- struct{}{}:
	default:
		return false
	}
	m.under = r
	beside.Go(func() { m.results <- m.carryOut(ctx, r) })
	return true
}

// carryOut runs beside the loop.
func (m *relocations) carryOut(ctx context.Context, r *relocation) relocated {
	a, err := m.action(ctx, r)
	if err != nil {
		return relocated{out: apply.Outcome{Status: apply.Skipped, Err: err}}
	}
	out, err := m.c.applier.Relocate(ctx, apply.Relocation{
		Action: a, Inside: m.inside(ctx, r),
		Ignored: func(p string, dir bool) bool { return m.c.ignored.Load().Match(p, dir) },
	})
	return relocated{out: out, err: err}
}

// action is that of the directory itself.
func (m *relocations) action(ctx context.Context, r *relocation) (a plan.Action, err error) {
	x := m.c.index
	var g plan.Going
	if g.Here, _, err = x.Get(ctx, r.from); err != nil {
		return a, err
	}
	if g.There, _, err = x.Get(ctx, r.to); err != nil {
		return a, err
	}
	if g.Gone, err = x.Told(ctx, r.from); err != nil {
		return a, err
	}
	if g.Come, err = x.Told(ctx, r.to); err != nil {
		return a, err
	}
	a, ok := g.Relocation()
	if !ok {
		return a, errApart
	}
	return a, nil
}

// inside gives the rows below the directory for as long as all of them go along.
func (m *relocations) inside(ctx context.Context, r *relocation) iter.Seq2[tree.Record, error] {
	return func(yield func(tree.Record, error) bool) {
		after, more := tree.Path(""), true
		for more {
			var page []index.Going
			var err error
			if page, more, err = m.c.index.Goings(ctx, r.from, r.to, after); err != nil {
				yield(tree.Record{}, err)
				return
			}
			for _, g := range page {
				if after = g.Here.Path; !plan.Going(g).Along() {
					yield(tree.Record{}, fmt.Errorf("%s: %w", after, errApart))
					return
				}
				if !yield(g.Here, nil) {
					return
				}
			}
		}
	}
}

// relocated takes in what came of a directory.
func (m *relocations) relocated(x relocated) error {
	c, r := m.c, m.under
	if x.out.Status == apply.Done {
		r.gone, r.top = true, *x.out.Action
		return nil
	}
	c.log.Debug("a directory does not go as a whole", "from", r.from, "to", r.to, "why", x.out.Err)
	m.end(r)
	c.notice.deep[string(r.from)] = struct{}{}
	if x.err != nil {
		if err := c.f.checkMarker(); err != nil {
			return err
		}
		return fmt.Errorf("apply: %w", x.err)
	}
	return nil
}

// record has the index say where some of what was in a directory is now; once that
// is all, the directory is looked at again.
func (m *relocations) record(ctx context.Context) error {
	c, r := m.c, m.under
	if !r.gone {
		return nil
	}
	var u index.Update
	if r.after == "" && !r.dirs {
		u.Changes = append(u.Changes, index.Change{Record: tree.Record{Entry: r.top.Entry, Disk: r.top.From.Disk}, If: r.top.Was.Seq})
		u.Activity = append(u.Activity, c.activity(r.to, "moved", r.top.Entry.Author))
	}
	page, more, err := c.index.Goings(ctx, r.from, r.to, r.after)
	if err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	for _, g := range page {
		r.after = g.Here.Path
		u.Changes = append(u.Changes, r.changes(g)...)
	}
	if !more && r.dirs {
		slices.Reverse(u.Changes)
		u.Changes = append(u.Changes, index.Change{Record: tree.Record{Entry: *r.top.FromGone}, If: r.top.From.Seq})
	}
	if err := c.commit(ctx, u); err != nil {
		return err
	}
	switch {
	case more:
	case !r.dirs:
		r.dirs, r.after = true, ""
	default:
		m.end(r)
		c.saying.done.files += r.files
		c.notice.deep[string(r.to)] = struct{}{}
		c.notice.look(string(r.from))
	}
	return nil
}

// changes are those of one path. The old rows of directories go last, when what was
// in them has gone.
func (r *relocation) changes(g index.Going) (list []index.Change) {
	if len(g.Gone) != 1 {
		return nil
	}
	gone := index.Change{Record: tree.Record{Entry: g.Gone[0]}, If: g.Here.Seq}
	if r.dirs {
		return []index.Change{gone}
	}
	if !plan.Going(g).Along() {
		return nil
	}
	r.files++
	here := index.Change{Record: tree.Record{Entry: g.Come[0], Disk: g.Here.Disk, Sealed: g.Here.Sealed}, If: g.There.Seq}
	if g.Here.Kind == tree.Dir {
		return []index.Change{here}
	}
	return []index.Change{here, gone}
}

// end lets what is told be recorded again.
func (m *relocations) end(r *relocation) {
	m.under = nil
	<-m.gate
	m.drop(r)
}

// drop has what waited for a directory decided.
func (m *relocations) drop(r *relocation) {
	m.open = slices.DeleteFunc(m.open, func(x *relocation) bool { return x == r })
	clear(m.c.work.stalled)
	m.c.work.fromFront()
	m.c.saying.changed = true
}
