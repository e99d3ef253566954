package activity

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

// Page is the activity.
type Page struct {
	h       page.Host
	s       status.State
	content *fyne.Container
	feed    feed
	rows    *look.Rows
	empty   *fyne.Container
	filter  *look.Filter
	folders *choice
	devices *choice
	actions *choice
	list    []row
	now     time.Time
}

var (
	_ page.Filtered = (*Page)(nil)
	_ page.Receiver = (*Page)(nil)
)

const (
	rowDay = iota
	rowChange
	rowEnd
)

type row struct {
	kind int
	text string
	a    control.Activity
}

const (
	dayHigh    float32 = 34
	changeHigh float32 = 48
)

// New makes the page.
func New(h page.Host) *Page {
	p := &Page{h: h, now: h.Now()}
	p.feed.engine = h.Engine
	p.feed.ask = func(f func(context.Context) error, done func()) { h.Ask(lang.L("Read the activity"), f, done) }
	p.feed.drawn = p.redraw
	p.rows = look.NewRows(0)
	p.rows.Kind = func(i int) int { return p.list[i].kind }
	p.rows.Height = func(i int, _ float32) float32 {
		if p.list[i].kind == rowChange {
			return changeHigh
		}
		return dayHigh
	}
	p.rows.Make, p.rows.Draw = p.make, p.draw
	p.filter = look.NewFilter(lang.L("Filter by name"), func(string) { p.narrow() })
	p.folders = newChoice(lang.L("All folders"), p.narrow)
	p.devices = newChoice(lang.L("All devices"), p.narrow)
	p.actions = newChoice(lang.L("All changes"), p.narrow)
	p.actions.offer(actionWords(), actionNames())
	p.empty = container.NewStack()
	bar := look.Shares(8, []float32{1.5, 1, 1, 1}, p.filter, p.folders.widget, p.devices.widget, p.actions.widget)
	head := look.Column(look.Apart, look.PageHead(lang.L("Activity"), look.Secondary(lang.L("What was changed, where and by which device"))), bar)
	p.content = container.NewBorder(
		container.New(layout.NewCustomPaddedLayout(18, 6, look.Margin, look.Margin), head), nil, nil, nil, container.NewStack(p.rows, p.empty))
	return p
}

func (p *Page) Title() string              { return lang.L("Activity") }
func (p *Page) Icon() fyne.Resource        { return theme.ListIcon() }
func (p *Page) Content() fyne.CanvasObject { return p.content }
func (p *Page) Filter() fyne.Focusable     { return p.filter }

// Update takes over the names to choose from and looks for newer changes.
func (p *Page) Update(s status.State) {
	p.s, p.now = s, p.h.Now()
	var names, devices []string
	for _, f := range s.Folders {
		names = append(names, f.Name)
	}
	for _, d := range s.Devices {
		devices = append(devices, d.Name)
	}
	if !slices.Contains(devices, s.Device.Name) {
		devices = append([]string{s.Device.Name}, devices...)
	}
	p.folders.offer(clean(names), names)
	p.devices.offer(clean(devices), devices)
	p.feed.newer()
}

// Receive narrows the list to a folder.
func (p *Page) Receive(arg any) {
	if place, ok := arg.(page.Place); ok {
		p.filter.SetText(place.Path)
		p.folders.choose(place.Folder)
	}
}

func clean(names []string) []string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = present.CleanName(n, 40)
	}
	return out
}

func (p *Page) narrow() {
	p.rows.Top()
	p.feed.narrow(control.ActivityRequest{
		Text: strings.TrimSpace(p.filter.Text), Folder: p.folders.chosen(), Device: p.devices.chosen(), Action: p.actions.chosen(),
	})
}

