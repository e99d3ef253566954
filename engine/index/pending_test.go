package index

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"pinion/engine/tree"
)

// sized is a pending file of that size, written long ago.
func sized(p tree.Path, size int64) tree.Entry {
	e := file(p, 1, 2, 1)
	e.Size = size
	return e
}

func TestPendingIsInOrderOfUrgency(t *testing.T) {
	ix, w := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	commit(t, ix, rec(file("gone", 1, self, 1)))
	var flood []tree.Entry
	for i := range fewArrivals + 10 {
		flood = append(flood, sized(samplePath(i), 200<<10))
	}
	observe(t, ix, peer(2), flood...)
	dir := tree.Entry{Path: "dir", Kind: tree.Dir, Version: tree.Version{{Replica: 2, N: 1}}}
	young := sized("young", 1<<20)
	young.MTime = w.now.Add(-time.Minute).UnixNano()
	youngBig := sized("young big", 1<<20+1)
	youngBig.MTime = young.MTime
	tombstone := gone(file("gone", 1, self, 1), 2, 2)
	observe(t, ix, peer(2), sized("big", 9<<20), sized("middle", 8<<20), sized("small", 1), sized("small 2", 128<<10), tombstone, young, youngBig, dir)
	got := pendingPathsAll(t, ix)
	head := []tree.Path{"dir", "young", samplePath(fewArrivals - 1), samplePath(fewArrivals - 2)}
	if !slices.Equal(got[:4], head) {
		t.Errorf("first %q", got[:4])
	}
	tail := []tree.Path{samplePath(0), "small", "small 2", "gone"}
	for i := fewArrivals; i < fewArrivals+10; i++ {
		tail = append(tail, samplePath(i))
	}
	if tail = append(tail, "middle", "young big", "big"); !slices.Equal(got[len(got)-len(tail):], tail) {
		t.Errorf("last %q\ninstead %q", got[len(got)-len(tail):], tail)
	}
	// What skips pages on with the cursor, and never sees a path twice.
	var odd []tree.Path
	skip := func(p tree.Path) bool { return p != "gone" && p != "big" }
	page, next, err := ix.Pending(ctx, PendingQuery{Limit: 1, Skip: skip})
	for ; err == nil; page, next, err = ix.Pending(ctx, PendingQuery{Limit: 1, Skip: skip, After: next}) {
		for _, p := range page {
			odd = append(odd, p.Path)
		}
		if next == 0 {
			break
		}
	}
	if err != nil || !slices.Equal(odd, []tree.Path{"gone", "big"}) {
		t.Errorf("%q %v", odd, err)
	}
}

// TestPendingLeavesBigFilesOut: at any bound, at the borders of the classes as
// well; deletions and directories always stay.
func TestPendingLeavesBigFilesOut(t *testing.T) {
	ix, w := fresh(t)
	self := ix.Self().ID
	big := file("gone", 1, self, 1)
	big.Size = 1 << 30
	commit(t, ix, rec(big))
	sizes := map[tree.Path]int64{"a": 1, "b": smallSize, "c": smallSize + 1, "d": urgentSize, "e": urgentSize + 1, "f": middleSize, "g": middleSize + 1, "h": 1 << 40}
	var list []tree.Entry
	for p, n := range sizes {
		e := sized(p, n)
		list = append(list, e)
		e.Path, e.MTime = "young "+p, w.now.UnixNano()
		list = append(list, e)
	}
	dir := tree.Entry{Path: "dir", Kind: tree.Dir, Version: tree.Version{{Replica: 2, N: 1}}}
	observe(t, ix, peer(2), append(list, dir, gone(big, 2, 2))...)
	for _, most := range []int64{0, 1, 1000, smallSize, smallSize + 1, urgentSize, middleSize, middleSize + 1, 1 << 41} {
		want := []tree.Path{"dir", "gone"}
		for p, n := range sizes {
			if most == 0 || n <= most {
				want = append(want, p, "young "+p)
			}
		}
		var got []tree.Path
		for at, more := Cursor(0), true; more; more = at != 0 {
			page, next, err := ix.Pending(t.Context(), PendingQuery{Limit: 3, After: at, Most: most})
			if err != nil {
				t.Fatal(err)
			}
			for at = next; len(page) > 0; page = page[1:] {
				got = append(got, page[0].Path)
			}
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("up to %d: %q, not %q", most, got, want)
		}
	}
}

