package folder

import (
	"crypto/rand"
	"log/slog"
	"path/filepath"
	"testing"
	"time"

	"pinion/engine/index"
	"pinion/engine/scan"
	"pinion/engine/tree"
)

// A path that changes while something is under way with it is looked at again
// once that has ended, and not over and over until then.
func TestChangedWhileUnderWay(t *testing.T) {
	x, err := index.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"), index.Options{Now: time.Now, Rand: rand.Reader, Device: tree.DeviceID{1}, DeviceName: "here"})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	u := &unit{path: "a"}
	c := &cycle{f: &Folder{}, log: slog.New(slog.DiscardHandler), index: x, work: work{units: map[tree.Path]*unit{"a": u}}}
	c.bind()
	c.notice = newNotice(c)
	if err := c.notice.observe(t.Context(), []scan.Change{{Path: "a", Now: tree.Entry{Path: "a", Kind: tree.File}}}); err != nil {
		t.Fatal(err)
	}
	if len(c.notice.paths) != 0 || !c.notice.busyLooking() {
		t.Errorf("while it is under way: looked at at once: %v, busy: %t", c.notice.paths, c.notice.busyLooking())
	}
	c.work.release(u)
	if _, again := c.notice.paths["a"]; !again || len(c.notice.held) != 0 {
		t.Errorf("after it has ended: looked at: %v, held: %v", c.notice.paths, c.notice.held)
	}
}

// A directory that is to be revived waits for more to be told, but not for ever,
// and an entry that nobody asks about any more keeps nobody awake.
func TestRevivalWaitsForEnough(t *testing.T) {
	w := work{revive: map[tree.Path]revival{}, later: map[tree.Path]wait{}, stalled: map[tree.Path]bool{"d": true}, units: map[tree.Path]*unit{}}
	if w.patient("d", 7) {
		t.Error("it does not wait at all")
	}
	w.revive["d"] = revival{since: time.Now().Add(-enough), heard: 7}
	if w.patient("d", 8) {
		t.Error("more was told, and it does not wait for what may follow")
	}
	w.revive["d"] = revival{since: time.Now().Add(-enough), heard: 8}
	if w.next(time.Now()) != 0 {
		t.Error("it is not looked at when it has waited for enough")
	}
	c := cycle{work: w}
	c.work.wakeLater()
	if !c.work.more || len(c.work.stalled) != 0 || !c.work.patient("d", 8) {
		t.Errorf("it has waited for enough: %+v", c.work)
	}
	c.work.more = false
	if c.work.wakeLater(); c.work.more || c.work.next(time.Now()) < time.Minute {
		t.Errorf("it keeps the loop awake: %+v", c.work)
	}
}
