//go:build !windows && !darwin

package opener

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	managerName  = "org.freedesktop.FileManager1"
	managerPath  = "/org/freedesktop/FileManager1"
	managerShows = managerName + ".ShowItems"
	callTimeout  = 10 * time.Second // it may have to be started
)

func system() desktop {
	return xdg{find: exec.LookPath, start: start, show: showItem}
}

type xdg struct {
	find  func(program string) (string, error)
	start func(ctx context.Context, program string, args ...string) error
	show  func(ctx context.Context, uri string) error
}

func (x xdg) open(ctx context.Context, path string) error    { return x.with(ctx, path) }
func (x xdg) openURL(ctx context.Context, link string) error { return x.with(ctx, link) }

func (x xdg) reveal(ctx context.Context, path string) error {
	if x.show(ctx, fileURI(path)) == nil {
		return nil
	}
	return x.with(ctx, filepath.Dir(path))
}

// with opens what is an absolute path or an address with the first opener that
// does it.
func (x xdg) with(ctx context.Context, what string) error {
	var failed error
	for _, opener := range [][]string{{"xdg-open"}, {"gio", "open"}} {
		program, err := x.find(opener[0])
		if err != nil {
			continue
		}
		if err := x.start(ctx, program, append(opener[1:], what)...); err == nil {
			return nil
		} else if failed == nil {
			failed = err
		}
	}
	if failed == nil {
		failed = errors.New("there is neither xdg-open nor gio here (package xdg-utils)")
	}
	return fmt.Errorf("open %s: %w", what, failed)
}

func fileURI(path string) string { return (&url.URL{Scheme: "file", Path: path}).String() }

// showItem asks the file manager, which is started for it where the bus knows how.
func showItem(ctx context.Context, uri string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	conn, err := dbus.SessionBusPrivateNoAutoStartup(dbus.WithContext(ctx))
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.Auth(nil); err != nil {
		return err
	}
	if err := conn.Hello(); err != nil {
		return err
	}
	return conn.Object(managerName, managerPath).CallWithContext(ctx, managerShows, 0, []string{uri}, "").Err
}
