package present

import (
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/text/width"
)

const (
	tabStop    = 4
	lineAtMost = 4000 // letters of a line that are shown
)

// Piece is what fits on one line of a narrow column, fit to be shown: tabs are
// spaces, what can't be seen or would turn the writing is written out. Marks are
// in bytes of Text.
type Piece struct {
	Text  string
	Marks []Span
	More  int // letters of the line that are not shown, after its last piece
}

// Wrap cuts a line at spaces into pieces of at most cols columns, or where there
// are none, anywhere. There is always one.
func Wrap(line string, marks []Span, cols int) []Piece {
	w := wrapper{cols: max(cols, 8), marks: marks}
	n := 0
	for at, r := range line {
		if n == lineAtMost {
			w.more = len([]rune(line[at:]))
			break
		}
		n++
		w.put(at, r)
	}
	w.cut(w.b.Len())
	w.out[len(w.out)-1].More = w.more
	return w.out
}

type wrapper struct {
	cols  int
	marks []Span // of the line
	out   []Piece
	more  int

	b      strings.Builder // the piece that is being made
	own    []Span          // its marks
	col    int
	space  int // where, in b, a space ended last; 0: nowhere
	accent int // marks in a row on one letter
}

func (w *wrapper) put(at int, r rune) {
	text, cols := w.shown(r)
	if w.col+cols > w.cols && w.col > 0 {
		if r == ' ' {
			cols = 0 // it hangs over the edge
		} else if w.space > 0 {
			w.cut(w.space)
		} else {
			w.cut(w.b.Len())
		}
	}
	for len(w.marks) > 0 && w.marks[0].To <= at {
		w.marks = w.marks[1:]
	}
	if len(w.marks) > 0 && at >= w.marks[0].From {
		w.mark(w.b.Len(), w.b.Len()+len(text))
	}
	w.b.WriteString(text)
	w.col += cols
	if r == ' ' || r == '\t' {
		w.space = w.b.Len()
	}
}

func (w *wrapper) mark(from, to int) {
	if n := len(w.own); n > 0 && w.own[n-1].To == from {
		w.own[n-1].To = to
		return
	}
	w.own = append(w.own, Span{from, to})
}

// shown is how a letter is shown, and how many columns it takes.
func (w *wrapper) shown(r rune) (string, int) {
	if unicode.In(r, unicode.Mn, unicode.Me) {
		if w.accent++; w.accent <= mostMark {
			return string(r), 0
		}
	} else {
		w.accent = 0
		switch {
		case r == '\t':
			n := tabStop - w.col%tabStop
			return strings.Repeat(" ", n), n
		case r == '\r':
			return `\r`, 2
		case !harmful(r):
			return string(r), columns(r)
		}
	}
	s := fmt.Sprintf(`\u%04x`, r)
	return s, len(s)
}

func columns(r rune) int {
	if r < 0x300 {
		return 1
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut ends the piece after n bytes; what is beyond begins the next.
func (w *wrapper) cut(n int) {
	all := w.b.String()
	p := Piece{Text: all[:n]}
	var rest []Span
	for _, m := range w.own {
		if m.From < n {
			p.Marks = append(p.Marks, Span{m.From, min(m.To, n)})
		}
		if m.To > n {
			rest = append(rest, Span{max(m.From, n) - n, m.To - n})
		}
	}
	if k := len(p.Marks); k > 0 && p.Marks[k-1].To == n && n < len(all) { // a space at the edge is not seen
		p.Marks[k-1].To = max(p.Marks[k-1].From, len(strings.TrimRight(p.Text, " ")))
	}
	w.out = append(w.out, p)
	w.b.Reset()
	w.b.WriteString(all[n:])
	w.own, w.space, w.col = rest, 0, 0
	for _, r := range all[n:] {
		w.col += columns(r)
	}
}

// Lines is how many pieces Wrap would give, quickly where a line is short.
func Lines(line string, cols int) int {
	if len(line) <= cols/8 || len(line) <= cols && !strings.ContainsFunc(line, func(r rune) bool { return r == '\t' || r >= 0x300 || harmful(r) }) {
		return 1
	}
	return len(Wrap(line, nil, cols))
}
