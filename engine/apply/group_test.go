package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
	"testing"
	"time"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// started is a world with these actions, long after its files were written.
func started(w *world, actions ...plan.Action) *world {
	w.actions = actions
	w.clock += 3_600_000
	w.flush()
	w.a = w.applier()
	return w
}

func (w *world) statuses(t *testing.T) []Status {
	t.Helper()
	outcomes, err := w.group()
	if err != nil {
		t.Fatal(err)
	}
	w.truthful(t, outcomes)
	w.nothingLost(t)
	w.tidy(t)
	var s []Status
	for _, o := range outcomes {
		s = append(s, o.Status)
	}
	return s
}

func expect(t *testing.T, got []Status, want ...Status) {
	t.Helper()
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("%v instead of %v", got, want)
	}
}

func (w *world) holds(t *testing.T, p, data string) {
	t.Helper()
	if n := w.nodes[p]; n == nil || n.data != data {
		t.Errorf("%s does not hold %q\n%s", p, data, w.listing())
	}
}

// at runs f just before the first call that begins with op.
func (w *world) at(op string, f func()) {
	done := false
	w.before = func(_ int, line string) {
		if !done && strings.HasPrefix(line, op) {
			done = true
			f()
		}
	}
}

// stopAfter stops the machine after the first call that begins with op.
func (w *world) stopAfter(op string) {
	w.after = func(step int, line string) {
		if strings.HasPrefix(line, op) && w.stopAt < 0 {
			w.stopAt = step + 1
		}
	}
}

func TestEachStatus(t *testing.T) {
	plain := variants[0]
	t.Run("busy", func(t *testing.T) {
		w := newWorld(plain)
		was, gone := w.file("a", "old"), w.file("b", "old b")
		started(w, w.newFile("a", "new", was), deletion(gone), w.newFile("c", "new c", tree.Record{}))
		w.nodes["a"].writers, w.nodes["b"].writers = 1, 1
		expect(t, w.statuses(t), Busy, Busy, Done)
		w.holds(t, "a", "old")
	})
	t.Run("changed before", func(t *testing.T) {
		w := newWorld(plain)
		started(w, w.newFile("a", "new", w.file("a", "old")), deletion(w.file("b", "old b")), moving(w.file("c", "old c"), "d"))
		for _, p := range []string{"a", "b", "c"} {
			edits["save by rename"](w, p, "edit "+p)
			w.edited("edit " + p)
		}
		expect(t, w.statuses(t), Changed, Changed, Changed)
		w.holds(t, "b", "edit b")
	})
	t.Run("exists", func(t *testing.T) {
		w := newWorld(plain)
		keep := keeping(w.newFile("k", "new k", w.file("k", "old k")), "taken")
		started(w, w.newFile("a", "new", tree.Record{}), link("l", "new l", tree.Record{}), mkdir("d", tree.Record{}), keep, moving(w.file("m", "old m"), "n"))
		for _, p := range []string{"a", "l", "d", "taken", "n"} {
			w.create(p, rootfs.Regular, "edit "+p)
			w.edited("edit " + p)
		}
		expect(t, w.statuses(t), Exists, Exists, Exists, Exists, Exists)
		w.holds(t, "k", "old k")
		w.holds(t, "m", "old m")
	})
	t.Run("not empty, and junk", func(t *testing.T) {
		w := newWorld(plain)
		d, e := w.put("d", rootfs.Directory, ""), w.put("e", rootfs.Directory, "")
		over := w.newFile("f", "new", w.put("f", rootfs.Directory, ""))
		started(w, deletion(d), deletion(e), over)
		w.create("d/.DS_Store", rootfs.Regular, "junk")
		w.create("e/.DS_Store", rootfs.Regular, "junk 2")
		w.create("e/thesis", rootfs.Regular, "edit")
		w.create("f/thesis", rootfs.Regular, "edit 2")
		w.edited("edit")
		w.edited("edit 2")
		expect(t, w.statuses(t), Done, NotEmpty, NotEmpty)
		if w.nodes["d"] != nil || !w.contents(isArchive)["junk"] || w.nodes["e/.DS_Store"] == nil {
			t.Error(w.listing())
		}
	})
	t.Run("wrong plans", func(t *testing.T) {
		w := newWorld(plain)
		a := w.file("a", "old")
		escaped, unstaged, twice := w.newFile("x", "new", tree.Record{}), w.newFile("y", "new y", tree.Record{}), w.newFile("z", "new z", tree.Record{})
		escaped.Entry.Path, unstaged.Staged = "../x", "a"
		onto := moving(a, "a2")
		onto.Was = w.file("a2", "old 2")
		started(w, escaped, unstaged, onto, twice, twice, plan.Action{})
		expect(t, w.statuses(t), Failed, Failed, Failed, Done, Changed, Failed)
		w.holds(t, "a", "old")
		w.holds(t, "a2", "old 2")
	})
	t.Run("case twins", func(t *testing.T) {
		w := newWorld(plain)
		w.noCase, w.caps.CaseSensitive = true, false
		w.file("d/Readme", "old")
		started(w, w.newFile("d/README", "new", tree.Record{}), moving(w.file("photo.JPG", "old 2"), "photo.jpg"))
		outcomes, _ := w.group()
		if o := outcomes[0]; o.Status != Failed || !strings.Contains(o.Err.Error(), "only in case") {
			t.Errorf("%v, %v", o.Status, o.Err)
		}
		if outcomes[1].Status != Done {
			t.Errorf("%v, %v", outcomes[1].Status, outcomes[1].Err)
		}
		w.holds(t, "d/Readme", "old")
		w.holds(t, "photo.jpg", "old 2")
	})
	t.Run("a deletion of nothing is done", func(t *testing.T) {
		w := newWorld(plain)
		started(w, deletion(w.file("a", "old")))
		w.removeAll("a")
		w.edited("")
		expect(t, w.statuses(t), Done)
	})
}

