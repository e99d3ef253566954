//go:build desktoptest

package desktoptest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// deskOptions are what a session lacks, or has of another kind.
type deskOptions struct {
	noPanel    bool // nobody hosts icons
	realNotifs bool // xfce4-notifyd instead of a daemon of the test's
	noGL       bool
	dark       bool
	w, h       int
}

// Desk is a session.
type Desk struct {
	t       testing.TB
	o       deskOptions
	dir     string // all that it writes
	home    string // the person's
	shots   string
	env     []string // of programs in the session
	bus     *dbus.Conn
	screen  *screen
	notices *notices
	step    int
}

// patience is how long anything may take on a busy machine.
const patience = 30 * time.Second

// newDesk starts a session and waits until it is ready.
func newDesk(t testing.TB, o deskOptions) *Desk {
	t.Helper()
	if o.w == 0 {
		o.w, o.h = 1280, 800
	}
	d := &Desk{t: t, o: o, dir: shortTemp(t)}
	d.home = filepath.Join(d.dir, "home")
	d.shots = filepath.Join(shotsDir(t), strings.ReplaceAll(strings.TrimPrefix(t.Name(), "Test"), "/", "-"))
	logs, run := filepath.Join(d.dir, "logs"), filepath.Join(d.dir, "run")
	for _, dir := range []string{logs, run, d.shots, filepath.Join(d.dir, "bin"), filepath.Join(d.home, ".config/xfce4/xfconf/xfce-perchannel-xml")} {
		mkdir(t, dir)
	}
	d.env = append(plainEnv(),
		"HOME="+d.home, "XDG_RUNTIME_DIR="+run, "PATH="+filepath.Join(d.dir, "bin")+":"+os.Getenv("PATH"),
		"LIBGL_ALWAYS_SOFTWARE=1", "GALLIUM_DRIVER=llvmpipe", "LP_NUM_THREADS=1", "GTK_THEME=Adwaita", "NO_AT_BRIDGE=1",
		"LANG=C.UTF-8", "XDG_CURRENT_DESKTOP=XFCE", "TZ=UTC",
	)
	variant := "light"
	if o.dark {
		variant = "dark"
	}
	d.env = append(d.env, "FYNE_THEME="+variant)
	d.fakeOpen()
	d.startX()
	d.startBus()
	d.startPrograms()
	t.Cleanup(func() {
		if t.Failed() {
			d.keepLogs()
		}
	})
	return d
}

// plainEnv is the environment without what would tell of another session.
func plainEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		name, _, _ := strings.Cut(kv, "=")
		switch {
		case strings.HasPrefix(name, "XDG_"), strings.HasPrefix(name, "DBUS_"), strings.HasPrefix(name, "FYNE_"), strings.HasPrefix(name, "PINION_"),
			name == "DISPLAY", name == "WAYLAND_DISPLAY", name == "HOME", name == "PATH", name == "LANG", name == "TZ", name == "GTK_THEME":
		default:
			env = append(env, kv)
		}
	}
	return env
}

// fakeOpen puts an xdg-open into the PATH that writes down what it was given.
func (d *Desk) fakeOpen() {
	script := "#!/bin/sh\nprintf '%s\\0' \"$@\" >>\"" + d.openedFile() + "\"\nprintf '\\n' >>\"" + d.openedFile() + "\"\n"
	if err := os.WriteFile(filepath.Join(d.dir, "bin/xdg-open"), []byte(script), 0o755); err != nil {
		d.t.Fatal(err)
	}
}

func (d *Desk) openedFile() string { return filepath.Join(d.dir, "opened") }

// opened is what was handed to the desktop to open.
func (d *Desk) opened() string {
	b, _ := os.ReadFile(d.openedFile())
	return strings.ReplaceAll(string(b), "\x00", "")
}

func (d *Desk) logs() string { return filepath.Join(d.dir, "logs") }

