//go:build desktoptest

package desktoptest

import (
	"strings"
	"testing"
	"time"

	"pinion/tray/present"
)

// hidden begins without a window, as at login.
const hidden = "--hidden"

// A second start raises the window of the first and ends.
func TestSecondStart(t *testing.T) {
	d := newPat(t, deskOptions{})
	tray := d.laptop.tray(hidden)
	i := d.icon(tray.pid())
	i.looks(present.IconInSync)
	second := d.laptop.tray()
	if code, ok := second.wait(patience); !ok || code != 0 {
		t.Fatalf("the second start ended: %v, with %d\n%s", ok, code, second.tail(20))
	}
	w := d.window()
	d.reads(w.rect, "Documents")
	d.did("a second start showed the first one's window")
	d.cover()
	d.laptop.tray().wait(patience)
	d.until("the window has come to the front", func() (string, bool) {
		return d.active(), strings.HasPrefix(d.active(), windowTitle)
	})
	d.did("a third start brought it to the front")
	d.closeWindow()
	i.looks(present.IconInSync)
	i.choose("^Open Pinion…$")
	d.reads(d.window().rect, "Documents")
	d.did("closed by its frame, and opened again by the menu")
}

// cover puts another window over the program's.
func (d *Desk) cover() {
	d.t.Helper()
	start(d.t, d.logs(), "cover", d.env, "xfce4-panel", "--preferences")
	d.until("another window is in front", func() (string, bool) {
		return d.active(), d.active() != "" && !strings.HasPrefix(d.active(), windowTitle)
	})
}

// A click on an invitation in a mail or a browser opens the page that joins.
func TestInvitationLink(t *testing.T) {
	d := newDesk(t, deskOptions{})
	laptop, pi := d.device("laptop", false), d.device("pi", true)
	laptop.start()
	pi.start()
	tray := laptop.tray(hidden)
	d.icon(tray.pid())
	second := laptop.tray(pi.link())
	if code, ok := second.wait(patience); !ok || code != 0 {
		t.Fatalf("the start with a link ended: %v, with %d\n%s", ok, code, second.tail(20))
	}
	d.window()
	d.did("the link opened the window")
	// These engines listen on this machine alone, so the invitation names no address.
	s, err := pi.state()
	if err != nil {
		t.Fatal(err)
	}
	d.clickWords("HOST:PORT, only")
	d.typeText(s.Device.Listen)
	d.clickWords("Join")
	d.until("the devices have joined", func() (string, bool) {
		s, err := laptop.state()
		return strings.TrimSpace(laptop.pinion("device", "list")) + " " + errText(err), len(s.Devices) > 0 && s.Devices[len(s.Devices)-1].Connected
	})
	d.did("joined")
}

// Without a display the program says so in a sentence.
func TestNoDisplay(t *testing.T) {
	d := newDesk(t, deskOptions{})
	laptop := d.device("laptop", false)
	d.env = append(d.env, "DISPLAY=", "WAYLAND_DISPLAY=")
	tray := laptop.tray()
	oneSentence(t, tray, "display")
}

// A display that does not answer is none.
func TestDeadDisplay(t *testing.T) {
	d := newDesk(t, deskOptions{})
	laptop := d.device("laptop", false)
	d.env = append(d.env, "DISPLAY=:4711", "WAYLAND_DISPLAY=")
	tray := laptop.tray()
	// The icon needs no display, so it may go on without a window; it must say so
	// and must not panic.
	d.until("it says that there is no display", func() (string, bool) {
		return tray.said(), strings.Contains(tray.said(), "display")
	})
	noPanic(t, tray)
	d.did("said: %s", strings.TrimSpace(tray.said()))
}

func oneSentence(t *testing.T, p *process, about string) {
	t.Helper()
	code, ok := p.wait(patience)
	said := strings.TrimSpace(p.said())
	if !ok || code != 1 || strings.Contains(said, "\n") || !strings.HasPrefix(said, "pinion: ") || !strings.Contains(said, about) {
		t.Errorf("ended: %v, with %d, and said %q", ok, code, said)
	}
	noPanic(t, p)
	t.Logf("said: %s", said)
}

func noPanic(t *testing.T, p *process) {
	t.Helper()
	for _, bad := range []string{"panic", "goroutine ", "SIGSEGV", "Fyne error"} {
		if strings.Contains(p.said(), bad) {
			t.Errorf("%q in what it said:\n%s", bad, p.tail(40))
		}
	}
}

// A desktop without a place for icons: the window is shown, and says so. When a
// panel comes, so does the icon.
func TestNoTrayHost(t *testing.T) {
	d := newPat(t, deskOptions{noPanel: true})
	tray := d.laptop.tray()
	w := d.window()
	d.reads(w.rect, "This desktop has no place for Pinion's icon.")
	d.reads(w.rect, "Documents")
	d.did("nobody hosts icons: the window is shown, and says so")
	noPanic(t, tray)
	d.startPanel()
	i := d.icon(tray.pid())
	i.hosted()
	i.looks(present.IconInSync)
	d.did("a panel has come, and with it the icon")
}

// Without OpenGL there is no window, and nothing breaks.
func TestNoGraphics(t *testing.T) {
	d := newPat(t, deskOptions{noGL: true})
	tray := d.laptop.tray()
	i := d.icon(tray.pid())
	i.hosted()
	i.looks(present.IconInSync)
	d.until("it says that there is no window", func() (string, bool) {
		return tray.said(), strings.Contains(tray.said(), "OpenGL")
	})
	i.shows("OpenGL")
	es, _ := i.menu()
	d.did("without OpenGL the menu reads:\n%s", lines(es))
	i.choose("^Pause$", "^2 hours$")
	i.looks(present.IconPaused)
	time.Sleep(time.Second)
	if !tray.running() {
		t.Errorf("the tray ended: %s", tray.tail(20))
	}
	noPanic(t, tray)
	i.choose("^Quit")
	if code, ok := tray.wait(patience); !ok || code != 0 {
		t.Errorf("the tray ended: %v, with %d\n%s", ok, code, tray.tail(20))
	}
}

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
