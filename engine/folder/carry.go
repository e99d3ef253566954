package folder

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
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
	c *cycle

	ready     []*unit
	bytes     int64     // of ready
	since     time.Time // when the first of ready became so
	urgent    bool      // one of ready was touched by a person just now
	running   bool      // a group is being applied
	results   chan applied
	late      time.Time         // when displaced files are looked at again; zero: not
	lateSince time.Time         // when the last of them was displaced
	writers   map[tree.Path]int // how often a file was found open for writing
	full      time.Time         // the disk is full: when fetching is tried again
}

// applied is a group that has ended.
type applied struct {
	units    []*unit
	outcomes []apply.Outcome
	late     []apply.Late  // with no units: a re-check of displaced files
	took     time.Duration // by that re-check
	err      error
}

// gather is how long content that is at hand waits for more before it is applied
// in one group.
const gather = 150 * time.Millisecond

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
func (k *carry) fetched(r transfer.Result) {
	c := k.c
	u := c.work.units[r.Job.Entry.Path]
	if u == nil || !u.awaits(r.Job.Entry) { // dropped meanwhile; perhaps another content is wanted at the path by now
		if r.Err == nil {
			c.fetcher.GiveBack(r.Job.Entry.Content, r.Staged)
		}
		return
	}
	if r.Err != nil {
		k.fail(u, r.Err)
		return
	}
	for i := range u.actions {
		a := &u.actions[i]
		if awaits(*a, r.Job.Entry) {
			a.Staged, a.Flush = r.Staged, c.applier.NextFlush()
			if r.Manifest != nil {
				u.manifests[r.Job.Entry.Content] = r.Manifest
			}
			if r.Look != transfer.Unlooked {
				u.looks = append(u.looks, looked{r.Job.Entry.Content, r.Look == transfer.Sealed})
			}
			u.needs--
		}
	}
	c.saying.done.bytes += r.Job.Entry.Size
	if u.needs == 0 {
		c.suspicion.examine(u)
	}
}

// awaits says whether an action of the unit still needs the content of e for its path.
func (u *unit) awaits(e tree.Entry) bool {
	return slices.ContainsFunc(u.actions, func(a plan.Action) bool { return awaits(a, e) })
}

func awaits(a plan.Action, e tree.Entry) bool {
	return a.Op == plan.Put && a.Staged == "" && a.Entry.Path == e.Path && a.Entry.Content == e.Content
}

// drainFetched takes in what else has come, so that groups are large.
func (k *carry) drainFetched() {
	c := k.c
	for range c.lim.GroupFiles {
		select {
		case r := <-c.fetcher.Results():
			k.fetched(r)
		default:
			return
		}
	}
}

func (k *carry) makeReady(u *unit) {
	if len(k.ready) == 0 {
		k.since = time.Now()
	}
	k.ready = append(k.ready, u)
	k.bytes += u.bytes()
	k.urgent = k.urgent || u.urgent
}

// startGroup applies what is ready, in one durable group, once it is worth a
// flush: it is urgent, there is much of it, or nothing more is about to come.
func (k *carry) startGroup(ctx context.Context, beside *sync.WaitGroup) {
	c := k.c
	now := time.Now()
	if !k.full.IsZero() && now.After(k.full) {
		k.full = time.Time{}
		c.fetcher.Resume()
	}
	if k.running {
		return
	}
	if k.startLate(ctx, beside, now) || len(k.ready) == 0 {
		return
	}
	fetching := len(c.work.units) > len(k.ready)
	if fetching && !k.urgent && len(k.ready) < c.lim.GroupFiles && k.bytes < c.lim.GroupBytes && now.Sub(k.since) < gather {
		return
	}
	units := k.takeReady()
	n := 0
	for _, u := range units {
		n += len(u.actions)
	}
	actions := make([]*plan.Action, 0, n)
	for _, u := range units {
		for i := range u.actions {
			actions = append(actions, &u.actions[i])
		}
	}
	if len(actions) == 0 {
		return // the directories that they are in did not come about
	}
	plan.Order(actions)
	k.running = true
	for _, u := range units {
		u.applying = true
	}
	beside.Go(func() {
		out, err := c.applier.Group(ctx, actions)
		k.results <- applied{units: units, outcomes: out, err: err}
	})
}

