package present

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"pinion/engine/merge"
)

// RowKind is what a row of a comparison is.
type RowKind uint8

const (
	RowEqual RowKind = iota
	RowChanged
	RowOnlyThis
	RowOnlyThat
)

// Row is two lines that stand beside each other; -1 where a side has none.
type Row struct {
	Kind       RowKind
	This, That int
}

// Compare puts the lines of two texts beside each other. How lines end does not
// count.
func Compare(this, that []string) []Row {
	rows := make([]Row, 0, max(len(this), len(that)))
	i, j := 0, 0
	for x, y := range merge.Match(this, that) {
		if y < 0 {
			continue
		}
		rows = beside(rows, this, that, merge.Run{From: i, To: x}, merge.Run{From: j, To: y})
		rows = append(rows, Row{RowEqual, x, y})
		i, j = x+1, y+1
	}
	return beside(rows, this, that, merge.Run{From: i, To: len(this)}, merge.Run{From: j, To: len(that)})
}

// pairsAtMost bounds the search for lines that are like each other.
const pairsAtMost = 4096

// beside puts what differs in a row where two lines are like each other.
func beside(rows []Row, this, that []string, x, y merge.Run) []Row {
	n, m := x.To-x.From, y.To-y.From
	if n*m > pairsAtMost {
		for k := range max(n, m) {
			rows = append(rows, pairOf(x.From+k, x.To, y.From+k, y.To))
		}
		return rows
	}
	// best[i][j] is the most that lines from i and j on can be alike.
	best := make([][]float32, n+1)
	for i := range best {
		best[i] = make([]float32, m+1)
	}
	like := func(i, j int) float32 {
		if n == 1 && m == 1 {
			return 1 // one line became one line, whatever is in them
		}
		return alike(this[x.From+i], that[y.From+j])
	}
	near := make([]float32, n*m)
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			near[i*m+j] = like(i, j)
			best[i][j] = max(best[i+1][j], best[i][j+1], best[i+1][j+1]+near[i*m+j])
		}
	}
	i, j := 0, 0
	for i < n && j < m {
		switch s := near[i*m+j]; {
		case s > 0 && best[i][j] == best[i+1][j+1]+s:
			rows = append(rows, Row{RowChanged, x.From + i, y.From + j})
			i, j = i+1, j+1
		case best[i][j] == best[i+1][j]:
			rows = append(rows, Row{RowOnlyThis, x.From + i, -1})
			i++
		default:
			rows = append(rows, Row{RowOnlyThat, -1, y.From + j})
			j++
		}
	}
	for ; i < n; i++ {
		rows = append(rows, Row{RowOnlyThis, x.From + i, -1})
	}
	for ; j < m; j++ {
		rows = append(rows, Row{RowOnlyThat, -1, y.From + j})
	}
	return rows
}

func pairOf(i, n, j, m int) Row {
	switch {
	case i >= n:
		return Row{RowOnlyThat, -1, j}
	case j >= m:
		return Row{RowOnlyThis, i, -1}
	}
	return Row{RowChanged, i, j}
}

// alike is how much of two lines is the same, from 0 to 1; 0 where it is too
// little for them to stand beside each other.
func alike(a, b string) float32 {
	a, b = strings.TrimSpace(clip(a, 400)), strings.TrimSpace(clip(b, 400))
	if a == "" || b == "" {
		return 0
	}
	words := map[string]int{}
	pa, pb := pieces(a), pieces(b)
	for _, w := range pa {
		words[w] += len(w)
	}
	common := 0
	for _, w := range pb {
		if n := words[w]; n > 0 && strings.TrimSpace(w) != "" {
			common += len(w)
			words[w] = n - len(w)
		}
	}
	length := func(p []string) (n int) {
		for _, w := range p {
			if strings.TrimSpace(w) != "" {
				n += len(w)
			}
		}
		return n
	}
	s := float32(2*common) / float32(max(1, length(pa)+length(pb)))
	if s < 0.4 {
		return 0
	}
	return s
}

// Span is a part of a line in bytes; that at To is left out.
type Span struct{ From, To int }

