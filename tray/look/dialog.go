package look

import (
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/widget"
)

// Dialog is a question or a form over the window. Its buttons stand at the lower
// right, what closes it first; Esc closes it too.
type Dialog struct {
	w       fyne.Window
	popup   *widget.PopUp
	over    fyne.CanvasObject // the popup as it lies over the window
	content *fyne.Container
	width   float32
	closed  func()
}

// NewDialog makes a dialog of some width.
func NewDialog(title string, content fyne.CanvasObject, width float32, w fyne.Window, buttons ...fyne.CanvasObject) *Dialog {
	column := Column(Apart, SubHeading(title), content)
	if len(buttons) > 0 {
		column.Add(Space(0, 2))
		column.Add(Line(8, append([]fyne.CanvasObject{layout.NewSpacer()}, buttons...)...))
	}
	framed := Pad(column, 18, Margin)
	return &Dialog{w: w, content: framed, width: min(width, w.Canvas().Size().Width-2*Margin)}
}

// Show brings it up.
func (d *Dialog) Show() {
	if d.Open() {
		return
	}
	d.popup = widget.NewModalPopUp(d.content, d.w.Canvas())
	d.popup.Resize(fyne.NewSize(d.width, 0)) // before it is seen: what wraps has its width then
	d.popup.Show()
	d.over = d.w.Canvas().Overlays().Top()
	d.Fit()
}

// Hide closes it.
func (d *Dialog) Hide() {
	if !d.Open() {
		return
	}
	d.popup.Hide()
	if d.closed != nil {
		d.closed()
	}
}

// SetOnClosed has f called when Hide closes it; Esc does not.
func (d *Dialog) SetOnClosed(f func()) { d.closed = f }

// Fit makes it as high as what it holds has come to be, and puts it in the middle.
func (d *Dialog) Fit() {
	if d.popup == nil {
		return
	}
	high := float32(-1)
	for range 4 { // what wraps has its width only once it was laid out
		d.content.Refresh()
		d.popup.Resize(fyne.NewSize(d.width, 0))
		h := d.popup.MinSize().Height
		if h == high {
			break
		}
		high = h
	}
	d.popup.Refresh()
}

// Open says whether it can still be seen, however it was closed.
func (d *Dialog) Open() bool {
	return d.over != nil && slices.Contains(d.w.Canvas().Overlays().List(), d.over)
}

// Confirm asks once before something is done: what it means in a sentence, and a
// button that names it. grave colours that button.
func Confirm(title, sentence, do string, grave bool, w fyne.Window, yes func()) {
	var d *Dialog
	ok := NewButton(do, nil, func() { d.Hide(); yes() }).Main()
	if grave {
		ok.Grave()
	}
	no := NewButton(lang.L("Cancel"), nil, func() { d.Hide() })
	d = NewDialog(title, Flush(Paragraph(sentence)), 460, w, no, ok)
	d.Show()
	w.Canvas().Focus(no)
}

// Prompt asks for one line of text.
func Prompt(title, sentence, text, do string, w fyne.Window, yes func(string)) {
	var d *Dialog
	field := NewField("")
	field.SetText(text)
	done := func() {
		if field.Text != "" {
			d.Hide()
			yes(field.Text)
		}
	}
	field.OnSubmitted = func(string) { done() }
	content := Column(Near, Flush(Paragraph(sentence)), field)
	d = NewDialog(title, content, 460, w,
		NewButton(lang.L("Cancel"), nil, func() { d.Hide() }), NewButton(do, nil, done).Main())
	d.Show()
	w.Canvas().Focus(field)
}
