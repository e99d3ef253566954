package scan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"

	"pinion/engine/tree"
)

func TestFullTellsWhatIsNewChangedAndMissing(t *testing.T) {
	w := newWorld(t)
	w.put("d/f=one", "d/e/", "d/g=two", "l->d/f", "a b=x", "a/x=y", "a-b=z", "x.tmp=no", "y.tmp/f=no")
	changes, s := w.full()
	w.want(changes, "+a/ +a/x +a b +a-b +d/ +d/e/ +d/f +d/g +l")
	if s.Files != 5 || s.Dirs != 3 || s.Symlinks != 1 || s.Bytes != 9 || s.HashedFiles != 5 || s.HashedBytes != 9 {
		t.Errorf("%+v", s)
	}
	if wrong := w.diff(w.model); wrong != "" {
		t.Fatal(wrong)
	}
	changes, _ = w.full()
	w.want(changes, "")

	w.put("d/f=uno")
	w.touch("d/g")
	w.must(os.Chmod(w.path("a/x"), 0o600))
	w.must(os.Chmod(w.path("d/e"), 0o700))
	w.rm("a-b")
	w.rm("l")
	w.put("l->elsewhere")
	before := w.model.rows["d/f"].Content
	changes, s = w.full()
	w.want(changes, "~a/x ~d/e/ ~d/f ~d/g ~l -a-b")
	if s.HashedFiles != 2 {
		t.Errorf("%d files were read: a new mode is no reason to", s.HashedFiles)
	}
	if base := w.model.rows["d/f"].Base; base != before {
		t.Errorf("base is %v, not the content before the edit", base)
	}
	if wrong := w.diff(w.model); wrong != "" {
		t.Fatal(wrong)
	}
	w.put("a-b=back") // over a tombstone
	changes, _ = w.full()
	w.want(changes, "~a-b")
}

func TestKindsChange(t *testing.T) {
	for name, scan := range map[string]func(w *world) []Change{
		"full": func(w *world) []Change { c, _ := w.full(); return c },
		"paths": func(w *world) []Change {
			c, _ := w.paths([]string{"d", "f", "d/e/g", "f/new"}, nil)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put("d/e/g=1", "f=2")
			w.full()
			w.rm("d")
			w.rm("f")
			w.put("d=file now", "f/new=3")
			w.want(scan(w), "~d ~f/ +f/new -d/e -d/e/g")
			if wrong := w.diff(w.model); wrong != "" {
				t.Fatal(wrong)
			}
		})
	}
}

func TestAMovedFileIsNotRead(t *testing.T) {
	w := newWorld(t)
	if !w.o.Caps.Inodes {
		t.Skip("no inodes here")
	}
	w.put("a/f=1", "a/g=22", "keep=333")
	w.full()
	w.hashed = nil
	w.mv("a", "z")
	w.mv("keep", "b")
	w.must(os.Link(w.path("b"), w.path("hard")))
	changes, _ := w.full()
	w.want(changes, "b<keep hard<keep z<a/ z/f<a/f z/g<a/g -a -a/f -a/g -keep")
	if len(w.hashed) != 0 {
		t.Errorf("read %v", w.hashed)
	}
	w.mv("z/f", "z/h")
	changes, _ = w.paths([]string{"z/f", "z/h"}, nil)
	w.want(changes, "z/h<z/f -z/f")
	w.mv("z/h", "z/i")
	w.put("z/i=edited after the move")
	changes, _ = w.paths([]string{"z/h", "z/i"}, nil)
	w.want(changes, "+z/i -z/h")
	if wrong := w.diff(w.model); wrong != "" {
		t.Fatal(wrong)
	}
}

func TestAnInodeOnlyChangeIsReadAgain(t *testing.T) {
	w := newWorld(t)
	if !w.o.Caps.Inodes {
		t.Skip("no inodes here")
	}
	w.put("f=one")
	w.full()
	info, err := os.Stat(w.path("f"))
	w.must(err)
	w.must(os.WriteFile(w.path("new"), []byte("two"), 0o644))
	w.must(os.Chtimes(w.path("new"), info.ModTime(), info.ModTime()))
	w.mv("new", "f")
	changes, _ := w.full()
	w.want(changes, "~f")
	if wrong := w.diff(w.model); wrong != "" {
		t.Fatal(wrong)
	}
}

// editing changes the file when it is read for the first time.
type editing struct {
	r    io.Reader
	edit func()
}

func (e *editing) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	if e.edit != nil {
		e.edit()
		e.edit = nil
	}
	return n, err
}

