package settings

import (
	"testing"

	"fyne.io/fyne/v2/container"

	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/traytest"
)

// Pictures of what is below the edge, or opens, for a person to look at.
func TestMorePictures(t *testing.T) {
	for _, v := range []struct {
		word    string
		section int
	}{{"network", 1}, {"folders", 3}, {"advanced", 5}} {
		p, h := opened(t, fake(), traytest.Light, v.section, 800, 640)
		if v.section == 5 {
			press(t, p, "Look everything over")
		}
		find(t, p.content, func(s *container.Scroll) bool { return s.Direction == container.ScrollVerticalOnly }).ScrollToBottom()
		traytest.Picture(t, h.W.Canvas(), "settings-"+v.word+"-below")
	}
	e := fake()
	p, h := opened(t, e, traytest.Light, 0, 800, 640)
	s := state()
	s.Offers = []status.Offer{{ID: tree.FolderID{5}, Name: "Music", From: "attic", Declined: true}}
	p.Update(s)
	p.typeIn(t, "Name", "")
	traytest.Picture(t, h.W.Canvas(), "settings-general-wrong")
	p.turn(1)
	p.editWindow(1)
	traytest.Picture(t, h.W.Canvas(), "settings-schedule")
	traytest.Markup(t, h.W.Canvas(), "settings-schedule")
}
