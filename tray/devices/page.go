package devices

import (
	"fmt"
	"net"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/status"
	"pinion/tray/guide"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
)

type data = map[string]any

// Page is the devices.
type Page struct {
	h       page.Host
	content *fyne.Container
	summary *look.Text
	rows    *look.Rows
	list    []view
}

// New makes the page.
func New(h page.Host) *Page {
	p := &Page{h: h, summary: look.Secondary("")}
	p.rows = look.NewRows(12)
	p.rows.Kind = func(int) int { return 0 }
	p.rows.Height = func(i int, width float32) float32 { return p.list[i].height(width - 2*look.Margin) }
	p.rows.Make = func(int) fyne.CanvasObject { return newCard(p) }
	p.rows.Draw = func(i int, o fyne.CanvasObject) { o.(*card).set(p.list[i]) }
	add := look.NewButton(lang.L("Add device…"), theme.ContentAddIcon(), func() { guide.AddDevice(h) }).Main()
	head := look.PageHead(lang.L("Devices"), p.summary, add)
	p.content = container.NewBorder(
		container.New(layout.NewCustomPaddedLayout(18, 12, look.Margin, look.Margin), head), nil, nil, nil, p.rows)
	return p
}

func (p *Page) Title() string              { return lang.L("Devices") }
func (p *Page) Icon() fyne.Resource        { return theme.ComputerIcon() }
func (p *Page) Content() fyne.CanvasObject { return p.content }

// Update draws a newer state.
func (p *Page) Update(s status.State) {
	p.list = views(s, p.h.Now())
	connected := 0
	for _, v := range p.list[1:] {
		if v.device.Connected {
			connected++
		}
	}
	switch n := len(p.list) - 1; {
	case n == 0:
		p.summary.SetText(lang.L("This device is alone so far. Add a Raspberry Pi or another computer to sync with it."))
	case connected == n:
		p.summary.SetText(lang.L("All connected"))
	default:
		p.summary.SetText(lang.L("{{.Connected}} of {{.N}} other devices connected", data{"Connected": connected, "N": n}))
	}
	p.rows.SetCount(len(p.list))
}

// view is a device as its card shows it.
type view struct {
	device status.Device
	self   bool
	kind   look.Kind
	word   string // on the badge
	below  string // the line below the name
	facts  []string
	disk   *status.Disk
	diskAt string
	alarm  string // a sentence about what went wrong
}

// views lists this device first.
func views(s status.State, now time.Time) []view {
	out := []view{self(s)}
	for _, d := range s.Devices {
		if d.ID != s.Device.ID {
			out = append(out, other(s, d, now))
		}
	}
	return out
}

func self(s status.State) view {
	v := view{
		device: status.Device{ID: s.Device.ID, Name: s.Device.Name, Connected: true}, self: true, kind: look.Synced, word: lang.L("This device"),
		facts: []string{lang.L("Pinion"), software(s.Device.Version), lang.L("Listens on"), s.Device.Listen},
	}
	var lacks status.Need
	for _, f := range s.Folders {
		if d := look.Fuller(v.disk, f.Disk); d != v.disk {
			v.disk, v.diskAt = d, lang.L("Disk of {{.Folder}}", data{"Folder": present.CleanName(f.Name, 40)})
		}
		lacks.Files += f.Need.Files
		lacks.Bytes += f.Need.Bytes
	}
	v.below = complete(len(s.Folders), lacks)
	return v
}

