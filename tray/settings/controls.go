package settings

import (
	"errors"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"
	"github.com/dustin/go-humanize"

	"pinion/tray/look"
)

type data = map[string]any

// edit is a field whose text is taken when the person is done with it: on Enter, or
// when another field is gone to. Esc brings back what holds.
type edit struct {
	widget.Entry
	holds string
	take  func(text string)
}

func newEdit(placeholder string, take func(string)) *edit {
	e := &edit{take: take}
	e.ExtendBaseWidget(e)
	e.PlaceHolder = placeholder
	e.OnSubmitted = func(string) { e.done() }
	return e
}

// show sets what holds, unless the person is typing.
func (e *edit) show(text string) {
	mine := e.Text == e.holds
	e.holds = text
	if mine && e.Text != text {
		e.SetText(text)
	}
}

func (e *edit) done() {
	if e.Text != e.holds {
		e.take(strings.TrimSpace(e.Text))
	}
}

// taken says that the text holds now.
func (e *edit) taken() { e.holds = e.Text }

// FocusLost takes the text.
func (e *edit) FocusLost() {
	e.Entry.FocusLost()
	e.done()
}

// TypedKey brings back what holds on Esc.
func (e *edit) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyEscape {
		e.SetText(e.holds)
		return
	}
	e.Entry.TypedKey(k)
}

// TypedShortcut hands the window's shortcuts to the window.
func (e *edit) TypedShortcut(s fyne.Shortcut) {
	if k, ok := s.(fyne.KeyboardShortcut); ok && look.WindowKey(k.Key()) {
		if c, ok := fyne.CurrentApp().Driver().CanvasForObject(e).(fyne.Shortcutable); ok {
			c.TypedShortcut(s)
			return
		}
	}
	e.Entry.TypedShortcut(s)
}

// choice is one of several values, each with its words.
type choice[T comparable] struct {
	*widget.Select
	values []T
	other  func(T) string // words for a value that is not among them; nil: none can be
}

// option is a value and its words.
type option[T comparable] struct {
	value T
	words string
}

func newChoice[T comparable](p *Page, other func(T) string, taken func(T), list ...option[T]) *choice[T] {
	c := &choice[T]{other: other}
	var words []string
	for _, o := range list {
		c.values, words = append(c.values, o.value), append(words, o.words)
	}
	c.Select = widget.NewSelect(words, func(string) {
		if i := c.SelectedIndex(); !p.filling && i >= 0 {
			taken(c.values[i])
		}
	})
	return c
}

// show sets what holds.
func (c *choice[T]) show(v T) {
	i := slices.Index(c.values, v)
	if i < 0 && c.other != nil {
		i = len(c.values)
		c.values, c.Options = append(c.values, v), append(c.Options, c.other(v))
	}
	if i != c.SelectedIndex() {
		c.SetSelectedIndex(i)
	}
}

// newCheck is a switch.
func newCheck(p *Page, taken func(bool)) *widget.Check {
	return widget.NewCheck("", func(on bool) {
		if !p.filling {
			taken(on)
		}
	})
}

// flush puts a switch at the right edge: it keeps room for a text that it has not.
func flush(check *widget.Check) fyne.CanvasObject {
	return container.New(layout.NewCustomPaddedLayout(-4, -4, 0, -8), check)
}

// size reads a number of bytes; "" is 0.
func size(text string) (int64, error) {
	text = strings.TrimSuffix(strings.TrimSpace(strings.ToLower(text)), "/s")
	if text == "" || text == "0" {
		return 0, nil
	}
	n, err := humanize.ParseBytes(text)
	if err != nil || n == 0 || n > 1<<50 {
		return 0, errors.New(lang.L("Write a size such as 500 KB, 20 MB or 1.5 GB"))
	}
	return int64(n), nil
}

// exactly writes a number of bytes so that size reads the same again; "" of 0.
func exactly(n int64) string {
	if n <= 0 {
		return ""
	}
	for _, u := range []struct {
		name string
		size int64
	}{{"TB", 1e12}, {"TiB", 1 << 40}, {"GB", 1e9}, {"GiB", 1 << 30}, {"MB", 1e6}, {"MiB", 1 << 20}, {"KB", 1e3}, {"KiB", 1 << 10}} {
		if n%u.size == 0 {
			return strconv.FormatInt(n/u.size, 10) + " " + u.name
		}
		if n > u.size && n*10%u.size == 0 {
			return strconv.FormatFloat(float64(n)/float64(u.size), 'f', 1, 64) + " " + u.name
		}
	}
	return strconv.FormatInt(n, 10) + " B"
}

// capital begins a sentence.
func capital(s string) string {
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	return string(unicode.ToUpper(r)) + strings.TrimRight(s[n:], " .")
}