// takeReady takes at most one group's worth off the ready units. What the last
// group's flush has covered goes first, and alone if it is most of a group, which
// then needs one flush and not two. A deep path comes with the directories above it,
// so that few units may be many actions.
func (k *carry) takeReady() []*unit {
	c := k.c
	most := k.coveredFirst()
	if k.urgent || 2*most < min(len(k.ready), c.lim.GroupFiles) {
		most = c.lim.GroupFiles
	}
	n, actions, bytes := 0, 0, int64(0)
	for n < len(k.ready) && n < min(most, c.lim.GroupFiles) && (n == 0 || bytes < c.lim.GroupBytes) {
		if actions += len(k.ready[n].actions); n > 0 && actions > apply.MaxGroup {
			break
		}
		bytes += k.ready[n].bytes()
		n++
	}
	units := k.ready[:n:n]
	k.ready = append([]*unit(nil), k.ready[n:]...)
	k.bytes -= bytes
	k.since, k.urgent = time.Now(), false
	return slices.DeleteFunc(units, k.isOrphan)
}

// coveredFirst brings those to the front of ready whose contents are durable, and
// says how many they are. Directories are among them: they come before what is in
// them still.
func (k *carry) coveredFirst() int {
	var covered, others []*unit
	for _, u := range k.ready {
		if slices.ContainsFunc(u.actions, func(a plan.Action) bool { return a.Op == plan.Put && !k.c.applier.Flushed(a.Flush) }) {
			others = append(others, u)
		} else {
			covered = append(covered, u)
		}
	}
	k.ready = append(covered, others...)
	return len(covered)
}

// isOrphan lets go of a unit whose directory was to be made and was not: it is
// pending still, and decided anew. One that is made in the same group is looked
// at there.
func (k *carry) isOrphan(u *unit) bool {
	if u.under == nil || u.under.done {
		return false
	}
	if k.c.work.units[u.under.path] == u.under {
		for i := range u.actions {
			u.actions[i].Needs = append(u.actions[i].Needs, u.under.path)
		}
		return false
	}
	for _, a := range u.actions {
		k.giveBack(a)
	}
	k.c.work.release(u)
	return true
}

// carried takes what a group came to into the index, while the next one begins.
func (k *carry) carried(ctx context.Context, beside *sync.WaitGroup, r applied) error {
	c := k.c
	k.running = false
	if len(r.units)+len(r.late) > 0 {
		c.saying.changed = true
	}
	if err := k.takeLate(ctx, r.late); err != nil {
		return err
	}
	k.lookLater(r)
	markDone(r)
	if r.err == nil {
		k.startGroup(ctx, beside)
	}
	u, err := k.outcomes(ctx, r)
	if err != nil {
		return err
	}
	if err := c.commit(ctx, u); err != nil {
		return err
	}
	if err := c.merging.noteBeaten(ctx, r.units); err != nil {
		return err
	}
	for _, x := range r.units {
		c.work.release(x)
	}
	if r.err != nil && ctx.Err() == nil {
		if merr := c.f.checkMarker(); merr != nil {
			return merr
		}
		return fmt.Errorf("apply: %w", r.err)
	}
	c.work.more = true
	return nil
}

// markDone marks the units of a group all of whose actions were carried out.
func markDone(r applied) {
	undone := map[tree.Path]bool{}
	for _, o := range r.outcomes {
		if o.Status != apply.Done {
			undone[o.Action.Entry.Path] = true
		}
	}
	for _, u := range r.units {
		u.done = !slices.ContainsFunc(u.actions, func(a plan.Action) bool { return undone[a.Entry.Path] })
	}
}

