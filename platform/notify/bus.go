//go:build unix && !darwin

package notify

import (
	"context"
	"errors"
	"fmt"
	"image"
	"image/draw"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"
)

// Of the Desktop Notifications Specification 1.2, and of the portal's
// documentation (org.freedesktop.portal.Notification, version 1).
const (
	daemonName = "org.freedesktop.Notifications"
	daemonPath = "/org/freedesktop/Notifications"
	portalName = "org.freedesktop.portal.Desktop"
	portalPath = "/org/freedesktop/portal/desktop"
	portalFace = "org.freedesktop.portal.Notification"

	defaultAction = "default"
	callTimeout   = 5 * time.Second
	mostShown     = 64 // notices that are remembered for their clicks
)

// Open finds the desktop's way of notifying. An error means that there is none.
func Open(ctx context.Context, o Options) (Notifier, error) {
	b := newBus(o, func() (*dbus.Conn, error) {
		conn, err := dbus.SessionBusPrivateNoAutoStartup()
		if err != nil {
			return nil, err
		}
		if err := conn.Auth(nil); err != nil {
			conn.Close()
			return nil, err
		}
		if err := conn.Hello(); err != nil {
			conn.Close()
			return nil, err
		}
		return conn, nil
	})
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.connect(ctx); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNone, err)
	}
	return b, nil
}

// bus notifies over a session bus. When that goes away it is dialled anew for the
// next notice.
type bus struct {
	o    Options
	dial func() (*dbus.Conn, error)

	mu     sync.Mutex
	closed bool
	conn   *dbus.Conn
	heard  chan struct{} // closed when the goroutine that listens to conn has ended
	shown  []shown       // oldest first
	image  *dbus.Variant
}

// shown is a notice that may still stand on the screen.
type shown struct {
	key     string
	id      uint32 // the daemon's; 0: shown by the portal under its key
	actions []Action
}

func newBus(o Options, dial func() (*dbus.Conn, error)) *bus {
	b := &bus{o: o, dial: dial}
	if o.Image != nil {
		v := imageData(o.Image)
		b.image = &v
	}
	return b
}

// connect is called with mu held.
func (b *bus) connect(ctx context.Context) error {
	if b.closed {
		return ErrNone
	}
	if b.conn != nil && b.conn.Connected() {
		return nil
	}
	conn, err := b.dial()
	if err != nil {
		return fmt.Errorf("reach the session bus: %w", err)
	}
	for _, rule := range [][]dbus.MatchOption{
		{dbus.WithMatchSender(daemonName), dbus.WithMatchInterface(daemonName), dbus.WithMatchObjectPath(daemonPath)},
		{dbus.WithMatchSender(portalName), dbus.WithMatchInterface(portalFace), dbus.WithMatchObjectPath(portalPath)},
	} {
		if err := conn.AddMatchSignalContext(ctx, rule...); err != nil {
			conn.Close()
			return fmt.Errorf("listen on the session bus: %w", err)
		}
	}
	signals := make(chan *dbus.Signal, 16)
	conn.Signal(signals)
	b.conn, b.shown, b.heard = conn, nil, make(chan struct{})
	go b.listen(signals, b.heard)
	return nil
}

func (b *bus) Show(ctx context.Context, n Note) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	if err := b.connect(ctx); err != nil {
		return err
	}
	n = n.fit()
	err := b.byDaemon(ctx, n)
	if isAbsent(err) {
		err = b.byPortal(ctx, n)
	}
	if isAbsent(err) {
		return ErrNone
	}
	if err != nil {
		return fmt.Errorf("show a notification: %w", err)
	}
	return nil
}

func (b *bus) byDaemon(ctx context.Context, n Note) error {
	daemon := b.conn.Object(daemonName, daemonPath)
	// Asked each time: another daemon may have taken over.
	var can []string
	if err := daemon.CallWithContext(ctx, daemonName+".GetCapabilities", 0).Store(&can); err != nil {
		return err
	}
	if !slices.Contains(can, "body") && n.Body != "" {
		n.Title, n.Body = bounded(n.Title+": "+n.Body, maxTitle), ""
	}
	if slices.Contains(can, "body-markup") {
		n.Body = escape(n.Body)
	}
	var actions []string
	if slices.Contains(can, "actions") {
		actions = buttons(n.Actions, b.showsDefault(ctx, daemon))
	}
	urgency := byte(1)
	if n.Urgent {
		urgency = 2
	}
	hints := map[string]dbus.Variant{"urgency": dbus.MakeVariant(urgency)}
	if n.Category != "" {
		hints["category"] = dbus.MakeVariant(n.Category)
	}
	if b.o.DesktopEntry != "" {
		hints["desktop-entry"] = dbus.MakeVariant(b.o.DesktopEntry)
	}
	if b.image != nil {
		hints["image-data"] = *b.image
	}
	var id uint32
	err := daemon.CallWithContext(ctx, daemonName+".Notify", 0, b.o.App, b.idOf(n.Key), "", n.Title, n.Body, actions, hints, int32(-1)).Store(&id)
	if err != nil {
		return err
	}
	b.remember(shown{n.Key, id, n.Actions})
	return nil
}

// showsDefault: most daemons have the default action for a click on the notice
// alone; Xfce's makes a button of it, too, beside which that of the first action
// would stand a second time.
func (b *bus) showsDefault(ctx context.Context, daemon dbus.BusObject) bool {
	var name, vendor, version, spec string
	err := daemon.CallWithContext(ctx, daemonName+".GetServerInformation", 0).Store(&name, &vendor, &version, &spec)
	return err == nil && strings.HasPrefix(strings.ToLower(name), "xfce")
}

