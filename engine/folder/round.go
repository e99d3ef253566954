package folder

import (
	"context"
	"errors"
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

// round is one look at what is pending.
type round struct {
	c     *cycle
	reach map[tree.DeviceID]bool
	small map[tree.DeviceID]int64 // of those whose links take small files only: up to what size
	// bounded: for somebody's link not all files are small enough.
	bounded bool
	seen    map[tree.Path]bool
	rows    map[tree.Path]tree.Record // what At gave
	pends   map[tree.Path]bool        // what PendingAt gave
	gone    bool                      // somebody says that something is gone
	drop    []index.Told
	guard   int   // what the guard on deletions said: 1 yes, -1 no, 0 not asked yet
	err     error // of a lookup
	ctx     context.Context
}

// fewPending is below how many pending paths a person may be waiting for one; of
// more, many are carried out at once.
const fewPending = 64

// maxFirst bounds how many paths in a row are decided because another needs them.
const maxFirst = 64

// take decides one path and makes a unit of the decision.
func (r *round) take(ctx context.Context, p index.Pending, depth int) error {
	c := r.c
	if r.seen[p.Path] || c.work.units[p.Path] != nil || c.names.isAside(p.Path) {
		return nil
	}
	r.seen[p.Path] = true
	if c.moves.waits(p.Path) {
		c.work.stalled[p.Path] = true
		return nil
	}
	if c.ignored.Load().Match(string(p.Path), pendingDir(p)) {
		r.drop = append(r.drop, index.Told{Path: p.Path})
		return nil
	}
	d, err := r.decide(ctx, p)
	if err != nil {
		return err
	}
	if d.Wait == reconcile.ForParent {
		if err := r.takeFirst(ctx, d.First, depth); err != nil {
			return err
		}
		if c.work.making(p.Path.Dir()) != nil {
			if d, err = r.decide(ctx, p); err != nil {
				return err
			}
		}
	}
	if d.Wait != 0 {
		c.work.stalled[p.Path] = true
		return r.takeFirst(ctx, d.First, depth)
	}
	if revives(d) && !r.allTold(p) && !c.work.patient(p.Path, r.heard(p)) {
		c.work.stalled[p.Path] = true
		return nil
	}
	delete(c.work.revive, p.Path)
	for _, dev := range d.Drop {
		r.drop = append(r.drop, index.Told{Path: p.Path, Device: dev})
	}
	if len(d.Actions) == 0 {
		if len(d.Drop) == 0 {
			c.work.putOff(p.Path, 10*time.Second) // none of those who told it can be reached
		}
		return nil
	}
	if moved, err := r.takeTarget(ctx, p.Path, d, depth); moved || err != nil {
		return err
	}
	err = r.unit(ctx, p.Path, d)
	if u := c.work.units[p.Path]; u != nil && u.path == p.Path {
		u.fresh = !p.HasLocal
	}
	return err
}

// revives says whether a deleted directory is to be kept for what is in it.
func revives(d reconcile.Decision) bool {
	return slices.ContainsFunc(d.Facts, func(f reconcile.Fact) bool { return f.Kind == reconcile.DirectoryRevived })
}

// allTold says whether those who told of a path have told all that they have to
// tell: the deletions of what is in a directory may come after its own.
func (r *round) allTold(p index.Pending) bool {
	for _, peer := range r.c.exchange.Peers() {
		told := slices.ContainsFunc(p.Remotes, func(m index.Remote) bool { return m.Device == peer.Device })
		if told && (!peer.Recorded || peer.State.Busy) {
			return false
		}
	}
	return true
}

// heard is how far those have come who told of a path.
func (r *round) heard(p index.Pending) (sum uint64) {
	for _, peer := range r.c.exchange.Peers() {
		if slices.ContainsFunc(p.Remotes, func(m index.Remote) bool { return m.Device == peer.Device }) {
			sum += peer.State.At.Seq
		}
	}
	return sum
}

// takeTarget decides first where a file went that is to be deleted here, so that
// it can be moved there. It says whether the path is seen to by that.
func (r *round) takeTarget(ctx context.Context, p tree.Path, d reconcile.Decision, depth int) (bool, error) {
	if len(d.Actions) != 1 || d.Actions[0].Op != plan.Delete || d.Actions[0].Entry.MovedTo == "" {
		return false, nil
	}
	to := d.Actions[0].Entry.MovedTo
	if err := r.takeFirst(ctx, []tree.Path{to}, depth); err != nil {
		return false, err
	}
	if r.c.work.units[p] != nil {
		return true, nil
	}
	if r.c.names.isAside(to) || r.c.names.respelt(p, to) {
		return false, r.err // it can't come to stand while this does, or not at all
	}
	if there, ok := r.At(to); (!ok || !there.Exists()) && r.PendingAt(to) {
		r.c.work.stalled[p] = true // the file is still wanted there, and not moved yet
		return true, r.err
	}
	return false, r.err
}

// pendingDir says whether somebody has a directory at the path.
func pendingDir(p index.Pending) bool {
	for _, m := range p.Remotes {
		if m.Entry.Kind == tree.Dir {
			return true
		}
	}
	return false
}

// takeFirst decides the paths that another one waits for.
func (r *round) takeFirst(ctx context.Context, first []tree.Path, depth int) error {
	if depth >= maxFirst {
		return nil
	}
	for _, q := range first {
		if r.c.work.units[q] != nil {
			return nil // it is under way, and the others wait for it
		}
		if r.seen[q] {
			continue
		}
		p, ok, err := r.c.index.PendingAt(ctx, q)
		if err != nil {
			return fmt.Errorf("read what is pending: %w", err)
		}
		if ok && !r.c.work.isPutOff(q) {
			if err := r.take(ctx, p, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *round) decide(ctx context.Context, p index.Pending) (reconcile.Decision, error) {
	in := reconcile.Input{Path: p.Path, Local: p.Local, HasLocal: p.HasLocal, Lookup: r}
	for _, m := range p.Remotes {
		if r.reach[m.Device] || m.Entry.Deleted {
			in.Remotes = append(in.Remotes, reconcile.Remote{Device: m.Device, Entry: m.Entry})
		}
	}
	if len(in.Remotes) == 0 {
		return reconcile.Decision{}, nil
	}
	r.ctx = ctx
	d := reconcile.Decide(in)
	if r.err != nil {
		return d, fmt.Errorf("read the index: %w", r.err)
	}
	for _, f := range d.Facts {
		r.c.fact(f)
	}
	for i, s := range d.Sources {
		for _, m := range p.Remotes { // they may be connected later
			if !r.reach[m.Device] && !m.Entry.Deleted && m.Entry.Content == s.Content {
				d.Sources[i].Devices = append(d.Sources[i].Devices, m.Device)
			}
		}
	}
	return d, nil
}

// unit makes a unit of a decision, unless the disk shows something that the
// index does not know, or a guard stands in the way.
func (r *round) unit(ctx context.Context, path tree.Path, d reconcile.Decision) error {
	c := r.c
	u := &unit{path: path, actions: d.Actions, facts: d.Facts, urgent: c.index.Counts().PendingPaths < fewPending, manifests: map[tree.ContentID]tree.Manifest{}}
	free := true
	u.paths(func(p tree.Path) { free = free && c.work.units[p] == nil })
	if !free {
		c.work.stalled[path] = true
		return nil
	}
	if !c.names.exactNames() {
		if err := r.pairMove(ctx, u); err != nil {
			return err
		}
	}
	for _, a := range u.actions {
		if a.Op == plan.Link && !c.caps.Symlinks {
			c.names.setAside(u.path, "", noSymlinks)
			return nil
		}
		if makesName(a) {
			if ok, err := r.nameFits(ctx, u, a); err != nil || !ok {
				return err
			}
			if r.unseen(a.Entry.Path) {
				return nil
			}
		}
		if a.Op == plan.Adopt && a.Entry.Deleted && a.Was.Seq == 0 && r.unseen(a.Entry.Path) {
			return nil // with a new index it may be what was deleted, and not yet scanned
		}
		if a.Op == plan.Put && a.Was.Exists() {
			if held, err := c.suspicion.heldTheirs(ctx, a.Entry.Path, a.Entry.Content); held || err != nil {
				c.work.stalled[path] = true
				return err
			}
		}
		if a.Op == plan.Delete && a.Was.Exists() {
			if ok, err := r.mayDelete(ctx); err != nil || !ok {
				return err
			}
		}
	}
	self, clock := c.index.Self().ID, uint64(0)
	for _, p := range d.Bump {
		if clock == 0 {
			clock = c.index.Tick()
		}
		for i := range u.actions {
			if e := &u.actions[i].Entry; e.Path == p {
				e.Version, e.Author = e.Version.Bump(self, clock), self
			}
		}
	}
	if err := r.pairMove(ctx, u); err != nil {
		return err
	}
	if r.bounded && r.tooBig(ctx, u, d) {
		c.work.putOffFor(path, laterMost) // or until somebody takes or gives it
		return nil
	}
	if lack := c.space.takeRoom(ctx, u); lack != nil {
		c.space.awaitRoom(path, lack.need)
		return nil
	}
	u.under = c.work.making(path.Dir())
	u.paths(func(p tree.Path) { c.work.units[p] = u })
	c.names.reserveNames(u)
	r.send(u, d)
	if u.needs == 0 {
		c.carry.makeReady(u)
	}
	return nil
}

// mayDelete asks the guard once a round.
func (r *round) mayDelete(ctx context.Context) (bool, error) {
	if r.guard == 0 {
		ok, err := r.c.missing.mayDelete(ctx)
		if err != nil {
			return false, err
		}
		if r.guard = -1; ok {
			r.guard = 1
		}
	}
	return r.guard > 0, nil
}

// unseen says whether something stands on disk where the index knows of nothing:
// then that is scanned first, since it may be what is wanted, or a person's.
func (r *round) unseen(p tree.Path) bool {
	if exact, _ := r.c.names.standsAt(p); !exact {
		return false
	}
	r.c.notice.look(string(p))
	r.c.work.putOff(p, 50*time.Millisecond)
	return true
}

// pairMove makes a move of a unit that puts content somewhere, if a file with
// that content stands here at a path that peers say is gone.
func (r *round) pairMove(ctx context.Context, u *unit) error {
	if !r.gone || len(u.actions) != 1 || u.actions[0].Op != plan.Put || u.actions[0].Was.Exists() || u.actions[0].Entry.Size == 0 {
		return nil
	}
	a := u.actions[0]
	twins, err := r.c.index.ByContent(ctx, a.Entry.Content, 8)
	if err != nil {
		return fmt.Errorf("look for the content here: %w", err)
	}
	for _, t := range twins {
		if t.Path == a.Entry.Path || r.c.work.units[t.Path] != nil {
			continue
		}
		p, ok, err := r.c.index.PendingAt(ctx, t.Path)
		if err != nil {
			return fmt.Errorf("read what is pending: %w", err)
		}
		if !ok {
			continue
		}
		d, err := r.decide(ctx, p)
		if err != nil {
			return err
		}
		if d.Wait != 0 || len(d.Actions) != 1 || d.Actions[0].Op != plan.Delete {
			continue
		}
		moved, _ := plan.PairMoves([]plan.Action{a, d.Actions[0]}, func(tree.Path) bool { return false })
		if len(moved) == 1 && moved[0].Op == plan.Move {
			r.seen[t.Path] = true
			u.actions = moved
			return nil
		}
	}
	return nil
}

// send asks for the content that a unit needs.
func (r *round) send(u *unit, d reconcile.Decision) {
	sources := map[tree.ContentID][]tree.DeviceID{}
	for _, s := range d.Sources {
		sources[s.Content] = s.Devices
	}
	for _, a := range u.actions {
		if a.Op != plan.Put {
			continue
		}
		u.needs++
		u.urgent = u.urgent && a.Entry.Size <= 1<<20
		from := sources[a.Entry.Content]
		// What nobody told of can only be here. If it is not any more, the path that
		// held it is another case, and is looked at once this is let go of.
		r.c.work.unsent = append(r.c.work.unsent, transfer.Job{Entry: a.Entry, Sources: from, Urgent: u.urgent, Final: len(from) == 0})
	}
}

// finish drops what needs nothing.
func (r *round) finish(ctx context.Context) error {
	if len(r.drop) == 0 {
		return nil
	}
	if err := r.c.index.DropPending(ctx, r.drop); err != nil {
		return fmt.Errorf("drop what needs nothing: %w", err)
	}
	return nil
}

// At, PendingAt, LiveChildren, Replica and Ancestor make a round a reconcile.Lookup.
// Nothing is committed during a round, and most of what is asked concerns a few
// directories, so that answers are kept for its length.
//
// A directory that is being made counts as one that stands: what is in it is
// decided and fetched meanwhile, and waits for it before it is carried out.
func (r *round) At(p tree.Path) (tree.Record, bool) {
	if u := r.c.work.making(p); u != nil {
		return tree.Record{Entry: u.actions[0].Entry, Seq: math.MaxInt64}, true
	}
	if rec, ok := r.rows[p]; ok {
		return rec, rec.Seq != 0
	}
	rec, ok, err := r.c.index.Get(r.ctx, p)
	r.err = errors.Join(r.err, err)
	if err == nil {
		r.rows[p] = rec
	}
	return rec, ok
}

func (r *round) PendingAt(p tree.Path) bool {
	if r.c.work.making(p) != nil {
		return false
	}
	if ok, known := r.pends[p]; known {
		return ok
	}
	_, ok, err := r.c.index.PendingAt(r.ctx, p)
	r.err = errors.Join(r.err, err)
	r.pends[p] = ok
	return ok
}

func (r *round) LiveChildren(p tree.Path) reconcile.Children {
	staying, leaving, err := r.c.index.LiveChildren(r.ctx, p)
	r.err = errors.Join(r.err, err)
	return reconcile.Children{Staying: staying > 0, Leaving: leaving > 0}
}

func (r *round) Ancestor(p tree.Path, a, b tree.Version) tree.ContentID {
	id, err := r.c.index.Ancestor(r.ctx, p, a, b)
	r.err = errors.Join(r.err, err)
	return id
}

func (r *round) Replica(id tree.ReplicaID) tree.Replica {
	rep, _ := r.c.index.Replica(id)
	return rep
}

// only is the one connected device that told of a path, or zero if there are more
// or none.
func (r *round) only(p index.Pending) (dev tree.DeviceID) {
	for _, x := range p.Remotes {
		switch {
		case !r.reach[x.Device] || x.Device == dev:
		case dev.IsZero():
			dev = x.Device
		default:
			return tree.DeviceID{}
		}
	}
	return dev
}
