package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The suite that every back end has to pass: it runs on the one of the system.

const patience = 60 * time.Second

// eye is a watcher on a fresh folder, and all it has said.
type eye struct {
	t    *testing.T
	root string
	w    *Watcher
	all  Hints
	n    int // hand-outs
}

func newEye(t *testing.T, o Options) *eye {
	t.Helper()
	e := &eye{t: t, root: t.TempDir()}
	if root, err := filepath.EvalSymlinks(e.root); err == nil {
		e.root = root
	}
	e.start(o)
	return e
}

func (e *eye) start(o Options) {
	e.t.Helper()
	w, err := Open(e.root, o)
	if err != nil {
		e.t.Fatal(err)
	}
	e.w = w
	e.t.Cleanup(func() { _ = w.Close() })
	if errors.Is(w.Warning(), ErrUnsupported) {
		e.t.Skip(w.Warning())
	}
	select {
	case <-w.Ready():
	case <-time.After(patience):
		e.t.Fatal("the watcher never became ready")
	}
}

func (e *eye) path(rel string) string { return filepath.Join(e.root, filepath.FromSlash(rel)) }

func (e *eye) write(rel, text string) {
	e.t.Helper()
	e.must(os.WriteFile(e.path(rel), []byte(text), 0o644))
}

func (e *eye) mkdir(rel string) { e.t.Helper(); e.must(os.MkdirAll(e.path(rel), 0o755)) }

func (e *eye) rename(from, to string) { e.t.Helper(); e.must(os.Rename(e.path(from), e.path(to))) }

func (e *eye) must(err error) {
	e.t.Helper()
	if err != nil {
		e.t.Fatal(err)
	}
}

// until takes hints until done says so.
func (e *eye) until(what string, done func() bool) {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	for !done() {
		h, err := e.w.Take(ctx)
		if err != nil {
			e.t.Fatalf("waiting for %s: %v", what, err)
		}
		e.n++
		e.all.Paths = append(e.all.Paths, h.Paths...)
		e.all.Deep = append(e.all.Deep, h.Deep...)
		e.all.All = e.all.All || h.All
	}
}

// sees waits until hints cover all the paths.
func (e *eye) sees(paths ...string) {
	e.t.Helper()
	for _, p := range paths {
		e.until(p, func() bool { return covered(e.all, p) })
	}
}

// settle makes the watcher say all it has to say, and forgets it: a file that
// is made last is seen last, or with a hint that is its own.
func (e *eye) settle() {
	e.t.Helper()
	name := fmt.Sprintf("settle-%d", e.n)
	e.write(name, "")
	e.sees(name)
	time.Sleep(2 * e.w.o.Rest)
	for {
		ctx, cancel := context.WithTimeout(context.Background(), 4*e.w.o.Rest)
		_, err := e.w.Take(ctx)
		cancel()
		if errors.Is(err, context.DeadlineExceeded) {
			break
		}
		e.must(err)
	}
	e.all = Hints{}
}

func TestFiles(t *testing.T) {
	e := newEye(t, Options{})
	e.write("a", "1")
	e.sees("a")
	e.settle()
	e.write("a", "22")
	e.sees("a")
	e.settle()
	e.rename("a", "b")
	e.sees("a", "b")
	e.settle()
	e.must(os.Chtimes(e.path("b"), time.Unix(1, 0), time.Unix(1, 0)))
	e.sees("b")
	e.settle()
	e.must(os.Remove(e.path("b")))
	e.sees("b")
}

func TestWhatWasThereBeforeIsWatched(t *testing.T) {
	e := &eye{t: t, root: t.TempDir()}
	e.root, _ = filepath.EvalSymlinks(e.root)
	e.mkdir("x/y/z")
	e.start(Options{})
	e.write("x/y/z/f", "")
	e.sees("x/y/z/f")
}

func TestEarlyChildrenOfNewDirectories(t *testing.T) {
	e := newEye(t, Options{})
	var want []string
	for i := range 200 {
		dir := fmt.Sprintf("d%d/e/f/g", i)
		e.mkdir(dir)
		e.write(dir+"/early", "")
		want = append(want, dir+"/early")
	}
	e.sees(want...)
	e.settle()
	e.write("d7/e/f/g/late", "") // and they are watched from then on
	e.sees("d7/e/f/g/late")
}

func TestTreesMoveInAndOutAndAround(t *testing.T) {
	e := newEye(t, Options{})
	away := filepath.Join(t.TempDir(), "tree")
	e.must(os.MkdirAll(filepath.Join(away, "p/q"), 0o755))
	e.must(os.WriteFile(filepath.Join(away, "p/q/f"), nil, 0o644))
	e.must(os.Rename(away, e.path("in")))
	e.sees("in", "in/p/q/f")
	e.settle()

	e.rename("in", "around")
	e.sees("in", "around", "around/p/q/f")
	e.settle()
	e.write("around/p/q/f", "changed after the move")
	e.sees("around/p/q/f")
	e.settle()

	e.mkdir("in/p/q") // the old name again, as another directory
	e.sees("in/p/q")
	e.settle()
	e.write("in/p/q/f", "")
	e.sees("in/p/q/f")
	e.write("around/p/q/g", "")
	e.sees("around/p/q/g")
	e.settle()

	e.must(os.Rename(e.path("around"), away))
	e.sees("around")
	e.settle()
	e.must(os.WriteFile(filepath.Join(away, "p/q/f"), []byte("not ours any more"), 0o644))
	e.write("here", "")
	e.sees("here")
	for _, p := range append(e.all.Paths, e.all.Deep...) {
		if strings.HasPrefix(p, "around") {
			t.Errorf("a tree that was moved away is still watched: %q", p)
		}
	}
}

