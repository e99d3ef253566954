package settings

import (
	"context"
	"errors"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
)

// Login is whether Pinion starts when the person logs in.
type Login interface {
	Enabled() (bool, error)
	Set(on bool) error
}

// Page is the page of settings.
type Page struct {
	h     page.Host
	login Login
	// later runs f on Fyne's goroutine after a while; what it gives stops that.
	later func(d time.Duration, f func()) (stop func())

	content  *fyne.Container
	body     *fyne.Container
	tabs     *look.Tabs
	sections []*section
	open     int

	state    status.State
	settings control.Settings
	known    bool      // settings have come
	asked    time.Time // when they were asked for
	filling  bool      // controls are being set to what holds: that is no choice

	folder     string // the id of the folder that is chosen
	scheduleAt *look.Setting
	rules      *rules
}

// section is one tab of the page. Its content is made when it is first opened.
type section struct {
	title   string
	make    func() fyne.CanvasObject
	content fyne.CanvasObject
	column  *fyne.Container // the cards, where there are such
	high    float32         // that they were when they were last laid out
	fill    []func()        // show what holds
	opened  func()          // it comes to be shown; may be nil
}

var (
	_ page.Page     = (*Page)(nil)
	_ page.Receiver = (*Page)(nil)
)

// New makes the page. login may be nil where there is no such thing.
func New(h page.Host, login Login) *Page {
	p := &Page{h: h, login: login, later: later}
	p.sections = []*section{
		p.general(), p.network(), p.notifications(), p.folders(), p.leftOut(), p.advanced(),
	}
	var titles []string
	for _, s := range p.sections {
		titles = append(titles, s.title)
	}
	p.tabs = look.NewTabs(titles, p.turn)
	p.body = container.NewStack()
	top := look.Column(look.Apart, look.PageHead(lang.L("Settings"), nil), container.NewHScroll(p.tabs.Bar))
	p.content = container.NewBorder(look.Pad(top, look.Clear, look.Margin), nil, nil, nil, p.body)
	p.turn(0)
	return p
}

func later(d time.Duration, f func()) (stop func()) {
	t := time.AfterFunc(d, func() { fyne.Do(f) })
	return func() { t.Stop() }
}

// Title, Icon and Content belong to page.Page.
func (p *Page) Title() string              { return lang.L("Settings") }
func (p *Page) Icon() fyne.Resource        { return theme.SettingsIcon() }
func (p *Page) Content() fyne.CanvasObject { return p.content }

// freshFor is how long what was read is taken for what holds: it may be changed
// from a command, too.
const freshFor = 20 * time.Second

// Update takes in a newer state.
func (p *Page) Update(s status.State) {
	p.state = s
	if p.asked.IsZero() || p.h.Now().Sub(p.asked) > freshFor {
		p.read()
		return
	}
	p.fill()
}

// Receive shows a folder's settings.
func (p *Page) Receive(arg any) {
	name := ""
	switch a := arg.(type) {
	case page.Place:
		name = a.Folder
	case string:
		name = a
	}
	for _, f := range p.state.Folders {
		if f.Name == name || f.ID.String() == name {
			p.folder = f.ID.String()
			p.turn(3)
			return
		}
	}
}

// turn shows a section.
func (p *Page) turn(i int) {
	p.open = i
	p.tabs.Choose(i)
	s := p.sections[i]
	if s.content == nil {
		s.content = s.make()
	}
	p.body.Objects = []fyne.CanvasObject{s.content}
	p.body.Refresh()
	if s.opened != nil {
		s.opened()
	}
	p.fill()
}

// read asks for what holds, and shows it.
func (p *Page) read() {
	p.asked = p.h.Now()
	var got control.Settings
	p.h.Ask(lang.L("Read the settings"), func(ctx context.Context) (err error) {
		got, err = p.h.Engine().Settings(ctx)
		return err
	}, func() {
		p.settings, p.known = got, true
		p.fill()
	})
}

// fill shows what holds in the section that is open.
func (p *Page) fill() {
	p.filling = true
	defer func() { p.filling = false }()
	for _, f := range p.sections[p.open].fill {
		f()
	}
	p.fit()
}

// fit lays the cards out anew if they have come to need more room, or less.
func (p *Page) fit() {
	s := p.sections[p.open]
	if s.column == nil {
		return
	}
	if h := s.column.MinSize().Height; h != s.high {
		s.high = h
		s.column.Refresh()
		s.content.Refresh()
	}
}

// fail says at a setting what is wrong with what was typed.
func (p *Page) fail(at *look.Setting, err error) {
	at.Fail(sentence(err))
	p.fit()
}

// change has the engine change something, and says at the setting what it refuses.
func (p *Page) change(at *look.Setting, c control.SettingsChange) {
	var got control.Settings
	p.try(at, func(ctx context.Context) (err error) {
		got, err = p.h.Engine().SetSettings(ctx, c)
		return err
	}, func() { p.settings = got })
}

// try asks for something; what goes wrong is said at the setting, and what holds is
// shown again.
func (p *Page) try(at *look.Setting, ask func(context.Context) error, done func()) {
	var wrong error
	p.h.Ask("", func(ctx context.Context) error {
		if wrong = ask(ctx); ctx.Err() != nil {
			return ctx.Err()
		}
		return nil
	}, func() {
		at.Fail(sentence(wrong))
		if wrong == nil && done != nil {
			done()
		}
		p.fill()
	})
}

// sentence makes an error fit to stand at a field; "" of none.
func sentence(err error) string {
	if err == nil {
		return ""
	}
	var e *control.Error
	text := err.Error()
	if errors.As(err, &e) {
		text = e.Text
	}
	return present.Clean(capital(text), 300) + "."
}

// scrolled is the body of a section: cards below each other, not wider than can be
// read well.
func (p *Page) scrolled(s *section, cards ...fyne.CanvasObject) fyne.CanvasObject {
	s.column = look.Column(look.Clear, cards...)
	return container.NewVScroll(look.Pad(container.New(atMost(720), s.column), 2, look.Margin))
}

// atMost is a layout that leaves its one object no more than a width.
type atMost float32

func (a atMost) MinSize(o []fyne.CanvasObject) fyne.Size {
	m := o[0].MinSize()
	return fyne.NewSize(min(m.Width, float32(a)), m.Height+look.Clear)
}

func (a atMost) Layout(o []fyne.CanvasObject, size fyne.Size) {
	o[0].Resize(fyne.NewSize(min(size.Width, float32(a)), size.Height-look.Clear))
}
