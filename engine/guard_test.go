package engine_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pinion/engine"
	"pinion/engine/enginetest"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// sixty is a world of three with sixty files in docs.
func sixty(t *testing.T) *enginetest.World {
	t.Helper()
	w := three(t)
	w.Fill("laptop", "docs", 60)
	return shared(w, "laptop", "pi1", "pi2")
}

func thirty() (paths []string) {
	for i := range 30 {
		paths = append(paths, "docs/0"+string(rune('0'+i/10))+string(rune('0'+i%10)))
	}
	return paths
}

func TestMassDeletionIsHeldUntilConfirmedAndThenAsksNobodyElse(t *testing.T) {
	w := sixty(t)
	w.Delete("laptop", thirty()...)
	w.AwaitState("laptop", "docs", status.Held)
	w.Write("laptop", "docs/new.txt", "what else happens goes on")
	w.AwaitFile("pi1", "docs/new.txt", "what else happens goes on")
	// The first few that are noticed of a sweep may be taken for themselves: more on a
	// machine that has much else to do.
	if n := len(w.Names("pi1", "docs")); n < 61-24 {
		t.Errorf("pi1 has %d files instead of 61 while the deletion is held", n)
	}
	if why := w.State("laptop", "docs").Reason; !strings.Contains(why, "files are missing") {
		t.Errorf("the reason does not say so: %q", why)
	}
	w.Confirm("laptop", "docs")
	w.Settle()
	if n := len(w.Names("pi2", "docs")); n != 31 {
		t.Errorf("pi2 has %d files instead of 31 after the yes", n)
	}
}

func TestHeldDeletionIsConfirmedFromAnotherDevice(t *testing.T) {
	w := sixty(t)
	w.Delete("laptop", thirty()...)
	w.AwaitState("laptop", "docs", status.Held)
	w.Confirm("pi2", "docs")
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 30 {
		t.Errorf("pi1 has %d files instead of 30 after the yes", n)
	}
}

func TestHeldDeletionEndsWhenTheFilesAreBack(t *testing.T) {
	w := three(t)
	w.Fill("laptop", "docs/some", 30)
	w.Fill("laptop", "docs/others", 30)
	shared(w, "laptop", "pi1", "pi2")
	w.Move("laptop", "docs/some", "aside")
	w.AwaitState("laptop", "docs", status.Held)
	w.Move("laptop", "aside", "docs/some")
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 62 {
		t.Errorf("pi1 has %d paths instead of 62", n)
	}
	if kept := w.Archive("pi1", ""); len(kept) != 0 {
		t.Errorf("%d files were deleted on pi1", len(kept))
	}
}

func TestMassDeletionIsHeldOverARestart(t *testing.T) {
	w := sixty(t)
	w.Stop("laptop")
	w.Delete("laptop", thirty()...)
	w.Start("laptop")
	w.AwaitState("laptop", "docs", status.Held)
	w.Stop("laptop")
	w.Start("laptop")
	w.AwaitState("laptop", "docs", status.Held)
	if n := len(w.Names("pi1", "docs")); n != 60 {
		t.Errorf("pi1 has %d files instead of 60", n)
	}
	w.Confirm("laptop", "docs")
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 30 {
		t.Errorf("pi1 has %d files instead of 30", n)
	}
}

// A deletion that nobody held at its origin, because it happened little by little,
// is held by who would carry it out at once.
func TestMassDeletionIsHeldOnTheCarryingSide(t *testing.T) {
	w := sixty(t)
	w.Stop("pi1", "pi2")
	w.Delete("laptop", thirty()[:15]...)
	w.Rest()
	w.Stop("laptop")
	w.Start("laptop")
	w.Delete("laptop", thirty()[15:]...)
	w.Rest()
	w.Start("pi1", "pi2")
	w.AwaitState("pi1", "docs", status.Held)
	w.AwaitState("pi2", "docs", status.Held)
	w.Write("laptop", "docs/new.txt", "what else happens goes on")
	w.AwaitFile("pi1", "docs/new.txt", "what else happens goes on")
	if n := len(w.Names("pi1", "docs")); n != 61 {
		t.Errorf("pi1 has %d files instead of 61 while it holds the deletion", n)
	}
	w.Confirm("pi1", "docs")
	w.Settle()
	if n := len(w.Names("pi2", "docs")); n != 31 {
		t.Errorf("pi2 has %d files instead of 31", n)
	}
}

func TestMovingMuchIsNoDeletion(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs/a", 60)
	shared(w, "laptop", "pi1")
	w.Move("laptop", "docs/a", "docs/b")
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 61 {
		t.Errorf("pi1 has %d paths instead of 61", n)
	}
}

func TestEmptiedRootIsHeld(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs", 5)
	shared(w, "laptop", "pi1")
	w.Stop("laptop") // so that they are found to be gone all at once
	for _, p := range w.Names("laptop", "docs") {
		w.Delete("laptop", "docs/"+p)
	}
	w.Start("laptop")
	w.AwaitState("laptop", "docs", status.Held)
	if n := len(w.Names("pi1", "docs")); n != 5 {
		t.Errorf("pi1 has %d files instead of 5", n)
	}
	w.Confirm("laptop", "docs")
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 0 {
		t.Errorf("pi1 has %d files instead of none", n)
	}
}

