package engine_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/enginetest"
)

func restore(t *testing.T, w *enginetest.World, dev string, r control.Restore) control.Restored {
	t.Helper()
	out, err := w.Engine(dev).Restore(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// refused says that a restore fails, and with which words.
func refused(t *testing.T, w *enginetest.World, dev string, r control.Restore, words ...string) {
	t.Helper()
	out, err := w.Engine(dev).Restore(context.Background(), r)
	if err == nil {
		t.Errorf("%+v brought %+v", r, out)
		return
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("%q does not say %q", err, word)
		}
	}
}

// now is a moment after all that was done and before all that is to come, on
// clocks that tick 4 ms at a time.
func now() *time.Time {
	time.Sleep(20 * time.Millisecond)
	t := time.Now()
	time.Sleep(20 * time.Millisecond)
	return &t
}

// TestHistoryIsThatOfAllDevices: what the laptop overwrote is listed on the
// laptop, with all who keep it, and with who could not be asked.
func TestHistoryIsThatOfAllDevices(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a.txt", "one")
	w.Write("laptop", "docs/other.txt", "other")
	shared(w, "laptop", "pi1", "pi2")
	for _, text := range []string{"two, longer", "three"} {
		w.Write("laptop", "docs/a.txt", text)
		w.Settle()
	}
	h := w.History("laptop", "docs/a.txt", false)
	if len(h.Versions) != 3 || len(h.Notes) != 0 {
		t.Fatalf("%+v", h)
	}
	live, two, one := h.Versions[0], h.Versions[1], h.Versions[2]
	if live.Reason != control.ReasonLive || live.Size != 5 || live.Device != "laptop" {
		t.Errorf("what stands: %+v", live)
	}
	for _, k := range []control.Kept{two, one} {
		if k.Reason != "replaced" || k.Device != "laptop" || !slices.Equal(slices.Sorted(slices.Values(k.KeptBy)), []string{"pi1", "pi2"}) {
			t.Errorf("what was replaced: %+v", k)
		}
	}
	if two.Size != 11 || one.Size != 3 || !one.MTime.Before(two.MTime) || !one.Time.Before(two.Time) {
		t.Errorf("%+v, %+v", two, one)
	}
	w.Delete("laptop", "docs/a.txt")
	w.Settle()
	w.Stop("pi2")
	h = w.History("laptop", "", true)
	if len(h.Versions) != 1 || h.Versions[0].Reason != "deleted" || h.Versions[0].Size != 5 || !slices.Equal(h.Versions[0].KeptBy, []string{"pi1"}) {
		t.Errorf("what was deleted: %+v", h.Versions)
	}
	if len(h.Notes) != 1 || h.Notes[0] != "pi2 is not connected; what only it keeps is not listed" {
		t.Errorf("%q", h.Notes)
	}
}

// TestRestoreFromAPeersArchive: the laptop has no archive of what it overwrote
// itself; a Pi has.
func TestRestoreFromAPeersArchive(t *testing.T) {
	w := three(t)
	w.WriteAt("laptop", "docs/a.txt", "one", 48*time.Hour)
	w.Chmod("laptop", "docs/a.txt", 0o640)
	was, err := os.Stat(w.Path("laptop", "docs/a.txt"))
	must(t, err)
	shared(w, "laptop", "pi1", "pi2")
	w.Write("laptop", "docs/a.txt", "two")
	w.Settle()
	w.Stop("pi2")
	out := restore(t, w, "laptop", control.Restore{Path: "docs/a.txt"})
	if out.Files != 1 || out.Bytes != 3 || out.Path != "a.txt" || len(out.Notes) != 1 {
		t.Errorf("%+v", out)
	}
	w.Has("docs/a.txt", "one", "laptop")
	if is, err := os.Stat(w.Path("laptop", "docs/a.txt")); err != nil || is.Mode() != was.Mode() || !is.ModTime().Equal(was.ModTime()) {
		t.Errorf("mode and time: %v %v, %v", is.Mode(), is.ModTime(), err)
	}
	if kept := w.Archive("laptop", "docs/a.txt"); len(kept) != 1 || kept[0].Size != 3 {
		t.Errorf("what it replaced: %+v", kept)
	}
	w.Start("pi2")
	w.Settle()
	w.Has("docs/a.txt", "one", "laptop", "pi1", "pi2")
	// Once more: back to what it replaced.
	restore(t, w, "pi2", control.Restore{Path: "docs/a.txt"})
	w.Settle()
	w.Has("docs/a.txt", "two", "laptop", "pi1", "pi2")
	if n := len(w.Conflicts("laptop")); n != 0 {
		t.Errorf("%d conflicts", n)
	}
}

// TestRestoreADirectory: all that was deleted in it comes back, with its
// directories, also empty ones; what was moved elsewhere does not, nor what was
// merely edited.
func TestRestoreADirectory(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/p/a.txt", "a")
	w.Write("laptop", "docs/p/sub/b.txt", "b")
	w.Write("laptop", "docs/p/moves.txt", "this one moves, and is of some length")
	w.Write("laptop", "docs/p/edited.txt", "before")
	w.Mkdir("laptop", "docs/p/empty/deep")
	w.Link("laptop", "docs/p/link", "a.txt")
	shared(w, "laptop", "pi1")
	w.Write("laptop", "docs/p/moves.txt", "this one moves, and was edited before that")
	w.Write("laptop", "docs/p/edited.txt", "after")
	w.Settle()
	w.Move("laptop", "docs/p/moves.txt", "docs/moved.txt")
	w.Settle()
	w.Delete("laptop", "docs/p/a.txt", "docs/p/sub", "docs/p/empty", "docs/p/link")
	w.Settle()
	out := restore(t, w, "laptop", control.Restore{Path: "docs/p"})
	if out.Files != 3 || out.Bytes != 2 || out.Dirs != 2 {
		t.Errorf("%+v", out)
	}
	w.Settle()
	w.Has("docs/p/a.txt", "a", "laptop", "pi1")
	w.Has("docs/p/sub/b.txt", "b", "laptop", "pi1")
	w.Has("docs/p/edited.txt", "after", "laptop", "pi1")
	w.HasNot("docs/p/moves.txt", "laptop", "pi1")
	for _, dev := range []string{"laptop", "pi1"} {
		if target, err := os.Readlink(w.Path(dev, "docs/p/link")); err != nil || target != "a.txt" {
			t.Errorf("the symlink on %s: %q, %v", dev, target, err)
		}
		if info, err := os.Stat(w.Path(dev, "docs/p/empty/deep")); err != nil || !info.IsDir() {
			t.Errorf("the empty directory on %s: %v", dev, err)
		}
	}
	refused(t, w, "laptop", control.Restore{Path: "docs/p"}, "nothing that was deleted in p is kept")
	w.Delete("laptop", "docs/p")
	w.Settle()
	if out := restore(t, w, "laptop", control.Restore{Path: "docs"}); out.Files != 4 {
		t.Errorf("the whole folder: %+v", out)
	}
	w.Settle()
	w.Same("docs")
}

// TestRestoreWhatStoodThen, in place and elsewhere.
func TestRestoreWhatStoodThen(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/p/a.txt", "a one")
	w.Write("laptop", "docs/p/stays.txt", "stays")
	shared(w, "laptop", "pi1")
	first := now()
	w.Write("laptop", "docs/p/a.txt", "a two")
	w.Write("laptop", "docs/p/b.txt", "b one")
	w.Settle()
	second := now()
	w.Write("laptop", "docs/p/a.txt", "a three")
	w.Delete("laptop", "docs/p/b.txt")
	w.Settle()
	third := now()

	out := restore(t, w, "laptop", control.Restore{Path: "docs/p", At: first, To: "docs/then"})
	if out.Files != 2 || out.Absent != 1 || out.Path != "then" {
		t.Errorf("%+v", out)
	}
	w.Settle()
	for _, dev := range []string{"laptop", "pi1"} {
		w.Has("docs/then/a.txt", "a one", dev)
		w.Has("docs/then/stays.txt", "stays", dev)
		w.HasNot("docs/then/b.txt", dev)
		w.Has("docs/p/a.txt", "a three", dev)
	}
	if out := restore(t, w, "pi1", control.Restore{Path: "docs/p", At: second}); out.Files != 2 || out.Absent != 0 {
		t.Errorf("%+v", out)
	}
	w.Settle()
	w.Has("docs/p/a.txt", "a two", "laptop", "pi1")
	w.Has("docs/p/b.txt", "b one", "laptop", "pi1")
	if out := restore(t, w, "laptop", control.Restore{Path: "docs/p/a.txt", At: third, To: "docs/then"}); out.Files != 1 || out.Path != "then/a.txt" {
		t.Errorf("into a directory: %+v", out)
	}
	w.Has("docs/then/a.txt", "a three", "laptop")
	long := time.Now().Add(-time.Hour)
	refused(t, w, "laptop", control.Restore{Path: "docs/p/b.txt", At: &long}, "nothing is kept of p/b.txt that stood there at")
	if out := restore(t, w, "laptop", control.Restore{Path: "docs/p/stays.txt", At: second}); out.Files != 0 || len(out.Notes) != 1 {
		t.Errorf("what stands: %+v", out)
	}
}

// TestRestoreWhatThisDeviceNeverHad: the content is known to no index but the
// Pi's archive, small, as one large chunk and as many.
func TestRestoreWhatThisDeviceNeverHad(t *testing.T) {
	w := three(t)
	texts := map[string]string{"small": "small", "one": random(200<<10, 1), "many": random(5<<20, 2)}
	for name, text := range texts {
		w.Write("laptop", "docs/"+name, text)
	}
	w.Share("docs", "laptop", "pi1")
	w.Settle()
	for name := range texts {
		w.Write("laptop", "docs/"+name, "other")
	}
	w.Settle()
	w.Accept("pi2", "docs", "")
	w.Settle()
	w.Stop("laptop")
	for name, text := range texts {
		if out := restore(t, w, "pi2", control.Restore{Path: "docs/" + name, To: "docs/again/" + name}); out.Files != 1 || out.Bytes != int64(len(text)) {
			t.Errorf("%s: %+v", name, out)
		}
		w.Has("docs/again/"+name, text, "pi2")
	}
	w.Start("laptop")
	w.Settle()
	w.Same("docs")
}

func random(n int, seed uint32) string {
	b := make([]byte, n)
	for i := range b {
		seed = seed*1664525 + 1013904223
		b[i] = byte(seed >> 24)
	}
	return string(b)
}

// TestTwoRestoreTheSameAtOnce: both bring the same, which is no conflict.
func TestTwoRestoreTheSameAtOnce(t *testing.T) {
	w := three(t)
	w.Fill("laptop", "docs/p", 20)
	w.Write("laptop", "docs/stays", "stays")
	shared(w, "laptop", "pi1", "pi2")
	w.Delete("laptop", "docs/p")
	w.Settle()
	w.Cut("laptop", "pi2")
	done := make(chan error, 2)
	for _, dev := range []string{"laptop", "pi2"} {
		e := w.Engine(dev)
		go func() {
			_, err := e.Restore(context.Background(), control.Restore{Path: "docs/p"})
			done <- err
		}()
	}
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	w.Restore("laptop", "pi2")
	w.Settle()
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		if n := len(w.Names(dev, "docs")); n != 22 {
			t.Errorf("%d paths on %s: %v", n, dev, w.Names(dev, "docs"))
		}
		if n := len(w.Conflicts(dev)); n != 0 {
			t.Errorf("%d conflicts on %s", n, dev)
		}
	}
}

