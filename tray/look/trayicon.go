package look

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"math"
	"strings"

	"github.com/fyne-io/oksvg"
	"github.com/srwiley/rasterx"

	"pinion/tray/present"
)

// Panel is what the tray's icon stands on.
type Panel int

// The panels.
const (
	AnyPanel   Panel = iota // not known: a colour that can be seen on both
	LightPanel              // a light panel
	DarkPanel               // a dark one
	Template                // the system colours it, by its opacity alone (macOS)
)

// Frames of the wheel's turn, which is one tooth's width: after the last comes the
// first again.
const Frames = 4

// TrayIcon draws the icon, px pixels wide and high, as PNG. frame counts only
// while syncing.
func TrayIcon(icon present.Icon, frame int, on Panel, px int) ([]byte, error) {
	img, err := drawTrayIcon(icon, frame, on, px)
	if err != nil {
		return nil, err
	}
	return encode(img)
}

func drawTrayIcon(icon present.Icon, frame int, on Panel, px int) (*image.NRGBA, error) {
	turn := math.Pi / teeth
	if icon == present.IconSyncing {
		turn += float64(frame%Frames) * 2 * math.Pi / teeth / Frames
	}
	img, err := Raster(Mark(markColor(icon, on), turn), px)
	if err != nil {
		return nil, err
	}
	if icon == present.IconNotRunning || icon == present.IconPaused && on == Template {
		fade(img, 0x8c)
	}
	if b, ok := badges(icon); ok {
		if on == Template {
			b.ground, b.glyph = "#000000", ""
		}
		if err := b.put(img, px); err != nil {
			return nil, err
		}
	}
	return img, nil
}

func markColor(icon present.Icon, on Panel) string {
	quiet := icon == present.IconPaused || icon == present.IconNotRunning
	switch {
	case on == Template:
		return "#000000"
	case quiet && on == LightPanel:
		return "#5f656d"
	case quiet && on == DarkPanel:
		return "#c3c8ce"
	case quiet:
		return "#8d949c"
	case on == LightPanel:
		return "#1f6f5c"
	case on == DarkPanel:
		return "#7fd9be"
	}
	return "#34a386"
}

// badge is a disc in the lower right corner, with a sign on it. It stands clear of
// the mark, whatever the ground.
type badge struct {
	ground string
	glyph  string      // its colour; "": the sign is a hole
	sign   [][]float64 // bars on the field: from, to, width
}

func badges(icon present.Icon) (badge, bool) {
	switch icon {
	case present.IconSyncing:
		return badge{"#2a7de1", "#ffffff", [][]float64{{14.9, 17.8, 20.5, 17.8, 1.7}, {18.2, 15.5, 20.5, 17.8, 1.7}, {18.2, 20.1, 20.5, 17.8, 1.7}}}, true
	case present.IconPaused:
		return badge{"#5b6470", "#ffffff", [][]float64{{15.9, 15.2, 15.9, 20.4, 1.8}, {19.7, 15.2, 19.7, 20.4, 1.8}}}, true
	case present.IconNeeds:
		return badge{"#f5a300", "#2b1d00", [][]float64{{17.8, 14.2, 17.8, 18, 2.2}, {17.8, 21.3, 17.8, 21.4, 2.2}}}, true
	case present.IconTrouble:
		return badge{"#d9352b", "#ffffff", [][]float64{{15.6, 15.6, 20, 20, 1.9}, {20, 15.6, 15.6, 20, 1.9}}}, true
	}
	return badge{}, false
}

// Where the badge is, on the field.
const (
	badgeAt     = 17.8
	badgeRadius = 5.9
	badgeClear  = 1.2
)

func (b badge) put(img *image.NRGBA, px int) error {
	scale := float64(px) / field
	punch(img, badgeAt*scale, (badgeRadius+badgeClear)*scale)
	disc, err := Raster(svg(fmt.Sprintf(`<circle cx="%g" cy="%g" r="%g" fill="%s"/>`, badgeAt, badgeAt, badgeRadius, b.ground)), px)
	if err != nil {
		return err
	}
	glyph := b.glyph
	if glyph == "" {
		glyph = "#000000"
	}
	var bars strings.Builder
	for _, s := range b.sign {
		fmt.Fprintf(&bars, `<path fill="%s" d="%s"/>`, glyph, bar(s[0], s[1], s[2], s[3], s[4]))
	}
	sign, err := Raster(svg(bars.String()), px)
	if err != nil {
		return err
	}
	if b.glyph == "" {
		for i := 3; i < len(disc.Pix); i += 4 {
			disc.Pix[i] = uint8(int(disc.Pix[i]) * (255 - int(sign.Pix[i])) / 255)
		}
	} else {
		draw.Draw(disc, disc.Bounds(), sign, image.Point{}, draw.Over)
	}
	draw.Draw(img, img.Bounds(), disc, image.Point{}, draw.Over)
	return nil
}

// punch makes a round hole.
func punch(img *image.NRGBA, at, radius float64) {
	for y := range img.Rect.Dy() {
		for x := range img.Rect.Dx() {
			d := math.Hypot(float64(x)+0.5-at, float64(y)+0.5-at) - radius
			if keep := math.Max(0, math.Min(1, d+0.5)); keep < 1 {
				i := img.PixOffset(x, y) + 3
				img.Pix[i] = uint8(float64(img.Pix[i]) * keep)
			}
		}
	}
}

func fade(img *image.NRGBA, opacity int) {
	for i := 3; i < len(img.Pix); i += 4 {
		img.Pix[i] = uint8(int(img.Pix[i]) * opacity / 255)
	}
}

// Raster draws an SVG of ours, px pixels wide and high.
func Raster(source []byte, px int) (*image.NRGBA, error) {
	icon, err := oksvg.ReadIconStream(bytes.NewReader(source))
	if err != nil {
		return nil, fmt.Errorf("read the artwork: %w", err)
	}
	icon.SetTarget(0, 0, float64(px), float64(px))
	img := image.NewRGBA(image.Rect(0, 0, px, px))
	icon.Draw(rasterx.NewDasher(px, px, rasterx.NewScannerGV(px, px, img, img.Bounds())), 1)
	out := image.NewNRGBA(img.Bounds())
	for y := range px {
		for x := range px {
			out.SetNRGBA(x, y, color.NRGBAModel.Convert(img.RGBAAt(x, y)).(color.NRGBA))
		}
	}
	return out, nil
}

func encode(img image.Image) ([]byte, error) {
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
