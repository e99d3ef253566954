package main

import (
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"pinion/platform/dirs"
)

// daemonOptions are what pinion --daemon was given. Home and Store are absolute;
// all but Home and LogLevel may be empty: as the configuration says.
type daemonOptions struct {
	Home, Listen, Store, Name, LogLevel, LogFile string
}

// controlSocket is the socket's name in the home directory.
const controlSocket = "control.sock"

// app is what all commands share.
type app struct {
	stdio
	env   environment
	begun bool // the arguments were understood

	homeFlag string
	json     bool
	logLevel string
}

// home is the home directory in use, absolute. It need not exist.
func (a *app) home() (string, error) {
	dir := a.homeFlag
	if dir == "" {
		dir = a.env.get("PINION_HOME")
	}
	if dir != "" {
		return a.abs(dir)
	}
	dir, err := dirs.Config()
	if err != nil {
		return "", fmt.Errorf("there is no home directory for Pinion here (%w); give one with --home DIR or PINION_HOME", err)
	}
	return dir, nil
}

// abs makes a path that a person typed absolute.
func (a *app) abs(path string) (string, error) {
	if filepath.IsAbs(path) {
		return filepath.Clean(path), nil
	}
	dir, err := a.env.dir()
	if err != nil {
		return "", fmt.Errorf("find the current directory, which %s is relative to: %w", path, err)
	}
	return filepath.Join(dir, path), nil
}

func logLevels() []string { return []string{"debug", "info", "warn", "error"} }

func checkLogLevel(level string) error {
	if !slices.Contains(logLevels(), level) {
		return usagef("--log-level takes %s, not %q", orList(logLevels()), level)
	}
	return nil
}

// checkHostPort refuses what is not HOST:PORT; host says whether one is needed.
func checkHostPort(flag, value string, host bool) error {
	h, p, err := net.SplitHostPort(value)
	port, perr := strconv.ParseUint(p, 10, 16)
	if err != nil || perr != nil || host && (h == "" || port == 0) {
		return usagef("%s takes HOST:PORT, such as 192.168.1.20:27464, not %q", flag, value)
	}
	return nil
}

// orList joins words as "a, b or c".
func orList(words []string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:len(words)-1], ", ") + " or " + words[len(words)-1]
}
