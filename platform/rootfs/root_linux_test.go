package rootfs_test

import (
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"pinion/platform/rootfs"
)

func TestVersion(t *testing.T) {
	for release, want := range map[string][2]int{
		"6.18.44-generic": {6, 18}, "5.8": {5, 8}, "5.10.0-33-arm64": {5, 10}, "4.9+": {4, 9}, "": {}, "x": {}, "6": {6, 0},
		"99999999999999999999.1": {9999, 0},
	} {
		if a, b := rootfs.Version(release); [2]int{a, b} != want {
			t.Errorf("%q is %d.%d", release, a, b)
		}
	}
}

func TestModeThroughProc(t *testing.T) {
	r := opened(t, rootfs.Open, t.TempDir())
	f, err := r.Create("f", 0o600)
	must(t, err)
	must(t, f.Close())
	if err := rootfs.SetModeThroughProc(r, "f", 0o711); errors.Is(err, rootfs.ErrGone) {
		t.Skip("no /proc here")
	} else if err != nil {
		t.Fatal(err)
	}
	if i, _ := r.Lstat("f"); i.Mode != 0o711 {
		t.Fatalf("mode is %o", i.Mode)
	}
	must(t, r.Symlink("f", "link"))
	if err := rootfs.SetModeThroughProc(r, "link", 0o600); err == nil {
		t.Fatal("a symlink has a mode")
	}
}

func TestTimesBeyondInt64(t *testing.T) {
	dir := t.TempDir()
	r := opened(t, rootfs.Open, dir)
	f, err := r.Create("f", 0o600)
	must(t, err)
	must(t, f.Close())
	far, err := unix.TimeToTimespec(time.Unix(9_300_000_000, 0))
	if err != nil {
		if err := r.SetMTime("f", 9_000_000_000_000_000_000); err == nil {
			t.Fatal("set a time that this system can't hold")
		}
		t.Skip("seconds have 32 bits here")
	}
	must(t, unix.UtimesNanoAt(unix.AT_FDCWD, filepath.Join(dir, "f"), []unix.Timespec{far, far}, 0))
	i, err := r.Lstat("f")
	must(t, err)
	if sec := i.MTime / 1_000_000_000; i.MTime != math.MaxInt64 && sec > 9_300_000_000 || sec < 0 {
		t.Fatalf("time is %d", i.MTime)
	}
}

// A mapping outlives its descriptor, and what is written to it counts.
func TestWritersSeesMappings(t *testing.T) {
	dir := t.TempDir()
	r := opened(t, rootfs.Open, dir)
	must(t, os.WriteFile(filepath.Join(dir, "f"), []byte("text"), 0o644))
	f, err := os.OpenFile(filepath.Join(dir, "f"), os.O_RDWR, 0)
	must(t, err)
	m, err := unix.Mmap(int(f.Fd()), 0, 4, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	must(t, err)
	must(t, f.Close())
	busy, err := r.Writers("f")
	must(t, unix.Munmap(m))
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skipf("not here: %v", err)
	}
	if err != nil || !busy {
		t.Fatalf("mapped: %v, %v", busy, err)
	}
	if busy, err := r.Writers("f"); err != nil || busy {
		t.Fatalf("unmapped: %v, %v", busy, err)
	}
}

// A mount inside the folder is seen and not entered.
func TestMountInTheWay(t *testing.T) {
	for name, open := range map[string]opener{
		"native": rootfs.Open, "walking": rootfs.OpenWalking, "portable": rootfs.OpenPortable,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			mount := filepath.Join(dir, "mount")
			must(t, os.Mkdir(mount, 0o755))
			if err := unix.Mount("none", mount, "tmpfs", 0, "size=64k"); err != nil {
				t.Skipf("mounting is not allowed here: %v", err)
			}
			t.Cleanup(func() { unix.Unmount(mount, unix.MNT_DETACH) })
			must(t, os.WriteFile(filepath.Join(mount, "f"), []byte("f"), 0o644))
			r := opened(t, open, dir)
			root, err := r.Lstat("")
			must(t, err)
			i, err := r.Lstat("mount")
			must(t, err)
			if i.Kind != rootfs.Directory || i.Dev == root.Dev {
				t.Fatalf("got %+v", i)
			}
			_, lerr := r.Lstat("mount/f")
			_, derr := r.OpenDir("mount")
			_, _, oerr := r.OpenFile("mount/f")
			for _, err := range []error{lerr, derr, oerr, r.Remove("mount/f")} {
				if !errors.Is(err, rootfs.ErrEscapes) {
					t.Errorf("entered a mount: %v", err)
				}
			}
		})
	}
}

// An unplugged disk: the mount is gone, the open root is not.
func TestSameAfterUnmount(t *testing.T) {
	for name, open := range map[string]opener{"native": rootfs.Open, "portable": rootfs.OpenPortable} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := unix.Mount("none", dir, "tmpfs", 0, "size=64k"); err != nil {
				t.Skipf("mounting is not allowed here: %v", err)
			}
			r := opened(t, open, dir)
			must(t, r.Same())
			must(t, unix.Unmount(dir, unix.MNT_DETACH))
			if err := r.Same(); !errors.Is(err, rootfs.ErrGone) {
				t.Fatalf("got %v", err)
			}
			must(t, r.Mkdir("on-the-disk", 0o755))
			if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
				t.Fatalf("the bare mount point holds %v, %v", left, err)
			}
		})
	}
}