func other(s status.State, d status.Device, now time.Time) view {
	v := view{device: d, kind: look.Plain, word: lang.L("Not connected"), below: present.DeviceWords(d, now)}
	var lacks status.Need
	folders := 0
	for _, f := range s.Folders {
		for _, p := range f.Peers {
			if p.ID != d.ID {
				continue
			}
			folders++
			lacks.Files += p.NeedFiles
			lacks.Bytes += p.NeedBytes
			if k := look.Fuller(v.disk, p.Disk); k != v.disk {
				v.disk, v.diskAt = k, lang.L("Disk of {{.Folder}}", data{"Folder": present.CleanName(f.Name, 40)})
			}
		}
	}
	if d.Connected {
		v.kind, v.word, v.below = look.Synced, lang.L("Connected"), complete(folders, lacks)
		if lacks.Files > 0 {
			v.kind = look.Syncing
		}
	}
	if p := d.Paused; p != nil {
		v.kind, v.word = look.Paused, lang.L("Paused")
		if p.Until != nil {
			v.word = lang.L("Paused {{.Until}}", data{"Until": present.Until(*p.Until, now)})
		}
	}
	v.facts = []string{lang.L("Address"), address(d), lang.L("Round trip"), trip(d), lang.L("Pinion"), software(d.Software), lang.L("Given by hand"), present.Clean(strings.Join(d.Given, ", "), 120)}
	if d.Error != "" && !d.Connected {
		v.alarm = lang.L("The last connection ended: {{.Why}}", data{"Why": present.Clean(d.Error, 200)})
	}
	return v
}

// complete says how far a device is with the folders that it shares with this one.
func complete(folders int, lacks status.Need) string {
	switch {
	case folders == 0:
		return lang.L("No folder in common")
	case lacks.Files > 0:
		return lang.L("Lacks {{.Files}}, {{.Bytes}}", data{"Files": present.Files(lacks.Files), "Bytes": present.Size(lacks.Bytes)})
	case folders == 1:
		return lang.L("Has its folder completely")
	}
	return lang.N("Has all {{.N}} folders completely", folders, data{"N": folders})
}

func address(d status.Device) string {
	if d.Address == "" {
		return ""
	}
	a := present.Clean(d.Address, 80)
	if host, _, err := net.SplitHostPort(d.Address); err == nil {
		if ip := net.ParseIP(strings.SplitN(host, "%", 2)[0]); ip != nil && (ip.IsPrivate() || ip.IsLinkLocalUnicast()) {
			return lang.L("{{.Address}} (local network)", data{"Address": a})
		}
	}
	return a
}

func trip(d status.Device) string {
	switch {
	case !d.Connected || d.RTT <= 0:
		return ""
	case d.RTT < 10:
		return fmt.Sprintf("%.1f ms", d.RTT)
	}
	return fmt.Sprintf("%.0f ms", d.RTT)
}

func software(s string) string {
	s = strings.TrimPrefix(present.Clean(s, 40), "pinion ")
	if s == "" {
		return ""
	}
	return s
}

// Measures of a card.
const (
	edge     float32 = 16
	headHigh float32 = 42
	diskHigh float32 = 28
	factHigh float32 = 24
)

func (v *view) pairs() (n int) {
	for i := 1; i < len(v.facts); i += 2 {
		if v.facts[i] != "" {
			n++
		}
	}
	return n
}

func (v *view) height(width float32) float32 {
	h := 2*edge - 4 + headHigh
	if v.alarm != "" {
		h += 6 + alarmHeight(v.alarm, width)
	}
	if n := v.pairs(); n > 0 {
		c := columns(width - 2*edge)
		h += 12 + float32((n+c-1)/c)*factHigh
	}
	if v.disk != nil {
		h += 10 + diskHigh
	}
	return h
}

// columns is how many facts stand beside each other.
func columns(width float32) int {
	if width < 540 {
		return 1
	}
	return 2
}

func alarmHeight(text string, width float32) float32 {
	size := theme.TextSize()
	return float32(look.Wrapped(text, width-2*edge-40, size)) * (fyne.MeasureText("Mg", size, fyne.TextStyle{}).Height + 1)
}

// card draws a device.
type card struct {
	look.Box
	p     *Page
	v     view
	icon  *widget.Icon
	name  *look.Text
	below *look.Text
	badge *look.Badge
	head  *fyne.Container
	alarm *widget.Label
	gauge *look.Gauge
	facts []*fact
}

type fact struct{ name, value *look.Text }