// redraw makes the rows of the feed: a line for each day, and its changes.
func (p *Page) redraw() {
	f := &p.feed
	p.list = p.list[:0]
	last := ""
	for _, a := range f.items {
		if d := day(a.Time, p.now); d != last {
			p.list = append(p.list, row{kind: rowDay, text: d})
			last = d
		}
		p.list = append(p.list, row{kind: rowChange, a: a})
	}
	if len(f.items) >= most && f.before != 0 {
		p.list = append(p.list, row{kind: rowEnd, text: lang.L("There is more. Narrow the list to see what is older.")})
	}
	p.empty.RemoveAll()
	switch {
	case len(p.list) > 0:
	case f.failed != nil:
		p.empty.Add(look.EmptyState(theme.ErrorIcon(), lang.L("The activity can't be read"), present.Clean(f.failed.Error(), 300), look.NewButton(lang.L("Try again"), nil, f.newer)))
	case f.known && f.filter == (control.ActivityRequest{}):
		p.empty.Add(look.EmptyState(theme.ListIcon(), lang.L("Nothing has changed yet"), lang.L("Each file that is added, changed or deleted in your folders is listed here, with the device that did it."), nil))
	case f.known:
		clear := look.NewButton(lang.L("Show everything"), nil, p.clear)
		p.empty.Add(look.EmptyState(theme.SearchIcon(), lang.L("No change like that"), lang.L("Nothing that was changed lately fits what you have chosen above."), clear))
	}
	p.rows.SetCount(len(p.list))
}

func (p *Page) clear() {
	p.filter.SetText("")
	p.folders.choose("")
	p.devices.choose("")
	p.actions.choose("")
}

// day is "Today", "Yesterday", "Thu 19 Nov".
func day(t, now time.Time) string {
	t = t.In(now.Location())
	y, m, d := now.Date()
	midnight := time.Date(y, m, d, 0, 0, 0, 0, now.Location())
	switch {
	case !t.Before(midnight) && t.Before(midnight.AddDate(0, 0, 1)):
		return lang.L("Today")
	case !t.Before(midnight.AddDate(0, 0, -1)) && t.Before(midnight):
		return lang.L("Yesterday")
	}
	return strings.TrimSpace(strings.Replace(present.At(t, now), t.Format("15:04"), "", 1))
}

func (p *Page) make(kind int) fyne.CanvasObject {
	if kind == rowChange {
		return newChangeRow(p)
	}
	b := &dayRow{text: look.Strong("").Colored(look.ColorSecondary)}
	b.Hold(b, container.New(layout.NewCustomPaddedLayout(12, 2, look.Margin, look.Margin), b.text))
	return b
}

type dayRow struct {
	look.Box
	text *look.Text
}

func (p *Page) draw(i int, o fyne.CanvasObject) {
	switch b := o.(type) {
	case *dayRow:
		b.text.SetText(p.list[i].text)
	case *changeRow:
		b.set(p.list[i].a)
	}
	if i >= len(p.list)-20 {
		p.feed.older()
	}
}

// changeRow draws one change.
type changeRow struct {
	look.Box
	p   *Page
	a   control.Activity
	row *look.Row
}

func newChangeRow(p *Page) *changeRow {
	c := &changeRow{p: p}
	reveal := look.NewButton("", theme.NewColoredResource(theme.FolderOpenIcon(), look.ColorSecondary), func() { p.reveal(c.a) }).Low()
	more := look.MoreButton(func() []*fyne.MenuItem { return p.menu(c.a) })
	c.row = look.NewRow(look.Middle(reveal), look.Middle(more))
	c.Hold(c, look.Pad(c.row, 0, look.Margin-4))
	return c
}

func (c *changeRow) set(a control.Activity) {
	c.a = a
	icon, color, words := action(a.Action)
	where := present.CleanName(path.Join(a.Folder, path.Dir(a.Path)), 120)
	c.row.Set(look.RowText{
		Icon: icon, Color: color, Title: present.CleanName(path.Base(a.Path), 160), Sub: words + "  ·  " + where,
		Trail: a.Time.In(c.p.now.Location()).Format("15:04"), End: present.CleanName(a.Device, 30),
	})
}

