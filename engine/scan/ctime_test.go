package scan

import (
	"os"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// asked counts the looks at attributes.
type asked struct {
	Dir
	attrDir
	n *int
}

func (a asked) Attrs(name string, kinds rootfs.AttrKinds) ([]rootfs.Attr, error) {
	*a.n++
	return a.attrDir.Attrs(name, kinds)
}

func (a asked) OpenDir(name string) (Dir, error) {
	d, err := a.Dir.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return asked{d, d.(attrDir), a.n}, nil
}

type askedFS struct {
	FS
	n *int
}

func (a askedFS) OpenDir(path string) (Dir, error) {
	d, err := a.FS.OpenDir(path)
	if err != nil {
		return nil, err
	}
	return asked{d, d.(attrDir), a.n}, nil
}

// dated is a world on a disk whose ctimes tell, and the number of looks at
// attributes there.
func dated(t *testing.T, kinds rootfs.AttrKinds) (*world, *int) {
	t.Helper()
	w, n := newWorld(t), new(int)
	if w.o.Caps.CTimeGrain == 0 || !w.o.Caps.Xattrs {
		t.Skip("this disk's ctimes do not tell of changes, or it keeps no attributes")
	}
	return w.with(func(o *Options) { o.FS, o.Attrs = askedFS{o.FS, n}, kinds }), n
}

func TestNothingIsAskedOfAFileWhoseCTimeIsAsItWas(t *testing.T) {
	w, n := dated(t, rootfs.Notes)
	w.put("a=1", "b=2", "c=3")
	w.full()
	*n = 0
	changes, _ := w.full()
	w.want(changes, "")
	changes, _ = w.paths([]string{"a", "b"}, nil)
	w.want(changes, "")
	if *n != 0 {
		t.Errorf("attributes were looked at %d times", *n)
	}
	w.with(func(o *Options) { o.Attrs |= rootfs.ACLs })
	changes, _ = w.full()
	w.want(changes, "~a ~b ~c") // a kind more is looked at, and noted
	if *n == 0 {
		t.Error("another kind of attributes was not looked at")
	}
	*n = 0
	changes, _ = w.full()
	if w.want(changes, ""); *n != 0 {
		t.Errorf("attributes were looked at %d times again", *n)
	}
}

func TestAChangeOfAttributesAloneIsNoticed(t *testing.T) {
	kinds := rootfs.Notes | rootfs.ACLs
	root := os.Geteuid() == 0
	if root {
		kinds |= rootfs.Owner
	}
	w, _ := dated(t, kinds)
	w.put("note=1", "acl=2", "gone=3", "owner=4", "still=5")
	w.must(w.root.SetAttrs("gone", []rootfs.Attr{{Name: "user.a", Value: "1"}}, rootfs.Notes))
	w.full()
	changes, _ := w.full()
	w.want(changes, "")

	w.must(w.root.SetAttrs("note", []rootfs.Attr{{Name: "user.a", Value: "1"}}, rootfs.Notes))
	w.must(w.root.SetAttrs("gone", nil, rootfs.Notes))
	want := "~gone ~note"
	if w.o.Caps.ACLs {
		w.must(w.root.SetAttrs("acl", []rootfs.Attr{{Name: "acl.access", Value: "user::rw-,user:#0:r--,group::r--,mask::r--,other::r--"}}, rootfs.ACLs))
		want = "~acl " + want
	}
	if root {
		w.must(os.Chown(w.path("owner"), 12345, 12345))
		want += " ~owner"
	}
	w.hashed = nil
	changes, _ = w.full()
	w.want(changes, want)
	if len(w.hashed) != 0 {
		t.Errorf("%d files were read for their attributes", len(w.hashed))
	}
	changes, _ = w.full()
	w.want(changes, "")
}

// edit writes other bytes of the same number, and puts the mtime back.
func (w *world) edit(name, text string) {
	w.t.Helper()
	info, err := os.Stat(w.path(name))
	w.must(err)
	w.must(os.WriteFile(w.path(name), []byte(text), 0o644))
	w.must(os.Chtimes(w.path(name), info.ModTime(), info.ModTime()))
}

func TestAnEditWhoseMTimeWasPutBackIsNoticed(t *testing.T) {
	for name, scan := range map[string]func(w *world) []Change{
		"full":  func(w *world) []Change { c, _ := w.full(); return c },
		"paths": func(w *world) []Change { c, _ := w.paths([]string{"f", "twin", "two", "other"}, nil); return c },
	} {
		t.Run(name, func(t *testing.T) {
			w, _ := dated(t, rootfs.Notes)
			w.put("f=one", "twin=abc", "other=x")
			w.must(os.Link(w.path("twin"), w.path("two"))) // whose row must not vouch for the content
			w.full()
			before := w.model.rows["f"].Content
			w.edit("f", "two")
			w.edit("twin", "xyz")
			w.want(scan(w), "~f ~twin ~two")
			if row := w.model.rows["f"]; row.Content != sum([]byte("two")) || row.Base != before {
				t.Errorf("%+v", row)
			}
			if wrong := w.diff(w.model); wrong != "" {
				t.Fatal(wrong)
			}
			w.want(scan(w), "")
		})
	}
}

// A change of the mode tells what was done, and that it was not to the content.
func TestAModeIsNoReasonToRead(t *testing.T) {
	w, _ := dated(t, rootfs.Notes)
	w.put("f=one", "g=two")
	w.full()
	w.hashed = nil
	w.must(os.Chmod(w.path("f"), 0o600))
	changes, _ := w.full()
	w.want(changes, "~f")
	if len(w.hashed) != 0 {
		t.Errorf("%d files were read", len(w.hashed))
	}
}

// Something was done, and nobody can see what: the file is read once, and no more.
func TestAFileWithAnotherCTimeIsReadOnce(t *testing.T) {
	w, _ := dated(t, rootfs.Notes)
	w.put("f=one")
	w.full()
	w.mv("f", "g")
	w.mv("g", "f")
	for _, want := range []int{1, 0} {
		w.hashed = nil
		changes, _ := w.full()
		if len(w.hashed) != want || len(changes) != want {
			t.Errorf("%s; %d were read, %d should have been", tell(changes), len(w.hashed), want)
		}
	}
}

func TestAFileOfTheSameSizeAndTimeInItsPlace(t *testing.T) {
	for _, inodes := range []bool{true, false} {
		w, _ := dated(t, rootfs.Notes)
		w.with(func(o *Options) { o.Caps.Inodes = inodes })
		w.put("f=one", "new.tmp=two")
		w.full()
		info, err := os.Stat(w.path("f"))
		w.must(err)
		w.must(os.Chtimes(w.path("new.tmp"), info.ModTime(), info.ModTime()))
		w.mv("new.tmp", "f")
		changes, _ := w.full()
		w.want(changes, "~f")
		if w.model.rows["f"].Content != sum([]byte("two")) {
			t.Errorf("the content is the old one; inodes: %v", inodes)
		}
	}
}

// Behind a ctime as young as the clock is coarse another change could hide: it is
// not noted, and attributes are looked at, until a full scan finds it old enough.
func TestAYoungCTimeProvesNothing(t *testing.T) {
	w, n := dated(t, rootfs.Notes)
	w.with(func(o *Options) { o.Now, o.Caps.CTimeGrain = time.Now, time.Hour })
	w.put("f=one")
	w.full()
	if row := w.model.rows["f"]; row.Disk.CTime != 0 {
		t.Errorf("%+v", row.Disk)
	}
	*n = 0
	changes, _ := w.full()
	if w.want(changes, ""); *n != 1 {
		t.Errorf("attributes were looked at %d times", *n)
	}
	w.with(func(o *Options) { o.Now = func() time.Time { return time.Now().Add(2 * time.Hour) } })
	w.hashed = nil
	changes, _ = w.paths([]string{"f"}, nil)
	w.want(changes, "")
	changes, _ = w.full()
	w.want(changes, "~f")
	if row := w.model.rows["f"]; row.Disk.CTime == 0 || len(w.hashed) != 0 {
		t.Errorf("%+v; %d were read", row.Disk, len(w.hashed))
	}
	changes, _ = w.full()
	w.want(changes, "")
}

// Where ctimes do not tell, all is as if there were none.
func TestADiskWithoutCTimes(t *testing.T) {
	w, n := dated(t, rootfs.Notes)
	w.with(func(o *Options) { o.Caps.CTimeGrain, o.Caps.MTimeGrain = 0, 2*time.Second })
	w.put("f=one")
	w.full()
	if row := w.model.rows["f"]; row.Disk.CTime != 0 {
		t.Errorf("%+v", row.Disk)
	}
	row := w.model.rows["f"]
	row.Disk.CTime, row.Disk.Looked = 1, uint8(rootfs.Notes) // from when it was another disk
	w.model.rows["f"] = row
	*n, w.hashed = 0, nil
	changes, _ := w.full()
	if w.want(changes, ""); *n != 1 || len(w.hashed) != 0 {
		t.Errorf("attributes were looked at %d times, %d files read", *n, len(w.hashed))
	}
	w.must(w.root.SetAttrs("f", []rootfs.Attr{{Name: "user.a", Value: "1"}}, rootfs.Notes))
	changes, _ = w.full()
	w.want(changes, "~f")
}

// What an attribute that this disk did not take has to say is said by each scan.
func TestLackingAttributesAreToldAgain(t *testing.T) {
	w, _ := dated(t, rootfs.Notes)
	w.put("f=one")
	w.full()
	row := w.model.rows["f"]
	var err error
	row.Attrs, err = tree.PackAttrs([]tree.Attr{{Name: "user.a", Value: "1"}})
	w.must(err)
	w.model.rows["f"] = row
	for range 2 {
		if _, s := w.full(); len(s.Problems) != 1 || len(s.Undressed) != 1 {
			t.Errorf("%+v", s)
		}
	}
}
