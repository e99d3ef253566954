package conflicts

import (
	"path"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/merge"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
)

func lastOf(p string) string { return path.Base(p) }

func placeOf(k control.Conflict) *page.Place { return &page.Place{Folder: k.Folder, Path: k.Copy} }

// editAtMost bounds a place that can be edited here, in bytes: an editor of very
// long texts is slow.
const editAtMost = 64 << 10

// mergeView is the merge: the places where the texts differ at the left; at the
// right the two sides of one place, what is taken, and its text, to be edited.
type mergeView struct {
	d    *detail
	j    *present.Joining
	root fyne.CanvasObject

	places  *keyList
	at      int
	sides   *diffView
	take3   [3]*choice
	title   *look.Text
	entry   *keyEntry
	hint    *look.Text
	setting bool // the editor's text is being set by us
	whole   *diffView
	right   *fyne.Container
	place   fyne.CanvasObject
	toggle  *keyButton
}

func newMergeView(d *detail) *mergeView {
	m := &mergeView{d: d, j: d.p.draftOf(d.k)}
	if m.j == nil {
		var base *present.Document
		if d.read.base != nil {
			base = d.read.base.text
		}
		m.j = present.NewJoining(base, *d.read.this.text, *d.read.that.text)
	}
	m.places = newKeyList(func() int { return len(m.j.Places) }, func() fyne.CanvasObject { return newPlaceLine(m) },
		func(id widget.ListItemID, o fyne.CanvasObject) { o.(*placeLine).set(id) }, d.key)
	m.places.HideSeparators = true
	m.places.OnSelected = func(id widget.ListItemID) {
		m.places.UnselectAll()
		m.show(id)
		d.sayPlace()
	}
	m.sides = newDiffView(d.key)
	m.whole = newDiffView(d.key)
	m.title = look.Strong("")
	m.hint = look.Secondary("").Whole()
	m.entry = newKeyEntry(func() { d.p.h.Window().Canvas().Unfocus() })
	m.entry.OnChanged = m.changed
	names := []string{d.this.whose(), d.that.whose(), lang.L("both")}
	colors := []fyne.ThemeColorName{look.ColorThis, look.ColorThat, theme.ColorNamePrimary}
	row := look.Line(6)
	for i, c := range []present.Choice{present.TakeThis, present.TakeThat, present.TakeBoth} {
		m.take3[i] = newChoice([]string{"1", "2", "3"}[i], names[i], colors[i], d.key, func() { m.take(c) })
		row.Add(m.take3[i])
	}
	m.toggle = newKeyButton(lang.L("Show the whole text"), theme.VisibilityIcon(), d.key, m.toggleWhole)
	m.toggle.Importance = widget.LowImportance
	result := container.NewBorder(look.Pad(look.Sides(look.Secondary(lang.L("Result at this place, to be edited")), m.hint), 2, 2), nil, nil, nil, m.entry)
	upper := container.NewBorder(look.Pad(row, 4, 0), nil, nil, nil, m.sides)
	split := container.NewVSplit(upper, result)
	split.Offset = 0.58
	m.place = split
	m.right = container.NewStack(m.place)
	left := container.NewBorder(nil, m.toggle, nil, nil, m.places)
	m.root = container.New(&besides{left: 176}, left, look.Pad(m.right, 2, 8))
	m.show(max(0, slices.IndexFunc(m.j.Places, func(p *present.Place) bool { return p.Choice == present.Undecided })))
	return m
}

// besides gives the first a fixed width and the second the rest.
type besides struct{ left float32 }

func (b *besides) MinSize(o []fyne.CanvasObject) fyne.Size {
	return fyne.NewSize(b.left+200, max(o[0].MinSize().Height, o[1].MinSize().Height))
}

func (b *besides) Layout(o []fyne.CanvasObject, size fyne.Size) {
	place(o[0], 0, 0, b.left, size.Height)
	place(o[1], b.left, 0, size.Width-b.left, size.Height)
}

func (m *mergeView) refresh() {
	m.places.Refresh()
	m.show(m.at)
}

// show shows a place.
func (m *mergeView) show(at int) {
	if len(m.j.Places) == 0 {
		return
	}
	was := m.at
	m.at = max(0, min(at, len(m.j.Places)-1))
	m.places.RefreshItem(was)
	m.places.RefreshItem(m.at)
	m.places.ScrollTo(m.at)
	p := m.j.Places[m.at]
	m.sides.first = [2]int{p.At.From, p.AtThat.From}
	m.sides.show(p.This, p.That, present.Compare(p.This, p.That))
	m.draw()
	if !m.whole.Hidden && m.right.Objects[0] != m.place {
		m.showWhole()
	}
}

// draw shows what is chosen at the place.
func (m *mergeView) draw() {
	p := m.j.Places[m.at]
	for i, c := range []present.Choice{present.TakeThis, present.TakeThat, present.TakeBoth} {
		m.take3[i].arm(p.Choice == c)
	}
	text := p.Text()
	long := len(text) > editAtMost
	m.setting = true
	if long {
		m.entry.SetText("")
		m.entry.SetPlaceHolder(lang.L("This place is too long to be edited here."))
		m.entry.Disable()
	} else {
		m.entry.Enable()
		m.entry.SetPlaceHolder(lang.L("Choose above, or write here what is to stand."))
		if p.Choice != present.Undecided {
			m.entry.SetPlaceHolder(lang.L("Nothing: these lines are left out."))
		}
		if m.entry.Text != text {
			m.entry.SetText(text)
		}
	}
	m.setting = false
	m.hint.SetText(m.said(p))
	m.right.Refresh()
}

