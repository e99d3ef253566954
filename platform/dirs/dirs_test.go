package dirs

import (
	"path/filepath"
	"runtime"
	"testing"
)

func TestConfig(t *testing.T) {
	switch runtime.GOOS {
	case "windows", "darwin":
		t.Skip("the environment that is set here is that of other systems")
	}
	root := t.TempDir()
	t.Setenv("HOME", root)
	t.Setenv("XDG_CONFIG_HOME", "")
	check := func(want string) {
		t.Helper()
		if got, err := Config(); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	check(filepath.Join(root, ".config", "pinion"))
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(root, "x"))
	check(filepath.Join(root, "x", "pinion"))
	for _, env := range [][2]string{{"", ""}, {root, "relative"}} {
		t.Setenv("HOME", env[0])
		t.Setenv("XDG_CONFIG_HOME", env[1])
		if got, err := Config(); err == nil {
			t.Errorf("with %q: got %q", env, got)
		}
	}
}