// outcomes makes an Update of what a group did and sees to what it could not do.
func (k *carry) outcomes(ctx context.Context, r applied) (index.Update, error) {
	c := k.c
	u := index.Update{Changes: make([]index.Change, 0, len(r.outcomes)), Activity: make([]index.Activity, 0, len(r.outcomes))}
	manifests := map[tree.ContentID]tree.Manifest{}
	var sealed []tree.ContentID
	for _, x := range r.units {
		maps.Copy(manifests, x.manifests)
		sealed = append(sealed, x.sealed...)
	}
	var deleted int64
	var done []tree.Path
	for _, o := range r.outcomes {
		for _, a := range o.Archived {
			u.Archived = append(u.Archived, k.archived(a, *o.Action))
		}
		path := o.Action.Entry.Path
		if o.Status != apply.Done {
			k.notDone(o)
			if err := k.distrust(ctx, &u, o); err != nil {
				return u, err
			}
			if x := c.work.units[path]; x != nil && x.ended != nil {
				x.failed = notDoneError(o)
			}
			continue
		}
		c.problems.clear(string(path))
		if o.Lacks != nil {
			c.problems.note(c.f.cfg.Now(), string(path), o.Lacks.Error())
		}
		delete(c.work.later, path)
		delete(k.writers, path)
		if o.Action.Op == plan.Adopt && o.Action.Entry.Exists() {
			if n, err := c.index.MissingCount(ctx); err == nil && n > 0 {
				c.notice.look(string(path)) // nobody has looked at the disk for it, and the commit forgets that it was found missing
			}
		}
		for _, ch := range o.Changes {
			if ch.If == 0 && !c.work.isFresh(ch.Record.Path) {
				if old, had, err := c.index.Get(ctx, ch.Record.Path); err != nil {
					return u, fmt.Errorf("read the index: %w", err)
				} else if had && old.Deleted {
					ch.If, ch.Record.Version = old.Seq, ch.Record.Version.Join(old.Version)
				}
			}
			if k.mayHide(ch.Record) {
				ch.Record.Disk.MTime = 0
				c.notice.lookSoon(string(ch.Record.Path))
			}
			ch.Record.Sealed = ch.Record.Exists() && (slices.Contains(sealed, ch.Record.Content) || stillSealed(*o.Action, ch.Record))
			u.Changes = append(u.Changes, index.Change{Record: ch.Record, If: ch.If, Manifest: manifests[ch.Record.Content]})
		}
		if k := o.Action.Keep; k != nil {
			u.Activity = append(u.Activity, c.activity(k.Path, "conflict", k.Author))
		}
		if act := actionOf(o.Action.Was, o.Action.Entry); o.Action.Op != plan.Adopt {
			if o.Action.Op == plan.Move {
				act = "moved"
			}
			if x := c.work.units[path]; x != nil && x.word != "" {
				act = x.word
			}
			u.Activity = append(u.Activity, c.activity(path, act, o.Action.Entry.Author))
		}
		if o.Action.Op == plan.Delete {
			deleted++
		}
		c.saying.done.files++
		done = append(done, path)
	}
	c.missing.deleted(deleted)
	return u, c.suspicion.carriedSuspects(ctx, done)
}

// coarse is the grain of mtimes from which on a person's edit of what was just put
// may come with the mtime that it has already.
const coarse = 100 * time.Millisecond

// mayHide says whether an edit of a file that was just put could look like it: it
// is looked at once more when its mtime has become old.
func (k *carry) mayHide(r tree.Record) bool {
	grain := k.c.caps.MTimeGrain
	if !r.Exists() || r.Kind != tree.File || grain < coarse {
		return false
	}
	return k.c.f.cfg.Now().Sub(time.Unix(0, r.Disk.MTime)) < grain
}

// stillSealed says whether a content that was there before, at a path of a, looks
// encrypted.
func stillSealed(a plan.Action, r tree.Record) bool {
	return a.Was.Sealed && a.Was.Content == r.Content || a.From != nil && a.From.Sealed && a.From.Content == r.Content
}

// distrust has a file read anew that is not what the index says: apply may have
// found that by its bytes, of which nothing is to be seen from outside where the
// times of the file system are coarse.
func (k *carry) distrust(ctx context.Context, u *index.Update, o apply.Outcome) error {
	if o.Status != apply.Changed {
		return nil
	}
	row, had, err := k.c.index.Get(ctx, o.Action.Entry.Path)
	if err != nil {
		return fmt.Errorf("read the index: %w", err)
	}
	if ch, ok := doubted(row); had && ok {
		u.Changes = append(u.Changes, ch)
	}
	return nil
}