// A parent without write permission gets it for the length of a rename.
func TestLentPermission(t *testing.T) {
	for _, v := range variants[:2] {
		w := newWorld(v)
		a := w.newFile("d/a", "new", w.file("d/a", "old"))
		started(w, a, w.newFile("d/b", "new b", tree.Record{}), deletion(w.file("d/c", "old c")))
		w.nodes["d"].mode = 0o555
		expect(t, w.statuses(t), Done, Done, Done)
		if w.nodes["d"].mode != 0o555 {
			t.Errorf("mode %o is left", w.nodes["d"].mode)
		}
		w.holds(t, "d/a", "new")
	}
}

// What can't be made durable is not claimed.
func TestUnflushed(t *testing.T) {
	for which := range 2 {
		w := newWorld(variants[0])
		started(w, w.newFile("a", "new", w.file("a", "old")), w.newFile("b", "new b", tree.Record{}))
		n := 0
		w.fail = func(_ int, op string) error {
			if op == "syncfs" {
				if n++; n == which+1 {
					return syscall.EIO
				}
			}
			return nil
		}
		outcomes, err := w.group()
		if !errors.Is(err, syscall.EIO) {
			t.Fatalf("error is %v", err)
		}
		for _, o := range outcomes {
			if o.Status == Done || len(o.Changes) > 0 {
				t.Errorf("flush %d: %v", which, o.Status)
			}
		}
		if which == 0 {
			w.holds(t, "a", "old")
		}
		w.truthful(t, outcomes)
		w.nothingLost(t)
	}
}

// A conflict copy that could not be made holds up what would forget its content.
func TestCopyFirst(t *testing.T) {
	w := build(variants[0], 14)
	w.create("d/a (conflict pi).txt", rootfs.Regular, "edit")
	w.edited("edit")
	expect(t, w.statuses(t), Exists, Changed)
}

// An edit that could not be brought to where its file was moved holds up the
// deletion of its old name, which would forget it.
func TestNeeds(t *testing.T) {
	w := build(variants[0], 16)
	expect(t, w.statuses(t), Done, Done)
	w = build(variants[0], 16)
	edits["save by rename"](w, "d/a.txt", "edit")
	w.edited("edit")
	expect(t, w.statuses(t), Changed, Changed)
	w.holds(t, "a.txt", "edit-one")
}

// An edit that lstat can't show is seen by its content, and keeps its place.
func TestUnseenEdit(t *testing.T) {
	for _, v := range variants {
		if !v.coarse && !v.isYoung {
			continue
		}
		for _, name := range []string{"replace", "replace and keep", "delete", "move"} {
			for i, s := range scenarios {
				if s.name != name {
					continue
				}
				w := build(v, i)
				edit := func() {
					w.nodes["d/a.txt"].data = "OLD-FILE"
					w.edited("OLD-FILE")
				}
				w.at("exchange", edit)
				if v.noSwap || name == "delete" || name == "move" {
					w.at("rename d/a.txt", edit)
				}
				expect(t, w.statuses(t), Changed)
				w.holds(t, "d/a.txt", "OLD-FILE")
			}
		}
	}
}

