package rootfs_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pinion/platform/rootfs"
)

func TestOpenNeedsADirectory(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, filepath.Join(dir, "none")} {
		if r, err := rootfs.Open(path); err == nil {
			r.Close()
			t.Errorf("opened %s", path)
		}
	}
}

func TestRootIsResolvedOnce(t *testing.T) {
	dir := t.TempDir()
	a, b, link := filepath.Join(dir, "a"), filepath.Join(dir, "b"), filepath.Join(dir, "link")
	must(t, os.Mkdir(a, 0o755))
	must(t, os.Mkdir(b, 0o755))
	if err := os.Symlink(a, link); err != nil {
		t.Skipf("no symlinks here: %v", err)
	}
	r := opened(t, rootfs.Open, link)
	must(t, os.Remove(link))
	must(t, os.Symlink(b, link))
	must(t, r.Mkdir("made", 0o755))
	if _, err := os.Stat(filepath.Join(a, "made")); err != nil {
		t.Fatal(err)
	}
	must(t, r.Same())
	if real, _ := filepath.EvalSymlinks(a); r.Name() != real {
		t.Fatalf("name is %s", r.Name())
	}
}

func TestSame(t *testing.T) {
	for name, open := range map[string]opener{"native": rootfs.Open, "portable": rootfs.OpenPortable} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "root")
			must(t, os.Mkdir(dir, 0o755))
			r := opened(t, open, dir)
			must(t, r.Same())
			if err := os.Rename(dir, dir+"2"); err != nil {
				t.Skipf("an open directory can't be moved here: %v", err)
			}
			if err := r.Same(); !errors.Is(err, rootfs.ErrGone) || !errors.Is(err, fs.ErrNotExist) {
				t.Fatalf("moved away: %v", err)
			}
			must(t, os.Mkdir(dir, 0o755))
			if err := r.Same(); !errors.Is(err, rootfs.ErrGone) {
				t.Fatalf("another directory in its place: %v", err)
			}
			must(t, os.Remove(dir))
			must(t, os.Rename(dir+"2", dir))
			must(t, r.Same())
		})
	}
}

func TestClosed(t *testing.T) {
	r, err := rootfs.Open(t.TempDir())
	must(t, err)
	must(t, r.Close())
	for _, err := range []error{r.Close(), r.Same(), r.Mkdir("d", 0o755), r.SyncFS()} {
		if !errors.Is(err, fs.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
}

func TestProbe(t *testing.T) {
	dirs := append([]string{t.TempDir()}, filepath.SplitList(os.Getenv(dirsVariable))...)
	for i, dir := range dirs {
		t.Run(dir, func(t *testing.T) {
			if i > 0 {
				dir = filepath.Join(dir, "probe-test")
				must(t, os.Mkdir(dir, 0o755))
				t.Cleanup(func() { os.RemoveAll(dir) })
			}
			probeIn(t, dir)
		})
	}
}

func probeIn(t *testing.T, dir string) {
	r := opened(t, rootfs.Open, dir)
	if _, err := r.Probe(); !errors.Is(err, fs.ErrNotExist) {
		t.Fatalf("probed where no folder is: %v", err)
	}
	if left, _ := os.ReadDir(dir); len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
	must(t, r.Mkdir(".pinion", 0o755))
	var first rootfs.Capabilities
	for n := range 2 {
		caps, err := r.Probe()
		must(t, err)
		if n == 0 {
			first = caps
			t.Logf("%+v", caps)
		} else if caps != first {
			t.Fatalf("a second probe says %+v", caps)
		}
	}
	left, err := os.ReadDir(filepath.Join(dir, ".pinion", "tmp"))
	must(t, err)
	if len(left) != 0 {
		t.Fatalf("left behind: %v", left)
	}
	if first.MTimeGrain < 1 || first.MTimeGrain > 2*time.Second {
		t.Fatalf("grain is %v", first.MTimeGrain)
	}
	agree(t, r, first)
}

// agree checks that the operations do what the capabilities say.
func agree(t *testing.T, r *rootfs.Root, caps rootfs.Capabilities) {
	for _, name := range []string{"a", "b"} {
		f, err := r.Create(name, 0o644)
		must(t, err)
		must(t, f.Close())
	}
	for what, got := range map[string]struct {
		has bool
		err error
	}{
		"exchange": {caps.Exchange, r.Exchange("a", "b")},
		"link":     {caps.HardLink, r.Link("a", "c")},
		"symlink":  {caps.Symlinks, r.Symlink("a", "d")},
	} {
		if got.has != (got.err == nil) {
			t.Errorf("%s: probe says %v, the operation %v", what, got.has, got.err)
		}
	}
	_, err := r.Writers("b")
	if caps.Lease != (err == nil) {
		t.Errorf("lease: probe says %v, the operation %v", caps.Lease, err)
	}
}

func TestGrain(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		grain := rapid.SampledFrom([]time.Duration{1, 100, time.Microsecond, time.Millisecond, 10 * time.Millisecond, time.Second, 2 * time.Second}).Draw(t, "grain")
		up := rapid.Bool().Draw(t, "up")
		got := rootfs.OddTime - rootfs.OddTime%int64(grain)
		if up && grain > 1 && grain < 2*time.Second { // which no file system rounds up to
			got += int64(grain)
		}
		if seen := rootfs.GrainOf(rootfs.OddTime, got); seen != grain {
			t.Fatalf("%d became %d: seen as %v", rootfs.OddTime, got, seen)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
