package netcost

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"time"

	"github.com/godbus/dbus/v5"
)

const (
	managerName  = "org.freedesktop.NetworkManager"
	managerPath  = "/org/freedesktop/NetworkManager"
	properties   = "org.freedesktop.DBus.Properties"
	busSocket    = "/run/dbus/system_bus_socket"
	busVariable  = "DBUS_SYSTEM_BUS_ADDRESS"
	retry        = time.Minute // after the bus has gone
	ownerChanged = "NameOwnerChanged"
)

// Watch calls told with what is known, and again whenever that changes, until ctx
// ends. Without a system bus it returns after the first call.
func Watch(ctx context.Context, told func(State)) {
	told(Unknown)
	for ctx.Err() == nil {
		if _, err := os.Stat(busSocket); os.Getenv(busVariable) == "" && errors.Is(err, fs.ErrNotExist) {
			return
		}
		if m, err := dial(ctx); err == nil {
			follow(ctx, m, told)
			m.close()
			told(Unknown)
		}
		select {
		case <-ctx.Done():
		case <-time.After(retry):
		}
	}
}

// manager is NetworkManager, as far as it is used.
type manager interface {
	metered(ctx context.Context) (uint32, error)
	changes() <-chan *dbus.Signal // closed with the connection
	close()
}

// follow tells what the manager says until ctx or the connection ends.
func follow(ctx context.Context, m manager, told func(State)) {
	last := Unknown
	for {
		now := Unknown
		if v, err := m.metered(ctx); err == nil {
			now = stateOf(v)
		}
		if now != last {
			told(now)
			last = now
		}
		select {
		case <-ctx.Done():
			return
		case _, ok := <-m.changes():
			if !ok {
				return
			}
		}
	}
}

// stateOf reads an NMMetered.
func stateOf(v uint32) State {
	switch v {
	case 1, 3: // yes, guessed yes
		return Metered
	case 2, 4: // no, guessed no
		return Free
	}
	return Unknown
}

// bus is the manager on the system bus.
type bus struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
}

func dial(ctx context.Context) (manager, error) {
	conn, err := dbus.ConnectSystemBus(dbus.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	b := &bus{conn: conn, signals: make(chan *dbus.Signal, 16)}
	conn.Signal(b.signals)
	// Every change is a reason to ask, whatever it says.
	err = errors.Join(
		conn.AddMatchSignalContext(ctx, dbus.WithMatchObjectPath(managerPath), dbus.WithMatchInterface(properties), dbus.WithMatchSender(managerName), dbus.WithMatchArg(0, managerName)),
		conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface("org.freedesktop.DBus"), dbus.WithMatchMember(ownerChanged), dbus.WithMatchArg(0, managerName)),
	)
	if err != nil {
		b.close()
		return nil, err
	}
	return b, nil
}

func (b *bus) changes() <-chan *dbus.Signal { return b.signals }
func (b *bus) close()                       { b.conn.Close() }

func (b *bus) metered(ctx context.Context) (uint32, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	var v dbus.Variant
	call := b.conn.Object(managerName, managerPath).CallWithContext(ctx, properties+".Get", dbus.FlagNoAutoStart, managerName, "Metered")
	if err := call.Store(&v); err != nil {
		return 0, err
	}
	n, ok := v.Value().(uint32)
	if !ok {
		return 0, errors.New("Metered is no number")
	}
	return n, nil
}
