package folder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"syscall"
	"time"

	"pinion/engine/apply"
	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// carry is what the loop knows of units whose content is at hand.
type carry struct {
	ready     []*unit
	bytes     int64     // of ready
	since     time.Time // when the first of ready became so
	urgent    bool      // one of ready was touched by a person just now
	running   bool      // a group is being applied
	results   chan applied
	late      time.Time // when displaced files are looked at again; zero: not
	lateUntil time.Time
	full      time.Time // the disk is full: when fetching is tried again
}

// applied is a group that has ended.
type applied struct {
	units    []*unit
	outcomes []apply.Outcome
	late     []apply.Late // with no units: a re-check of displaced files
	err      error
}

// gather is how long content that is at hand waits for more before it is applied
// in one group.
const gather = 150 * time.Millisecond

// lateEvery is how often displaced files are looked at again while there are any.
const lateEvery = 5 * time.Second

// lateFor is for how long after the last one was displaced.
const lateFor = 11 * time.Minute

func (c *carry) next(now time.Time) time.Duration {
	next := time.Hour
	if !c.full.IsZero() {
		next = max(0, c.full.Sub(now))
	}
	if len(c.ready) > 0 && !c.running {
		next = min(next, max(0, gather-now.Sub(c.since)))
	}
	if !c.late.IsZero() && !c.running {
		next = min(next, max(0, c.late.Sub(now)))
	}
	return next
}

// fetched takes in one piece of content.
func (c *cycle) fetched(r transfer.Result) {
	u := c.work.units[r.Job.Entry.Path]
	if u == nil {
		return // dropped meanwhile; the stage is swept later
	}
	if r.Err != nil {
		c.fail(u, r.Err)
		return
	}
	for i := range u.actions {
		a := &u.actions[i]
		if a.Op == plan.Put && a.Staged == "" && a.Entry.Path == r.Job.Entry.Path {
			a.Staged = r.Staged
			u.manifests[r.Job.Entry.Content] = r.Manifest
			u.needs--
		}
	}
	c.saying.done.bytes += r.Job.Entry.Size
	if u.needs == 0 {
		c.makeReady(u)
	}
}

// drainFetched takes in what else has come, so that groups are large.
func (c *cycle) drainFetched() {
	for range c.lim.GroupFiles {
		select {
		case r := <-c.fetcher.Results():
			c.fetched(r)
		default:
			return
		}
	}
}

func (c *cycle) makeReady(u *unit) {
	k := &c.carry
	if len(k.ready) == 0 {
		k.since = time.Now()
	}
	k.ready = append(k.ready, u)
	k.bytes += u.bytes()
	k.urgent = k.urgent || u.urgent
}

// startGroup applies what is ready, in one durable group, once it is worth a
// flush: it is urgent, there is much of it, or nothing more is about to come.
func (c *cycle) startGroup(ctx context.Context, beside *sync.WaitGroup) {
	k := &c.carry
	now := time.Now()
	if !k.full.IsZero() && now.After(k.full) {
		k.full = time.Time{}
		c.fetcher.Resume()
	}
	if k.running {
		return
	}
	if len(k.ready) == 0 {
		c.startLate(ctx, beside, now)
		return
	}
	fetching := len(c.work.units) > len(k.ready)
	if fetching && !k.urgent && len(k.ready) < c.lim.GroupFiles && k.bytes < c.lim.GroupBytes && now.Sub(k.since) < gather {
		return
	}
	units := c.takeReady()
	var actions []plan.Action
	for _, u := range units {
		actions = append(actions, u.actions...)
	}
	actions = plan.Order(actions)
	k.running = true
	beside.Go(func() {
		out, err := c.applier.Group(ctx, actions)
		k.results <- applied{units: units, outcomes: out, err: err}
	})
}

// takeReady takes at most one group's worth off the ready units.
func (c *cycle) takeReady() []*unit {
	k := &c.carry
	n, bytes := 0, int64(0)
	for n < len(k.ready) && n < c.lim.GroupFiles && (n == 0 || bytes < c.lim.GroupBytes) {
		bytes += k.ready[n].bytes()
		n++
	}
	units := k.ready[:n:n]
	k.ready = append([]*unit(nil), k.ready[n:]...)
	k.bytes -= bytes
	k.since, k.urgent = time.Now(), false
	return units
}

