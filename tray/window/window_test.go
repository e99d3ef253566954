package window

import (
	"context"
	"errors"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/overview"
	"pinion/tray/page"
	"pinion/tray/traytest"
)

// sheet is a page that writes down what it is told.
type sheet struct {
	content *look.Filter
	updates int
	args    []any
	keys    []fyne.KeyName
}

func (s *sheet) Title() string              { return "Sheet" }
func (s *sheet) Icon() fyne.Resource        { return theme.FileIcon() }
func (s *sheet) Content() fyne.CanvasObject { return s.content }
func (s *sheet) Update(status.State)        { s.updates++ }
func (s *sheet) Receive(arg any)            { s.args = append(s.args, arg) }
func (s *sheet) Key(e *fyne.KeyEvent)       { s.keys = append(s.keys, e.Name) }
func (s *sheet) Filter() fyne.Focusable     { return s.content }

type engine struct {
	traytest.Engine
}

func (e *engine) Scan(_ context.Context, folder string) error {
	e.Note("scan %q", folder)
	return nil
}

type fixture struct {
	*Window
	engine *engine
	made   map[string]*sheet
	hides  bool
	ended  int
	queue  chan func() // what is to be done on Fyne's goroutine: the test's
}

// next does the next thing that was asked to be done on Fyne's goroutine.
func (f *fixture) next() { (<-f.queue)() }

// open makes a window of three sheets.
func open(t *testing.T, variant fyne.ThemeVariant) *fixture {
	t.Helper()
	a := test.NewTempApp(t)
	a.Settings().SetTheme(look.Theme{Variant: &variant})
	f := &fixture{engine: &engine{}, made: map[string]*sheet{}, hides: true}
	maker := func(name, title string, icon fyne.Resource) Maker {
		return Maker{Name: name, Title: title, Icon: icon, New: func(page.Host) page.Page {
			f.made[name] = &sheet{content: look.NewFilter("", nil)}
			return f.made[name]
		}}
	}
	f.Window = New(a, Options{
		Engine: f.engine, Now: traytest.Noon, Hides: func() bool { return f.hides }, Closed: func() { f.ended++ },
		Pages: []Maker{maker(page.Overview, "Overview", theme.HomeIcon()), maker(page.Activity, "Activity", theme.ListIcon()), maker(page.Conflicts, "Conflicts", theme.WarningIcon())},
	})
	f.queue = make(chan func(), 16)
	f.do = func(g func()) {
		select {
		case f.queue <- g:
		case <-t.Context().Done():
		}
	}
	t.Cleanup(f.Close)
	return f
}

func TestOnlyTheShownPageIsTold(t *testing.T) {
	w := open(t, traytest.Light)
	w.Update(traytest.Calm())
	if len(w.made) != 0 {
		t.Errorf("a hidden window made %d pages", len(w.made))
	}
	w.Show()
	one := w.made[page.Overview]
	if len(w.made) != 1 || one.updates != 1 {
		t.Fatalf("%d pages; the first was told %d times", len(w.made), one.updates)
	}
	w.Go(page.Conflicts, page.Place{Folder: "docs"})
	three := w.made[page.Conflicts]
	w.Update(traytest.Calm())
	if one.updates != 1 || three.updates != 2 || len(three.args) != 1 {
		t.Errorf("the hidden page was told %d times, the shown one %d, with %v", one.updates, three.updates, three.args)
	}
	w.Go(page.Overview, nil)
	if one.updates != 2 || one.content.Hidden || !three.content.Hidden {
		t.Errorf("back on the first page: told %d times", one.updates)
	}
	w.Hide()
	w.Update(traytest.Calm())
	if one.updates != 2 || w.ended != 1 {
		t.Errorf("a hidden window's page was told %d times; %d ends", one.updates, w.ended)
	}
	w.Go("no such page", nil)
	if !w.Shown() || w.current != page.Overview || one.updates != 3 {
		t.Errorf("%q is shown", w.current)
	}
}

func TestRemembersPageAndSize(t *testing.T) {
	w := open(t, traytest.Light)
	w.Show()
	w.Go(page.Activity, nil)
	w.win.Resize(fyne.NewSize(800, 555))
	w.Hide()
	next := New(w.app, w.o)
	t.Cleanup(next.Close)
	next.Show()
	if size := next.win.Canvas().Size(); next.current != page.Activity || size != fyne.NewSize(800, 555) {
		t.Errorf("%q at %v", next.current, size)
	}
}

func TestAskEndsWithTheWindow(t *testing.T) {
	w := open(t, traytest.Light)
	w.Show()
	ended, called := make(chan error), false
	w.Ask("wait", func(ctx context.Context) error {
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}, func() { called = true })
	w.Hide()
	err := <-ended
	w.next()
	if !errors.Is(err, context.Canceled) || called || w.alert != nil {
		t.Errorf("%v, called %v, alert %v", err, called, w.alert)
	}
	w.Show()
	if w.ctx.Err() != nil {
		t.Error("a window shown anew has an ended context")
	}
}

