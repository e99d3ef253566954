package conflicts

import (
	"path"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

func join(root, p string) string { return filepath.Join(root, filepath.FromSlash(p)) }

// listRow is a row of the list: a folder's head, or a conflict.
type listRow struct {
	folder string
	item   int // of Page.items; -1: the head
}

// listView is the list of conflicts, folder by folder.
type listView struct {
	p     *Page
	root  *fyne.Container
	list  *keyList
	said  *look.Text
	empty fyne.CanvasObject
	error *widget.Label
	rows  []listRow
	at    int // of rows: the one that the keys are at; -1: none
}

func newListView(p *Page) *listView {
	v := &listView{p: p, at: -1, said: look.Secondary(""), error: look.Quiet("")}
	v.list = newKeyList(func() int { return len(v.rows) }, func() fyne.CanvasObject { return newListLine(v) },
		func(id widget.ListItemID, o fyne.CanvasObject) { o.(*listLine).set(id) }, p.Key)
	v.list.HideSeparators = true
	v.list.OnSelected = func(id widget.ListItemID) {
		v.list.UnselectAll()
		v.openRow(id)
	}
	v.empty = look.EmptyState(theme.ConfirmIcon(), lang.L("No conflicts"),
		lang.L("When a file is changed on two devices before they hear of each other, both versions are kept everywhere, and here you choose."), nil)
	head := look.PageHead(p.Title(), v.said)
	v.error.Hide()
	top := look.Column(look.Apart, head, v.error)
	v.root = look.Pad(container.NewBorder(look.Column(look.Apart, top, layout.NewSpacer()), nil, nil, nil, container.NewStack(v.list, v.empty)), 18, look.Margin)
	v.refresh()
	return v
}

// refresh draws what the page knows.
func (v *listView) refresh() {
	v.error.Hide()
	v.rows = v.rows[:0]
	folder := ""
	for i, k := range v.p.items {
		if k.Folder != folder || i == 0 {
			folder = k.Folder
			v.rows = append(v.rows, listRow{folder, -1})
		}
		v.rows = append(v.rows, listRow{folder, i})
	}
	n := v.p.total()
	switch {
	case !v.p.loaded:
		v.said.SetText(lang.L("Looking for conflicts…"))
	case n == 0:
		v.said.SetText(lang.L("Nothing waits for you here."))
	default:
		v.said.SetText(some(int(n), lang.L("A file was changed on two devices. Both versions are kept until you choose."), "{{.N}} files were changed on two devices. Both versions are kept until you choose."))
	}
	v.list.Hidden = len(v.rows) == 0
	hide(v.empty, !v.p.loaded || len(v.rows) > 0)
	for i, r := range v.rows {
		v.list.SetItemHeight(i, heightOf(r))
	}
	v.list.Refresh()
}

func hide(o fyne.CanvasObject, hidden bool) {
	if hidden {
		o.Hide()
	} else {
		o.Show()
	}
}

func heightOf(r listRow) float32 {
	if r.item < 0 {
		return 46
	}
	return 62
}

func (v *listView) fail(err error) {
	v.error.SetText(lang.L("The conflicts can't be listed: {{.Error}}", data{"Error": present.Clean(err.Error(), 0)}))
	v.error.Show()
}

func (v *listView) openRow(id int) {
	if id >= 0 && id < len(v.rows) && v.rows[id].item >= 0 {
		v.at = id
		v.p.show(v.p.items[v.rows[id].item])
	}
}

// key moves along the list.
func (v *listView) key(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyDown, fyne.KeyJ:
		v.move(1)
	case fyne.KeyUp, fyne.KeyK:
		v.move(-1)
	case fyne.KeyPageDown:
		v.move(8)
	case fyne.KeyPageUp:
		v.move(-8)
	case fyne.KeyHome:
		v.move(-len(v.rows))
	case fyne.KeyEnd:
		v.move(len(v.rows))
	case fyne.KeyReturn, fyne.KeyEnter:
		v.openRow(v.at)
	}
}

func (v *listView) move(by int) {
	if len(v.rows) == 0 {
		return
	}
	at := max(0, min(len(v.rows)-1, v.at+by))
	if v.rows[at].item < 0 { // a head: on, or back to the first
		at++
		if by < 0 && at > 1 {
			at -= 2
		}
	}
	was := v.at
	v.at = max(1, min(at, len(v.rows)-1))
	v.list.RefreshItem(was)
	v.list.RefreshItem(v.at)
	v.list.ScrollTo(v.at)
}

// listLine is one row.
type listLine struct {
	widget.BaseWidget
	of   *listView
	id   int
	root *fyne.Container

	head   *fyne.Container
	folder *look.Text
	count  *look.Text
	all    *keyButton

	item       *fyne.Container
	ground     *look.Ground
	name, dir  *look.Text
	this, that *look.Text
	what       *look.Text
	band       [2]*look.Ground
}

