package demo

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(file, time.Time{}, time.Unix(1_700_000_000, 123_456_789)); err != nil {
		t.Fatal(err)
	}
}

func aTree(t *testing.T) string {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("modes and symlinks are not those of Windows")
	}
	dir := filepath.Join(t.TempDir(), "from")
	write(t, filepath.Join(dir, "a.txt"), "a", 0o644)
	write(t, filepath.Join(dir, "sub", "run.sh"), "run", 0o755)
	write(t, filepath.Join(dir, "sub", "private"), "p", 0o600)
	if err := os.Mkdir(filepath.Join(dir, "empty"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("a.txt", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	return dir
}

func TestCopyIsTheSame(t *testing.T) {
	from, to := aTree(t), filepath.Join(t.TempDir(), "to")
	write(t, filepath.Join(from, ".DS_Store"), "x", 0o644)
	write(t, filepath.Join(from, ".pinion", "folder.toml"), "x", 0o644)
	write(t, filepath.Join(from, "film.part"), "x", 0o644)
	n, err := copyTree(t.Context(), from, to)
	if err != nil || n.files != 3 || n.bytes != 5 || n.skipped != 3 {
		t.Fatalf("%+v, %v", n, err)
	}
	for _, name := range []string{".DS_Store", ".pinion", "film.part"} {
		if err := os.RemoveAll(filepath.Join(from, name)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := listTree(t.Context(), from)
	if err != nil || len(want) != 6 {
		t.Fatalf("%d paths, %v", len(want), err)
	}
	got, err := listTree(t.Context(), to)
	if err != nil || difference(want, got) != "" {
		t.Fatalf("%v, %v", difference(want, got), err)
	}
}

// Every kind of difference is found; otherwise the verification verifies nothing.
func TestDifferenceFindsAll(t *testing.T) {
	for _, c := range []struct {
		says string
		do   func(dir string) error
	}{
		{"a.txt has other content", func(d string) error {
			if err := os.WriteFile(filepath.Join(d, "a.txt"), []byte("b"), 0o644); err != nil {
				return err
			}
			return os.Chtimes(filepath.Join(d, "a.txt"), time.Time{}, time.Unix(1_700_000_000, 123_456_789))
		}},
		{"sub/run.sh has mode", func(d string) error { return os.Chmod(filepath.Join(d, "sub/run.sh"), 0o644) }},
		{"a.txt has mtime", func(d string) error {
			return os.Chtimes(filepath.Join(d, "a.txt"), time.Time{}, time.Unix(1_700_000_000, 123_456_788))
		}},
		{"empty is not there", func(d string) error { return os.Remove(filepath.Join(d, "empty")) }},
		{"sub has mode", func(d string) error { return os.Chmod(filepath.Join(d, "sub"), 0o700) }},
		{"new is one too many", func(d string) error { return os.Mkdir(filepath.Join(d, "new"), 0o755) }},
		{"link has other content", func(d string) error {
			if err := os.Remove(filepath.Join(d, "link")); err != nil {
				return err
			}
			return os.Symlink("b", filepath.Join(d, "link"))
		}},
		{"empty is of another kind", func(d string) error {
			if err := os.Remove(filepath.Join(d, "empty")); err != nil {
				return err
			}
			return os.WriteFile(filepath.Join(d, "empty"), nil, 0o755)
		}},
	} {
		dir := aTree(t)
		want, err := listTree(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if err := c.do(dir); err != nil {
			t.Fatal(err)
		}
		got, err := listTree(t.Context(), dir)
		if err != nil {
			t.Fatal(err)
		}
		if diff := difference(want, got); !strings.Contains(diff, c.says) {
			t.Errorf("%q instead of %q", diff, c.says)
		}
	}
}

func TestMadeUpTree(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "tree")
	n, err := madeUp(dir)
	if err != nil || n.files != 10_000 {
		t.Fatalf("%+v, %v", n, err)
	}
	best, files, err := fullest(dir)
	if err != nil || best != "dir00" || files != 100 {
		t.Errorf("fullest: %s with %d, %v", best, files, err)
	}
}

func TestRemoveAllRemovesWhatCannotBeWritten(t *testing.T) {
	dir := aTree(t)
	if err := os.Chmod(filepath.Join(dir, "sub"), 0o500); err != nil {
		t.Fatal(err)
	}
	if err := removeAll(dir); err != nil || there(dir) {
		t.Errorf("still there: %v", err)
	}
}
