//go:build unix && !darwin

package notify

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"net"
	"reflect"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"unicode/utf8"

	"github.com/godbus/dbus/v5"
)

// authed is an end of a pipe that answers the authentication of D-Bus itself, so
// that two ends of one library talk to each other without a bus.
type authed struct {
	net.Conn
	mu    sync.Mutex
	begun bool
	said  []byte // of an unfinished line
	reply bytes.Buffer
}

func (a *authed) Write(p []byte) (int, error) {
	a.mu.Lock()
	if a.begun {
		a.mu.Unlock()
		return a.Conn.Write(p)
	}
	defer a.mu.Unlock()
	a.said = append(a.said, p...)
	for {
		line, rest, whole := bytes.Cut(a.said, []byte("\r\n"))
		if !whole {
			return len(p), nil
		}
		a.said = rest
		switch words := strings.Fields(strings.TrimPrefix(string(line), "\x00")); {
		case words[0] == "BEGIN":
			a.begun = true
		case len(words) == 1:
			a.reply.WriteString("REJECTED EXTERNAL\r\n")
		default:
			a.reply.WriteString("OK 0123456789abcdef0123456789abcdef\r\n")
		}
	}
}

func (a *authed) Read(p []byte) (int, error) {
	a.mu.Lock()
	if a.reply.Len() > 0 {
		defer a.mu.Unlock()
		return a.reply.Read(p)
	}
	a.mu.Unlock()
	return a.Conn.Read(p)
}

// desk is a session bus with a notification daemon and a portal on it.
type desk struct {
	t      *testing.T
	name   string
	can    []string
	absent bool // the daemon
	portal bool

	mu    sync.Mutex
	conn  *dbus.Conn
	next  uint32
	calls []string
	notes []note
}

type note struct {
	app      string
	replaces uint32
	title    string
	body     string
	actions  []string
	hints    map[string]dbus.Variant
}

func (d *desk) dial() (*dbus.Conn, error) {
	ours, theirs := net.Pipe()
	server, err := dbus.NewConn(&authed{Conn: theirs})
	if err != nil {
		return nil, err
	}
	if err := server.Auth(nil); err != nil {
		return nil, err
	}
	for _, e := range []error{
		server.Export(busItself{}, "/org/freedesktop/DBus", "org.freedesktop.DBus"),
		server.Export(daemon{d}, daemonPath, daemonName),
		server.Export(portal{d}, portalPath, portalFace),
	} {
		if e != nil {
			return nil, e
		}
	}
	d.mu.Lock()
	d.conn = server
	d.mu.Unlock()
	d.t.Cleanup(func() { server.Close() })
	conn, err := dbus.NewConn(&authed{Conn: ours})
	if err != nil {
		return nil, err
	}
	return conn, conn.Auth(nil)
}

type busItself struct{}

func (busItself) AddMatch(string) *dbus.Error { return nil }

type daemon struct{ d *desk }

var nobody = &dbus.Error{Name: "org.freedesktop.DBus.Error.ServiceUnknown", Body: []any{"nobody"}}

func (x daemon) GetCapabilities() ([]string, *dbus.Error) {
	if x.d.absent {
		return nil, nobody
	}
	return x.d.can, nil
}

func (x daemon) GetServerInformation() (name, vendor, version, spec string, e *dbus.Error) {
	return x.d.name, "", "1", "1.2", nil
}

func (x daemon) Notify(app string, replaces uint32, icon, title, body string, actions []string, hints map[string]dbus.Variant, expire int32) (uint32, *dbus.Error) {
	x.d.mu.Lock()
	defer x.d.mu.Unlock()
	x.d.notes = append(x.d.notes, note{app, replaces, title, body, actions, hints})
	if replaces != 0 {
		return replaces, nil
	}
	x.d.next++
	return x.d.next, nil
}

func (x daemon) CloseNotification(id uint32) *dbus.Error {
	x.d.call("close %d", id)
	return nil
}

type portal struct{ d *desk }

func (x portal) AddNotification(id string, n map[string]dbus.Variant) *dbus.Error {
	if !x.d.portal {
		return nobody
	}
	x.d.call("portal %s: %s %s %s", id, n["title"], n["body"], n["buttons"])
	return nil
}

func (x portal) RemoveNotification(id string) *dbus.Error {
	x.d.call("portal removes %s", id)
	return nil
}

func (d *desk) call(format string, args ...any) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.calls = append(d.calls, fmt.Sprintf(format, args...))
}

func (d *desk) click(name string, values ...any) {
	d.mu.Lock()
	conn := d.conn
	d.mu.Unlock()
	path := dbus.ObjectPath(daemonPath)
	if strings.HasPrefix(name, portalFace) {
		path = portalPath
	}
	if err := conn.Emit(path, name, values...); err != nil {
		d.t.Error(err)
	}
	synctest.Wait()
}