func TestAFileThatIsWrittenWhileItIsReadIsUnstable(t *testing.T) {
	edits := map[string]func(w *world){
		"appended":         func(w *world) { w.put("f=abcd") },
		"edited in place":  func(w *world) { w.put("f=xyz") },
		"replaced":         func(w *world) { w.put("g=xyz"); w.mv("g", "f") },
		"removed":          func(w *world) { w.rm("f") },
		"made a directory": func(w *world) { w.rm("f"); w.put("f/") },
	}
	for name, edit := range edits {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put("f=abc")
			w.with(func(o *Options) {
				o.Hash = func(ctx context.Context, r io.Reader, size int64) (tree.Manifest, tree.ContentID, error) {
					return w.hash(ctx, &editing{r, func() { edit(w) }}, size)
				}
			})
			changes, s := w.full()
			w.want(changes, "")
			if len(s.Unstable) != 1 || s.Unstable[0] != "f" || len(s.Problems) != 0 {
				t.Fatalf("unstable %v, problems %v", s.Unstable, s.Problems)
			}
			w.with(func(o *Options) { o.Hash = w.hash })
			w.paths([]string{"f"}, nil)
			w.rm("g")
			if wrong := w.diff(w.model); wrong != "" {
				t.Fatal(wrong)
			}
		})
	}
}

func TestAYoungFileIsLookedAtAgain(t *testing.T) {
	w := newWorld(t)
	w.put("f=one")
	info, err := os.Stat(w.path("f"))
	w.must(err)
	w.with(func(o *Options) { o.Now = func() time.Time { return info.ModTime().Add(time.Millisecond) } })
	changes, s := w.full()
	w.want(changes, "+f")
	if len(s.Unstable) != 1 {
		t.Fatalf("unstable %v", s.Unstable)
	}
	w.must(os.WriteFile(w.path("f"), []byte("two"), 0o644)) // within the same tick of the clock
	w.must(os.Chtimes(w.path("f"), info.ModTime(), info.ModTime()))
	w.with(func(o *Options) { o.Now = func() time.Time { return info.ModTime().Add(time.Minute) } })
	changes, s = w.paths([]string{"f"}, nil)
	w.want(changes, "~f")
	if wrong := w.diff(w.model); wrong != "" || len(s.Unstable) != 0 {
		t.Fatal(wrong, s.Unstable)
	}
}

func TestWhatCantBeReadIsNotMissing(t *testing.T) {
	for name, err := range map[string]error{"EACCES": syscall.EACCES, "EIO": syscall.EIO, "ENOTCONN": syscall.ENOTCONN} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put("d/e/f=1", "d/g=2", "h=3")
			w.full()
			w.rm("d/e")
			w.rm("d/g")
			w.rm("h")
			w.put("i=4")
			b := w.breaks(broken{open: map[string]error{"d": err}})
			changes, s := w.full()
			w.want(changes, "+i -h")
			if len(s.Problems) != 1 || s.Problems[0].Path != "d" {
				t.Fatalf("%+v", s.Problems)
			}
			changes, s = w.paths([]string{"d/e", "d/g", "d/e/f"}, []string{"d"})
			w.want(changes, "")
			if len(s.Problems) == 0 {
				t.Fatal("nothing was said")
			}
			b.open = nil
			b.list = map[string]error{"d": err}
			changes, _ = w.full()
			w.want(changes, "")
			changes, _ = w.paths([]string{"d"}, nil)
			w.want(changes, "")
			b.list = nil
			changes, _ = w.full()
			w.want(changes, "-d/e -d/e/f -d/g")
		})
	}
}

func TestAnotherFileSystemIsNotEntered(t *testing.T) {
	w := newWorld(t)
	w.put("m/f=1", "n=2")
	w.full()
	w.rm("m/f")
	w.breaks(broken{dev: map[string]uint64{"m": 12345}})
	for _, s := range []func() ([]Change, Summary){
		w.full,
		func() ([]Change, Summary) { return w.paths([]string{"m"}, nil) },
		func() ([]Change, Summary) { return w.paths(nil, []string{"m"}) },
		func() ([]Change, Summary) { return w.paths([]string{""}, nil) },
	} {
		changes, sum := s()
		w.want(changes, "")
		if len(sum.Problems) != 1 || !strings.Contains(sum.Problems[0].Why, "another file system") {
			t.Fatalf("%+v", sum.Problems)
		}
	}
}

var errNoMarker = errors.New("no marker")