// notDone sees to an action that was not carried out. Nothing of it is lost: what
// peers told is still pending in the index, and is decided again.
func (k *carry) notDone(o apply.Outcome) {
	c := k.c
	a := *o.Action
	k.giveBack(a)
	c.log.Debug("not carried out", "op", a.Op, "path", a.Entry.Path, "outcome", o.Status, "err", o.Err)
	c.notice.swappedBack(a.Entry.Path)
	if a.From != nil {
		c.notice.swappedBack(a.From.Path)
	}
	if a.Keep != nil {
		c.notice.swappedBack(a.Keep.Path)
	}
	switch o.Status {
	case apply.Changed, apply.Exists:
		c.notice.look(string(a.Entry.Path))
		if a.From != nil {
			c.notice.look(string(a.From.Path))
		}
		if a.Keep != nil {
			c.notice.look(string(a.Keep.Path))
		}
		c.work.putOff(a.Entry.Path, 200*time.Millisecond)
	case apply.NotEmpty:
		c.notice.deep[string(a.Entry.Path)] = struct{}{}
		c.work.putOff(a.Entry.Path, time.Second)
	case apply.Busy:
		k.awaitWriter(a.Entry.Path)
	case apply.Failed:
		if c.names.nameFailed(o) {
			return
		}
		c.problems.ofPending(c.f.cfg.Now(), string(a.Entry.Path), o.Err.Error())
		c.log.Info("not applied", "path", a.Entry.Path, "err", o.Err)
		if errors.Is(o.Err, syscall.ENOSPC) {
			c.work.putOffFor(a.Entry.Path, fullFor)
			return
		}
		c.work.putOff(a.Entry.Path, 30*time.Second)
	}
}

// awaitWriter puts off what somebody has open for writing. That it is closed
// tells nobody, so that it is looked at every few seconds.
func (k *carry) awaitWriter(p tree.Path) {
	c := k.c
	c.work.putOffFor(p, writerEvery)
	if k.writers == nil || len(k.writers) >= maxLater {
		k.writers = map[tree.Path]int{}
	}
	if k.writers[p]++; k.writers[p] == writerTold {
		c.problems.note(c.f.cfg.Now(), string(p), "is open for writing in another program; what another device changed takes its place once it is closed there")
	}
}

// How often a file is looked at that somebody has open for writing, and after how
// many times a person is told.
const (
	writerEvery = 2 * time.Second
	writerTold  = 5
)

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
func (k *carry) fail(u *unit, err error) {
	c := k.c
	u.failed = err
	for _, a := range u.actions {
		k.giveBack(a)
	}
	c.work.release(u)
	if errors.Is(err, transfer.ErrGone) {
		c.work.putOff(u.path, time.Second) // the peers that had it are about to tell what they have now
		return
	}
	if errors.Is(err, syscall.ENOSPC) {
		c.space.measure()
		err = fmt.Errorf("%s (%w)", c.space.needs(u.bytes()), err)
	}
	c.problems.ofPending(c.f.cfg.Now(), string(u.path), err.Error())
	if !errors.Is(err, syscall.ENOSPC) {
		c.work.putOff(u.path, 30*time.Second)
		return
	}
	c.work.putOffFor(u.path, fullFor)
	if k.full.IsZero() {
		c.log.Warn("the disk is full; fetching goes on when there is room", "path", c.f.cfg.Path)
		c.fetcher.Pause()
		k.full = time.Now().Add(fullFor)
	}
}

// giveBack keeps what was fetched for an action for the next try.
func (k *carry) giveBack(a plan.Action) {
	if a.Op == plan.Put && a.Staged != "" {
		k.c.fetcher.GiveBack(a.Entry.Content, a.Staged)
	}
}

// recover finishes or undoes what an earlier run was stopped in, before anything
// is scanned.
func (k *carry) recover(ctx context.Context) error {
	c := k.c
	late, err := c.applier.Recover(ctx)
	if err != nil {
		return fmt.Errorf("finish what was interrupted: %w", err)
	}
	again, err := c.applier.Recheck(ctx)
	if err != nil {
		return fmt.Errorf("look at what was displaced: %w", err)
	}
	c.tags = map[tree.Path]*tree.Conflict{}
	c.notice = newNotice(c)
	return k.takeLate(ctx, append(late, again...))
}

func (k *carry) archived(a apply.Archived, by plan.Action) index.Archived {
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
