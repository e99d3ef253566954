package localsock

import (
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

func place(path string) (string, error) { return absolute(path) }

// nearby gives f an address for path that is short enough, and valid until f
// returns.
func nearby(path string, f func(address string) error) error {
	if len(path) <= maxAddress {
		return f(path)
	}
	dir, base := filepath.Split(path)
	fd, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open %s: %w", dir, err)
	}
	defer unix.Close(fd)
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", fd, base))
}
