package drive

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestStat(t *testing.T) {
	dir := t.TempDir()
	m, err := Stat(dir)
	if errors.Is(err, errors.ErrUnsupported) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%+v", m)
	real, err := filepath.EvalSymlinks(dir)
	if err != nil {
		t.Fatal(err)
	}
	if m.Total == 0 || m.Free > m.Total || m.ReadOnly || m.FSType == "" || !strings.HasPrefix(real, m.Point) {
		t.Errorf("got %+v", m)
	}
	file := filepath.Join(dir, "f")
	if err := os.WriteFile(file, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	of, err := Stat(file)
	if err != nil || of.Point != m.Point || of.Total != m.Total {
		t.Errorf("a file in it: %+v, %v", of, err)
	}
	if s, err := Room(dir); err != nil || s.Total != m.Total || s.TotalInodes != m.TotalInodes || s.Free > s.Total {
		t.Errorf("the room is %+v, %v", s, err)
	}
	if _, err := Room(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("room where nothing is: %v", err)
	}
	if _, err := Stat(filepath.Join(dir, "none")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("nothing there: %v", err)
	}
}
