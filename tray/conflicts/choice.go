package conflicts

import (
	"image/color"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/tray/look"
)

// choice is a button in the colour of what it keeps, with its key on it. A key
// arms it; Enter then does it.
type choice struct {
	widget.BaseWidget
	key    string
	text   string
	color  fyne.ThemeColorName
	tapped func()
	keys   func(*fyne.KeyEvent)

	armed, hovered, focused, off bool
}

var (
	_ fyne.Focusable    = (*choice)(nil)
	_ fyne.Tappable     = (*choice)(nil)
	_ desktop.Hoverable = (*choice)(nil)
)

func newChoice(key, text string, color fyne.ThemeColorName, keys func(*fyne.KeyEvent), tapped func()) *choice {
	c := &choice{key: key, text: text, color: color, keys: keys, tapped: tapped}
	c.ExtendBaseWidget(c)
	return c
}

func (c *choice) set(text string) { c.text = text; c.Refresh() }
func (c *choice) arm(on bool)     { c.armed = on; c.Refresh() }
func (c *choice) enable(on bool)  { c.off = !on; c.Refresh() }

// Tapped and what follows belong to Fyne.
func (c *choice) Tapped(*fyne.PointEvent) {
	if !c.off {
		c.tapped()
	}
}
func (c *choice) FocusGained()                   { c.focused = true; c.Refresh() }
func (c *choice) FocusLost()                     { c.focused = false; c.Refresh() }
func (c *choice) TypedRune(rune)                 {}
func (c *choice) MouseIn(*desktop.MouseEvent)    { c.hovered = true; c.Refresh() }
func (c *choice) MouseMoved(*desktop.MouseEvent) {}
func (c *choice) MouseOut()                      { c.hovered = false; c.Refresh() }

func (c *choice) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeySpace || !c.armed && (e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter) {
		c.Tapped(nil)
		return
	}
	c.keys(e)
}

// AccessibilityLabel is what is read aloud.
func (c *choice) AccessibilityLabel() string { return c.text }

// CreateRenderer belongs to Fyne.
func (c *choice) CreateRenderer() fyne.WidgetRenderer {
	r := &choiceRenderer{of: c, ground: canvas.NewRectangle(nil), cap: canvas.NewRectangle(nil), key: canvas.NewText("", nil), text: look.NewText("")}
	r.key.Alignment, r.key.TextStyle.Bold = fyne.TextAlignCenter, true
	r.dress()
	return r
}

type choiceRenderer struct {
	of          *choice
	ground, cap *canvas.Rectangle
	key         *canvas.Text
	text        *look.Text
}

const capSize = 20

func (r *choiceRenderer) dress() {
	c := r.of
	ink := func(n fyne.ThemeColorName) color.Color {
		return c.Theme().Color(n, fyne.CurrentApp().Settings().ThemeVariant())
	}
	tint, words := ink(c.color), theme.ColorNameForeground
	r.ground.CornerRadius, r.cap.CornerRadius = 7, 4
	r.ground.StrokeWidth = 1
	r.ground.StrokeColor = look.Faint(tint, 0x90)
	r.cap.FillColor, r.key.Color = look.Faint(tint, 0x30), tint
	switch {
	case c.off:
		tint, words = ink(look.ColorTrack), theme.ColorNameDisabled
		r.ground.FillColor, r.ground.StrokeColor = look.Faint(tint, 0x60), tint
		r.cap.FillColor, r.key.Color = tint, ink(theme.ColorNameDisabled)
	case c.armed:
		r.ground.FillColor, words = tint, theme.ColorNameBackground
		r.cap.FillColor, r.key.Color = look.Faint(ink(theme.ColorNameBackground), 0x40), ink(theme.ColorNameBackground)
	case c.hovered:
		r.ground.FillColor = look.Faint(tint, 0x38)
	default:
		r.ground.FillColor = look.Faint(tint, 0x1e)
	}
	if c.focused {
		r.ground.StrokeWidth, r.ground.StrokeColor = 2, ink(c.color)
	}
	r.key.Text, r.key.TextSize = c.key, c.Theme().Size(look.SizeSmall)
	r.text.Set(c.text, words)
}

func (r *choiceRenderer) MinSize() fyne.Size {
	w := fyne.MeasureText(r.of.text, r.of.Theme().Size(theme.SizeNameText), fyne.TextStyle{}).Width
	return fyne.NewSize(min(w, 150)+capSize+28, 34)
}

func (r *choiceRenderer) Layout(size fyne.Size) {
	place(r.ground, 0, 0, size.Width, size.Height)
	place(r.cap, 8, (size.Height-capSize)/2, capSize, capSize)
	h := r.key.MinSize().Height
	place(r.key, 8, (size.Height-h)/2, capSize, h)
	h = r.text.MinSize().Height
	const x = 8 + capSize + 8
	place(r.text, x, (size.Height-h)/2, size.Width-x-8, h)
}

func (r *choiceRenderer) Refresh() {
	r.dress()
	r.Layout(r.of.Size())
	canvas.Refresh(r.of)
}

func (r *choiceRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.cap, r.key, r.text}
}
func (r *choiceRenderer) Destroy() {}
