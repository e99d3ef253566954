package look

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/test"

	"pinion/engine/status"
)

func TestCut(t *testing.T) {
	letters := func(s string) float32 { return float32(utf8.RuneCountInString(s)) }
	for _, c := range []struct {
		text  string
		width float32
		tail  bool
		want  string
	}{
		{"report.odt", 10, false, "report.odt"},
		{"report.odt", 7, false, "report…"},
		{"/home/pat/report.odt", 11, true, "…report.odt"},
		{"ÄÖÜ", 2, false, "Ä…"},
		{"abc", 0, false, "…"},
		{"", 0, true, ""},
	} {
		if got := Cut(c.text, c.width, c.tail, letters); got != c.want {
			t.Errorf("%q at %v: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// TestWrapped: the lines that are reckoned are those that a label comes to have.
func TestWrapped(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(Theme{})
	w := test.NewTempWindow(t, nil)
	size := Theme{}.Size("text")
	one := Paragraph("x").MinSize().Height
	for _, text := range []string{"x", "A big change waits for your answer.", strings.Repeat("some words of middling length and ", 6), strings.Repeat("unbroken", 30)} {
		for _, width := range []float32{150, 333, 700} {
			l := Paragraph(text)
			w.SetContent(container.NewWithoutLayout(l))
			l.Resize(fyne.NewSize(width+16, 0))
			lines := 1 + int((l.MinSize().Height-one)/(fyne.MeasureText("Mg", size, fyne.TextStyle{}).Height)+0.3)
			if got := Wrapped(text, width, size); got != min(lines, 12) {
				t.Errorf("%.30q at %v: %d lines, and a label has %d", text, width, got, lines)
			}
		}
	}
}

// TestRows: only what can be seen exists, each row is drawn at its place, and a row
// whose kind changes gets another widget.
func TestRows(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(Theme{})
	w := test.NewTempWindow(t, nil)
	w.SetPadded(false)
	rows, made := NewRows(2), 0
	odd := 1
	rows.Kind = func(i int) int { return i % 2 * odd }
	rows.Height = func(i int, _ float32) float32 { return float32(20 + 20*(i%2)) }
	rows.Make = func(kind int) fyne.CanvasObject { made++; return NewText(fmt.Sprint("made as ", kind)) }
	rows.Draw = func(i int, o fyne.CanvasObject) { o.(*Text).SetText(fmt.Sprint(i)) }
	w.SetContent(rows)
	w.Resize(fyne.NewSize(300, 400))
	rows.SetCount(1000)
	if rows.Alive() > 16 || made != rows.Alive() {
		t.Errorf("%d rows alive, %d made", rows.Alive(), made)
	}
	shown := func() (out []string) {
		for _, o := range rows.inner.objects {
			out = append(out, o.(*Text).Text())
		}
		return out
	}
	if got := shown(); got[0] != "0" || got[1] != "1" || rows.inner.objects[2].Position().Y != 64 {
		t.Errorf("%q, the third at %v", got, rows.inner.objects[2].Position())
	}
	rows.scroll.ScrollToOffset(fyne.NewPos(0, 6400))
	rows.inner.place(false)
	if got := shown(); !slices.Contains(got, "200") || slices.Contains(got, "0") || len(got) > 16 {
		t.Errorf("scrolled: %q", got)
	}
	if made > 34 {
		t.Errorf("%d widgets were made", made)
	}
	rows.SetCount(3) // fewer than where the page stood
	rows.Top()
	odd = 0
	rows.SetCount(3)
	if got := shown(); !slices.Equal(got, []string{"0", "1", "2"}) {
		t.Errorf("%q", got)
	}
	rows.SetCount(0)
	if len(shown()) != 0 {
		t.Errorf("%q", shown())
	}
}

func TestFuller(t *testing.T) {
	half, tenth, none := &status.Disk{Free: 50, Total: 100}, &status.Disk{Free: 100, Total: 1000}, &status.Disk{}
	for _, c := range []struct{ a, b, want *status.Disk }{{half, tenth, tenth}, {tenth, half, tenth}, {nil, half, half}, {half, nil, half}, {none, half, half}, {half, none, half}, {nil, nil, nil}} {
		if got := Fuller(c.a, c.b); got != c.want {
			t.Errorf("%v and %v: %v", c.a, c.b, got)
		}
	}
}

func TestBarKeepsWithinItself(t *testing.T) {
	test.NewTempApp(t).Settings().SetTheme(Theme{})
	b := NewBar()
	nan := 0.0
	nan /= nan
	for _, v := range []float64{-1, 0, 0.5, 2, nan} {
		b.SetReserved(Trouble, v, v)
		if b.part < 0 || b.part > 1 || b.reserve < 0 || b.reserve > 1 || b.part != b.part {
			t.Errorf("%v is drawn as %v, %v", v, b.part, b.reserve)
		}
	}
}
