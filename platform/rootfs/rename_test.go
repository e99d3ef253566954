package rootfs_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"pinion/platform/rootfs"
)

// As on FAT: no exchange, no no-replace, no hard links.
func TestByHandWithoutLinks(t *testing.T) {
	run(t, func(dir string) (*rootfs.Root, error) {
		r, err := rootfs.Open(dir)
		if err == nil {
			rootfs.WithLink(r, func(func(from, to string) error, string, string) error { return errors.ErrUnsupported })
		}
		return r, err
	})
}

// What an editor puts at the old name while a file is moved by hand stays.
func TestByHandKeepsWhatComesMeanwhile(t *testing.T) {
	for name, first := range map[string]bool{"before the link": true, "after the link": false} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			r := opened(t, rootfs.Open, dir)
			put := func(name, text string) {
				must(t, os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644))
			}
			put("live", "old")
			put("new", "new")
			save := func() { must(t, os.Rename(filepath.Join(dir, "new"), filepath.Join(dir, "live"))) }
			rootfs.WithLink(r, func(sys func(from, to string) error, from, to string) error {
				if first {
					save()
					return sys(from, to)
				}
				defer save()
				return sys(from, to)
			})
			err := r.RenameNoReplace("live", "moved")
			if errors.Is(err, errors.ErrUnsupported) {
				t.Skipf("no hard links here: %v", err)
			}
			must(t, err)
			want := map[string]string{"moved": "old", "live": "new"}
			if first {
				want = map[string]string{"moved": "new"}
			}
			got, err := os.ReadDir(dir)
			must(t, err)
			if len(got) != len(want) {
				t.Errorf("there are %v", got)
			}
			for name, text := range want {
				if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || string(b) != text {
					t.Errorf("%s holds %q, %v", name, b, err)
				}
			}
		})
	}
}
