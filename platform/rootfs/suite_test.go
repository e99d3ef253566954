package rootfs_test

import (
	"os"
	"path/filepath"
	"testing"

	"pinion/platform/rootfs"
	"pinion/platform/rootfs/rootfstest"
)

// PINION_FS_DIRS is a list of directories, on other file systems perhaps, in
// which the suite runs too.
const dirsVariable = "PINION_FS_DIRS"

type opener func(dir string) (*rootfs.Root, error)

func run(t *testing.T, open opener) {
	t.Helper()
	in := func(parent string) func(t *testing.T) {
		return func(t *testing.T) {
			rootfstest.Run(t, parent, func(t *testing.T, dir string) rootfstest.FS { return opened(t, open, dir) })
		}
	}
	t.Run("temp", in(""))
	for _, dir := range filepath.SplitList(os.Getenv(dirsVariable)) {
		t.Run(dir, in(dir))
	}
}

func opened(t *testing.T, open opener, dir string) *rootfs.Root {
	t.Helper()
	r, err := open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func TestRoot(t *testing.T) { run(t, rootfs.Open) }

func TestPortable(t *testing.T) { run(t, rootfs.OpenPortable) }

func TestByHand(t *testing.T) {
	run(t, func(dir string) (*rootfs.Root, error) {
		r, err := rootfs.Open(dir)
		if err == nil {
			rootfs.ByHand(r)
		}
		return r, err
	})
}

func TestPortableByHand(t *testing.T) {
	run(t, func(dir string) (*rootfs.Root, error) {
		r, err := rootfs.OpenPortable(dir)
		if err == nil {
			rootfs.ByHand(r)
		}
		return r, err
	})
}
