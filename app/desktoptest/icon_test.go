//go:build desktoptest

package desktoptest

import (
	"image"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"pinion/engine/status"
	"pinion/tray/present"
)

// pat is the usual world: a laptop and a Pi that hold one folder, level.
type pat struct {
	*Desk
	laptop, pi *device
	docs       string // the folder on the laptop
}

var docs = map[string]string{
	"letter.txt":        "Dear Pat,\n\nthe boat is ready.\nWe sail on Sunday.\n\nYours, Kim\n",
	"notes/todo.md":     "# To do\n\n- paint the hull\n- buy rope\n",
	"notes/harbour.txt": "Gate code 4711\n",
}

// newPat starts both engines and lets them get level. Without an engine of its own
// the laptop's is left to the tray: it has run once and stopped.
func newPat(t *testing.T, o deskOptions) *pat {
	t.Helper()
	d := newDesk(t, o)
	p := &pat{Desk: d, laptop: d.device("laptop", false), pi: d.device("pi", true)}
	p.laptop.start()
	p.pi.start()
	p.pi.pair(p.laptop)
	p.docs = p.laptop.share("Documents", docs)
	d.level("Documents", p.laptop, p.pi)
	return p
}

// The engine runs already, as a service does: the tray attaches to it, shows how
// things are, and leaves it running when it quits.
func TestIconAndMenu(t *testing.T) {
	d := newPat(t, deskOptions{})
	engine := d.laptop.pid()
	tray := d.laptop.tray(hidden)
	i := d.icon(tray.pid())
	i.hosted()
	i.looks(present.IconInSync)
	i.says("Up to date with 1 device")
	i.shows("^Up to date with 1 device$")
	for _, line := range []string{"^Documents – ", "^Open Pinion…$", "^Add folder…$", "^Add device…$", "^Conflicts"} {
		i.shows(line)
	}
	es, _ := i.menu()
	d.did("the icon is in the panel, and the menu reads:\n%s", lines(es))
	if len(d.windows()) > 0 {
		t.Errorf("a window opened by itself: %v", d.windows())
	}

	begun := time.Now()
	write(t, filepath.Join(d.docs, "just now.txt"), "saved")
	i.shows("^Recent changes$", "^just now.txt – added")
	d.did("a saved file stood in the menu after %d ms", time.Since(begun).Milliseconds())
	d.level("Documents", d.laptop, d.pi)
	begun = time.Now()
	write(t, filepath.Join(d.pi.folder("Documents"), "from afar.txt"), "saved")
	i.shows("^Recent changes$", "^from afar.txt – added on pi")
	d.did("a file saved on the Pi stood in the laptop's menu after %d ms", time.Since(begun).Milliseconds())

	i.choose("^Documents – ")
	d.until("the desktop was asked to open the folder", func() (string, bool) {
		return d.opened(), d.opened() == d.docs+"\n"
	})
	d.did("the folder's line opened %s", d.docs)
	d.openMenuByHand()

	i.choose("^Quit")
	if code, ok := tray.wait(patience); !ok || code != 0 {
		t.Errorf("the tray ended: %v, with %d\n%s", ok, code, tray.tail(20))
	}
	if now := d.laptop.pid(); now != engine {
		t.Errorf("the engine was process %d and is %d after the tray has quit", engine, now)
	}
	d.did("the tray has quit, the engine goes on")
}

// openMenuByHand opens the menu as a person does, for the picture.
func (d *Desk) openMenuByHand() {
	d.t.Helper()
	var at image.Rectangle
	d.until("the icon can be seen in the panel", func() (string, bool) {
		r, ok := d.panelIcon()
		at = r
		return "", ok
	})
	d.press(at, "3")
	time.Sleep(time.Second)
	d.did("the menu, opened by the pointer")
	d.key("Escape")
}

