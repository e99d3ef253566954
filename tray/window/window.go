package window

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
)

// Maker makes a page when it is first shown.
type Maker struct {
	Name  string // one of page's names
	Title string // translated
	Icon  fyne.Resource
	New   func(page.Host) page.Page
}

// Options is what a window needs of the world.
type Options struct {
	Engine control.Engine
	Pages  []Maker // in the rail's order
	Open   func(path string) error
	Reveal func(path string) error
	Now    func() time.Time // nil: the clock
	// Hides says whether closing the window leaves a sign to come back by; then it is
	// hidden. nil: it is closed for good.
	Hides  func() bool
	Closed func() // after it was hidden or closed; may be nil
	Start  func() // starts an engine, where that can be done; nil: no button for it
}

// Window is Pinion's window. See the package.
type Window struct {
	o     Options
	do    func(func()) // fyne.Do
	app   fyne.App
	win   fyne.Window
	rail  *rail
	foot  *foot
	frame *fyne.Container
	top   *fyne.Container // the banner's place
	pages *fyne.Container
	veil  *veil

	made    map[string]page.Page
	current string
	state   status.State
	known   bool   // a state has come
	down    bool   // there is no engine
	reason  string // why
	shown   bool
	over    bool // closed for good

	ctx    context.Context // of this showing
	cancel context.CancelFunc
	alert  *alert
}

var _ page.Host = (*Window)(nil)

// Names of what is remembered.
const (
	prefWidth  = "window.width"
	prefHeight = "window.height"
	prefPage   = "window.page"
)

// New makes the window and does not show it.
func New(a fyne.App, o Options) *Window {
	if o.Now == nil {
		o.Now = time.Now
	}
	w := &Window{o: o, do: fyne.Do, app: a, win: a.NewWindow("Pinion"), made: map[string]page.Page{}}
	w.rail = newRail(o.Pages, func(name string) { w.Go(name, nil) }, w.key)
	w.foot = newFoot(func(f func()) { w.do(f) })
	w.top = container.NewVBox()
	w.pages = container.NewStack()
	w.veil = newVeil()
	w.veil.Hide()
	w.frame = container.New(&frame{w}, w.rail.content, w.top, w.pages, w.veil, w.foot.content)
	w.win.SetContent(w.frame)
	w.win.SetPadded(false)
	w.win.SetMaster()
	w.win.SetCloseIntercept(w.closed)
	p := a.Preferences()
	w.win.Resize(fyne.NewSize(
		sane(p.FloatWithFallback(prefWidth, 980), 640, 4000), sane(p.FloatWithFallback(prefHeight, 640), 420, 3000)))
	w.keys()
	w.begin()
	return w
}

func sane(v, low, high float64) float32 { return float32(max(low, min(v, high))) }

// begin starts a context for what is asked from now on.
func (w *Window) begin() { w.ctx, w.cancel = context.WithCancel(context.Background()) }

// Show brings the window up, with the page that was shown last.
func (w *Window) Show() {
	if !w.shown {
		w.shown = true
		if w.ctx.Err() != nil {
			w.begin()
		}
		if w.current == "" {
			w.current = w.app.Preferences().String(prefPage)
		}
		w.turn(w.current)
		go w.tick(w.ctx)
	}
	w.win.Show()
	w.win.RequestFocus()
}

// Shown says whether the window can be seen.
func (w *Window) Shown() bool { return w.shown }

// tick tells the page that is shown every half minute, so that "5 minutes ago"
// stays true; it ends with the window.
func (w *Window) tick(ctx context.Context) {
	t := time.NewTicker(30 * time.Second)
	defer t.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.C:
			w.do(w.tell)
		}
	}
}

// Update draws a newer state; there is an engine again, if there was none.
func (w *Window) Update(s status.State) {
	w.state, w.known = s, true
	if w.down {
		w.down = false
		w.banner()
	}
	w.tell()
}

func (w *Window) tell() {
	if !w.shown || !w.known {
		return
	}
	w.rail.update(w.state)
	w.foot.update(w.state, w.down, w.o.Now())
	if p := w.made[w.current]; p != nil {
		p.Update(w.state)
	}
}

