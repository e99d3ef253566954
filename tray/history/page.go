package history

import (
	"context"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
)

// Page is the history.
type Page struct {
	h       page.Host
	s       status.State
	list    listing
	content *fyne.Container

	folders  *widget.Select
	way      *way
	filter   *look.Filter
	when     *bar
	deleted  *widget.Check
	names    *widget.List
	empty    emptiness
	notes    *look.Caption
	back     *look.Button // restores the directory
	restorer *restorer
	side     *side
	split    *fyne.Container
	row      int         // that is chosen; -1: none
	want     string      // the path that is to be chosen once it is listed
	seen     seen        // of the folder, when it was last looked at
	searchT  *time.Timer // a search begins when the typing rests
}

var (
	_ page.Filtered = (*Page)(nil)
	_ page.Receiver = (*Page)(nil)
	_ page.Keyed    = (*Page)(nil)
)

// prefFolder is the preference of the folder that was looked at last.
const prefFolder = "history.folder"

// New makes the page.
func New(h page.Host) *Page {
	p := &Page{h: h, row: -1, empty: emptiness{Container: container.NewStack()}, notes: look.NewCaption("")}
	p.restorer = &restorer{h: h, done: container.NewStack(), redraw: func() { p.content.Refresh() }, reload: p.reload}
	p.way = newWay(p.enter)
	p.list.engine = h.Engine
	p.list.ask = func(f func(context.Context) error, done func()) { h.Ask(lang.L("Look into the folder"), f, done) }
	p.list.drawn = p.draw
	p.list.view.deleted = true
	p.folders = widget.NewSelect(nil, nil)
	p.filter = look.NewFilter(lang.L("Search in here"), p.typed)
	p.when = newBar(p)
	p.deleted = widget.NewCheck(lang.L("Show deleted files"), nil)
	p.deleted.Checked = true
	p.deleted.OnChanged = func(on bool) { p.show(func(v *view) { v.deleted = on }) }
	p.names = widget.NewList(func() int { return len(p.list.entries) }, func() fyne.CanvasObject { return newRow() }, p.drawRow)
	p.names.HideSeparators = true
	p.names.OnSelected = p.selected
	p.back = look.NewButton("", theme.ContentUndoIcon(), func() { p.restorer.dir(p.list.view) })
	p.side = newSide(p)
	p.side.content.Hide()
	p.content = p.compose()
	p.draw() // nothing, so far
	return p
}

func (p *Page) compose() *fyne.Container {
	folders := look.Wide(170, look.Edged(p.folders))
	head := look.PageHead(lang.L("History"), p.when.shown, folders)
	top := look.Column(look.Apart, head, p.when.content)
	crumbs := container.New(layout.NewCustomPaddedLayout(0, 0, -8, 0), p.way.scroll)
	above := container.New(layout.NewCustomPaddedLayout(0, 0, look.Apart, 0), look.Sides(crumbs, look.Wide(190, p.filter)))
	foot := container.New(layout.NewCustomPaddedLayout(4, 0, look.Apart, 0), look.Column(2, p.notes, look.Sides(p.deleted, p.back)))
	names := container.NewBorder(above, foot, nil, nil, look.Pad(container.NewStack(p.names, p.empty.Container), 4, 0))
	p.split = container.New(&splitLayout{}, names, p.side.content)
	p.empty.rest = []fyne.CanvasObject{folders, p.when.content, p.when.shown, above, foot}
	return container.NewBorder(
		container.NewVBox(container.New(layout.NewCustomPaddedLayout(18, 6, look.Margin, look.Margin), top), p.restorer.done), nil, nil, nil,
		container.New(layout.NewCustomPaddedLayout(2, 10, look.Margin-look.Apart, look.Margin), p.split))
}

func (p *Page) Title() string              { return lang.L("History") }
func (p *Page) Icon() fyne.Resource        { return theme.HistoryIcon() }
func (p *Page) Content() fyne.CanvasObject { return p.content }
func (p *Page) Filter() fyne.Focusable     { return p.filter }

// Key goes up with Backspace, and closes the versions with Esc.
func (p *Page) Key(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeyBackspace:
		if p.list.view.dir != "" && p.filter.Text == "" {
			p.enter(parent(p.list.view.dir))
		}
	case fyne.KeyEscape:
		p.closeSide()
	}
}

// seen is what tells that a folder has changed.
type seen struct {
	files, bytes, kept int64
	state              string
}

