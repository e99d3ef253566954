package devices

import (
	"context"
	"fmt"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/traytest"
)

func trouble() status.State {
	s := traytest.Busy()
	s.Devices[1].Paused = &status.Pause{State: "paused"}
	s.Devices[1].Given = []string{"nas.example.org:22067"}
	s.Devices[2].Connected, s.Devices[2].Error = false, "cabin-pi speaks a later version of the protocol; update Pinion on this device"
	return s
}

func TestPictures(t *testing.T) {
	for name, s := range map[string]status.State{"calm": traytest.Calm(), "busy": traytest.Busy(), "trouble": trouble(), "alone": traytest.Alone()} {
		h := traytest.NewHost(t, &traytest.Engine{}, traytest.Light)
		h.Put(New(h), s, 980-184, 640-29)
		traytest.Markup(t, h.W.Canvas(), name)
		traytest.Picture(t, h.W.Canvas(), "devices-"+name)
	}
	h := traytest.NewHost(t, &traytest.Engine{}, traytest.Dark)
	h.Put(New(h), trouble(), 760-184, 520-29)
	traytest.Picture(t, h.W.Canvas(), "devices-small-dark")
}

type engine struct {
	traytest.Engine
}

func (e *engine) RemoveDevice(_ context.Context, d string) error {
	e.Note("remove %s", d)
	return nil
}
func (e *engine) RenameDevice(_ context.Context, d, name string) error {
	e.Note("rename %s %s", d, name)
	return nil
}
func (e *engine) SetDevice(_ context.Context, d string, s control.DeviceSettings) error {
	e.Note("set %s %q", d, *s.Addresses)
	return nil
}
func (e *engine) Pause(_ context.Context, r control.PauseRequest) error {
	e.Note("pause %s %v", r.Device, r.For)
	return nil
}
func (e *engine) Resume(_ context.Context, r control.PauseRequest) error {
	e.Note("resume %s", r.Device)
	return nil
}

func choose(t *testing.T, items []*fyne.MenuItem, text string) {
	t.Helper()
	for _, m := range items {
		if m.Label == text {
			m.Action()
			return
		}
	}
	t.Fatalf("no %q", text)
}

// button finds the button of a dialog.
func button(t *testing.T, c fyne.Canvas, text string) fyne.Tappable {
	t.Helper()
	for _, o := range test.LaidOutObjects(c.Overlays().Top()) {
		switch b := o.(type) {
		case *look.Button:
			if b.Text == text {
				return b
			}
		case *widget.Button:
			if b.Text == text {
				return b
			}
		}
	}
	t.Fatalf("no button %q", text)
	return nil
}

func TestActions(t *testing.T) {
	e := &engine{}
	h := traytest.NewHost(t, e, traytest.Light)
	p := New(h)
	s := trouble()
	h.Put(p, s, 800, 600)
	attic, c := p.list[1], h.W.Canvas()
	id := traytest.AtticID().String()

	choose(t, p.menu(attic), "Remove…")
	test.Tap(button(t, c, "Cancel"))
	if len(e.Asked()) != 0 {
		t.Errorf("cancelled, and yet %q", e.Asked())
	}
	choose(t, p.menu(attic), "Remove…")
	test.Tap(button(t, c, "Remove"))
	choose(t, p.menu(attic), "Rename…")
	c.Focused().(*look.Field).SetText("nas")
	test.Tap(button(t, c, "Rename"))
	choose(t, p.menu(attic), "Set addresses…")
	field := c.Focused().(*look.Field)
	if field.Text != "nas.example.org:22067" {
		t.Errorf("the field holds %q", field.Text)
	}
	field.SetText("a:1, b:2")
	test.Tap(button(t, c, "Save"))
	choose(t, p.menu(attic), "Resume with it")
	choose(t, p.pauses(p.list[2]), "2 hours")
	want := []string{"remove " + id, "rename " + id + " nas", "set " + id + ` ["a:1" "b:2"]`, "resume " + id, "pause " + traytest.CabinID().String() + " 2h0m0s"}
	if got := e.Asked(); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("asked was\n%q, want\n%q", got, want)
	}
	for _, m := range p.menu(p.list[0]) {
		if m.Label == "Remove…" {
			t.Error("this device can be removed from itself")
		}
	}
	// Esc closes a dialog from within a field and from a button.
	for _, text := range []string{"Rename…", "Remove…"} {
		choose(t, p.menu(attic), text)
		c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
		if top := c.Overlays().Top(); top != nil && top.Visible() {
			t.Errorf("%s stays open", text)
		}
	}
	if len(h.Errors) != 0 || len(e.Asked()) != len(want) {
		t.Errorf("errors %q, asked %q", h.Errors, e.Asked())
	}
}
