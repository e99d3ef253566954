package look

import (
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"
)

// Text is one line of plain text. What does not fit ends in an ellipsis, or
// begins with one where the end says more. Unlike a widget.Label it has no
// padding of its own, any colour, and costs one canvas object.
type Text struct {
	widget.BaseWidget
	text  string
	color fyne.ThemeColorName
	size  fyne.ThemeSizeName
	style fyne.TextStyle
	align fyne.TextAlign
	whole bool // never cut
	tail  bool // cut at the front
}

// NewText is a line in the ordinary colour.
func NewText(text string) *Text {
	t := &Text{text: text, color: theme.ColorNameForeground, size: theme.SizeNameText}
	t.ExtendBaseWidget(t)
	return t
}

// Strong is a line in bold.
func Strong(text string) *Text {
	t := NewText(text)
	t.style.Bold = true
	return t
}

// Secondary is a small line in a quieter colour: what is told beside the main thing.
func Secondary(text string) *Text {
	t := NewText(text)
	t.color, t.size = ColorSecondary, SizeSmall
	return t
}

// Heading is the title of a page.
func Heading(text string) *Text {
	t := Strong(text)
	t.size = theme.SizeNameHeadingText
	return t
}

// SubHeading is the title of a card or a section.
func SubHeading(text string) *Text {
	t := Strong(text)
	t.size = theme.SizeNameSubHeadingText
	return t
}

// Whole says that the text is never cut: its whole width is asked for.
func (t *Text) Whole() *Text { t.whole = true; return t }

// Tail cuts at the front: of a path the end says most.
func (t *Text) Tail() *Text { t.tail = true; return t }

// Align places the text in its width.
func (t *Text) Align(a fyne.TextAlign) *Text { t.align = a; return t }

// Sized changes the size.
func (t *Text) Sized(name fyne.ThemeSizeName) *Text { t.size = name; return t }

// Colored changes the colour, to begin with.
func (t *Text) Colored(name fyne.ThemeColorName) *Text { t.color = name; return t }

// Text is what the line says, uncut.
func (t *Text) Text() string { return t.text }

// SetText changes what the line says.
func (t *Text) SetText(text string) {
	if t.text != text {
		t.text = text
		t.Refresh()
	}
}

// SetColor changes the colour.
func (t *Text) SetColor(name fyne.ThemeColorName) {
	if t.color != name {
		t.color = name
		t.Refresh()
	}
}

// Set changes both.
func (t *Text) Set(text string, name fyne.ThemeColorName) {
	if t.text != text || t.color != name {
		t.text, t.color = text, name
		t.Refresh()
	}
}

// AccessibilityLabel is what is read aloud.
func (t *Text) AccessibilityLabel() string { return t.text }

// CreateRenderer belongs to Fyne.
func (t *Text) CreateRenderer() fyne.WidgetRenderer {
	r := &textRenderer{of: t, line: canvas.NewText("", nil)}
	r.dress()
	return r
}

type textRenderer struct {
	of   *Text
	line *canvas.Text
	size fyne.Size

	// What was cut last, so that a list that scrolls need not measure again.
	cutText  string
	cutWidth float32
}

func (r *textRenderer) dress() {
	th, v := r.of.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	r.line.Color = th.Color(r.of.color, v)
	r.line.TextSize = th.Size(r.of.size)
	r.line.TextStyle = r.of.style
	r.line.Alignment = r.of.align
	r.cut()
}

func (r *textRenderer) cut() {
	width := r.size.Width
	if r.of.whole || width <= 0 {
		r.line.Text, r.cutText = r.of.text, ""
		return
	}
	if r.cutText == r.of.text && r.cutWidth == width && r.cutText != "" {
		return
	}
	r.cutText, r.cutWidth = r.of.text, width
	r.line.Text = Cut(r.of.text, width, r.of.tail, func(s string) float32 {
		return fyne.MeasureText(s, r.line.TextSize, r.line.TextStyle).Width
	})
}

func (r *textRenderer) Layout(size fyne.Size) {
	r.size = size
	r.cut()
	r.line.Resize(size)
}

func (r *textRenderer) MinSize() fyne.Size {
	if r.of.whole {
		return fyne.MeasureText(r.of.text, r.line.TextSize, r.line.TextStyle)
	}
	// A short text is not worth cutting; a long one keeps room for a few letters.
	full := fyne.MeasureText("Mg", r.line.TextSize, r.line.TextStyle)
	return fyne.NewSize(full.Width*1.5, full.Height)
}

func (r *textRenderer) Refresh() {
	r.dress()
	r.line.Refresh()
}

func (r *textRenderer) Objects() []fyne.CanvasObject { return []fyne.CanvasObject{r.line} }
func (r *textRenderer) Destroy()                     {}

// Cut shortens text to a width: with an ellipsis at its end, or in front of its tail.
func Cut(text string, width float32, tail bool, measure func(string) float32) string {
	if measure(text) <= width {
		return text
	}
	runes := []rune(text)
	part := func(n int) string {
		if tail {
			return "…" + string(runes[len(runes)-n:])
		}
		return string(runes[:n]) + "…"
	}
	low, high := 0, len(runes) // part(low) fits, or low is 0
	for low+1 < high {
		if mid := (low + high) / 2; measure(part(mid)) <= width {
			low = mid
		} else {
			high = mid
		}
	}
	return part(low)
}

// Wrapped is how many lines a text takes that is wrapped at words, at most 12.
func Wrapped(text string, width, size float32) int {
	lines, line := 1, ""
	for _, word := range strings.Fields(text) {
		longer := word
		if line != "" {
			longer = line + " " + word
		}
		w := fyne.MeasureText(longer, size, fyne.TextStyle{}).Width
		switch {
		case w <= width:
			line = longer
		case line == "": // one long word is broken
			lines += int(w / max(width, 1))
		default:
			lines, line = lines+1, word
		}
		if lines >= 12 {
			return 12
		}
	}
	return lines
}

// Paragraph is text that wraps at words. It is a widget.Label: its text can be
// changed by SetText.
func Paragraph(text string) *widget.Label {
	l := widget.NewLabel(text)
	l.Wrapping = fyne.TextWrapWord
	return l
}

// Quiet is a paragraph in the colour of Secondary.
func Quiet(text string) *widget.Label {
	l := Paragraph(text)
	l.Importance = widget.LowImportance
	return l
}
