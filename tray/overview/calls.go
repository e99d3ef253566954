package overview

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/guide"
	"pinion/tray/look"
	"pinion/tray/present"
)

// call is a card above everything else: something waits for the person.
type call struct {
	kind        look.Kind
	icon        fyne.Resource
	title, text string
	do          string
	act         func()
}

// maxNotes bounds how many sentences about the engine are shown.
const maxNotes = 3

// calls lists what waits for the person, what is most urgent first.
func (p *Page) calls(s status.State) (out []call) {
	for _, f := range s.Folders {
		if len(f.Holds) > 0 {
			out = append(out, call{kind: look.Needs, icon: theme.WarningIcon(), title: heldTitle(f), text: heldText(f),
				do: lang.L("Look and decide…"), act: func() { guide.Held(p.h, f) }})
		}
	}
	for _, o := range s.Offers {
		if !o.Declined {
			out = append(out, p.offer(o))
		}
	}
	if s.Paused.State == status.Paused {
		c := call{kind: look.Paused, icon: theme.MediaPauseIcon(), title: lang.L("Paused until you resume"),
			text: lang.L("Nothing is sent or fetched. Changes are noticed, and go out when syncing goes on."), do: lang.L("Resume"),
			act: func() { p.resume(control.PauseRequest{}) }}
		if s.Paused.Until != nil {
			c.title = lang.L("Paused {{.Until}}", data{"Until": present.Until(*s.Paused.Until, p.now)})
		}
		if why := s.Paused.Reason; why != "" && why != "paused by hand" {
			c.title, c.text, c.do = lang.L("Paused"), sentence(present.Clean(why, 200)), ""
		}
		out = append(out, c)
	} else if why := s.Paused.Reason; why != "" {
		out = append(out, call{kind: look.Paused, icon: theme.InfoIcon(), title: lang.L("Only small files move"), text: sentence(present.Clean(why, 200))})
	}
	if len(s.Folders) > 0 && others(s) == 0 {
		out = append(out, call{kind: look.Syncing, icon: theme.ComputerIcon(), title: lang.L("This device is alone so far"),
			text: lang.L("Connect it with another one, a Raspberry Pi or a second computer, and your folders are kept the same on both."),
			do:   lang.L("Add device…"), act: func() { guide.AddDevice(p.h) }})
	}
	for i, n := range s.Notes {
		if i < maxNotes {
			out = append(out, call{kind: look.Paused, icon: theme.InfoIcon(), title: lang.L("Good to know"), text: sentence(present.Clean(n, 300))})
		}
	}
	return out
}

func (p *Page) offer(o status.Offer) call {
	return call{kind: look.Syncing, icon: theme.DownloadIcon(),
		title: lang.L("{{.Device}} offers the folder {{.Name}}", data{"Device": name(o.From), "Name": name(o.Name)}),
		text:  lang.L("It is not on this device yet. Choose where it shall be, or say that you do not want it here."),
		do:    lang.L("Choose…"), act: func() { guide.Offer(p.h, o) }}
}

func others(s status.State) (n int) {
	for _, d := range s.Devices {
		if d.ID != s.Device.ID {
			n++
		}
	}
	return n
}

func heldTitle(f status.Folder) string {
	h := f.Holds[0]
	d := data{"Name": name(f.Name), "Files": present.Files(h.Files), "Device": name(h.Device)}
	switch {
	case h.Deleted && h.Overwritten:
		return lang.L("{{.Name}}: {{.Files}} deleted or overwritten at once", d)
	case h.Overwritten:
		return lang.L("{{.Name}}: {{.Files}} overwritten at once", d)
	}
	return lang.L("{{.Name}}: {{.Files}} deleted at once", d)
}

func heldText(f status.Folder) string {
	h := f.Holds[0]
	d := data{"Device": name(h.Device)}
	text := lang.L("{{.Device}} holds this back, so that nothing is lost on your other devices, until you say that it was meant.", d)
	if h.Overwritten {
		text = lang.L("What was written looks encrypted. {{.Device}} holds this back, so that nothing is lost on your other devices, until you say that it was meant.", d)
	}
	if len(f.Holds) > 1 {
		text += " " + lang.L("Other devices hold something back, too.")
	}
	return text
}

// Measures of a call's card.
const (
	callTop    float32 = 12
	callButton float32 = 104
)

func (c *call) room(width float32) float32 {
	width -= 14 + 24 + 10 + 14
	if c.do != "" {
		width -= c.buttonWidth() + 12
	}
	return width
}

func (c *call) buttonWidth() float32 {
	return max(callButton, fyne.MeasureText(c.do, theme.TextSize(), fyne.TextStyle{Bold: true}).Width+40)
}

func (c *call) height(width float32) float32 {
	return 2*callTop + 21 + textHeight(c.text, c.room(width)) + 2
}

