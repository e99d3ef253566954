package index

import (
	"fmt"
	"strings"
	"testing"

	"pinion/engine/tree"
)

// outlineOf is a small tree with names on both sides of the separator.
func outlineOf(t testing.TB, files int) *Index {
	t.Helper()
	ix, _ := fresh(t)
	var changes []Change
	add := func(p string, kind tree.Kind, size int64) {
		e := tree.Entry{Path: tree.Path(p), Kind: kind, Version: tree.Version{}.Bump(ix.Self().ID, ix.Tick()), Author: ix.Self().ID}
		if kind == tree.File {
			e.Size, e.Content = size, content(len(changes))
		}
		changes = append(changes, Change{Record: tree.Record{Entry: e}})
		if len(changes)%benchBatch == 0 {
			commit(t, ix, changes[len(changes)-benchBatch:]...)
		}
	}
	for d := range (files + 99) / 100 {
		dir := fmt.Sprintf("dir%04d", d)
		add(dir, tree.Dir, 0)
		add(dir+" x", tree.File, 3)
		add(dir+"!", tree.File, 5)
		for f := range 100 {
			add(fmt.Sprintf("%s/file%03d.txt", dir, f), tree.File, int64(f))
		}
	}
	commit(t, ix, changes[len(changes)/benchBatch*benchBatch:]...)
	return ix
}

func TestOutlineAndWeigh(t *testing.T) {
	ix := outlineOf(t, 1000)
	ctx := t.Context()
	if files, size, err := ix.Weigh(ctx, "dir0003"); err != nil || files != 100 || size != 4950 {
		t.Errorf("a directory weighs %d files, %d bytes (%v)", files, size, err)
	}
	if files, size, err := ix.Weigh(ctx, ""); err != nil || files != 1020 || size != 10*4950+10*8 {
		t.Errorf("all weighs %d files, %d bytes (%v)", files, size, err)
	}
	list := func(after tree.Path, want func(tree.Path) bool, step func(Outlined) Step) (out []string) {
		t.Helper()
		err := ix.Outline(ctx, after, want, func(o Outlined) (Step, error) {
			out = append(out, fmt.Sprintf("%s %d %d", o.Path, o.Kind, o.Size))
			return step(o), nil
		})
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	all := func(tree.Path) bool { return true }
	if got := list("", all, func(Outlined) Step { return Into }); len(got) != 1030 || got[0] != "dir0000 2 0" || got[1] != "dir0000/file000.txt 1 0" || got[1029] != "dir0009! 1 5" {
		t.Errorf("%d paths: %q …", len(got), got[:2])
	}
	past := func(o Outlined) Step {
		if o.Kind == tree.Dir {
			return Past
		}
		return Into
	}
	if got := list("", all, past); len(got) != 30 || got[1] != "dir0000 x 1 3" {
		t.Errorf("past directories: %q", got)
	}
	if got := list("dir0008", all, past); len(got) != 5 || got[0] != "dir0008 x 1 3" {
		t.Errorf("after one: %q", got)
	}
	odd := func(p tree.Path) bool { return strings.HasSuffix(string(p), "77.txt") }
	if got := list("", odd, func(Outlined) Step { return Into }); len(got) != 10 || got[9] != "dir0009/file077.txt 1 77" {
		t.Errorf("some: %q", got)
	}
	if got := list("", odd, func(Outlined) Step { return Stop }); len(got) != 1 {
		t.Errorf("the first: %q", got)
	}
}

func BenchmarkOutline(b *testing.B) {
	ix := outlineOf(b, 100_000)
	for name, want := range map[string]func(tree.Path) bool{
		"none": func(tree.Path) bool { return false },
		"all":  func(tree.Path) bool { return true },
	} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if err := ix.Outline(b.Context(), "", want, func(Outlined) (Step, error) { return Into, nil }); err != nil {
					b.Fatal(err)
				}
			}
			rows(b, b.N*103_000)
		})
	}
}
