//go:build unix && !darwin

package tray

import (
	"context"
	"errors"
	"log/slog"

	"github.com/godbus/dbus/v5"
)

const (
	watcherName = "org.kde.StatusNotifierWatcher"
	watcherPath = "/StatusNotifierWatcher"
)

// openBus connects to the session bus; it starts none.
func openBus() (*dbus.Conn, error) {
	conn, err := dbus.SessionBusPrivateNoAutoStartup()
	if err != nil {
		return nil, err
	}
	if err = conn.Auth(nil); err == nil {
		err = conn.Hello()
	}
	if err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

// watchHost tells whether the desktop has a tray for icons, and each time that
// changes, until ctx ends.
func watchHost(ctx context.Context, tell chan<- hostState, log *slog.Logger) {
	conn, err := openBus()
	if err != nil {
		log.Warn("there is no session bus", "err", err)
		tellHost(ctx, tell, noBus)
		return
	}
	defer conn.Close()
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	err = errors.Join(
		conn.AddMatchSignal(dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, watcherName)),
		conn.AddMatchSignal(dbus.WithMatchInterface(watcherName), dbus.WithMatchObjectPath(watcherPath)))
	if err != nil {
		log.Warn("can't watch the desktop's tray", "err", err)
	}
	for {
		tellHost(ctx, tell, hasHost(ctx, conn))
		select {
		case <-ctx.Done():
			return
		case s := <-signals:
			if s == nil {
				log.Warn("the session bus is gone")
				tellHost(ctx, tell, noBus)
				return
			}
		}
	}
}

func tellHost(ctx context.Context, tell chan<- hostState, s hostState) {
	select {
	case tell <- s:
	case <-ctx.Done():
	}
}

func hasHost(ctx context.Context, conn *dbus.Conn) hostState {
	var owned bool
	err := conn.BusObject().CallWithContext(ctx, "org.freedesktop.DBus.NameHasOwner", 0, watcherName).Store(&owned)
	if err != nil || !owned {
		return noHost
	}
	// A watcher without a host keeps a list that nobody shows. Not all can tell.
	v, err := conn.Object(watcherName, watcherPath).GetProperty(watcherName + ".IsStatusNotifierHostRegistered")
	if registered, ok := v.Value().(bool); err == nil && ok && !registered {
		return noHost
	}
	return aHost
}