func pendingPathsAll(t *testing.T, ix *Index) (out []tree.Path) {
	for at, more := Cursor(0), true; more; more = at != 0 {
		page, next, err := ix.Pending(context.Background(), PendingQuery{Limit: 100, After: at})
		if err != nil {
			t.Fatal(err)
		}
		for at = next; len(page) > 0; page = page[1:] {
			out = append(out, page[0].Path)
		}
	}
	return out
}

func TestEqualVersionsOfDifferentContentStayPending(t *testing.T) {
	ix, _ := fresh(t)
	ours, theirs := file("a", 1, 2, 5), file("a", 2, 2, 5)
	observe(t, ix, peer(2))
	commit(t, ix, rec(ours))
	if n := observe(t, ix, peer(2), ours); n != 0 || ix.Counts().PendingPaths != 0 {
		t.Error("what we have is pending")
	}
	if n := observe(t, ix, peer(2), theirs); n != 1 || !slices.Equal(pendingPaths(t, ix), []tree.Path{"a"}) {
		t.Error("the other content is dropped")
	}
	c := rec(ours)
	c.If = 1
	commit(t, ix, c)
	if ix.Counts().PendingPaths != 1 {
		t.Error("a commit of the same version took the other content for covered")
	}
}

func TestWhatIsPendingWithinAPathIsCounted(t *testing.T) {
	ix, _ := fresh(t)
	observe(t, ix, peer(2))
	observe(t, ix, peer(3))
	var all []tree.Entry
	for _, p := range []tree.Path{"dir", "dir/a", "dir/b/c", "dir ", "dirt/a"} {
		all = append(all, file(p, 1, 2, 5))
	}
	observe(t, ix, peer(2), all...)
	observe(t, ix, peer(3), file("dir/a", 2, 3, 6), gone(file("dir/gone", 1, 3, 5), 3, 6))
	paths, files, bytes, err := ix.PendingWithin(context.Background(), "dir")
	if err != nil || paths != 4 || files != 3 || bytes != 1+2+1 { // of dir/a the larger
		t.Errorf("%d paths, %d files, %d bytes: %v", paths, files, bytes, err)
	}
	if paths, _, _, _ := ix.PendingWithin(context.Background(), "dir/a/x"); paths != 0 {
		t.Errorf("%d paths below a file", paths)
	}
}

// What a device says nothing of is kept.
func TestAttributesAreInheritedFromOurRow(t *testing.T) {
	ix, _ := fresh(t)
	observe(t, ix, peer(2))
	ours := file("a", 1, 2, 5)
	ours.Attrs = "\x01\x06user.a\x011"
	commit(t, ix, rec(ours))
	plain := file("a", 1, 2, 5)
	if n := observe(t, ix, peer(2), plain); n != 0 {
		t.Error("the same without attributes is news")
	}
	if n := observe(t, ix, peer(2), file("a", 2, 2, 6)); n != 1 {
		t.Error("an edit is no news")
	}
	p, _, err := ix.PendingAt(context.Background(), "a")
	if err != nil || p.Remotes[0].Entry.Attrs != ours.Attrs {
		t.Errorf("%+v %v", p, err)
	}
	none := file("a", 2, 2, 7)
	none.Attrs = tree.NoAttrs
	observe(t, ix, peer(2), none)
	if p, _, _ := ix.PendingAt(context.Background(), "a"); p.Remotes[0].Entry.Attrs != tree.NoAttrs {
		t.Errorf("%+v", p)
	}
}

// Else a device that never heard of the deletion could bring the file back for
// good.
func TestATombstoneOfWhatWeNeverHadIsPending(t *testing.T) {
	ix, _ := fresh(t)
	live := file("a", 1, 2, 5)
	dead := gone(live, 2, 6)
	observe(t, ix, peer(3))
	if n := observe(t, ix, peer(2), dead); n != 1 || ix.Counts().PendingPaths != 1 {
		t.Error("it is dropped")
	}
	observe(t, ix, peer(3), live)
	if p, found, err := ix.PendingAt(context.Background(), "a"); !found || err != nil || len(p.Remotes) != 2 {
		t.Errorf("%+v %v", p, err)
	}
	c := rec(dead)
	commit(t, ix, c)
	if ix.Counts().PendingPaths != 0 {
		t.Errorf("it covers nothing once it is adopted: %+v", ix.Counts())
	}
}

