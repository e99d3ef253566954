package engine_test

import (
	"bytes"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/enginetest"
)

func two(t *testing.T) *enginetest.World {
	t.Helper()
	t.Parallel()
	return enginetest.New(t, "laptop", "pi1")
}

func three(t *testing.T) *enginetest.World {
	t.Helper()
	t.Parallel()
	return enginetest.New(t, "laptop", "pi1", "pi2")
}

// shared is a world in which all hold the folder docs.
func shared(w *enginetest.World, devs ...string) *enginetest.World {
	w.Share("docs", devs...)
	w.Settle()
	return w
}

func TestFirstSyncBringsBothSidesTogether(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/letters/anna.txt", "dear Anna")
	w.Write("laptop", "docs/empty", "")
	w.Write("pi1", "docs/letters/bert.txt", "dear Bert")
	w.Write("pi1", "docs/notes.txt", "notes")
	w.Share("docs", "laptop", "pi1")
	w.Settle()
	w.Has("docs/letters/anna.txt", "dear Anna", "laptop", "pi1")
	w.Has("docs/letters/bert.txt", "dear Bert", "laptop", "pi1")
	w.Has("docs/notes.txt", "notes", "laptop", "pi1")
	w.Has("docs/empty", "", "laptop", "pi1")
	if n := len(w.Names("laptop", "docs")); n != 5 {
		t.Errorf("%d paths instead of 5: %v", n, w.Names("laptop", "docs"))
	}
}

func TestFirstSyncOfTheSameContentMovesNothing(t *testing.T) {
	w := two(t)
	for _, dev := range []string{"laptop", "pi1"} {
		w.Fill(dev, "docs/many", 20)
	}
	w.Share("docs", "laptop", "pi1")
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 21 {
		t.Errorf("%d paths instead of 21: %v", n, w.Names("pi1", "docs"))
	}
	if n := w.Served("laptop") + w.Served("pi1"); n != 0 {
		t.Errorf("%d bytes of content were moved although both had all of it", n)
	}
	if n := len(w.Conflicts("laptop")); n != 0 {
		t.Errorf("%d conflicts among equal files", n)
	}
}

func TestFirstSyncOfDifferentContentKeepsBoth(t *testing.T) {
	w := two(t)
	w.WriteAt("laptop", "docs/a.txt", "the laptop's", 2*time.Hour)
	w.WriteAt("pi1", "docs/a.txt", "the Pi's", time.Hour)
	w.Share("docs", "laptop", "pi1")
	w.Settle()
	w.Has("docs/a.txt", "the Pi's", "laptop", "pi1")
	wantTexts(t, w, "docs", "the Pi's", "the laptop's")
	for _, dev := range []string{"laptop", "pi1"} {
		if list := w.Conflicts(dev); len(list) != 1 || list[0].Path != "a.txt" || list[0].That.Device != "laptop" {
			t.Errorf("%s lists %+v", dev, list)
		}
	}
}

// wantTexts fails unless the files of a folder hold these texts, on the laptop and
// on pi1, wherever they stand.
func wantTexts(t *testing.T, w *enginetest.World, folder string, texts ...string) {
	t.Helper()
	for _, dev := range []string{"laptop", "pi1"} {
		have := w.Texts(dev, folder)
		if len(have) != len(texts) {
			t.Errorf("%s has %d files, not %d: %q", dev, len(have), len(texts), have)
		}
		for _, want := range texts {
			found := false
			for _, text := range have {
				found = found || text == want
			}
			if !found {
				t.Errorf("%s has %q nowhere: %q", dev, want, have)
			}
		}
	}
}

func TestEditsGoBothWays(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	w.Write("laptop", "docs/a.txt", "one")
	w.AwaitFile("pi1", "docs/a.txt", "one")
	w.Settle()
	w.Write("pi1", "docs/a.txt", "two")
	w.AwaitFile("laptop", "docs/a.txt", "two")
	w.Settle()
	w.Append("laptop", "docs/a.txt", " and three")
	w.AwaitFile("pi1", "docs/a.txt", "two and three")
	w.Settle()
	wantTexts(t, w, "docs", "two and three")
}