// on runs a test in a bubble, so that it can wait until everything rests.
func on(t *testing.T, d *desk, o Options, f func(t *testing.T, b *bus)) {
	synctest.Test(t, func(t *testing.T) {
		d.t = t
		b := newBus(o, d.dial)
		f(t, b)
		if err := b.Close(); err != nil {
			t.Error(err)
		}
		if err := b.Show(t.Context(), Note{}); !errors.Is(err, ErrNone) {
			t.Errorf("shown after the end: %v", err)
		}
	})
}

func show(t *testing.T, b *bus, n Note) {
	t.Helper()
	if err := b.Show(t.Context(), n); err != nil {
		t.Fatal(err)
	}
}

const evil = "<b>x</b> & 'y' \"z\" $(id) `id` a\nb\x00c\u202e <a href=\"x\">&lt;"

func TestTextsAreTextToTheDaemon(t *testing.T) {
	d := &desk{can: []string{"body", "body-markup", "body-hyperlinks", "actions"}}
	on(t, d, Options{App: "Pinion", DesktopEntry: "pinion"}, func(t *testing.T, b *bus) {
		show(t, b, Note{Key: "k", Title: evil, Body: evil, Category: "transfer", Actions: []Action{{"settle", evil}, {"show", "Show"}}})
		n := d.notes[0]
		plain := "<b>x</b> & 'y' \"z\" $(id) `id` a b c <a href=\"x\">&lt;"
		if n.title != plain { // by the specification a summary is no markup
			t.Errorf("title %q", n.title)
		}
		if want := "&lt;b&gt;x&lt;/b&gt; &amp; 'y' \"z\" $(id) `id` a b c &lt;a href=\"x\"&gt;&amp;lt;"; n.body != want {
			t.Errorf("body %q, want %q", n.body, want)
		}
		if len(n.actions) != 6 || n.actions[0] != "default" || n.actions[2] != "0" || n.actions[4] != "1" {
			t.Errorf("actions %q", n.actions)
		}
		if n.app != "Pinion" || n.hints["desktop-entry"].Value() != "pinion" || n.hints["category"].Value() != "transfer" || n.hints["urgency"].Value() != byte(1) {
			t.Errorf("%+v", n)
		}
		d.name = "Xfce Notify Daemon"
		show(t, b, Note{Key: "k", Actions: []Action{{"settle", "Settle…"}, {"show", "Show"}}})
		if got := d.notes[1].actions; !reflect.DeepEqual(got, []string{"default", "Settle…", "1", "Show"}) {
			t.Errorf("where the default is a button: %q", got)
		}
		d.can = []string{"body"}
		show(t, b, Note{Key: "other", Title: "t", Body: evil, Actions: []Action{{"a", "A"}}, Urgent: true})
		if n := d.notes[2]; n.body != plain || len(n.actions) != 0 || n.hints["urgency"].Value() != byte(2) {
			t.Errorf("%+v", n)
		}
		d.can = nil
		show(t, b, Note{Key: "third", Title: "t", Body: "b"})
		if n := d.notes[3]; n.title != "t: b" || n.body != "" {
			t.Errorf("%+v", n)
		}
	})
}

func TestLengthsAreBounded(t *testing.T) {
	d := &desk{can: []string{"body", "actions"}}
	on(t, d, Options{}, func(t *testing.T, b *bus) {
		show(t, b, Note{Title: strings.Repeat("é", 1000), Body: strings.Repeat("\xff日", 1000), Actions: make([]Action, 50)})
		n := d.notes[0]
		if utf8.RuneCountInString(n.title) != maxTitle || utf8.RuneCountInString(n.body) != maxBody || len(n.actions) != 2*maxActions+2 {
			t.Errorf("%d, %d, %d", utf8.RuneCountInString(n.title), utf8.RuneCountInString(n.body), len(n.actions))
		}
		for i := range 3 * mostShown {
			show(t, b, Note{Key: fmt.Sprint(i)})
		}
		if len(b.shown) != mostShown {
			t.Errorf("%d notices are remembered", len(b.shown))
		}
	})
}

func TestOneNoticeAKey(t *testing.T) {
	d := &desk{can: []string{"body", "actions"}}
	on(t, d, Options{}, func(t *testing.T, b *bus) {
		for _, key := range []string{"conflict", "disk", "conflict", "conflict"} {
			show(t, b, Note{Key: key})
		}
		var replaced []uint32
		for _, n := range d.notes {
			replaced = append(replaced, n.replaces)
		}
		if want := []uint32{0, 0, 1, 1}; !reflect.DeepEqual(replaced, want) {
			t.Errorf("replaced %v, want %v", replaced, want)
		}
		d.click(daemonName+".NotificationClosed", uint32(1), uint32(2))
		show(t, b, Note{Key: "conflict"})
		if n := d.notes[4]; n.replaces != 0 {
			t.Errorf("replaces %d, which the person has closed", n.replaces)
		}
		for _, key := range []string{"disk", "disk", "never shown"} {
			if err := b.Withdraw(t.Context(), key); err != nil {
				t.Error(err)
			}
		}
		if want := []string{"close 2"}; !reflect.DeepEqual(d.calls, want) {
			t.Errorf("%q, want %q", d.calls, want)
		}
	})
}

