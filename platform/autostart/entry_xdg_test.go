//go:build !windows && !darwin

package autostart

import (
	"os"
	"path/filepath"
	"testing"
)

func TestEntryComesAndGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "config")
	t.Setenv("XDG_CONFIG_HOME", dir)
	is := func(want bool) {
		t.Helper()
		if on, err := Enabled(); on != want || err != nil {
			t.Errorf("%v, %v, want %v", on, err, want)
		}
	}
	is(false)
	for range 2 {
		if err := Enable("/usr/bin/pinion", "--hidden"); err != nil {
			t.Fatal(err)
		}
		is(true)
	}
	file := filepath.Join(dir, "autostart", "pinion.desktop")
	info, err := os.Stat(file)
	if err != nil || info.Mode().Perm() != 0o644 {
		t.Errorf("%v, %v", info, err)
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "autostart", ".*")); left != nil {
		t.Errorf("left behind: %v", left)
	}
	if err := os.WriteFile(file, []byte("[Desktop Entry]\nExec=x\nHidden=true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	is(false) // a desktop's own settings switch it off so
	for range 2 {
		if err := Disable(); err != nil {
			t.Fatal(err)
		}
		is(false)
	}
	for _, exe := range []string{"pinion", "./pinion", "/a\nb", ""} {
		if err := Enable(exe); err == nil {
			t.Errorf("%q was taken", exe)
		}
	}
	is(false)
}
