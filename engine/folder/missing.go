package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// missing is the guard of law 4 on the noticing side. What was seen to be missing
// is written into the index as an observation, and becomes a deletion only when
// it was judged: few at once are; many wait until no more are being noticed and
// the moves among them are known; and if they are then a large part of the
// folder, they wait for a person.
type missing struct {
	waiting bool      // the index's list may not be empty
	last    time.Time // when the last one was noticed
	held    int64     // files whose deletion here waits for a person, or for them to be back
	recount time.Time // when those that are held are counted anew; zero: when a scan has ended
	emptied error     // the root is empty though the index is not
	// instead are paths where something else stands than the directory that the
	// index knows: they are looked at again when what was below is known to be gone.
	instead map[string]struct{}
	// remote is the other side of the guard: deletions by others that wait.
	remote    int64
	allowed   time.Time // until when a person's yes holds: it ends some time after the last deletion
	own       int64     // deletions here of the last minute: a sweep may be noticed in parts
	ownEnd    time.Time // when own is forgotten
	recent    int64     // deletions by others that were carried out since
	recentEnd time.Time // when recent is forgotten
}

// guardLeast is from how many on missing files are judged together; it is the
// guard's own least (plan.GuardConfig).
const guardLeast = 25

// fewMissing is how many missing paths are judged at once, without waiting for
// more.
const fewMissing = 3

const keyConfirmed = "confirmed"

func (c *cycle) loadConfirmed(ctx context.Context) {
	if v, ok, err := c.index.Meta(ctx, keyConfirmed); err == nil && ok {
		var at int64
		if _, err := fmt.Sscan(string(v), &at); err == nil {
			c.confirmedAt.Store(at)
		}
	}
	c.missing.waiting = true // of an earlier run
}

// seenMissing notes paths that were missing in a directory that could be read.
func (c *cycle) seenMissing(ctx context.Context, paths []tree.Path) error {
	if err := c.index.HoldMissing(ctx, paths); err != nil {
		return fmt.Errorf("note missing files: %w", err)
	}
	c.missing.waiting, c.missing.last = true, time.Now()
	return nil
}

// afterChildren says whether what took a directory's place has to wait until what
// stood in the directory is judged: others must hear of those deletions first, or
// they would keep the directory for what is in it.
func (c *cycle) afterChildren(ctx context.Context, p tree.Path) (bool, error) {
	staying, leaving, err := c.index.LiveChildren(ctx, p)
	if err != nil || staying+leaving == 0 {
		return false, err
	}
	m := &c.missing
	if m.instead == nil {
		m.instead = map[string]struct{}{}
	}
	if len(m.instead) < maxHints {
		m.instead[string(p)] = struct{}{}
	}
	m.waiting = true
	return true, nil
}

// allowedFor is how long a person's yes holds after the last deletion that it let
// happen: those of one sweep arrive over some time.
const allowedFor = 2 * time.Minute

func (m *missing) isAllowed() bool { return time.Now().Before(m.allowed) }

// next is how long until the missing ought to be judged.
func (m *missing) next(now time.Time) time.Duration {
	switch {
	case m.waiting && m.held == 0:
		return 100 * time.Millisecond
	case m.held > 0 && !m.recount.IsZero():
		return max(0, m.recount.Sub(now))
	}
	return time.Hour
}

// judgeMissing turns what is missing into deletions, or holds it.
func (c *cycle) judgeMissing(ctx context.Context) error {
	m := &c.missing
	counted := m.held == 0 || m.isAllowed() || !m.recount.IsZero() && time.Now().After(m.recount)
	if !m.waiting || m.emptied != nil || !counted {
		return nil
	}
	n := &c.notice
	if n.running[quick] || len(n.paths)+len(n.deep) > 0 || !n.fullDone {
		return nil // a move's other end may still turn up
	}
	count, err := c.index.MissingCount(ctx)
	if err != nil {
		return fmt.Errorf("count missing files: %w", err)
	}
	if time.Now().After(m.ownEnd) {
		m.own = 0
	}
	if count > fewMissing && time.Since(m.last) < c.lim.Settle/4 && !m.isAllowed() {
		return nil // more may be about to be noticed
	}
	if (count+m.own >= guardLeast || m.held > 0) && !m.isAllowed() {
		if n.running[full] || time.Since(m.last) < c.lim.Settle {
			return nil
		}
		lost, err := c.countLost(ctx)
		if err != nil {
			return err
		}
		m.recount = time.Time{}
		if m.held > 0 && lost > 0 || lost > 0 && plan.Guard(lost+m.own, c.index.Counts().Files+m.own, plan.GuardConfig{}) {
			if m.held == 0 {
				c.log.Warn("a deletion of many files is held", "files", lost)
			}
			m.held, c.saying.changed = lost, true
			return nil
		}
	}
	return c.releaseMissing(ctx)
}

// lookedAgain has what is held counted anew soon: the files may be back. Counting
// many takes its time, so that there is a rest in between.
func (m *missing) lookedAgain() {
	if m.held > 0 && m.recount.IsZero() {
		m.recount = time.Now().Add(time.Second + time.Duration(m.held)*time.Millisecond)
	}
}

