package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"pinion/engine/crash"
	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// missing is the guard of law 4 on both sides. What was seen to be missing, or to
// be overwritten with what looks encrypted (suspect.go), is written into the
// index as an observation, and becomes a change only when it was judged: few at
// once are; many wait until no more are being noticed and the moves among them
// are known; and if they are then a large part of the folder, together with what
// was lost in the minutes before, they wait for a person.
type missing struct {
	c *cycle

	waiting bool       // the index's list of missing paths may not be empty
	first   time.Time  // when the first of those that wait was noticed; zero: not since they were last judged
	last    time.Time  // when the last one was
	came    plan.Tally // new files here that look encrypted
	lost    plan.Tally // files that were lost here and told
	gone    plan.Tally // those of them that were deleted
	since   int64      // when what is held began to be; 0: nothing is, or was when the engine last ran
	held    int64      // files here, deleted or overwritten, that wait for a person, or to be as they were
	recount time.Time  // when those that are held are counted anew; zero: when a scan has ended
	emptied error      // the root is empty though the index is not
	// instead are paths where something else stands than the directory that the
	// index knows: they are looked at again when what was below is known to be gone.
	instead map[string]struct{}
	allowed time.Time // until when a person's yes holds: it ends some time after the last loss
	// allowedOver: the yes was said of what looks encrypted, too, or with nothing held.
	allowedOver bool
	// The other side of the guard: what others have deleted or overwritten.
	remote        int64      // that waits for a person
	remoteAgain   time.Time  // when it is counted anew; zero: when something was told
	theirLost     plan.Tally // that was carried out
	theirGone     plan.Tally // of that, deletions
	allowedTheirs time.Time
}

// guardLeast is from how many on missing files are judged together; it is the
// guard's own least (plan.GuardConfig).
const guardLeast = 25

// fewMissing is how many missing paths are judged soon, hardly waiting for more.
const fewMissing = 3

// The words of a person that travel, and since when something is held.
const (
	keyConfirmed = "confirmed"
	keyTakenBack = "taken back"
	keyHeldSince = "held since"
)

func (m *missing) loadConfirmed(ctx context.Context) {
	c := m.c
	moment := func(key string) (at int64) {
		if v, ok, err := c.index.Meta(ctx, key); err == nil && ok {
			if _, err := fmt.Sscan(string(v), &at); err != nil {
				return 0
			}
		}
		return at
	}
	c.confirmedAt.Store(moment(keyConfirmed))
	c.takenBackAt.Store(moment(keyTakenBack))
	m.since = moment(keyHeldSince)
	m.waiting = true // of an earlier run
	if err := c.suspicion.loadSuspects(ctx); err != nil {
		c.log.Warn("read what is held", "err", err)
	}
}

func (m *missing) keep(key string, at int64) {
	c := m.c
	if err := c.index.SetMeta(context.Background(), key, []byte(fmt.Sprint(at))); err != nil {
		c.log.Warn("remember a person's word", "word", key, "err", err)
	}
}

// filled says that the root is not empty any more. What is still gone of what was in
// it goes on being held.
func (m *missing) filled() {
	if m.emptied != nil {
		m.emptied, m.held, m.waiting, m.recount = nil, max(1, m.held), true, time.Now()
	}
}

// holdBegan notes since when something is held, and holdEnded that nothing is: a
// person's word from before is not about it.
func (m *missing) holdBegan() {
	c := m.c
	if m := &c.missing; m.since == 0 {
		m.since = c.f.cfg.Now().UnixNano()
		m.keep(keyHeldSince, m.since)
	}
}

func (m *missing) holdEnded() {
	c := m.c
	if m := &c.missing; m.since != 0 && m.held == 0 && m.remote == 0 && m.emptied == nil && !c.taking.on {
		m.since = 0
		m.keep(keyHeldSince, 0)
	}
}

// seenMissing notes paths that were missing in a directory that could be read.
func (m *missing) seenMissing(ctx context.Context, paths []tree.Path) error {
	crash.At("index.missing.before")
	err := m.c.index.HoldMissing(ctx, paths)
	crash.At("index.missing.after")
	if err != nil {
		return fmt.Errorf("note missing files: %w", err)
	}
	m.noticed(time.Now())
	m.waiting = true
	return nil
}

func (m *missing) noticed(now time.Time) {
	if m.first.IsZero() {
		m.first = now
	}
	m.last = now
}

