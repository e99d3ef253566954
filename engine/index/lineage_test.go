package index

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"pinion/engine/tree"
)

// edit commits a path's next content by a replica and gives its version.
func edit(t *testing.T, ix *Index, p tree.Path, c int, r tree.ReplicaID) tree.Version {
	t.Helper()
	old, _, err := ix.Get(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	e := file(p, c, r, 1)
	e.Version = old.Version.Bump(r, 1)
	commit(t, ix, Change{Record: tree.Record{Entry: e}, If: old.Seq})
	return e.Version
}

func TestAncestorIsTheNewestThatBothKnow(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	observe(t, ix, peer(2))
	me, pi := ix.Self().ID, peer(2).ID
	one := edit(t, ix, "a", 1, me)
	two := edit(t, ix, "a", 2, me)
	three := edit(t, ix, "a", 3, me)
	for _, x := range []struct {
		name string
		a, b tree.Version
		want tree.ContentID
	}{
		{"edited from the second", three.Bump(me, 1), two.Bump(pi, 1), content(2)},
		{"edited from the first", three, one.Bump(pi, 1), content(1)},
		{"in the other order", one.Bump(pi, 1), three, content(1)},
		{"made apart", three, tree.Version{{Replica: pi, N: 7}}, tree.ContentID{}},
		{"what stands now is not the past", three.Bump(me, 1), three.Bump(pi, 1), content(2)},
	} {
		if got := ok(ix.Ancestor(ctx, "a", x.a, x.b))(t); got != x.want {
			t.Errorf("%s: %s", x.name, got)
		}
	}
	if got := ok(ix.Ancestor(ctx, "b", three, three))(t); !got.IsZero() {
		t.Errorf("another path: %s", got)
	}
	// With the file its past goes.
	row, _, _ := ix.Get(ctx, "a")
	commit(t, ix, Change{Record: tree.Record{Entry: gone(row.Entry, me, 1)}, If: row.Seq})
	if got := ok(ix.Ancestor(ctx, "a", three, three))(t); !got.IsZero() {
		t.Errorf("deleted: %s", got)
	}
}

func TestThePastIsBounded(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	me := ix.Self().ID
	first := edit(t, ix, "a", 1, me)
	for i := range maxLineage + 10 {
		edit(t, ix, "a", 2+i, me)
	}
	if got := ok(ix.Ancestor(ctx, "a", first, first))(t); !got.IsZero() {
		t.Errorf("the first of very many is still known: %s", got)
	}
	n, err := ix.w.integer("SELECT count(*) FROM lineage")
	if err != nil || n != maxLineage {
		t.Errorf("%d rows, %v", n, err)
	}
}

func TestBeatenIsBoundToTheVersion(t *testing.T) {
	ctx := context.Background()
	name := filepath.Join(t.TempDir(), "index.db")
	w := newWorld()
	ix := w.open(t, name)
	observe(t, ix, peer(2))
	me, pi := ix.Self().ID, peer(2).ID
	for i, p := range []tree.Path{"a", "b", "c", "d"} {
		edit(t, ix, p, i+1, me)
		row, _, _ := ix.Get(ctx, p)
		if err := ix.NoteBeaten(ctx, []Beaten{{Record: row, By: pi, At: 77}}); err != nil {
			t.Fatal(err)
		}
	}
	edit(t, ix, "b", 9, me)
	row, _, _ := ix.Get(ctx, "c")
	commit(t, ix, Change{Record: tree.Record{Entry: gone(row.Entry, me, 1)}, If: row.Seq})
	row, _, _ = ix.Get(ctx, "d")
	commit(t, ix, Change{Record: row, If: row.Seq, Forget: true})
	for range 2 {
		all := ok(ix.Beaten(ctx))(t)
		if len(all) != 1 || all[0].Record.Path != "a" || all[0].By != pi || all[0].At != 77 || all[0].Record.Content != content(1) {
			t.Errorf("%+v", all)
		}
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
		ix = w.open(t, name)
	}
	if n, err := ix.w.integer("SELECT count(*) FROM beaten"); n != 1 || err != nil {
		t.Errorf("%d notes are kept, %v", n, err)
	}
}

func TestBeatenIsBounded(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	var notes []Beaten
	for i := range maxBeaten + 20 {
		notes = append(notes, Beaten{Record: tree.Record{Entry: file(tree.Path(fmt.Sprintf("%05d", i)), i+1, ix.Self().ID, 1)}, At: 1})
	}
	if err := ix.NoteBeaten(ctx, notes); err != nil {
		t.Fatal(err)
	}
	if n, err := ix.w.integer("SELECT count(*) FROM beaten"); n != maxBeaten || err != nil {
		t.Errorf("%d notes are kept, %v", n, err)
	}
}
