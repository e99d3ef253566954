//go:build !windows && !darwin

package autostart

import (
	"errors"
	"os"
	"path/filepath"
)

func file() (string, error) {
	dir, err := os.UserConfigDir() // $XDG_CONFIG_HOME, or ~/.config
	if err != nil {
		return "", err
	}
	return filepath.Join(dir, "autostart", id+".desktop"), nil
}

func enabled() (bool, error) {
	f, err := file()
	if err != nil {
		return false, err
	}
	text, err := os.ReadFile(f)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil && entryIsOn(string(text)), err
}

func enable(exe string, args []string) error {
	f, err := file()
	if err != nil {
		return err
	}
	return put(f, desktopEntry(exe, args))
}

func disable() error {
	f, err := file()
	if err != nil {
		return err
	}
	return remove(f)
}
