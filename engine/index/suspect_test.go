package index

import (
	"slices"
	"testing"

	"pinion/engine/tree"
)

func TestSuspects(t *testing.T) {
	ix, w := fresh(t)
	_ = w
	ctx := t.Context()
	list := []Suspect{{Path: "a/b", Content: content(1)}, {Path: "a", Content: content(2)}, {Path: "a", Side: Theirs, Content: content(3)}}
	if err := ix.HoldSuspects(ctx, list); err != nil {
		t.Fatal(err)
	}
	if err := ix.HoldSuspects(ctx, []Suspect{{Path: "a/b", Content: content(4)}}); err != nil {
		t.Fatal(err)
	}
	got := ok(ix.Suspects(ctx, Here, "", 9))(t)
	if want := []Suspect{{Path: "a", Content: content(2)}, {Path: "a/b", Content: content(4)}}; !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
	if got = ok(ix.Suspects(ctx, Here, "a", 9))(t); len(got) != 1 || got[0].Path != "a/b" {
		t.Errorf("after a: %v", got)
	}
	if err := ix.PassSuspects(ctx, Here); err != nil {
		t.Fatal(err)
	}
	s, found, err := ix.SuspectAt(ctx, "a/b", Here)
	if err != nil || !found || !s.Passed || s.Content != content(4) {
		t.Errorf("%+v %v %v", s, found, err)
	}
	n, any, err := ix.SuspectCount(ctx, Here)
	if n != 0 || !any || err != nil {
		t.Errorf("here: %d %v %v", n, any, err)
	}
	if err := ix.DropSuspects(ctx, Here, []tree.Path{"a", "a/b", "c"}); err != nil {
		t.Fatal(err)
	}
	if _, any, _ = ix.SuspectCount(ctx, Here); any {
		t.Error("some are left")
	}
	if n, any, _ = ix.SuspectCount(ctx, Theirs); n != 1 || !any {
		t.Errorf("theirs: %d %v", n, any)
	}
}

func TestPendingLeavesSuspectsOut(t *testing.T) {
	ix, _ := fresh(t)
	p := peer(2)
	observe(t, ix, p, file("bad", 1, p.ID, 5), file("good", 2, p.ID, 6), file("passed", 3, p.ID, 7))
	err := ix.HoldSuspects(t.Context(), []Suspect{
		{Path: "bad", Side: Theirs, Content: content(1)}, {Path: "passed", Side: Theirs, Content: content(3), Passed: true}, {Path: "good", Content: content(9)},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, no := range []bool{false, true} {
		list, _, err := ix.Pending(t.Context(), PendingQuery{Limit: 10, NoSuspects: no})
		if want := 3; err != nil || no && len(list) != want-1 || !no && len(list) != want {
			t.Errorf("%v: %v %v", no, list, err)
		}
		for _, x := range list {
			if no && x.Path == "bad" {
				t.Error("a suspect is among them")
			}
		}
	}
}

func TestSealedIsKept(t *testing.T) {
	ix, w := fresh(t)
	self := ix.Self().ID
	c := rec(file("a", 1, self, 5))
	c.Record.Sealed = true
	commit(t, ix, c)
	_ = w
	if r, _, err := ix.Get(t.Context(), "a"); err != nil || !r.Sealed {
		t.Errorf("%+v %v", r, err)
	}
}
