package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/widget"
)

// Bar shows how much of a whole is done or used: a thin, rounded bar. Of the
// rest, a part at the end may be marked as reserved.
type Bar struct {
	widget.BaseWidget
	kind    Kind
	part    float64
	reserve float64
}

// NewBar makes an empty bar.
func NewBar() *Bar {
	b := &Bar{}
	b.ExtendBaseWidget(b)
	return b
}

// Set fills part of the bar (0 to 1).
func (b *Bar) Set(kind Kind, part float64) { b.SetReserved(kind, part, 0) }

// SetReserved also marks a part at the end as reserved.
func (b *Bar) SetReserved(kind Kind, part, reserve float64) {
	part, reserve = unit(part), unit(reserve)
	if b.kind != kind || b.part != part || b.reserve != reserve {
		b.kind, b.part, b.reserve = kind, part, reserve
		b.Refresh()
	}
}

func unit(x float64) float64 {
	if !(x > 0) { // also what is not a number
		return 0
	}
	return min(x, 1)
}

// CreateRenderer belongs to Fyne.
func (b *Bar) CreateRenderer() fyne.WidgetRenderer {
	r := &barRenderer{of: b, track: canvas.NewRectangle(nil), kept: canvas.NewRectangle(nil), fill: canvas.NewRectangle(nil)}
	r.dress()
	return r
}

type barRenderer struct {
	of                *Bar
	track, kept, fill *canvas.Rectangle
}

const barHeight = 6

func (r *barRenderer) dress() {
	th, v := r.of.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	c := th.Color(r.of.kind.Color(), v)
	r.track.FillColor = th.Color(ColorTrack, v)
	r.kept.FillColor = Faint(th.Color(ColorSecondary, v), 0x50)
	r.fill.FillColor = c
	for _, o := range []*canvas.Rectangle{r.track, r.kept, r.fill} {
		o.CornerRadius = barHeight / 2
	}
}

func (r *barRenderer) MinSize() fyne.Size { return fyne.NewSize(40, barHeight) }

func (r *barRenderer) Layout(size fyne.Size) {
	top := (size.Height - barHeight) / 2
	r.track.Move(fyne.NewPos(0, top))
	r.track.Resize(fyne.NewSize(size.Width, barHeight))
	fill := size.Width * float32(r.of.part)
	if r.of.part > 0 {
		fill = max(fill, barHeight) // a little is more than nothing
	}
	r.fill.Move(fyne.NewPos(0, top))
	r.fill.Resize(fyne.NewSize(fill, barHeight))
	kept := size.Width * float32(r.of.reserve)
	r.kept.Move(fyne.NewPos(size.Width-kept, top))
	r.kept.Resize(fyne.NewSize(kept, barHeight))
	r.kept.Hidden, r.fill.Hidden = kept < 1, r.of.part == 0
}

func (r *barRenderer) Refresh() {
	r.dress()
	r.Layout(r.of.Size())
	canvas.Refresh(r.of)
}

func (r *barRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.track, r.kept, r.fill}
}
func (r *barRenderer) Destroy() {}

// Gauge is a bar with words above it: what it is at the left, how much at the right.
type Gauge struct {
	Box
	Bar  *Bar
	what *Text
	much *Text
}

// NewGauge makes an empty one.
func NewGauge() *Gauge {
	g := &Gauge{Bar: NewBar(), what: Secondary(""), much: Secondary("").Whole()}
	g.Hold(g, Column(Near, Sides(g.what, g.much), g.Bar))
	return g
}

// Set changes words and bar.
func (g *Gauge) Set(what, much string, kind Kind, part float64) {
	g.SetReserved(what, much, kind, part, 0)
}

// SetReserved also marks a part at the end as reserved.
func (g *Gauge) SetReserved(what, much string, kind Kind, part, reserve float64) {
	g.what.SetText(what)
	if g.much.Text() != much {
		g.much.SetText(much)
		g.content.Objects[0].Refresh() // its width has changed
	}
	g.Bar.SetReserved(kind, part, reserve)
}
