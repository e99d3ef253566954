package conflicts

import (
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pinion/engine/enginetest"
	"pinion/tray/traytest"
)

// The page with real engines: what is chosen on it stands on both devices, what is
// taken back stands again, and a merge is what it showed.
func TestWithRealEngines(t *testing.T) {
	w := enginetest.New(t, "laptop", "pi1")
	w.WriteAt("laptop", "docs/a.txt", "one\ntwo\nthree\nfour\nfive\n", 5*time.Hour)
	w.WriteAt("laptop", "docs/bases/a.txt", "one\ntwo\nthree\nfour\nfive\n", 5*time.Hour) // so that the base can be had
	w.Share("docs", "laptop", "pi1")
	w.Settle()
	w.Cut("laptop", "pi1")
	w.WriteAt("laptop", "docs/a.txt", "ONE\ntwo\nthree\nfour\nfive, says the laptop\n", 26*time.Hour)
	w.WriteAt("pi1", "docs/a.txt", "one\ntwo\nthree\nfour\nfive, says the Pi\n", 2*time.Hour)
	w.Rest()
	w.Restore("laptop", "pi1")
	w.Settle()

	h := traytest.NewHost(t, w.Engine("laptop"), traytest.Light)
	p := New(h)
	h.Put(p, w.Status("laptop"), 980, 640)
	press(p, fyne.KeyDown, fyne.KeyReturn)
	if p.open == nil || !p.open.loaded || p.open.this.device != "pi1" || p.open.that.device != "laptop" || !p.open.that.own {
		t.Fatalf("%+v", p.open)
	}
	test.Tap(p.open.choices[keyThat])
	w.Settle()
	w.Has("docs/a.txt", "ONE\ntwo\nthree\nfour\nfive, says the laptop\n", "laptop", "pi1")
	test.Tap(p.foot.undo)
	w.Settle()
	w.Has("docs/a.txt", "one\ntwo\nthree\nfour\nfive, says the Pi\n", "laptop", "pi1")
	if p.open == nil || p.open.this.device != "pi1" {
		t.Fatal("what was taken back is not open")
	}
	press(p, fyne.KeyM)
	if m := p.open.merging; !m.j.Known || m.j.Left() != 1 || len(m.j.Places) != 2 {
		t.Fatalf("known %v, %d left of %d", m.j.Known, m.j.Left(), len(m.j.Places))
	}
	p.open.merging.entry.SetText("five, say both")
	press(p, fyne.KeyReturn, fyne.KeyReturn)
	w.Settle()
	w.Has("docs/a.txt", "ONE\ntwo\nthree\nfour\nfive, say both\n", "laptop", "pi1")
	if p.open != nil || len(p.items) > 0 || len(h.Errors) > 0 {
		t.Errorf("%d are left, errors %q", len(p.items), h.Errors)
	}
}