func TestClicks(t *testing.T) {
	d := &desk{can: []string{"body", "actions"}}
	clicks := make(chan string, 10)
	o := Options{Invoked: func(key, action string) { clicks <- key + " " + action }}
	on(t, d, o, func(t *testing.T, b *bus) {
		show(t, b, Note{Key: "k", Actions: []Action{{"settle", "Settle…"}, {"show", "Show"}}})
		none := func(name string, values ...any) {
			t.Helper()
			d.click(name, values...)
			select {
			case c := <-clicks:
				t.Errorf("%s %v was taken for a click: %s", name, values, c)
			default:
			}
		}
		one := func(want, name string, values ...any) {
			t.Helper()
			d.click(name, values...)
			select {
			case c := <-clicks:
				if c != want {
					t.Errorf("%s %v: %s", name, values, c)
				}
			default:
				t.Errorf("%s %v was not heard", name, values)
			}
		}
		one("k settle", daemonName+".ActionInvoked", uint32(1), "default")
		one("k settle", daemonName+".ActionInvoked", uint32(1), "0")
		one("k show", daemonName+".ActionInvoked", uint32(1), "1")
		none(daemonName+".ActionInvoked", uint32(2), "0") // another program's
		none(daemonName+".ActionInvoked", uint32(0), "0")
		none(daemonName+".ActionInvoked", uint32(1), "2")
		none(daemonName+".ActionInvoked", uint32(1), "-1")
		none(daemonName+".ActionInvoked", uint32(1), "settle")
		none(daemonName+".ActionInvoked", "1", "0") // not as specified
		none(daemonName + ".ActionInvoked")
		none(portalFace+".ActionInvoked", "k", "0", []dbus.Variant{})
		none(daemonName+".NotificationClosed", uint32(1), uint32(1))
		none(daemonName+".ActionInvoked", uint32(1), "0")
	})
}

func TestPortalIsTheSecondWay(t *testing.T) {
	d := &desk{absent: true, portal: true}
	clicks := make(chan string, 10)
	on(t, d, Options{Invoked: func(key, action string) { clicks <- key + " " + action }}, func(t *testing.T, b *bus) {
		show(t, b, Note{Key: "k", Title: "t", Body: "<b>", Actions: []Action{{"settle", "Settle…"}}})
		d.click(portalFace+".ActionInvoked", "k", "0", []dbus.Variant{})
		d.click(portalFace+".ActionInvoked", "someone else's", "0", []dbus.Variant{})
		d.click(portalFace + ".ActionInvoked")
		if got := <-clicks; got != "k settle" || len(clicks) != 0 {
			t.Error(got)
		}
		if err := b.Withdraw(t.Context(), "k"); err != nil {
			t.Error(err)
		}
		if want := []string{`portal k: "t" "<b>" [{"action": <"0">, "label": <"Settle…">}]`, "portal removes k"}; !reflect.DeepEqual(d.calls, want) {
			t.Errorf("%q, want %q", d.calls, want)
		}
		d.portal = false
		if err := b.Show(t.Context(), Note{}); !errors.Is(err, ErrNone) {
			t.Errorf("nobody shows it, and the error is %v", err)
		}
	})
}

func TestABusThatEndsIsDialledAnew(t *testing.T) {
	d := &desk{can: []string{"body"}}
	on(t, d, Options{}, func(t *testing.T, b *bus) {
		show(t, b, Note{Key: "k"})
		d.conn.Close()
		synctest.Wait()
		if err := b.Withdraw(t.Context(), "k"); err != nil {
			t.Error(err)
		}
		show(t, b, Note{Key: "k"})
		if len(d.notes) != 2 || d.notes[1].replaces != 0 {
			t.Errorf("%+v", d.notes)
		}
	})
}

func TestWithoutABus(t *testing.T) {
	t.Setenv("DBUS_SESSION_BUS_ADDRESS", "unix:path="+t.TempDir()+"/none")
	if n, err := Open(context.Background(), Options{}); !errors.Is(err, ErrNone) {
		t.Errorf("%v, %v", n, err)
	}
}

func TestImage(t *testing.T) {
	m := image.NewRGBA(image.Rect(1, 1, 4, 3))
	m.Set(1, 1, color.NRGBA{R: 9, G: 8, B: 7, A: 255})
	v := imageData(m)
	if got := v.Signature().String(); got != "(iiibiiay)" {
		t.Error(got)
	}
	var w, h, row, bits, channels int32
	var alpha bool
	var pix []byte
	s := reflect.ValueOf(v.Value())
	for i, to := range []any{&w, &h, &row, &alpha, &bits, &channels, &pix} {
		reflect.ValueOf(to).Elem().Set(s.Field(i))
	}
	if w != 3 || h != 2 || row != 12 || !alpha || bits != 8 || channels != 4 || len(pix) != 24 || !bytes.Equal(pix[:4], []byte{9, 8, 7, 255}) {
		t.Errorf("%v", v)
	}
}