// buttons is the specification's list: a key and a label for each.
func buttons(list []Action, defaultShown bool) (actions []string) {
	for i, a := range list {
		if i == 0 {
			actions = append(actions, defaultAction, a.Label)
		}
		if i > 0 || !defaultShown {
			actions = append(actions, strconv.Itoa(i), a.Label)
		}
	}
	return actions
}

func (b *bus) byPortal(ctx context.Context, n Note) error {
	note := map[string]dbus.Variant{"title": dbus.MakeVariant(n.Title), "body": dbus.MakeVariant(n.Body)}
	if n.Urgent {
		note["priority"] = dbus.MakeVariant("urgent")
	}
	var buttons []map[string]dbus.Variant
	for i, a := range n.Actions {
		if i == 0 {
			note["default-action"] = dbus.MakeVariant("0")
		}
		buttons = append(buttons, map[string]dbus.Variant{"label": dbus.MakeVariant(a.Label), "action": dbus.MakeVariant(strconv.Itoa(i))})
	}
	if buttons != nil {
		note["buttons"] = dbus.MakeVariant(buttons)
	}
	if err := b.conn.Object(portalName, portalPath).CallWithContext(ctx, portalFace+".AddNotification", 0, n.Key, note).Err; err != nil {
		return err
	}
	b.remember(shown{n.Key, 0, n.Actions})
	return nil
}

func (b *bus) Withdraw(ctx context.Context, key string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	b.mu.Lock()
	defer b.mu.Unlock()
	i := slices.IndexFunc(b.shown, func(s shown) bool { return s.key == key })
	if i < 0 || b.conn == nil || !b.conn.Connected() {
		return nil
	}
	s := b.shown[i]
	b.shown = slices.Delete(b.shown, i, i+1)
	var err error
	if s.id == 0 {
		err = b.conn.Object(portalName, portalPath).CallWithContext(ctx, portalFace+".RemoveNotification", 0, key).Err
	} else {
		err = b.conn.Object(daemonName, daemonPath).CallWithContext(ctx, daemonName+".CloseNotification", 0, s.id).Err
	}
	var gone dbus.Error // the daemon answers so when the person was quicker
	if err != nil && !errors.As(err, &gone) {
		return fmt.Errorf("withdraw a notification: %w", err)
	}
	return nil
}

func (b *bus) Close() error {
	b.mu.Lock()
	conn, heard := b.conn, b.heard
	b.closed, b.conn = true, nil
	b.mu.Unlock()
	if conn == nil {
		return nil
	}
	err := conn.Close()
	<-heard
	return err
}

// idOf is the daemon's number of the notice with a key; 0 when there is none.
func (b *bus) idOf(key string) uint32 {
	for _, s := range b.shown {
		if s.key == key {
			return s.id
		}
	}
	return 0
}

func (b *bus) remember(s shown) {
	b.shown = slices.DeleteFunc(b.shown, func(old shown) bool { return old.key == s.key || s.id != 0 && old.id == s.id })
	b.shown = append(b.shown, s)
	if len(b.shown) > mostShown {
		b.shown = slices.Delete(b.shown, 0, 1)
	}
}

// listen hears what became of notices until the connection ends.
func (b *bus) listen(signals <-chan *dbus.Signal, heard chan<- struct{}) {
	defer close(heard)
	for s := range signals {
		key, action := b.hear(s)
		if action != "" && b.o.Invoked != nil {
			b.o.Invoked(key, action)
		}
	}
}

func (b *bus) hear(s *dbus.Signal) (key, action string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch s.Name {
	case daemonName + ".ActionInvoked":
		var id uint32
		var which string
		if dbus.Store(s.Body, &id, &which) == nil && id != 0 {
			return b.chosen(func(n shown) bool { return n.id == id }, which)
		}
	case daemonName + ".NotificationClosed":
		var id, why uint32
		if dbus.Store(s.Body, &id, &why) == nil && id != 0 {
			b.shown = slices.DeleteFunc(b.shown, func(n shown) bool { return n.id == id })
		}
	case portalFace + ".ActionInvoked":
		if len(s.Body) < 2 {
			break
		}
		id, _ := s.Body[0].(string)
		which, _ := s.Body[1].(string)
		return b.chosen(func(n shown) bool { return n.id == 0 && n.key == id }, which)
	}
	return "", ""
}

// chosen finds the action that a person chose; other programs' notices are none
// of ours.
func (b *bus) chosen(is func(shown) bool, which string) (key, action string) {
	i := slices.IndexFunc(b.shown, is)
	if i < 0 {
		return "", ""
	}
	n, at := b.shown[i], 0
	if which != defaultAction {
		var err error
		if at, err = strconv.Atoi(which); err != nil {
			return "", ""
		}
	}
	if at < 0 || at >= len(n.actions) {
		return "", ""
	}
	return n.key, n.actions[at].ID
}

// isAbsent: nobody on the bus has what was asked for.
func isAbsent(err error) bool {
	var e dbus.Error
	if !errors.As(err, &e) {
		return false
	}
	switch e.Name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.UnknownInterface", "org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownObject":
		return true
	}
	return strings.HasPrefix(e.Name, "org.freedesktop.DBus.Error.Spawn.")
}

func escape(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

// imageData is the specification's (iiibiiay): width, height, bytes in a row,
// alpha, bits, channels, bytes.
func imageData(m image.Image) dbus.Variant {
	r := image.Rect(0, 0, m.Bounds().Dx(), m.Bounds().Dy())
	p := image.NewNRGBA(r)
	draw.Draw(p, r, m, m.Bounds().Min, draw.Src)
	return dbus.MakeVariant(struct {
		Width, Height, Row int32
		Alpha              bool
		Bits, Channels     int32
		Bytes              []byte
	}{int32(r.Dx()), int32(r.Dy()), int32(p.Stride), true, 8, 4, p.Pix})
}
