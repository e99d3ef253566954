package engine_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/enginetest"
)

// ten is a text of ten lines, of which some are given.
func ten(change map[int]string) string {
	var all strings.Builder
	for i := 1; i <= 10; i++ {
		line, ok := change[i]
		if !ok {
			line = fmt.Sprintf("line %d", i)
		}
		all.WriteString(line + "\n")
	}
	return all.String()
}

// apart lets the laptop and pi1 each save a row of texts of docs/a.txt while
// neither hears of pi1's, and brings them together again. pi2 hears of all that the
// laptop saves if told.
func apart(t *testing.T, told bool, laptop, pi1 []string) *enginetest.World {
	t.Helper()
	w := three(t)
	w.WriteAt("laptop", "docs/a.txt", ten(nil), 5*time.Hour)
	shared(w, "laptop", "pi1", "pi2")
	w.Alone("pi1")
	if !told {
		w.Alone("laptop")
	}
	for i, text := range laptop {
		w.WriteAt("laptop", "docs/a.txt", text, 3*time.Hour-time.Duration(i)*time.Minute)
		w.Rest()
		if told {
			w.AwaitFile("pi2", "docs/a.txt", text)
		}
	}
	for i, text := range pi1 {
		w.WriteAt("pi1", "docs/a.txt", text, 2*time.Hour-time.Duration(i)*time.Minute)
		w.Rest()
	}
	w.Together("laptop")
	w.Together("pi1")
	w.Settle()
	return w
}

func resolve(w *enginetest.World, dev, path, keep string) error {
	return w.Engine(dev).Resolve(context.Background(), control.Resolve{Path: path, Keep: keep})
}

func TestMergeBringsBothSidesTogether(t *testing.T) {
	w := apart(t, false, []string{ten(map[int]string{2: "the laptop's"})}, []string{ten(map[int]string{9: "the Pi's"})})
	c := w.Conflicts("laptop")[0]
	if c.Kind != control.EditEdit || c.Base.IsZero() || c.BaseHere || c.Differ == nil || *c.Differ != (control.Differ{This: 2, That: 2}) {
		t.Errorf("%+v, lines %+v", c, c.Differ)
	}
	if pi2 := w.Conflicts("pi2")[0]; !pi2.BaseHere {
		t.Errorf("pi2 has had nothing but the base: %+v", pi2)
	}
	w.Resolve("laptop", "a.txt", control.KeepMerge)
	w.Settle()
	wantTexts(t, w, "docs", ten(map[int]string{2: "the laptop's", 9: "the Pi's"}))
	w.Has("docs/a.txt", ten(map[int]string{2: "the laptop's", 9: "the Pi's"}), "laptop", "pi1", "pi2")
	if n := len(w.Conflicts("pi2")); n > 0 {
		t.Errorf("%d conflicts are left", n)
	}
	if kept := w.Archive("laptop", ""); len(kept) < 2 {
		t.Errorf("the two sides are not both in the laptop's archive: %+v", kept)
	}
}

// The base is not what one side last saved, but what both began with.
func TestMergeAfterSeveralSavesLosesNone(t *testing.T) {
	for _, told := range []bool{false, true} {
		t.Run(fmt.Sprintf("told %v", told), func(t *testing.T) {
			w := apart(t, told,
				[]string{ten(map[int]string{2: "laptop 1"}), ten(map[int]string{2: "laptop 1", 4: "laptop 2"})},
				[]string{ten(map[int]string{9: "pi 1"}), ten(map[int]string{7: "pi 2", 9: "pi 1"})})
			w.Resolve("pi1", "a.txt", control.KeepMerge)
			w.Settle()
			wantTexts(t, w, "docs", ten(map[int]string{2: "laptop 1", 4: "laptop 2", 7: "pi 2", 9: "pi 1"}))
		})
	}
}

func TestMergeThatCollidesChangesNothing(t *testing.T) {
	laptop, pi1 := ten(map[int]string{2: "laptop", 5: "l"}), ten(map[int]string{2: "pi", 9: "p"})
	w := apart(t, false, []string{laptop}, []string{pi1})
	err := resolve(w, "laptop", "a.txt", control.KeepMerge)
	if err == nil || !strings.Contains(err.Error(), "line 2 here and line 2 there collide; nothing was changed") {
		t.Errorf("said %v", err)
	}
	w.Settle()
	wantTexts(t, w, "docs", laptop, pi1)
	if n := len(w.Conflicts("pi2")); n != 1 {
		t.Errorf("%d conflicts", n)
	}
}

