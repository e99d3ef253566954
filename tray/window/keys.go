package window

import (
	"context"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"

	"pinion/tray/look"
	"pinion/tray/page"
)

// keys gives the window its keys: Ctrl (or Cmd) with 1 to 6 for the pages, with F
// for the page's filter, with W to close; F5 looks for changes; Esc closes what is
// on top.
func (w *Window) keys() {
	c := w.win.Canvas()
	for _, k := range []fyne.KeyName{fyne.Key1, fyne.Key2, fyne.Key3, fyne.Key4, fyne.Key5, fyne.Key6, fyne.KeyF, fyne.KeyW} {
		c.AddShortcut(&desktop.CustomShortcut{KeyName: k, Modifier: fyne.KeyModifierShortcutDefault}, func(fyne.Shortcut) { w.shortcut(k) })
	}
	c.SetOnTypedKey(w.key)
}

// shortcut is a key with Ctrl or Cmd. While a dialog is open the pages stay.
func (w *Window) shortcut(k fyne.KeyName) {
	switch {
	case k == fyne.KeyW:
		w.closed()
	case w.win.Canvas().Overlays().Top() != nil:
	case k == fyne.KeyF:
		if f, ok := w.made[w.current].(page.Filtered); ok {
			w.win.Canvas().Focus(f.Filter())
		}
	default:
		if i := int(k[0] - '1'); i < len(w.o.Pages) {
			w.Go(w.o.Pages[i].Name, nil)
		}
	}
}

// key is what no widget had a use for.
func (w *Window) key(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyEscape:
		if look.Escape(w.win.Canvas()) {
			return
		}
		w.win.Canvas().Unfocus()
		w.toPage(e)
	case fyne.KeyF5:
		if !w.down {
			w.Ask(lang.L("Look for changes"), func(ctx context.Context) error { return w.o.Engine.Scan(ctx, "") },
				func() { w.Say(lang.L("Looking for changes in all folders.")) })
		}
	default:
		w.toPage(e)
	}
}

// toPage gives a key to the page that is shown, if it has keys of its own.
func (w *Window) toPage(e *fyne.KeyEvent) {
	if k, ok := w.made[w.current].(page.Keyed); ok && w.win.Canvas().Overlays().Top() == nil {
		k.Key(e)
	}
}
