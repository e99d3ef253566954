package apply

import (
	"context"
	"errors"
	"slices"
	"testing"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// relocation is a directory d with files, a directory and a symlink, which goes to e.
func relocation(w *world) Relocation {
	dir := w.put("d", rootfs.Directory, "")
	rows := []tree.Record{
		w.file("d/a.txt", "old-a"), w.put("d/link", rootfs.Symlink, "old/target"), w.put("d/sub", rootfs.Directory, ""), w.file("d/sub/b.txt", "old-b"), w.file("d/z.txt", "old-z"),
	}
	come, gone := dir.Entry, dir.Entry
	come.Path, gone.Deleted, gone.MovedTo = "e", true, "e"
	w.clock += 3_600_000
	w.caps.UnicodeExact = true
	w.flush()
	w.a = w.applier()
	return Relocation{
		Action: plan.Action{Op: plan.Relocate, Entry: come, From: &dir, FromGone: &gone},
		Inside: func(yield func(tree.Record, error) bool) {
			for _, r := range rows {
				if !yield(r, nil) {
					return
				}
			}
		},
		Ignored: func(p string, dir bool) bool { return p == "d/cache" || p == "e/cache" || p == "d/here" },
	}
}

func TestRelocate(t *testing.T) {
	for _, x := range []struct {
		name   string
		change func(w *world, r *Relocation)
		want   Status
	}{
		{"just what the index says", func(*world, *Relocation) {}, Done},
		{"an edited file", func(w *world, _ *Relocation) { edits["write in place"](w, "d/sub/b.txt", "edited") }, Changed},
		{"a file that is gone", func(w *world, _ *Relocation) { w.removeAll("d/z.txt") }, Failed},
		{"a file that nobody knows", func(w *world, _ *Relocation) { w.nodes["d/sub/c"] = w.fakeFS.add(rootfs.Regular, "new") }, Failed},
		{"a directory that nobody knows", func(w *world, _ *Relocation) { w.nodes["d/more"] = w.fakeFS.add(rootfs.Directory, "") }, Failed},
		{"a file in the place of a directory", func(w *world, _ *Relocation) {
			w.removeAll("d/sub")
			w.nodes["d/sub"] = w.fakeFS.add(rootfs.Regular, "x")
		}, Changed},
		{"what is ignored here and there", func(w *world, _ *Relocation) { w.nodes["d/cache"] = w.fakeFS.add(rootfs.Regular, "x") }, Done},
		{"what is ignored only here", func(w *world, _ *Relocation) { w.nodes["d/here"] = w.fakeFS.add(rootfs.Regular, "x") }, Failed},
		{"a taken place", func(w *world, _ *Relocation) { w.nodes["e"] = w.fakeFS.add(rootfs.Directory, "") }, Changed},
		{"young files", func(w *world, _ *Relocation) { w.clock -= 3_600_000 }, Changed},
		{"another mode", func(w *world, _ *Relocation) { w.nodes["d/sub"].mode = 0o700 }, Changed},
		{"into itself", func(_ *world, r *Relocation) { r.Action.Entry.Path = "d/sub/d" }, Failed},
		{"a disk without case", func(w *world, _ *Relocation) { w.caps.CaseSensitive = false; w.a = w.applier() }, Failed},
		{"a disk without a safe rename", func(w *world, _ *Relocation) { w.caps.NoReplace = false; w.a = w.applier() }, Failed},
		{"rows that end with an error", func(_ *world, r *Relocation) {
			inside := r.Inside
			r.Inside = func(yield func(tree.Record, error) bool) {
				for rec := range inside {
					if !yield(rec, nil) {
						return
					}
				}
				yield(tree.Record{}, errors.New("no more"))
			}
		}, Failed},
	} {
		w := newWorld(variants[0])
		r := relocation(w)
		x.change(w, &r)
		before := len(w.nodes)
		out, err := w.a.Relocate(context.Background(), r)
		if err != nil || out.Status != x.want || (out.Err == nil) != (x.want == Done) {
			t.Errorf("%s: %s, %v, %v", x.name, out.Status, out.Err, err)
		}
		moved := w.nodes["d"] == nil && w.nodes["e"] != nil
		if moved != (x.want == Done) || len(w.nodes) != before {
			t.Errorf("%s: it has moved: %t", x.name, moved)
		}
	}
}

// Whatever is done to a file while its directory goes, it is live afterwards.
func TestRelocateUnderAnEdit(t *testing.T) {
	steps := func() int {
		w := newWorld(variants[0])
		r := relocation(w)
		if _, err := w.a.Relocate(context.Background(), r); err != nil {
			t.Fatal(err)
		}
		return w.step
	}()
	for at := range steps {
		w := newWorld(variants[0])
		r := relocation(w)
		w.before = func(step int, _ string) {
			if step != at {
				return
			}
			dir := "d"
			if w.nodes["d"] == nil {
				dir = "e"
			}
			edits["write in place"](w, dir+"/sub/b.txt", "edited")
			w.nodes[dir+"/added"] = w.fakeFS.add(rootfs.Regular, "added")
		}
		out, err := w.a.Relocate(context.Background(), r)
		if err != nil {
			t.Fatal(err)
		}
		dir := "d"
		if out.Status == Done {
			dir = "e"
		}
		if n := w.nodes[dir+"/sub/b.txt"]; n == nil || n.data != "edited" || w.nodes[dir+"/added"] == nil {
			t.Errorf("step %d, %s: an edit is lost", at, out.Status)
		}
	}
}

// Where the machine stops, all is under one name or the other, and it is only said
// to be done when it is durable.
func TestRelocateStopped(t *testing.T) {
	for stop := 0; ; stop++ {
		w := newWorld(variants[0])
		r := relocation(w)
		w.stopAt = stop
		out, err := w.a.Relocate(context.Background(), r)
		if out.Status == Done {
			if err != nil {
				t.Fatal(err)
			}
			break
		}
		if (w.nodes["d"] == nil) == (w.nodes["e"] == nil) || (w.nodes["d/sub/b.txt"] == nil) == (w.nodes["e/sub/b.txt"] == nil) {
			t.Fatalf("stopped at %d it stands in part", stop)
		}
	}
	w := newWorld(variants[0])
	r := relocation(w)
	if _, err := w.a.Relocate(context.Background(), r); err != nil {
		t.Fatal(err)
	}
	i, j := slices.IndexFunc(w.log, func(l string) bool { return l == "rename d -> e" }), slices.Index(w.log, "syncfs")
	if i < 0 || j < i {
		t.Errorf("%q", w.log)
	}
}
