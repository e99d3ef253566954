package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// real is a folder on the disk of the machine.
type real struct {
	t   testing.TB
	dir string
	r   *rootfs.Root
	a   *Applier
	seq uint64
}

func newReal(t testing.TB) *real {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, Staging), 0o700); err != nil {
		t.Fatal(err)
	}
	r, err := rootfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	caps, err := r.Probe()
	if err != nil {
		t.Fatal(err)
	}
	return &real{t: t, dir: dir, r: r, a: New(Disk(r), caps, Options{Now: time.Now, Content: sumContent, Device: "pi"})}
}

func (w *real) write(p, data string) {
	w.t.Helper()
	file := filepath.Join(w.dir, p)
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(data), 0o644)); err != nil {
		w.t.Fatal(err)
	}
}

func (w *real) row(p string) tree.Record {
	w.t.Helper()
	info, err := w.r.Lstat(p)
	if err != nil {
		w.t.Fatal(err)
	}
	w.seq++
	rec := tree.Record{Entry: tree.Entry{Path: tree.Path(p), MTime: info.MTime, Mode: info.Mode, Size: info.Size}, Disk: statOf(info), Seq: w.seq}
	rec.Kind = rec.Disk.Kind
	switch rec.Kind {
	case tree.File:
		rec.Content = contentOf(w.read(p))
	case tree.Symlink:
		rec.Target, _ = w.r.Readlink(p)
	}
	return rec
}

func (w *real) read(p string) string {
	b, err := os.ReadFile(filepath.Join(w.dir, p))
	if err != nil {
		return err.Error()
	}
	return string(b)
}

func (w *real) newFile(p, data string, was tree.Record) plan.Action {
	staged := Staging + "/" + contentOf(p+data).String()
	w.write(staged, data)
	e := tree.Entry{Path: tree.Path(p), Kind: tree.File, Size: int64(len(data)), MTime: 1_600_000_000_123_456_789, Mode: 0o640, Content: contentOf(data)}
	return plan.Action{Op: plan.Put, Entry: e, Was: was, Staged: staged}
}

// find gives the paths of files with this content, relative to the folder.
func (w *real) find(data string) (found []string) {
	filepath.WalkDir(w.dir, func(p string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if b, _ := os.ReadFile(p); string(b) == data {
				rel, _ := filepath.Rel(w.dir, p)
				found = append(found, filepath.ToSlash(rel))
			}
		}
		return nil
	})
	return found
}

// withoutExchange makes the disk one that can't.
type withoutExchange struct{ disk }

func (withoutExchange) Exchange(a, b string) error { return errors.ErrUnsupported }

func TestOnDisk(t *testing.T) {
	for _, exchange := range []bool{true, false} {
		t.Run(fmt.Sprintf("exchange %v", exchange), func(t *testing.T) {
			w := newReal(t)
			if exchange && !w.a.caps.Exchange {
				t.Skip("this file system can't exchange")
			}
			if !exchange {
				w.a.fs, w.a.caps.Exchange = withoutExchange{disk{w.r}}, false
			}
			for _, name := range []string{"replaced", "kept", "deleted", "moved", "d/last"} {
				w.write(name, "old "+name)
			}
			actions := []plan.Action{
				mkdir("made", tree.Record{}), w.newFile("made/created", "new", tree.Record{}),
				w.newFile("replaced", "new", w.row("replaced")),
				keeping(w.newFile("kept", "new", w.row("kept")), "kept (conflict)"),
				deletion(w.row("d/last")), deletion(w.row("d")), deletion(w.row("deleted")), moving(w.row("moved"), "made/moved"),
			}
			if w.a.caps.Symlinks {
				actions = append(actions, link("link", "../../etc/passwd", tree.Record{}))
			}
			if _, err := w.a.Recover(context.Background()); err != nil {
				t.Fatal(err)
			}
			outcomes, err := w.a.Group(context.Background(), all(actions))
			if err != nil {
				t.Fatal(err)
			}
			for _, o := range outcomes {
				if o.Status != Done {
					t.Errorf("%s %s: %v, %v", o.Action.Op, o.Action.Entry.Path, o.Status, o.Err)
				}
				for _, c := range o.Changes {
					info, err := w.r.Lstat(string(c.Record.Path))
					if c.Record.Exists() != (err == nil) || err == nil && (!w.a.same(statOf(info), c.Record.Disk) || info.Inode != c.Record.Disk.Inode) {
						t.Errorf("%s: %v, %+v instead of %+v", c.Record.Path, err, statOf(info), c.Record.Disk)
					}
				}
			}
			for p, data := range map[string]string{"made/created": "new", "replaced": "new", "kept": "new", "kept (conflict)": "old kept", "made/moved": "old moved"} {
				if got := w.read(p); got != data {
					t.Errorf("%s holds %q", p, got)
				}
			}
			for _, data := range []string{"old replaced", "old deleted", "old d/last"} {
				if found := w.find(data); len(found) != 1 || !isArchive(found[0]) {
					t.Errorf("%q is at %v", data, found)
				}
			}
			names, err := w.a.fs.Names(Private)
			if err != nil || len(names) != 1 || !strings.HasPrefix(names[0], latePrefix) {
				t.Errorf("left: %v, %v", names, err)
			}
		})
	}
}