// action is how a kind of change is shown.
func action(name string) (fyne.Resource, fyne.ThemeColorName, string) {
	switch name {
	case "added":
		return theme.ContentAddIcon(), look.ColorSynced, lang.L("Added")
	case "changed":
		return theme.DocumentCreateIcon(), look.ColorSyncing, lang.L("Changed")
	case "deleted":
		return theme.DeleteIcon(), look.ColorTrouble, lang.L("Deleted")
	case "moved":
		return theme.NavigateNextIcon(), look.ColorSecondary, lang.L("Moved")
	case "conflict":
		return theme.WarningIcon(), look.ColorNeeds, lang.L("Conflict")
	case "merged":
		return theme.ContentCopyIcon(), look.ColorThat, lang.L("Merged")
	case "kept":
		return theme.ConfirmIcon(), look.ColorNeeds, lang.L("Kept, although deleted elsewhere")
	case "restored":
		return theme.HistoryIcon(), look.ColorSynced, lang.L("Restored")
	}
	return theme.FileIcon(), look.ColorSecondary, present.Clean(name, 30)
}

func actionNames() []string {
	return []string{"added", "changed", "deleted", "moved", "conflict", "merged", "kept", "restored"}
}

func actionWords() (words []string) {
	for _, n := range actionNames() {
		_, _, w := action(n)
		words = append(words, w)
	}
	return words
}

// at is where a change's file is on this disk; "" when its folder is not here.
func (p *Page) at(a control.Activity) string {
	for _, f := range p.s.Folders {
		if local := filepath.FromSlash(a.Path); f.Name == a.Folder && filepath.IsLocal(local) {
			return filepath.Join(f.Path, local)
		}
	}
	return ""
}

func (p *Page) reveal(a control.Activity) {
	if at := p.at(a); at == "" {
		p.h.Say(lang.L("This folder is not on this device any more."))
	} else {
		p.h.Reveal(at)
	}
}

// menu is what can be done about a change.
func (p *Page) menu(a control.Activity) (items []*fyne.MenuItem) {
	item := func(text string, icon fyne.Resource, act func()) {
		m := fyne.NewMenuItem(text, act)
		m.Icon = icon
		items = append(items, m)
	}
	place := page.Place{Folder: a.Folder, Path: a.Path}
	if at := p.at(a); at != "" {
		if a.Action != "deleted" {
			item(lang.L("Open"), theme.FileIcon(), func() { p.h.Open(at) })
		}
		item(lang.L("Show in the file manager"), theme.FolderOpenIcon(), func() { p.h.Reveal(at) })
	}
	if a.Action == "conflict" {
		item(lang.L("Settle the conflict…"), theme.WarningIcon(), func() { p.h.Go(page.Conflicts, place) })
	}
	back := lang.L("Restore an earlier version…")
	if a.Action == "deleted" {
		back = lang.L("Bring it back…")
	}
	item(back, theme.HistoryIcon(), func() { p.h.Go(page.History, place) })
	item(lang.L("Only this file"), theme.SearchIcon(), func() {
		p.folders.choose(a.Folder)
		p.filter.SetText(a.Path)
	})
	return items
}

// choice is a select of which the first entry is everything.
type choice struct {
	widget *widget.Select
	all    string
	names  []string // what is asked of the engine
}

func newChoice(all string, changed func()) *choice {
	c := &choice{all: all}
	c.widget = widget.NewSelect([]string{all}, nil)
	c.widget.SetSelectedIndex(0)
	c.widget.OnChanged = func(string) { changed() }
	return c
}

// offer changes what can be chosen; what was chosen stays, as long as it is there.
func (c *choice) offer(shown, names []string) {
	if slices.Equal(names, c.names) {
		return
	}
	was := c.chosen()
	c.names = slices.Clone(names)
	changed := c.widget.OnChanged
	c.widget.OnChanged = nil
	c.widget.Options = append([]string{c.all}, shown...)
	c.widget.SetSelectedIndex(slices.Index(names, was) + 1)
	c.widget.OnChanged = changed
	if was != c.chosen() {
		changed("")
	}
}

func (c *choice) chosen() string {
	if i := c.widget.SelectedIndex(); i > 0 && i <= len(c.names) {
		return c.names[i-1]
	}
	return ""
}

func (c *choice) choose(name string) {
	if name != c.chosen() {
		c.widget.SetSelectedIndex(slices.Index(c.names, name) + 1)
	}
}
