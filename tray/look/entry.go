package look

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Escape closes what lies on top of the window, if something does.
func Escape(c fyne.Canvas) bool {
	if c == nil || c.Overlays().Top() == nil {
		return false
	}
	top := c.Overlays().Top()
	top.Hide()
	c.Overlays().Remove(top) // hidden alone it would still lie over the window
	return true
}

// Filter is a field to type what a list is narrowed to. Unlike a plain entry it
// leaves the window's keys to the window; Esc empties it.
type Filter struct {
	widget.Entry
}

// NewFilter makes a field that calls changed with each change.
func NewFilter(placeholder string, changed func(string)) *Filter {
	f := &Filter{}
	f.ExtendBaseWidget(f)
	f.PlaceHolder = placeholder
	f.Icon = theme.SearchIcon()
	f.OnChanged = changed
	return f
}

// TypedShortcut hands the window's shortcuts to the window.
func (f *Filter) TypedShortcut(s fyne.Shortcut) {
	if !toWindow(f, s) {
		f.Entry.TypedShortcut(s)
	}
}

// TypedKey empties the field on Esc, or leaves it.
func (f *Filter) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape {
		if c := canvasOf(f); f.Text == "" && c != nil {
			c.Unfocus()
		}
		f.SetText("")
		return
	}
	f.Entry.TypedKey(e)
}

// Field is an entry for dialogs: Esc closes the dialog, also from within it.
type Field struct {
	widget.Entry
}

// NewField makes an empty one.
func NewField(placeholder string) *Field {
	f := &Field{}
	f.ExtendBaseWidget(f)
	f.PlaceHolder = placeholder
	return f
}

// TypedShortcut hands the window's shortcuts to the window.
func (f *Field) TypedShortcut(s fyne.Shortcut) {
	if !toWindow(f, s) {
		f.Entry.TypedShortcut(s)
	}
}

// TypedKey closes the dialog on Esc.
func (f *Field) TypedKey(e *fyne.KeyEvent) {
	if e.Name == fyne.KeyEscape && Escape(canvasOf(f)) {
		return
	}
	f.Entry.TypedKey(e)
}

// Button is a button that Esc reaches the dialog through, and F-keys the window.
type Button struct {
	widget.Button
}

// NewButton makes a button; icon may be nil.
func NewButton(text string, icon fyne.Resource, tapped func()) *Button {
	b := &Button{}
	b.ExtendBaseWidget(b)
	b.Text, b.Icon, b.OnTapped = text, icon, tapped
	return b
}

// Main makes it the one that stands out.
func (b *Button) Main() *Button { b.Importance = widget.HighImportance; return b }

// Low makes it one of the quiet ones.
func (b *Button) Low() *Button { b.Importance = widget.LowImportance; return b }

// Grave marks what can't be taken back easily.
func (b *Button) Grave() *Button { b.Importance = widget.DangerImportance; return b }

// TypedKey passes on what a button has no use for.
func (b *Button) TypedKey(e *fyne.KeyEvent) {
	switch c := canvasOf(b); {
	case e.Name == fyne.KeyEscape && Escape(c):
	case e.Name == fyne.KeyReturn || e.Name == fyne.KeyEnter: // a focused button is pressed by both
		b.Button.TypedKey(&fyne.KeyEvent{Name: fyne.KeySpace})
	case e.Name == fyne.KeySpace:
		b.Button.TypedKey(e)
	case c != nil && c.OnTypedKey() != nil:
		c.OnTypedKey()(e)
	}
}

func canvasOf(o fyne.CanvasObject) fyne.Canvas { return fyne.CurrentApp().Driver().CanvasForObject(o) }

// toWindow lets the window's own shortcuts through, which an entry would swallow.
func toWindow(o fyne.CanvasObject, s fyne.Shortcut) bool {
	k, ok := s.(fyne.KeyboardShortcut)
	if !ok || !WindowKey(k.Key()) {
		return false
	}
	c, ok := canvasOf(o).(fyne.Shortcutable)
	if ok {
		c.TypedShortcut(s)
	}
	return ok
}

// WindowKey says whether a key, with Ctrl or Cmd, belongs to the window.
func WindowKey(k fyne.KeyName) bool {
	switch k {
	case fyne.Key1, fyne.Key2, fyne.Key3, fyne.Key4, fyne.Key5, fyne.Key6, fyne.KeyF, fyne.KeyW:
		return true
	}
	return false
}