// meddler edits at one call of a real disk.
type meddler struct {
	FS
	at string
	f  func()
}

func (m *meddler) call(op string) {
	if op == m.at {
		m.at = ""
		m.f()
	}
}
func (m *meddler) Exchange(a, b string) error {
	m.call("before exchange")
	defer m.call("after exchange")
	return m.FS.Exchange(a, b)
}
func (m *meddler) RenameNoReplace(a, b string) error {
	m.call("before rename")
	defer m.call("after rename")
	return m.FS.RenameNoReplace(a, b)
}

func TestEditsOnDisk(t *testing.T) {
	for _, at := range []string{"before exchange", "after exchange", "before rename", "after rename"} {
		for _, how := range []string{"in place", "by rename"} {
			for _, op := range []plan.Op{plan.Put, plan.Delete, plan.Move} {
				w := newReal(t)
				w.write("a", "old content")
				act := map[plan.Op]func() plan.Action{
					plan.Put:    func() plan.Action { return w.newFile("a", "new", w.row("a")) },
					plan.Delete: func() plan.Action { return deletion(w.row("a")) },
					plan.Move:   func() plan.Action { return moving(w.row("a"), "b") },
				}[op]()
				edited := false
				w.a.fs = &meddler{FS: w.a.fs, at: at, f: func() {
					if _, err := w.r.Lstat("a"); err != nil {
						return
					}
					edited = true
					if how == "in place" {
						w.write("a", "AN EDIT!!!!")
						return
					}
					w.write("a.swp", "AN EDIT!!!!")
					if err := os.Rename(filepath.Join(w.dir, "a.swp"), filepath.Join(w.dir, "a")); err != nil {
						t.Fatal(err)
					}
				}}
				outcomes, err := w.a.Group(context.Background(), []*plan.Action{&act})
				if err != nil {
					t.Fatal(err)
				}
				if !edited {
					continue
				}
				if len(w.find("AN EDIT!!!!")) == 0 {
					t.Errorf("%s of a, edited %s %s: lost (%v)", op, how, at, outcomes[0].Err)
				}
				if outcomes[0].Status == Done && strings.HasPrefix(at, "before") && len(w.find("old content")) == 0 {
					t.Errorf("%s of a, edited %s %s: done over it", op, how, at)
				}
			}
		}
	}
}

// A writer that was not seen goes on writing into what was archived.
func TestLateWriteOnDisk(t *testing.T) {
	w := newReal(t)
	w.write("a", "old")
	act := w.newFile("a", "new", w.row("a"))
	var editor *os.File
	w.a.fs = &meddler{FS: w.a.fs, at: "before rename", f: func() {
		var err error
		if editor, err = os.OpenFile(filepath.Join(w.dir, "a"), os.O_RDWR|os.O_APPEND, 0); err != nil {
			t.Fatal(err)
		}
	}}
	if outcomes, err := w.a.Group(context.Background(), []*plan.Action{&act}); err != nil || outcomes[0].Status != Done {
		t.Fatalf("%+v, %v", outcomes, err)
	}
	if _, err := editor.WriteString(", and more"); err != nil {
		t.Fatal(err)
	}
	editor.Close()
	late, err := w.a.Recheck(context.Background())
	if err != nil || len(late) != 1 || w.read(string(late[0].Kept)) != "old, and more" || w.read("a") != "new" {
		t.Errorf("%+v, %v", late, err)
	}
	if w.a.caps.Lease {
		f, _ := os.OpenFile(filepath.Join(w.dir, "a"), os.O_RDWR, 0)
		defer f.Close()
		if outcomes, _ := w.a.Group(context.Background(), all([]plan.Action{w.newFile("a", "newer", w.row("a"))})); outcomes[0].Status != Busy {
			t.Errorf("%v while it is open", outcomes[0].Status)
		}
	}
}

// counter counts the calls.
type counter struct {
	FS
	n int
}

// tagging is a disk on which another program notes something on each file as soon
// as it has its name.
type tagging struct {
	*rootfs.Root
	on bool
}

