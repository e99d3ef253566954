package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine/tree"
)

// TestNamesAreThoseOfAWalk: whatever lies below, and whether or not a name has a
// row, paged or at once.
func TestNamesAreThoseOfAWalk(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	r := rand.New(rand.NewPCG(1, 2))
	alphabet := []string{"a", "a.b", "a\x01", "aa", "b", "ä", "\u4e2d", "z~"}
	seen := map[tree.Path]bool{}
	var changes []Change
	var rows []Archived
	for i := range 400 {
		var parts []string
		for range 1 + r.IntN(4) {
			parts = append(parts, alphabet[r.IntN(len(alphabet))])
		}
		p := tree.Path(strings.Join(parts, "/"))
		if seen[p] {
			continue
		}
		seen[p] = true
		e := file(p, i, ix.Self().ID, uint64(i+1))
		if i%3 == 0 {
			e = gone(e, ix.Self().ID, uint64(i+2))
		}
		changes = append(changes, rec(e))
		rows = append(rows, kept(p, int64(i+1), i))
	}
	commit(t, ix, changes...)
	archive(t, ix, rows...)
	dirs := []tree.Path{"", "a", "a/a", "b", "nowhere", "\u4e2d"}
	for _, dir := range dirs {
		want := map[tree.Path]bool{}
		for p := range seen {
			if name := p.NameIn(dir); name != "" {
				want[name] = true
			}
		}
		for _, limit := range []int{1, 3, 1000} {
			var got []tree.Path
			var after tree.Path
			for {
				page := ok(ix.Names(ctx, dir, after, limit))(t)
				for _, rec := range page {
					if got = append(got, rec.Path); (rec.Kind != 0) != seen[rec.Path] {
						t.Errorf("%q: its row is %v", rec.Path, rec.Kind)
					}
				}
				if len(page) < limit {
					break
				}
				after = page[len(page)-1].Path
			}
			if !slices.IsSortedFunc(got, tree.Path.Compare) || len(got) != len(want) || slices.ContainsFunc(got, func(p tree.Path) bool { return !want[p] }) {
				t.Errorf("%q by %d: %q", dir, limit, got)
			}
			if names := namesInArchive(t, ix, dir, limit); !slices.Equal(names, got) {
				t.Errorf("the archive, %q by %d: %q, not %q", dir, limit, names, got)
			}
		}
	}
}

