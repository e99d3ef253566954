package engine_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/enginetest"
)

func browse(t *testing.T, w *enginetest.World, dev string, r control.BrowseRequest) control.BrowsePage {
	t.Helper()
	page, err := w.Engine(dev).Browse(context.Background(), r)
	if err != nil {
		t.Fatal(err)
	}
	return page
}

// lines tells a page in short: name, state, size, who keeps it.
func lines(page control.BrowsePage) (out []string) {
	for _, e := range page.Entries {
		line := fmt.Sprintf("%s %s", e.Name, e.State)
		if e.Kind != "directory" {
			line += fmt.Sprintf(" %d", e.Size)
		} else {
			line += "/"
		}
		if len(e.KeptBy) > 0 {
			line += " " + strings.Join(e.KeptBy, "+")
		}
		if e.MovedTo != "" {
			line += " to " + e.MovedTo
		}
		out = append(out, line)
	}
	return out
}

func shows(t *testing.T, page control.BrowsePage, want ...string) {
	t.Helper()
	if got := lines(page); !slices.Equal(got, want) {
		t.Errorf("shows\n\t%s\nnot\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestBrowseAFolderAtMoments: what stood then, what became of it and who keeps it,
// on each device the same.
func TestBrowseAFolderAtMoments(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/edited.txt", "one")
	w.Write("laptop", "docs/stays.txt", "stays")
	w.Write("laptop", "docs/moves.txt", "this one moves, and is of some length")
	w.Write("laptop", "docs/sub/deep/a.txt", "aa")
	w.Write("laptop", "docs/sub/deep/b.txt", "bb")
	shared(w, "laptop", "pi1", "pi2")
	time.Sleep(1100 * time.Millisecond) // rows say when to the second
	first := now()
	w.Write("laptop", "docs/edited.txt", "two, longer")
	w.Write("laptop", "docs/later.txt", "later")
	w.Settle()
	w.Delete("laptop", "docs/sub", "docs/later.txt")
	w.Move("laptop", "docs/moves.txt", "docs/moved.txt")
	w.Settle()
	for _, dev := range []string{"laptop", "pi1"} {
		shows(t, browse(t, w, dev, control.BrowseRequest{Folder: "docs"}),
			"edited.txt same 11", "moved.txt same 37", "stays.txt same 5")
		page := browse(t, w, dev, control.BrowseRequest{Folder: "docs", Deleted: true})
		shows(t, page, "edited.txt same 11", "later.txt deleted 5 pi1+pi2", "moved.txt same 37", "stays.txt same 5", "sub deleted/")
		if gone := page.Entries[1]; gone.By != "laptop" || gone.Since == nil || time.Since(*gone.Since) > time.Minute || gone.Versions != 1 || gone.Expires == nil {
			t.Errorf("what was deleted: %+v", gone)
		}
		if live := page.Entries[0]; live.Device != "laptop" || live.Since != nil || live.MTime == nil || live.Content.IsZero() {
			t.Errorf("what stands: %+v", live)
		}
		then := browse(t, w, dev, control.BrowseRequest{Folder: "docs", At: first})
		shows(t, then, "edited.txt changed 3 pi1+pi2", "moves.txt moved 37 to moved.txt", "stays.txt same 5", "sub deleted/")
		if c := then.Entries[0]; c.By != "laptop" || c.Since == nil || !c.Since.After(*first) {
			t.Errorf("what was changed since: %+v", c)
		}
		shows(t, browse(t, w, dev, control.BrowseRequest{Folder: "docs", Dir: "sub/deep", At: first}),
			"a.txt deleted 2 pi1+pi2", "b.txt deleted 2 pi1+pi2")
		if notes := then.Notes; len(notes) != 0 {
			t.Errorf("%q", notes)
		}
	}
	long := time.Now().Add(-time.Hour)
	shows(t, browse(t, w, "laptop", control.BrowseRequest{Folder: "docs", At: &long}))
	w.Stop("pi1", "pi2")
	page := browse(t, w, "laptop", control.BrowseRequest{Folder: "docs", Deleted: true})
	shows(t, page, "edited.txt same 11", "later.txt deleted 5", "moved.txt same 37", "stays.txt same 5", "sub deleted/")
	if len(page.Notes) != 2 || !strings.Contains(page.Notes[0], "is not connected") {
		t.Errorf("%q", page.Notes)
	}
	if page := browse(t, w, "laptop", control.BrowseRequest{Folder: "docs", Deleted: true, Here: true}); len(page.Notes) != 0 {
		t.Errorf("asked for what is here: %q", page.Notes)
	}
}

// TestBrowseInPages: each name once, in order, whatever lies below.
func TestBrowseInPages(t *testing.T) {
	w := two(t)
	var want []string
	for i := range 30 {
		w.Write("laptop", fmt.Sprintf("docs/d%02d/f.txt", i), "f")
		w.Write("laptop", fmt.Sprintf("docs/d%02d/sub/g.txt", i), "g")
		w.Write("laptop", fmt.Sprintf("docs/d%02d.txt", i), "one")
		want = append(want, fmt.Sprintf("d%02d", i), fmt.Sprintf("d%02d.txt", i))
	}
	shared(w, "laptop", "pi1")
	for i := range 10 {
		w.Delete("laptop", fmt.Sprintf("docs/d%02d.txt", i))
		w.Write("laptop", fmt.Sprintf("docs/d%02d/f.txt", i), "another f")
	}
	w.Settle()
	for _, dev := range []string{"laptop", "pi1"} {
		for _, limit := range []int{1, 7, 500} {
			var got []string
			r := control.BrowseRequest{Folder: "docs", Deleted: true, Limit: limit}
			for pages := 0; ; pages++ {
				page := browse(t, w, dev, r)
				for _, e := range page.Entries {
					if got = append(got, e.Name); (e.State == control.StateDeleted) != (strings.HasSuffix(e.Name, ".txt") && e.Name < "d10") {
						t.Errorf("%+v", e)
					}
				}
				if r.After = page.Next; r.After == "" || pages > 100 {
					break
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s by %d: %q", dev, limit, got)
			}
		}
	}
	found := browse(t, w, "laptop", control.BrowseRequest{Folder: "docs", Text: "D0", Deleted: true, Limit: 500})
	if len(found.Entries) != 20 || found.Next != "" {
		t.Errorf("searched: %q, next %q", lines(found), found.Next)
	}
	if e := found.Entries[1]; e.Path != "d00.txt" || e.State != control.StateDeleted || !slices.Equal(e.KeptBy, []string{"pi1"}) {
		t.Errorf("found: %+v", e)
	}
	shows(t, browse(t, w, "pi1", control.BrowseRequest{Folder: "docs", Dir: "d03", Text: "sub/g"}), "g.txt same 1")
	for _, r := range []control.BrowseRequest{{Folder: "none"}, {Folder: "docs", Dir: "../x"}, {Folder: "docs", Dir: "d01", After: "d02/x"}} {
		if page, err := w.Engine("pi1").Browse(context.Background(), r); err == nil {
			t.Errorf("%+v showed %+v", r, page)
		}
	}
}

// TestBrowseWhatOnlyAPeerKnows: a device that came later knows of what was deleted
// before only by asking.
func TestBrowseWhatOnlyAPeerKeeps(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/old.txt", "old")
	w.Write("laptop", "docs/stays.txt", "stays")
	w.Share("docs", "laptop", "pi1")
	w.Settle()
	w.Delete("laptop", "docs/old.txt")
	w.Settle()
	w.Accept("pi2", "docs", "")
	w.Settle()
	shows(t, browse(t, w, "pi2", control.BrowseRequest{Folder: "docs", Deleted: true}), "old.txt deleted 3 pi1", "stays.txt same 5")
}

func TestMomentsCountWhatChanged(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs", 12)
	before := now()
	shared(w, "laptop", "pi1")
	after := now()
	m, err := w.Engine("pi1").Moments(context.Background(), control.MomentsRequest{
		Folder: "docs", Bounds: []time.Time{before.Add(-time.Hour), *before, *after, after.Add(time.Hour)},
	})
	if err != nil || !slices.Equal(m.Changes, []int64{0, 12, 0}) {
		t.Errorf("%v, %v", m.Changes, err)
	}
	if _, err := w.Engine("pi1").Moments(context.Background(), control.MomentsRequest{Folder: "docs", Bounds: []time.Time{*after, *before}}); err == nil {
		t.Error("moments out of order were counted")
	}
}

// TestActivityBackwards: page by page to the oldest, and only what is asked for.
func TestActivityBackwards(t *testing.T) {
	w := two(t)
	w.Fill("laptop", "docs", 25)
	shared(w, "laptop", "pi1")
	w.Write("pi1", "docs/Special.txt", "s")
	w.Settle()
	w.Delete("laptop", "docs/Special.txt")
	w.Settle()
	e, ctx := w.Engine("pi1"), context.Background()
	all, err := e.Activity(ctx, control.ActivityRequest{})
	must(t, err)
	if len(all.Items) != 27 || all.Before != 0 {
		t.Fatalf("%d changes, before %d", len(all.Items), all.Before)
	}
	var got []control.Activity
	r := control.ActivityRequest{Limit: 4}
	for {
		page, err := e.Activity(ctx, r)
		must(t, err)
		got = append(slices.Clone(page.Items), got...)
		if r.Before = page.Before; r.Before == 0 {
			break
		}
	}
	if !slices.Equal(got, all.Items) {
		t.Errorf("backwards: %d changes, at once %d", len(got), len(all.Items))
	}
	for _, x := range []struct {
		r control.ActivityRequest
		n int
	}{
		{control.ActivityRequest{Text: "special"}, 2}, {control.ActivityRequest{Device: "pi1"}, 1}, {control.ActivityRequest{Device: "laptop", Text: "SPECIAL"}, 1},
		{control.ActivityRequest{Action: "deleted"}, 1}, {control.ActivityRequest{Folder: "docs", Action: "added"}, 26}, {control.ActivityRequest{Text: "nowhere"}, 0},
	} {
		if page, err := e.Activity(ctx, x.r); err != nil || len(page.Items) != x.n {
			t.Errorf("%+v: %d changes, %v", x.r, len(page.Items), err)
		}
	}
	if _, err := e.Activity(ctx, control.ActivityRequest{Folder: "none"}); err == nil {
		t.Error("a folder that is not there has changes")
	}
}

// TestARestoreIsTriedThenDoneThenUndone.
func TestARestoreIsTriedThenDoneThenUndone(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/p/a.txt", "a one")
	w.Write("laptop", "docs/p/b/b.txt", "b one")
	w.Write("laptop", "docs/p/stays.txt", "stays")
	shared(w, "laptop", "pi1")
	time.Sleep(1100 * time.Millisecond)
	then := now()
	w.Write("laptop", "docs/p/a.txt", "a two, longer")
	w.Delete("laptop", "docs/p/b")
	w.Settle()
	e, ctx := w.Engine("laptop"), context.Background()
	r := control.Restore{Path: "docs/p", At: then, Try: true}
	tried := restore(t, w, "laptop", r)
	if tried.Files != 2 || tried.Bytes != 10 || tried.Replaced != 1 || tried.Undo != "" {
		t.Errorf("tried: %+v", tried)
	}
	w.Has("docs/p/a.txt", "a two, longer", "laptop")
	r.Try, r.Ticket = false, "t1"
	done := restore(t, w, "laptop", r)
	if done.Files != 2 || done.Replaced != 1 || done.Undo == "" {
		t.Fatalf("done: %+v", done)
	}
	if p, err := e.RestoreProgress(ctx, "t1"); err != nil || !p.Ended || p.Files != 2 || p.Bytes != 10 {
		t.Errorf("%+v, %v", p, err)
	}
	w.Settle()
	w.Has("docs/p/a.txt", "a one", "laptop", "pi1")
	w.Has("docs/p/b/b.txt", "b one", "laptop", "pi1")
	undone, err := e.UndoRestore(ctx, done.Undo)
	if err != nil || undone.Files != 2 {
		t.Errorf("undone: %+v, %v", undone, err)
	}
	w.Settle()
	for _, dev := range []string{"laptop", "pi1"} {
		w.Has("docs/p/a.txt", "a two, longer", dev)
		w.HasNot("docs/p/b/b.txt", dev)
		w.HasNot("docs/p/b", dev)
		w.Has("docs/p/stays.txt", "stays", dev)
	}
	if _, err := e.UndoRestore(ctx, done.Undo); err == nil {
		t.Error("undone twice")
	}
	if _, err := e.RestoreProgress(ctx, "other"); err == nil {
		t.Error("a ticket that nobody has drawn")
	}
}

// TestUndoLeavesWhatWasChangedSince.
func TestUndoLeavesWhatWasChangedSince(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "one")
	w.Write("laptop", "docs/b.txt", "one b")
	shared(w, "laptop", "pi1")
	w.Write("laptop", "docs/b.txt", "two b")
	w.Delete("laptop", "docs/a.txt")
	w.Settle()
	done := restore(t, w, "laptop", control.Restore{Path: "docs/a.txt"})
	w.Write("laptop", "docs/a.txt", "edited again")
	w.Settle()
	undone, err := w.Engine("laptop").UndoRestore(context.Background(), done.Undo)
	if err != nil || undone.Files != 0 || len(undone.Notes) != 1 {
		t.Errorf("%+v, %v", undone, err)
	}
	w.Has("docs/a.txt", "edited again", "laptop", "pi1")
}

// TestRestoreAContent: the one that a person points at, not the newest.
func TestRestoreAContent(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/a.txt", "one")
	shared(w, "laptop", "pi1")
	for _, text := range []string{"two", "three", "four"} {
		w.Write("laptop", "docs/a.txt", text)
		w.Settle()
	}
	h := w.History("laptop", "docs/a.txt", false)
	if len(h.Versions) != 4 {
		t.Fatalf("%+v", h)
	}
	one := h.Versions[3]
	if out := restore(t, w, "laptop", control.Restore{Path: "docs/a.txt", Content: one.Content, To: "docs/a then.txt"}); out.Files != 1 {
		t.Errorf("%+v", out)
	}
	if out := restore(t, w, "laptop", control.Restore{Path: "docs/a.txt", Content: one.Content}); out.Files != 1 || out.Replaced != 1 {
		t.Errorf("%+v", out)
	}
	w.Settle()
	w.Has("docs/a.txt", "one", "laptop", "pi1")
	w.Has("docs/a then.txt", "one", "laptop", "pi1")
	if out := restore(t, w, "laptop", control.Restore{Path: "docs/a.txt", Content: one.Content}); out.Files != 0 || len(out.Notes) != 1 {
		t.Errorf("what stands: %+v", out)
	}
	refused(t, w, "laptop", control.Restore{Path: "docs", Content: one.Content}, "which file")
}
