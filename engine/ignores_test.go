package engine_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"pinion/engine/control"
	"pinion/engine/enginetest"
	"pinion/engine/status"
	"pinion/engine/tree"
)

func ignoresOf(t *testing.T, w *enginetest.World, dev string) control.Ignores {
	t.Helper()
	i, err := w.Engine(dev).Ignores(context.Background(), "docs")
	must(t, err)
	return i
}

func try(t *testing.T, w *enginetest.World, dev string, r control.TryIgnores) control.Tried {
	t.Helper()
	r.Folder = "docs"
	got, err := w.Engine(dev).TryIgnores(context.Background(), r)
	must(t, err)
	return got
}

// names are the paths with what they weigh.
func names(list []control.TriedPath) string {
	var out []string
	for _, p := range list {
		s := string(p.Path)
		if p.Dir {
			s += "/"
		}
		out = append(out, s)
	}
	return strings.Join(out, " ")
}

func TestRulesAreWrittenAsAnOrdinaryChange(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	w.Write("laptop", "docs/build/out.o", "object")
	shared(w, "laptop", "pi1")
	none := ignoresOf(t, w, "laptop")
	if none.Text != "" || !none.Seen.IsZero() {
		t.Fatalf("without a file the rules are %+v", none)
	}
	set := func(dev, text string, seen tree.ContentID) (control.Ignores, error) {
		return w.Engine(dev).SetIgnores(context.Background(), control.SetIgnores{Folder: "docs", Text: text, Seen: seen})
	}
	one, err := set("laptop", "build/\n", none.Seen)
	must(t, err)
	if one.Text != "build/\n" || one.Seen.IsZero() {
		t.Errorf("what was written comes back as %+v", one)
	}
	w.AwaitFile("pi1", "docs/.pinionignore", "build/\n")
	w.Settle()
	w.Write("laptop", "docs/build/more.o", "not for others")
	w.Rest()
	w.HasNot("docs/build/more.o", "pi1")
	w.Has("docs/build/out.o", "object", "laptop", "pi1") // a rule is no deletion

	if _, err := set("pi1", "*.txt\n", none.Seen); kind(err) != control.KindUsage || !strings.Contains(err.Error(), "meanwhile") {
		t.Errorf("rules over those that were not seen: %v", err)
	}
	if _, err := set("pi1", "build/\n\nno[\n", one.Seen); kind(err) != control.KindUsage || !strings.Contains(err.Error(), `line 3, "no["`) {
		t.Errorf("a line that is no rule: %v", err)
	}
	w.Has("docs/.pinionignore", "build/\n", "laptop", "pi1")
	seen := ignoresOf(t, w, "pi1").Seen
	if seen != one.Seen {
		t.Errorf("pi1 has the rules under another name: %v, not %v", seen, one.Seen)
	}
	_, err = set("pi1", "", seen)
	must(t, err)
	w.AwaitFile("pi1", "docs/build/more.o", "not for others")
	w.Kept("docs", "build/\n")
}

func TestRulesAreTriedWithoutChangingAnything(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop")
	for _, p := range []string{"a.txt", "b.log", "build/1.o", "build/sub/2.o", "build/x.log", "src/c.log", "src/d.go", "src/build/3.o"} {
		w.Write("laptop", "docs/"+p, p)
	}
	w.Write("laptop", "docs/.pinionignore", "*.bak\n")
	w.Write("laptop", "docs/old.bak", "12345")
	w.Write("laptop", "docs/src/older.bak", "123")
	w.Add("laptop", "docs", "")
	w.Settle()
	got := try(t, w, "laptop", control.TryIgnores{Text: "*.bak\nbuild/\n*.log\n"})
	if names(got.Out) != "b.log build/ src/build/ src/c.log" || got.Files != 6 || got.Next != "" || len(got.Back) != 0 {
		t.Errorf("left out would be %s: %+v", names(got.Out), got)
	}
	var bytes int64
	for _, p := range []string{"b.log", "build/1.o", "build/sub/2.o", "build/x.log", "src/c.log", "src/build/3.o"} {
		bytes += int64(len(p))
	}
	if d := got.Out[1]; d.Files != 3 || got.Bytes != bytes {
		t.Errorf("build/ weighs %+v, and all %d instead of %d", d, got.Bytes, bytes)
	}

	got = try(t, w, "laptop", control.TryIgnores{Text: "\nq\\\n*.log\n"})
	if names(got.Out) != "b.log build/x.log src/c.log" || names(got.Back) != "old.bak src/older.bak" || got.BackSum != (control.Sum{Files: 2, Bytes: 8}) {
		t.Errorf("without the rule: %+v", got)
	}
	if len(got.Problems) != 1 || got.Problems[0].Line != 2 {
		t.Errorf("the line that is no rule is %+v", got.Problems)
	}
	if i := ignoresOf(t, w, "laptop"); i.Text != "*.bak\n" {
		t.Errorf("trying has changed the rules: %+v", i)
	}
	w.Has("docs/b.log", "b.log", "laptop")
	if f := w.State("laptop", "docs"); f.Files != 9 {
		t.Errorf("trying has changed the index: %+v", f)
	}
}

