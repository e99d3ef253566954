package autostart

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"unicode"
)

// Names of the entry.
const (
	name  = "Pinion"
	id    = "pinion"             // of the .desktop file
	label = "app.pinion.desktop" // of the LaunchAgent
)

// Enabled says whether the program is started at login.
func Enabled() (bool, error) {
	on, err := enabled()
	if err != nil {
		return false, fmt.Errorf("look whether Pinion starts at login: %w", err)
	}
	return on, nil
}

// Enable has exe started with args at each login, in place of what was asked for
// before.
func Enable(exe string, args ...string) error {
	for _, s := range append([]string{exe}, args...) {
		if strings.IndexFunc(s, unicode.IsControl) >= 0 {
			return fmt.Errorf("start at login: %q can't stand in a command line", s)
		}
	}
	if !filepath.IsAbs(exe) {
		return fmt.Errorf("start at login: %q is no absolute path", exe)
	}
	if err := enable(exe, args); err != nil {
		return fmt.Errorf("start at login: %w", err)
	}
	return nil
}

// Disable takes the entry away, if there is one.
func Disable() error {
	if err := disable(); err != nil {
		return fmt.Errorf("no longer start at login: %w", err)
	}
	return nil
}

// put writes a small file whole, or not at all.
func put(file, text string) error {
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	t, err := os.CreateTemp(dir, ".pinion-*")
	if err != nil {
		return err
	}
	_, err = t.WriteString(text)
	err = errors.Join(err, t.Chmod(0o644), t.Sync(), t.Close())
	if err == nil {
		err = os.Rename(t.Name(), file)
	}
	if err != nil {
		os.Remove(t.Name())
	}
	return err
}

func remove(file string) error {
	if err := os.Remove(file); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}
