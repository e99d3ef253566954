//go:build !darwin && !windows

package rootfs

import "errors"

func renameNoReplace(name, name) error { return errors.ErrUnsupported }

func exchange(name, name) error { return errors.ErrUnsupported }

func writers(string) (bool, error) { return false, errors.ErrUnsupported }
