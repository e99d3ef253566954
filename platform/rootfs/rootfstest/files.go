package rootfstest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"time"

	"pinion/platform/rootfs"
)

func testLstat(w *world) {
	w.make("d/", "d/f")
	stamp := time.Unix(1_700_000_000, 0)
	w.must(os.Chtimes(filepath.Join(w.dir, "d/f"), stamp, stamp))
	i, err := w.fs.Lstat("d/f")
	w.must(err)
	if i.Name != "f" || i.Kind != rootfs.Regular || i.Size != 3 || i.MTime != stamp.UnixNano() {
		w.Fatalf("got %+v", i)
	}
	for _, root := range []string{"", "."} {
		if i, err = w.fs.Lstat(root); err != nil || i.Kind != rootfs.Directory {
			w.Fatalf("root is %+v, %v", i, err)
		}
	}
	_, err = w.fs.Lstat("d/none")
	w.is(err, fs.ErrNotExist)
	_, err = w.fs.Lstat("none/none")
	w.is(err, fs.ErrNotExist)
}

func testCreate(w *world) {
	w.make("d/")
	f, err := w.fs.Create("d/f", 0o600)
	w.must(err)
	w.write(f, "new")
	w.holds("d/f", "new")
	_, err = w.fs.Create("d/f", 0o600)
	w.is(err, fs.ErrExist)
	_, err = w.fs.Create("d", 0o600)
	w.is(err, fs.ErrExist)
	_, err = w.fs.Create("none/f", 0o600)
	w.is(err, fs.ErrNotExist)
	w.holds("d/f", "new")
}

func testOpenFile(w *world) {
	w.make("d/", "d/f")
	f, i, err := w.fs.OpenFile("d/f")
	w.must(err)
	if i.Size != 3 || i.Kind != rootfs.Regular || i.Name != "f" {
		w.Fatalf("got %+v", i)
	}
	if _, err := f.WriteString("x"); err == nil {
		w.Fatal("a file opened for reading takes a write")
	}
	if got := w.read(f); got != "d/f" {
		w.Fatalf("read %q", got)
	}
	for _, dir := range []string{"d", ""} {
		_, _, err = w.fs.OpenFile(dir)
		w.is(err, rootfs.ErrNotRegular)
	}
	_, _, err = w.fs.OpenFile("d/none")
	w.is(err, fs.ErrNotExist)
}

func testOpenRW(w *world) {
	w.make("f", "d/")
	f, err := w.fs.OpenRW("f")
	w.must(err)
	w.write(f, "F")
	w.holds("f", "F")
	_, err = w.fs.OpenRW("d")
	w.is(err, rootfs.ErrNotRegular)
	_, err = w.fs.OpenRW("none")
	w.is(err, fs.ErrNotExist)
	w.absent("none")
}

func testDirectories(w *world) {
	w.must(w.fs.Mkdir("d", 0o755))
	w.must(w.fs.Mkdir("d/e", 0o755))
	w.is(w.fs.Mkdir("d", 0o755), fs.ErrExist)
	w.is(w.fs.Mkdir("none/e", 0o755), fs.ErrNotExist)
	w.is(w.fs.Mkdir("", 0o755), fs.ErrInvalid)
	if i, err := w.fs.Lstat("d/e"); err != nil || i.Kind != rootfs.Directory {
		w.Fatalf("got %+v, %v", i, err)
	}
}

