package history

import (
	"math"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/canvas"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/tray/look"
	"pinion/tray/present"
)

// strip is the days up to today, each a bar as high as much was changed. A tap on
// one, or the arrow keys, choose the day.
type strip struct {
	widget.BaseWidget
	chosen func(day time.Time) // is told of the midnight at which a day begins
	said   func(text string)   // what the day under the pointer is; "" when there is none

	now     time.Time
	changes []int64 // of days; the last one is today
	day     int     // that is chosen; -1: none
	under   int     // that the pointer is over; -1: none
	focused bool
}

var (
	_ fyne.Focusable     = (*strip)(nil)
	_ fyne.Tappable      = (*strip)(nil)
	_ desktop.Hoverable  = (*strip)(nil)
	_ desktop.Cursorable = (*strip)(nil)
)

// stripDays is how far the days go back.
const (
	stripDays = 42
	stripHigh = 34
	stripGap  = 2
)

func newStrip(chosen func(time.Time), said func(string)) *strip {
	s := &strip{chosen: chosen, said: said, day: -1, under: -1}
	s.ExtendBaseWidget(s)
	return s
}

// bounds are the midnights between which changes are counted: of the days, and of
// tomorrow.
func bounds(now time.Time) []time.Time {
	out := make([]time.Time, 0, stripDays+1)
	for i := -stripDays + 1; i <= 1; i++ {
		out = append(out, midnight(now).AddDate(0, 0, i))
	}
	return out
}

// set shows other days.
func (s *strip) set(changes []int64, now time.Time) {
	s.changes, s.now = changes, now
	s.Refresh()
}

// choose marks the day of a moment; nil marks none.
func (s *strip) choose(at *time.Time) {
	day := -1
	if at != nil {
		if back := s.back(*at); back >= 0 && back < len(s.changes) {
			day = len(s.changes) - 1 - back
		}
	}
	if day != s.day {
		s.day = day
		s.Refresh()
	}
}

// back is how many days before today a moment is.
func (s *strip) back(at time.Time) int {
	return int(math.Round(midnight(s.now).Sub(midnight(at.In(s.now.Location()))).Hours() / 24))
}

func (s *strip) begin(i int) time.Time {
	return midnight(s.now).AddDate(0, 0, i-len(s.changes)+1)
}

func (s *strip) at(x float32) int {
	if len(s.changes) == 0 || x < 0 || x >= s.Size().Width {
		return -1
	}
	return min(int(x/s.Size().Width*float32(len(s.changes))), len(s.changes)-1)
}

func (s *strip) pick(i int) {
	if i >= 0 && i < len(s.changes) {
		s.day = i
		s.Refresh()
		s.chosen(s.begin(i))
	}
}

// Tapped chooses a day.
func (s *strip) Tapped(e *fyne.PointEvent) {
	if c := fyne.CurrentApp().Driver().CanvasForObject(s); c != nil {
		c.Focus(s)
	}
	s.pick(s.at(e.Position.X))
}

func (s *strip) MouseIn(e *desktop.MouseEvent)    { s.hover(s.at(e.Position.X)) }
func (s *strip) MouseMoved(e *desktop.MouseEvent) { s.hover(s.at(e.Position.X)) }
func (s *strip) MouseOut()                        { s.hover(-1) }
func (s *strip) Cursor() desktop.Cursor           { return desktop.PointerCursor }
func (s *strip) TypedRune(rune)                   {}

func (s *strip) hover(i int) {
	if i == s.under {
		return
	}
	s.under = i
	s.said(s.words(i))
	s.Refresh()
}

// words say what a day was.
func (s *strip) words(i int) string {
	if i < 0 || i >= len(s.changes) {
		return ""
	}
	d := day(s.begin(i).Add(12*time.Hour), s.now)
	switch n := s.changes[i]; n {
	case 0:
		return lang.L("{{.Day}}: no changes", data{"Day": d})
	case 1:
		return lang.L("{{.Day}}: 1 change", data{"Day": d})
	default:
		return lang.L("{{.Day}}: {{.N}} changes", data{"Day": d, "N": present.Number(n)})
	}
}

// FocusGained and FocusLost draw the edge.
func (s *strip) FocusGained() { s.focused = true; s.Refresh() }
func (s *strip) FocusLost()   { s.focused = false; s.Refresh() }

// TypedKey goes from day to day.
func (s *strip) TypedKey(e *fyne.KeyEvent) {
	i := s.day
	if i < 0 {
		i = len(s.changes)
	}
	switch e.Name {
	case fyne.KeyLeft:
		s.pick(max(0, i-1))
	case fyne.KeyRight:
		s.pick(min(len(s.changes)-1, i+1))
	default:
		if c := fyne.CurrentApp().Driver().CanvasForObject(s); c != nil && c.OnTypedKey() != nil {
			c.OnTypedKey()(e)
		}
	}
}

// AccessibilityLabel is what is read aloud.
func (s *strip) AccessibilityLabel() string {
	if s.day >= 0 {
		return s.words(s.day)
	}
	return lang.L("Days with changes")
}

// CreateRenderer belongs to Fyne.
func (s *strip) CreateRenderer() fyne.WidgetRenderer {
	r := &stripRenderer{of: s, edge: canvas.NewRectangle(nil)}
	r.Refresh()
	return r
}

type stripRenderer struct {
	of   *strip
	edge *canvas.Rectangle
	bars []fyne.CanvasObject
}

func (r *stripRenderer) MinSize() fyne.Size { return fyne.NewSize(200, stripHigh) }

func (r *stripRenderer) Layout(size fyne.Size) {
	r.edge.Resize(size)
	n := len(r.bars)
	if n == 0 {
		return
	}
	most := int64(1)
	for _, c := range r.of.changes {
		most = max(most, c)
	}
	step := size.Width / float32(n)
	for i, o := range r.bars {
		h := float32(3)
		if c := r.of.changes[i]; c > 0 { // a few are seen beside many
			h = 8 + (size.Height-8)*float32(math.Log1p(float64(c))/math.Log1p(float64(most)))
		}
		o.Move(fyne.NewPos(float32(i)*step+stripGap/2, size.Height-h))
		o.Resize(fyne.NewSize(max(2, step-stripGap), h))
	}
}

func (r *stripRenderer) Refresh() {
	s := r.of
	th, v := s.Theme(), fyne.CurrentApp().Settings().ThemeVariant()
	for len(r.bars) < len(s.changes) {
		bar := canvas.NewRectangle(nil)
		bar.CornerRadius = 2
		r.bars = append(r.bars, bar)
	}
	r.bars = r.bars[:len(s.changes)]
	primary := th.Color(theme.ColorNamePrimary, v)
	for i, o := range r.bars {
		bar := o.(*canvas.Rectangle)
		switch {
		case i == s.day:
			bar.FillColor = primary
		case s.changes[i] == 0:
			bar.FillColor = th.Color(look.ColorTrack, v)
		case i == s.under:
			bar.FillColor = look.Faint(primary, 0xa0)
		default:
			bar.FillColor = look.Faint(primary, 0x58)
		}
	}
	r.edge.FillColor, r.edge.CornerRadius = nil, 4
	r.edge.StrokeWidth = 0
	if s.focused {
		r.edge.StrokeColor, r.edge.StrokeWidth = th.Color(theme.ColorNameFocus, v), 2
	}
	r.Layout(s.Size())
	canvas.Refresh(s)
}

func (r *stripRenderer) Objects() []fyne.CanvasObject {
	return append([]fyne.CanvasObject{r.edge}, r.bars...)
}
func (r *stripRenderer) Destroy() {}
