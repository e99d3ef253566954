package rootfs

import (
	"io/fs"
	"path/filepath"
)

// checkNative refuses what Windows reads as something else than a plain name:
// backslashes, drives, streams, device names.
func checkNative(path string) error {
	if _, err := filepath.Localize(path); err != nil {
		return fs.ErrInvalid
	}
	return nil
}
