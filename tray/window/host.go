package window

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

func (w *Window) Engine() control.Engine  { return w.o.Engine }
func (w *Window) Window() fyne.Window     { return w.win }
func (w *Window) Now() time.Time          { return w.o.Now() }
func (w *Window) Prefs() fyne.Preferences { return w.app.Preferences() }

// Ask runs f beside Fyne's goroutine and done on it. What was asked when the window
// was closed ends unheard.
func (w *Window) Ask(doing string, f func(context.Context) error, done func()) {
	ctx := w.ctx
	go func() {
		err := f(ctx)
		w.do(func() {
			switch {
			case ctx.Err() != nil:
			case err != nil:
				w.fail(doing, err)
			case done != nil:
				done()
			}
		})
	}()
}

// Say shows a sentence at the foot for a while.
func (w *Window) Say(sentence string) { w.foot.say(sentence) }

// Open opens a path with the desktop's program for it.
func (w *Window) Open(path string) { w.with(lang.L("Open"), path, w.o.Open) }

// Reveal shows a path in the file manager.
func (w *Window) Reveal(path string) { w.with(lang.L("Show in the file manager"), path, w.o.Reveal) }

func (w *Window) with(doing, path string, f func(string) error) {
	if f == nil {
		w.fail(doing, errors.New(lang.L("this desktop has no way to do that")))
		return
	}
	w.Ask(doing, func(context.Context) error { return f(path) }, nil)
}

// fail shows an error as one sentence. Without an engine the banner says why, and a
// second dialog would only be in the way.
func (w *Window) fail(doing string, err error) {
	if errors.Is(err, context.Canceled) {
		return
	}
	text := Sentence(doing, err)
	if w.down {
		w.Say(text)
		return
	}
	if w.alert != nil && w.alert.dialog.Open() {
		w.alert.say(text)
		return
	}
	w.alert = showAlert(text, w.win)
}

// Sentence makes "doing: error" fit to be read: one line, bounded, without what
// could break it, ending as sentences do.
func Sentence(doing string, err error) string {
	text, _, _ := strings.Cut(strings.TrimSpace(err.Error()), "\n")
	text = strings.TrimRight(present.Clean(text, 300), " .:")
	if doing != "" {
		text = present.Clean(doing, 120) + ": " + text
	}
	if text == "" {
		return ""
	}
	r, n := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(r)) + text[n:]
	if strings.HasSuffix(text, "…") || strings.HasSuffix(text, "!") || strings.HasSuffix(text, "?") {
		return text
	}
	return text + "."
}

// alert is the one dialog that says what failed; what fails while it is open is
// said below.
type alert struct {
	dialog *look.Dialog
	lines  []string
	label  *widget.Label
}

const alertLines = 4

func showAlert(text string, win fyne.Window) *alert {
	a := &alert{lines: []string{text}, label: look.Paragraph(text)}
	ok := look.NewButton(lang.L("Close"), nil, func() { a.dialog.Hide() }).Main()
	a.dialog = look.NewDialog(lang.L("That did not work"), look.Flush(a.label), 460, win, ok)
	a.dialog.Show()
	win.Canvas().Focus(ok)
	return a
}

func (a *alert) say(text string) {
	for _, l := range a.lines {
		if l == text {
			return
		}
	}
	if len(a.lines) < alertLines {
		a.lines = append(a.lines, text)
		a.label.SetText(strings.Join(a.lines, "\n"))
		a.dialog.Fit()
	}
}
