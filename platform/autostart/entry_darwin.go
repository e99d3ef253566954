package autostart

import (
	"errors"
	"os"
	"path/filepath"
)

func file() (string, error) {
	home, err := os.UserHomeDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(home, "Library", "LaunchAgents", label+".plist"), nil
}

func enabled() (bool, error) {
	f, err := file()
	if err != nil {
		return false, err
	}
	_, err = os.Stat(f)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func enable(exe string, args []string) error {
	f, err := file()
	if err != nil {
		return err
	}
	return put(f, launchAgent(exe, args))
}

func disable() error {
	f, err := file()
	if err != nil {
		return err
	}
	return remove(f)
}
