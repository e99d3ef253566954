package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"pinion/engine/index"
	"pinion/engine/noise"
	"pinion/engine/plan"
	"pinion/engine/scan"
	"pinion/engine/tree"
)

// suspicion is the part of the guard that looks at what overwrites files.
type suspicion struct {
	c      *cycle
	here   suspects // what was overwritten on this disk
	theirs suspects // what others have overwritten
}

// suspects are the contents of one side that look encrypted and would take the
// place of others: they wait, written down in the index, until they are judged
// together with what was deleted.
type suspects struct {
	waiting int64 // that wait to be judged, or for a person
	any     bool  // the index remembers some, be they let pass
	first   time.Time
	last    time.Time
	over    int64 // of those that wait for a person
	parked  []*unit
}

// maxParked is how many units of others' suspect contents keep their staged
// content while they wait. Beyond that it is fetched again.
const maxParked = 64

func (s *suspects) seen(now time.Time) {
	if s.waiting == 0 {
		s.first = now
	}
	s.any, s.last = true, now
	s.waiting++
}

// unjudged says whether some wait for a judgement. A unit may wait when its suspect
// is none any more.
func (s *suspects) unjudged() bool { return s.waiting > 0 || len(s.parked) > 0 }

func (x *suspicion) loadSuspects(ctx context.Context) error {
	c := x.c
	for side, s := range map[index.Side]*suspects{index.Here: &x.here, index.Theirs: &x.theirs} {
		var err error
		if s.waiting, s.any, err = c.index.SuspectCount(ctx, side); err != nil {
			return fmt.Errorf("read the index: %w", err)
		}
	}
	return nil
}

// holdHere keeps an observed change from being written to the index if it
// overwrites a file with what looks encrypted. The disk stays as it is.
func (x *suspicion) holdHere(ctx context.Context, old tree.Record, ch scan.Change) (bool, error) {
	c := x.c
	m := &c.missing
	e := ch.Now
	lost := old.Exists() && old.Kind == tree.File && e.Kind == tree.File && old.Content != e.Content &&
		plan.Overwrite{Path: ch.Path, Size: old.Size, Was: old.Sealed, Is: ch.Sealed}.Suspect()
	if !old.Exists() && ch.Sealed && c.notice.fullDone {
		m.came.Add(1, time.Now())
	}
	if !lost && !x.here.any {
		return false, nil
	}
	s, known, err := c.index.SuspectAt(ctx, ch.Path, index.Here)
	if err != nil {
		return false, err
	}
	if !lost || m.isAllowed() && m.allowedOver || known && s.Passed && s.Content == e.Content {
		if known {
			err = c.index.DropSuspects(ctx, index.Here, []tree.Path{ch.Path})
		}
		return false, err
	}
	if known && !s.Passed && s.Content == e.Content {
		return true, nil
	}
	if err := c.index.HoldSuspects(ctx, []index.Suspect{{Path: ch.Path, Content: e.Content}}); err != nil {
		return false, err
	}
	if known && !s.Passed {
		x.here.waiting-- // the same file once more
	}
	x.here.seen(time.Now())
	return true, nil
}

// passHere has the suspects of this disk looked at again, and then taken in.
func (x *suspicion) passHere(ctx context.Context) error {
	c := x.c
	s := &x.here
	if s.waiting == 0 {
		return nil
	}
	n := int64(0)
	err := x.eachSuspect(ctx, index.Here, func(p tree.Path) { n++; c.notice.look(string(p)) })
	if err == nil {
		err = c.index.PassSuspects(ctx, index.Here)
	}
	if !c.missing.isAllowed() {
		c.missing.lost.Add(n, time.Now())
	}
	s.waiting, s.over = 0, 0
	return err
}

// eachSuspect calls fn for every suspect of a side that still is one, and forgets
// the others.
func (x *suspicion) eachSuspect(ctx context.Context, side index.Side, fn func(tree.Path)) error {
	c := x.c
	var after tree.Path
	for {
		list, err := c.index.Suspects(ctx, side, after, 500)
		if err != nil || len(list) == 0 {
			return err
		}
		after = list[len(list)-1].Path
		var over []tree.Path
		for _, s := range list {
			still := x.overwrittenHere
			if side == index.Theirs {
				still = x.overwrittenThere
			}
			ok, err := still(ctx, s)
			if err != nil {
				return fmt.Errorf("look at suspect files: %w", err)
			}
			if ok {
				fn(s.Path)
			} else {
				over = append(over, s.Path)
			}
		}
		if err := c.index.DropSuspects(ctx, side, over); err != nil {
			return err
		}
	}
}

