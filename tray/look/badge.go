package look

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Badge says a state in a word or two: a dot and the word, on a ground of the
// same colour, faintly.
type Badge struct {
	widget.BaseWidget
	kind Kind
	text string
}

// NewBadge makes a badge.
func NewBadge(kind Kind, text string) *Badge {
	b := &Badge{kind: kind, text: text}
	b.ExtendBaseWidget(b)
	return b
}

// Set changes what it says.
func (b *Badge) Set(kind Kind, text string) {
	if b.kind != kind || b.text != text {
		b.kind, b.text = kind, text
		b.Refresh()
	}
}

// AccessibilityLabel is what is read aloud.
func (b *Badge) AccessibilityLabel() string { return b.text }

// CreateRenderer belongs to Fyne.
func (b *Badge) CreateRenderer() fyne.WidgetRenderer {
	r := &badgeRenderer{of: b, ground: canvas.NewRectangle(nil), dot: canvas.NewCircle(nil), word: canvas.NewText("", nil)}
	r.dress()
	return r
}

type badgeRenderer struct {
	of     *Badge
	ground *canvas.Rectangle
	dot    *canvas.Circle
	word   *canvas.Text
}

const badgeDot = 7

func (r *badgeRenderer) dress() {
	th, v := r.of.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	c := th.Color(r.of.kind.Color(), v)
	r.dot.FillColor = c
	r.ground.FillColor = Faint(c, 0x22)
	r.word.Color = th.Color(theme.ColorNameForeground, v)
	r.word.Text = r.of.text
	r.word.TextSize = th.Size(SizeSmall)
}

func (r *badgeRenderer) MinSize() fyne.Size {
	s := r.word.MinSize()
	return fyne.NewSize(s.Width+badgeDot+3*8-2, s.Height+4)
}

func (r *badgeRenderer) Layout(size fyne.Size) {
	h := r.MinSize().Height
	top := (size.Height - h) / 2
	r.ground.CornerRadius = h / 2
	r.ground.Move(fyne.NewPos(0, top))
	r.ground.Resize(fyne.NewSize(size.Width, h))
	r.dot.Move(fyne.NewPos(8, top+(h-badgeDot)/2))
	r.dot.Resize(fyne.NewSquareSize(badgeDot))
	r.word.Move(fyne.NewPos(8+badgeDot+6, top+2))
	r.word.Resize(fyne.NewSize(size.Width-8-badgeDot-6-8, h-4))
}

func (r *badgeRenderer) Refresh() {
	r.dress()
	r.Layout(r.of.Size())
	canvas.Refresh(r.of)
}

func (r *badgeRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.dot, r.word}
}
func (r *badgeRenderer) Destroy() {}

// Faint is a colour with another opacity.
func Faint(c color.Color, alpha uint8) color.Color {
	if c == nil { // of a theme that is not ours
		return color.Transparent
	}
	n := color.NRGBAModel.Convert(c).(color.NRGBA)
	n.A = alpha
	return n
}

// Dot is a coloured dot alone: a state in a place too narrow for its word.
type Dot struct {
	widget.BaseWidget
	kind Kind
}

// NewDot makes a dot.
func NewDot(kind Kind) *Dot {
	d := &Dot{kind: kind}
	d.ExtendBaseWidget(d)
	return d
}

// Set changes its colour.
func (d *Dot) Set(kind Kind) {
	if d.kind != kind {
		d.kind = kind
		d.Refresh()
	}
}

// CreateRenderer belongs to Fyne.
func (d *Dot) CreateRenderer() fyne.WidgetRenderer {
	r := &dotRenderer{of: d, dot: canvas.NewCircle(nil)}
	r.dress()
	return r
}

type dotRenderer struct {
	of  *Dot
	dot *canvas.Circle
}

func (r *dotRenderer) dress() {
	r.dot.FillColor = r.of.Theme().Color(r.of.kind.Color(), fyne.CurrentApp().Settings().ThemeVariant())
}
func (r *dotRenderer) MinSize() fyne.Size { return fyne.NewSquareSize(9) }
func (r *dotRenderer) Layout(size fyne.Size) {
	r.dot.Move(fyne.NewPos((size.Width-9)/2, (size.Height-9)/2))
	r.dot.Resize(fyne.NewSquareSize(9))
}
func (r *dotRenderer) Refresh()                     { r.dress(); r.dot.Refresh() }
func (r *dotRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.dot} }
func (r *dotRenderer) Destroy()                     {}