// Who moves a file in the moment in which an edit of it arrives moves the edit.
func TestMoveRightAfterAnEditArrived(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	w.Write("laptop", "docs/sub/deep/b.txt", "b")
	shared(w, "laptop", "pi1")
	w.Write("pi1", "docs/sub/deep/b.txt", "new on the Pi")
	for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
		if b, err := os.ReadFile(w.Path("laptop", "docs/sub/deep/b.txt")); err == nil && string(b) == "new on the Pi" {
			break
		}
	}
	w.Move("laptop", "docs/sub", "docs/moved")
	w.Settle()
	w.HasNot("docs/sub", "laptop", "pi1")
	w.Has("docs/moved/deep/b.txt", "new on the Pi", "laptop", "pi1")
}

// Who edits a file in the moment in which it appears edits that version.
func TestEditRightAfterAFileAppears(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	for i := range 10 {
		name := "docs/" + string(rune('a'+i)) + ".txt"
		w.Write("laptop", name, "one")
		for end := time.Now().Add(30 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Microsecond) {
			if _, err := os.Lstat(w.Path("pi1", name)); err == nil {
				break
			}
		}
		w.Write("pi1", name, "one and two")
	}
	w.Settle()
	for p, text := range w.Texts("laptop", "docs") {
		if text != "one and two" {
			t.Errorf("%s: %q", p, text)
		}
	}
}

func TestDeletionsGoBothWays(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/dir/a.txt", "a")
	w.Write("laptop", "docs/b.txt", "b")
	w.Write("laptop", "docs/c.txt", "c")
	shared(w, "laptop", "pi1")
	w.Delete("pi1", "docs/dir", "docs/b.txt")
	w.Settle()
	w.HasNot("docs/dir", "laptop", "pi1")
	w.HasNot("docs/b.txt", "laptop", "pi1")
	w.Has("docs/c.txt", "c", "laptop", "pi1")
	if kept := w.Archive("laptop", "docs/dir/a.txt"); len(kept) != 1 || kept[0].Reason != "deleted" || kept[0].Device != "pi1" {
		t.Errorf("the archive of who carried the deletion out lists %+v", kept)
	}
}

func TestRenamedDirectoryCostsOnlyNames(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs/old", 40)
	w.Write("laptop", "docs/old/below/deep.txt", strings.Repeat("deep ", 100_000))
	w.Write("laptop", "docs/other", "x")
	shared(w, "laptop", "pi1")
	served := w.Served("laptop")
	w.Move("laptop", "docs/old", "docs/new")
	w.Settle()
	w.HasNot("docs/old", "pi1")
	if n := len(w.Names("pi1", "docs")); n != 44 {
		t.Errorf("%d paths instead of 44", n)
	}
	if n := w.Served("laptop") - served; n != 0 {
		t.Errorf("%d bytes of content were fetched again for a rename", n)
	}
	if kept := w.Archive("pi1", ""); len(kept) != 0 {
		t.Errorf("a rename put %d files into the archive", len(kept))
	}
}

func TestRenamedFileIsMovedEitherWay(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/m.txt", "moves")
	shared(w, "laptop", "pi1")
	served := w.Served("laptop") + w.Served("pi1")
	w.Move("laptop", "docs/m.txt", "docs/a.txt")
	w.Settle()
	w.Move("pi1", "docs/a.txt", "docs/z.txt")
	w.Settle()
	w.Has("docs/z.txt", "moves", "laptop", "pi1")
	wantTexts(t, w, "docs", "moves")
	if n := w.Served("laptop") + w.Served("pi1") - served; n != 0 {
		t.Errorf("%d bytes were fetched for renames", n)
	}
}

func TestCopyIsNotFetched(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", strings.Repeat("a", 300_000))
	shared(w, "laptop", "pi1")
	served := w.Served("laptop")
	w.Write("laptop", "docs/copy/b.txt", strings.Repeat("a", 300_000))
	w.Settle()
	if n := w.Served("laptop") - served; n != 0 {
		t.Errorf("%d bytes were fetched for a copy", n)
	}
}

func TestMetadataAndKinds(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/run.sh", "#!/bin/sh")
	w.Link("laptop", "docs/link", "run.sh")
	w.Link("laptop", "docs/nowhere", "../../outside")
	w.Mkdir("laptop", "docs/empty/inner")
	shared(w, "laptop", "pi1")
	served := w.Served("laptop")

	w.Chmod("laptop", "docs/run.sh", 0o755)
	w.Chmod("laptop", "docs/empty", 0o750)
	w.Delete("pi1", "docs/link")
	w.Settle()
	w.HasNot("docs/link", "laptop")
	w.Link("pi1", "docs/link", "elsewhere")
	w.Delete("pi1", "docs/nowhere")
	w.Link("pi1", "docs/nowhere", "somewhere")
	w.Settle()
	if n := w.Served("laptop") - served; n != 0 {
		t.Errorf("%d bytes were fetched for metadata", n)
	}
}