func TestMergeOfWhatIsNoTextIsRefused(t *testing.T) {
	w := apart(t, false, []string{"\x00\x01"}, []string{"\x00\x02"})
	if err := resolve(w, "laptop", "a.txt", control.KeepMerge); err == nil || !strings.Contains(err.Error(), "is not text") {
		t.Errorf("said %v", err)
	}
	wantTexts(t, w, "docs", "\x00\x01", "\x00\x02")
}

func TestMergeWithoutTheBaseIsRefused(t *testing.T) {
	w := two(t)
	w.WriteAt("laptop", "docs/a.txt", ten(nil), 5*time.Hour)
	shared(w, "laptop", "pi1")
	w.Cut("laptop", "pi1")
	w.WriteAt("laptop", "docs/a.txt", ten(map[int]string{2: "laptop"}), 3*time.Hour)
	w.WriteAt("pi1", "docs/a.txt", ten(map[int]string{9: "pi"}), 2*time.Hour)
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	err := resolve(w, "laptop", "a.txt", control.KeepMerge)
	if err == nil || !strings.Contains(err.Error(), "no device that can be reached now") {
		t.Errorf("said %v", err)
	}
	if n := len(w.Conflicts("pi1")); n != 1 {
		t.Errorf("%d conflicts", n)
	}
}

func TestFolderMergesByItself(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop", "pi1", "pi2")
	w.WriteAt("laptop", "docs/a.txt", ten(nil), 5*time.Hour)
	w.WriteAt("laptop", "docs/b.txt", ten(nil), 5*time.Hour)
	shared(w, "laptop", "pi1", "pi2")
	auto := "auto"
	for _, dev := range []string{"laptop", "pi1"} {
		if err := w.Engine(dev).SetFolder(context.Background(), "docs", control.FolderSettings{Merge: &auto}); err != nil {
			t.Fatal(err)
		}
	}
	w.Settle()
	w.Alone("laptop")
	w.Alone("pi1")
	clean := ten(map[int]string{2: "laptop", 9: "pi"})
	w.WriteAt("laptop", "docs/a.txt", ten(map[int]string{2: "laptop"}), 3*time.Hour)
	w.WriteAt("pi1", "docs/a.txt", ten(map[int]string{9: "pi"}), 2*time.Hour)
	w.WriteAt("laptop", "docs/b.txt", ten(map[int]string{5: "laptop"}), 3*time.Hour)
	w.WriteAt("pi1", "docs/b.txt", ten(map[int]string{5: "pi"}), 2*time.Hour)
	w.Rest()
	w.Together("laptop")
	w.Together("pi1")
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		w.AwaitFile(dev, "docs/a.txt", clean)
	}
	w.Settle()
	// What collides is left to a person.
	wantTexts(t, w, "docs", clean, ten(map[int]string{5: "laptop"}), ten(map[int]string{5: "pi"}))
	merged := 0
	for _, dev := range []string{"laptop", "pi1", "pi2"} {
		if n := len(w.Conflicts(dev)); n != 1 {
			t.Errorf("%s lists %d conflicts", dev, n)
		}
		page, err := w.Engine(dev).Activity(context.Background(), control.ActivityRequest{})
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range page.Items {
			if a.Action == "merged" {
				merged++
			}
		}
	}
	if merged == 0 {
		t.Error("nobody's activity says that something was merged")
	}
}

