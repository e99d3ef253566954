//go:build desktoptest

package desktoptest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestWindows starts the program for Windows under wine, as far as wine carries it:
// the window, drawn with OpenGL, and the icon. PINION_WINDOWS_EXE names a build of
// it that makes up for what wine 8 lacks (.ci/wine), PINION_WINDOWS_DLL a library
// that wine lacks.
func TestWindows(t *testing.T) {
	program, dll := os.Getenv("PINION_WINDOWS_EXE"), os.Getenv("PINION_WINDOWS_DLL")
	if program == "" {
		t.Skip("only when it is asked for: make cross-desktop")
	}
	d := newDesk(t, deskOptions{})
	prefix := filepath.Join(d.dir, "wine")
	d.env = append(d.env, "WINEPREFIX="+prefix, "WINEDEBUG=-all", "WINEDLLOVERRIDES=mscoree,mshtml=")
	t.Cleanup(func() { _, _ = d.run("wineserver", "-k") })
	if out, err := d.run("timeout", "300", "wine", "wineboot", "-i"); err != nil {
		t.Fatalf("make a wine of its own: %v: %s", err, out)
	}
	if out, err := exec.Command("cp", dll, filepath.Join(prefix, "drive_c/windows/system32/")).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	home := filepath.Join(prefix, "drive_c/pinion")
	write(t, filepath.Join(home, "config.toml"), "name = \"desk\"\nlisten = \"127.0.0.1:0\"\nlan = false\n")
	on := func(name string, args ...string) *process {
		return start(t, d.logs(), name, d.env, "wine", append([]string{program, "--home", `C:\pinion`}, args...)...)
	}
	pi := d.device("pi", true)
	pi.start()
	p := on("windows")
	w := d.window()
	d.reads(w.rect, "Welcome to Pinion")
	d.reads(w.rect, "Step 1 of 3")
	d.did("the window for Windows is shown under wine, at %v", w.rect)
	d.until("the tray has started an engine", func() (string, bool) {
		b, _ := os.ReadFile(filepath.Join(home, "engine.log"))
		return string(b), strings.Contains(string(b), "engine is running")
	})
	d.until("an icon is in the panel", func() (string, bool) {
		r, ok := d.panelIcon()
		return fmt.Sprint(r), ok
	})
	d.did("it has started its engine, and its icon is in the panel")
	d.clickWords("Skip")
	d.reads(w.rect, "Step 2 of 3")
	d.clickWords("Skip")
	d.reads(w.rect, "Step 3 of 3")
	d.key("Escape")
	d.gone(w.rect, "Step 3 of 3")

	if code, ok := on("windows-link", pi.link()).wait(patience); !ok || code != 0 {
		t.Fatalf("a second start with a link ended: %v, with %d", ok, code)
	}
	s, err := pi.state()
	if err != nil {
		t.Fatal(err)
	}
	d.clickWords("HOST:PORT, only")
	d.typeText(s.Device.Listen)
	d.clickWords("Join")
	d.until("the engines have joined", func() (string, bool) {
		s, err := pi.state()
		return fmt.Sprintf("%+v %v", s.Devices, err), len(s.Devices) > 0 && s.Devices[len(s.Devices)-1].Connected
	})
	d.did("an engine for Windows and one for Linux have joined")
	noPanic(t, p)
	if code, ok := on("windows-quit", "--quit").wait(patience); !ok || code != 0 {
		t.Errorf("asked to quit it ended: %v, with %d", ok, code)
	}
	if code, ok := p.wait(patience); !ok || code != 0 {
		t.Errorf("the tray ended: %v, with %d: %s", ok, code, p.tail(20))
	}
	d.until("the engine has ended with the tray", func() (string, bool) {
		s, err := pi.state()
		return fmt.Sprintf("%+v %v", s.Devices, err), len(s.Devices) > 0 && !s.Devices[len(s.Devices)-1].Connected
	})
	d.did("asked to quit, both have ended")
}
