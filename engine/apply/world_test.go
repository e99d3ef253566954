package apply

import (
	"context"
	"maps"
	"path"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// world is a fake disk with an Applier on it, and a group that is to be carried
// out. The contents "old…" are a person's, "new…" come from elsewhere.
type world struct {
	*fakeFS
	a       *Applier
	caps    rootfs.Capabilities
	actions []plan.Action
	seq     uint64
	person  map[string]bool // contents that a person wrote
	need    map[string]bool // of those, what must not be lost
	unseen  bool            // an edit was made that lstat can't show, so a record may hide it: not apply's to see
}

// variant is a kind of file system.
type variant struct {
	name                                              string
	noSwap, coarse, noInodes, noSync, byHand, isYoung bool
}

var variants = []variant{
	{name: "exchange"},
	{name: "gap", noSwap: true},
	{name: "gap without inodes, coarse times, syncfs, no-replace", noSwap: true, coarse: true, noInodes: true, noSync: true, byHand: true},
	{name: "exchange with coarse times", coarse: true},
	{name: "exchange of young files", isYoung: true},
}

func newWorld(v variant) *world {
	w := &world{fakeFS: newFake(), person: map[string]bool{}, need: map[string]bool{}}
	w.noSwap, w.noSync = v.noSwap, v.noSync
	w.caps = rootfs.Capabilities{
		Exchange: !v.noSwap, NoReplace: !v.byHand, Lease: true, CaseSensitive: true, ExecBit: true, Symlinks: true, Inodes: !v.noInodes, MTimeGrain: time.Millisecond,
	}
	if v.coarse {
		w.grain, w.caps.MTimeGrain = 2000, 2*time.Second
	}
	return w
}

// applier is a new one on the same disk, as after a start.
func (w *world) applier() *Applier {
	return New(w.fakeFS, w.caps, Options{Now: w.now, Content: sumContent, Device: "pi", Junk: func(n string) bool { return n == ".DS_Store" }})
}

func (w *world) dirs(p string) {
	if dir := path.Dir(p); dir != "." && w.nodes[dir] == nil {
		w.dirs(dir)
		w.nodes[dir] = w.fakeFS.add(rootfs.Directory, "")
	}
}

// put makes something of a person's on the disk and its row in the index.
func (w *world) put(p string, k rootfs.Kind, data string) tree.Record {
	w.dirs(p)
	n := w.fakeFS.add(k, data)
	w.nodes[p] = n
	if data != "" {
		w.person[data], w.need[data] = true, true
	}
	w.seq++
	rec := tree.Record{Entry: tree.Entry{Path: tree.Path(p), MTime: n.mtime, Mode: n.mode}, Disk: statOf(w.info(p, n)), Seq: w.seq}
	rec.Kind = rec.Disk.Kind
	switch rec.Kind {
	case tree.File:
		rec.Content, rec.Size = contentOf(data), int64(len(data))
	case tree.Symlink:
		rec.Target, rec.Mode = data, 0
	case tree.Dir:
		rec.MTime = 0
	}
	return rec
}

func (w *world) file(p, data string) tree.Record { return w.put(p, rootfs.Regular, data) }

// newFile is an action that brings a file with content data to p.
func (w *world) newFile(p, data string, was tree.Record) plan.Action {
	staged := Staging + "/" + contentOf(data).String()
	w.nodes[staged] = w.fakeFS.add(rootfs.Regular, data)
	e := tree.Entry{Path: tree.Path(p), Kind: tree.File, Size: int64(len(data)), MTime: 1_600_000_000e9, Mode: 0o640, Content: contentOf(data)}
	return plan.Action{Op: plan.Put, Entry: e, Was: was, Staged: staged}
}

func keeping(act plan.Action, p string) plan.Action {
	keep := act.Was.Entry
	keep.Path, keep.Conflict = tree.Path(p), &tree.Conflict{Of: act.Was.Path}
	act.Keep = &keep
	return act
}

func deletion(was tree.Record) plan.Action {
	e := was.Entry
	e.Deleted = true
	return plan.Action{Op: plan.Delete, Entry: e, Was: was}
}

func moving(from tree.Record, p string) plan.Action {
	e, gone := from.Entry, from.Entry
	e.Path, gone.Deleted, gone.MovedTo = tree.Path(p), true, tree.Path(p)
	return plan.Action{Op: plan.Move, Entry: e, From: &from, FromGone: &gone}
}

func link(p, target string, was tree.Record) plan.Action {
	return plan.Action{Op: plan.Link, Was: was, Entry: tree.Entry{Path: tree.Path(p), Kind: tree.Symlink, MTime: 1_600_000_000e9, Target: target}}
}

func mkdir(p string, was tree.Record) plan.Action {
	return plan.Action{Op: plan.Make, Was: was, Entry: tree.Entry{Path: tree.Path(p), Kind: tree.Dir, Mode: 0o750}}
}

// scenarios are the groups that every kind of trouble is tried on. The first
// paths of each are where a person meddles.
var scenarios = []struct {
	name  string
	build func(w *world) []plan.Action
}{
	{"create", func(w *world) []plan.Action {
		w.put("d", rootfs.Directory, "")
		return []plan.Action{w.newFile("d/a.txt", "new", tree.Record{})}
	}},
	{"create in a missing directory", func(w *world) []plan.Action { return []plan.Action{w.newFile("d/e/a.txt", "new", tree.Record{})} }},
	{"replace", func(w *world) []plan.Action {
		return []plan.Action{w.newFile("d/a.txt", "new", w.file("d/a.txt", "old-file"))}
	}},
	{"replace and keep", func(w *world) []plan.Action {
		return []plan.Action{keeping(w.newFile("d/a.txt", "new", w.file("d/a.txt", "old-file")), "d/a (conflict pi).txt")}
	}},
	{"delete", func(w *world) []plan.Action { return []plan.Action{deletion(w.file("d/a.txt", "old-file"))} }},
	{"delete a directory and its file", func(w *world) []plan.Action {
		dir := w.put("d", rootfs.Directory, "")
		return []plan.Action{deletion(w.file("d/a.txt", "old-file")), deletion(dir)}
	}},
	{"move", func(w *world) []plan.Action { return []plan.Action{moving(w.file("d/a.txt", "old-file"), "e/b.txt")} }},
	{"move and date", func(w *world) []plan.Action {
		act := moving(w.file("d/a.txt", "old-file"), "e/b.txt")
		act.Entry.MTime, act.Entry.Mode = 1_500_000_000e9, 0o600
		return []plan.Action{act}
	}},
	{"symlink", func(w *world) []plan.Action { return []plan.Action{link("d/a.txt", "new/../target", tree.Record{})} }},
	{"symlink over file", func(w *world) []plan.Action {
		return []plan.Action{link("d/a.txt", "/etc/new", w.file("d/a.txt", "old-file"))}
	}},
	{"file over symlink", func(w *world) []plan.Action {
		return []plan.Action{w.newFile("d/a.txt", "new", w.put("d/a.txt", rootfs.Symlink, "old/target"))}
	}},
	{"directory over file", func(w *world) []plan.Action {
		return []plan.Action{keeping(mkdir("d/a.txt", w.file("d/a.txt", "old-file")), "d/a (conflict pi).txt"), w.newFile("d/a.txt/below", "new", tree.Record{})}
	}},
	{"file over directory", func(w *world) []plan.Action {
		return []plan.Action{w.newFile("d/a.txt", "new", w.put("d/a.txt", rootfs.Directory, ""))}
	}},
	{"metadata", func(w *world) []plan.Action {
		was := w.file("d/a.txt", "old-file")
		act := plan.Action{Op: plan.Meta, Entry: was.Entry, Was: was}
		act.Entry.Mode, act.Entry.MTime = 0o755, 1_500_000_000e9
		return []plan.Action{act}
	}},
	{"a copy, and what depends on it", func(w *world) []plan.Action {
		was := w.file("d/a.txt", "old-file")
		copied := w.newFile("d/a (conflict pi).txt", "new", tree.Record{})
		copied.Entry.Conflict = &tree.Conflict{Of: "d/a.txt"}
		return []plan.Action{copied, {Op: plan.Adopt, Entry: was.Entry, Was: was, Needs: []tree.Path{copied.Entry.Path}}}
	}},
	{"many", func(w *world) []plan.Action {
		return []plan.Action{
			mkdir("n", tree.Record{}), w.newFile("n/1", "new 1", tree.Record{}), w.newFile("n/2", "new 2", tree.Record{}),
			w.newFile("d/a.txt", "new 3", w.file("d/a.txt", "old-3--3")), moving(w.file("d/m", "old-4--4"), "e/b.txt"), deletion(w.file("d/g", "old-5--5")),
		}
	}},
	{"an edit that follows a move", func(w *world) []plan.Action {
		old, there := w.file("a.txt", "edit-one"), w.file("d/a.txt", "old-file")
		follow, gone := w.newFile("d/a.txt", "new", there), deletion(old)
		gone.Needs = []tree.Path{follow.Entry.Path}
		return []plan.Action{follow, gone}
	}},
}

func build(v variant, scenario int) *world {
	w := newWorld(v)
	w.actions = scenarios[scenario].build(w)
	if !v.isYoung {
		w.clock += 3_600_000
	}
	w.flush()
	w.a = w.applier()
	return w
}

// edits are what a person may do to a path at any moment.
var edits = map[string]func(w *world, p, data string){
	"write in place": func(w *world, p, data string) {
		if n := w.nodes[p]; n != nil && n.kind == rootfs.Regular {
			w.clock++
			n.data, n.mtime = data, w.clock/w.grain*w.grain*1e6
		}
	},
	// Within the grain of the mtime, so that lstat doesn't show it.
	"write unseen": func(w *world, p, data string) {
		n := w.nodes[p]
		if n == nil || n.kind != rootfs.Regular || isNew(n.data) {
			return
		}
		if w.now().UnixNano()-n.mtime < 1e9 || w.grain > 1 {
			n.data = data
		}
	},
	"save by rename": func(w *world, p, data string) {
		if n := w.nodes[p]; n == nil || n.kind != rootfs.Directory {
			w.create(p, rootfs.Regular, data)
		}
	},
	"delete": func(w *world, p, _ string) { w.removeAll(p) },
	"create": func(w *world, p, data string) {
		if w.nodes[p] == nil {
			w.create(p, rootfs.Regular, data)
		}
	},
	"chmod": func(w *world, p, _ string) {
		if n := w.nodes[p]; n != nil {
			n.mode ^= 0o100
		}
	},
	"become a directory": func(w *world, p, data string) {
		w.removeAll(p)
		w.create(p, rootfs.Directory, "")
		w.create(p+"/inside", rootfs.Regular, data)
	},
	"become a symlink": func(w *world, p, data string) {
		w.removeAll(p)
		w.create(p, rootfs.Symlink, data)
	},
	"move the parent away": func(w *world, p, _ string) {
		if dir := path.Dir(p); w.nodes[dir] != nil && w.nodes["elsewhere"] == nil {
			w.rename(dir, "elsewhere")
		}
	},
	"replace the parent by a symlink": func(w *world, p, data string) {
		if dir := path.Dir(p); w.nodes[dir] != nil && w.nodes["elsewhere"] == nil {
			w.rename(dir, "elsewhere")
			w.nodes[dir] = w.fakeFS.add(rootfs.Symlink, data)
		}
	},
}

func (w *world) create(p string, k rootfs.Kind, data string) {
	if n := w.nodes[path.Dir(p)]; n != nil && n.kind == rootfs.Directory {
		w.nodes[p] = w.fakeFS.add(k, data)
	}
}

func (w *world) removeAll(p string) {
	for q := range w.nodes {
		if q == p || strings.HasPrefix(q, p+"/") {
			delete(w.nodes, q)
		}
	}
}

// edited notes what a person has at this moment, after an edit that wrote data:
// what they removed themselves need not be kept.
func (w *world) edited(data string) {
	w.person[data] = true
	there := w.contents(func(p string) bool { return !isTmp(p) })
	for c := range w.person {
		if !there[c] {
			delete(w.need, c)
		} else if c == data {
			w.need[c] = true
		}
	}
}

// meddle lists where a person edits.
func (w *world) meddle() []string {
	set := map[string]bool{}
	for _, act := range w.actions {
		set[string(act.Entry.Path)] = true
		if act.Keep != nil {
			set[string(act.Keep.Path)] = true
		}
		if act.From != nil {
			set[string(act.From.Path)] = true
		}
	}
	return slices.Sorted(maps.Keys(set))
}

func (w *world) group() ([]Outcome, error) { return w.a.Group(context.Background(), all(w.actions)) }

// all is what Group takes.
func all(actions []plan.Action) []*plan.Action {
	out := make([]*plan.Action, len(actions))
	for i := range actions {
		out[i] = &actions[i]
	}
	return out
}

// nothingLost: each content that has to be there is live or in the archive.
func (w *world) nothingLost(t *testing.T) {
	t.Helper()
	there := w.contents(func(p string) bool { return isLive(p) || isArchive(p) })
	for c := range w.need {
		if !there[c] {
			t.Errorf("lost: %q\n%s\n%s", c, w.listing(), strings.Join(w.log, "\n"))
		}
	}
}

// truthful: no row that the index would get hides what is on the disk.
func (w *world) truthful(t *testing.T, outcomes []Outcome) {
	t.Helper()
	if len(outcomes) != len(w.actions) {
		t.Fatalf("%d outcomes of %d actions", len(outcomes), len(w.actions))
	}
	for _, o := range outcomes {
		if (o.Status == Done) != (o.Err == nil) || (o.Status != Done && len(o.Changes) > 0) {
			t.Errorf("%s: %v, %v, %d changes", o.Action.Entry.Path, o.Status, o.Err, len(o.Changes))
		}
		for _, c := range o.Changes {
			w.honest(t, c.Record)
		}
		for _, x := range o.Archived {
			if n := w.nodes[x.File]; n == nil || n.data == "" && x.Size > 0 {
				t.Errorf("%s: said to be archived at %s", x.Path, x.File)
			}
		}
	}
}

func (w *world) honest(t *testing.T, rec tree.Record) {
	t.Helper()
	n := w.nodes[string(rec.Path)]
	if n == nil || !rec.Exists() || w.unseen {
		return
	}
	if rec.Disk != statOf(w.info(string(rec.Path), n)) || rec.Kind == tree.Dir {
		return // a scan sees the difference
	}
	if n.data != rec.Target && contentOf(n.data) != rec.Content {
		t.Errorf("%s: the record hides %q\n%s", rec.Path, n.data, strings.Join(w.log, "\n"))
	}
}

func (w *world) listing() string {
	var b strings.Builder
	for _, p := range slices.Sorted(maps.Keys(w.nodes)) {
		b.WriteString("  " + p + "  " + w.nodes[p].kind.String() + " " + w.nodes[p].data + "\n")
	}
	return b.String()
}

// tidy: nothing is left on its way, and no parent keeps a lent permission.
func (w *world) tidy(t *testing.T) {
	t.Helper()
	for _, name := range w.children(Private) {
		if !strings.HasPrefix(name, latePrefix) {
			t.Errorf("left in %s: %s\n%s\n%s", Private, name, w.listing(), strings.Join(w.log, "\n"))
		}
	}
}
