package guide

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/tray/page"
	"pinion/tray/present"
)

type data = map[string]any

const nameWidth = 48 // runes of a name in a sentence

func name(s string) string { return present.CleanName(s, nameWidth) }

// sentence makes an error fit to be read in a dialog; "" of none.
func sentence(err error) string {
	if err == nil {
		return ""
	}
	var e *control.Error
	text := err.Error()
	if errors.As(err, &e) {
		text = e.Text
	}
	r, n := utf8.DecodeRuneInString(text)
	text = string(unicode.ToUpper(r)) + strings.TrimRight(text[n:], " .")
	return present.Clean(text, 300) + "."
}

// world is the Host, and the clock of what waits.
type world struct {
	page.Host
	// later runs f on Fyne's goroutine after a while; what it gives stops that.
	later func(d time.Duration, f func()) (stop func())
}

func around(h page.Host) world {
	return world{h, func(d time.Duration, f func()) func() {
		t := time.AfterFunc(d, func() { fyne.Do(f) })
		return func() { t.Stop() }
	}}
}

// try asks the engine; what goes wrong is handed on, to be said in the dialog.
func try(h world, ask func(context.Context) error, then func(err error)) {
	var wrong error
	h.Ask("", func(ctx context.Context) error {
		wrong = ask(ctx)
		return ctx.Err()
	}, func() { then(wrong) })
}

// cancel is what every dialog has.
func cancelWord() string { return lang.L("Cancel") }
