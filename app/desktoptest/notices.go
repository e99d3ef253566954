//go:build desktoptest

package desktoptest

import (
	"fmt"
	"regexp"
	"sync"

	"github.com/godbus/dbus/v5"
)

const (
	notifyName      = "org.freedesktop.Notifications"
	notifyPath      = "/org/freedesktop/Notifications"
	notifyInterface = "org.freedesktop.Notifications"
)

// notice is a notification, as it reached the daemon.
type notice struct {
	id            uint32
	replaces      uint32
	app           string
	summary, body string
	actions       []string // key, words, key, words…
	sender        string
	closed        bool
}

func (n notice) String() string {
	return fmt.Sprintf("%q %q %q", n.summary, n.body, n.actions)
}

// action is the key of the action whose words match.
func (n notice) action(pattern string) (string, bool) {
	for k := 0; k+1 < len(n.actions); k += 2 {
		if regexp.MustCompile(pattern).MatchString(n.actions[k+1]) {
			return n.actions[k], true
		}
	}
	return "", false
}

// notices are those that came so far.
type notices struct {
	mu   sync.Mutex
	conn *dbus.Conn
	all  []notice
}

// beNotices makes the test the session's notification daemon.
func beNotices(d *Desk) *notices {
	d.t.Helper()
	n := &notices{conn: d.connect()}
	if err := n.conn.Export(&notifyDaemon{n}, notifyPath, notifyInterface); err != nil {
		d.t.Fatal(err)
	}
	if r, err := n.conn.RequestName(notifyName, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		d.t.Fatalf("become the notification daemon: %v %v", r, err)
	}
	return n
}

// listenToNotices listens on the bus to what a daemon is sent.
func listenToNotices(d *Desk) *notices {
	d.t.Helper()
	n := &notices{conn: d.connect()}
	rules := []string{"type='method_call',interface='" + notifyInterface + "',member='Notify'"}
	if err := n.conn.BusObject().Call("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, rules, uint32(0)).Err; err != nil {
		d.t.Fatalf("listen on the bus: %v", err)
	}
	messages := make(chan *dbus.Message, 64)
	n.conn.Eavesdrop(messages)
	go func() {
		for m := range messages {
			if len(m.Body) < 6 {
				continue
			}
			var x notice
			x.app, _ = m.Body[0].(string)
			x.replaces, _ = m.Body[1].(uint32)
			x.summary, _ = m.Body[3].(string)
			x.body, _ = m.Body[4].(string)
			x.actions, _ = m.Body[5].([]string)
			n.mu.Lock()
			n.all = append(n.all, x)
			n.mu.Unlock()
		}
	}()
	return n
}

func (n *notices) list() []notice {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]notice(nil), n.all...)
}

// notice waits for a notification whose words match.
func (d *Desk) notice(pattern string) notice {
	d.t.Helper()
	var found notice
	re := regexp.MustCompile(pattern)
	d.until(fmt.Sprintf("a notification that matches %q comes", pattern), func() (string, bool) {
		all := d.notices.list()
		for k := len(all) - 1; k >= 0; k-- {
			if x := all[k]; !x.closed && re.MatchString(x.summary+"\n"+x.body) {
				found = x
				return "", true
			}
		}
		return fmt.Sprint(all), false
	})
	return found
}

// answer presses a notification's button, as the daemon tells the program of it.
func (d *Desk) answer(x notice, action string) {
	d.t.Helper()
	key, ok := x.action(action)
	if !ok {
		d.t.Fatalf("the notification %s has no action that matches %q", x, action)
	}
	if err := d.notices.conn.Emit(notifyPath, notifyInterface+".ActionInvoked", x.id, key); err != nil {
		d.t.Fatal(err)
	}
	d.notices.close(x.id, 2)
	d.did("answered %q by %q", x.summary, key)
}

func (n *notices) close(id, reason uint32) {
	n.mu.Lock()
	for k := range n.all {
		if n.all[k].id == id {
			n.all[k].closed = true
		}
	}
	n.mu.Unlock()
	_ = n.conn.Emit(notifyPath, notifyInterface+".NotificationClosed", id, reason)
}

// notifyDaemon is what programs call.
type notifyDaemon struct{ n *notices }

func (s *notifyDaemon) Notify(sender dbus.Sender, app string, replaces uint32, _, summary, body string, actions []string, _ map[string]dbus.Variant, _ int32) (uint32, *dbus.Error) {
	s.n.mu.Lock()
	defer s.n.mu.Unlock()
	id := replaces
	if id == 0 {
		id = uint32(len(s.n.all) + 1)
	}
	s.n.all = append(s.n.all, notice{id: id, replaces: replaces, app: app, summary: summary, body: body, actions: actions, sender: string(sender)})
	return id, nil
}

func (s *notifyDaemon) CloseNotification(id uint32) *dbus.Error {
	s.n.close(id, 3)
	return nil
}

func (s *notifyDaemon) GetCapabilities() ([]string, *dbus.Error) {
	return []string{"body", "body-markup", "actions", "persistence"}, nil
}

func (s *notifyDaemon) GetServerInformation() (name, vendor, version, spec string, err *dbus.Error) {
	return "desktoptest", "pinion", "1", "1.2", nil
}