// A crash between an exchange and the look after it: Recover looks.
func TestRecoverLooks(t *testing.T) {
	recovered := func(w *world) []Late {
		w.group()
		w.revive(false, false)
		late, err := w.applier().Recover(context.Background())
		if err != nil {
			t.Fatal(err)
		}
		w.nothingLost(t)
		w.tidy(t)
		return late
	}
	t.Run("at an edit", func(t *testing.T) {
		w := build(variants[0], 2)
		w.at("exchange", func() { edits["save by rename"](w, "d/a.txt", "edit"); w.edited("edit") })
		w.stopAfter("exchange")
		late := recovered(w)
		w.holds(t, "d/a.txt", "new")
		if len(late) != 1 || late[0].Kept == "" || w.nodes[string(late[0].Kept)].data != "edit" {
			t.Errorf("%+v\n%s", late, w.listing())
		}
	})
	t.Run("at the old version", func(t *testing.T) {
		w := build(variants[0], 2)
		w.stopAfter("exchange")
		late := recovered(w)
		if len(late) != 1 || late[0].Kept != "" || !w.contents(isArchive)["old-file"] {
			t.Errorf("%+v\n%s", late, w.listing())
		}
	})
	t.Run("at what is to be kept", func(t *testing.T) {
		w := build(variants[0], 3)
		w.stopAfter("exchange")
		recovered(w)
		w.holds(t, "d/a (conflict pi).txt", "old-file")
	})
	t.Run("at a gap", func(t *testing.T) {
		w := build(variants[1], 2)
		w.stopAfter("rename d/a.txt")
		recovered(w)
		w.holds(t, "d/a.txt", "old-file")
	})
	t.Run("at an orphan and a damaged note", func(t *testing.T) {
		w := started(newWorld(variants[0]))
		w.create(Private, rootfs.Directory, "")
		w.create(Private+"/x-1", rootfs.Regular, "orphan")
		w.create(Private+"/"+intentPrefix+"x", rootfs.Regular, "{\"Items\":[{")
		w.create(Private+"/"+latePrefix+"x", rootfs.Regular, "")
		if late := recovered(w); len(late) != 1 || w.nodes[late[0].File] == nil {
			t.Errorf("%+v", late)
		}
		if _, err := w.applier().Recheck(context.Background()); err != nil || len(w.children(Private)) > 0 {
			t.Errorf("%v\n%s", err, w.listing())
		}
	})
	t.Run("and believes no note about other places", func(t *testing.T) {
		w := started(newWorld(variants[0]))
		w.file("d/a", "old")
		w.create(Private, rootfs.Directory, "")
		w.create(Private+"/"+intentPrefix+"x", rootfs.Regular, `{"Items":[{"Op":2,"Src":"d","Held":"d/a","Was":{"Path":"../b"}},{"Op":3,"Src":"d/a","Was":{"Path":"b"}}]}`)
		recovered(w)
		w.holds(t, "d/a", "old")
	})
}

func TestRecheck(t *testing.T) {
	ctx := context.Background()
	t.Run("sees what lstat doesn't show", func(t *testing.T) {
		w := build(variants[3], 2)
		n := w.nodes["d/a.txt"]
		w.group()
		n.data = "LATE----"
		late, err := w.a.Recheck(ctx)
		if err != nil || len(late) != 1 || !w.contents(isLive)["LATE----"] {
			t.Errorf("%v, %v", late, err)
		}
	})
	t.Run("ends", func(t *testing.T) {
		w := build(variants[0], 2)
		n := w.nodes["d/a.txt"]
		n.writers = 0
		w.group()
		n.writers = 1 // opened between the lease and the exchange
		for range 3 {
			if _, err := w.a.Recheck(ctx); err != nil || len(w.children(Private)) != 1 {
				t.Fatalf("%v: %v", err, w.children(Private))
			}
			w.clock += 400_000
		}
		n.writers = 0
		if _, err := w.a.Recheck(ctx); err != nil || len(w.children(Private)) != 0 {
			t.Fatalf("%v: %v", err, w.children(Private))
		}
	})
	t.Run("is bounded", func(t *testing.T) {
		w := started(newWorld(variants[0]))
		w.create(Private, rootfs.Directory, "")
		w.create(Archive, rootfs.Directory, "")
		w.create(Archive+"/a~1", rootfs.Regular, "")
		for i := range maxLate + 5 {
			n := w.nodes[Archive+"/a~1"]
			note := fmt.Sprintf(`[{"Path":"a","File":%q,"MTime":%d,"When":%q}]`, Archive+"/a~1", n.mtime, w.now().Format(time.RFC3339))
			w.nodes[fmt.Sprintf("%s/%s%05d", Private, latePrefix, i)] = &node{kind: rootfs.Regular, data: note}
		}
		late, err := w.a.Recheck(ctx)
		if err != nil || len(late) > 0 || len(w.children(Private)) != maxLate {
			t.Errorf("%v, %v, %d left", late, err, len(w.children(Private)))
		}
	})
}

