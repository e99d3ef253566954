package rootfstest

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"pinion/platform/rootfs"
)

func testRename(w *world) {
	w.make("f", "d/", "d/f", "e/")
	w.must(w.fs.RenameNoReplace("f", "e/g"))
	w.absent("f")
	w.holds("e/g", "f")
	w.must(w.fs.RenameNoReplace("d", "e/d"))
	w.absent("d")
	w.holds("e/d/f", "d/f")
	w.is(w.fs.RenameNoReplace("none", "x"), fs.ErrNotExist)
	w.is(w.fs.RenameNoReplace("e/g", "none/x"), fs.ErrNotExist)
	w.is(w.fs.RenameNoReplace("e", "e/inside"), fs.ErrInvalid)
	w.holds("e/g", "f")
	w.make("link => e/g")
	w.must(w.fs.RenameNoReplace("link", "e/link"))
	w.absent("link")
	if i, err := w.fs.Lstat("e/link"); err != nil || i.Kind != rootfs.Symlink {
		w.Fatalf("got %+v, %v", i, err)
	}
}

func testRenameExists(w *world) {
	w.make(".pinion/", ".pinion/f", "f", "g", "d/", "d/f", "empty/", "empty2/")
	for _, p := range [][2]string{
		{"f", "g"}, {"f", "d"}, {"f", "empty"}, {"d", "f"}, {"d", "empty"}, {"empty", "empty2"}, {"empty", "f"},
		{"f", ".pinion/f"}, {".pinion/f", "f"}, {"f", "f"},
	} {
		w.is(w.fs.RenameNoReplace(p[0], p[1]), fs.ErrExist)
	}
	for _, path := range []string{".pinion/f", "f", "g", "d/f"} {
		w.holds(path, path)
	}
	w.make("dangling => none")
	w.is(w.fs.RenameNoReplace("f", "dangling"), fs.ErrExist)
	w.holds("f", "f")
}

func testExchange(w *world) {
	w.make("f", "g", "d/", "d/f")
	before, err := w.fs.Lstat("f")
	w.must(err)
	w.unlessUnsupported(w.fs.Exchange("f", "g"))
	w.holds("f", "g")
	w.holds("g", "f")
	if after, err := w.fs.Lstat("g"); err != nil || after.Inode != before.Inode || after.MTime != before.MTime {
		w.Fatalf("%+v came out as %+v, %v", before, after, err)
	}
	w.must(w.fs.Exchange("f", "d"))
	w.holds("f/f", "d/f")
	w.holds("d", "g")
	w.make("link => none")
	w.must(w.fs.Exchange("link", "g"))
	w.holds("link", "f")
}

func testExchangeRefuses(w *world) {
	w.make("f", "g", "d/", "d/f")
	w.unlessUnsupported(w.fs.Exchange("f", "g"))
	w.is(w.fs.Exchange("f", "none"), fs.ErrNotExist)
	w.is(w.fs.Exchange("none", "f"), fs.ErrNotExist)
	w.is(w.fs.Exchange("d", "d/f"), fs.ErrInvalid)
	w.is(w.fs.Exchange("d/f", "d"), fs.ErrInvalid)
	w.is(w.fs.Exchange("f", ""), fs.ErrInvalid)
	w.holds("f", "g")
	w.holds("d/f", "d/f")
}

func testLink(w *world) {
	w.make("f", "g", "d/")
	w.unlessUnsupported(w.fs.Link("f", "d/f"))
	w.holds("d/f", "f")
	w.is(w.fs.Link("f", "g"), fs.ErrExist)
	w.is(w.fs.Link("none", "h"), fs.ErrNotExist)
	i, err := w.fs.Lstat("f")
	w.must(err)
	if i.Nlink > 1 {
		_, err = w.fs.OpenRW("f")
		w.is(err, rootfs.ErrShared)
	}
	w.make("link => f")
	if err := w.fs.Link("link", "d/link"); err == nil {
		if i, err := w.fs.Lstat("d/link"); err != nil || i.Kind != rootfs.Symlink {
			w.Fatalf("the symlink was followed: %+v, %v", i, err)
		}
	} else if !errors.Is(err, errors.ErrUnsupported) {
		w.Fatal(err)
	}
}

