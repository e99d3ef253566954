package index

import (
	"context"
	"fmt"
	"testing"

	"pinion/engine/tree"
)

// movedPair is what is told of a file that went elsewhere.
func movedPair(e tree.Entry, to tree.Path, r tree.ReplicaID, n uint64) (come, left tree.Entry) {
	come, left = e, gone(e, r, n)
	come.Path, come.Version, come.Author = to, tree.Version{{Replica: r, N: n}}, r
	left.MovedTo, left.Size, left.MTime, left.Mode, left.Content = to, e.Size, e.MTime, e.Mode, e.Content
	return come, left
}

func TestGoings(t *testing.T) {
	ix, _ := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	var told []tree.Entry
	commit(t, ix, rec(file("d/not", 1, self, 1)), rec(file("dd/f", 1, self, 1)), rec(file("e/there", 2, self, 1)))
	const files = goingRows + 10
	for i := range files {
		e := file(tree.Path(fmt.Sprintf("d/s/%05d", i)), i, self, 1)
		commit(t, ix, rec(e))
		come, left := movedPair(e, "e"+e.Path[1:], 2, 5)
		told = append(told, come, left)
	}
	for at := 0; at < len(told); at += 500 {
		observe(t, ix, peer(2), told[at:min(len(told), at+500)]...)
		observe(t, ix, peer(3), told[at:min(len(told), at+500)]...)
	}
	commit(t, ix, rec(file("e/not", 9, self, 1)))
	var after tree.Path
	n, apart := 0, 0
	for more := true; more; {
		var list []Going
		var err error
		if list, more, err = ix.Goings(ctx, "d", "e", after); err != nil {
			t.Fatal(err)
		}
		for _, g := range list {
			if g.Here.Path.Compare(after) <= 0 || g.Here.Disk != (tree.Stat{}) && g.Here.Seq == 0 {
				t.Fatalf("%q after %q", g.Here.Path, after)
			}
			after = g.Here.Path
			if n++; after == "d/not" {
				apart++
				if len(g.Gone)+len(g.Come) != 0 || g.There.Path != "e/not" {
					t.Errorf("%+v", g)
				}
				continue
			}
			if len(g.Gone) != 1 || len(g.Come) != 1 || g.There.Seq != 0 || g.Gone[0].Path != after || g.Come[0].Path != "e"+after[1:] || g.Come[0].Content != g.Here.Content {
				t.Fatalf("%+v", g)
			}
		}
	}
	if n != files+1 || apart != 1 {
		t.Errorf("%d rows", n)
	}
	if got := ok(ix.Told(ctx, "d/s/00000"))(t); len(got) != 1 || !got[0].Deleted {
		t.Errorf("%+v", got)
	}
}

// A row that is exactly what a device told is an echo for that device alone.
func TestToldUpTo(t *testing.T) {
	ix, _ := fresh(t)
	a, b, c := file("a", 1, 2, 1), file("b", 2, 2, 1), file("c", 3, 2, 1)
	observe(t, ix, peer(2), a, b, c)
	observe(t, ix, peer(3), b)
	joined := c
	joined.Version = joined.Version.Bump(ix.Self().ID, 9)
	commit(t, ix, rec(a), rec(b), rec(joined), rec(file("d", 4, 2, 1)))
	for i, want := range []string{"2", "23", "", ""} {
		got := ""
		for _, n := range []byte{2, 3} {
			if ix.ToldUpTo(peer(n).Device, uint64(i)) > uint64(i) {
				got += fmt.Sprint(n)
			}
		}
		if got != want {
			t.Errorf("row %d is told by %q, not %q", i+1, got, want)
		}
	}
	for after, want := range []uint64{2, 2, 2, 3} {
		if got := ix.ToldUpTo(peer(2).Device, uint64(after)); got != want {
			t.Errorf("after %d all is told up to %d, not %d", after, got, want)
		}
	}
}

func TestEchoesAreBounded(t *testing.T) {
	var x echoes
	for i := range uint64(1000) {
		x.add([]echo{{1, 2 * i}, {2, i}})
	}
	if len(x.spans[1]) > maxEchoSpans || len(x.spans[2]) != 1 || x.spans[1][len(x.spans[1])-1].last != 1998 {
		t.Errorf("%d and %d spans", len(x.spans[1]), len(x.spans[2]))
	}
}

func TestMovedRestsOnWhatIsHere(t *testing.T) {
	ix, _ := fresh(t)
	ctx, self := context.Background(), ix.Self().ID
	e := file("a", 1, self, 1)
	commit(t, ix, rec(e))
	come, left := movedPair(e, "b", 2, 5)
	m, can := tree.MovedOf(come, left)
	if !can {
		t.Fatal("it has no short form")
	}
	moved := func(m tree.Moved) bool {
		c, l, ok, err := ix.Moved(ctx, peer(2).Device, m)
		if err != nil {
			t.Fatal(err)
		}
		if ok && (!identical(&c, &come) || !identical(&l, &left) || c.Path != m.To || l.Path != m.From) {
			t.Errorf("%+v\n%+v", c, l)
		}
		return ok
	}
	if !moved(m) {
		t.Error("what stands here is not known")
	}
	other := m
	other.Sum ^= 1
	if moved(other) {
		t.Error("another content passes")
	}
	come, left = movedPair(file("told", 7, 2, 1), "b", 2, 5)
	m, _ = tree.MovedOf(come, left)
	if moved(m) {
		t.Error("what is not here passes")
	}
	observe(t, ix, peer(2), file("told", 7, 2, 1))
	if !moved(m) {
		t.Error("what the device told before is not known")
	}
}

func TestDirectoriesAreFoundByInode(t *testing.T) {
	ix, _ := fresh(t)
	ctx := context.Background()
	dir := folder("d", ix.Self().ID)
	commit(t, ix, Change{Record: tree.Record{Entry: dir, Disk: tree.Stat{Kind: tree.Dir, Mode: dir.Mode, Inode: 77}}})
	got := ok(ix.ByInode(ctx, 77, 8))(t)
	if len(got) != 1 || got[0].Path != "d" || got[0].Disk.Inode != 77 {
		t.Errorf("%+v", got)
	}
	for p, want := range map[tree.Path]bool{"d": false, "d/x": true, "dd": true} {
		if got := ok(ix.Fresh(ctx, p))(t); got != want {
			t.Errorf("%q is fresh: %t", p, got)
		}
	}
	observe(t, ix, peer(2), file("d/x", 1, 2, 1), file("dd", 1, 2, 1))
	list, _, err := ix.Pending(ctx, PendingQuery{Limit: 10, Without: []tree.Path{"d"}})
	if err != nil || len(list) != 1 || list[0].Path != "dd" {
		t.Errorf("%+v %v", list, err)
	}
}
