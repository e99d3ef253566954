package folder

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
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
	if err := c.notice.observe(t.Context(), quick, []scan.Change{{Path: "a", Now: tree.Entry{Path: "a", Kind: tree.File}}}); err != nil {
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

// What an apply has put at a path and taken back was nobody's edit, though a scan
// that ran beside it has seen it.
func TestSeenWhileItWasSwapped(t *testing.T) {
	x, err := index.Open(t.Context(), filepath.Join(t.TempDir(), "index.db"), index.Options{Now: time.Now, Rand: rand.Reader, Device: tree.DeviceID{1}, DeviceName: "here"})
	if err != nil {
		t.Fatal(err)
	}
	defer x.Close()
	c := &cycle{f: &Folder{}, log: slog.New(slog.DiscardHandler), index: x, work: work{units: map[tree.Path]*unit{}}}
	c.bind()
	c.notice = newNotice(c)
	n := &c.notice
	n.running[quick], n.running[full] = true, true
	n.swappedBack("a")
	seen := []scan.Change{{Path: "a", Now: tree.Entry{Path: "a", Kind: tree.File}}}
	for _, l := range []lane{quick, full} {
		clear(n.paths)
		if err := n.observe(t.Context(), l, seen); err != nil {
			t.Fatal(err)
		}
		if _, again := n.paths["a"]; !again || x.Counts().Files != 0 {
			t.Errorf("lane %d: looked at again: %t, %d files recorded", l, again, x.Counts().Files)
		}
		n.forgetSwapped(l)
	}
	if len(n.swapped) != 0 {
		t.Errorf("%v is remembered after the scans", n.swapped)
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

// What is looked at beside a longer scan is looked at again after it: the other may
// have seen a file before it was removed.
func TestLookedAtBesideAnotherScan(t *testing.T) {
	c := &cycle{f: &Folder{}}
	c.bind()
	c.notice = newNotice(c)
	n := &c.notice
	var beside sync.WaitGroup
	defer beside.Wait()
	nothing := func(context.Context, func([]scan.Change) error) (scan.Summary, error) { return scan.Summary{}, nil }
	end := func(l lane, want bool) {
		t.Helper()
		<-n.ended
		if err := n.scanEnded(t.Context(), ended{lane: l, err: context.Canceled}); err != nil {
			t.Fatal(err)
		}
		if _, again := n.paths["a"]; again != want {
			t.Errorf("lane %d has ended; looked at again: %t", l, again)
		}
	}
	looks := func() {
		clear(n.paths)
		n.asked[quick] = []string{"a"}
		n.start(t.Context(), &beside, quick, nothing)
	}
	n.start(t.Context(), &beside, full, nothing)
	looks()
	end(quick, false)
	if !n.busyLooking() {
		t.Error("it says that all was looked at")
	}
	end(full, true)
	looks()
	n.start(t.Context(), &beside, slow, nothing)
	end(slow, false)
	end(quick, true)
	looks()
	end(quick, false)
}

// What fails again and again is tried after longer each time, until it is another
// case; what is merely open in another program, at an even pace.
func TestPutOffForLongerEachTime(t *testing.T) {
	c := &cycle{}
	c.bind()
	w := &c.work
	w.later = map[tree.Path]wait{}
	lasts := func(seconds time.Duration) {
		t.Helper()
		if left := time.Until(w.later["a"].until); left > seconds*time.Second || left < seconds*time.Second*2/3 || !w.isPutOff("a") {
			t.Errorf("put off for %v, want %d s", left, seconds)
		}
	}
	due := func() {
		l := w.later["a"]
		l.until = time.Now().Add(-time.Millisecond)
		w.later["a"] = l
		w.wakeLater()
		if w.more = false; w.isPutOff("a") || w.next(time.Now()) < time.Minute {
			t.Errorf("it is due: %+v", w.later)
		}
	}
	for _, want := range []time.Duration{30, 60, 120, 240, 480, 600, 600} {
		w.putOff("a", 30*time.Second)
		lasts(want)
		due()
	}
	w.putOffFor("a", 2*time.Second)
	lasts(2)
	w.another("a")
	w.putOff("a", 30*time.Second)
	lasts(30)
	due()
	w.later["a"] = wait{until: time.Now().Add(-overAfter), due: true}
	if w.wakeLater(); len(w.later) != 0 {
		t.Errorf("it is remembered for ever: %+v", w.later)
	}
}

// Where much is put off, what is not now makes room.
func TestPutOffMany(t *testing.T) {
	c := &cycle{}
	c.bind()
	w := &c.work
	w.later = map[tree.Path]wait{"due": {due: true}}
	for i := range maxLater {
		w.putOff(tree.Path(fmt.Sprint(i)), time.Second)
	}
	if _, known := w.later["due"]; known || len(w.later) != maxLater || !w.isPutOff(tree.Path(fmt.Sprint(maxLater-1))) {
		t.Errorf("%d are put off", len(w.later))
	}
}