// Names in the archive give way to each other, and to directories.
func TestArchiveClashes(t *testing.T) {
	w := newWorld(variants[0])
	a := w.file("a", "old")
	when := time.UnixMilli(w.clock + 3_600_000) // nothing is written before it is archived
	under := w.file(archiveName("a", when, 0)+"/b", "old b")
	started(w, deletion(a), deletion(under))
	w.create(Archive, rootfs.Directory, "")
	for s := range 5 {
		w.create(Archive+"/"+archiveName("a", when.Add(time.Duration(s)*time.Second), 0), rootfs.Regular, "other")
	}
	expect(t, w.statuses(t), Done, Done)
	there := w.contents(isArchive)
	for _, c := range []string{"other", "old", "old b"} {
		if !there[c] {
			t.Errorf("%q is not in the archive\n%s", c, w.listing())
		}
	}
}

// A person may empty the archive at any time.
func TestArchiveEmptied(t *testing.T) {
	w := started(newWorld(variants[0]), nil...)
	for i := range 2 {
		w.actions = []plan.Action{deletion(w.file(fmt.Sprintf("d/%d", i), fmt.Sprintf("old %d", i)))}
		expect(t, w.statuses(t), Done)
		w.removeAll(Archive)
		w.edited("")
	}
	w.actions = []plan.Action{deletion(w.file("d/x", "old x"))}
	w.at("rename .pinion/apply", func() { w.removeAll(Archive) })
	expect(t, w.statuses(t), Done)
}

func TestSentences(t *testing.T) {
	for err, want := range map[error]string{
		syscall.ENOSPC: "disk is full", syscall.EROFS: "read-only", syscall.ENAMETOOLONG: "too long", fs.ErrPermission: "permission", rootfs.ErrEscapes: "symlink",
	} {
		w := newWorld(variants[0])
		started(w, w.newFile("a", "new", tree.Record{}))
		w.fail = func(_ int, op string) error {
			if strings.HasPrefix(op, "rename") {
				return err
			}
			return nil
		}
		outcomes, _ := w.group()
		if o := outcomes[0]; o.Status != Failed || !strings.Contains(o.Err.Error(), want) || !strings.HasPrefix(o.Err.Error(), "a ") || !errors.Is(o.Err, err) {
			t.Errorf("%v: %v", o.Status, o.Err)
		}
	}
}

func TestCancelled(t *testing.T) {
	w := build(variants[0], 16)
	ctx, cancel := context.WithCancel(context.Background())
	w.at("rename "+Staging, cancel)
	outcomes, err := w.a.Group(ctx, all(w.actions))
	w.before = nil
	if !errors.Is(err, context.Canceled) {
		t.Fatal(err)
	}
	w.truthful(t, outcomes)
	w.nothingLost(t)
	w.tidy(t)
}

// What takes a new directory's place before it was looked at is not taken for it:
// the row is a directory's, so that a scan finds something else.
func TestFileInThePlaceOfANewDirectory(t *testing.T) {
	w := newWorld(variants[0])
	started(w, mkdir("d", tree.Record{}))
	w.at("lstat d", func() {
		w.removeAll("d")
		w.create("d", rootfs.Regular, "edit")
		w.edited("edit")
	})
	outcomes, err := w.group()
	if err != nil {
		t.Fatal(err)
	}
	if o := outcomes[0]; o.Status != Done || o.Changes[0].Record.Disk.Kind != tree.Dir {
		t.Errorf("%+v", o)
	}
	w.holds(t, "d", "edit")
}

// What a person puts into a directory that stood there for a moment, before the
// file that it replaced went back to its place, is live beside that.
func TestWrittenIntoADirectoryThatIsTakenBack(t *testing.T) {
	w := newWorld(variants[0])
	started(w, mkdir("d", w.file("d", "old-one")))
	swapped := false
	w.before = func(_ int, op string) {
		switch {
		case strings.HasPrefix(op, "exchange") && !swapped:
			swapped = true
			w.nodes["d"].data = "edit-one"
			w.nodes["d"].mtime++
			w.edited("edit-one")
		case swapped && w.nodes["d"].kind == rootfs.Directory && w.nodes["d/new"] == nil:
			w.create("d/new", rootfs.Regular, "edit-two")
			w.edited("edit-two")
		}
	}
	if _, err := w.group(); err != nil {
		t.Fatal(err)
	}
	w.before = nil
	w.holds(t, "d", "edit-one")
	w.nothingLost(t)
	w.tidy(t)
}