func (d *Desk) startX() {
	d.t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		d.t.Fatal(err)
	}
	fb := filepath.Join(d.dir, "fb")
	mkdir(d.t, fb)
	args := []string{"-displayfd", "3", "-screen", "0", fmt.Sprintf("%dx%dx24", d.o.w, d.o.h), "-nolisten", "tcp", "-fbdir", fb}
	if d.o.noGL {
		args = append(args, "-extension", "GLX")
	}
	p, err := launch(d.logs(), "xvfb", d.env, []*os.File{w}, "Xvfb", args...)
	if err != nil {
		d.t.Fatalf("start Xvfb: %v", err)
	}
	w.Close()
	d.t.Cleanup(p.kill)
	_ = r.SetReadDeadline(time.Now().Add(patience))
	number, err := bufio.NewReader(r).ReadString('\n')
	if err != nil {
		d.t.Fatalf("Xvfb named no display: %v\n%s", err, p.said())
	}
	d.env = append(d.env, "DISPLAY=:"+strings.TrimSpace(number))
	d.screen = &screen{file: filepath.Join(fb, "Xvfb_screen0")}
}

func (d *Desk) startBus() {
	d.t.Helper()
	address := "unix:path=" + filepath.Join(d.dir, "run/bus")
	d.env = append(d.env, "DBUS_SESSION_BUS_ADDRESS="+address)
	start(d.t, d.logs(), "dbus", d.env, "dbus-daemon", "--session", "--nofork", "--nosyslog", "--address="+address)
	d.bus = d.connect()
}

// connect opens a connection of its own to the session's bus.
func (d *Desk) connect() *dbus.Conn {
	d.t.Helper()
	var conn *dbus.Conn
	d.until("the message bus answers", func() (string, bool) {
		c, err := dbus.Connect(d.value("DBUS_SESSION_BUS_ADDRESS"))
		if err != nil {
			return err.Error(), false
		}
		conn = c
		return "", true
	})
	d.t.Cleanup(func() { conn.Close() })
	return conn
}

// value is a variable of the session's environment.
func (d *Desk) value(name string) string {
	v := ""
	for _, kv := range d.env {
		if n, value, _ := strings.Cut(kv, "="); n == name {
			v = value
		}
	}
	return v
}

func (d *Desk) startPrograms() {
	d.t.Helper()
	channel := filepath.Join(d.home, ".config/xfce4/xfconf/xfce-perchannel-xml")
	write(d.t, filepath.Join(channel, "xfce4-panel.xml"), panelXML)
	write(d.t, filepath.Join(channel, "xfce4-notifyd.xml"), notifydXML)
	start(d.t, d.logs(), "xfwm4", d.env, "xfwm4", "--compositor=off")
	if d.o.realNotifs {
		start(d.t, d.logs(), "notifyd", d.env, notifyd())
		d.owned("org.freedesktop.Notifications")
		d.notices = listenToNotices(d)
	} else {
		d.notices = beNotices(d)
	}
	if !d.o.noPanel {
		d.startPanel()
	}
}

// startPanel brings up the panel and waits until it hosts icons.
func (d *Desk) startPanel() *process {
	d.t.Helper()
	p := start(d.t, d.logs(), "panel", d.env, "xfce4-panel", "--disable-wm-check")
	d.owned("org.kde.StatusNotifierWatcher")
	return p
}

func notifyd() string {
	for _, p := range []string{"/usr/lib/x86_64-linux-gnu/xfce4/notifyd/xfce4-notifyd", "/usr/lib/aarch64-linux-gnu/xfce4/notifyd/xfce4-notifyd", "/usr/libexec/xfce4-notifyd"} {
		if _, err := os.Stat(p); err == nil {
			return p
		}
	}
	return "/usr/lib/xfce4/notifyd/xfce4-notifyd"
}

// owned waits until somebody has the name on the bus.
func (d *Desk) owned(name string) {
	d.t.Helper()
	d.until(name+" is on the bus", func() (string, bool) {
		var has bool
		err := d.bus.BusObject().Call("org.freedesktop.DBus.NameHasOwner", 0, name).Store(&has)
		return fmt.Sprint(err), has
	})
}