func newCard(p *Page) *card {
	c := &card{p: p, icon: widget.NewIcon(theme.NewColoredResource(theme.ComputerIcon(), theme.ColorNamePrimary)),
		name: look.SubHeading(""), below: look.Secondary(""), badge: look.NewBadge(look.Plain, ""), alarm: look.Paragraph(""), gauge: look.NewGauge()}
	c.alarm.Importance = widget.WarningImportance
	more := look.MoreButton(func() []*fyne.MenuItem { return p.menu(c.v) })
	sign := container.NewCenter(container.New(layout.NewGridWrapLayout(fyne.NewSquareSize(24)), c.icon))
	right := look.Line(look.Near, look.Middle(c.badge), look.Space(2, 0), look.Middle(more))
	c.head = container.NewBorder(nil, nil, container.NewHBox(sign, look.Space(2, 0)), nil, look.Sides(look.Column(1, c.name, c.below), right))
	inner := container.New(&cardLayout{c}, look.NewGround(look.ColorCard, look.ColorEdge, 10), c.head, c.alarm, c.gauge)
	for range 4 {
		f := &fact{name: look.Secondary(""), value: look.NewText("")}
		c.facts = append(c.facts, f)
		inner.Objects = append(inner.Objects, f.name, f.value)
	}
	c.Hold(c, look.Pad(inner, 0, look.Margin))
	return c
}

func (c *card) set(v view) {
	c.v = v
	c.name.SetText(present.CleanName(v.device.Name, 60))
	c.below.SetText(v.below)
	c.badge.Set(v.kind, v.word)
	c.alarm.SetText(v.alarm)
	show(c.alarm, v.alarm != "")
	if v.disk != nil {
		c.gauge.SetDisk(v.diskAt, v.disk)
	}
	show(c.gauge, v.disk != nil)
	n := 0
	for i := 0; i+1 < len(v.facts); i += 2 {
		if v.facts[i+1] != "" && n < len(c.facts) {
			c.facts[n].name.SetText(v.facts[i])
			c.facts[n].value.SetText(v.facts[i+1])
			n++
		}
	}
	for i, f := range c.facts {
		show(f.name, i < n)
		show(f.value, i < n)
	}
	c.head.Refresh()
	c.Arrange()
	c.arrange()
}

func show(o fyne.CanvasObject, on bool) {
	if on {
		o.Show()
	} else {
		o.Hide()
	}
}

func (c *card) arrange() {
	size := c.head.Size()
	if size.Width > 0 {
		(&cardLayout{c}).Layout(nil, fyne.NewSize(size.Width+2*edge, c.v.height(size.Width+2*edge)))
	}
}

type cardLayout struct{ c *card }

func (*cardLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, headHigh) }

func (l *cardLayout) Layout(objects []fyne.CanvasObject, size fyne.Size) {
	c, inner := l.c, size.Width-2*edge
	if len(objects) > 0 {
		objects[0].Resize(size)
	}
	y := edge - 2
	put := func(o fyne.CanvasObject, x, width, height float32) {
		o.Move(fyne.NewPos(edge+x, y))
		o.Resize(fyne.NewSize(width, height))
	}
	put(c.head, 0, inner, headHigh)
	y += headHigh
	if c.v.alarm != "" {
		y += 6
		h := alarmHeight(c.v.alarm, size.Width)
		c.alarm.Move(fyne.NewPos(edge+26, y-8))
		c.alarm.Resize(fyne.NewSize(inner-26, h+16))
		y += h
	}
	if n := c.v.pairs(); n > 0 {
		y += 12
		cols := columns(inner)
		half := (inner - 24*float32(cols-1)) / float32(cols)
		for i, f := range c.facts[:min(n, len(c.facts))] {
			x := float32(i%cols) * (half + 24)
			h := f.value.MinSize().Height
			f.name.Move(fyne.NewPos(edge+x, y+(h-f.name.MinSize().Height)/2))
			f.name.Resize(fyne.NewSize(92, f.name.MinSize().Height))
			f.value.Move(fyne.NewPos(edge+x+96, y))
			f.value.Resize(fyne.NewSize(half-96, h))
			if i%cols == cols-1 || i == n-1 {
				y += factHigh
			}
		}
	}
	if c.v.disk != nil {
		y += 10
		put(c.gauge, 0, inner, diskHigh)
	}
}