// Update takes over the folders, and looks again when the one that is shown has
// changed.
func (p *Page) Update(s status.State) {
	p.s = s
	names := make([]string, len(s.Folders))
	for i, f := range s.Folders {
		names[i] = clean(f.Name)
	}
	if !slices.Equal(names, p.folders.Options) || p.folders.OnChanged == nil {
		p.folders.OnChanged = nil
		p.folders.SetOptions(names)
		p.folders.OnChanged = func(string) { p.choose(p.folders.SelectedIndex()) }
	}
	i := slices.IndexFunc(s.Folders, func(f status.Folder) bool { return f.Name == p.list.view.folder })
	if i < 0 {
		i = max(0, slices.IndexFunc(s.Folders, func(f status.Folder) bool { return f.Name == p.h.Prefs().String(prefFolder) }))
		if len(s.Folders) == 0 {
			p.open(view{deleted: p.deleted.Checked})
			return
		}
		p.folders.SetSelectedIndex(i)
		return
	}
	f := s.Folders[i]
	now := seen{f.Files, f.Bytes, f.Archive.Files, f.State}
	if p.seen != (seen{}) && p.seen != now && p.list.view.at == nil && f.State != status.Syncing {
		p.reload()
	}
	p.seen = now
}

// choose shows a folder.
func (p *Page) choose(i int) {
	if i < 0 || i >= len(p.s.Folders) || p.s.Folders[i].Name == p.list.view.folder {
		return
	}
	name := p.s.Folders[i].Name
	p.h.Prefs().SetString(prefFolder, name)
	v := p.list.view
	v.folder, v.dir, v.text = name, "", ""
	p.open(v)
}

// Receive shows a place.
func (p *Page) Receive(arg any) {
	place, ok := arg.(page.Place)
	if !ok || place.Folder == "" {
		return
	}
	at := strings.Trim(place.Path, "/")
	v := view{folder: place.Folder, dir: parent(at), deleted: true}
	p.want = at
	p.deleted.Checked = true
	p.deleted.Refresh()
	p.when.now()
	if i := slices.IndexFunc(p.s.Folders, func(f status.Folder) bool { return f.Name == place.Folder }); i >= 0 {
		then := p.folders.OnChanged
		p.folders.OnChanged = nil
		p.folders.SetSelectedIndex(i)
		p.folders.OnChanged = then
	}
	p.open(v)
}

func parent(dir string) string {
	if d := path.Dir(dir); d != "." && d != "/" {
		return d
	}
	return ""
}

// show changes what is looked at.
func (p *Page) show(change func(*view)) {
	v := p.list.view
	change(&v)
	if !v.same(p.list.view) {
		p.open(v)
	}
}

func (p *Page) open(v view) {
	other := v.folder != p.list.view.folder
	if v.dir != p.list.view.dir || other {
		p.quietly("")
		v.text = ""
	}
	p.closeSide()
	p.seen = seen{}
	p.list.show(v)
	p.names.ScrollToTop()
	p.way.draw(v)
	p.when.draw(v.at)
	if other {
		p.when.count(v.folder)
	}
}

// reload looks again at what is shown.
func (p *Page) reload() {
	p.list.again()
	p.when.count(p.list.view.folder)
	if p.side.content.Visible() {
		p.side.show(p.side.folder, p.side.path, p.side.at)
	}
}

func (p *Page) enter(dir string) { p.show(func(v *view) { v.dir = dir }) }

// at shows another moment.
func (p *Page) at(t *time.Time) { p.show(func(v *view) { v.at = t }) }

// typed searches once the typing rests.
func (p *Page) typed(text string) {
	if p.searchT != nil {
		p.searchT.Stop()
	}
	text = strings.TrimSpace(text)
	if text == "" {
		p.show(func(v *view) { v.text = "" })
		return
	}
	p.searchT = time.AfterFunc(searchRest, func() {
		fyne.Do(func() {
			if strings.TrimSpace(p.filter.Text) == text {
				p.show(func(v *view) { v.text = text })
			}
		})
	})
}

const searchRest = 300 * time.Millisecond

// quietly sets the search without beginning one.
func (p *Page) quietly(text string) {
	then := p.filter.OnChanged
	p.filter.OnChanged = nil
	p.filter.SetText(text)
	p.filter.OnChanged = then
}

// selected opens a directory, or shows the versions of a file.
func (p *Page) selected(i widget.ListItemID) {
	if i < 0 || i >= len(p.list.entries) {
		return
	}
	e := p.list.entries[i]
	if p.row = i; p.side.content.Visible() && e.Path == p.side.path {
		return // its row has moved
	}
	if e.Kind == kindDir {
		p.names.UnselectAll()
		p.enter(e.Path)
		return
	}
	p.look(e.Path)
}

// look shows the versions of a file.
func (p *Page) look(file string) {
	v := p.list.view
	p.side.content.Show()
	at := v.at
	p.side.show(v.folder, file, at)
	p.split.Refresh()
}

func (p *Page) closeSide() {
	if p.side.content.Visible() {
		p.side.life++
		p.side.content.Hide()
		p.split.Refresh()
	}
	p.row = -1
	p.names.UnselectAll()
}

// onDisk is where a path of a folder is on this device.
func (p *Page) onDisk(folder, file string) string {
	for _, f := range p.s.Folders {
		if f.Name == folder {
			return filepath.Join(f.Path, filepath.FromSlash(file))
		}
	}
	return ""
}