// Two people settle the same conflict at once, each on a device that the other
// can't reach: one clean outcome, nothing lost, no copy of a copy.
func TestSettledTwiceAtOnce(t *testing.T) {
	// Of each pair of choices: who holds the name in the end, and who stands beside.
	outcomes := []struct{ one, two, name, beside string }{
		{"this", "this", "pi", ""}, {"that", "that", "laptop", ""}, {"both", "both", "pi", "laptop"}, {"merge", "merge", "both", ""},
		{"this", "that", "laptop", ""}, {"this", "both", "pi", "laptop"}, {"this", "merge", "both", ""},
		{"that", "both", "laptop", "laptop"}, {"that", "merge", "both", ""}, {"both", "merge", "both", "laptop"},
	}
	for _, x := range outcomes[4:] {
		x.one, x.two = x.two, x.one
		outcomes = append(outcomes, x)
	}
	file := func(i int) string { return outcomes[i].one + "-" + outcomes[i].two + ".txt" }
	text := func(i int, who string) string {
		changed := map[string]map[int]string{"pi": {9: "pi"}, "laptop": {2: "laptop"}, "both": {2: "laptop", 9: "pi"}}[who]
		return file(i) + "\n" + ten(changed)
	}
	w := three(t)
	for i := range outcomes {
		w.WriteAt("laptop", "docs/"+file(i), text(i, ""), 5*time.Hour)
		w.Write("laptop", "docs/bases/"+file(i), text(i, "")) // so that each has the bases
	}
	shared(w, "laptop", "pi1", "pi2")
	w.Alone("laptop")
	w.Alone("pi1")
	for i := range outcomes {
		w.WriteAt("laptop", "docs/"+file(i), text(i, "laptop"), 3*time.Hour)
		w.WriteAt("pi1", "docs/"+file(i), text(i, "pi"), 2*time.Hour)
	}
	w.Rest()
	w.Together("laptop")
	w.Together("pi1")
	w.Settle()
	w.Alone("laptop")
	for i, x := range outcomes {
		w.Resolve("laptop", "docs/"+file(i), x.one)
		w.Resolve("pi1", "docs/"+file(i), x.two)
	}
	w.Rest()
	w.Together("laptop")
	w.Settle()
	for _, c := range w.Conflicts("pi2") {
		if c.Kind != control.EditDelete {
			t.Errorf("left: %+v", c)
		}
	}
	for i, x := range outcomes {
		var names []string
		for name, have := range w.Texts("pi2", "docs") {
			if strings.HasPrefix(have, file(i)) && !strings.HasPrefix(name, "bases/") {
				names = append(names, name)
				want := x.name
				if name != file(i) {
					want = x.beside
				}
				if want == "" || have != text(i, want) || strings.Count(name, "(conflict") > 1 {
					t.Errorf("%s and %s: %s holds %q", x.one, x.two, name, have)
				}
			}
		}
		if want := 1 + min(1, len(x.beside)); len(names) != want {
			t.Errorf("%s and %s: %q", x.one, x.two, names)
		}
		w.Kept("docs", text(i, "pi"))
		w.Kept("docs", text(i, "laptop"))
	}
}

// beaten is a world of three in which pi1 has edited what the laptop deleted.
func beaten(t *testing.T, files ...string) *enginetest.World {
	t.Helper()
	w := three(t)
	w.Write("laptop", "docs/other.txt", "so that the folder is never empty")
	for _, f := range files {
		w.WriteAt("laptop", "docs/"+f, "base", 5*time.Hour)
	}
	shared(w, "laptop", "pi1", "pi2")
	w.Cut("laptop", "pi1")
	w.Cut("pi1", "pi2")
	for _, f := range files {
		w.Delete("laptop", "docs/"+f)
		w.WriteAt("pi1", "docs/"+f, f+", edited", time.Hour)
	}
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Restore("pi1", "pi2")
	w.Settle()
	for _, f := range files {
		w.Has("docs/"+f, f+", edited", "laptop", "pi1", "pi2")
	}
	return w
}

func TestEditThatBeatADeletionIsListedUntilItIsSettled(t *testing.T) {
	w := beaten(t, "deletion", "edit", "edited", "deleted", "left")
	for _, dev := range []string{"laptop", "pi1"} {
		list := w.Conflicts(dev)
		if len(list) != 5 {
			t.Fatalf("%s lists %+v", dev, list)
		}
		for _, c := range list {
			if c.Kind != control.EditDelete || c.This == nil || c.This.Device != "pi1" || c.That.Device != "laptop" || time.Since(c.That.MTime) > time.Hour {
				t.Errorf("%s lists %+v", dev, c)
			}
		}
	}
	if err := resolve(w, "pi1", "deletion", control.KeepThat); err == nil || !strings.Contains(err.Error(), "--keep deletion") {
		t.Errorf("said %v", err)
	}
	w.Resolve("pi1", "deletion", control.KeepDeletion)
	w.Resolve("laptop", "edit", control.KeepEdit)
	w.Write("pi1", "docs/edited", "edited again")
	w.Delete("pi1", "docs/deleted")
	w.Settle()
	w.Stop("laptop")
	w.Start("laptop")
	w.Settle()
	w.HasNot("docs/deletion", "laptop", "pi1", "pi2")
	w.Kept("docs", "deletion, edited")
	w.Has("docs/edit", "edit, edited", "laptop", "pi1", "pi2")
	for _, dev := range []string{"laptop", "pi1"} {
		if list := w.Conflicts(dev); len(list) != 1 || list[0].Path != "left" {
			t.Errorf("%s lists %+v", dev, list)
		}
	}
}

