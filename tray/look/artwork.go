package look

import (
	"fmt"
	"math"
	"strings"
)

//go:generate go run ./draw ../../installers/icons

// The mark is a pinion in both of the word's senses: a wheel of eight teeth with
// a feather cut out of it. It is drawn on a field of 24 by 24, for 16 pixels
// first: few and broad shapes.
const (
	field   = 24
	teeth   = 8
	tip     = 11.4 // radius to the top of a tooth
	root    = 8.9  // radius between the teeth
	tipHalf = 0.17 // half of a tooth's top, radians
	toeHalf = 0.27 // half of its foot
)

// place is where on the field the mark is drawn, and how large.
type place struct{ at, scale float64 }

var whole = place{at: field / 2, scale: 1}

// gear is the outline of the wheel, turned by an angle in radians.
func (p place) gear(turn float64) string {
	var b strings.Builder
	at := func(letter string, r, angle float64) {
		fmt.Fprintf(&b, "%s%.3f %.3f", letter, p.at+p.scale*r*math.Cos(angle), p.at+p.scale*r*math.Sin(angle))
	}
	letter := "M"
	for i := range teeth {
		a := turn + float64(i)*2*math.Pi/teeth
		at(letter, root, a-toeHalf)
		at("L", tip, a-tipHalf)
		at("L", tip, a+tipHalf)
		at("L", root, a+toeHalf)
		at("L", root, a+math.Pi/teeth) // the ground between two teeth is nearly straight
		letter = "L"
	}
	b.WriteString("Z")
	return b.String()
}

// The feather lies from the lower left to the upper right, through the middle of
// the wheel. It runs against the wheel's direction, so that it is a hole in it.
// The quill is its shaft, from the nib to near the tip. Points from the middle.
// All is filled, nothing drawn as a line: not every painter scales a line's width.
var (
	feather = []float64{-5.6, 5.6, -3.2, 6.1, 1.4, 5.8, 3.6, 3.0, 5.6, 0.4, 5.8, -2.6, 5.6, -5.6, 2.6, -5.8, -0.4, -5.6, -3.0, -3.6, -5.8, -1.4, -6.1, 3.2, -5.6, 5.6}
	quill   = []float64{-6.9, 5.9, -4.6, 3.2, -1.0, -0.5, 3.4, -3.4, -0.2, 0.4, -3.2, 4.0, -5.9, 6.9, -6.4, 7.2, -7.2, 6.4, -6.9, 5.9}
)

// curve is a path of Bézier curves through points.
func (p place) curve(points []float64) string {
	var b strings.Builder
	for i := 0; i < len(points); i += 2 {
		switch i {
		case 0:
			b.WriteString("M")
		case 2:
			b.WriteString("C")
		default:
			b.WriteString(" ")
		}
		fmt.Fprintf(&b, "%.3f %.3f", p.at+p.scale*points[i], p.at+p.scale*points[i+1])
	}
	return b.String()
}

func (p place) mark(color string, turn float64) string {
	return fmt.Sprintf(`<path fill="%s" d="%s %sZ"/>`, color, p.gear(turn), p.curve(feather)) +
		fmt.Sprintf(`<path fill="%s" d="%sZ"/>`, color, p.curve(quill))
}

// bar is a straight line with round ends, as a shape.
func bar(x1, y1, x2, y2, width float64) string {
	var b strings.Builder
	along := math.Atan2(y2-y1, x2-x1)
	const steps = 6
	for end := range 2 {
		for i := range steps + 1 {
			angle := along + math.Pi/2 + math.Pi*float64(end) + math.Pi*float64(i)/steps
			letter := "L"
			if end == 0 && i == 0 {
				letter = "M"
			}
			fmt.Fprintf(&b, "%s%.3f %.3f", letter, x1+width/2*math.Cos(angle), y1+width/2*math.Sin(angle))
		}
		x1, y1 = x2, y2
	}
	return b.String() + "Z"
}

// Mark is the mark as SVG in one colour, turned by an angle in radians.
func Mark(color string, turn float64) []byte { return svg(whole.mark(color, turn)) }

// AppIcon is the icon of the program, for windows and launchers, as SVG: the mark
// in white on a green tile.
func AppIcon() []byte {
	return svg(`<defs><linearGradient id="g" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="#35a184"/><stop offset="1" stop-color="#175646"/></linearGradient></defs>` +
		`<rect x="1" y="1" width="22" height="22" rx="5" ry="5" fill="url(#g)"/>` + place{at: field / 2, scale: 0.76}.mark("#ffffff", math.Pi/teeth))
}

func svg(inside string) []byte {
	return fmt.Appendf(nil, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">%s</svg>`+"\n", field, field, field, field, inside)
}
