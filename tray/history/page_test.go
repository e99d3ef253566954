package history

import (
	"os"
	"testing"

	"fyne.io/fyne/v2"

	"pinion/tray/traytest"
)

// TestPictures draws what a person is to look at, where that is asked for; of the
// first the markup is kept.
func TestPictures(t *testing.T) {
	for _, x := range []struct {
		name    string
		variant fyne.ThemeVariant
		w, h    float32
	}{{"light", traytest.Light, 796, 612}, {"dark", traytest.Dark, 796, 612}, {"narrow", traytest.Light, 576, 492}, {"narrow-dark", traytest.Dark, 576, 492}} {
		t.Run(x.name, func(t *testing.T) {
			h, p := shown(t, sample(), x.variant, x.w, x.h)
			traytest.Picture(t, h.W.Canvas(), "history-"+x.name)
			if x.name == "light" {
				traytest.Markup(t, h.W.Canvas(), "now")
			}
			if os.Getenv("PINION_PICTURES") == "" {
				return
			}
			p.names.Select(2)
			traytest.Picture(t, h.W.Canvas(), "history-versions-"+x.name)
			p.side.list.Select(1)
			traytest.Picture(t, h.W.Canvas(), "history-version-"+x.name)
			p.restorer.offerUndo("Budget 2026.ods stands again as it was written yesterday 15:00.", "x")
			p.when.field.SetText("tomorrowish")
			p.when.submitted("tomorrowish")
			traytest.Picture(t, h.W.Canvas(), "history-undo-"+x.name)
			p.closeSide()
			p.at(before(2 * days))
			p.enter("Letters/2026/To the tax office")
			traytest.Picture(t, h.W.Canvas(), "history-then-"+x.name)
			p.restorer.dir(p.list.view)
			traytest.Picture(t, h.W.Canvas(), "history-confirm-"+x.name)
		})
	}
}