func TestAPathChangesItsKind(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/thing", "a file")
	w.Write("laptop", "docs/box/one", "1")
	w.Write("laptop", "docs/box/two/three", "3")
	shared(w, "laptop", "pi1")
	w.Delete("laptop", "docs/thing")
	w.Write("laptop", "docs/thing/inner", "now in a directory")
	w.Delete("laptop", "docs/box")
	w.Write("laptop", "docs/box", "now a file")
	w.Settle()
	w.Has("docs/thing/inner", "now in a directory", "pi1")
	w.Has("docs/box", "now a file", "pi1")
	w.Delete("pi1", "docs/thing", "docs/box")
	w.Link("pi1", "docs/thing", "box")
	w.Mkdir("pi1", "docs/box")
	w.Settle()
	if got := w.Names("laptop", "docs"); len(got) != 2 {
		t.Errorf("the laptop has %v", got)
	}
}

func TestBigFileCrossesAndAnEditCrossesAlmostAlone(t *testing.T) {
	w := two(t)
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<19) // 8 MiB
	for i := range big {
		big[i] ^= byte(i >> 12 * 7)
	}
	w.Write("laptop", "docs/big.bin", string(big))
	shared(w, "laptop", "pi1")
	served := w.Served("laptop")
	w.Write("laptop", "docs/big.bin", "!"+string(big))
	w.Settle()
	if n := w.Served("laptop") - served; n > int64(len(big))/2 {
		t.Errorf("%d bytes crossed for one byte at the front of %d", n, len(big))
	}
}

func TestOfflineDeviceCatchesUpFromAnotherMember(t *testing.T) {
	w := shared(three(t), "laptop", "pi1", "pi2")
	w.Stop("pi2")
	w.Write("laptop", "docs/a.txt", "written while pi2 was off")
	w.Settle()
	w.Stop("laptop")
	w.Start("pi2")
	w.Settle()
	w.Has("docs/a.txt", "written while pi2 was off", "pi1", "pi2")
	w.Start("laptop")
	w.Settle()
	w.Same("docs")
}

func TestTombstoneWinsOverAnOutdatedDevice(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a.txt", "a")
	w.Write("laptop", "docs/b.txt", "b")
	shared(w, "laptop", "pi1", "pi2")
	w.Stop("pi2")
	w.Delete("laptop", "docs/a.txt")
	w.Settle()
	w.Stop("laptop")
	w.Start("pi2")
	w.Settle()
	w.HasNot("docs/a.txt", "pi1", "pi2")
	w.Has("docs/b.txt", "b", "pi1", "pi2")
}

func TestALaterSessionTakesThePlaceOfTheEarlier(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	w.Again("laptop", "pi1")
	w.Write("laptop", "docs/a.txt", "through the second")
	w.Write("pi1", "docs/b.txt", "and back")
	w.Settle()
	w.Has("docs/a.txt", "through the second", "pi1")
	w.Has("docs/b.txt", "and back", "laptop")
	w.Again("laptop", "pi1")
	w.Again("laptop", "pi1")
	w.Write("laptop", "docs/a.txt", "through the fourth")
	w.Settle()
	w.Has("docs/a.txt", "through the fourth", "pi1")
}

func TestSilenceAtRest(t *testing.T) {
	w := three(t)
	w.Fill("laptop", "docs", 30)
	shared(w, "laptop", "pi1", "pi2")
	w.Write("pi1", "docs/a.txt", "a")
	w.Settle()
	w.Rest()
	said, written := w.Messages(), w.DiskWrites("docs")
	for range 50 {
		time.Sleep(20 * time.Millisecond)
	}
	if n := w.Messages() - said; n != 0 {
		t.Errorf("%d messages although nothing happens", n)
	}
	if now := w.DiskWrites("docs"); now != written {
		t.Errorf("disks were written to although nothing happens:\n%s\nnow\n%s", written, now)
	}
	if broken := w.Broken(); len(broken) != 0 {
		t.Errorf("sessions broke: %v", broken)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func asError(err error, e **control.Error) bool { return errors.As(err, e) }