// lookLater has displaced files looked at again while there are any that were
// displaced lately.
func (c *cycle) lookLater(r applied) {
	k := &c.carry
	for _, o := range r.outcomes {
		if len(o.Archived) > 0 {
			k.lateUntil = time.Now().Add(lateFor)
		}
	}
	if k.late.IsZero() && time.Now().Before(k.lateUntil) {
		k.late = time.Now().Add(lateEvery)
	}
}

// startLate looks again at files that were displaced lately: an editor that still
// had one open may have gone on writing into it.
func (c *cycle) startLate(ctx context.Context, beside *sync.WaitGroup, now time.Time) {
	k := &c.carry
	if k.late.IsZero() || now.Before(k.late) {
		return
	}
	k.late = time.Time{}
	k.running = true
	beside.Go(func() {
		late, err := c.applier.Recheck(ctx)
		k.results <- applied{late: late, err: err}
	})
}

// carried takes what a group came to into the index.
func (c *cycle) carried(ctx context.Context, r applied) error {
	k := &c.carry
	k.running = false
	c.saying.changed = true
	if err := c.late(ctx, r.late); err != nil {
		return err
	}
	c.lookLater(r)
	u, err := c.outcomes(ctx, r)
	if err != nil {
		return err
	}
	if err := c.commit(ctx, u); err != nil {
		return err
	}
	for _, x := range r.units {
		c.release(x)
	}
	if r.err != nil && ctx.Err() == nil {
		if merr := checkMarker(c.f.cfg.Path, c.f.cfg.ID); merr != nil {
			return merr
		}
		return fmt.Errorf("apply: %w", r.err)
	}
	c.work.more = true
	return nil
}

// outcomes makes an Update of what a group did and sees to what it could not do.
func (c *cycle) outcomes(ctx context.Context, r applied) (index.Update, error) {
	var u index.Update
	manifests := map[tree.ContentID]tree.Manifest{}
	for _, x := range r.units {
		maps.Copy(manifests, x.manifests)
	}
	var deleted int64
	for _, o := range r.outcomes {
		for _, a := range o.Archived {
			u.Archived = append(u.Archived, c.archived(a, o.Action))
		}
		path := o.Action.Entry.Path
		if o.Status != apply.Done {
			c.notDone(o)
			if x := c.work.units[path]; x != nil && x.ended != nil {
				x.failed = notDoneError(o)
			}
			continue
		}
		c.problems.clear(string(path))
		delete(c.work.later, path)
		for _, ch := range o.Changes {
			if ch.If == 0 {
				if old, had, err := c.index.Get(ctx, ch.Record.Path); err != nil {
					return u, fmt.Errorf("read the index: %w", err)
				} else if had && old.Deleted {
					ch.If, ch.Record.Version = old.Seq, ch.Record.Version.Join(old.Version)
				}
			}
			u.Changes = append(u.Changes, index.Change{Record: ch.Record, If: ch.If, Manifest: manifests[ch.Record.Content]})
		}
		if k := o.Action.Keep; k != nil {
			u.Activity = append(u.Activity, c.activity(k.Path, "conflict", k.Author))
		}
		if act := actionOf(o.Action.Was, o.Action.Entry); o.Action.Op != plan.Adopt {
			if o.Action.Op == plan.Move {
				act = "moved"
			}
			u.Activity = append(u.Activity, c.activity(path, act, o.Action.Entry.Author))
		}
		if o.Action.Op == plan.Delete {
			deleted++
		}
		c.saying.done.files++
	}
	c.missing.deleted(deleted)
	return u, nil
}

// notDone sees to an action that was not carried out. Nothing of it is lost: what
// peers told is still pending in the index, and is decided again.
func (c *cycle) notDone(o apply.Outcome) {
	a := o.Action
	c.log.Debug("not carried out", "op", a.Op, "path", a.Entry.Path, "outcome", o.Status, "err", o.Err)
	switch o.Status {
	case apply.Changed, apply.Exists:
		c.look(string(a.Entry.Path))
		if a.From.Path != "" {
			c.look(string(a.From.Path))
		}
		if a.Keep != nil {
			c.look(string(a.Keep.Path))
		}
		c.putOff(a.Entry.Path, 200*time.Millisecond)
	case apply.NotEmpty:
		c.notice.deep[string(a.Entry.Path)] = struct{}{}
		c.putOff(a.Entry.Path, time.Second)
	case apply.Busy:
		c.putOff(a.Entry.Path, 2*time.Second)
	case apply.Failed:
		c.problems.note(c.f.cfg.Now(), string(a.Entry.Path), o.Err.Error())
		c.log.Info("not applied", "path", a.Entry.Path, "err", o.Err)
		c.putOff(a.Entry.Path, 30*time.Second)
	}
}

