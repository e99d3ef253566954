package localsock

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
)

// lockTries bounds how often a lock file that is replaced under our hands is
// opened anew.
const lockTries = 10

// Lock takes the lock on the file at path, which it makes if need be, until it
// is closed or the process ends, however it ends. ErrInUse: another process has
// it, whose number is in the message where it can be read; or this one has it
// already. The file stays; it must not be removed while the lock may be held.
func Lock(path string) (io.Closer, error) {
	f, err := lock(path)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", path, err)
	}
	return f, nil
}

func lock(path string) (*os.File, error) {
	for range lockTries {
		f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return nil, err
		}
		held, err := tryLock(f)
		if err == nil && held {
			err = inUse(f)
		}
		if err == nil {
			var same bool
			if same, err = stillAt(f, path); err == nil && same {
				if err = sign(f); err == nil {
					return f, nil
				}
			}
		}
		f.Close()
		if err != nil {
			return nil, err
		}
	}
	return nil, ErrInUse
}

// stillAt: a lock on a file that was removed meanwhile holds nobody off.
func stillAt(f *os.File, path string) (bool, error) {
	mine, err := f.Stat()
	if err != nil {
		return false, err
	}
	theirs, err := os.Stat(path)
	if os.IsNotExist(err) {
		return false, nil
	}
	return err == nil && os.SameFile(mine, theirs), err
}

// sign leaves our number in the file, for people and for inUse.
func sign(f *os.File) error {
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err := f.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

func inUse(f *os.File) error {
	line, _ := bufio.NewReader(io.NewSectionReader(f, 0, 32)).ReadString('\n')
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	if err != nil || pid <= 0 {
		return ErrInUse
	}
	return fmt.Errorf("%w: process %d", ErrInUse, pid)
}
