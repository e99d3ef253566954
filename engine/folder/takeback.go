package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"pinion/engine/control"
	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// taking undoes what is held, once a person said so.
type taking struct {
	c *cycle

	on    bool           // what is held is being taken back, and nothing judged
	began bool           // that has begun
	asked []chan<- error // who waits for it
	// until is until when what would be held is taken back, too: of what the
	// word was about the last may be noticed after it. again: it has been.
	until time.Time
	again bool
}

// takenAtOnce is how many paths are brought back in one go.
const takenAtOnce = 200

// takenFor is for how long after all was taken back what else is noticed of the same
// sweep is, too.
const takenFor = 10 * time.Second

// Held says whether something is held of this folder, here or on a device that is
// connected.
func (f *Folder) Held() bool { return len(f.State().Holds) > 0 }

// TakeBack undoes what is held, here and on the other devices: what was deleted or
// overwritten on a device is brought back there, and what stands in its place goes
// to the archive; what others have told is superseded by what stands here. It
// returns when that is done on this device.
func (f *Folder) TakeBack(ctx context.Context, now time.Time) (control.Restored, error) {
	c, err := f.opened()
	if err != nil {
		return control.Restored{}, err
	}
	var files int64
	for _, h := range f.State().Holds {
		files = max(files, h.Files)
	}
	result := make(chan error, 1)
	c.ask(func() { c.taking.takeBack(max(now.UnixNano(), c.takenBackAt.Load()+1), true, result) })
	select {
	case err = <-result:
	case <-c.done:
		err = ErrClosed
	case <-ctx.Done():
		err = ctx.Err()
	}
	return control.Restored{Files: files, Path: f.cfg.Name}, err
}

// takeBack takes what is held back. at and live are as for confirm; result, if not
// nil, is told when that has ended here.
func (t *taking) takeBack(at int64, live bool, result chan<- error) {
	c := t.c
	m := &c.missing
	old := at <= c.takenBackAt.Load()
	if !old {
		c.takenBackAt.Store(at)
		c.missing.keep(keyTakenBack, at)
		c.saying.changed = true
	}
	about := m.since != 0 && (live || at > m.since)
	if !old && live {
		t.until = time.Now().Add(takenFor)
	}
	if result != nil {
		t.asked = append(t.asked, result)
	}
	if !old && about && !t.on {
		t.on, t.began, t.again = true, false, false
	}
	if !t.on {
		t.answer(nil)
	}
}

// answer tells those who asked for what is held to be taken back how it went.
func (t *taking) answer(err error) {
	for _, ch := range t.asked {
		ch <- err
	}
	t.asked = nil
}

// startTakingBack begins to take back what is held, once that was asked for and
// the folder was looked at as a whole.
func (t *taking) startTakingBack(ctx context.Context, beside *sync.WaitGroup) {
	c := t.c
	m := &c.missing
	if !t.on || t.began || !c.notice.fullDone {
		return
	}
	t.began = true
	emptied, remote := m.emptied != nil, m.remote > 0
	if emptied {
		m.held = max(1, m.held) // once something stands again the root is not empty any more
	}
	beside.Go(func() {
		err := t.takeAllBack(ctx, emptied, remote)
		c.ask(func() { t.tookBack(err) })
	})
}

// tookBack has what could not be brought back held on.
func (t *taking) tookBack(err error) {
	c := t.c
	m := &c.missing
	if err != nil {
		c.log.Warn("not all could be taken back", "err", err)
	}
	t.on, m.waiting, m.recount = false, true, time.Now()
	if !t.again {
		t.until = time.Now().Add(takenFor)
	}
	if m.emptied != nil {
		m.emptied, c.notice.full = nil, true
	}
	if m.remote > 0 {
		m.remoteAgain = time.Now()
	}
	c.saying.changed = true
	c.work.fromFront()
	t.answer(err)
}

func (t *taking) takeAllBack(ctx context.Context, emptied, remote bool) error {
	var errs []error
	if remote {
		errs = append(errs, t.supersede(ctx))
	}
	list := t.missingRows
	if emptied {
		list = t.liveRows
	}
	errs = append(errs, t.bringBack(ctx, list, t.recreating), t.bringBack(ctx, t.overwrittenRows, t.uncovering))
	return errors.Join(errs...)
}

// rowsAfter lists rows after a path, in the order of paths, and where to go on: the
// empty path at the end.
type rowsAfter func(ctx context.Context, after tree.Path) (rows []tree.Record, next tree.Path, err error)

// bringBack makes a unit of each row of a list and has them carried out. One that
// fails is left as it is.
func (t *taking) bringBack(ctx context.Context, list rowsAfter, unitOf func(context.Context, tree.Record) (*unit, error)) error {
	var after tree.Path
	var failed error
	for {
		rows, next, err := list(ctx, after)
		if err != nil {
			return err
		}
		var units []*unit
		for _, r := range rows {
			u, err := unitOf(ctx, r)
			if err != nil {
				failed = err
				continue
			}
			if u != nil {
				u.urgent, u.sources = true, t.connected()
				units = append(units, u)
			}
		}
		for _, err := range t.c.carryEach(ctx, units) {
			if err != nil {
				failed = err
			}
		}
		if next == "" || ctx.Err() != nil {
			return failed
		}
		after = next
	}
}

// connected are the devices that may have what is wanted.
func (t *taking) connected() (devs []tree.DeviceID) {
	for _, p := range t.c.exchange.Peers() {
		devs = append(devs, p.Device)
	}
	return devs
}