// notDoneError says to a person who asked for it why something was not done.
func notDoneError(o apply.Outcome) error {
	switch o.Status {
	case apply.Busy:
		return fmt.Errorf("%s is open for writing in another program; close it and try again", o.Action.Entry.Path)
	case apply.Failed:
		return fmt.Errorf("%s: %w", o.Action.Entry.Path, o.Err)
	}
	return fmt.Errorf("%s has changed meanwhile; look at it and try again", o.Action.Entry.Path)
}

// fullFor is how long nothing is fetched once the disk was found to be full.
const fullFor = 30 * time.Second

// fail sees to a unit whose content could not be had.
func (c *cycle) fail(u *unit, err error) {
	u.failed = err
	c.release(u)
	if errors.Is(err, transfer.ErrGone) {
		c.putOff(u.path, time.Second) // the peers that had it are about to tell what they have now
		return
	}
	c.problems.note(c.f.cfg.Now(), string(u.path), err.Error())
	c.putOff(u.path, 30*time.Second)
	if errors.Is(err, syscall.ENOSPC) && c.carry.full.IsZero() {
		c.log.Warn("the disk is full; fetching goes on when there is room", "path", c.f.cfg.Path)
		c.fetcher.Pause()
		c.carry.full = time.Now().Add(fullFor)
	}
}

// late sees to files that were written to after they had been displaced. They
// stand beside the live ones now and are scanned as what a person wrote; or, if
// they could be brought nowhere, lie in the archive.
func (c *cycle) late(ctx context.Context, found []apply.Late) error {
	for _, l := range found {
		if err := c.rearchive(ctx, l); err != nil {
			return err
		}
		if l.Kept == "" {
			continue
		}
		c.log.Info("a displaced file was still being written; it is kept as a conflict", "path", l.Path, "kept", l.Kept)
		if l.Kept != l.Path {
			c.tags[l.Kept] = &tree.Conflict{Of: l.Path}
		}
		c.look(string(l.Kept))
	}
	return nil
}

// rearchive makes the archive's list say what became of a file in it.
func (c *cycle) rearchive(ctx context.Context, l apply.Late) error {
	if l.Kept == "" {
		_, err := c.index.Commit(ctx, index.Update{Archived: []index.Archived{{
			Path: l.Path, File: l.File, When: c.f.cfg.Now().UnixNano(), Reason: index.Conflicted,
		}}})
		return err
	}
	rows, err := c.index.Archived(ctx, index.ArchiveQuery{Path: l.Path, Limit: 1000})
	if err != nil {
		return err
	}
	for _, a := range rows {
		if a.File == l.File {
			return c.index.RemoveArchived(ctx, []int64{a.ID})
		}
	}
	return nil
}

// recover finishes or undoes what an earlier run was stopped in, before anything
// is scanned.
func (c *cycle) recover(ctx context.Context) error {
	late, err := c.applier.Recover(ctx)
	if err != nil {
		return fmt.Errorf("finish what was interrupted: %w", err)
	}
	again, err := c.applier.Recheck(ctx)
	if err != nil {
		return fmt.Errorf("look at what was displaced: %w", err)
	}
	c.tags = map[tree.Path]*tree.Conflict{}
	c.notice = newNotice()
	return c.late(ctx, append(late, again...))
}

func (c *cycle) archived(a apply.Archived, by plan.Action) index.Archived {
	return index.Archived{
		Path: a.Path, File: a.File, Size: a.Size, Content: a.Content, When: a.When.UnixNano(), Reason: reasonOf(a.Reason), By: by.Entry.Author,
	}
}

func (c *cycle) activity(p tree.Path, action string, by tree.ReplicaID) index.Activity {
	dev := c.f.cfg.Device
	if r, ok := c.index.Replica(by); ok {
		dev = r.Device
	}
	return index.Activity{Time: c.f.cfg.Now().UnixNano(), Path: p, Action: action, Device: dev}
}

func reasonOf(r string) index.Reason {
	switch r {
	case apply.Deleted:
		return index.Deleted
	case apply.Conflict:
		return index.Conflicted
	}
	return index.Replaced
}

// actionOf is a change in a person's word.
func actionOf(old tree.Record, e tree.Entry) string {
	switch {
	case e.Deleted:
		return "deleted"
	case e.Conflict != nil && (old.Conflict == nil || !old.Exists()):
		return "conflict"
	case !old.Exists():
		return "added"
	}
	return "changed"
}
