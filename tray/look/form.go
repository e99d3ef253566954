package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Caption is a small wrapping sentence under something: what it means, or what
// is wrong with it. Without a text it takes no room.
type Caption struct {
	widget.BaseWidget
	label *widget.Label
	box   *fyne.Container
}

// NewCaption makes one in the quiet colour.
func NewCaption(text string) *Caption {
	l := Paragraph(text)
	l.SizeName, l.Importance = SizeSmall, widget.LowImportance
	c := &Caption{label: l, box: container.New(layout.NewCustomPaddedLayout(-6, -6, -8, -8), l)}
	c.ExtendBaseWidget(c)
	c.Hidden = text == ""
	return c
}

// CreateRenderer belongs to Fyne.
func (c *Caption) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(c.box) }

// Say shows a sentence in the quiet colour; Fail one that says what is wrong.
func (c *Caption) Say(text string)  { c.set(text, widget.LowImportance) }
func (c *Caption) Fail(text string) { c.set(text, widget.DangerImportance) }

// Warn shows one that should be read before going on.
func (c *Caption) Warn(text string) { c.set(text, widget.WarningImportance) }

// Text is what it says.
func (c *Caption) Text() string { return c.label.Text }

func (c *Caption) set(text string, how widget.Importance) {
	if c.label.Text == text && c.label.Importance == how {
		return
	}
	c.label.Importance = how
	c.label.SetText(text)
	if text == "" {
		c.Hide()
	} else {
		c.Show()
	}
}

// Setting is something that can be chosen: what it is, what that means, and the
// control at the right; below, what is wrong with the choice.
type Setting struct {
	widget.BaseWidget
	Control fyne.CanvasObject

	about, wrong *Caption
	box          *fyne.Container
}

// NewSetting makes one; about may be "".
func NewSetting(title, about string, control fyne.CanvasObject) *Setting {
	s := &Setting{Control: control, about: NewCaption(about), wrong: NewCaption("")}
	s.box = container.New(&settingLayout{}, NewText(title), s.about, control, s.wrong)
	s.ExtendBaseWidget(s)
	return s
}

// CreateRenderer belongs to Fyne.
func (s *Setting) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(s.box) }

// About changes what the setting means.
func (s *Setting) About(text string) {
	if s.about.Text() != text {
		s.about.Say(text)
		s.box.Refresh()
		s.Refresh()
	}
}

// Fail says what is wrong; "" when nothing is.
func (s *Setting) Fail(text string) {
	if s.wrong.Text() != text {
		s.wrong.Fail(text)
		s.box.Refresh()
		s.Refresh()
	}
}

// Wrong is what is said to be wrong.
func (s *Setting) Wrong() string { return s.wrong.Text() }

// settingLayout has the words at the left, wrapped to what the control leaves,
// and the control at the right, beside the title or centred.
type settingLayout struct {
	width float32
}

const settingGap = 24

func (l *settingLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	control := o[2].MinSize()
	if l.width > 0 {
		l.Layout(o, fyne.NewSize(l.width, 0)) // so that what wraps knows its width
	}
	return fyne.NewSize(160+settingGap+control.Width, max(l.words(o), control.Height)+l.below(o))
}

func (l *settingLayout) words(o []fyne.CanvasObject) float32 {
	h := o[0].MinSize().Height
	if o[1].Visible() {
		h += 2 + o[1].MinSize().Height
	}
	return h
}

func (l *settingLayout) below(o []fyne.CanvasObject) float32 {
	if !o[3].Visible() {
		return 0
	}
	return Near + o[3].MinSize().Height
}

