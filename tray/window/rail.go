package window

import (
	"strconv"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
)

// rail is the list of pages at the left.
type rail struct {
	content *fyne.Container
	entries []*entry
	name    *look.Text
}

const railWidth = 184

func newRail(pages []Maker, tapped func(string), key func(*fyne.KeyEvent)) *rail {
	r := &rail{name: look.Secondary("")}
	list := look.Column(2)
	for i, m := range pages {
		e := newEntry(m, tapped, key)
		r.entries = append(r.entries, e)
		e.step = func(by int) {
			n := i + by
			if n >= 0 && n < len(r.entries) {
				if c := fyne.CurrentApp().Driver().CanvasForObject(e); c != nil {
					c.Focus(r.entries[n])
				}
			}
		}
		list.Add(e)
	}
	head := look.Pad(look.Column(1, look.SubHeading("Pinion"), r.name), 0, 12)
	column := look.Column(look.Clear, head, list)
	ground := look.NewGround(look.ColorRail, "", 0)
	width := container.New(layout.NewGridWrapLayout(fyne.NewSize(railWidth, 1)), layout.NewSpacer())
	r.content = container.NewStack(ground, width, container.New(layout.NewCustomPaddedLayout(18, 10, 8, 8), column))
	return r
}

func (r *rail) selected(name string) {
	for _, e := range r.entries {
		e.choose(e.maker.Name == name)
	}
}

// update shows the device's name and how much waits for a person on each page.
func (r *rail) update(s status.State) {
	r.name.SetText(present.CleanName(s.Device.Name, 40))
	for _, e := range r.entries {
		switch e.maker.Name {
		case page.Overview:
			e.count(waiting(s))
		case page.Conflicts:
			e.count(conflicts(s))
		}
	}
}

// waiting counts the folders that wait for an answer, and the offers.
func waiting(s status.State) int64 {
	var n int64
	for _, o := range s.Offers {
		if !o.Declined {
			n++
		}
	}
	for _, f := range s.Folders {
		if len(f.Holds) > 0 {
			n++
		}
	}
	return n
}

func conflicts(s status.State) int64 {
	var n int64
	for _, f := range s.Folders {
		n += f.Conflicts
	}
	return n
}

// entry is one page in the rail.
type entry struct {
	widget.BaseWidget
	maker   Maker
	tapped  func(string)
	key     func(*fyne.KeyEvent) // what it has no use for
	step    func(by int)
	chosen  bool
	hovered bool
	focused bool
	number  int64
}

var (
	_ fyne.Tappable     = (*entry)(nil)
	_ fyne.Focusable    = (*entry)(nil)
	_ desktop.Hoverable = (*entry)(nil)
)

func newEntry(m Maker, tapped func(string), key func(*fyne.KeyEvent)) *entry {
	e := &entry{maker: m, tapped: tapped, key: key}
	e.ExtendBaseWidget(e)
	return e
}

func (e *entry) choose(on bool) {
	if e.chosen != on {
		e.chosen = on
		e.Refresh()
	}
}

func (e *entry) count(n int64) {
	if e.number != n {
		e.number = n
		e.Refresh()
	}
}

func (e *entry) Tapped(*fyne.PointEvent)        { e.tapped(e.maker.Name) }
func (e *entry) MouseIn(*desktop.MouseEvent)    { e.hovered = true; e.Refresh() }
func (e *entry) MouseMoved(*desktop.MouseEvent) {}
func (e *entry) MouseOut()                      { e.hovered = false; e.Refresh() }
func (e *entry) FocusGained()                   { e.focused = true; e.Refresh() }
func (e *entry) FocusLost()                     { e.focused = false; e.Refresh() }
func (e *entry) TypedRune(rune)                 {}
func (e *entry) AccessibilityLabel() string     { return e.maker.Title }
func (e *entry) CreateRenderer() fyne.WidgetRenderer {
	r := &entryRenderer{of: e, ground: canvas.NewRectangle(nil), ring: canvas.NewRectangle(nil), pill: canvas.NewRectangle(nil),
		icon: canvas.NewImageFromResource(e.maker.Icon), title: canvas.NewText(e.maker.Title, nil), number: canvas.NewText("", nil)}
	r.number.Alignment = fyne.TextAlignCenter
	r.dress()
	return r
}

func (e *entry) TypedKey(k *fyne.KeyEvent) {
	switch k.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		e.tapped(e.maker.Name)
	case fyne.KeyUp:
		e.step(-1)
	case fyne.KeyDown:
		e.step(1)
	default:
		e.key(k)
	}
}

type entryRenderer struct {
	of                 *entry
	ground, ring, pill *canvas.Rectangle
	icon               *canvas.Image
	title, number      *canvas.Text
}

const entryHeight = 36

func (r *entryRenderer) dress() {
	th, v := r.of.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	color, ink := theme.ColorNameForeground, look.ColorSecondary
	r.ground.Hidden = !r.of.chosen && !r.of.hovered
	r.ground.FillColor = th.Color(theme.ColorNameHover, v)
	if r.of.chosen {
		r.ground.FillColor = look.Faint(th.Color(theme.ColorNamePrimary, v), 0x24)
		ink = theme.ColorNamePrimary
	}
	r.ground.CornerRadius, r.ring.CornerRadius = 8, 8
	r.ring.Hidden = !r.of.focused
	r.ring.StrokeColor, r.ring.StrokeWidth = th.Color(theme.ColorNamePrimary, v), 1.5
	r.icon.Resource = theme.NewColoredResource(r.of.maker.Icon, ink)
	r.icon.FillMode = canvas.ImageFillContain
	r.title.Color, r.title.TextSize = th.Color(color, v), th.Size(theme.SizeNameText)
	r.title.TextStyle.Bold = r.of.chosen
	r.pill.Hidden, r.number.Hidden = r.of.number == 0, r.of.number == 0
	r.pill.FillColor = th.Color(look.ColorNeeds, v)
	r.number.Text = strconv.FormatInt(r.of.number, 10)
	if r.of.number > 999 {
		r.number.Text = lang.L("999+")
	}
	r.number.Color, r.number.TextSize = th.Color(theme.ColorNameForegroundOnWarning, v), 11.5
	r.number.TextStyle.Bold = true
}

func (r *entryRenderer) MinSize() fyne.Size { return fyne.NewSize(120, entryHeight) }

func (r *entryRenderer) Layout(size fyne.Size) {
	r.ground.Resize(size)
	r.ring.Resize(size)
	r.icon.Move(fyne.NewPos(12, (size.Height-18)/2))
	r.icon.Resize(fyne.NewSquareSize(18))
	t := r.title.MinSize()
	r.title.Move(fyne.NewPos(40, (size.Height-t.Height)/2))
	r.title.Resize(t)
	n := r.number.MinSize()
	w := max(n.Width+11, 19)
	r.pill.CornerRadius = 9.5
	r.pill.Move(fyne.NewPos(size.Width-w-10, (size.Height-19)/2))
	r.pill.Resize(fyne.NewSize(w, 19))
	r.number.Move(fyne.NewPos(size.Width-w-10, (size.Height-n.Height)/2))
	r.number.Resize(fyne.NewSize(w, n.Height))
}

func (r *entryRenderer) Refresh() {
	r.dress()
	r.Layout(r.of.Size())
	r.icon.Refresh()
	canvas.Refresh(r.of)
}

func (r *entryRenderer) Objects() []fyne.CanvasObject {
	return []fyne.CanvasObject{r.ground, r.ring, r.icon, r.title, r.pill, r.number}
}
func (r *entryRenderer) Destroy() {}