// callBox draws a call.
type callBox struct {
	look.Box
	inner  *fyne.Container
	call   call
	ground *look.Ground
	icon   *fyne.Container
	title  *look.Text
	text   *fyne.Container
	label  interface{ SetText(string) }
	button *look.Button
	sign   func(fyne.Resource)
}

func newCallBox(p *Page) *callBox {
	icon := look.Tinted(theme.InfoIcon(), look.ColorNeeds)
	label := look.Paragraph("")
	b := &callBox{ground: look.NewGround(look.ColorNeeds, "", 10).Faintly(0x1c), title: look.Strong(""),
		icon: container.New(layout.NewGridWrapLayout(fyne.NewSquareSize(24)), icon),
		text: container.New(layout.NewCustomPaddedLayout(-8, -8, -8, -8), label), label: label, sign: icon.SetResource}
	b.button = look.NewButton("", nil, func() { b.call.act() }).Main()
	b.inner = container.New(&callLayout{b}, b.ground, b.icon, b.title, b.text, b.button)
	b.Hold(b, inset(b.inner))
	return b
}

func (b *callBox) set(c call) {
	b.call = c
	b.ground.SetFill(c.kind.Color(), 0x1c)
	b.sign(theme.NewColoredResource(c.icon, c.kind.Color()))
	b.title.SetText(c.title)
	b.label.SetText(c.text)
	b.button.SetText(c.do)
	if c.do == "" {
		b.button.Hide()
	} else {
		b.button.Show()
	}
	b.inner.Layout.Layout(b.inner.Objects, b.inner.Size())
}

type callLayout struct{ b *callBox }

func (*callLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, 60) }

func (l *callLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	b := l.b
	b.ground.Resize(size)
	b.icon.Move(fyne.NewPos(14, callTop))
	b.icon.Resize(fyne.NewSquareSize(24))
	room := b.call.room(size.Width)
	b.title.Move(fyne.NewPos(48, callTop))
	b.title.Resize(fyne.NewSize(room, 20))
	b.text.Move(fyne.NewPos(48, callTop+21))
	b.text.Resize(fyne.NewSize(room, size.Height-2*callTop-21))
	w := b.call.buttonWidth()
	b.button.Resize(fyne.NewSize(w, 36))
	b.button.Move(fyne.NewPos(size.Width-w-14, (size.Height-36)/2))
}

// storesBox draws the devices and their disks, beside each other.
type storesBox struct {
	look.Box
	boxes []*storeBox
}

const (
	storeHigh float32 = 76
	storeWide float32 = 220 // at least
)

func storesGrid(n int, width float32) (columns, rows int) {
	columns = max(1, min(n, int((width+12)/(storeWide+12))))
	return columns, (n + columns - 1) / columns
}

func storesHeight(n int, width float32) float32 {
	_, rows := storesGrid(n, width)
	return float32(rows)*(storeHigh+12) - 12
}

func newStoresBox() *storesBox {
	b := &storesBox{}
	b.Hold(b, container.New(&storesLayout{b}))
	return b
}

func (b *storesBox) set(list []store) {
	for len(b.boxes) < len(list) {
		s := newStoreBox()
		b.boxes = append(b.boxes, s)
		b.Put(s)
	}
	for i, s := range b.boxes {
		if i < len(list) {
			s.set(list[i])
			s.Show()
		} else {
			s.Hide()
		}
	}
	b.Arrange()
}

type storesLayout struct{ b *storesBox }

func (*storesLayout) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(200, storeHigh) }

func (l *storesLayout) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	n, inner := 0, size.Width-2*look.Margin
	for _, s := range l.b.boxes {
		if s.Visible() {
			n++
		}
	}
	columns, _ := storesGrid(n, inner)
	wide := (inner - float32(columns-1)*12) / float32(columns)
	for i, s := range l.b.boxes[:n] {
		s.Move(fyne.NewPos(look.Margin+float32(i%columns)*(wide+12), float32(i/columns)*(storeHigh+12)))
		s.Resize(fyne.NewSize(wide, storeHigh))
	}
}

// storeBox draws one device and its disk.
type storeBox struct {
	look.Box
	dot        *look.Dot
	name, word *look.Text
	gauge      *look.Gauge
}

func newStoreBox() *storeBox {
	s := &storeBox{dot: look.NewDot(look.Plain), name: look.Strong(""), word: look.Secondary(""), gauge: look.NewGauge()}
	top := container.NewBorder(nil, nil, container.NewHBox(look.Middle(s.dot), look.Space(2, 0)), nil, look.Middle(s.name))
	column := look.Column(5, top, s.gauge)
	s.Hold(s, container.NewStack(look.NewGround(look.ColorCard, look.ColorEdge, 10), look.Pad(column, 12, 14)))
	return s
}

func (s *storeBox) set(t store) {
	s.dot.Set(t.kind)
	s.name.SetText(t.name)
	s.gauge.SetDisk(t.word, t.disk)
	if t.disk == nil {
		s.gauge.Bar.Hide()
	} else {
		s.gauge.Bar.Show()
	}
}
