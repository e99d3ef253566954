package rootfs_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"pinion/platform/rootfs"
)

// Where Probe says that ctimes tell, each kind of change moves one, whatever was
// done to the mtime.
func TestCTimeTells(t *testing.T) {
	dir := t.TempDir()
	r := opened(t, rootfs.Open, dir)
	must(t, r.Mkdir(".pinion", 0o755))
	caps, err := r.Probe()
	must(t, err)
	if caps.CTimeGrain == 0 {
		t.Skip("ctimes can't be relied on here")
	}
	name := filepath.Join(dir, "f")
	must(t, os.WriteFile(name, []byte("one"), 0o644))
	old := time.Unix(1_600_000_000, 0)
	must(t, os.Chtimes(name, old, old))
	for what, change := range map[string]func() error{
		"content": func() error { return os.WriteFile(name, []byte("two"), 0o644) },
		"mtime":   func() error { return os.Chtimes(name, old, old.Add(time.Hour)) },
		"mode":    func() error { return os.Chmod(name, 0o600) },
		"attribute": func() error {
			if !caps.Xattrs {
				return os.Chmod(name, 0o640)
			}
			return r.SetAttrs("f", []rootfs.Attr{{Name: "user.a", Value: "1"}}, rootfs.Notes)
		},
		"list": func() error {
			if !caps.ACLs {
				return os.Chmod(name, 0o604)
			}
			return r.SetAttrs("f", []rootfs.Attr{{Name: "acl.access", Value: "user::rw-,user:#0:r--,group::r--,mask::r--,other::---"}}, rootfs.ACLs)
		},
	} {
		time.Sleep(2 * caps.CTimeGrain)
		before, err := r.Lstat("f")
		must(t, err)
		must(t, change())
		if after, err := r.Lstat("f"); err != nil || after.CTime == before.CTime {
			t.Errorf("%s: %v; before %+v, after %+v", what, err, before, after)
		}
		must(t, os.Chtimes(name, old, old))
		if after, err := r.Lstat("f"); err != nil || after.CTime == before.CTime || after.MTime != old.UnixNano() {
			t.Errorf("%s, put back: %v; before %+v, after %+v", what, err, before, after)
		}
	}
}
