package look_test

import (
	"testing"

	"fyne.io/fyne/v2/test"

	"pinion/tray/look"
)

// However a dialog is closed, nothing of it is left over the window.
func TestDialogIsGoneOnceClosed(t *testing.T) {
	a := test.NewTempApp(t)
	a.Settings().SetTheme(look.Theme{})
	w := test.NewTempWindow(t, look.NewText("page"))
	for name, close := range map[string]func(*look.Dialog){
		"by its button": func(d *look.Dialog) { d.Hide() },
		"by Esc":        func(*look.Dialog) { look.Escape(w.Canvas()) },
	} {
		d := look.NewDialog("title", look.NewText("content"), 300, w)
		if d.Open() {
			t.Errorf("%s: it is open before it is shown", name)
		}
		d.Show()
		if !d.Open() {
			t.Errorf("%s: it is not open", name)
		}
		close(d)
		if d.Open() || w.Canvas().Overlays().Top() != nil {
			t.Errorf("%s: open %v, above the window %v", name, d.Open(), w.Canvas().Overlays().Top())
		}
	}
	if look.Escape(w.Canvas()) {
		t.Error("something is closed where nothing is open")
	}
}