// countLost counts the missing files whose content stands nowhere else in the
// folder, and takes off the list what is back.
func (c *cycle) countLost(ctx context.Context) (int64, error) {
	var lost int64
	err := c.eachMissing(ctx, func(p tree.Path, r tree.Record) error {
		if r.Kind != tree.File {
			return nil
		}
		twins, err := c.index.ByContent(ctx, r.Content, 8)
		if err != nil {
			return err
		}
		for _, t := range twins {
			if t.Path == p {
				continue
			}
			if _, err := c.root.Lstat(string(t.Path)); err == nil {
				return nil
			}
		}
		lost++
		return nil
	})
	return lost, err
}

// eachMissing calls fn for every path of the list that still is missing, and
// takes the others off it.
func (c *cycle) eachMissing(ctx context.Context, fn func(tree.Path, tree.Record) error) error {
	var after tree.Path
	for {
		paths, err := c.index.Missing(ctx, after, 500)
		if err != nil {
			return fmt.Errorf("list missing files: %w", err)
		}
		if len(paths) == 0 {
			return nil
		}
		after = paths[len(paths)-1]
		var back []tree.Path
		for _, p := range paths {
			r, had, err := c.index.Get(ctx, p)
			if err != nil {
				return fmt.Errorf("read the index: %w", err)
			}
			stands, lerr := c.stands(p)
			switch {
			case !had || !r.Exists():
				back = append(back, p)
			case stands:
				back = append(back, p)
				c.look(string(p))
			case lerr == nil:
				if err := fn(p, r); err != nil {
					return err
				}
			}
		}
		if err := c.index.FoundAgain(ctx, back); err != nil {
			return fmt.Errorf("note found files: %w", err)
		}
	}
}

// stands says whether anything stands at a path. Nothing does below what is no
// directory; of what can't be looked at nothing is said.
func (c *cycle) stands(p tree.Path) (bool, error) {
	_, err := c.root.Lstat(string(p))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err == nil, nil
	}
	for dir := p.Dir(); dir != ""; dir = dir.Dir() {
		info, derr := c.root.Lstat(string(dir))
		if derr == nil && info.Kind != rootfs.Directory || errors.Is(derr, fs.ErrNotExist) {
			return false, nil
		}
	}
	return false, err
}

// releaseMissing makes deletions of all that is still missing.
func (c *cycle) releaseMissing(ctx context.Context) error {
	if err := checkMarker(c.f.cfg.Path, c.f.cfg.ID); err != nil {
		return err
	}
	clock := c.index.Tick()
	var u index.Update
	var done []tree.Path
	flush := func() error {
		if err := c.commit(ctx, u); err != nil {
			return err
		}
		if err := c.index.FoundAgain(ctx, done); err != nil {
			return fmt.Errorf("note deletions: %w", err)
		}
		u, done = index.Update{}, nil
		return nil
	}
	self := c.index.Self().ID
	left := false
	err := c.eachMissing(ctx, func(p tree.Path, r tree.Record) error {
		if c.work.units[p] != nil {
			left = true
			return nil
		}
		u.Changes = append(u.Changes, index.Change{Record: tombstone(r, self, clock), If: r.Seq})
		u.Activity = append(u.Activity, c.activity(p, "deleted", self))
		done = append(done, p)
		if r.Kind == tree.File && !c.missing.isAllowed() {
			c.missing.own, c.missing.ownEnd = c.missing.own+1, time.Now().Add(recentFor)
		}
		if len(done) >= 500 {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	c.missing.waiting, c.missing.held = left, 0
	for p := range c.missing.instead {
		c.look(p)
	}
	clear(c.missing.instead)
	c.saying.changed = true
	return err
}

// confirm lets held deletions happen: those noticed here and those of others. at
// is when the person said so; it travels to the other devices.
func (c *cycle) confirm(at int64) {
	if at <= c.confirmedAt.Load() {
		return
	}
	c.confirmedAt.Store(at)
	if err := c.index.SetMeta(context.Background(), keyConfirmed, []byte(fmt.Sprint(at))); err != nil {
		c.log.Warn("remember the confirmation", "err", err)
	}
	m := &c.missing
	m.allowed = time.Now().Add(allowedFor)
	m.held, m.remote = 0, 0
	if m.emptied != nil {
		m.emptied = nil
		c.emptyAllowed.Store(true)
		c.notice.full = true
	}
	c.work.more = true
	c.saying.changed = true
}

// recentFor is how long deletions by others count together.
const recentFor = time.Minute

// mayDelete is the guard on the carrying side: whether deletions by others may be
// carried out now. It counts those that are pending and those of the last minute.
func (c *cycle) mayDelete(ctx context.Context) (bool, error) {
	m := &c.missing
	if m.isAllowed() {
		m.remote = 0
		return true, nil
	}
	pending, err := c.index.PendingDeletions(ctx)
	if err != nil {
		return false, fmt.Errorf("count pending deletions: %w", err)
	}
	if time.Now().After(m.recentEnd) {
		m.recent = 0
	}
	if plan.Guard(pending+m.recent, c.index.Counts().Files+m.recent, plan.GuardConfig{}) {
		if m.remote == 0 {
			c.log.Warn("a deletion of many files by another device is held", "files", pending)
		}
		m.remote = pending
		c.saying.changed = true
		return false, nil
	}
	m.remote = 0
	return true, nil
}

// deleted counts a deletion by another device that was carried out.
func (m *missing) deleted(n int64) {
	if n == 0 {
		return
	}
	if m.isAllowed() {
		m.allowed = time.Now().Add(allowedFor)
		return
	}
	m.recent += n
	m.recentEnd = time.Now().Add(recentFor)
}