// afterChildren says whether what took a directory's place has to wait until what
// stood in the directory is judged: others must hear of those deletions first, or
// they would keep the directory for what is in it.
func (m *missing) afterChildren(ctx context.Context, p tree.Path) (bool, error) {
	staying, leaving, err := m.c.index.LiveChildren(ctx, p)
	if err != nil || staying+leaving == 0 {
		return false, err
	}
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

func (m *missing) isAllowed() bool {
	return time.Now().Before(m.allowed) && (m.allowedOver || m.c.suspicion.here.waiting == 0)
}
func (m *missing) isAllowedTheirs() bool { return time.Now().Before(m.allowedTheirs) }

// resting says whether what waits is to wait on for more of the same sweep. What
// was noticed alone waits a moment only; the more of what may hold a folder has
// gone by, the longer the next one waits, so that of a slow sweep not much goes by;
// but not for ever, while one comes after the other.
func resting(s *suspects, before, files int64, now time.Time, settle time.Duration) bool {
	steps := 16 * before / plan.GuardConfig{}.Limit(files)
	rest := min(settle<<min(steps, 6), 60*settle)
	return now.Sub(s.last) < rest && now.Sub(s.first) < 300*settle
}

// restingHere is that for what is missing here.
func (m *missing) restingHere(count, files int64, now time.Time, settle time.Duration) bool {
	c := m.c
	if c.suspicion.here.waiting > 0 && resting(&c.suspicion.here, m.lost.Count(now), files, now, settle) {
		return true
	}
	rest := settle / 8
	if count > fewMissing {
		rest = settle / 2
	}
	steps := 16 * m.lost.Count(now) / plan.GuardConfig{}.Limit(files)
	rest = min(rest<<min(steps, 8), 2*settle)
	return now.Sub(m.last) < rest && now.Sub(m.first) < 30*settle
}

// next is how long until the missing ought to be judged.
func (m *missing) next(now time.Time) time.Duration {
	c := m.c
	switch {
	case (m.waiting || c.suspicion.here.waiting > 0) && m.held == 0, c.suspicion.theirs.unjudged() && m.remote == 0:
		return 50 * time.Millisecond
	case m.remote > 0 && !m.remoteAgain.IsZero():
		return max(0, m.remoteAgain.Sub(now))
	case m.held > 0 && !m.recount.IsZero():
		return max(0, m.recount.Sub(now))
	}
	return time.Hour
}

// judge has what was lost here told, and what was lost elsewhere carried out, or
// holds it.
func (m *missing) judge(ctx context.Context) error {
	if err := m.c.suspicion.judgeTheirs(ctx); err != nil {
		return err
	}
	if err := m.judgeMissing(ctx); err != nil {
		return err
	}
	m.holdEnded()
	return nil
}

// judgeMissing turns what is missing into deletions, and has what is overwritten
// taken in, or holds both.
func (m *missing) judgeMissing(ctx context.Context) error {
	c := m.c
	now := time.Now()
	counted := m.held == 0 || m.isAllowed() || !m.recount.IsZero() && now.After(m.recount)
	if !m.waiting && c.suspicion.here.waiting == 0 && m.held == 0 || m.emptied != nil || !counted || c.taking.on {
		return nil
	}
	n := &c.notice
	if n.running[quick] || len(n.paths)+len(n.deep) > 0 || !n.fullDone || c.suspicion.here.waiting > 0 && n.running[full] {
		return nil // a move's other end may still turn up, and more of what a scan finds
	}
	count, err := c.index.MissingCount(ctx)
	if err != nil {
		return fmt.Errorf("count missing files: %w", err)
	}
	files, before := c.index.Counts().Files, m.lost.Count(now)
	enough := plan.Guard(c.suspicion.here.waiting+before, files+m.gone.Count(now), plan.GuardConfig{})
	if !m.isAllowed() && m.held == 0 && !enough && m.restingHere(count, files, now, c.lim.Settle) {
		return nil // more may be about to be noticed
	}
	if (count+c.suspicion.here.waiting+before >= guardLeast || m.held > 0) && !m.isAllowed() {
		if n.running[full] || !enough && now.Sub(m.last) < c.lim.Settle && now.Sub(m.first) < 10*c.lim.Settle {
			return nil
		}
		if held, err := m.holdMissing(ctx, before, files+m.gone.Count(now)); held || err != nil {
			return err
		}
	}
	if err := c.suspicion.passHere(ctx); err != nil {
		return err
	}
	return m.releaseMissing(ctx)
}

// holdMissing counts what was lost, and holds it if it is much: before is how many
// were lost in the minutes before, files how many there were then.
func (m *missing) holdMissing(ctx context.Context, before, files int64) (bool, error) {
	c := m.c
	gone, err := m.countLost(ctx)
	if err != nil {
		return false, err
	}
	over, err := c.suspicion.countSuspects(ctx, index.Here, &c.suspicion.here)
	if err != nil {
		return false, err
	}
	m.recount = time.Time{}
	lost := gone + over
	if lost == 0 || m.held == 0 && !plan.Guard(lost+before, files, plan.GuardConfig{}) {
		return false, nil
	}
	if time.Now().Before(c.taking.until) {
		c.log.Info("more of what was just taken back was lost; it is taken back, too", "deleted", gone, "overwritten", over)
		c.taking.on, c.taking.began, c.taking.again = true, false, true
		return true, nil
	}
	if m.held == 0 {
		c.log.Warn("a deletion or overwriting of many files is held", "deleted", gone, "overwritten", over)
		m.holdBegan()
	}
	m.held, c.suspicion.here.over, c.saying.changed = lost, over, true
	return true, nil
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
func (m *missing) countLost(ctx context.Context) (int64, error) {
	c := m.c
	var lost int64
	err := m.eachMissing(ctx, func(p tree.Path, r tree.Record) error {
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
			if _, err := c.root.Lstat(string(t.Path)); err == nil && !c.names.respeltAt(t.Path) {
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
func (m *missing) eachMissing(ctx context.Context, fn func(tree.Path, tree.Record) error) error {
	c := m.c
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
			stands, lerr := m.stands(p)
			switch {
			case !had || !r.Exists():
				back = append(back, p)
			case stands:
				back = append(back, p)
				c.notice.look(string(p))
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
func (m *missing) stands(p tree.Path) (bool, error) {
	c := m.c
	_, err := c.root.Lstat(string(p))
	if err == nil || errors.Is(err, fs.ErrNotExist) {
		return err == nil && !c.names.respeltAt(p), nil
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
func (m *missing) releaseMissing(ctx context.Context) error {
	c := m.c
	if err := c.f.checkMarker(); err != nil {
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
	err := m.eachMissing(ctx, func(p tree.Path, r tree.Record) error {
		if c.work.units[p] != nil {
			left = true
			return nil
		}
		u.Changes = append(u.Changes, index.Change{Record: tombstone(r, self, clock), If: r.Seq})
		u.Activity = append(u.Activity, c.activity(p, "deleted", self))
		done = append(done, p)
		if r.Kind == tree.File && !m.isAllowed() {
			m.lost.Add(1, time.Now())
			m.gone.Add(1, time.Now())
		}
		if len(done) >= 500 {
			return flush()
		}
		return nil
	})
	if err == nil {
		err = flush()
	}
	m.waiting, m.held, m.first = left, 0, time.Time{}
	for p := range m.instead {
		c.notice.look(p)
	}
	clear(m.instead)
	c.saying.changed = true
	return err
}

// confirm lets what is held happen: what was noticed here and what others did. at
// is when the person said so; it travels to the other devices. A word that is not
// live, since it was heard when a device was met again, is not about what has been
// held since.
func (m *missing) confirm(at int64, live bool) {
	c := m.c
	if at <= c.confirmedAt.Load() {
		return
	}
	c.confirmedAt.Store(at)
	m.keep(keyConfirmed, at)
	if c.saying.changed = true; c.taking.on {
		return
	}
	m.allowedTheirs = time.Now().Add(allowedFor)
	m.remote = 0
	c.work.fromFront()
	if !live && (m.since == 0 || at < m.since) {
		return
	}
	m.allowed = time.Now().Add(allowedFor)
	m.allowedOver = m.held == 0 || c.suspicion.here.waiting > 0
	m.held = 0
	if m.emptied != nil {
		m.emptied = nil
		c.emptyAllowed.Store(true)
		c.notice.full = true
	}
}

// mayDelete is the guard on the carrying side: whether deletions by others may be
// carried out now. It counts those that are pending and what was lost in the
// minutes before.
func (m *missing) mayDelete(ctx context.Context) (bool, error) {
	c := m.c
	if m.isAllowedTheirs() {
		return true, nil
	}
	if m.remote > 0 {
		return false, nil
	}
	over, gone, err := c.suspicion.countTheirs(ctx)
	if err != nil {
		return false, err
	}
	now := time.Now()
	if plan.Guard(over+gone+m.theirLost.Count(now), c.index.Counts().Files+m.theirGone.Count(now), plan.GuardConfig{}) {
		c.suspicion.holdTheirs(over, gone)
		return false, nil
	}
	return true, nil
}

// deleted counts deletions by another device that were carried out.
func (m *missing) deleted(n int64) {
	if n == 0 {
		return
	}
	if m.isAllowedTheirs() {
		m.allowedTheirs = time.Now().Add(allowedFor)
		return
	}
	m.theirLost.Add(n, time.Now())
	m.theirGone.Add(n, time.Now())
}

// told has what is held of others' counted anew soon: it may have been taken back.
func (m *missing) told() {
	if m.remote > 0 && m.remoteAgain.IsZero() {
		m.remoteAgain = time.Now().Add(time.Second + time.Duration(m.remote)*time.Millisecond)
	}
}

// busy says whether something waits that may be told, or carried out, in a moment.
func (m *missing) busy() bool {
	c := m.c
	return (m.waiting || c.suspicion.here.waiting > 0) && m.held == 0 || c.suspicion.theirs.unjudged() && m.remote == 0 || c.taking.on
}