// TestRestoreOfManyFiles is more than a page, and more than is taken on at once.
func TestRestoreOfManyFiles(t *testing.T) {
	w := two(t)
	const n = 1300
	w.Fill("laptop", "docs/p", n)
	w.Write("laptop", "docs/stays", "stays")
	shared(w, "laptop", "pi1")
	w.Delete("laptop", "docs/p")
	w.AwaitState("laptop", "docs", "held")
	w.Confirm("laptop", "docs")
	w.Settle()
	if h := w.History("laptop", "docs", true); len(h.Versions) != n {
		t.Fatalf("%d are listed", len(h.Versions))
	}
	if out := restore(t, w, "laptop", control.Restore{Path: "docs/p"}); out.Files != n {
		t.Errorf("%+v", out)
	}
	w.Settle()
	if got := len(w.Names("pi1", "docs")); got != n+2 {
		t.Errorf("%d paths", got)
	}
	w.Same("docs")
}

// TestRestoreThatCannotBe says why, and who may have it.
func TestRestoreThatCannotBe(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a.txt", "one")
	w.Write("laptop", "docs/dir/x", "x")
	shared(w, "laptop", "pi1", "pi2")
	w.Write("laptop", "docs/a.txt", "two")
	w.Settle()
	w.Stop("pi1", "pi2")
	refused(t, w, "laptop", control.Restore{Path: "docs/a.txt"}, "nothing is kept of a.txt", "pi1 is not connected, and may keep it")
	w.Start("pi1")
	w.Settle()
	refused(t, w, "laptop", control.Restore{Path: "docs/a.txt", To: "docs/dir/x/y"}, "dir/x is no directory now", "--to")
	w.Pause("laptop", "docs")
	refused(t, w, "laptop", control.Restore{Path: "docs/a.txt"}, "is paused", "pinion resume")
	if h := w.History("laptop", "docs/a.txt", false); len(h.Versions) != 2 || len(h.Notes) != 1 {
		t.Errorf("the history of a paused folder: %+v", h)
	}
	w.Resume("laptop", "docs")
	w.Settle()

	// The device goes away while it serves.
	w.Stall("pi1", 0)
	done := make(chan error, 1)
	e := w.Engine("laptop")
	go func() {
		_, err := e.Restore(context.Background(), control.Restore{Path: "docs/a.txt"})
		done <- err
	}()
	w.AwaitStalled("pi1")
	w.Cut("laptop", "pi1")
	if err := <-done; err == nil || !strings.Contains(err.Error(), "a.txt: ") || !strings.Contains(err.Error(), "connected") {
		t.Errorf("when it went away: %v", err)
	}
	w.Flow("pi1")
	w.Has("docs/a.txt", "two", "laptop")
}