func testSymlinks(w *world) {
	w.make("f", "d/", "probe => f")
	for _, target := range []string{"f", "../../etc/passwd", "/etc/passwd", "none"} {
		name := "d/link"
		w.must(w.fs.Symlink(target, name))
		got, err := w.fs.Readlink(name)
		w.must(err)
		if got != target && runtime.GOOS != "windows" {
			w.Fatalf("target is %q, want %q", got, target)
		}
		if i, err := w.fs.Lstat(name); err != nil || i.Kind != rootfs.Symlink {
			w.Fatalf("got %+v, %v", i, err)
		}
		_, _, err = w.fs.OpenFile(name)
		w.is(err, rootfs.ErrNotRegular)
		_, err = w.fs.OpenRW(name)
		w.is(err, rootfs.ErrNotRegular)
		_, err = w.fs.Create(name, 0o644)
		w.is(err, fs.ErrExist)
		w.is(w.fs.Symlink("x", name), fs.ErrExist)
		w.must(w.fs.Remove(name))
	}
	w.is(w.fs.Symlink("x", "f"), fs.ErrExist)
	w.is(w.fs.Symlink("x", "d"), fs.ErrExist)
	w.holds("f", "f")
	if _, err := w.fs.Readlink("f"); err == nil {
		w.Fatal("a file has a target")
	}
}

func testRemove(w *world) {
	w.make("f", "d/", "full/", "full/f")
	w.must(w.fs.Remove("f"))
	w.must(w.fs.Remove("d"))
	w.absent("f")
	w.absent("d")
	w.is(w.fs.Remove("full"), rootfs.ErrNotEmpty)
	w.is(w.fs.Remove("none"), fs.ErrNotExist)
	w.is(w.fs.Remove(""), fs.ErrInvalid)
	w.holds("full/f", "full/f")
}

func testRemoveDir(w *world) {
	w.make("f", "d/", "full/", "full/f")
	w.is(w.fs.RemoveDir("f"), rootfs.ErrNotDirectory)
	w.is(w.fs.RemoveDir("full"), rootfs.ErrNotEmpty)
	w.is(w.fs.RemoveDir("none"), fs.ErrNotExist)
	w.must(w.fs.RemoveDir("d"))
	w.absent("d")
	w.holds("f", "f")
	w.holds("full/f", "full/f")
	w.make("link => full")
	w.is(w.fs.RemoveDir("link"), rootfs.ErrNotDirectory)
}

func testSetMode(w *world) {
	w.make("f", "d/")
	w.unlessUnsupported(w.fs.SetMode("f", 0o751))
	i, err := w.fs.Lstat("f")
	w.must(err)
	if i.Mode != 0o751 {
		w.Skipf("modes are not kept here: set 751, got %o", i.Mode)
	}
	w.must(w.fs.SetMode("f", 0o7640))
	if i, _ = w.fs.Lstat("f"); i.Mode != 0o640 {
		w.Fatalf("mode is %o", i.Mode)
	}
	w.must(os.Chmod(filepath.Join(w.dir, "d"), 0o755|fs.ModeSetgid))
	w.must(w.fs.SetMode("d", 0o700))
	fi, err := os.Stat(filepath.Join(w.dir, "d"))
	w.must(err)
	if fi.Mode().Perm() != 0o700 || fi.Mode()&fs.ModeSetgid == 0 {
		w.Fatalf("directory's mode is %v", fi.Mode())
	}
	w.is(w.fs.SetMode("none", 0o600), fs.ErrNotExist)
	w.make("link => f")
	w.is(w.fs.SetMode("link", 0o600), errors.ErrUnsupported)
	if i, _ = w.fs.Lstat("f"); i.Mode != 0o640 {
		w.Fatalf("the symlink was followed: %o", i.Mode)
	}
}

func testSetMTime(w *world) {
	w.make("f", "d/")
	for _, ns := range []int64{1_500_000_000_000_000_000, 2_000_000_000_000_000_000, 400_000_000_000_000_000} {
		w.must(w.fs.SetMTime("f", ns))
		w.must(w.fs.SetMTime("d", ns))
		for _, path := range []string{"f", "d"} {
			if i, err := w.fs.Lstat(path); err != nil || i.MTime != ns {
				w.Fatalf("%s: set %d, got %d, %v", path, ns, i.MTime, err)
			}
		}
	}
	w.is(w.fs.SetMTime("none", 1), fs.ErrNotExist)
	w.make("link => f")
	before, err := w.fs.Lstat("f")
	w.must(err)
	w.unlessUnsupported(w.fs.SetMTime("link", 1_600_000_000_000_000_000))
	after, err := w.fs.Lstat("f")
	w.must(err)
	if after.MTime != before.MTime {
		w.Fatal("the symlink was followed")
	}
	if i, _ := w.fs.Lstat("link"); i.MTime != 1_600_000_000_000_000_000 {
		w.Logf("a symlink's own time is not kept here: %d", i.MTime)
	}
}