func TestObserveRefusesNonsenseWhole(t *testing.T) {
	ix, _ := fresh(t)
	good := file("good", 1, 2, 1)
	for name, e := range map[string]tree.Entry{
		"no path":        {Kind: tree.File, Version: good.Version},
		"no kind":        {Path: "x", Version: good.Version},
		"kind 9":         {Path: "x", Kind: 9, Version: good.Version},
		"no version":     {Path: "x", Kind: tree.File},
		"zero counter":   {Path: "x", Kind: tree.File, Version: tree.Version{{Replica: 2}}},
		"size":           {Path: "x", Kind: tree.File, Size: -1, Version: good.Version},
		"conflict of":    {Path: "x", Kind: tree.File, Version: good.Version, Conflict: &tree.Conflict{}},
		"content's hash": {Path: "x", Kind: tree.File, Version: good.Version, Content: tree.ContentID{7}},
	} {
		b := tree.Batch{Entries: []tree.Entry{good, e}, Replicas: []tree.Replica{peer(2)}, Upto: tree.Position{Replica: 2, Epoch: 1, Seq: 2}}
		if _, err := ix.Observe(context.Background(), device(2), b); err == nil || ix.Counts() != (Counts{}) {
			t.Errorf("%s: %v, %+v", name, err, ix.Counts())
		}
	}
}

// wide is a version of n replicas from first on, which observeWide tells of.
func wide(first tree.ReplicaID, n int) tree.Version {
	v := make(tree.Version, n)
	for i := range v {
		v[i] = tree.Stamp{Replica: first + tree.ReplicaID(i), N: 1}
	}
	return v
}

func observeWide(t *testing.T, ix *Index, from tree.DeviceID, entries ...tree.Entry) (news int) {
	t.Helper()
	b := tree.Batch{Entries: entries}
	for _, e := range entries {
		for _, s := range e.Version {
			b.Replicas = append(b.Replicas, tree.Replica{ID: s.Replica, Device: from})
		}
	}
	return ok(ix.Observe(context.Background(), from, b))(t)
}

// What could not be told on, or not be written again, is left out and named; the
// rest of the batch is taken, since whoever tells it may be honest.
func TestObserveLeavesOutWhatHasNoRoom(t *testing.T) {
	w := newWorld()
	o := w.options()
	var refused []string
	o.Refused = func(_ tree.DeviceID, p tree.Path, why error) {
		refused = append(refused, fmt.Sprintf("%s: %v", p, errors.Is(why, ErrWide)))
	}
	ix := ok(Open(context.Background(), filepath.Join(t.TempDir(), "index.db"), o))(t)
	defer ix.Close()
	row := func(p tree.Path, v tree.Version) tree.Entry {
		e := file(p, 1, v[0].Replica, 1)
		e.Version = v
		return e
	}
	if n := observeWide(t, ix, device(2), row("wide", wide(1000, tree.MaxStamps)), row("fine", wide(1000, 500))); n != 1 {
		t.Errorf("%d are news", n)
	}
	// Two that have room each, and not together.
	if n := observeWide(t, ix, device(3), row("fine", wide(5000, 500)), row("other", wide(5000, 3))); n != 1 {
		t.Errorf("%d are news", n)
	}
	if n := observe(t, ix, peer(4), file("x", 1, 99, 1), file("y", 1, 4, 1)); n != 1 {
		t.Errorf("%d are news", n)
	}
	if want := []string{"wide: true", "fine: true", "x: false"}; !slices.Equal(refused, want) {
		t.Errorf("%q", refused)
	}
	if got := pendingPaths(t, ix); !slices.Equal(got, []tree.Path{"fine", "other", "y"}) && len(got) != 3 {
		t.Errorf("%q", got)
	}
}

func TestReplicasHaveABound(t *testing.T) {
	ix, _ := fresh(t)
	for first := tree.ReplicaID(1000); first < 1000+maxLocal+5000; first += 1000 {
		observeWide(t, ix, device(2), file("a", 1, 2, 1))
		b := tree.Batch{}
		for i := range tree.ReplicaID(1000) {
			b.Replicas = append(b.Replicas, tree.Replica{ID: first + i, Device: device(2)})
		}
		if _, err := ix.Observe(context.Background(), device(2), b); err != nil {
			t.Fatal(err)
		}
	}
	if got := ok(ix.Replicas(context.Background()))(t); len(got) != maxTold {
		t.Errorf("%d are known", len(got))
	}
	if err := ix.NewIncarnation(context.Background()); err != nil {
		t.Errorf("there is no room for our own: %v", err)
	}
}

