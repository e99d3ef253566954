package history

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

// row draws one name. What is gone is dimmed and struck through.
type row struct {
	look.Box
	icon       *widget.Icon
	name       *struck
	below      *look.Text
	size, when *look.Text
	words      *fyne.Container
}

func newRow() *row {
	r := &row{
		icon: widget.NewIcon(nil), name: newStruck(), below: look.Secondary("").Tail(),
		size: look.NewText("").Align(fyne.TextAlignTrailing), when: look.Secondary("").Align(fyne.TextAlignTrailing),
	}
	sign := container.NewCenter(container.New(layout.NewGridWrapLayout(fyne.NewSquareSize(20)), r.icon))
	r.words = container.New(&nameLayout{}, r.name, r.below)
	right := look.Wide(118, look.Column(1, r.size, r.when))
	body := look.Sides(r.words, right)
	r.Hold(r, look.Pad(container.NewBorder(nil, nil, container.NewHBox(sign, look.Space(look.Near, 0)), nil, body), 5, look.Apart))
	return r
}

// set shows a name. then: another moment than now is shown; path: the whole path
// is said, as the list is of a search.
func (r *row) set(e control.Browsed, then, path bool, now time.Time) {
	gone := e.State == control.StateDeleted || e.State == control.StateMoved
	icon, color := theme.FileIcon(), look.ColorSecondary
	switch {
	case e.Kind == kindDir:
		icon = theme.FolderIcon()
		color = theme.ColorNamePrimary
	case e.Kind == kindLink:
		icon = theme.MailForwardIcon()
	}
	ink := theme.ColorNameForeground
	if gone {
		color, ink = look.ColorFaint, look.ColorSecondary
	}
	r.icon.SetResource(theme.NewColoredResource(icon, color))
	name := e.Name
	if path {
		name = e.Path
	}
	r.name.set(clean(name), ink, e.State == control.StateDeleted)
	r.below.SetText(under(e, then, now))
	size, when := "", ""
	if e.Kind != kindDir {
		size = present.Size(e.Size)
		if e.MTime != nil {
			when = present.At(*e.MTime, now)
		}
	}
	r.size.Set(size, ink)
	r.when.SetText(when)
	r.words.Refresh()
}

// nameLayout is the name with what there is to say of it below; alone, it stands
// in the middle.
type nameLayout struct{}

func (nameLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	a, b := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(max(a.Width, b.Width), a.Height+b.Height+1)
}

func (nameLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	a, b := o[0].MinSize(), o[1].MinSize()
	top := (size.Height - a.Height - b.Height - 1) / 2
	if t, ok := o[1].(*look.Text); ok && t.Text() == "" {
		top = (size.Height - a.Height) / 2
	}
	o[0].Move(fyne.NewPos(0, top))
	o[0].Resize(fyne.NewSize(size.Width, a.Height))
	o[1].Move(fyne.NewPos(0, top+a.Height+1))
	o[1].Resize(fyne.NewSize(size.Width, b.Height))
}

// struck is a line of text that may be struck through.
type struck struct {
	look.Box
	text *look.Text
	line *canvas.Line
	of   *fyne.Container
	on   bool
}

func newStruck() *struck {
	s := &struck{text: look.NewText(""), line: canvas.NewLine(nil)}
	s.of = container.New(&struckLayout{s}, s.text, s.line)
	s.Hold(s, s.of)
	return s
}

func (s *struck) set(text string, ink fyne.ThemeColorName, on bool) {
	s.text.Set(text, ink)
	s.on = on
	s.line.Hidden = !on
	s.line.StrokeWidth = 1
	s.line.StrokeColor = s.Theme().Color(ink, fyne.CurrentApp().Settings().ThemeVariant())
	s.of.Refresh()
}

type struckLayout struct{ of *struck }

func (l *struckLayout) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }

func (l *struckLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Resize(size)
	full := fyne.MeasureText(l.of.text.Text(), theme.TextSize(), fyne.TextStyle{}).Width
	y := size.Height * 0.54
	l.of.line.Position1 = fyne.NewPos(0, y)
	l.of.line.Position2 = fyne.NewPos(min(full, size.Width), y)
}