// everywhere calls each operation with path as the path that it works on.
func everywhere(w *world, path string) map[string]error {
	errs := map[string]error{}
	_, errs["Lstat"] = w.fs.Lstat(path)
	_, _, errs["OpenFile"] = w.fs.OpenFile(path)
	_, errs["OpenRW"] = w.fs.OpenRW(path)
	_, errs["Create"] = w.fs.Create(path, 0o644)
	_, errs["Readlink"] = w.fs.Readlink(path)
	errs["Mkdir"] = w.fs.Mkdir(path, 0o755)
	errs["Symlink"] = w.fs.Symlink("x", path)
	errs["Remove"] = w.fs.Remove(path)
	errs["RemoveDir"] = w.fs.RemoveDir(path)
	errs["RenameNoReplace from"] = w.fs.RenameNoReplace(path, "free")
	errs["RenameNoReplace to"] = w.fs.RenameNoReplace("victim", path)
	errs["Exchange a"] = w.fs.Exchange(path, "victim")
	errs["Exchange b"] = w.fs.Exchange("victim", path)
	errs["Link from"] = w.fs.Link(path, "free")
	errs["Link to"] = w.fs.Link("victim", path)
	errs["SetMode"] = w.fs.SetMode(path, 0o600)
	errs["SetMTime"] = w.fs.SetMTime(path, 1)
	_, errs["Writers"] = w.fs.Writers(path)
	errs["SyncDir"] = w.fs.SyncDir(path)
	if l, ok := w.fs.(lister); ok {
		_, errs["OpenDir"] = l.OpenDir(path)
	}
	return errs
}

// refused fails the test unless each operation on path fails with want, or for
// lack of the operation.
func (w *world) refused(path string, want error) {
	w.Helper()
	for op, err := range everywhere(w, path) {
		if errors.Is(err, want) {
			continue
		}
		if errors.Is(err, errors.ErrUnsupported) {
			continue
		}
		w.Errorf("%s of %q: %v, want %v", op, path, err, want)
	}
	w.absent("free")
	w.holds("victim", "victim")
}

func testBadPaths(w *world) {
	w.make("victim", "d/", "../outside/secret")
	for _, path := range []string{"../outside/secret", "/etc/passwd", "d/../../outside/secret", "..", "d/..", w.outside} {
		w.refused(path, rootfs.ErrEscapes)
	}
	for _, path := range []string{"d//f", "d/", "./f", "d/./f", "a\x00b"} {
		w.refused(path, fs.ErrInvalid)
	}
	w.holds("../outside/secret", "../outside/secret")
}

func testSymlinkInTheWay(w *world) {
	w.make("victim", "d/", "d/f", "../outside/secret", "out => OUTSIDE", "rel => ../outside", "in => d", "d/deep => ../d", "self => self")
	for _, path := range []string{
		"out/secret", "out/none", "rel/secret", "in/f", "in/none", "d/deep/f", "d/deep/deep/f", "self/f",
	} {
		w.refused(path, rootfs.ErrEscapes)
	}
	w.holds("../outside/secret", "../outside/secret")
	w.holds("d/f", "d/f")
	if names, err := os.ReadDir(w.outside); err != nil || len(names) != 1 {
		w.Fatalf("outside holds %v, %v", names, err)
	}
	if l, ok := w.fs.(lister); ok {
		for _, path := range []string{"out", "in"} {
			_, err := l.OpenDir(path)
			w.is(err, rootfs.ErrEscapes)
		}
		d, err := l.OpenDir("d")
		w.must(err)
		defer d.Close()
		_, err = d.OpenDir("deep")
		w.is(err, rootfs.ErrEscapes)
		_, _, err = d.OpenFile("deep")
		w.is(err, rootfs.ErrNotRegular)
	}
}

func testFileInTheWay(w *world) {
	w.make("victim", "f")
	w.refused("f/g", rootfs.ErrNotDirectory)
	w.refused("f/g/h", rootfs.ErrNotDirectory)
	w.holds("f", "f")
}

// testSwappedParent: while a parent is a directory at one moment and a symlink
// to the outside at the next, everything lands inside or fails.
func testSwappedParent(w *world) {
	w.make("swap/", "link => OUTSIDE", "../outside/f")
	if _, err := os.Stat(filepath.Join(w.dir, "link")); err != nil {
		w.Skip("no symlinks here")
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		swap, link, aside := filepath.Join(w.dir, "swap"), filepath.Join(w.dir, "link"), filepath.Join(w.dir, "aside")
		for {
			os.Rename(swap, aside)
			os.Rename(link, swap)
			os.Rename(swap, link)
			os.Rename(aside, swap)
			select {
			case <-stop:
				return
			default:
			}
		}
	}()
	for range 2000 {
		if f, _, err := w.fs.OpenFile("swap/f"); err == nil {
			if got := w.read(f); got == "../outside/f" {
				w.Error("read a file outside")
			}
		}
		if f, err := w.fs.Create("swap/new", 0o644); err == nil {
			f.Close()
		}
		w.fs.Mkdir("swap/dir", 0o755)
		w.fs.Remove("swap/f")
		w.fs.Remove("swap/new")
		w.fs.SetMode("swap/f", 0o600)
	}
	close(stop)
	<-stopped
	names, err := os.ReadDir(w.outside)
	w.must(err)
	if len(names) != 1 || names[0].Name() != "f" {
		w.Fatalf("outside holds %v", names)
	}
	if fi, _ := names[0].Info(); fi.Mode().Perm()&0o044 == 0 {
		w.Fatalf("outside/f has mode %v", fi.Mode())
	}
}