func TestClearRemoteInManySteps(t *testing.T) {
	ix, _ := fresh(t)
	var two, three []tree.Entry
	for i := range 2500 {
		two = append(two, sized(tree.Path(fmt.Sprint("f", i)), 1))
	}
	three = append(three, two[7], two[2400])
	observe(t, ix, peer(2), two...)
	observe(t, ix, peer(3), three...)
	if err := ix.ClearRemote(context.Background(), device(2)); err != nil {
		t.Fatal(err)
	}
	if c := ix.Counts(); c != (Counts{PendingPaths: 2, NeedFiles: 2, NeedBytes: 2}) {
		t.Errorf("%+v", c)
	}
}

// The parts that News names hold what was told since, whatever its class, and
// nothing that was told before.
func TestNews(t *testing.T) {
	ix, _ := fresh(t)
	var flood []tree.Entry
	for i := range fewArrivals + 5 {
		flood = append(flood, sized(samplePath(i), 1))
	}
	observe(t, ix, peer(2), flood...)
	parts, until := ix.News(0)
	if n := len(pendingIn(t, ix, parts)); n != len(flood) {
		t.Errorf("%d of %d since the beginning", n, len(flood))
	}
	if parts, again := ix.News(until); len(parts) > 0 || again != until {
		t.Errorf("%v since now", parts)
	}
	dir := tree.Entry{Path: "dir", Kind: tree.Dir, Version: tree.Version{{Replica: 2, N: 1}}}
	observe(t, ix, peer(2), sized("big", 9<<20), dir, sized("small", 1), sized("middle", 1<<20))
	observe(t, ix, peer(3), sized("small", 2), sized(samplePath(3), 2)) // of one path, by another device
	parts, _ = ix.News(until)
	got := pendingIn(t, ix, parts)
	slices.Sort(got)
	want := []tree.Path{"big", "dir", "middle", samplePath(3), "small", "small"}
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("%q\ninstead %q", got, want)
	}
}

// pendingIn reads what is pending in some parts of the order, two at a time.
func pendingIn(t *testing.T, ix *Index, parts []Span) (out []tree.Path) {
	for _, s := range parts {
		for at, more := s.After, true; more; more = at != 0 {
			list, next, err := ix.Pending(t.Context(), PendingQuery{Limit: 2, After: at, Span: s})
			if err != nil {
				t.Fatal(err)
			}
			for _, p := range list {
				out = append(out, p.Path)
			}
			at = next
		}
	}
	return out
}

func TestKnownContents(t *testing.T) {
	ix, _ := fresh(t)
	self := ix.Self().ID
	var ids []tree.ContentID
	for i := range 3 * knownAtOnce {
		e := file(samplePath(i), i+1, self, 1)
		ids = append(ids, e.Content)
		if i%3 == 0 {
			commit(t, ix, rec(e))
		}
	}
	kept := content(7000)
	if _, err := ix.Commit(t.Context(), Update{Archived: []Archived{{Path: "old", Content: kept, File: "x", When: 1, Reason: Replaced}}}); err != nil {
		t.Fatal(err)
	}
	known, err := ix.KnownContents(t.Context(), append(ids, kept, content(8000)))
	if err != nil {
		t.Fatal(err)
	}
	for i := range ids {
		if known[i] != (i%3 == 0) {
			t.Errorf("%d: %v", i, known[i])
		}
	}
	if n := len(ids); !known[n] || known[n+1] {
		t.Errorf("archived: %v, nowhere: %v", known[n], known[n+1])
	}
	if known, err := ix.KnownContents(t.Context(), nil); err != nil || len(known) != 0 {
		t.Error(known, err)
	}
}

// Only what can be told again may wait for the flush of another transaction.
func TestOnlyObservationsWaitForAFlush(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	level := func() (n int64) {
		t.Helper()
		err := ix.outside(ctx, "look", func(c *conn) (err error) {
			n, err = c.integer("PRAGMA synchronous")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	const normal, full = 1, 2
	for range 2 {
		if _, err := ix.Observe(ctx, tree.DeviceID{9}, tree.Batch{Upto: tree.Position{Replica: 7, Epoch: 1, Seq: 1}}); err != nil {
			t.Fatal(err)
		}
		if got := level(); got != normal {
			t.Errorf("after what a peer told: %d", got)
		}
		if err := ix.SetMeta(ctx, "k", []byte{1}); err != nil {
			t.Fatal(err)
		}
		if got := level(); got != full {
			t.Errorf("after a write of ours: %d", got)
		}
	}
}