// Down says that there is no engine, and why; "" while it is being started. What was
// last known stays readable.
func (w *Window) Down(reason string) {
	w.down, w.reason = true, reason
	w.banner()
	w.foot.update(w.state, w.down, w.o.Now())
}

func (w *Window) banner() {
	w.top.RemoveAll()
	w.veil.Hide()
	if w.down {
		if w.reason != "" || w.known { // else it is there in a moment
			w.top.Add(banner(w.reason, w.known, w.o.Start))
		}
		w.veil.Show()
	}
	w.frame.Refresh()
}

// Go shows a page and hands it arg; the window is shown if it was not.
func (w *Window) Go(name string, arg any) {
	w.current = w.existing(name)
	if !w.shown {
		w.Show()
	} else {
		w.turn(w.current)
	}
	if r, ok := w.made[w.current].(page.Receiver); ok && arg != nil {
		r.Receive(arg)
	}
}

// existing is the name, or the first page's where there is no such page.
func (w *Window) existing(name string) string {
	for _, m := range w.o.Pages {
		if m.Name == name {
			return name
		}
	}
	if len(w.o.Pages) == 0 {
		return ""
	}
	return w.o.Pages[0].Name
}

// turn makes the page if need be, and shows it alone.
func (w *Window) turn(name string) {
	w.current = w.existing(name)
	if _, ok := w.made[w.current]; !ok {
		for _, m := range w.o.Pages {
			if m.Name == w.current {
				p := m.New(w)
				w.made[w.current] = p
				w.pages.Add(p.Content())
			}
		}
	}
	w.win.Canvas().Unfocus()
	for n, p := range w.made {
		if n == w.current {
			p.Content().Show()
		} else {
			p.Content().Hide()
		}
	}
	w.rail.selected(w.current)
	w.app.Preferences().SetString(prefPage, w.current)
	w.tell()
}

// closed is asked for by the person: the window goes to the tray, or for good.
func (w *Window) closed() {
	if w.o.Hides != nil && w.o.Hides() {
		w.Hide()
		return
	}
	w.Close()
}

// Hide puts the window away; Show brings it back as it was.
func (w *Window) Hide() {
	w.leave()
	w.win.Hide()
	if w.o.Closed != nil {
		w.o.Closed()
	}
}

// Close ends the window, once.
func (w *Window) Close() {
	if w.over {
		return
	}
	w.over = true
	w.leave()
	w.win.SetCloseIntercept(nil)
	w.win.Close()
	if w.o.Closed != nil {
		w.o.Closed()
	}
}

// leave ends what was asked and remembers the size.
func (w *Window) leave() {
	w.cancel()
	w.foot.stop()
	for look.Escape(w.win.Canvas()) {
	}
	w.alert = nil
	if w.shown {
		size := w.win.Canvas().Size()
		w.app.Preferences().SetFloat(prefWidth, float64(size.Width))
		w.app.Preferences().SetFloat(prefHeight, float64(size.Height))
	}
	w.shown = false
}

// frame lays the window out: the rail at the left, beside it the banner, the page
// and the foot.
type frame struct{ w *Window }

func (*frame) MinSize([]fyne.CanvasObject) fyne.Size { return fyne.NewSize(640, 420) }

func (f *frame) Layout(_ []fyne.CanvasObject, size fyne.Size) {
	put := func(o fyne.CanvasObject, x, y, width, height float32) {
		o.Move(fyne.NewPos(x, y))
		o.Resize(fyne.NewSize(width, height))
	}
	w, wide := f.w, size.Width-railWidth
	foot, top := w.foot.content.MinSize().Height, float32(0)
	if len(w.top.Objects) > 0 {
		w.top.Resize(fyne.NewSize(wide, 0)) // text wraps before its height is asked for
		top = w.top.MinSize().Height
	}
	put(w.rail.content, 0, 0, railWidth, size.Height)
	put(w.top, railWidth, 0, wide, top)
	for _, o := range []fyne.CanvasObject{w.pages, w.veil} {
		put(o, railWidth, top, wide, max(0, size.Height-top-foot))
	}
	put(w.foot.content, railWidth, size.Height-foot, wide, foot)
}