func namesInArchive(t *testing.T, ix *Index, dir tree.Path, limit int) (names []tree.Path) {
	q := ArchiveNamesQuery{Within: dir, Near: 2, Limit: limit}
	for {
		rows, more, err := ix.ArchiveNames(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range rows {
			if name := a.Path.NameIn(dir); name != "" && (len(names) == 0 || names[len(names)-1] != name) {
				names = append(names, name)
			}
			q.Path = a.Path
		}
		if !more {
			return names
		}
	}
}

// TestArchiveNamesGiveWhatIsNear: the newest of a name, or the first after a
// moment, and what lies below only where something does.
func TestArchiveNamesGiveWhatIsNear(t *testing.T) {
	ix, _ := fresh(t)
	for i := range 5 {
		archive(t, ix, kept("d/f", int64(10*(i+1)), i))
	}
	archive(t, ix, kept("d", 3, 6), kept("d/s/deep/x", 5, 7), kept("d/s/y", 60, 8), kept("d/old/x", 5, 9))
	list := func(q ArchiveNamesQuery) (out []string) {
		rows, _, err := ix.ArchiveNames(context.Background(), q)
		if err != nil {
			t.Fatal(err)
		}
		for _, a := range rows {
			out = append(out, fmt.Sprintf("%s@%d", a.Path, a.When))
		}
		return out
	}
	if got := list(ArchiveNamesQuery{Within: "d", Near: 2, Limit: 100}); !slices.Equal(got, []string{"d@3", "d/f@40", "d/f@50", "d/old/x@5", "d/s/deep/x@5"}) {
		t.Errorf("the newest: %v", got)
	}
	if got := list(ArchiveNamesQuery{Within: "d", Near: 2, Limit: 100, After: 20}); !slices.Equal(got, []string{"d/f@30", "d/f@40", "d/s/y@60"}) {
		t.Errorf("the first after 20: %v", got)
	}
	if got := list(ArchiveNamesQuery{Within: "d", Path: "d/old/x", Near: 2, Limit: 100}); !slices.Equal(got, []string{"d/s/deep/x@5"}) {
		t.Errorf("after a name: %v", got)
	}
}

func TestSearchLooksWhereItIsToldAndGoesOn(t *testing.T) {
	ctx := context.Background()
	ix, _ := fresh(t)
	var changes []Change
	for i := range 2500 {
		changes = append(changes, rec(file(tree.Path(fmt.Sprintf("d/%04d.txt", i)), i, ix.Self().ID, uint64(i+1))))
	}
	commit(t, ix, changes...)
	archive(t, ix, kept("d/1500.old", 5, 1), kept("e/1500.old", 5, 1))
	match := func(p tree.Path) bool { return strings.Contains(string(p), "500") }
	var all []tree.Path
	var after tree.Path
	asked := 0
	for {
		asked++
		found, last, err := ix.Search(ctx, SearchQuery{Dir: "d", After: after, Limit: 10, Budget: 1000}, match)
		if err != nil {
			t.Fatal(err)
		}
		if all = append(all, found...); last == "" {
			break
		}
		after = last
	}
	if !slices.Equal(all, []tree.Path{"d/0500.txt", "d/1500.old", "d/1500.txt"}) || asked != 3 {
		t.Errorf("%q in %d", all, asked)
	}
}

func TestArchivedDays(t *testing.T) {
	ix, _ := fresh(t)
	day := func(n int64) time.Time { return time.Unix(0, n*10) }
	archive(t, ix, kept("a", 10, 1), kept("b", 11, 1), kept("c", 19, 1), kept("d", 30, 1))
	got := ok(ix.ArchivedDays(context.Background(), []time.Time{day(1), day(2), day(3), day(4)}, 2))(t)
	if !slices.Equal(got, []int64{2, 0, 1}) {
		t.Errorf("%v", got)
	}
}

// BenchmarkNames measures one page of a directory in an index of a million files
// (PINION_ROWS changes the number): of many directories, and of one with 100,000
// names; and a search for what is not there, per request.
func BenchmarkNames(b *testing.B) {
	ctx := context.Background()
	n := 200_000
	if s := os.Getenv("PINION_ROWS"); s != "" {
		if _, err := fmt.Sscan(s, &n); err != nil {
			b.Fatal(err)
		}
	}
	w := newWorld()
	ix := w.open(b, filepath.Join(b.TempDir(), "index.db"))
	fill(b, ix, inOrder(n), []tree.Replica{ix.Self()})
	var changes []Change
	for i := range n / 10 {
		changes = append(changes, rec(file(tree.Path(fmt.Sprintf("wide/%06d.jpg", i)), i, ix.Self().ID, uint64(i+1))))
		if len(changes) == 1000 {
			commit(b, ix, changes...)
			changes = nil
		}
	}
	for name, dir := range map[string]tree.Path{"top": "", "dirs": "documents-01", "wide": "wide"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				ok(ix.Names(ctx, dir, "", 200))(b)
			}
		})
	}
	b.Run("wide/middle", func(b *testing.B) {
		for b.Loop() {
			ok(ix.Names(ctx, "wide", "wide/010000.jpg", 200))(b)
		}
	})
	b.Run("search", func(b *testing.B) {
		for b.Loop() {
			if _, _, err := ix.Search(ctx, SearchQuery{Limit: 100, Budget: 50_000}, func(p tree.Path) bool { return strings.Contains(string(p), "nowhere") }); err != nil {
				b.Fatal(err)
			}
		}
	})
}