func TestWithoutTheMarkerNothingIsMissing(t *testing.T) {
	for name, scan := range map[string]func(w *world, emit func([]Change) error) error{
		"full": func(w *world, emit func([]Change) error) error {
			_, err := w.scanner.Full(context.Background(), emit)
			return err
		},
		"paths": func(w *world, emit func([]Change) error) error {
			_, err := w.scanner.Paths(context.Background(), []string{"a", "d"}, []string{""}, emit)
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put("a=1", "d/f=2", "z=3")
			w.full()
			w.rm("a")
			w.rm("d")
			for stands := range 5 { // the marker vanishes after so many looks at it
				left := stands
				w.with(func(o *Options) {
					o.Check = func() error {
						if left--; left < 0 {
							return errNoMarker
						}
						return nil
					}
				})
				missing := 0
				err := scan(w, func(batch []Change) error {
					for _, c := range batch {
						if c.Missing() {
							missing++
						}
					}
					return nil
				})
				gone := errors.Is(err, ErrRootGone) && errors.Is(err, errNoMarker)
				if left < 0 && !gone || left >= 0 && err != nil {
					t.Errorf("%d looks: %v", stands, err)
				}
				if missing > 0 && stands < 2 {
					t.Errorf("%d looks: %d were told missing without a marker", stands, missing)
				}
			}
		})
	}
}

func TestAnEmptiedRoot(t *testing.T) {
	w := newWorld(t)
	w.put("a=1", "d/f=2")
	w.full()
	w.rm("a")
	w.rm("d")
	w.put("junk.tmp=ignored")
	emit := func(batch []Change) error {
		if len(batch) > 0 {
			t.Errorf("told %s", tell(batch))
		}
		return nil
	}
	_, err := w.scanner.Full(context.Background(), emit)
	var emptied *EmptiedError
	if !errors.Is(err, ErrEmptied) || !errors.As(err, &emptied) || *emptied != (EmptiedError{Files: 2, Dirs: 1}) {
		t.Fatalf("full: %v", err)
	}
	if _, err := w.scanner.Paths(context.Background(), []string{"a", "d"}, nil, emit); !errors.Is(err, ErrEmptied) {
		t.Fatalf("paths: %v", err)
	}
	w.with(func(o *Options) { o.Emptied = func() bool { return true } })
	changes, _ := w.full()
	w.want(changes, "-a -d -d/f")
}

// A folder of nothing but symlinks and directories is not held as emptied: what
// holds it would not count them.
func TestRemovedSymlinksAreMissing(t *testing.T) {
	w := newWorld(t)
	if err := os.Symlink("target", w.dir+"/l"); err != nil {
		t.Skip(err)
	}
	w.full()
	w.rm("l")
	changes, _ := w.full()
	w.want(changes, "-l")
}

func TestAnEmptyFolderWithAnEmptyIndex(t *testing.T) {
	w := newWorld(t)
	changes, _ := w.full()
	w.want(changes, "")
}

func TestARootThatVanishesIsNotEmpty(t *testing.T) {
	w := newWorld(t)
	w.put("a=1")
	w.full()
	b := w.breaks(broken{open: map[string]error{"": syscall.ENOENT}})
	if _, err := w.scanner.Full(context.Background(), nil); !errors.Is(err, ErrRootGone) {
		t.Fatal(err)
	}
	b.open = nil
	b.list = map[string]error{"": syscall.EIO}
	if _, err := w.scanner.Full(context.Background(), nil); err == nil {
		t.Fatal("a root that can't be listed passed")
	}
}

func TestANewRuleForgetsAndDeletesNothing(t *testing.T) {
	for name, scan := range map[string]func(w *world) []Change{
		"full": func(w *world) []Change { c, _ := w.full(); return c },
		"paths": func(w *world) []Change {
			c, _ := w.paths([]string{"build", "d", "d/x.o", "gone.o", "old"}, nil)
			return c
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			w.put("build/a/f=1", "d/x.o=2", "d/y=3", "gone.o=4", "old/build/f=5")
			w.full()
			w.rm("gone.o")
			w.rm("old")
			w.with(func(o *Options) {
				o.Ignored = func(p string, dir bool) bool {
					return strings.HasSuffix(p, ".o") || dir && (p == "build" || strings.HasSuffix(p, "/build"))
				}
			})
			got := scan(w)
			w.want(got, "!build !build/a !build/a/f !d/x.o !gone.o -old !old/build !old/build/f")
			if name == "full" {
				again, _ := w.full()
				w.want(again, "")
			}
		})
	}
}