// No engine runs: the tray starts one as a process of its own, and takes it along
// when it quits.
func TestTrayStartsTheEngine(t *testing.T) {
	d := newPat(t, deskOptions{})
	d.laptop.p.stop(patience)
	tray := d.laptop.tray(hidden)
	i := d.icon(tray.pid())
	d.laptop.answers()
	pid := d.laptop.pid()
	if pid == 0 || pid == tray.pid() {
		t.Fatalf("the engine has no process of its own: %d, the tray is %d", pid, tray.pid())
	}
	i.looks(present.IconInSync)
	i.says("Up to date with 1 device")
	d.did("the tray (process %d) has started an engine (process %d)", tray.pid(), pid)

	_ = syscall.Kill(pid, syscall.SIGKILL)
	d.until("another engine is started", func() (string, bool) {
		now := d.laptop.pid()
		return t.Name(), now != 0 && now != pid
	})
	i.looks(present.IconInSync)
	d.did("it was killed, and is back as process %d", d.laptop.pid())

	i.choose("^Quit")
	if code, ok := tray.wait(patience); !ok || code != 0 {
		t.Errorf("the tray ended: %v, with %d\n%s", ok, code, tray.tail(20))
	}
	d.until("the engine that the tray has started ends with it", func() (string, bool) {
		return d.laptop.name, d.laptop.pid() == 0
	})
	d.did("both have ended")
}

func TestPauseAndResume(t *testing.T) {
	d := newPat(t, deskOptions{})
	i := d.icon(d.laptop.tray(hidden).pid())
	i.looks(present.IconInSync)
	begun := time.Now()
	i.choose("^Pause$", "^30 minutes$")
	var s status.State
	d.until("the engine is paused", func() (string, bool) {
		s, _ = d.laptop.state()
		return s.Paused.State, s.Paused.State == status.Paused
	})
	if s.Paused.Until == nil || s.Paused.Until.Sub(begun) < 29*time.Minute || s.Paused.Until.Sub(begun) > 31*time.Minute {
		t.Errorf("paused until %v, at %v", s.Paused.Until, begun)
	}
	i.looks(present.IconPaused)
	i.says("Paused until ")
	i.shows("^Paused until ")
	d.did("paused by the menu: the tooltip says %q", i.tooltip())

	write(t, filepath.Join(d.docs, "while paused.txt"), "waits")
	d.until("the laptop has noticed", func() (string, bool) {
		s, _ = d.laptop.state()
		return "", len(s.Folders) == 1 && s.Folders[0].State == status.Paused
	})
	time.Sleep(2 * time.Second)
	if _, err := os.Stat(filepath.Join(d.pi.folder("Documents"), "while paused.txt")); err == nil {
		t.Error("a file went to the Pi during the pause")
	}

	i.choose("^Resume$")
	d.level("Documents", d.laptop, d.pi)
	i.looks(present.IconInSync)
	i.hides("^Resume$")
	d.did("resumed: what was saved during the pause is on the Pi")
}

// The engine dies: the icon says so and comes back with it. Here it is somebody
// else's, who starts it again.
func TestEngineDies(t *testing.T) {
	d := newPat(t, deskOptions{})
	i := d.icon(d.laptop.tray(hidden).pid())
	i.looks(present.IconInSync)
	d.laptop.p.kill()
	i.looks(present.IconNotRunning)
	i.says("[Ee]ngine")
	d.did("the engine was killed: the tooltip says %q", i.tooltip())
	i.shows("^Try again now$")
	d.laptop.start()
	i.looks(present.IconInSync)
	i.says("Up to date with 1 device")
	d.did("its service has started it again: %q", i.tooltip())
	write(t, filepath.Join(d.docs, "afterwards.txt"), "x")
	i.shows("^Recent changes$", "^afterwards.txt")
}

// The tray dies: the engine does not notice.
func TestTrayDies(t *testing.T) {
	d := newPat(t, deskOptions{})
	d.laptop.p.stop(patience)
	tray := d.laptop.tray(hidden)
	d.icon(tray.pid()).looks(present.IconInSync)
	pid := d.laptop.pid()
	tray.killAlone()
	write(t, filepath.Join(d.docs, "without a tray.txt"), "x")
	d.level("Documents", d.laptop, d.pi)
	if now := d.laptop.pid(); now != pid {
		t.Errorf("the engine was process %d and is %d after the tray was killed", pid, now)
	}
	d.did("the tray was killed; the engine that it had started synced on")
	again := d.laptop.tray(hidden)
	i := d.icon(again.pid())
	i.looks(present.IconInSync)
	i.choose("^Quit")
	again.wait(patience)
	d.until("the next tray takes the engine along when it quits", func() (string, bool) { return "", d.laptop.pid() == 0 })
}
