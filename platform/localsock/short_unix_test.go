//go:build unix

package localsock

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestPrivateDir(t *testing.T) {
	root, uid := t.TempDir(), os.Getuid()
	dir := filepath.Join(root, "d")
	for range 2 {
		if err := privateDir(dir, uid); err != nil {
			t.Fatal(err)
		}
	}
	if err := privateDir(dir, uid+1); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("another's: %v", err)
	}
	if err := os.Chmod(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	if err := privateDir(dir, uid); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("open to a group: %v", err)
	}
	link := filepath.Join(root, "link")
	if err := os.Symlink(root, link); err != nil {
		t.Fatal(err)
	}
	if err := privateDir(link, uid); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("a symlink: %v", err)
	}
}
