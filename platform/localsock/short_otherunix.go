//go:build unix && !linux

package localsock

import (
	"fmt"
	"os"
)

// place does not ask the environment for a directory, because the two sides may
// have different ones.
func place(path string) (string, error) {
	path, err := absolute(path)
	if err != nil || len(path) <= maxAddress {
		return path, err
	}
	dir := fmt.Sprintf("/tmp/pinion-%d", os.Getuid())
	if err := privateDir(dir, os.Getuid()); err != nil {
		return "", err
	}
	return shortened(dir, path), nil
}

func nearby(path string, f func(address string) error) error { return f(path) }
