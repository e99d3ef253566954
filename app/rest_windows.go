//go:build desktop

package main

import "errors"

// again is never asked for: Windows needs Fyne's loop for the icon.
func again(string, ...string) error { return errors.New("this system has no way to begin anew") }
