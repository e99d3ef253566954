package index

import (
	"context"
	"fmt"
	"testing"

	"pinion/engine/tree"
)

// Standing tells of each live row what Walk tells, as far as a scan needs it, and At
// what Get tells.
func TestStandingAndAtAgreeWithWalkAndGet(t *testing.T) {
	ix, _ := fresh(t)
	ctx, self := context.Background(), ix.Self()
	var paths []tree.Path
	for i := range 3*page + 5 {
		r := sample(i, []tree.Replica{self})
		r.Path = tree.Path(fmt.Sprintf("d%d/f%04d", i%3, i))
		if i%4 == 0 {
			r.Disk.CTime, r.Disk.Looked = 0, 0
		}
		if i%50 == 7 {
			r.Deleted, r.Disk = true, tree.Stat{}
		}
		commit(t, ix, Change{Record: r})
		paths = append(paths, r.Path)
	}
	for _, under := range []tree.Path{"", "d1", "d9"} {
		var want, got []string
		word := func(r tree.Record) string { return fmt.Sprint(r.Path, r.Kind, r.Disk, r.Attrs, r.Seq) }
		err := ix.Walk(ctx, under, "", func(r tree.Record) (bool, error) { want = append(want, word(r)); return true, nil })
		if err != nil {
			t.Fatal(err)
		}
		err = ix.Standing(ctx, under, func(rows []tree.Record) (bool, error) {
			for _, r := range rows {
				got = append(got, word(r))
			}
			return true, nil
		})
		if err != nil || fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%q: %d rows, Walk gives %d, or they differ: %v", under, len(got), len(want), err)
		}
	}
	calls := 0
	if err := ix.Standing(ctx, "", func([]tree.Record) (bool, error) { calls++; return false, nil }); err != nil || calls != 1 {
		t.Errorf("asked %d times though nothing more was wanted: %v", calls, err)
	}
	for _, n := range []int{0, 1, 2, pathsAtOnce, pathsAtOnce + 1, len(paths)} {
		some := append([]tree.Path{"not/there"}, paths[:n]...)
		rows, err := ix.At(ctx, some)
		if err != nil || len(rows) != n {
			t.Fatalf("%d rows of %d: %v", len(rows), n, err)
		}
		for _, p := range some {
			want, had, _ := ix.Get(ctx, p)
			if got, found := rows[p]; found != had || fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, Get gives %v", p, got, want)
			}
		}
	}
}