// wordsAtMost bounds the lines whose differing words are looked for, in bytes.
const wordsAtMost = 8000

// DifferingWords marks what each of two lines has and the other has not.
func DifferingWords(a, b string) (inA, inB []Span) {
	if len(a) > wordsAtMost || len(b) > wordsAtMost {
		return ends(a, b)
	}
	pa, pb := pieces(a), pieces(b)
	pairs := merge.Match(pa, pb)
	back := make([]int, len(pb))
	for j := range back {
		back[j] = -1
	}
	for i, j := range pairs {
		if j >= 0 {
			back[j] = i
		}
	}
	return unpaired(pa, pairs), unpaired(pb, back)
}

// unpaired are the pieces without a partner; a space between two of them counts
// as one more.
func unpaired(p []string, pairs []int) (out []Span) {
	at := 0
	for i, w := range p {
		alone := pairs[i] < 0
		if !alone && strings.TrimSpace(w) == "" && i > 0 && i+1 < len(p) && pairs[i-1] < 0 && pairs[i+1] < 0 {
			alone = true
		}
		if alone {
			if n := len(out); n > 0 && out[n-1].To == at {
				out[n-1].To += len(w)
			} else {
				out = append(out, Span{at, at + len(w)})
			}
		}
		at += len(w)
	}
	return out
}

// ends marks all but what two lines begin and end with.
func ends(a, b string) ([]Span, []Span) {
	head := 0
	for head < len(a) && head < len(b) && a[head] == b[head] {
		head++
	}
	for head > 0 && head < len(a) && !utf8.RuneStart(a[head]) {
		head--
	}
	tail := 0
	for tail < len(a)-head && tail < len(b)-head && a[len(a)-1-tail] == b[len(b)-1-tail] {
		tail++
	}
	for tail > 0 && !utf8.RuneStart(a[len(a)-tail]) {
		tail--
	}
	mark := func(s string) []Span {
		if head >= len(s)-tail {
			return nil
		}
		return []Span{{head, len(s) - tail}}
	}
	return mark(a), mark(b)
}

// pieces cuts a line into words, runs of spaces and single signs.
func pieces(s string) (out []string) {
	kind := func(r rune) int {
		switch {
		case unicode.IsLetter(r), unicode.IsDigit(r), unicode.IsMark(r), r == '_':
			return 1
		case unicode.IsSpace(r):
			return 2
		}
		return 0
	}
	from, was := 0, 0
	for i, r := range s {
		k := kind(r)
		if i > from && (k != was || k == 0) {
			out, from = append(out, s[from:i]), i
		}
		was = k
	}
	if from < len(s) {
		out = append(out, s[from:])
	}
	return out
}

func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Fold is a run of rows that a list of them shows: rows From to To, or, if they are
// folded away, one line for all of them.
type Fold struct {
	From, To int
	Away     bool
}

// How many equal rows stay around a difference, and how many are worth folding.
const (
	foldAround  = 3
	foldAtLeast = 8
)

// Folds folds long runs of equal rows away, but those that begin at a row in open.
func Folds(rows []Row, open map[int]bool) (out []Fold) {
	shown := func(from, to int) {
		if n := len(out); n > 0 && !out[n-1].Away && out[n-1].To == from {
			out[n-1].To = to
		} else if from < to {
			out = append(out, Fold{from, to, false})
		}
	}
	for i := 0; i < len(rows); {
		j := i
		for j < len(rows) && rows[j].Kind == RowEqual {
			j++
		}
		if j == i {
			shown(i, i+1)
			i++
			continue
		}
		from, to := i, j
		if i > 0 {
			from += foldAround
		}
		if j < len(rows) {
			to -= foldAround
		}
		if to-from < foldAtLeast || open[from] {
			shown(i, j)
		} else {
			shown(i, from)
			out = append(out, Fold{from, to, true})
			shown(to, j)
		}
		i = j
	}
	return out
}

// Differences are the rows at which runs of differing rows begin.
func Differences(rows []Row) (out []int) {
	for i, r := range rows {
		if r.Kind != RowEqual && (i == 0 || rows[i-1].Kind == RowEqual) {
			out = append(out, i)
		}
	}
	return out
}
