package engine_test

import (
	"strings"
	"testing"
	"time"

	"pinion/engine/enginetest"
)

// inConflict is a world of three in which a.txt was edited on the laptop and, an
// hour later, on pi1, while all were apart.
func inConflict(t *testing.T) *enginetest.World {
	t.Helper()
	w := three(t)
	w.WriteAt("laptop", "docs/a.txt", "base", 5*time.Hour)
	shared(w, "laptop", "pi1", "pi2")
	w.Alone("laptop")
	w.Alone("pi1")
	w.WriteAt("laptop", "docs/a.txt", "the laptop's", 3*time.Hour)
	w.WriteAt("pi1", "docs/a.txt", "the Pi's", 2*time.Hour)
	w.Rest()
	w.Together("laptop")
	w.Together("pi1")
	w.Settle()
	return w
}

func TestConflictCopiesAreAlikeEverywhere(t *testing.T) {
	w := inConflict(t)
	w.Has("docs/a.txt", "the Pi's", "laptop", "pi1", "pi2")
	wantTexts(t, w, "docs", "the Pi's", "the laptop's")
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		list := w.Conflicts(dev)
		if len(list) != 1 {
			t.Fatalf("%s lists %+v", dev, list)
		}
		c := list[0]
		if c.Path != "a.txt" || !strings.HasPrefix(c.Copy, "a (conflict laptop ") || c.This == nil || c.This.Device != "pi1" || c.That.Device != "laptop" || c.Base.IsZero() {
			t.Errorf("%s lists %+v", dev, c)
		}
		if w.State(dev, "docs").Conflicts != 1 {
			t.Errorf("%s counts %d conflicts", dev, w.State(dev, "docs").Conflicts)
		}
	}
}

func TestConflictIsSettledFromTheThirdDevice(t *testing.T) {
	for keep, want := range map[string][]string{
		"this": {"the Pi's"},
		"that": {"the laptop's"},
		"both": {"the Pi's", "the laptop's"},
	} {
		t.Run(keep, func(t *testing.T) {
			w := inConflict(t)
			w.Resolve("pi2", "a.txt", keep)
			w.Settle()
			wantTexts(t, w, "docs", want...)
			w.Has("docs/a.txt", want[0], "laptop", "pi1", "pi2")
			for _, dev := range []string{"laptop", "pi1", "pi2"} {
				if n := len(w.Conflicts(dev)); n != 0 {
					t.Errorf("%s still lists %d conflicts", dev, n)
				}
			}
			if kept := w.Archive("pi2", ""); keep != "both" && len(kept) == 0 {
				t.Error("what was not kept is in no archive on the device that settled it")
			}
		})
	}
}

func TestACopyThatIsEditedStaysACopyAndDoesNotNest(t *testing.T) {
	w := inConflict(t)
	name := w.Conflicts("laptop")[0].Copy
	w.Alone("laptop")
	w.WriteAt("laptop", "docs/"+name, "the laptop's, edited there", time.Hour)
	w.WriteAt("pi1", "docs/"+name, "the laptop's, edited on pi1", time.Minute)
	w.Rest()
	w.Together("laptop")
	w.Settle()
	wantTexts(t, w, "docs", "the Pi's", "the laptop's, edited there", "the laptop's, edited on pi1")
	for _, p := range w.Names("pi2", "docs") {
		if strings.Count(p, "(conflict") > 1 {
			t.Errorf("a copy of a copy: %s", p)
		}
	}
	for _, c := range w.Conflicts("pi2") {
		if c.This == nil || c.This.Device != "pi1" {
			t.Errorf("a conflict of something else than a.txt: %+v", c)
		}
	}
}

func TestDeletingACopyTouchesOnlyTheCopy(t *testing.T) {
	w := inConflict(t)
	w.Delete("pi1", "docs/"+w.Conflicts("pi1")[0].Copy)
	w.Settle()
	wantTexts(t, w, "docs", "the Pi's")
	if n := len(w.Conflicts("pi2")); n != 0 {
		t.Errorf("%d conflicts are left", n)
	}
}

func TestSameEditOnBothSidesIsNoConflict(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "base")
	shared(w, "laptop", "pi1")
	w.Cut("laptop", "pi1")
	w.Write("laptop", "docs/a.txt", "the same thought")
	w.Write("pi1", "docs/a.txt", "the same thought")
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	wantTexts(t, w, "docs", "the same thought")
}

func TestEditBeatsDeletion(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "base")
	w.Write("laptop", "docs/b.txt", "base")
	shared(w, "laptop", "pi1")
	w.Cut("laptop", "pi1")
	w.Delete("laptop", "docs/a.txt")
	w.Write("pi1", "docs/a.txt", "edited")
	w.Write("laptop", "docs/b.txt", "edited")
	w.Delete("pi1", "docs/b.txt")
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	w.Has("docs/a.txt", "edited", "laptop", "pi1")
	w.Has("docs/b.txt", "edited", "laptop", "pi1")
	wantTexts(t, w, "docs", "edited", "edited")
}

func TestDeletedDirectoryStaysForANewChildElsewhere(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/other.txt", "other")
	w.Write("laptop", "docs/dir/old.txt", "old")
	w.Write("laptop", "docs/dir/sub/older.txt", "older")
	shared(w, "laptop", "pi1")
	w.Cut("laptop", "pi1")
	w.Delete("laptop", "docs/dir")
	w.Write("pi1", "docs/dir/new.txt", "new")
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	w.Has("docs/dir/new.txt", "new", "laptop", "pi1")
	w.HasNot("docs/dir/old.txt", "laptop", "pi1")
	w.HasNot("docs/dir/sub", "laptop", "pi1")
}

func TestDirectoryKeepsTheNameAgainstAFile(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	w.Cut("laptop", "pi1")
	w.Write("laptop", "docs/thing", "a file")
	w.Write("pi1", "docs/thing/inner", "in a directory")
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	w.Has("docs/thing/inner", "in a directory", "laptop", "pi1")
	wantTexts(t, w, "docs", "a file", "in a directory")
}

func TestRenameAgainstRenameGivesBothNames(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "text")
	shared(w, "laptop", "pi1")
	w.Cut("laptop", "pi1")
	w.Move("laptop", "docs/a.txt", "docs/b.txt")
	w.Move("pi1", "docs/a.txt", "docs/c.txt")
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	w.HasNot("docs/a.txt", "laptop", "pi1")
	w.Has("docs/b.txt", "text", "laptop", "pi1")
	w.Has("docs/c.txt", "text", "laptop", "pi1")
}

func TestAnEditFollowsARename(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "text")
	shared(w, "laptop", "pi1")
	w.Cut("laptop", "pi1")
	w.Move("laptop", "docs/a.txt", "docs/b.txt")
	w.Write("pi1", "docs/a.txt", "text, edited")
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	wantTexts(t, w, "docs", "text, edited")
	w.Has("docs/b.txt", "text, edited", "laptop", "pi1")
}

func TestRestoreFromTheArchiveIsAChangeForAll(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/other.txt", "other")
	w.Write("laptop", "docs/dir/a.txt", "a")
	w.Write("laptop", "docs/dir/b.txt", "b")
	shared(w, "laptop", "pi1")
	w.Delete("laptop", "docs/dir")
	w.Settle()
	w.RestoreFrom("pi1", "docs/dir")
	w.Settle()
	w.Has("docs/dir/a.txt", "a", "laptop", "pi1")
	w.Has("docs/dir/b.txt", "b", "laptop", "pi1")
}
