//go:build unix && !darwin

package tray

import (
	"bytes"
	"image/color"
	"image/png"
	"testing"

	"pinion/tray/look"
	"pinion/tray/present"
)

// TestIconReachesThePanelUnharmed reads the picture as fyne.io/systray does, and as
// one would that reads it right.
func TestIconReachesThePanelUnharmed(t *testing.T) {
	drawn, err := look.TrayIcon(present.IconNotRunning, 0, look.AnyPanel, 24)
	if err != nil {
		t.Fatal(err)
	}
	want, err := png.Decode(bytes.NewReader(drawn))
	if err != nil {
		t.Fatal(err)
	}
	got, err := png.Decode(bytes.NewReader(osIcon(drawn)))
	if err != nil {
		t.Fatal(err)
	}
	for y := range 24 {
		for x := range 24 {
			c := color.NRGBAModel.Convert(want.At(x, y)).(color.NRGBA)
			if c.A < 8 {
				continue // nobody sees it
			}
			r, g, b, a := got.At(x, y).RGBA()
			if systray := (color.NRGBA{byte(r), byte(g), byte(b), byte(a)}); systray != c {
				t.Fatalf("%d,%d: systray reads %v, drawn was %v", x, y, systray, c)
			}
			right := color.NRGBAModel.Convert(got.At(x, y)).(color.NRGBA)
			if right.A != c.A || int(c.A) > 100 && (far(right.R, c.R) || far(right.G, c.G) || far(right.B, c.B)) {
				t.Fatalf("%d,%d: it reads right %v, drawn was %v", x, y, right, c)
			}
		}
	}
}

func far(a, b byte) bool { return a > b+4 || b > a+4 }