// until looks again and again, with an end. look says what it saw.
func (d *Desk) until(what string, look func() (saw string, ok bool)) {
	d.t.Helper()
	d.within(patience, what, look)
}

func (d *Desk) within(limit time.Duration, what string, look func() (string, bool)) {
	d.t.Helper()
	end := time.Now().Add(limit)
	for {
		saw, ok := look()
		if ok {
			return
		}
		if time.Now().After(end) {
			d.Shot("FAILED " + what)
			d.t.Fatalf("%s: not within %s; seen: %s", what, limit, saw)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// did tells what has been done and seen, with a picture.
func (d *Desk) did(format string, args ...any) {
	d.t.Helper()
	what := fmt.Sprintf(format, args...)
	d.t.Log(what)
	d.Shot(what)
}

// Shot takes a picture of the screen for a person to look at.
func (d *Desk) Shot(what string) {
	d.step++
	name := fmt.Sprintf("%02d %s.png", d.step, strings.Map(func(r rune) rune {
		if strings.ContainsRune("/\x00<>:\"\\|?*$\n", r) {
			return '_'
		}
		return r
	}, what))
	if len(name) > 120 {
		name = name[:116] + ".png"
	}
	if err := d.screen.save(filepath.Join(d.shots, name)); err != nil {
		d.t.Logf("no picture of %q: %v", what, err)
	}
}

func (d *Desk) keepLogs() {
	logs, _ := filepath.Glob(filepath.Join(d.logs(), "*.log"))
	for _, log := range logs {
		if b, err := os.ReadFile(log); err == nil {
			_ = os.WriteFile(filepath.Join(d.shots, filepath.Base(log)), b, 0o644)
		}
	}
}

// run runs a small command in the session and gives what it wrote.
func (d *Desk) run(name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Env = d.env
	out, err := cmd.CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func shotsDir(t testing.TB) string {
	if dir := os.Getenv("PINION_SHOTS"); dir != "" {
		return dir
	}
	return filepath.Join(os.TempDir(), "pinion-desktop-shots")
}

// shortTemp is a directory with a name short enough for sockets.
func shortTemp(t testing.TB) string {
	dir, err := os.MkdirTemp("", "pdt")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if os.Getenv("PINION_KEEP") == "" {
			_ = os.RemoveAll(dir)
		}
	})
	return dir
}

func mkdir(t testing.TB, dir string) {
	t.Helper()
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
}

func write(t testing.TB, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

const panelXML = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-panel" version="1.0">
  <property name="configver" type="int" value="2"/>
  <property name="panels" type="array">
    <value type="int" value="1"/>
    <property name="dark-mode" type="bool" value="true"/>
    <property name="panel-1" type="empty">
      <property name="position" type="string" value="p=6;x=0;y=0"/>
      <property name="position-locked" type="bool" value="true"/>
      <property name="length" type="uint" value="100"/>
      <property name="size" type="uint" value="32"/>
      <property name="icon-size" type="uint" value="22"/>
      <property name="plugin-ids" type="array">
        <value type="int" value="1"/>
        <value type="int" value="2"/>
        <value type="int" value="3"/>
      </property>
    </property>
  </property>
  <property name="plugins" type="empty">
    <property name="plugin-1" type="string" value="tasklist"/>
    <property name="plugin-2" type="string" value="separator">
      <property name="expand" type="bool" value="true"/>
      <property name="style" type="uint" value="0"/>
    </property>
    <property name="plugin-3" type="string" value="systray">
      <property name="square-icons" type="bool" value="true"/>
    </property>
  </property>
</channel>
`

const notifydXML = `<?xml version="1.0" encoding="UTF-8"?>
<channel name="xfce4-notifyd" version="1.0">
  <property name="do-not-disturb" type="bool" value="false"/>
  <property name="notify-location" type="uint" value="2"/>
  <property name="do-fadeout" type="bool" value="false"/>
  <property name="do-slideout" type="bool" value="false"/>
  <property name="initial-opacity" type="double" value="1"/>
  <property name="expire-timeout" type="int" value="30"/>
</channel>
`
