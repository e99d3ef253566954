package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Ground is a rounded area in a colour of the theme, to stand behind something.
type Ground struct {
	widget.BaseWidget
	fill, stroke fyne.ThemeColorName
	alpha        uint8
	radius       float32
}

// NewGround makes one; stroke may be "".
func NewGround(fill, stroke fyne.ThemeColorName, radius float32) *Ground {
	g := &Ground{fill: fill, stroke: stroke, alpha: 0xff, radius: radius}
	g.ExtendBaseWidget(g)
	return g
}

// Faintly makes its fill translucent.
func (g *Ground) Faintly(alpha uint8) *Ground { g.alpha = alpha; return g }

// SetFill changes the fill.
func (g *Ground) SetFill(fill fyne.ThemeColorName, alpha uint8) {
	if g.fill != fill || g.alpha != alpha {
		g.fill, g.alpha = fill, alpha
		g.Refresh()
	}
}

// CreateRenderer belongs to Fyne.
func (g *Ground) CreateRenderer() fyne.WidgetRenderer {
	r := &groundRenderer{of: g, area: canvas.NewRectangle(nil)}
	r.dress()
	return r
}

type groundRenderer struct {
	of   *Ground
	area *canvas.Rectangle
}

func (r *groundRenderer) dress() {
	th, v := r.of.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	c := th.Color(r.of.fill, v)
	if r.of.alpha != 0xff {
		c = Faint(c, r.of.alpha)
	}
	r.area.FillColor, r.area.CornerRadius = c, r.of.radius
	if r.of.stroke != "" {
		r.area.StrokeColor, r.area.StrokeWidth = th.Color(r.of.stroke, v), 1
	}
}
func (r *groundRenderer) MinSize() fyne.Size           { return fyne.Size{} }
func (r *groundRenderer) Layout(size fyne.Size)        { r.area.Resize(size) }
func (r *groundRenderer) Refresh()                     { r.dress(); r.area.Refresh() }
func (r *groundRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.area} }
func (r *groundRenderer) Destroy()                     {}

const cardRadius = 10

// Card stands its content on a ground of its own.
func Card(content fyne.CanvasObject) *fyne.Container {
	return container.NewStack(NewGround(ColorCard, ColorEdge, cardRadius), Pad(content, 14, 16))
}

// Callout is a card that asks for attention: an icon, a title, a sentence, and
// what can be done. Its ground has the colour of its kind, faintly.
func Callout(kind Kind, icon fyne.Resource, title, sentence string, actions ...fyne.CanvasObject) *fyne.Container {
	words := Column(2, Strong(title), Flush(Paragraph(sentence)))
	sign := container.New(layout.NewGridWrapLayout(fyne.NewSquareSize(24)), Tinted(icon, kind.Color()))
	body := container.NewBorder(nil, nil, container.NewVBox(sign), nil, Pad(words, 0, Near))
	all := Column(Apart, body)
	if len(actions) > 0 {
		all.Add(Pad(Line(8, actions...), 0, 28))
	}
	ground := NewGround(kind.Color(), "", cardRadius).Faintly(0x1c)
	return container.NewStack(ground, Pad(all, 12, 14))
}

// Flush takes a label's own padding off, so that it stands in line with a Text.
func Flush(label fyne.CanvasObject) *fyne.Container {
	return container.New(layout.NewCustomPaddedLayout(-6, -6, -8, -8), label)
}

// Tinted is an icon in a colour of the theme.
func Tinted(icon fyne.Resource, color fyne.ThemeColorName) *widget.Icon {
	return widget.NewIcon(theme.NewColoredResource(icon, color))
}

// Section is a titled part of a page. action stands at the right of the title; nil
// for none.
func Section(title string, action fyne.CanvasObject, content ...fyne.CanvasObject) *fyne.Container {
	head := fyne.CanvasObject(SubHeading(title))
	if action != nil {
		head = Sides(head, action)
	}
	return Column(Apart, append([]fyne.CanvasObject{head}, content...)...)
}

// PageHead is the top of a page: its title, a line below it, and actions at the right.
func PageHead(title string, below fyne.CanvasObject, actions ...fyne.CanvasObject) *fyne.Container {
	words := Column(2, Heading(title))
	if below != nil {
		words.Add(below)
	}
	return Sides(words, Line(8, actions...))
}

// EmptyState fills a place where there is nothing yet: an icon, what it means, what
// to do next. action may be nil.
func EmptyState(icon fyne.Resource, title, sentence string, action fyne.CanvasObject) *fyne.Container {
	sign := container.New(layout.NewGridWrapLayout(fyne.NewSquareSize(56)), Tinted(icon, ColorFaint))
	head := SubHeading(title).Align(fyne.TextAlignCenter)
	text := Quiet(sentence)
	text.Alignment = fyne.TextAlignCenter
	column := Column(Near, container.NewCenter(sign), head, text)
	if action != nil {
		column.Add(container.NewCenter(action))
	}
	return container.New(&centred{width: 420}, column)
}

// centred puts its one object in the middle, at most width wide.
type centred struct{ width float32 }

func (c *centred) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (c *centred) Layout(o []fyne.CanvasObject, size fyne.Size) {
	w := min(c.width, size.Width)
	o[0].Resize(fyne.NewSize(w, size.Height)) // text wraps before its height is asked for
	h := min(o[0].MinSize().Height, size.Height)
	o[0].Move(fyne.NewPos((size.Width-w)/2, (size.Height-h)*0.45))
	o[0].Resize(fyne.NewSize(w, h))
}