// TestRestoreOfAnArchiveThatWasDamaged: what a person took out of the archive is
// not listed, and what was changed in it is not brought.
func TestRestoreOfAnArchiveThatWasDamaged(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "one")
	w.Write("laptop", "docs/b.txt", "one")
	shared(w, "laptop", "pi1")
	w.Write("laptop", "docs/a.txt", "two")
	w.Write("laptop", "docs/b.txt", "two")
	w.Settle()
	files, err := filepath.Glob(w.Path("pi1", "docs/.pinion/archive/*.txt"))
	must(t, err)
	if len(files) != 2 {
		t.Fatalf("%q", files)
	}
	for _, f := range files {
		if strings.Contains(f, "/a~") {
			must(t, os.Remove(f))
		} else {
			must(t, os.WriteFile(f, []byte("ONE"), 0o600))
		}
	}
	if h := w.History("laptop", "docs/a.txt", false); len(h.Versions) != 1 {
		t.Errorf("%+v", h)
	}
	refused(t, w, "laptop", control.Restore{Path: "docs/a.txt"}, "nothing is kept of a.txt")
	refused(t, w, "laptop", control.Restore{Path: "docs/b.txt"}, "b.txt")
	w.Has("docs/b.txt", "two", "laptop", "pi1")
}

// TestRestoreWhatIsInNobodysArchiveYet: a device that has not carried the deletion
// out still has it. What was moved does not come back to where it was.
func TestRestoreWhatIsInNobodysArchiveYet(t *testing.T) {
	w := two(t)
	w.Fill("pi1", "docs/p", 7)
	w.Write("pi1", "docs/p/moves.txt", "this one moves, and is of some length")
	w.Add("pi1", "docs", "send")
	w.Accept("laptop", "docs", "")
	w.Settle()
	w.Move("laptop", "docs/p/moves.txt", "docs/moved.txt")
	w.Delete("laptop", "docs/p/001", "docs/p/002", "docs/p/003")
	w.Await("the deletion to be noticed", func() bool { return w.State("laptop", "docs").Files == 5 })
	if out := restore(t, w, "laptop", control.Restore{Path: "docs/p/002"}); out.Files != 1 {
		t.Errorf("a file: %+v", out)
	}
	if out := restore(t, w, "laptop", control.Restore{Path: "docs/p"}); out.Files != 2 {
		t.Errorf("a directory: %+v", out)
	}
	w.Has("docs/p/001", "this is docs/p number 1", "laptop")
	w.HasNot("docs/p/moves.txt", "laptop")

	// An older version is in the laptop's archive, the last one in nobody's.
	w.Write("pi1", "docs/p/004", "this is newer")
	w.AwaitFile("laptop", "docs/p/004", "this is newer")
	w.Await("the change to be noted", func() bool { return len(w.Archive("laptop", "docs/p/004")) == 1 })
	w.Delete("laptop", "docs/p/004")
	w.Await("the deletion to be noticed", func() bool { return w.State("laptop", "docs").Files == 7 })
	restore(t, w, "laptop", control.Restore{Path: "docs/p/004"})
	w.Has("docs/p/004", "this is newer", "laptop")
	w.Delete("laptop", "docs/p/004")
	w.Await("the deletion to be noticed", func() bool { return w.State("laptop", "docs").Files == 7 })
	w.Delete("pi1", "docs/p/004")
	w.Await("the other device to delete it", func() bool { return w.State("pi1", "docs").Files == 7 })
	restore(t, w, "laptop", control.Restore{Path: "docs/p/004"})
	w.Has("docs/p/004", "this is docs/p number 4", "laptop")
	w.Delete("laptop", "docs/p/001")
	w.Await("the deletion to be noticed", func() bool { return w.State("laptop", "docs").Files == 7 })
	w.Stop("pi1")
	refused(t, w, "laptop", control.Restore{Path: "docs/p/001"}, "nothing is kept of p/001", "pi1 is not connected, and may keep it")
}
