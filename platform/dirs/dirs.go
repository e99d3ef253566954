package dirs

import (
	"fmt"
	"os"
	"path/filepath"
)

// Config is the directory in which Pinion keeps its settings, key and socket
// unless told otherwise: $XDG_CONFIG_HOME/pinion or ~/.config/pinion on Linux,
// ~/Library/Application Support/pinion on macOS, %AppData%\pinion on Windows. It
// need not exist. A service without a home has none: that is an error.
func Config() (string, error) {
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", fmt.Errorf("find the config directory: %w", err)
	}
	return filepath.Join(dir, "pinion"), nil
}