func newListLine(of *listView) *listLine {
	l := &listLine{of: of, id: -1}
	l.folder, l.count = look.Strong(""), look.Secondary("")
	l.all = newKeyButton("", nil, of.p.Key, func() {
		if l.id >= 0 && l.id < len(of.rows) {
			newBulk(of.p, of.rows[l.id].folder).show()
		}
	})
	l.all.Importance = widget.LowImportance
	l.head = look.Pad(container.NewBorder(nil, nil, look.Line(8, look.Middle(widget.NewIcon(theme.FolderIcon()))), look.Middle(l.all),
		look.Middle(container.New(&tight2{}, l.folder, l.count))), 0, 2)

	l.name, l.dir = look.Strong(""), look.Secondary("").Tail()
	l.this, l.that, l.what = look.NewText("").Sized(look.SizeSmall), look.NewText("").Sized(look.SizeSmall), look.Secondary("").Align(fyne.TextAlignTrailing)
	l.band = [2]*look.Ground{look.NewGround(look.ColorThis, "", 2), look.NewGround(look.ColorThat, "", 2)}
	one := func(i int, t *look.Text) fyne.CanvasObject {
		dot := container.New(layout.NewGridWrapLayout(fyne.NewSize(4, 15)), l.band[i])
		return container.NewBorder(nil, nil, look.Pad(container.NewCenter(dot), 0, 4), nil, look.Middle(t))
	}
	where := look.Column(2, l.name, l.dir)
	who := look.Column(1, one(0, l.this), one(1, l.that))
	cells := look.Shares(look.Clear, []float32{42, 38, 20}, where, who, look.Column(1, l.what))
	l.ground = look.NewGround(look.ColorCard, look.ColorEdge, 8)
	l.item = container.New(layout.NewCustomPaddedLayout(0, 4, 0, 12), container.NewStack(l.ground, look.Pad(look.Middle(cells), 4, 14)))
	l.root = container.NewStack(l.head, l.item)
	l.ExtendBaseWidget(l)
	return l
}

// tight2 puts a second text after a first one.
type tight2 struct{}

func (tight2) MinSize(o []fyne.CanvasObject) fyne.Size { return o[0].MinSize() }
func (tight2) Layout(o []fyne.CanvasObject, size fyne.Size) {
	th := fyne.CurrentApp().Settings().Theme()
	w := min(size.Width, fyne.MeasureText(o[0].(*look.Text).Text(), th.Size(theme.SizeNameText), fyne.TextStyle{Bold: true}).Width+2)
	place(o[0], 0, 0, w, size.Height)
	h := o[1].MinSize().Height
	place(o[1], w+8, (size.Height-h)/2+1, max(0, size.Width-w-8), h)
}

func (l *listLine) set(id int) {
	l.id = id
	p := l.of.p
	if id >= len(l.of.rows) || l.of.rows[id].item >= len(p.items) {
		return
	}
	r := l.of.rows[id]
	l.head.Hidden, l.item.Hidden = r.item >= 0, r.item < 0
	if r.item < 0 {
		n := p.countOf(r.folder)
		l.folder.SetText(present.CleanName(r.folder, 60))
		l.count.SetText(some(int(n), lang.L("1 conflict"), "{{.N}} conflicts"))
		l.all.SetText(lang.L("Settle all {{.N}}…", data{"N": present.Number(n)}))
		hide(l.all, n < 2)
		l.head.Refresh()
		return
	}
	if r.item >= len(p.items)-10 {
		p.more()
	}
	k := p.items[r.item]
	this, that := p.sides(k)
	l.name.SetText(present.CleanName(path.Base(k.Path), 80))
	dir := path.Dir(k.Path)
	if dir == "." {
		dir = ""
	}
	l.dir.SetText(present.CleanName(dir, 200))
	hide(l.dir, dir == "")
	l.this.SetText(line(this, k))
	l.that.SetText(line(that, k))
	l.what.SetText(differ(k))
	fill, alpha := look.ColorCard, uint8(0xff)
	if l.of.at == id {
		fill, alpha = theme.ColorNamePrimary, 0x24
	}
	l.ground.SetFill(fill, alpha)
	l.item.Refresh()
}

// line is a side in one line: "laptop, yesterday 14:03".
func line(s side, k control.Conflict) string {
	switch {
	case s.deleted:
		return lang.L("{{.Device}} deleted it {{.Time}}", data{"Device": s.device, "Time": s.time})
	case s.gone:
		return s.facts()
	case k.Kind == control.EditDelete:
		return lang.L("{{.Device}} changed it {{.Time}}", data{"Device": s.device, "Time": s.time})
	}
	return lang.L("{{.Device}}, {{.Time}}", data{"Device": s.device, "Time": s.time})
}

// CreateRenderer belongs to Fyne.
func (l *listLine) CreateRenderer() fyne.WidgetRenderer { return widget.NewSimpleRenderer(l.root) }