func TestErrorsAreSentences(t *testing.T) {
	for _, c := range []struct{ doing, err, want string }{
		{"pause Photos", "there is no folder \"Photos\"", "Pause Photos: there is no folder \"Photos\"."},
		{"open", "first line\nsecond line: 0xdeadbeef", "Open: first line."},
		{"", "it is so…", "It is so…"},
		{"take \u202ename", "a\x1b[31mb", "Take \\u202ename: a\\x1b[31mb."},
	} {
		if got := Sentence(c.doing, errors.New(c.err)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if got := Sentence("x", errors.New(strings.Repeat("long ", 500))); len(got) > 320 {
		t.Errorf("%d bytes", len(got))
	}
	w := open(t, traytest.Light)
	w.Show()
	w.fail("pause", &control.Error{Text: "first"})
	w.fail("pause", &control.Error{Text: "second"})
	if n := len(w.win.Canvas().Overlays().List()); n != 1 || w.alert.label.Text != "Pause: first.\nPause: second." {
		t.Errorf("%d dialogs, %q", n, w.alert.label.Text)
	}
	w.win.Canvas().Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyEscape})
	w.fail("pause", &control.Error{Text: "third"})
	if !w.alert.dialog.Open() || w.alert.label.Text != "Pause: third." {
		t.Errorf("after Esc: %q", w.alert.label.Text)
	}
}

func TestKeys(t *testing.T) {
	w := open(t, traytest.Light)
	w.Show()
	w.Update(traytest.Calm())
	c := w.win.Canvas()
	w.shortcut(fyne.Key2)
	if w.current != page.Activity {
		t.Errorf("Ctrl+2 shows %q", w.current)
	}
	w.shortcut(fyne.KeyF)
	if c.Focused() != fyne.Focusable(w.made[page.Activity].content) {
		t.Errorf("Ctrl+F leads to %T", c.Focused())
	}
	w.shortcut(fyne.Key3)
	if w.current != page.Conflicts {
		t.Errorf("Ctrl+3 shows %q", w.current)
	}
	w.shortcut(fyne.Key6) // there is no such page
	dialog := look.NewDialog("x", look.Paragraph("x"), 300, w.win)
	dialog.Show()
	w.shortcut(fyne.Key1)
	if w.current != page.Conflicts {
		t.Errorf("with a dialog open Ctrl+1 shows %q", w.current)
	}
	dialog.Hide()
	c.Focus(w.rail.entries[0])
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyDown})
	c.Focused().TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	if w.current != page.Activity {
		t.Errorf("Down and Return in the rail show %q", w.current)
	}
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyDelete})
	if keys := w.made[page.Activity].keys; len(keys) != 1 {
		t.Errorf("the page was handed %v", keys)
	}
	c.OnTypedKey()(&fyne.KeyEvent{Name: fyne.KeyF5})
	w.next()
	if got := w.engine.Asked(); len(got) != 1 || got[0] != `scan ""` || w.foot.spoken == nil {
		t.Errorf("F5 asks for %q", got)
	}
}

func TestDownAndUpAgain(t *testing.T) {
	w := open(t, traytest.Light)
	w.Show()
	w.Update(traytest.Calm())
	w.Down("")
	if !w.veil.Visible() || len(w.top.Objects) != 1 {
		t.Error("nothing says that the engine is being started")
	}
	w.Down("the engine stopped")
	if !w.veil.Visible() || len(w.top.Objects) != 1 {
		t.Error("nothing says that there is no engine")
	}
	w.fail("pause", &control.Error{Kind: control.KindNotRunning, Text: "no engine answers"})
	if w.win.Canvas().Overlays().Top() != nil {
		t.Error("a dialog lies over the banner")
	}
	w.Update(traytest.Calm())
	if w.veil.Visible() || len(w.top.Objects) != 0 {
		t.Error("the banner stays")
	}
}

func TestCloseWithoutATray(t *testing.T) {
	w := open(t, traytest.Light)
	w.Show()
	w.hides = false
	w.closed()
	if w.Shown() || w.ctx.Err() == nil || w.ended != 1 {
		t.Errorf("shown %v, ended %d", w.Shown(), w.ended)
	}
}

func TestPictures(t *testing.T) {
	for name, c := range map[string]struct {
		variant fyne.ThemeVariant
		state   status.State
		w, h    float32
		down    string
	}{
		"light":  {traytest.Light, traytest.Busy(), 980, 640, ""},
		"dark":   {traytest.Dark, traytest.Trouble(), 980, 640, ""},
		"small":  {traytest.Light, traytest.Calm(), 760, 520, ""},
		"down":   {traytest.Light, traytest.Busy(), 980, 640, "The engine stopped, and was started again; it is not ready yet."},
		"strong": {traytest.Dark, traytest.Calm(), 760, 520, "Another program uses Pinion's directory."},
	} {
		w := open(t, c.variant)
		w.o.Pages[0].New = func(h page.Host) page.Page { return overview.New(h) }
		w.o.Start = func() {}
		w.Show()
		w.win.Resize(fyne.NewSize(c.w, c.h))
		w.Update(c.state)
		if c.down != "" {
			w.Down(c.down)
		}
		traytest.Picture(t, w.win.Canvas(), "window-"+name)
		if c.variant == traytest.Light {
			traytest.Markup(t, w.win.Canvas(), name)
		}
	}
	w := open(t, traytest.Light)
	w.Show()
	w.win.Resize(fyne.NewSize(760, 520))
	w.fail("Pause Photos", errors.New("there is no folder of that name any more; it was removed on attic-pi"))
	traytest.Picture(t, w.win.Canvas(), "window-error")
}