func TestEmptiedRootThatFillsAgainGoesOn(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs/all", 5)
	shared(w, "laptop", "pi1")
	w.Move("laptop", "docs/all", ".all")
	w.AwaitState("laptop", "docs", status.Held)
	w.Move("laptop", ".all", "docs/all")
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 6 {
		t.Errorf("pi1 has %d paths instead of 6", n)
	}
	if kept := w.Archive("pi1", ""); len(kept) != 0 {
		t.Errorf("%d files were deleted on pi1", len(kept))
	}
}

func TestVanishedDiskDeletesNothingAndComesBackByItself(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs", 5)
	shared(w, "laptop", "pi1")
	w.Move("pi1", "docs", "unplugged")
	w.Mkdir("pi1", "docs") // the bare mount point
	w.AwaitState("pi1", "docs", status.Missing)
	w.Write("laptop", "docs/new.txt", "meanwhile")
	w.Await("the laptop to have taken it in", func() bool { return w.State("laptop", "docs").Files == 6 })
	if got := w.Names("pi1", "docs"); len(got) != 0 {
		t.Errorf("the bare mount point was written to: %v", got)
	}
	if n := len(w.Names("laptop", "docs")); n != 6 {
		t.Errorf("the laptop has %d files instead of 6", n)
	}
	w.Delete("pi1", "docs")
	w.Move("pi1", "unplugged", "docs")
	w.Settle()
	w.Has("docs/new.txt", "meanwhile", "pi1")
}

func TestMissingMarkerStopsTheFolder(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs", 5)
	shared(w, "laptop", "pi1")
	marker := tree.Private + "/folder.toml"
	w.Move("laptop", "docs/"+marker, "marker")
	w.Delete("laptop", "docs/000")
	w.AwaitState("laptop", "docs", status.Missing)
	if n := len(w.Names("pi1", "docs")); n != 5 {
		t.Errorf("pi1 has %d files instead of 5", n)
	}
	w.Move("laptop", "marker", "docs/"+marker)
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 4 {
		t.Errorf("pi1 has %d files instead of 4", n)
	}
}

func TestUnreadableDirectoryIsNotADeletedOne(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can read everything")
	}
	w := two(t)
	w.Fill("laptop", "docs/closed", 5)
	shared(w, "laptop", "pi1")
	w.Chmod("laptop", "docs/closed", 0)
	w.Await("the laptop to say so", func() bool { return len(w.State("laptop", "docs").Problems) > 0 })
	w.Chmod("laptop", "docs/closed", 0o755) // pi1 has it closed, too, by now
	w.Settle()
	if n := len(w.Names("pi1", "docs")); n != 6 || len(w.Archive("pi1", "")) > 0 {
		t.Errorf("pi1 has %d paths instead of 6, and %d in its archive", n, len(w.Archive("pi1", "")))
	}
}

func TestNewIgnoreRuleDeletesNothingAnywhere(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a.log", "log")
	w.Write("laptop", "docs/build/out.bin", "binary")
	w.Write("laptop", "docs/keep.txt", "text")
	shared(w, "laptop", "pi1", "pi2")
	w.Write("laptop", "docs/.pinionignore", "*.log\nbuild/\n")
	w.Settle()
	w.Rest()
	w.Has("docs/a.log", "log", "laptop", "pi1", "pi2")
	w.Has("docs/build/out.bin", "binary", "laptop", "pi1", "pi2")

	w.Write("laptop", "docs/a.log", "log on the laptop")
	w.Write("pi1", "docs/b.log", "another on pi1")
	w.Delete("pi2", "docs/build")
	w.Rest()
	w.Has("docs/a.log", "log", "pi1", "pi2")
	w.Has("docs/build/out.bin", "binary", "laptop", "pi1")
	w.HasNot("docs/b.log", "laptop")

	w.Delete("laptop", "docs/.pinionignore")
	w.Settle()
	w.Has("docs/b.log", "another on pi1", "laptop", "pi2")
	w.Has("docs/build/out.bin", "binary", "laptop", "pi1", "pi2")
	w.Has("docs/a.log", "log on the laptop", "laptop", "pi1", "pi2")
}

func TestStoreWithoutItsMarkIsRefused(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "store")
	if err := engine.OpenStore(dir, false); err != nil {
		t.Fatal(err)
	}
	if err := engine.OpenStore(dir, true); err != nil {
		t.Errorf("a store that is there is refused: %v", err)
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	if err := engine.OpenStore(dir, true); err == nil || !strings.Contains(err.Error(), "mount") {
		t.Errorf("a store that was there once and is not mounted: %v", err)
	}
	if _, err := os.Stat(dir); err == nil {
		t.Error("the store was made anew on the bare mount point")
	}
}

func TestStoreTakesOffersByItself(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi1")
	w.Stop("pi1")
	store := w.Path("pi1", "store")
	if err := engine.OpenStore(store, false); err != nil {
		t.Fatal(err)
	}
	w.SetStore("pi1", store)
	w.Start("pi1")
	w.Write("laptop", "docs/a.txt", "a")
	w.Add("laptop", "docs", "")
	w.AwaitFile("pi1", "store/docs/a.txt", "a")

	w.Stop("pi1")
	w.Move("pi1", "store", "unplugged")
	w.Mkdir("pi1", "store")
	w.Start("pi1")
	w.Write("laptop", "more/b.txt", "b")
	w.Add("laptop", "more", "")
	w.AwaitState("pi1", "docs", status.Missing)
	w.Await("pi1 to say why it does not take the folder", func() bool {
		return strings.Contains(strings.Join(w.Status("pi1").Notes, "\n"), "more")
	})
	if list, _ := os.ReadDir(w.Path("pi1", "store")); len(list) != 0 {
		t.Errorf("something was written to the bare mount point: %v", list)
	}
}