func (m *mergeView) said(p *present.Place) string {
	switch p.Choice {
	case present.TakeThis:
		return lang.L("as {{.Whose}}", data{"Whose": m.d.this.whose()})
	case present.TakeThat:
		return lang.L("as {{.Whose}}", data{"Whose": m.d.that.whose()})
	case present.TakeBoth:
		return lang.L("both, one after the other")
	case present.TakeEdited:
		return lang.L("edited by you")
	}
	return lang.L("not decided yet")
}

// take chooses at the place that is shown, and goes on to the next that is not
// decided.
func (m *mergeView) take(c present.Choice) {
	if len(m.j.Places) == 0 {
		return
	}
	m.j.Places[m.at].Choice = c
	m.keep()
	for i := range m.j.Places {
		if k := (m.at + i) % len(m.j.Places); m.j.Places[k].Choice == present.Undecided {
			m.show(k)
			m.d.sayPlace()
			return
		}
	}
	m.show(m.at)
}

// changed is a person's word in the editor.
func (m *mergeView) changed(text string) {
	if m.setting || len(m.j.Places) == 0 || len(text) > editAtMost*2 {
		return
	}
	m.j.Places[m.at].Edit(text)
	m.keep()
	for _, t := range m.take3 {
		t.arm(false)
	}
	m.hint.SetText(m.said(m.j.Places[m.at]))
}

// keep remembers the merge, so that going elsewhere does not lose it.
func (m *mergeView) keep() {
	m.d.p.keepDraft(m.d.k, m.j)
	m.places.RefreshItem(m.at)
	m.d.disarm()
	m.d.labels()
}

func (m *mergeView) edit() {
	if !m.entry.Disabled() {
		m.d.p.h.Window().Canvas().Focus(m.entry)
	}
}

func (m *mergeView) move(step int) { m.show(m.at + step) }

// toggleWhole shows the whole result, beside what holds the name now.
func (m *mergeView) toggleWhole() {
	if m.right.Objects[0] != m.place {
		m.right.Objects = []fyne.CanvasObject{m.place}
		m.toggle.SetText(lang.L("Show the whole text"))
	} else {
		m.toggle.SetText(lang.L("Back to the places"))
		m.showWhole()
	}
	m.right.Refresh()
}

func (m *mergeView) showWhole() {
	lines, from := m.j.Preview()
	rows := make([]present.Row, len(lines))
	for i := range rows {
		kind := map[present.Choice]present.RowKind{
			present.TakeThis: present.RowOnlyThis, present.TakeThat: present.RowOnlyThat, present.TakeEdited: present.RowChanged,
		}[from[i]]
		rows[i] = present.Row{Kind: kind, This: i, That: -1}
	}
	m.whole.single = true
	m.whole.show(lines, nil, rows)
	m.right.Objects = []fyne.CanvasObject{m.whole}
}

// placeLine is a place in the list of them.
type placeLine struct {
	widget.BaseWidget
	of     *mergeView
	ground *look.Ground
	dot    *look.Ground
	where  *look.Text
	what   *look.Text
	root   *fyne.Container
}

func newPlaceLine(of *mergeView) *placeLine {
	l := &placeLine{of: of, ground: look.NewGround(theme.ColorNameSelection, "", 6), dot: look.NewGround(look.ColorNeeds, "", 2), where: look.NewText(""), what: look.Secondary("")}
	words := look.Column(1, l.where, l.what)
	l.root = container.NewStack(l.ground, look.Pad(container.New(&besides{left: 12}, look.Pad(container.NewBorder(nil, nil, container.New(layout.NewGridWrapLayout(fyne.NewSize(4, 30)), l.dot), nil), 3, 0), words), 5, 8))
	l.ExtendBaseWidget(l)
	return l
}

func (l *placeLine) set(id int) {
	m := l.of
	if id >= len(m.j.Places) {
		return
	}
	p := m.j.Places[id]
	l.where.SetText(linesAt(p))
	color := map[present.Choice]fyne.ThemeColorName{
		present.Undecided: look.ColorNeeds, present.TakeThis: look.ColorThis, present.TakeThat: look.ColorThat,
	}[p.Choice]
	if color == "" {
		color = theme.ColorNamePrimary
	}
	l.dot.SetFill(color, 0xff)
	switch {
	case p.Kind == merge.ByThis:
		l.what.SetText(lang.L("only {{.Device}} changed it", data{"Device": m.d.this.device}))
	case p.Kind == merge.ByThat:
		l.what.SetText(lang.L("only {{.Device}} changed it", data{"Device": m.d.that.device}))
	case p.Choice != present.Undecided:
		l.what.SetText(m.said(p))
	case m.j.Known:
		l.what.SetText(lang.L("both changed it"))
	default:
		l.what.SetText(lang.L("it differs"))
	}
	l.ground.SetFill(theme.ColorNamePrimary, map[bool]uint8{true: 0x24, false: 0}[m.at == id])
	l.root.Refresh()
}

func linesAt(p *present.Place) string {
	from, to := p.At.From+1, p.At.To
	n := data{"From": present.Number(int64(from)), "To": present.Number(int64(to))}
	switch {
	case to < from:
		return lang.L("Before line {{.From}}", n)
	case to == from:
		return lang.L("Line {{.From}}", n)
	}
	return lang.L("Lines {{.From}}–{{.To}}", n)
}

// CreateRenderer belongs to Fyne.
func (l *placeLine) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.root) }