func TestABurstLosesNothing(t *testing.T) {
	e := newEye(t, Options{})
	const dirs, files = 40, 500
	for i := range dirs {
		e.mkdir(fmt.Sprintf("d%d", i))
		for j := range files {
			e.write(fmt.Sprintf("d%d/f%d", i, j), "x")
		}
	}
	e.settleBurst()
	for i := range dirs {
		for j := range files {
			if p := fmt.Sprintf("d%d/f%d", i, j); !e.all.All && !covered(e.brief(fmt.Sprintf("d%d", i)), p) {
				t.Fatalf("%s is not covered by any hint", p)
			}
		}
	}
}

// settleBurst waits for a file that is made after all else.
func (e *eye) settleBurst() {
	e.t.Helper()
	e.write("last", "")
	e.sees("last")
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	for {
		h, err := e.w.Take(ctx)
		if err != nil {
			return
		}
		e.all.Paths = append(e.all.Paths, h.Paths...)
		e.all.Deep = append(e.all.Deep, h.Deep...)
		e.all.All = e.all.All || h.All
	}
}

// brief keeps the hints that can cover something directly in dir.
func (e *eye) brief(dir string) (h Hints) {
	h.All = e.all.All
	for _, p := range e.all.Paths {
		if p == dir || parent(p) == dir {
			h.Paths = append(h.Paths, p)
		}
	}
	for _, p := range e.all.Deep {
		if p == "" || p == dir || parent(p) == dir {
			h.Deep = append(h.Deep, p)
		}
	}
	return h
}

func TestRenameStorm(t *testing.T) {
	e := newEye(t, Options{})
	e.mkdir("s0/sub/deeper")
	e.sees("s0")
	for i := range 300 {
		e.rename(fmt.Sprintf("s%d", i), fmt.Sprintf("s%d", i+1))
		e.write(fmt.Sprintf("s%d/sub/deeper/f%d", i+1, i), "x")
	}
	e.sees("s300/sub/deeper/f299")
	e.settle()
	e.write("s300/sub/deeper/after", "")
	e.sees("s300/sub/deeper/after")
	for range 100 { // to and fro
		e.rename("s300", "t")
		e.rename("t", "s300")
	}
	e.settle()
	e.write("s300/sub/again", "")
	e.sees("s300/sub/again")
}

func TestSkippedPathsWakeNobody(t *testing.T) {
	e := newEye(t, Options{Skip: func(rel string) bool {
		return rel == ".pinion" || strings.HasPrefix(rel, ".pinion/") || strings.HasSuffix(rel, ".tmp")
	}})
	e.mkdir(".pinion/tmp")
	e.write(".pinion/index.db", "x")
	e.mkdir("x.tmp/y")
	e.write("x.tmp/y/f", "x")
	e.write("a", "")
	e.sees("a")
	e.settle()
	e.write(".pinion/tmp/f", "x")
	e.write("x.tmp/y/f", "xy")
	e.write("b", "")
	e.sees("b")
	for _, p := range append(e.all.Paths, e.all.Deep...) {
		if strings.HasPrefix(p, ".pinion") || strings.Contains(p, ".tmp") {
			t.Errorf("woken by %q", p)
		}
	}
}

func TestTheRootIsRemoved(t *testing.T) {
	e := newEye(t, Options{})
	e.write("a", "")
	e.sees("a")
	e.must(os.RemoveAll(e.root))
	e.wantGone()
}

func TestTheRootIsRenamed(t *testing.T) {
	e := newEye(t, Options{})
	if err := os.Rename(e.root, e.root+"-moved"); err != nil {
		t.Skip("a watched folder can't be renamed here:", err)
	}
	defer os.RemoveAll(e.root + "-moved")
	e.wantGone()
}

// wantGone wants a hint to look everywhere, and then the error.
func (e *eye) wantGone() {
	e.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	all := false
	for {
		h, err := e.w.Take(ctx)
		if errors.Is(err, ErrRootGone) {
			break
		}
		e.must(err)
		all = all || h.All
	}
	if !all {
		e.t.Error("no hint to look everywhere came before the error")
	}
}

func TestCloseAndCancelEndTake(t *testing.T) {
	e := newEye(t, Options{})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := e.w.Take(ctx); !errors.Is(err, context.Canceled) {
		t.Fatalf("Take under a cancelled context: %v", err)
	}
	got := make(chan error)
	go func() { _, err := e.w.Take(context.Background()); got <- err }()
	e.must(e.w.Close())
	if err := <-got; !errors.Is(err, ErrClosed) {
		t.Fatalf("Take under Close: %v", err)
	}
	if err := e.w.Close(); err != nil {
		t.Fatalf("closed twice: %v", err)
	}
}

func TestOpenWhatIsNotAFolder(t *testing.T) {
	if w, err := Open(filepath.Join(t.TempDir(), "none"), Options{}); err == nil {
		_ = w.Close()
		t.Error("a root that is not there was opened")
	}
}

func TestRefreshLooksEverywhere(t *testing.T) {
	hidden := true
	e := newEye(t, Options{Skip: func(rel string) bool { return hidden && strings.HasPrefix(rel, "h") }})
	e.mkdir("h")
	e.settle()
	_ = e.w.Close() // so that the answer changes while nobody asks
	hidden = false
	e.start(e.w.o)
	e.w.Refresh()
	e.until("all", func() bool { return e.all.All })
	e.settle()
	e.write("h/f", "")
	e.sees("h/f")
}