func (d tagging) Attrs(path string, kinds rootfs.AttrKinds) ([]rootfs.Attr, error) {
	list, err := d.Root.Attrs(path, kinds)
	if d.on && !strings.HasPrefix(path, ".pinion") {
		list = append(list, rootfs.Attr{Name: "user.tag", Value: "1"})
	}
	return list, err
}

// The ctime of what was put goes into the index only with the attributes that are
// known to have been there since.
func TestTheCTimeOfWhatWasPut(t *testing.T) {
	for _, tagged := range []bool{false, true} {
		w := newReal(t)
		if w.a.caps.CTimeGrain == 0 || !w.a.caps.Xattrs {
			t.Skip("this disk's ctimes do not tell of changes, or it keeps no attributes")
		}
		w.write("old", "old")
		w.write("moved", "moved")
		w.write("mode", "mode")
		old, moved, mode := w.row("old"), w.row("moved"), w.row("mode")
		for _, r := range []*tree.Record{&old, &moved, &mode} {
			r.Disk.CTime = 1 // of long ago
		}
		time.Sleep(2 * w.a.caps.CTimeGrain)
		w.a.o.Attributes = Attributes{FS: tagging{w.r, tagged}, Kinds: rootfs.Notes}
		to, meta := moved.Entry, mode.Entry
		to.Path, meta.Mode = "to", 0o600
		gone := moved.Entry
		gone.Deleted = true
		outcomes, err := w.a.Group(context.Background(), all([]plan.Action{
			w.newFile("new", "new", tree.Record{}), w.newFile("old", "newer", old),
			{Op: plan.Move, Entry: to, From: &moved, FromGone: &gone},
			{Op: plan.Meta, Entry: meta, Was: mode},
		}))
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range outcomes {
			if o.Status != Done {
				t.Fatalf("%s: %v", o.Action.Entry.Path, o.Err)
			}
			for _, c := range o.Changes {
				if !c.Record.Exists() {
					continue
				}
				info, err := w.r.Lstat(string(c.Record.Path))
				if err != nil {
					t.Fatal(err)
				}
				want := info.CTime
				if tagged && c.Record.Path != "mode" { // whose attributes were looked at when its mode was set
					want = 0
				}
				if got := c.Record.Disk.CTime; got != want && got != 0 || tagged && got != want || got == 0 && w.a.caps.CTimeGrain == 1 && !tagged {
					t.Errorf("%s, tagged %v: %d, on the disk %d", c.Record.Path, tagged, got, info.CTime)
				}
			}
		}
	}
}

func (c *counter) Lstat(p string) (rootfs.Info, error) { c.n++; return c.FS.Lstat(p) }
func (c *counter) RenameNoReplace(a, b string) error   { c.n++; return c.FS.RenameNoReplace(a, b) }
func (c *counter) SetMode(p string, m uint32) error    { c.n++; return c.FS.SetMode(p, m) }
func (c *counter) SetMTime(p string, ns int64) error   { c.n++; return c.FS.SetMTime(p, ns) }
func (c *counter) Mkdir(p string, m uint32) error      { c.n++; return c.FS.Mkdir(p, m) }
func (c *counter) SyncFS() error                       { c.n++; return c.FS.SyncFS() }
func (c *counter) WriteNew(p string, b []byte) error   { c.n++; return c.FS.WriteNew(p, b) }
func (c *counter) Exchange(a, b string) error          { c.n++; return c.FS.Exchange(a, b) }

// What a group of small files costs; "dressed": transfer gave them their mode
// and mtime when it wrote them.
func BenchmarkCreate(b *testing.B) {
	for _, dressed := range []bool{true, false} {
		for _, files := range []int{100, 1000} {
			b.Run(fmt.Sprintf("dressed=%v/files=%d", dressed, files), func(b *testing.B) {
				w := newReal(b)
				c := &counter{FS: w.a.fs}
				w.a.fs = c
				data := strings.Repeat("x", 16<<10)
				for b.Loop() {
					b.StopTimer()
					w.seq++
					dir := fmt.Sprintf("d%d", w.seq)
					actions := []plan.Action{mkdir(dir, tree.Record{})}
					for i := range files {
						act := w.newFile(fmt.Sprintf("%s/%d", dir, i), data, tree.Record{})
						if dressed {
							if err := errors.Join(w.r.SetMode(act.Staged, act.Entry.Mode), w.r.SetMTime(act.Staged, act.Entry.MTime)); err != nil {
								b.Fatal(err)
							}
						}
						actions = append(actions, act)
					}
					c.n = 0
					b.StartTimer()
					outcomes, err := w.a.Group(context.Background(), all(actions))
					if err != nil || outcomes[files].Status != Done {
						b.Fatal(err, outcomes[files].Err)
					}
				}
				b.ReportMetric(float64(c.n)/float64(files), "calls/file")
				b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*files), "us/file")
			})
		}
	}
}