func (l *settingLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	l.width = size.Width
	control := o[2].MinSize()
	left := max(0, size.Width-control.Width-settingGap)
	title := o[0].MinSize().Height
	o[1].Resize(fyne.NewSize(left, o[1].MinSize().Height))
	o[3].Resize(fyne.NewSize(size.Width, o[3].MinSize().Height))
	words := l.words(o)
	high := max(words, control.Height)
	top := (high - words) / 2
	o[0].Move(fyne.NewPos(0, top))
	o[0].Resize(fyne.NewSize(left, title))
	o[1].Move(fyne.NewPos(0, top+title+2))
	o[1].Resize(fyne.NewSize(left, o[1].MinSize().Height))
	o[2].Move(fyne.NewPos(size.Width-control.Width, (high-control.Height)/2))
	o[2].Resize(control)
	o[3].Move(fyne.NewPos(0, high+Near))
	o[3].Resize(fyne.NewSize(size.Width, o[3].MinSize().Height))
}

// Wide gives a control a width of its own.
func Wide(width float32, o fyne.CanvasObject) *fyne.Container {
	return container.New(wide(width), o)
}

type wide float32

func (w wide) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(float32(w), o[0].MinSize().Height)
}

func (w wide) Layout(o []fyne.CanvasObject, size fyne.Size) { o[0].Resize(size) }

// Edged draws an edge around a select, which on a card could not be told from its
// ground.
func Edged(o fyne.CanvasObject) *fyne.Container {
	return container.NewStack(o, NewGround(theme.ColorNameInputBackground, theme.ColorNameInputBorder, theme.InputRadiusSize()).Faintly(0))
}

// Settings are several on one card, with a line between them.
func Settings(title string, list ...fyne.CanvasObject) *fyne.Container {
	column := Column(Apart)
	for i, s := range list {
		if i > 0 {
			column.Add(widget.NewSeparator())
		}
		column.Add(s)
	}
	card := Card(column)
	if title == "" {
		return card
	}
	return Column(Apart-2, SubHeading(title), card)
}

// Signed puts a small icon, or as much room, before something that may wrap.
func Signed(icon fyne.Resource, color fyne.ThemeColorName, o fyne.CanvasObject) *fyne.Container {
	sign := container.New(layout.NewGridWrapLayout(fyne.NewSquareSize(18)), layout.NewSpacer())
	if icon != nil {
		sign.Objects[0] = Tinted(icon, color)
	}
	return container.NewBorder(nil, nil, container.NewHBox(container.NewVBox(sign), Space(Near, 0)), nil, o)
}

// Tabs are buttons of which one is chosen.
type Tabs struct {
	Bar     *fyne.Container
	buttons []*Button
	chosen  int
}

// NewTabs makes them; turned is told which one was chosen.
func NewTabs(titles []string, turned func(int)) *Tabs {
	t := &Tabs{Bar: Line(6)}
	for i, title := range titles {
		b := NewButton(title, nil, func() {
			t.Choose(i)
			turned(i)
		}).Low()
		t.buttons = append(t.buttons, b)
		t.Bar.Add(b)
	}
	t.Choose(0)
	return t
}

// Choose marks the one that is shown.
func (t *Tabs) Choose(i int) {
	t.chosen = i
	for n, b := range t.buttons {
		b.Importance = widget.LowImportance
		if n == i {
			b.Importance = widget.MediumImportance
		}
		b.Refresh()
	}
}

// Chosen is the one that is marked.
func (t *Tabs) Chosen() int { return t.chosen }

// Halves lets two objects stand side by side, each as high as there is room.
func Halves(left, right fyne.CanvasObject) *fyne.Container {
	return container.New(halves{}, left, right)
}

type halves struct{}

const halvesGap = 12

func (halves) MinSize(o []fyne.CanvasObject) fyne.Size {
	l, r := o[0].MinSize(), o[1].MinSize()
	return fyne.NewSize(2*max(l.Width, r.Width, 180)+halvesGap, max(l.Height, r.Height))
}

func (halves) Layout(o []fyne.CanvasObject, size fyne.Size) {
	w := (size.Width - halvesGap) / 2
	for i := range o {
		o[i].Move(fyne.NewPos(float32(i)*(w+halvesGap), 0))
		o[i].Resize(fyne.NewSize(w, size.Height))
	}
}