func TestPathsLooksWhereItIsTold(t *testing.T) {
	w := newWorld(t)
	w.put("a/b/c/f=1", "a/g=2", "h=3", "k/l=4")
	w.full()
	w.put("a/b/c/f=11", "a/g=22", "h=33", "a/new/deep/x=5", "k/m=6", "x.tmp/y=no")
	w.rm("k/l")
	changes, _ := w.paths([]string{"h", "h", "a", "a/g", "a/new/deep/x", ".pinion/tmp/x", "x.tmp/y", "nothing/at/all", "h/"}, nil)
	w.want(changes, "~a/g +a/new/ +a/new/deep/ +a/new/deep/x ~h")
	changes, _ = w.paths([]string{"k/l"}, []string{"a/b", "a/b/c"})
	w.want(changes, "~a/b/c/f -k/l")
	changes, _ = w.paths([]string{""}, nil)
	w.want(changes, "")
	changes, _ = w.paths([]string{"k", "k/m", "", "a/b/c"}, nil)
	w.want(changes, "+k/m")
	w.rm("a")
	changes, _ = w.paths([]string{"a/b/c/f", "a/b/c", "a/b"}, nil)
	w.want(changes, "-a -a/b -a/b/c -a/b/c/f -a/g -a/new -a/new/deep -a/new/deep/x")
	if wrong := w.diff(w.model); wrong != "" {
		t.Fatal(wrong)
	}
}

func TestAPathBehindASymlink(t *testing.T) {
	w := newWorld(t)
	out := t.TempDir()
	w.put("d/f=1")
	w.full()
	w.must(os.WriteFile(out+"/f", []byte("outside"), 0o644))
	w.rm("d")
	w.must(os.Symlink(out, w.path("d")))
	changes, _ := w.paths([]string{"d/f"}, nil)
	w.want(changes, "~d -d/f")
}

func TestBigFilesAreDeferred(t *testing.T) {
	w := newWorld(t)
	w.put("big="+strings.Repeat("x", 1000), "small=1")
	w.with(func(o *Options) { o.MaxInline = 100 })
	changes, s := w.paths([]string{"big", "small"}, nil)
	w.want(changes, "+small")
	if len(s.Deferred) != 1 || s.Deferred[0] != "big" {
		t.Fatalf("deferred %v", s.Deferred)
	}
	var got []Change
	_, err := w.scanner.Big(context.Background(), s.Deferred, w.collect(w.model, &got))
	w.must(err)
	w.want(got, "+big")
	if w.o.Caps.Inodes {
		w.mv("big", "moved") // needs no reading
		changes, _ = w.paths([]string{"big", "moved"}, nil)
		w.want(changes, "moved<big -big")
	}
}

func TestCancelIsPrompt(t *testing.T) {
	w := newWorld(t)
	w.put("f=" + strings.Repeat("x", 1<<20))
	ctx, cancel := context.WithCancel(context.Background())
	reads := 0
	w.with(func(o *Options) {
		o.Hash = func(_ context.Context, r io.Reader, _ int64) (tree.Manifest, tree.ContentID, error) {
			buf := make([]byte, 1000)
			for {
				reads++
				cancel()
				if _, err := r.Read(buf); err != nil {
					return nil, tree.ContentID{}, err
				}
			}
		}
	})
	_, err := w.scanner.Full(ctx, func([]Change) error { return nil })
	if !errors.Is(err, context.Canceled) || reads > 2 {
		t.Fatalf("%v after %d reads", err, reads)
	}
}

func TestAVanishingFileComesBackBeforeItIsTold(t *testing.T) {
	w := newWorld(t)
	w.put("a=1", "z=2")
	w.full()
	text, err := os.ReadFile(w.path("a"))
	w.must(err)
	w.rm("a")
	w.breaks(broken{lstat: func(path string) {
		if path == "z" { // a's absence was noticed before
			w.must(os.WriteFile(w.path("a"), bytes.ToUpper(text), 0o644))
		}
	}})
	changes, _ := w.full()
	w.want(changes, "")
}

func TestBatchesAreBounded(t *testing.T) {
	w := newWorld(t)
	for i := range 1200 {
		w.put("d/" + strings.Repeat("f", 1+i%7) + string(rune('a'+i%26)) + string(rune('a'+i/26)) + "=x")
	}
	total := 0
	_, err := w.scanner.Full(context.Background(), func(batch []Change) error {
		if total += len(batch); len(batch) == 0 || len(batch) > batchChanges {
			t.Errorf("a batch of %d", len(batch))
		}
		return nil
	})
	if err != nil || total != 1201 {
		t.Fatal(total, err)
	}
}

// A row whose lstat is that of another kind of thing hides nothing.
func TestRowWithAnotherKindsStat(t *testing.T) {
	w := newWorld(t)
	w.put("a=1", "b=2")
	w.full()
	row := w.model.rows["a"]
	row.Entry = tree.Entry{Path: "a", Kind: tree.Dir, Mode: 0o755}
	w.model.rows["a"] = row
	changes, _ := w.paths([]string{"a"}, nil)
	w.want(changes, "~a")
}
