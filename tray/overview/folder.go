package overview

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/present"
)

// Measures of a folder's card.
const (
	edge       float32 = 16 // around what is in it
	headHeight float32 = 42
	gaugeHigh  float32 = 30
	cellHigh   float32 = 37
	barHigh    float32 = 9   // more, where a cell has a bar
	cellWide   float32 = 158 // at least
	cellGap    float32 = 10
)

// view is a folder as its card shows it. What decides its height is worked out for
// all folders, words only for those that are seen.
type view struct {
	folder  status.Folder
	matters []matter
	moves   bool // something is on its way here
	devices int
	bars    bool // a device lacks something

	what, much string
	part       float64
	cells      []cell
}

// outline is as much of a view as its height needs.
func outline(f status.Folder, s status.State) view {
	v := view{folder: f, matters: matters(f), moves: moves(f), devices: 1 + len(f.Peers), bars: own(f, s).part != noBar}
	for _, p := range f.Peers {
		v.bars = v.bars || p.Connected && (p.NeedFiles > 0 || p.NoRoom > 0)
	}
	for _, id := range f.Away {
		if _, ok := device(s, id); ok {
			v.devices++
		}
	}
	return v
}

// words fills in the rest.
func (v *view) words(s status.State, now time.Time) {
	v.cells = cells(v.folder, s, now)
	v.what, v.much, v.part = moving(v.folder)
}

// height is how high the card is at a width.
func (v *view) height(width float32) float32 {
	inner := width - 2*edge
	h := 2*edge - 4 + headHeight
	for _, m := range v.matters {
		h += look.Apart + matterHeight(m, inner)
	}
	if v.moves {
		h += look.Apart + gaugeHigh
	}
	_, rows := grid(v.devices, inner)
	return h + look.Apart + 2 + float32(rows)*v.cellHeight() + float32(rows-1)*cellGap
}

// cellHeight is how high the cells are: with room for bars if one has one.
func (v *view) cellHeight() float32 {
	if v.bars {
		return cellHigh + barHigh
	}
	return cellHigh
}

// grid says how many columns and rows n cells take.
func grid(n int, width float32) (columns, rows int) {
	columns = max(1, int((width+cellGap)/(cellWide+cellGap)))
	return columns, (n + columns - 1) / columns
}

// matterHeight reckons how many lines a matter takes beside its button.
func matterHeight(m matter, width float32) float32 {
	room := width - 34
	if m.do != "" {
		room -= 104
	}
	return max(36, 14+textHeight(m.text, room))
}

// textHeight is how high text is when it is wrapped at words.
func textHeight(text string, width float32) float32 {
	size := theme.TextSize()
	line := fyne.MeasureText("Mg", size, fyne.TextStyle{}).Height
	return float32(look.Wrapped(text, width, size)) * (line + 1)
}

// card draws one folder.
type card struct {
	look.Box
	page *Page
	v    view

	icon    *widget.Icon
	name    *look.Text
	about   *look.Text
	badge   *look.Badge
	open    *look.Button
	gauge   *look.Gauge
	head    *fyne.Container
	matters []*matterLine
	cells   []*cellBox
}

func newCard(p *Page) *card {
	c := &card{page: p, icon: widget.NewIcon(theme.NewColoredResource(theme.FolderIcon(), theme.ColorNamePrimary)),
		name: look.SubHeading(""), about: look.Secondary("").Tail(), badge: look.NewBadge(look.Plain, ""), gauge: look.NewGauge()}
	c.open = look.NewButton(lang.L("Open"), nil, func() { p.h.Open(c.v.folder.Path) }).Low()
	more := look.MoreButton(func() []*fyne.MenuItem { return p.menu(c.v.folder) })
	sign := container.NewCenter(container.New(layout.NewGridWrapLayout(fyne.NewSquareSize(24)), c.icon))
	words := look.Column(1, c.name, c.about)
	right := look.Line(look.Near, look.Middle(c.badge), look.Space(2, 0), look.Middle(c.open), look.Middle(more))
	c.head = container.NewBorder(nil, nil, container.NewHBox(sign, look.Space(2, 0)), nil, look.Sides(words, right))
	c.Hold(c, container.New(&cardLayout{c}, look.NewGround(look.ColorCard, look.ColorEdge, 10), c.head, c.gauge))
	return c
}

// set draws a folder.
func (c *card) set(v view) {
	c.v = v
	c.name.SetText(name(v.folder.Name))
	c.about.SetText(about(v.folder))
	kind := look.KindOf(v.folder.State)
	if v.folder.State == status.Synced && v.folder.Conflicts > 0 {
		kind = look.Needs
	}
	c.badge.Set(kind, present.FolderWords(v.folder))
	if !v.moves {
		c.gauge.Hide()
	} else {
		c.gauge.Set(v.what, v.much, look.Syncing, v.part)
		c.gauge.Show()
	}
	for len(c.matters) < len(v.matters) {
		m := newMatterLine(c)
		c.matters = append(c.matters, m)
		c.Put(m)
	}
	for i, m := range c.matters {
		if i < len(v.matters) {
			m.set(v.matters[i])
			m.Show()
		} else {
			m.Hide()
		}
	}
	for len(c.cells) < len(v.cells) {
		b := newCellBox()
		c.cells = append(c.cells, b)
		c.Put(b)
	}
	for i, b := range c.cells {
		if i < len(v.cells) {
			b.set(v.cells[i])
			b.Show()
		} else {
			b.Hide()
		}
	}
	c.head.Refresh()
	c.Arrange()
}