func (p *Page) drawRow(i widget.ListItemID, o fyne.CanvasObject) {
	if i >= len(p.list.entries) {
		return
	}
	v := p.list.view
	o.(*row).set(p.list.entries[i], v.at != nil, v.text != "", p.h.Now())
	if i >= len(p.list.entries)-30 {
		p.list.more()
	}
}

// draw shows what the listing holds.
func (p *Page) draw() {
	v := p.list.view
	p.names.Refresh()
	p.drawEmpty(v)
	text := noteOf(p.list.notes)
	if p.list.full() {
		text = join(lang.L("There are more names. Search to find the one that you look for."), text)
	}
	p.notes.Say(text)
	label := lang.L("Bring back deleted files…")
	if v.at != nil {
		label = lang.L("Restore this folder…")
	}
	p.back.SetText(label)
	enable(p.back, v.folder != "" && p.list.known)
	p.follow()
	p.findWanted()
	if p.content != nil {
		p.content.Refresh()
	}
}

// follow marks the row of the file whose versions are shown, wherever it is now.
func (p *Page) follow() {
	if !p.side.content.Visible() {
		return
	}
	i := slices.IndexFunc(p.list.entries, func(e control.Browsed) bool { return e.Path == p.side.path })
	switch {
	case i >= 0 && i != p.row:
		p.names.Select(i)
	case i < 0 && p.row >= 0:
		p.row = -1
		p.names.UnselectAll()
	}
}

// findWanted chooses what a person was sent to, once it is listed.
func (p *Page) findWanted() {
	if p.want == "" {
		return
	}
	for i, e := range p.list.entries {
		if e.Path != p.want {
			continue
		}
		p.want = ""
		if e.Kind == kindDir {
			p.enter(e.Path)
			return
		}
		p.names.Select(i)
		p.names.ScrollTo(i)
		return
	}
	if p.list.whole { // it may be on a later page
		file := p.want
		p.want = ""
		p.look(file)
	}
}

func (p *Page) drawEmpty(v view) {
	p.empty.RemoveAll()
	p.empty.hide(v.folder == "")
	switch {
	case v.folder == "":
		p.empty.Add(look.EmptyState(theme.HistoryIcon(), lang.L("Nothing to look back on yet"),
			lang.L("Once a folder is kept the same on your devices, every version that was replaced or deleted can be found here."),
			look.NewButton(lang.L("Add a folder…"), nil, func() { p.h.Go(page.Overview, nil) })))
	case p.list.failed != nil:
		p.empty.Add(look.EmptyState(theme.ErrorIcon(), lang.L("The folder can't be looked into"), present.Clean(p.list.failed.Error(), 300),
			look.NewButton(lang.L("Try again"), nil, func() { p.list.show(v) })))
	case len(p.list.entries) > 0:
	case !p.list.known || !p.list.whole || p.list.next != "":
		p.empty.Add(look.EmptyState(theme.SearchIcon(), lang.L("Looking…"), "", nil))
	case v.text != "":
		p.empty.Add(look.EmptyState(theme.SearchIcon(), lang.L("Nothing of that name"), lang.L("Neither what stands here nor what is kept has this in its name."), nil))
	case v.at != nil:
		p.empty.Add(look.EmptyState(theme.FolderIcon(), lang.L("Nothing stood here then"), lang.L("Try a later moment, or one of the days above on which something was changed."), nil))
	default:
		p.empty.Add(look.EmptyState(theme.FolderIcon(), lang.L("Nothing here"), lang.L("This folder is empty, and nothing that was deleted in it is kept."), nil))
	}
}

// noteOf joins notes to a few lines.
func noteOf(notes []string) string {
	const some = 3
	var out []string
	for _, n := range notes[:min(len(notes), some)] {
		out = append(out, present.Clean(n, 160)+".")
	}
	if n := len(notes) - some; n > 0 {
		out = append(out, lang.L("And {{.N}} more.", data{"N": n}))
	}
	return strings.Join(out, " ")
}

// emptiness is what is said in place of a list. Without a folder all the rest is
// of no use.
type emptiness struct {
	*fyne.Container
	rest []fyne.CanvasObject
}

func (e emptiness) hide(on bool) {
	for _, o := range e.rest {
		if on {
			o.Hide()
		} else {
			o.Show()
		}
	}
}

// splitLayout has the versions beside the list, or where there is no room for
// both, over it.
type splitLayout struct{}

const (
	sideWide  = 296
	splitFrom = 620
)

func (splitLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(280, 120) }

func (splitLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	names, side := o[0], o[1]
	names.Show()
	switch {
	case !side.Visible():
		names.Resize(size)
	case size.Width < splitFrom:
		names.Hide()
		side.Move(fyne.NewPos(look.Apart, 0))
		side.Resize(fyne.NewSize(size.Width-look.Apart, size.Height))
	default:
		names.Resize(fyne.NewSize(size.Width-sideWide-look.Apart, size.Height))
		side.Move(fyne.NewPos(size.Width-sideWide, 0))
		side.Resize(fyne.NewSize(sideWide, size.Height))
	}
}
