//go:build !linux && !darwin && !windows

package drive

import "errors"

func stat(string) (Mount, error) { return Mount{}, errors.ErrUnsupported }

func room(string) (Space, error) { return Space{}, errors.ErrUnsupported }