func TestWhatWouldBeLeftOutIsGivenInPages(t *testing.T) {
	t.Parallel()
	w := enginetest.New(t, "laptop")
	w.Fill("laptop", "docs/many", 300)
	w.Fill("laptop", "docs/more", 300)
	w.Write("laptop", "docs/z", "z")
	w.Add("laptop", "docs", "")
	w.Settle()
	var all []string
	r, files := control.TryIgnores{Text: "[0-9][0-9]1\nmore\nz\n", Limit: 7}, int64(0)
	for {
		got := try(t, w, "laptop", r)
		for _, p := range got.Out {
			all = append(all, string(p.Path))
		}
		if r.After == "" {
			files = got.Files
		} else if got.Files != 0 {
			t.Errorf("a later page has totals: %+v", got)
		}
		if got.Next == "" {
			break
		}
		r.After = got.Next
	}
	if len(all) != 32 || all[0] != "many/001" || all[29] != "many/291" || all[30] != "more" || all[31] != "z" {
		t.Errorf("%d paths: %v", len(all), all)
	}
	if files != 30+300+1 {
		t.Errorf("%d files in all", files)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := w.Engine("laptop").TryIgnores(ctx, control.TryIgnores{Folder: "docs", Text: "z"}); !errors.Is(err, context.Canceled) {
		t.Errorf("given up, it ends with %v", err)
	}
	for _, limit := range []int{-1, 1001} {
		if _, err := w.Engine("laptop").TryIgnores(context.Background(), control.TryIgnores{Folder: "docs", Limit: limit}); kind(err) != control.KindUsage {
			t.Errorf("a page of %d: %v", limit, err)
		}
	}
}

func TestRulesThatAreNoFile(t *testing.T) {
	w := two(t)
	w.Mkdir("laptop", "docs/.pinionignore")
	w.Write("laptop", "docs/a.txt", "a")
	shared(w, "laptop", "pi1") // the folder works all the same
	for _, dev := range []string{"laptop", "pi1"} {
		w.Stop(dev)
		w.Start(dev)
		w.AwaitState(dev, "docs", status.Synced)
		if p := w.State(dev, "docs").Problems; len(p) != 1 || p[0].Path != ".pinionignore" {
			t.Errorf("%s lists %+v", dev, p)
		}
	}
	if _, err := w.Engine("laptop").Ignores(context.Background(), "docs"); kind(err) != control.KindUsage || !strings.Contains(err.Error(), "not a file") {
		t.Errorf("a directory of that name: %v", err)
	}
	long := strings.Repeat("x\n", control.MaxIgnores)
	if _, err := w.Engine("laptop").SetIgnores(context.Background(), control.SetIgnores{Folder: "docs", Text: long}); kind(err) != control.KindUsage {
		t.Errorf("very long rules: %v", err)
	}
}

func TestDeclinedOfferIsNotAskedAboutAgain(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	w.Add("laptop", "docs", "")
	w.AwaitOffer("pi1", "docs")
	e, ctx := w.Engine("pi1"), context.Background()
	declined := func() bool { return w.Status("pi1").Offers[0].Declined }
	if declined() {
		t.Fatal("an offer is declined from the start")
	}
	must(t, e.Decline(ctx, control.Decline{Folder: "docs"}))
	w.Await("the offer to be declined", declined)
	w.Stop("pi1")
	w.Start("pi1")
	w.AwaitOffer("pi1", "docs")
	if !declined() {
		t.Error("after a restart it is asked about again")
	}
	id := w.Status("pi1").Offers[0].ID.String()
	must(t, w.Engine("pi1").Decline(ctx, control.Decline{Folder: id, Undo: true}))
	w.Await("it to be asked about", func() bool { return !declined() })
	must(t, w.Engine("pi1").Decline(ctx, control.Decline{Folder: "docs"}))
	w.Accept("pi1", "docs", "") // a person may take it all the same
	w.AwaitFile("pi1", "docs/a.txt", "a")
	if err := w.Engine("pi1").Decline(ctx, control.Decline{Folder: "nowhere"}); kind(err) != control.KindNotFound {
		t.Errorf("an offer that is none: %v", err)
	}
}

func TestPlacesAreLookedAtBeforeAFolderIsPutThere(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/sub/a.txt", "a")
	w.Mkdir("laptop", "empty")
	shared(w, "laptop", "pi1")
	e, ctx := w.Engine("laptop"), context.Background()
	look := func(path string) control.Spot {
		t.Helper()
		s, err := e.LookAt(ctx, path)
		must(t, err)
		return s
	}
	if s := look(w.Path("laptop", "empty")); !s.There || !s.Empty || s.Was || s.Refused != "" || s.Total == 0 {
		t.Errorf("an empty directory: %+v", s)
	}
	if s := look(w.Path("laptop", "new")); s.There || s.Refused != "" {
		t.Errorf("a directory to be made: %+v", s)
	}
	for _, p := range []string{"docs", "docs/sub", "docs/sub/a.txt", "nowhere/at/all", "."} {
		if s := look(w.Path("laptop", p)); s.Refused == "" {
			t.Errorf("%s may be a folder: %+v", p, s)
		}
	}
	if _, err := e.LookAt(ctx, "docs"); kind(err) != control.KindUsage {
		t.Errorf("a path that is not absolute: %v", err)
	}
	must(t, e.RemoveFolder(ctx, "docs"))
	if s := look(w.Path("laptop", "docs")); !s.Was || s.Empty || s.Refused != "" {
		t.Errorf("what was a folder: %+v", s)
	}
	must(t, os.Remove(w.Path("laptop", "docs/sub/a.txt")))
}

func TestFolderConfigIsWhatWasSet(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	e, ctx := w.Engine("laptop"), context.Background()
	c, err := e.FolderConfig(ctx, "docs")
	must(t, err)
	if c.Mode != "two-way" || c.Merge != "ask" || c.State != "disk" || !c.Attributes || c.Owner || c.KeepDays != 0 || c.Usual.KeepDays != 30 || c.Usual.KeepBytes <= 0 || c.Usual.Reserve <= 0 {
		t.Errorf("nothing chosen: %+v", c)
	}
	mode, merge, off, days, bytes := "send", "auto", false, 7, int64(1<<30)
	must(t, e.SetFolder(ctx, "docs", control.FolderSettings{Mode: &mode, Merge: &merge, Attributes: &off, KeepDays: &days, KeepBytes: &bytes}))
	c, err = e.FolderConfig(ctx, c.ID.String())
	must(t, err)
	if c.Mode != "send" || c.Merge != "auto" || c.Attributes || c.KeepDays != 7 || c.KeepBytes != 1<<30 || c.Path != w.Path("laptop", "docs") {
		t.Errorf("chosen: %+v", c)
	}
	if _, err := e.FolderConfig(ctx, "nowhere"); kind(err) != control.KindNotFound {
		t.Errorf("no folder: %v", err)
	}
}

func TestProblemOfARuleEndsWhenItIsMended(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "a")
	shared(w, "laptop", "pi1")
	w.Write("laptop", "docs/.pinionignore", "no[\n")
	for _, dev := range []string{"laptop", "pi1"} {
		w.Await(dev+" to list it", func() bool { return len(w.State(dev, "docs").Problems) == 1 })
	}
	i := ignoresOf(t, w, "pi1")
	if len(i.Problems) != 1 || i.Problems[0].Text != "no[" {
		t.Errorf("the rules come with %+v", i.Problems)
	}
	_, err := w.Engine("pi1").SetIgnores(context.Background(), control.SetIgnores{Folder: "docs", Text: "no\n", Seen: i.Seen})
	must(t, err)
	for _, dev := range []string{"laptop", "pi1"} {
		w.Await(dev+" to be content", func() bool { return len(w.State(dev, "docs").Problems) == 0 })
	}
}