func testSync(w *world) {
	w.make("d/", "d/f")
	w.is(w.fs.SyncDir("none"), fs.ErrNotExist)
	w.is(w.fs.SyncDir("d/f"), rootfs.ErrNotDirectory)
	for _, err := range []error{w.fs.SyncDir("d"), w.fs.SyncDir(""), w.fs.SyncFS()} {
		if errors.Is(err, errors.ErrUnsupported) {
			w.Logf("not here: %v", err)
			continue
		}
		w.must(err)
	}
}

func testWriters(w *world) {
	w.make("f", "d/")
	busy, err := w.fs.Writers("f")
	w.unlessUnsupported(err)
	if busy {
		w.Fatal("nobody has it open, and it is busy")
	}
	r, err := os.Open(filepath.Join(w.dir, "f"))
	w.must(err)
	defer r.Close()
	if busy, err = w.fs.Writers("f"); busy || err != nil {
		w.Fatalf("with a reader: %v, %v", busy, err)
	}
	writer, err := os.OpenFile(filepath.Join(w.dir, "f"), os.O_WRONLY, 0)
	w.must(err)
	if busy, err = w.fs.Writers("f"); !busy || err != nil {
		w.Fatalf("with a writer: %v, %v", busy, err)
	}
	w.write(writer, "F")
	if busy, err = w.fs.Writers("f"); busy || err != nil {
		w.Fatalf("after the writer: %v, %v", busy, err)
	}
	_, err = w.fs.Writers("d")
	w.is(err, rootfs.ErrNotRegular)
	_, err = w.fs.Writers("none")
	w.is(err, fs.ErrNotExist)
}

func testList(w *world) {
	l, ok := w.fs.(lister)
	if !ok {
		w.Skip("this handle lists nothing")
	}
	w.make("d/", "d/b", "d/a", "d/sub/", "d/sub/x", "d/C")
	d, err := l.OpenDir("d")
	w.must(err)
	for range 2 {
		names, err := d.Names()
		w.must(err)
		if want := []string{"C", "a", "b", "sub"}; !slices.Equal(names, want) {
			w.Fatalf("names are %q", names)
		}
	}
	if i, err := d.Lstat("a"); err != nil || i.Name != "a" || i.Size != 3 {
		w.Fatalf("got %+v, %v", i, err)
	}
	f, _, err := d.OpenFile("a")
	w.must(err)
	if got := w.read(f); got != "d/a" {
		w.Fatalf("read %q", got)
	}
	_, _, err = d.OpenFile("sub")
	w.is(err, rootfs.ErrNotRegular)
	for _, name := range []string{"..", "", ".", "sub/x", "/a"} {
		if _, err := d.Lstat(name); err == nil {
			w.Fatalf("%q is taken for a name", name)
		}
	}
	sub, err := d.OpenDir("sub")
	w.must(err)
	if names, err := sub.Names(); err != nil || !slices.Equal(names, []string{"x"}) {
		w.Fatalf("names are %q, %v", names, err)
	}
	if i, err := sub.Info(); err != nil || i.Kind != rootfs.Directory || i.Name != "sub" {
		w.Fatalf("got %+v, %v", i, err)
	}
	w.must(sub.Close())
	w.must(d.Close())
	_, err = d.Names()
	w.is(err, fs.ErrClosed)
	_, err = l.OpenDir("d/a")
	w.is(err, rootfs.ErrNotDirectory)
	_, err = l.OpenDir("none")
	w.is(err, fs.ErrNotExist)
	root, err := l.OpenDir("")
	w.must(err)
	defer root.Close()
	if names, err := root.Names(); err != nil || !slices.Equal(names, []string{"d"}) {
		w.Fatalf("names are %q, %v", names, err)
	}
}