func (t *taking) rowsOf(ctx context.Context, paths []tree.Path) (rows []tree.Record, next tree.Path, err error) {
	for _, p := range paths {
		r, _, err := t.c.index.Get(ctx, p)
		if err != nil {
			return nil, "", err
		}
		if r.Exists() {
			rows = append(rows, r)
		}
	}
	if len(paths) == takenAtOnce {
		next = paths[len(paths)-1]
	}
	return rows, next, nil
}

func (t *taking) missingRows(ctx context.Context, after tree.Path) ([]tree.Record, tree.Path, error) {
	paths, err := t.c.index.Missing(ctx, after, takenAtOnce)
	if err != nil {
		return nil, "", err
	}
	return t.rowsOf(ctx, paths)
}

func (t *taking) liveRows(ctx context.Context, after tree.Path) (rows []tree.Record, next tree.Path, err error) {
	err = t.c.index.Walk(ctx, "", after, func(r tree.Record) (bool, error) {
		rows = append(rows, r)
		return len(rows) < takenAtOnce, nil
	})
	if len(rows) == takenAtOnce {
		next = rows[len(rows)-1].Path
	}
	return rows, next, err
}

func (t *taking) overwrittenRows(ctx context.Context, after tree.Path) ([]tree.Record, tree.Path, error) {
	list, err := t.c.index.Suspects(ctx, index.Here, after, takenAtOnce)
	if err != nil {
		return nil, "", err
	}
	paths := make([]tree.Path, len(list))
	for i, s := range list {
		paths[i] = s.Path
	}
	return t.rowsOf(ctx, paths)
}

// recreating makes the unit that brings back what is gone from the disk, as the
// index knows it; nil where something stands.
func (t *taking) recreating(_ context.Context, r tree.Record) (*unit, error) {
	if stands, err := t.c.missing.stands(r.Path); stands || err != nil {
		return nil, err
	}
	op := plan.Put
	switch r.Kind {
	case tree.Dir:
		op = plan.Make
	case tree.Symlink:
		op = plan.Link
	}
	nothing := tree.Record{Entry: tree.Entry{Path: r.Path, Kind: r.Kind, Deleted: true}, Seq: r.Seq}
	return &unit{path: r.Path, actions: []plan.Action{{Op: op, Entry: r.Entry, Was: nothing}}}, nil
}

// uncovering makes the unit that brings back what was overwritten; what stands
// there goes to the archive.
func (t *taking) uncovering(ctx context.Context, r tree.Record) (*unit, error) {
	c := t.c
	info, err := c.root.Lstat(string(r.Path))
	if errors.Is(err, fs.ErrNotExist) || err == nil && info.Kind != rootfs.Regular {
		c.ask(func() { c.notice.look(string(r.Path)) })
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	file, err := c.root.Apply().Open(string(r.Path))
	if err != nil {
		return nil, err
	}
	content, err := contentOf(contextReader{ctx, file}, info.Size)
	if err = errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("read %s: %w", r.Path, err)
	}
	if content == r.Content {
		c.ask(func() { c.notice.look(string(r.Path)) })
		return nil, nil
	}
	was := r
	was.Content, was.Size, was.MTime, was.Mode = content, info.Size, info.MTime, info.Mode
	was.Disk = tree.Stat{Kind: tree.File, Size: info.Size, MTime: info.MTime, Mode: info.Mode, Inode: info.Inode}
	return &unit{path: r.Path, actions: []plan.Action{{Op: plan.Put, Entry: r.Entry, Was: was}}}, nil
}

// supersede writes what stands here anew over what others have told and is held,
// so that it comes back everywhere.
func (t *taking) supersede(ctx context.Context) error {
	c := t.c
	var cursor index.Cursor
	for {
		list, next, err := c.index.Pending(ctx, index.PendingQuery{After: cursor, Limit: takeAtOnce})
		if err != nil {
			return fmt.Errorf("read what is pending: %w", err)
		}
		done := make(chan error, 1)
		if !c.ask(func() { done <- t.supersedeSome(ctx, list) }) {
			return ErrClosed
		}
		if err := <-done; err != nil || next == 0 {
			return err
		}
		cursor = next
	}
}

// supersedeSome runs in the loop.
func (t *taking) supersedeSome(ctx context.Context, list []index.Pending) error {
	c := t.c
	var u index.Update
	self, clock := c.index.Self().ID, c.index.Tick()
	for _, p := range list {
		r, had, err := c.index.Get(ctx, p.Path)
		if err != nil {
			return fmt.Errorf("read the index: %w", err)
		}
		if !had || !r.Exists() || c.work.units[p.Path] != nil {
			continue
		}
		held, v := false, r.Version
		for _, m := range p.Remotes {
			ours, err := c.suspicion.heldTheirs(ctx, p.Path, m.Entry.Content)
			if err != nil {
				return err
			}
			held = held || ours || m.Entry.Deleted && m.Entry.MovedTo == "" && m.Entry.Version.Covers(r.Version)
			v = v.Join(m.Entry.Version)
		}
		if !held {
			continue
		}
		seq := r.Seq
		r.Version, r.Author = v.Bump(self, clock), self
		u.Changes = append(u.Changes, index.Change{Record: r, If: seq})
		u.Activity = append(u.Activity, c.activity(p.Path, "restored", self))
	}
	return c.commit(ctx, u)
}
