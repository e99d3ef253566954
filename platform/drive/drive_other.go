//go:build !linux && !darwin && !windows

package drive

import "errors"

func stat(string) (Mount, error) { return Mount{}, errors.ErrUnsupported }
