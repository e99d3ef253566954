package localsock

import (
	"crypto/sha256"
	"encoding/hex"
	"path/filepath"
)

// maxAddress is what fits everywhere, with room for the directory that bind
// makes: the shortest limit is 104 bytes with a zero at the end (macOS).
const maxAddress = 96

// shortened is the path in dir that stands for a long one.
func shortened(dir, path string) string {
	sum := sha256.Sum256([]byte(path))
	return filepath.Join(dir, hex.EncodeToString(sum[:12]))
}
