package tray

import (
	"fyne.io/fyne/v2"

	"pinion/platform/autostart"
	"pinion/platform/dirs"
	"pinion/platform/opener"
	"pinion/tray/guide"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
	"pinion/tray/window"
)

type shownWindow = window.Window

// ui is what belongs to Fyne's goroutine.
type ui struct {
	win  *window.Window
	view present.View // as it was told last

	greeted bool // the first-run guide had its chance
}

// openWindow shows the window; then, which may be nil, is called with it. It may be
// called on any goroutine but Fyne's, and returns at once: what is asked for before
// Fyne runs is done when it does.
func (t *tray) openWindow(then func(*shownWindow)) {
	view := t.view.View
	t.shown.Store(true) // what is news until Fyne gets to it comes after it
	fyne.Do(func() {
		w := t.window()
		if !w.Shown() {
			t.ui.view = view
		}
		t.shown.Store(true)
		w.Show()
		t.tell(w)
		if then != nil {
			then(w)
		}
	})
	ask(t.want)
}

func (t *tray) openPage(name string, arg any) {
	t.openWindow(func(w *shownWindow) { w.Go(name, arg) })
}

// openGuide shows a page and a dialog over it.
func (t *tray) openGuide(name string, dialog func(page.Host)) {
	fyne.Do(func() { t.ui.greeted = true }) // one dialog at a time
	t.openWindow(func(w *shownWindow) {
		w.Go(name, nil)
		dialog(w)
	})
}

// openedBy calls f with the window if one was asked for, when it is there.
func (t *tray) openedBy(f func(*shownWindow)) {
	if !t.o.Hidden {
		fyne.Do(func() { f(t.window()) })
	}
}

// onWindow calls f with the window if it is shown.
func (t *tray) onWindow(f func(*shownWindow)) {
	if t.shown.Load() {
		fyne.Do(func() {
			if t.ui.win != nil {
				f(t.ui.win)
			}
		})
	}
}

// tellWindow hands on what is known, while somebody looks.
func (t *tray) tellWindow(v present.View) {
	t.onWindow(func(w *shownWindow) {
		t.ui.view = v
		t.tell(w)
	})
}

func (t *tray) tell(w *shownWindow) {
	v := t.ui.view
	if !v.Up {
		w.Down(v.Reason)
		return
	}
	w.Update(v.State)
	if !t.ui.greeted {
		if t.ui.greeted = true; guide.Due(v.State, t.app.Preferences()) {
			guide.FirstRun(w, v.State)
		}
	}
}

// window makes the window when it is first asked for.
func (t *tray) window() *window.Window {
	if t.ui.win == nil {
		t.app.Settings().SetTheme(look.Chosen(t.app.Preferences()))
		t.app.SetIcon(fyne.NewStaticResource("pinion.svg", look.AppIcon()))
		t.ui.win = window.New(t.app, window.Options{
			Engine: t.link.Engine(), Pages: t.pages(), Open: t.open, Reveal: t.reveal,
			Hides: func() bool { return true },
			Closed: func() {
				t.shown.Store(false)
				ask(t.closed)
			},
			Start: t.link.Again,
		})
	}
	return t.ui.win
}

func (t *tray) open(path string) error   { return opener.Open(t.ctx, path) }
func (t *tray) reveal(path string) error { return opener.Reveal(t.ctx, path) }

// login is the entry that starts the tray at login.
type login struct{ o Options }

func (l login) Enabled() (bool, error) { return autostart.Enabled() }

func (l login) Set(on bool) error {
	if !on {
		return autostart.Disable()
	}
	args := []string{"--hidden"}
	if usual, err := dirs.Config(); err != nil || usual != l.o.Home {
		args = append(args, "--home", l.o.Home)
	}
	return autostart.Enable(l.o.Exe, args...)
}
