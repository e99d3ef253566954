package rootfs

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A batch sees what stands at a path now, though it keeps directories open.
func TestBatch(t *testing.T) {
	dir := t.TempDir()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, end := r.Batch()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Error(err)
		}
	}
	for i := range 2 * recentDirs { // more than are kept
		d := fmt.Sprintf("d%d", i)
		must(b.Mkdir(d, 0o755))
		must(b.Mkdir(d+"/in", 0o755))
		f, err := b.Create(d+"/in/f", 0o600)
		must(err)
		f.Close()
	}
	for i := range 2 * recentDirs {
		must(b.RenameNoReplace(fmt.Sprintf("d%d/in/f", i), fmt.Sprintf("d%d/g", i)))
	}
	// A directory that went, and another that took its place.
	must(os.RemoveAll(filepath.Join(dir, "d0")))
	must(os.Mkdir(filepath.Join(dir, "d0"), 0o755))
	f, err := b.Create("d0/new", 0o600)
	must(err)
	f.Close()
	if _, err := b.Lstat("d0/gone"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	must(os.RemoveAll(filepath.Join(dir, "d1")))
	if _, err := b.Lstat("d1/g"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("in a directory that is gone: %v", err)
	}
	// A link that took a directory's place is not followed.
	must(os.RemoveAll(filepath.Join(dir, "d2")))
	must(os.Symlink("d3", filepath.Join(dir, "d2")))
	if _, err := b.Lstat("d2/g"); err == nil {
		t.Error("a symlink was followed")
	}
	end()
	if _, err := b.Lstat("d3/g"); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("after its end: %v", err)
	}
	if _, err := r.Lstat("d3/g"); err != nil {
		t.Error(err)
	}
}

// A batch may outlive its root, and a closed root gives none.
func TestBatchAndClose(t *testing.T) {
	dir := t.TempDir()
	r, err := Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	b, end := r.Batch()
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := b.Mkdir("d", 0o700); err != nil {
		t.Error(err)
	}
	end()
	c, end := r.Batch()
	defer end()
	if err := c.Mkdir("e", 0o700); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("a closed root's batch: %v", err)
	}
}

func TestWriteNew(t *testing.T) {
	const when = 1_600_000_000_123_456_789
	for name, open := range map[string]func(string) (*Root, error){"confined": Open, "portable": OpenPortable} {
		t.Run(name, func(t *testing.T) {
			r, err := open(t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer r.Close()
			for _, data := range []string{"", "some bytes"} {
				file := fmt.Sprint("f", len(data))
				if err := r.WriteNew(file, []byte(data), 0o640, when); err != nil {
					t.Fatal(err)
				}
				i, err := r.Lstat(file)
				dressed := i.Mode == 0o640 && i.MTime == when
				if err != nil || dressed != (name == "confined") || !dressed && i.Mode != 0o600 {
					t.Errorf("%o %d %v", i.Mode, i.MTime, err)
				}
				if got, err := os.ReadFile(filepath.Join(r.Name(), file)); err != nil || string(got) != data {
					t.Errorf("%q, %v", got, err)
				}
				if err := r.WriteNew(file, nil, 0o640, when); !errors.Is(err, fs.ErrExist) {
					t.Errorf("over another file: %v", err)
				}
			}
			for _, file := range []string{"", ".", "..", "../f", "nowhere/f", "f0/f"} {
				if err := r.WriteNew(file, nil, 0o640, when); err == nil {
					t.Errorf("wrote to %q", file)
				}
			}
		})
	}
}
