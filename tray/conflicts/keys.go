package conflicts

import (
	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"
)

// keyList is a list that leaves the keys to the page.
type keyList struct {
	widget.List
	keys func(*fyne.KeyEvent)
}

func newKeyList(n func() int, make func() fyne.CanvasObject, set func(widget.ListItemID, fyne.CanvasObject), keys func(*fyne.KeyEvent)) *keyList {
	l := &keyList{keys: keys}
	l.Length, l.CreateItem, l.UpdateItem = n, make, set
	l.ExtendBaseWidget(l)
	return l
}

// TypedKey belongs to Fyne.
func (l *keyList) TypedKey(e *fyne.KeyEvent) { l.keys(e) }

// keyButton is a button that leaves all keys but its own to the page.
type keyButton struct {
	widget.Button
	keys func(*fyne.KeyEvent)
}

func newKeyButton(text string, icon fyne.Resource, keys func(*fyne.KeyEvent), tapped func()) *keyButton {
	b := &keyButton{keys: keys}
	b.Text, b.Icon, b.OnTapped = text, icon, tapped
	b.ExtendBaseWidget(b)
	return b
}

// TypedKey belongs to Fyne.
func (b *keyButton) TypedKey(e *fyne.KeyEvent) {
	switch e.Name {
	case fyne.KeySpace, fyne.KeyReturn, fyne.KeyEnter:
		if !b.Disabled() && b.OnTapped != nil {
			b.OnTapped()
		}
	default:
		b.keys(e)
	}
}

// keyEntry is an editor of several lines that Escape leaves.
type keyEntry struct {
	widget.Entry
	left func()
}

func newKeyEntry(left func()) *keyEntry {
	e := &keyEntry{left: left}
	e.MultiLine, e.Wrapping = true, fyne.TextWrapOff
	e.TextStyle = mono
	e.ExtendBaseWidget(e)
	return e
}

// TypedKey belongs to Fyne.
func (e *keyEntry) TypedKey(k *fyne.KeyEvent) {
	if k.Name == fyne.KeyEscape {
		e.left()
		return
	}
	e.Entry.TypedKey(k)
}