// overwrittenHere says whether the disk still holds something else than the index
// says.
func (x *suspicion) overwrittenHere(ctx context.Context, s index.Suspect) (bool, error) {
	c := x.c
	r, _, err := c.index.Get(ctx, s.Path)
	if err != nil || !r.Exists() || r.Content == s.Content {
		return false, err
	}
	info, err := c.root.Lstat(string(s.Path))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err != nil || info.Size != r.Disk.Size || info.MTime != r.Disk.MTime, nil
}

// overwrittenThere says whether some device still tells of the content, or it is
// about to be brought here from another path.
func (x *suspicion) overwrittenThere(ctx context.Context, s index.Suspect) (bool, error) {
	for _, u := range x.theirs.parked {
		if slices.ContainsFunc(u.actions, func(a plan.Action) bool { return a.Entry.Path == s.Path && a.Entry.Content == s.Content }) {
			return true, nil
		}
	}
	p, _, err := x.c.index.PendingAt(ctx, s.Path)
	for _, m := range p.Remotes {
		if m.Entry.Exists() && m.Entry.Content == s.Content {
			return true, err
		}
	}
	return false, err
}

// countSuspects counts those of a side.
func (x *suspicion) countSuspects(ctx context.Context, side index.Side, s *suspects) (n int64, err error) {
	if s.waiting > 0 {
		err = x.eachSuspect(ctx, side, func(tree.Path) { n++ })
		s.waiting = n
	}
	return n, err
}

// examine looks at the content that has come for a unit before it is applied:
// one that looks encrypted and would take the place of another waits.
func (x *suspicion) examine(u *unit) {
	c := x.c
	for _, a := range u.actions {
		if a.Op != plan.Put || a.Entry.Size == 0 {
			continue
		}
		if !x.isSealed(u, a) {
			continue
		}
		u.sealed = append(u.sealed, a.Entry.Content)
		lost, err := x.lostTheirs(u, a)
		if err != nil {
			c.log.Warn("look at what has come", "path", a.Entry.Path, "err", err)
		}
		if lost {
			x.park(u, a)
			return
		}
	}
	c.carry.makeReady(u)
}

// isSealed says whether the content that has come for a looks encrypted.
func (x *suspicion) isSealed(u *unit, a plan.Action) bool {
	for _, l := range u.looks {
		if l.content == a.Entry.Content {
			return l.sealed
		}
	}
	head, err := x.c.root.ReadFile(a.Staged, noise.Head)
	return err == nil && noise.Sealed(head) // what can't be read fails when it is applied
}

// lostTheirs says whether carrying out a would overwrite a file with what looks
// encrypted, and nobody has said yes to that.
func (x *suspicion) lostTheirs(u *unit, a plan.Action) (bool, error) {
	c := x.c
	if u.ended != nil || c.missing.isAllowedTheirs() || !a.Was.Exists() || a.Was.Kind != tree.File || a.Was.Content == a.Entry.Content {
		return false, nil
	}
	was := a.Was.Sealed
	if head, err := c.root.ReadFile(string(a.Was.Path), noise.Head); err == nil && !was {
		was = noise.Sealed(head)
	}
	if !(plan.Overwrite{Path: a.Entry.Path, Size: a.Was.Size, Was: was, Is: true}).Suspect() {
		return false, nil
	}
	s, known, err := c.index.SuspectAt(context.Background(), a.Entry.Path, index.Theirs)
	return !known || !s.Passed || s.Content != a.Entry.Content, err
}

// park lets a unit wait until it is judged.
func (x *suspicion) park(u *unit, a plan.Action) {
	c := x.c
	t, ctx := &x.theirs, context.Background()
	old, known, err := c.index.SuspectAt(ctx, a.Entry.Path, index.Theirs)
	if err == nil {
		err = c.index.HoldSuspects(ctx, []index.Suspect{{Path: a.Entry.Path, Side: index.Theirs, Content: a.Entry.Content}})
	}
	if err != nil {
		c.log.Warn("note a suspect file", "path", a.Entry.Path, "err", err)
	}
	if known && !old.Passed {
		t.waiting--
	}
	t.seen(time.Now())
	if c.missing.remote == 0 && len(t.parked) < maxParked {
		t.parked = append(t.parked, u)
		return
	}
	x.unpark(u)
}

// unpark lets go of a unit and of what was staged for it; it is pending still.
func (x *suspicion) unpark(u *unit) {
	c := x.c
	for _, a := range u.actions {
		if a.Op != plan.Put || a.Staged == "" {
			continue
		}
		if err := c.root.Transfer().Remove(a.Staged); err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.log.Info("remove what is not carried out", "path", a.Staged, "err", err)
		}
	}
	c.work.release(u)
}

