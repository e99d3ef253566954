package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Row is a row of a list: an icon, a title and a quieter line below it; at the
// right two short texts, and what a page adds there.
type Row struct {
	Box
	icon       *widget.Icon
	title, sub *Text
	trail, end *Text
}

// RowText is what a Row shows. Color colours the icon; "" is the quiet colour.
type RowText struct {
	Icon       fyne.Resource
	Color      fyne.ThemeColorName
	Title, Sub string
	Trail, End string // at the right, above and below
}

// NewRow makes an empty row; more stands at its right end.
func NewRow(more ...fyne.CanvasObject) *Row {
	r := &Row{
		icon: widget.NewIcon(nil), title: NewText(""), sub: Secondary(""),
		trail: NewText("").Whole().Align(fyne.TextAlignTrailing), end: Secondary("").Whole().Align(fyne.TextAlignTrailing),
	}
	sign := container.NewCenter(container.New(layout.NewGridWrapLayout(fyne.NewSquareSize(20)), r.icon))
	words := Column(1, r.title, r.sub)
	right := Line(Near, append([]fyne.CanvasObject{Middle(Column(1, r.trail, r.end))}, more...)...)
	r.Hold(r, Pad(container.NewBorder(nil, nil, container.NewHBox(sign, Space(Near, 0)), nil, Sides(words, right)), 7, Near))
	return r
}

// Set changes what it shows.
func (r *Row) Set(t RowText) {
	if t.Color == "" {
		t.Color = ColorSecondary
	}
	if t.Icon != nil {
		r.icon.SetResource(theme.NewColoredResource(t.Icon, t.Color))
	}
	wide := r.trail.Text() != t.Trail || r.end.Text() != t.End
	r.title.SetText(t.Title)
	r.sub.SetText(t.Sub)
	r.trail.SetText(t.Trail)
	r.end.SetText(t.End)
	if wide {
		r.content.Refresh()
	}
}

// Space is empty.
func Space(width, height float32) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(height/2, height/2, width/2, width/2), layout.NewSpacer())
}

// Facts are names and values in two columns.
type Facts struct {
	Box
}

// NewFacts makes an empty table of facts.
func NewFacts() *Facts {
	f := &Facts{}
	f.Hold(f, container.New(&factsLayout{}))
	return f
}

// Set replaces the facts: name, value, name, value. What has no value is left out.
func (f *Facts) Set(pairs ...string) {
	var objects []fyne.CanvasObject
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			objects = append(objects, NewText(pairs[i]).Colored(ColorSecondary), NewText(pairs[i+1]))
		}
	}
	if f.same(objects) {
		return
	}
	f.content.Objects = objects
	f.content.Refresh()
	f.Refresh()
}

func (f *Facts) same(objects []fyne.CanvasObject) bool {
	if len(objects) != len(f.content.Objects) {
		return false
	}
	for i := range objects {
		if objects[i].(*Text).Text() != f.content.Objects[i].(*Text).Text() {
			return false
		}
	}
	return true
}

type factsLayout struct{}

func (factsLayout) name(o []fyne.CanvasObject) float32 {
	var w float32
	for i := 0; i < len(o); i += 2 {
		t := o[i].(*Text)
		w = max(w, fyne.MeasureText(t.text, theme.Size(t.size), t.style).Width)
	}
	return w
}

func (l factsLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	if len(o) == 0 {
		return fyne.Size{}
	}
	h := o[0].MinSize().Height + Near
	return fyne.NewSize(l.name(o)+Clear+80, h*float32(len(o)/2)-Near)
}

func (l factsLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	name := l.name(o)
	for i := 0; i+1 < len(o); i += 2 {
		h := o[i].MinSize().Height
		y := float32(i/2) * (h + Near)
		o[i].Move(fyne.NewPos(0, y))
		o[i].Resize(fyne.NewSize(name+1, h))
		o[i+1].Move(fyne.NewPos(name+Clear, y))
		o[i+1].Resize(fyne.NewSize(max(0, size.Width-name-Clear), h))
	}
}

// MoreButton is a small button that opens a menu below itself. menu is asked for
// what it holds each time.
func MoreButton(menu func() []*fyne.MenuItem) *widget.Button {
	b := widget.NewButtonWithIcon("", theme.NewColoredResource(theme.MoreVerticalIcon(), ColorSecondary), nil)
	b.Importance = widget.LowImportance
	b.OnTapped = func() {
		c := fyne.CurrentApp().Driver().CanvasForObject(b)
		if items := menu(); c != nil && len(items) > 0 {
			below := fyne.NewPos(0, b.Size().Height)
			widget.NewPopUpMenu(fyne.NewMenu("", items...), c).ShowAtRelativePosition(below, b)
		}
	}
	return b
}
