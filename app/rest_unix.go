//go:build desktop && unix

package main

import (
	"fmt"
	"os"
	"syscall"
)

// again begins this program anew in the same process, with nothing left of what it
// held.
func again(exe string, args ...string) error {
	err := syscall.Exec(exe, append([]string{os.Args[0]}, args...), os.Environ())
	return fmt.Errorf("begin anew: %w", err)
}