// passTheirs lets others' suspect contents happen.
func (x *suspicion) passTheirs(ctx context.Context) error {
	c := x.c
	m := &c.missing
	t := &x.theirs
	if t.waiting > 0 {
		if err := c.index.PassSuspects(ctx, index.Theirs); err != nil {
			return err
		}
	}
	if !m.isAllowedTheirs() {
		m.theirLost.Add(t.waiting, time.Now())
	}
	t.waiting, t.over = 0, 0
	parked := t.parked
	t.parked = nil
	for _, u := range parked {
		c.carry.makeReady(u)
	}
	c.work.fromFront()
	return nil
}

// judgeTheirs decides what becomes of others' suspect contents, and whether what
// is held of theirs still is there to be held.
func (x *suspicion) judgeTheirs(ctx context.Context) error {
	c := x.c
	m := &c.missing
	t := &x.theirs
	now := time.Now()
	switch {
	case !t.unjudged() && m.remote == 0, c.taking.on:
		return nil
	case m.isAllowedTheirs():
		m.remote = 0
		return x.passTheirs(ctx)
	case m.remote > 0 && (m.remoteAgain.IsZero() || now.Before(m.remoteAgain)):
		return nil
	}
	files := c.index.Counts().Files
	before := m.theirLost.Count(now)
	enough := plan.Guard(t.waiting+before, files+m.theirGone.Count(now), plan.GuardConfig{})
	if m.remote == 0 && !enough && resting(t, before, files, now, c.lim.Settle) {
		return nil
	}
	over, gone, err := x.countTheirs(ctx)
	if err != nil {
		return err
	}
	m.remoteAgain = time.Time{}
	if m.remote > 0 && over+gone > 0 || over > 0 && plan.Guard(over+gone+before, files+m.theirGone.Count(now), plan.GuardConfig{}) {
		x.holdTheirs(over, gone)
		return nil
	}
	if m.remote > 0 {
		m.remote, c.saying.changed = 0, true
	}
	return x.passTheirs(ctx)
}

func (x *suspicion) countTheirs(ctx context.Context) (over, gone int64, err error) {
	if over, err = x.countSuspects(ctx, index.Theirs, &x.theirs); err != nil {
		return 0, 0, err
	}
	if gone, err = x.c.index.PendingDeletions(ctx); err != nil {
		err = fmt.Errorf("count pending deletions: %w", err)
	}
	return over, gone, err
}

// holdTheirs has what others did wait for a person.
func (x *suspicion) holdTheirs(over, gone int64) {
	c := x.c
	m := &c.missing
	if m.remote == 0 {
		c.log.Warn("a deletion or overwriting of many files by another device is held", "deleted", gone, "overwritten", over)
		c.missing.holdBegan()
	}
	m.remote, x.theirs.over, c.saying.changed = over+gone, over, true
	parked := x.theirs.parked
	x.theirs.parked = nil
	for _, u := range parked {
		x.unpark(u)
	}
}

// heldTheirs says whether a told content waits for a person.
func (x *suspicion) heldTheirs(ctx context.Context, p tree.Path, content tree.ContentID) (bool, error) {
	if x.theirs.waiting == 0 {
		return false, nil
	}
	s, known, err := x.c.index.SuspectAt(ctx, p, index.Theirs)
	return known && !s.Passed && s.Content == content, err
}

// carriedSuspects forgets what was remembered of paths that are done.
func (x *suspicion) carriedSuspects(ctx context.Context, paths []tree.Path) error {
	c := x.c
	for side, s := range map[index.Side]*suspects{index.Here: &x.here, index.Theirs: &x.theirs} {
		if !s.any {
			continue
		}
		if side == index.Here {
			if err := x.lookAgain(ctx, paths); err != nil {
				return err
			}
		}
		if err := c.index.DropSuspects(ctx, side, paths); err != nil {
			return err
		}
		var err error
		if s.waiting, s.any, err = c.index.SuspectCount(ctx, side); err != nil {
			return err
		}
	}
	return nil
}

// lookAgain has those of some paths looked at that wait here: what was carried out
// may have left the disk as it was, and the file still differs from its new row.
func (x *suspicion) lookAgain(ctx context.Context, paths []tree.Path) error {
	for _, p := range paths {
		_, known, err := x.c.index.SuspectAt(ctx, p, index.Here)
		if err != nil {
			return err
		}
		if known {
			x.c.notice.look(string(p))
		}
	}
	return nil
}
