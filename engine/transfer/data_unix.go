//go:build unix

package transfer

import (
	"errors"
	"syscall"
)

// noMoreData says whether SEEK_DATA found only holes.
func noMoreData(err error) bool { return errors.Is(err, syscall.ENXIO) }
