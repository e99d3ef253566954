package overview

import (
	"testing"

	"pinion/engine/status"
	"pinion/tray/traytest"
)

func TestPictures(t *testing.T) {
	for name, s := range map[string]status.State{
		"alone": traytest.Alone(), "calm": traytest.Calm(), "busy": traytest.Busy(), "trouble": traytest.Trouble(), "many": traytest.Many(40, 8),
	} {
		h := traytest.NewHost(t, &traytest.Engine{}, traytest.Light)
		h.Put(New(h), s, 980-184, 640-29)
		traytest.Markup(t, h.W.Canvas(), name)
		traytest.Picture(t, h.W.Canvas(), "overview-"+name)
	}
	h := traytest.NewHost(t, &traytest.Engine{}, traytest.Dark)
	h.Put(New(h), traytest.Trouble(), 760-184, 520-29)
	traytest.Picture(t, h.W.Canvas(), "overview-small-dark")
	h.Put(New(h), traytest.Busy(), 760-184, 520-29)
	traytest.Picture(t, h.W.Canvas(), "overview-small-busy-dark")
}
