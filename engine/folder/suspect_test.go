package folder

import (
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/scan"
	"pinion/engine/tree"
)

func guarded(t *testing.T) *cycle {
	t.Helper()
	x, err := index.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"), index.Options{Now: time.Now, Rand: rand.Reader, Device: tree.DeviceID{1}, DeviceName: "here"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { x.Close() })
	c := &cycle{f: &Folder{cfg: Config{Now: time.Now}}, log: slog.New(slog.DiscardHandler), index: x, work: work{units: map[tree.Path]*unit{}}}
	c.bind()
	c.notice = newNotice(c)
	return c
}

// What waits to be judged here is looked at again when its row was written without
// the disk: else nobody would know any more that the file is another.
func TestSuspectWhoseRowMovesOn(t *testing.T) {
	c := guarded(t)
	if err := c.index.HoldSuspects(t.Context(), []index.Suspect{{Path: "a", Content: tree.ContentID{1, 7}}}); err != nil {
		t.Fatal(err)
	}
	c.suspicion.here.seen(time.Now())
	if err := c.suspicion.carriedSuspects(t.Context(), []tree.Path{"a", "b"}); err != nil {
		t.Fatal(err)
	}
	if _, again := c.notice.paths["a"]; !again || len(c.notice.paths) != 1 || c.suspicion.here.waiting != 0 {
		t.Errorf("looked at again: %v, waiting: %d", c.notice.paths, c.suspicion.here.waiting)
	}
}

// A unit that waits to be judged goes on also when nobody tells its content at the
// path that it is for (an edit that follows a move comes from elsewhere).
func TestParkedUnitIsJudged(t *testing.T) {
	c := guarded(t)
	content := tree.ContentID{1, 9}
	put := plan.Action{Op: plan.Put, Entry: tree.Entry{Path: "l", Kind: tree.File, Size: 9000, Content: content}}
	u := &unit{path: "c", actions: []plan.Action{put}}
	c.suspicion.park(u, put)
	if n, err := c.suspicion.countSuspects(t.Context(), index.Theirs, &c.suspicion.theirs); n != 1 || err != nil {
		t.Errorf("%d are counted, %v", n, err)
	}
	c.suspicion.theirs.waiting = 0
	if !c.suspicion.theirs.unjudged() || c.missing.next(time.Now()) > time.Second {
		t.Error("nobody is going to judge it")
	}
	c.suspicion.theirs.first, c.suspicion.theirs.last = time.Time{}, time.Time{}
	if err := c.suspicion.judgeTheirs(t.Context()); err != nil {
		t.Fatal(err)
	}
	if len(c.carry.ready) != 1 || c.suspicion.theirs.unjudged() {
		t.Errorf("ready: %d, parked: %d", len(c.carry.ready), len(c.suspicion.theirs.parked))
	}
}

// What is seen in a directory whose row is a file's still is taken in with it.
func TestSeenBelowAFile(t *testing.T) {
	c := guarded(t)
	ctx := t.Context()
	change := func(p tree.Path, k tree.Kind, based uint64) scan.Change {
		return scan.Change{Path: p, BasedOn: based, Now: tree.Entry{Path: p, Kind: k, Mode: 0o755}, Disk: tree.Stat{Kind: k}}
	}
	file := tree.Record{Entry: tree.Entry{Path: "f", Kind: tree.File, Version: tree.Version{}.Bump(c.index.Self().ID, c.index.Tick()), Author: c.index.Self().ID}, Disk: tree.Stat{Kind: tree.File}}
	if _, err := c.index.Commit(ctx, index.Update{Changes: []index.Change{{Record: file}}}); err != nil {
		t.Fatal(err)
	}
	row, _, _ := c.index.Get(ctx, "f")
	u := &index.Update{}
	c.work.units["f"] = &unit{path: "f"}
	if err := c.notice.record(ctx, u, change("f/in", tree.File, 0), nil, 1); err != nil || len(u.Changes) != 0 {
		t.Errorf("%+v, %v", u.Changes, err)
	}
	if _, held := c.notice.held["f"]; !held || len(c.notice.paths) != 0 {
		t.Errorf("held: %v, looked at: %v", c.notice.held, c.notice.paths)
	}
	delete(c.work.units, "f")
	for _, ch := range []scan.Change{change("f", tree.Dir, row.Seq), change("f/in", tree.File, 0)} {
		if err := c.notice.record(ctx, u, ch, map[tree.Path]tree.Record{"f": row}, 1); err != nil {
			t.Fatal(err)
		}
	}
	if len(u.Changes) != 2 {
		t.Errorf("%+v", u.Changes)
	}
}
