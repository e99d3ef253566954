package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"pinion/app/show"
	"pinion/engine/control"
)

// The exit codes; they do not change meaning.
const (
	exitDone       = 0
	exitFailed     = 1
	exitUsage      = 2
	exitNotRunning = 3
	exitTimeout    = 4
)

// usageError says what is wrong with the words of a command line.
type usageError struct{ error }

func usagef(format string, args ...any) error {
	return usageError{fmt.Errorf(format, args...)}
}

// asUsage makes a usage error of the argument parser's.
func asUsage(err error) error {
	var u usageError
	if errors.As(err, &u) {
		return err
	}
	first, _, _ := strings.Cut(err.Error(), "\n")
	return usagef("%s; pinion --help shows what there is", first)
}

func exitCode(err error) int {
	if err == nil {
		return exitDone
	}
	var u usageError
	if errors.As(err, &u) {
		return exitUsage
	}
	var c *control.Error
	if errors.As(err, &c) {
		switch c.Kind {
		case control.KindUsage:
			return exitUsage
		case control.KindNotRunning:
			return exitNotRunning
		case control.KindTimeout:
			return exitTimeout
		}
		return exitFailed
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return exitTimeout
	}
	return exitFailed
}

// sentence is an error for a person, on one line. It may quote names that other
// devices chose.
func sentence(err error) string {
	if errors.Is(err, context.Canceled) {
		return "interrupted"
	}
	lines := strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' })
	for i, l := range lines {
		lines[i] = strings.TrimSpace(l)
	}
	return show.Clean(strings.Join(lines, "; "))
}