// cardLayout stacks the parts of a card that are shown.
type cardLayout struct{ c *card }

func (l *cardLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, headHeight) }

func (l *cardLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	c, inner := l.c, size.Width-2*edge
	objects[0].Resize(size)
	y := edge - 2
	put := func(o fyne.CanvasObject, x, width, height float32) {
		o.Move(fyne.NewPos(edge+x, y))
		o.Resize(fyne.NewSize(width, height))
	}
	put(c.head, 0, inner, headHeight)
	y += headHeight
	for i, m := range c.v.matters {
		y += look.Apart
		h := matterHeight(m, inner)
		put(c.matters[i], 0, inner, h)
		y += h
	}
	if c.v.moves {
		y += look.Apart
		put(c.gauge, 0, inner, gaugeHigh)
		y += gaugeHigh
	}
	y += look.Apart + 2
	columns, _ := grid(len(c.v.cells), inner)
	high := c.v.cellHeight()
	wide := (inner - float32(columns-1)*cellGap) / float32(columns)
	for i := range c.v.cells {
		put(c.cells[i], float32(i%columns)*(wide+cellGap), wide, high)
		if i%columns == columns-1 {
			y += high + cellGap
		}
	}
}

// matterLine draws a matter: a sign, the sentence, a button.
type matterLine struct {
	look.Box
	m      matter
	ground *look.Ground
	icon   *widget.Icon
	text   *widget.Label
	button *look.Button
}

func newMatterLine(c *card) *matterLine {
	l := &matterLine{ground: look.NewGround(look.ColorNeeds, "", 7).Faintly(0x1c), icon: widget.NewIcon(nil), text: look.Paragraph("")}
	l.button = look.NewButton("", nil, func() { c.page.act(l.m.act, c.v.folder) }).Low()
	l.Hold(l, container.New(&matterLayout{l}, l.ground, l.icon, l.text, l.button))
	return l
}

func (l *matterLine) set(m matter) {
	l.m = m
	l.ground.SetFill(m.kind.Color(), 0x1c)
	l.icon.SetResource(theme.NewColoredResource(sign(m.kind), m.kind.Color()))
	l.text.SetText(m.text)
	l.button.SetText(m.do)
	if m.do == "" {
		l.button.Hide()
	} else {
		l.button.Show()
	}
	l.Arrange()
}

func sign(k look.Kind) fyne.Resource {
	switch k {
	case look.Trouble:
		return theme.ErrorIcon()
	case look.Needs:
		return theme.WarningIcon()
	case look.Paused:
		return theme.MediaPauseIcon()
	default:
		return theme.InfoIcon()
	}
}

type matterLayout struct{ l *matterLine }

func (*matterLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(160, 36) }

func (m *matterLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	l := m.l
	l.ground.Resize(size)
	l.icon.Move(fyne.NewPos(10, 9))
	l.icon.Resize(fyne.NewSquareSize(18))
	right := float32(4)
	if l.button.Visible() {
		b := l.button.MinSize()
		l.button.Resize(fyne.NewSize(b.Width, 32))
		l.button.Move(fyne.NewPos(size.Width-b.Width-4, (size.Height-32)/2))
		right += b.Width + 4
	}
	h := l.text.MinSize().Height
	l.text.Resize(fyne.NewSize(size.Width-30-right, h))
	h = l.text.MinSize().Height // wrapped by now
	l.text.Move(fyne.NewPos(30, min(0, (size.Height-h)/2)))
	if h < size.Height {
		l.text.Move(fyne.NewPos(30, (size.Height-h)/2))
	}
	l.text.Resize(fyne.NewSize(size.Width-30-right, h))
}

// cellBox draws how far one device is.
type cellBox struct {
	look.Box
	dot  *look.Dot
	name *look.Text
	word *look.Text
	bar  *look.Bar
}

func newCellBox() *cellBox {
	b := &cellBox{dot: look.NewDot(look.Plain), name: look.NewText(""), word: look.Secondary(""), bar: look.NewBar()}
	b.Hold(b, container.New(&cellLayout{b}, b.dot, b.name, b.word, b.bar))
	return b
}

func (b *cellBox) set(c cell) {
	b.dot.Set(c.kind)
	b.name.SetText(c.name)
	ink := look.ColorSecondary
	if c.kind == look.Trouble {
		ink = look.ColorTrouble
	}
	b.word.Set(c.word, ink)
	if c.part == noBar {
		b.bar.Hide()
	} else {
		b.bar.Set(c.kind, c.part)
		b.bar.Show()
	}
}

type cellLayout struct{ b *cellBox }

func (*cellLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(100, cellHigh) }

func (l *cellLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	b := l.b
	b.dot.Move(fyne.NewPos(0, 5))
	b.dot.Resize(fyne.NewSquareSize(9))
	put := func(o fyne.CanvasObject, y float32) {
		o.Move(fyne.NewPos(17, y))
		o.Resize(fyne.NewSize(size.Width-17, o.MinSize().Height))
	}
	put(b.name, 0)
	put(b.word, 19)
	put(b.bar, 40)
}
