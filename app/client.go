package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"

	"pinion/app/show"
	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/platform/localsock"
)

// engine gives the running engine of the home directory. Whether there is one
// turns out with the first request.
func (a *app) engine() (control.Engine, error) {
	home, err := a.home()
	if err != nil {
		return nil, err
	}
	socket := filepath.Join(home, controlSocket)
	if _, err := os.Lstat(socket); errors.Is(err, fs.ErrPermission) {
		return nil, fmt.Errorf("the engine for %s belongs to another user; run the command as that user, or give your own with --home", home)
	}
	return control.Dial(home, func(ctx context.Context) (net.Conn, error) { return dialEngine(ctx, socket) }), nil
}

// dialEngine makes every failure one of dialling, which is what the client calls
// "no engine is running".
func dialEngine(ctx context.Context, socket string) (net.Conn, error) {
	conn, err := localsock.Dial(ctx, socket)
	var op *net.OpError
	if err != nil && !errors.As(err, &op) {
		return nil, &net.OpError{Op: "dial", Net: "unix", Err: err}
	}
	return conn, err
}

// state asks for the newest state, with no list in it that is null.
func state(ctx context.Context, e control.Engine, after uint64) (status.State, error) {
	s, err := e.Status(ctx, after)
	if err != nil {
		return s, err
	}
	s.Folders, s.Devices, s.Offers = list(s.Folders), list(s.Devices), list(s.Offers)
	for i := range s.Folders {
		s.Folders[i].Problems, s.Folders[i].Peers = list(s.Folders[i].Problems), list(s.Folders[i].Peers)
	}
	return s, nil
}

// list makes an empty list of a missing one: [] in JSON, not null.
func list[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// answer prints v as one line of JSON if that was asked for, else the text.
func (a *app) answer(v any, text func() string) error {
	if a.json {
		enc := json.NewEncoder(a.out)
		enc.SetEscapeHTML(false)
		return enc.Encode(v)
	}
	t := text()
	if t != "" && !strings.HasSuffix(t, "\n") {
		t += "\n"
	}
	_, err := fmt.Fprint(a.out, t)
	return err
}

// say prints a line that confirms what was done; with --json nothing.
func (a *app) say(format string, args ...any) error {
	if a.json {
		return nil
	}
	_, err := fmt.Fprintf(a.out, format+"\n", args...)
	return err
}

// options say how things are to be drawn where the output goes.
func (a *app) options() show.Options {
	o := show.Options{Width: 100, Now: a.env.now(), Home: a.env.get("HOME")}
	if a.terminal {
		o.Width, _ = a.size()
		o.Color = a.env.get("NO_COLOR") == ""
	}
	return o
}
