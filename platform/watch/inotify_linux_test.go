package watch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// limited refuses watches beyond a number.
type limited struct {
	notifier
	left int
}

func (l *limited) Add(dir string) error {
	if l.left == 0 {
		return os.NewSyscallError("inotify_add_watch", syscall.ENOSPC)
	}
	l.left--
	return l.notifier.Add(dir)
}

// startWith opens a watcher on root with another maker of notifiers.
func startWith(t *testing.T, root string, open func() (notifier, error)) *Watcher {
	t.Helper()
	w := newWatcher(root, Options{}.withDefaults())
	var err error
	if w.back, err = startInotify(w, open); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.Close() })
	select {
	case <-w.Ready():
	case <-time.After(patience):
		t.Fatal("the watcher never became ready")
	}
	return w
}

func TestTheWatchLimitIsNamed(t *testing.T) {
	root := t.TempDir()
	for i := range 10 {
		if err := os.MkdirAll(filepath.Join(root, fmt.Sprint("d", i), "x"), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	w := startWith(t, root, func() (notifier, error) {
		n, err := newFsnotifier()
		return &limited{n, 5}, err
	})
	var limit *LimitError
	if !errors.As(w.Warning(), &limit) {
		t.Fatalf("warning is %v", w.Warning())
	}
	if limit.Limit != "fs.inotify.max_user_watches" || limit.Need <= limit.Have || limit.Need < 21 {
		t.Errorf("%+v", limit)
	}
	want := fmt.Sprintf("echo fs.inotify.max_user_watches=%d | sudo tee /etc/sysctl.d/90-pinion.conf && sudo sysctl --system", limit.Need)
	if limit.Remedy != want || !strings.Contains(limit.Error(), want) {
		t.Errorf("remedy %q, want %q", limit.Remedy, want)
	}
	e := &eye{t: t, root: root, w: w} // what could be watched goes on being watched
	e.write("f", "")
	e.sees("f")
}

func TestTheInstanceLimitIsNamed(t *testing.T) {
	w := startWith(t, t.TempDir(), func() (notifier, error) {
		return nil, fmt.Errorf("couldn't initialize inotify: %w", syscall.EMFILE)
	})
	var limit *LimitError
	if !errors.As(w.Warning(), &limit) || limit.Limit != "fs.inotify.max_user_instances" || limit.Need <= limit.Have {
		t.Fatalf("warning is %v", w.Warning())
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	if h, err := w.Take(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("took %+v, %v: nothing is watched, so that there is nothing to say", h, err)
	}
}

func TestOverflowMeansAll(t *testing.T) {
	size := readSetting("fs.inotify.max_queued_events")
	if size == 0 || size > 1<<17 {
		t.Skip("the kernel's queue is too long to fill:", size)
	}
	var stuck atomic.Bool
	release := make(chan struct{})
	e := newEye(t, Options{Skip: func(rel string) bool {
		if stuck.CompareAndSwap(true, false) {
			<-release
		}
		return false
	}})
	e.mkdir("old/sub")
	e.sees("old/sub")
	e.settle()
	stuck.Store(true)
	f, err := os.Create(e.path("f"))
	e.must(err)
	for i := range size + 5000 { // two names in turn, because equal neighbours are merged
		e.must(f.Truncate(int64(i)))
		e.must(os.Chmod(e.path("old"), os.FileMode(0o700|i&1)))
	}
	e.must(f.Close())
	e.rename("old", "new") // nobody tells of it
	close(release)
	e.until("all", func() bool { return e.all.All })
	e.settle()
	e.write("new/sub/f", "") // the watches have their true names again
	e.sees("new/sub/f")
}

func TestTheRootIsUnmounted(t *testing.T) {
	root := t.TempDir()
	if err := unix.Mount("none", root, "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("mounting is not allowed here:", err)
	}
	mounted := true
	defer func() {
		if mounted {
			_ = unix.Unmount(root, unix.MNT_DETACH)
		}
	}()
	e := &eye{t: t, root: root}
	e.start(Options{})
	held, err := os.Create(e.path("held")) // somebody has it open: only the mount table changes
	e.must(err)
	defer held.Close()
	e.sees("held")
	e.must(unix.Unmount(root, unix.MNT_DETACH))
	mounted = false
	e.wantGone()
}

func TestSomethingIsMountedBelowAndUnmounted(t *testing.T) {
	e := newEye(t, Options{})
	e.mkdir("m/under")
	e.settle()
	if err := unix.Mount("none", e.path("m"), "tmpfs", 0, "size=1m"); err != nil {
		t.Skip("mounting is not allowed here:", err)
	}
	e.until("all", func() bool { return e.all.All })
	e.must(unix.Unmount(e.path("m"), 0))
	e.all = Hints{}
	e.until("all", func() bool { return e.all.All })
	e.settle()
	e.write("m/under/f", "")
	e.sees("m/under/f")
}

// BenchmarkReady is the time until 20,000 directories are watched.
func BenchmarkReady(b *testing.B) {
	root := b.TempDir()
	for i := range 20000 {
		if err := os.MkdirAll(filepath.Join(root, fmt.Sprint(i%100), fmt.Sprint(i)), 0o755); err != nil {
			b.Fatal(err)
		}
	}
	for b.Loop() {
		w, err := Open(root, Options{})
		if err != nil {
			b.Fatal(err)
		}
		<-w.Ready()
		if err := w.Warning(); err != nil {
			b.Fatal(err)
		}
		if err := w.Close(); err != nil {
			b.Fatal(err)
		}
	}
}

// fsnotify holds its lock while it tells an error, such as that the watch of a
// directory that was moved away and removed is gone. Whoever is about to add or
// remove a watch then must not be who is to take the error.
func TestErrorNotTakenDoesNotHoldUpEvents(t *testing.T) {
	root := t.TempDir()
	dir, sub, out := filepath.Join(root, "dir"), filepath.Join(root, "dir", "sub"), filepath.Join(root, "out")
	if err := os.MkdirAll(sub, 0o755); err != nil {
		t.Fatal(err)
	}
	n, err := newFsnotifier()
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	for _, d := range []string{dir, sub} {
		if err := n.Add(d); err != nil {
			t.Fatal(err)
		}
	}
	touch := func(name string) {
		if err := os.WriteFile(filepath.Join(dir, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	touch("first") // its event is not taken yet: the rest is read when sub is gone
	if err := errors.Join(os.Rename(sub, out), os.Remove(out)); err != nil {
		t.Fatal(err)
	}
	touch("last")
	stuck := time.After(30 * time.Second)
	for {
		select {
		case e := <-n.Events():
			if filepath.Base(e.Name) == "last" {
				if err := n.Remove(dir); err != nil {
					t.Error(err)
				}
				return
			}
		case <-stuck:
			t.Fatal("no more events come")
		}
	}
}
