package overview

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/status"
	"pinion/tray/guide"
	"pinion/tray/look"
	"pinion/tray/page"
)

// Page is the overview.
type Page struct {
	h       page.Host
	s       status.State
	content *fyne.Container
	rows    *look.Rows
	empty   *fyne.Container
	summary *look.Text
	pause   *look.Button
	list    []row
	now     time.Time
}

// kinds of rows.
const (
	rowCall = iota
	rowStores
	rowTitle
	rowFolder
)

// row is one row of the page; what is set depends on its kind.
type row struct {
	kind   int
	call   call
	stores []store
	title  string
	view   view
}

// New makes the page.
func New(h page.Host) *Page {
	p := &Page{h: h, summary: look.Secondary("")}
	p.rows = look.NewRows(12)
	p.rows.Height, p.rows.Make, p.rows.Draw = p.height, p.make, p.draw
	p.rows.Kind = func(i int) int { return p.list[i].kind }
	p.pause = look.NewButton(lang.L("Pause"), theme.MediaPauseIcon(), nil)
	p.pause.OnTapped = func() { p.pauseMenu() }
	add := look.NewButton(lang.L("Add folder…"), theme.ContentAddIcon(), func() { guide.AddFolder(h) }).Main()
	head := look.PageHead(lang.L("Overview"), p.summary, p.pause, add)
	p.empty = container.NewStack()
	p.empty.Hide()
	body := container.NewStack(p.rows, p.empty)
	p.content = container.NewBorder(
		container.New(layout.NewCustomPaddedLayout(18, 12, look.Margin, look.Margin), head), nil, nil, nil, body)
	return p
}

func (p *Page) Title() string              { return lang.L("Overview") }
func (p *Page) Icon() fyne.Resource        { return theme.HomeIcon() }
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Update draws a newer state.
func (p *Page) Update(s status.State) {
	p.s, p.now = s, p.h.Now()
	p.summary.SetText(summary(s))
	p.showPause(s)
	p.list = p.build(s)
	if len(s.Folders) == 0 && len(p.list) == 0 {
		if len(p.empty.Objects) == 0 {
			p.empty.Add(p.nothing())
		}
		p.empty.Show()
		p.rows.Hide()
		return
	}
	p.empty.Hide()
	p.rows.Show()
	p.rows.SetCount(len(p.list))
}

func (p *Page) build(s status.State) []row {
	rows := make([]row, 0, len(s.Folders)+4)
	for _, c := range p.calls(s) {
		rows = append(rows, row{kind: rowCall, call: c})
	}
	if len(s.Folders) == 0 && len(s.Devices) < 2 {
		return rows
	}
	rows = append(rows, row{kind: rowStores, stores: stores(s, p.now)})
	if len(s.Folders) > 0 {
		rows = append(rows, row{kind: rowTitle, title: lang.L("Folders")})
	}
	for _, f := range s.Folders {
		rows = append(rows, row{kind: rowFolder, view: outline(f, s)})
	}
	return rows
}

func (p *Page) height(i int, width float32) float32 {
	width -= 2 * look.Margin
	switch r := &p.list[i]; r.kind {
	case rowCall:
		return r.call.height(width)
	case rowStores:
		return storesHeight(len(r.stores), width)
	case rowTitle:
		return 30
	default:
		return r.view.height(width)
	}
}

// make makes a row's widget. Each stands in a container with the page's margins.
func (p *Page) make(kind int) fyne.CanvasObject {
	switch kind {
	case rowCall:
		return newCallBox(p)
	case rowStores:
		return newStoresBox()
	case rowTitle:
		b := &titleBox{text: look.SubHeading("")}
		b.Hold(b, inset(look.Middle(b.text)))
		return b
	default:
		b := &cardBox{card: newCard(p)}
		b.Hold(b, inset(b.card))
		return b
	}
}

type titleBox struct {
	look.Box
	text *look.Text
}

type cardBox struct {
	look.Box
	card *card
}

func inset(o fyne.CanvasObject) *fyne.Container { return look.Pad(o, 0, look.Margin) }

func (p *Page) draw(i int, o fyne.CanvasObject) {
	r := p.list[i]
	switch b := o.(type) {
	case *callBox:
		b.set(r.call)
	case *storesBox:
		b.set(r.stores)
	case *titleBox:
		b.text.SetText(r.title)
	case *cardBox:
		r.view.words(p.s, p.now)
		b.card.set(r.view)
	}
}

// nothing is the page before there is a folder.
func (p *Page) nothing() fyne.CanvasObject {
	actions := look.Line(8,
		look.NewButton(lang.L("Add folder…"), theme.ContentAddIcon(), func() { guide.AddFolder(p.h) }).Main(),
		look.NewButton(lang.L("Add device…"), theme.ComputerIcon(), func() { guide.AddDevice(p.h) }))
	return look.EmptyState(theme.FolderIcon(), lang.L("No folders yet"),
		lang.L("Choose a folder, and Pinion keeps it the same on all of your devices. Or connect this device with another one, and take a folder from there."), actions)
}
