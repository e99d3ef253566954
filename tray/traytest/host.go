package traytest

import (
	"context"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
)

// Noon is what the Host's clock shows.
func Noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// Host answers a page at once: Ask does its work before it returns. What the
// page did with it is in its fields.
type Host struct {
	T      testing.TB
	E      control.Engine
	W      fyne.Window
	Errors []string // what Ask failed with
	Said   []string
	Opened []string // "open PATH", "reveal PATH"
	Gone   []string // names of pages
	Args   []any    // what was handed to them
}

var _ page.Host = (*Host)(nil)

// NewHost makes a Host with a window of the software driver, in light or dark.
func NewHost(t testing.TB, e control.Engine, variant fyne.ThemeVariant) *Host {
	t.Helper()
	a := test.NewTempApp(t)
	a.Settings().SetTheme(look.Theme{Variant: &variant})
	h := &Host{T: t, E: e, W: test.NewTempWindow(t, nil)}
	return h
}

// Light and dark.
const (
	Light = theme.VariantLight
	Dark  = theme.VariantDark
)

// Put shows a page in the window, w by h, with a state.
func (h *Host) Put(p page.Page, s status.State, w, height float32) {
	h.W.SetContent(p.Content())
	h.W.Resize(fyne.NewSize(w, height))
	p.Update(s)
}

func (h *Host) Engine() control.Engine  { return h.E }
func (h *Host) Window() fyne.Window     { return h.W }
func (h *Host) Now() time.Time          { return Noon() }
func (h *Host) Prefs() fyne.Preferences { return fyne.CurrentApp().Preferences() }
func (h *Host) Say(s string)            { h.Said = append(h.Said, s) }
func (h *Host) Open(path string)        { h.Opened = append(h.Opened, "open "+path) }
func (h *Host) Reveal(path string)      { h.Opened = append(h.Opened, "reveal "+path) }

func (h *Host) Go(name string, arg any) {
	h.Gone, h.Args = append(h.Gone, name), append(h.Args, arg)
}

func (h *Host) Ask(doing string, f func(context.Context) error, done func()) {
	if err := f(h.T.Context()); err != nil {
		h.Errors = append(h.Errors, doing+": "+err.Error())
		return
	}
	if done != nil {
		done()
	}
}