// Conflict copies of one file and minute have names of their own: settling one
// does nothing to the other.
func TestTwoCopiesOfOneMinute(t *testing.T) {
	w := two(t)
	w.WriteAt("laptop", "docs/a.txt", "base", 5*time.Hour)
	shared(w, "laptop", "pi1")
	clash := func(n int) {
		w.Cut("laptop", "pi1")
		w.WriteAt("laptop", "docs/a.txt", fmt.Sprint("the laptop's ", n), 3*time.Hour)
		w.WriteAt("pi1", "docs/a.txt", fmt.Sprint("the Pi's ", n), 2*time.Hour)
		w.Rest()
	}
	clash(1)
	w.Restore("laptop", "pi1")
	w.Settle()
	first := w.Conflicts("pi1")[0].Copy
	clash(2)
	w.Resolve("pi1", first, control.KeepThis) // the laptop does not hear of it yet
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()
	wantTexts(t, w, "docs", "the Pi's 2", "the laptop's 2")
	if list := w.Conflicts("laptop"); len(list) != 1 || list[0].Copy == first {
		t.Errorf("%+v", list)
	}
}

// An editor that still holds the file open that was replaced goes on writing: its
// words stand beside the new version on every device within moments, as one
// conflict however often it writes, and stay in one that is settled while it does.
func TestLateWordsOfAnEditorBecomeOneConflict(t *testing.T) {
	w := two(t)
	w.WriteAt("laptop", "docs/a.txt", "base\n", 5*time.Hour)
	shared(w, "laptop", "pi1")
	w.Write("pi1", "docs/a.txt", "the Pi's\n")
	w.AwaitFile("laptop", "docs/a.txt", "the Pi's\n")
	w.Settle()
	// A writer keeps its file where nobody sees it open until it is replaced; what
	// it holds then is the file in the archive.
	hold := func() *os.File {
		f, err := os.OpenFile(w.Path("laptop", "docs/"+archived(t, w, "laptop")), os.O_WRONLY|os.O_APPEND, 0)
		must(t, err)
		t.Cleanup(func() { f.Close() })
		return f
	}
	f := hold()
	words := "base\n"
	late := func(text string) {
		words += text
		_, err := f.WriteString(text)
		must(t, err)
	}
	stands := func(dev string) (found string) {
		for _, name := range w.Names(dev, "docs") {
			if strings.Contains(name, "(conflict") {
				if b, _ := os.ReadFile(w.Path(dev, "docs/"+name)); string(b) == words {
					found = name
				}
			}
		}
		return found
	}
	for _, text := range []string{"late words\n", "more of them\n", "and more\n"} {
		late(text)
		w.Await("pi1 to have the late words", func() bool { return stands("pi1") != "" })
	}
	w.Settle()
	for _, dev := range []string{"laptop", "pi1"} {
		list := w.Conflicts(dev)
		if len(list) != 1 || list[0].Path != "a.txt" || list[0].That.Device != "laptop" || list[0].Base.IsZero() {
			t.Errorf("%s lists %+v", dev, list)
		}
	}
	wantTexts(t, w, "docs", "the Pi's\n", words)
	must(t, f.Close())
	w.Resolve("laptop", "a.txt", control.KeepThis)
	w.Settle()
	wantTexts(t, w, "docs", "the Pi's\n")
	f = hold()
	late("the last ones\n")
	w.Await("pi1 to have the last words", func() bool { return stands("pi1") != "" })
	w.Settle()
	wantTexts(t, w, "docs", "the Pi's\n", words)
	if list := w.Conflicts("pi1"); len(list) != 1 || list[0].Path != "a.txt" || strings.Count(list[0].Copy, "(conflict") != 1 {
		t.Errorf("%+v", list)
	}
}

// archived is where the only file is that a device has archived in docs.
func archived(t *testing.T, w *enginetest.World, dev string) string {
	t.Helper()
	all, err := os.ReadDir(w.Path(dev, "docs/.pinion/archive"))
	must(t, err)
	if len(all) != 1 {
		t.Fatalf("%s has archived %v", dev, all)
	}
	return ".pinion/archive/" + all[0].Name()
}
