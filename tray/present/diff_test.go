package present

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"pgregory.net/rapid"

	"pinion/engine/merge"
)

// drawn writes rows as a person sees them, a row a line.
func drawn(this, that []string, rows []Row) (out []string) {
	side := func(lines []string, i int) string {
		if i < 0 {
			return "-"
		}
		return lines[i]
	}
	for _, r := range rows {
		out = append(out, fmt.Sprintf("%c %s | %s", "=~<>"[r.Kind], side(this, r.This), side(that, r.That)))
	}
	return out
}

func TestCompare(t *testing.T) {
	for _, x := range []struct{ name, this, that, want string }{
		{"nothing differs", "a/b", "a/b", "= a | a/= b | b"},
		{"nothing at all", "", "", ""},
		{"one line became another", "a/b/c", "a/X/c", "= a | a/~ b | X/= c | c"},
		{"a line more there", "a/c", "a/b/c", "= a | a/> - | b/= c | c"},
		{"a line less there", "a/b/c", "a/c", "= a | a/< b | -/= c | c"},
		{"edited, and one put before", "the red fox/end", "a new line/the brown fox/end", "> - | a new line/~ the red fox | the brown fox/= end | end"},
		{"unlike lines do not stand beside each other", "x/aaa bbb/ccc ddd/y", "x/111 222/333/444/y", "= x | x/< aaa bbb | -/< ccc ddd | -/> - | 111 222/> - | 333/> - | 444/= y | y"},
		{"all gone", "a/b", "", "< a | -/< b | -"},
	} {
		this, that := linesOf(x.this), linesOf(x.that)
		if got := strings.Join(drawn(this, that, Compare(this, that)), "/"); got != x.want {
			t.Errorf("%s: %s instead of %s", x.name, got, x.want)
		}
	}
}

func linesOf(s string) []string {
	if s == "" {
		return nil
	}
	return strings.Split(s, "/")
}

// Every line of both sides is in the rows once, in order, and equal rows are equal.
func TestCompareLosesNoLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"", "{", "}", "a b c", "a b d", "x", "the fox", "the red fox"})
		this, that := rapid.SliceOfN(line, 0, 90).Draw(t, "this"), rapid.SliceOfN(line, 0, 90).Draw(t, "that")
		i, j := 0, 0
		for _, r := range Compare(this, that) {
			if r.This >= 0 {
				if r.This != i {
					t.Fatalf("line %d of this comes at %d", r.This, i)
				}
				i++
			}
			if r.That >= 0 {
				if r.That != j {
					t.Fatalf("line %d of that comes at %d", r.That, j)
				}
				j++
			}
			if (r.Kind == RowEqual) != (r.This >= 0 && r.That >= 0 && this[r.This] == that[r.That]) && r.Kind == RowEqual {
				t.Fatalf("%+v is not equal", r)
			}
		}
		if i != len(this) || j != len(that) {
			t.Fatalf("%d of %d, %d of %d", i, len(this), j, len(that))
		}
	})
}

func marked(s string, spans []Span) string {
	var b strings.Builder
	at := 0
	for _, x := range spans {
		b.WriteString(s[at:x.From] + "[" + s[x.From:x.To] + "]")
		at = x.To
	}
	return b.String() + s[at:]
}

func TestDifferingWords(t *testing.T) {
	long := strings.Repeat("word ", 2000)
	for _, x := range []struct{ a, b, inA, inB string }{
		{"the red fox", "the brown fox", "the [red] fox", "the [brown] fox"},
		{"a, b", "a; b", "a[,] b", "a[;] b"},
		{"one two three", "one 1 2 three", "one [two] three", "one [1 2] three"},
		{"same", "same", "same", "same"},
		{"", "new", "", "[new]"},
		{"größe", "grösse", "[größe]", "[grösse]"},
		{"x = foo(a)", "x = foo(a, b)", "x = foo(a)", "x = foo(a[, b])"},
	} {
		inA, inB := DifferingWords(x.a, x.b)
		if marked(x.a, inA) != x.inA || marked(x.b, inB) != x.inB {
			t.Errorf("%q and %q: %s, %s", x.a, x.b, marked(x.a, inA), marked(x.b, inB))
		}
	}
	inA, inB := DifferingWords(long+"é end", long+"è end")
	if len(inA) != 1 || len(inB) != 1 || !utf8.ValidString(long[:0]+(long + "é end")[inA[0].From:inA[0].To]) {
		t.Errorf("%v %v", inA, inB)
	}
}

func TestFolds(t *testing.T) {
	rows := func(s string) (out []Row) {
		for _, c := range s {
			out = append(out, Row{Kind: map[rune]RowKind{'=': RowEqual, '~': RowChanged}[c]})
		}
		return out
	}
	for _, x := range []struct {
		rows, want string
		open       []int
	}{
		{"~==~", "0-4", nil},
		{"~" + strings.Repeat("=", 14) + "~", "0-4 (8) 12-16", nil},
		{"~" + strings.Repeat("=", 13) + "~", "0-15", nil},
		{strings.Repeat("=", 20) + "~", "(17) 17-21", nil},
		{"~" + strings.Repeat("=", 20), "0-4 (17)", nil},
		{strings.Repeat("=", 20), "(20)", nil},
		{"~" + strings.Repeat("=", 14) + "~" + strings.Repeat("=", 30), "0-19 (27)", []int{4}},
		{"", "", nil},
	} {
		open := map[int]bool{}
		for _, i := range x.open {
			open[i] = true
		}
		var got []string
		for _, f := range Folds(rows(x.rows), open) {
			if f.Away {
				got = append(got, fmt.Sprintf("(%d)", f.To-f.From))
			} else {
				got = append(got, fmt.Sprintf("%d-%d", f.From, f.To))
			}
		}
		if strings.Join(got, " ") != x.want {
			t.Errorf("%s: %s instead of %s", x.rows, got, x.want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, x := range []struct {
		name, line string
		cols       int
		want       []string
	}{
		{"short", "hello", 10, []string{"hello"}},
		{"nothing", "", 10, []string{""}},
		{"at a space", "hello there you", 11, []string{"hello there ", "you"}},
		{"no space", "abcdefghijkl", 10, []string{"abcdefghij", "kl"}},
		{"a word that does not fit", "one twothreefour", 10, []string{"one ", "twothreefo", "ur"}},
		{"tabs", "\tx\ty", 20, []string{"    x   y"}},
		{"wide letters", "漢字漢字漢", 8, []string{"漢字漢字", "漢"}},
		{"what turns the writing", "a\u202eb", 20, []string{`a\u202eb`}},
		{"an old line end", "a\rb", 20, []string{`a\rb`}},
	} {
		var got []string
		for _, p := range Wrap(x.line, nil, x.cols) {
			got = append(got, p.Text)
		}
		if !slices.Equal(got, x.want) {
			t.Errorf("%s: %q instead of %q", x.name, got, x.want)
		}
		if n := Lines(x.line, x.cols); n != len(x.want) {
			t.Errorf("%s: %d lines", x.name, n)
		}
	}
	p := Wrap(strings.Repeat("x", lineAtMost+7), nil, 100)
	if p[len(p)-1].More != 7 || len(p) != lineAtMost/100 {
		t.Errorf("%d pieces, %d more", len(p), p[len(p)-1].More)
	}
}

// Whatever is wrapped: no piece but one without spaces is too wide, the marks are
// within the pieces, and Lines counts right.
func FuzzWrap(f *testing.F) {
	f.Add("hello there you", 8, 3, 9)
	f.Add("a\tb\u0301\u0301 漢字", 9, 0, 4)
	f.Fuzz(func(t *testing.T, line string, cols, from, to int) {
		cols = 8 + cols&63
		from, to = max(0, min(from, len(line))), max(0, min(to, len(line)))
		pieces := Wrap(line, []Span{{min(from, to), max(from, to)}}, cols)
		if n := Lines(line, cols); n != len(pieces) {
			t.Errorf("%d lines, %d pieces", n, len(pieces))
		}
		for _, p := range pieces {
			if strings.ContainsAny(p.Text, "\t\n\u202e") || !utf8.ValidString(p.Text) {
				t.Errorf("%q is shown", p.Text)
			}
			for _, m := range p.Marks {
				if m.From < 0 || m.To < m.From || m.To > len(p.Text) {
					t.Errorf("%v in %q", m, p.Text)
				}
			}
		}
	})
}

func TestReadDocument(t *testing.T) {
	for _, x := range []struct {
		name, data string
		enc        Encoding
		lines      []string
		ok         bool
	}{
		{"plain", "a\nb\n", UTF8, []string{"a", "b"}, true},
		{"no last line end", "a\nb", UTF8, []string{"a", "b"}, true},
		{"nothing", "", UTF8, []string{}, true},
		{"windows", "a\r\nb\r\n", UTF8, []string{"a", "b"}, true},
		{"a mark", "\xef\xbb\xbfa", UTF8Mark, []string{"a"}, true},
		{"utf-16", "\xff\xfea\x00\n\x00\xe9\x00", UTF16LE, []string{"a", "é"}, true},
		{"utf-16, big-endian", "\xfe\xff\x00a\x00\n\x00\xe9", UTF16BE, []string{"a", "é"}, true},
		{"latin-1", "caf\xe9\n", Latin1, []string{"café"}, true},
		{"zeros", "a\x00b", UTF8, nil, false},
		{"controls", "\x01\x02\x03\x04ab", UTF8, nil, false},
		{"half a pair", "\xff\xfe\x00\xd8", UTF16LE, nil, false},
	} {
		d, why := ReadDocument([]byte(x.data))
		if (why == "") != x.ok || x.ok && (d.Encoding != x.enc || !slices.Equal(d.Lines, x.lines)) {
			t.Errorf("%s: %v %q %q", x.name, d.Encoding, d.Lines, why)
		}
	}
	for _, huge := range []string{strings.Repeat("x", MaxDocument+1), strings.Repeat("\n", MaxLines+1)} {
		if _, why := ReadDocument([]byte(huge)); why == "" {
			t.Error("a huge text is read")
		}
	}
}

func TestNotesOnWhatIsNotSeen(t *testing.T) {
	doc := func(s string) Document { d, _ := ReadDocument([]byte(s)); return d }
	for _, x := range []struct{ this, that, want string }{
		{"a\n", "b\n", ""},
		{"a\r\n", "a\n", "as on Windows"},
		{"a\n", "a", "laptop's last line has no line end"},
		{"\xe9\n", "\xe8\n", "Latin-1"},
		{"\xe9\n", "é\n", "pi's is written as Latin-1, laptop's as UTF-8"},
	} {
		got := strings.Join(DocumentNotes(doc(x.this), doc(x.that), "pi", "laptop"), " ")
		if (x.want == "") != (got == "") || !strings.Contains(got, x.want) {
			t.Errorf("%q and %q: %q", x.this, x.that, got)
		}
	}
}

func joining(base, this, that string) *Joining {
	doc := func(s string) Document { d, _ := ReadDocument([]byte(s)); return d }
	b := doc(base)
	return NewJoining(&b, doc(this), doc(that))
}

func TestJoining(t *testing.T) {
	base := "a\nb\nc\nd\ne\n"
	j := joining(base, "a\nB\nc\nd\nE\n", "A\nb\nc\nd\ne2\n")
	if j.Left() != 2 || j.Collisions() != 2 {
		t.Fatalf("%d left of %d", j.Left(), j.Collisions())
	}
	// a|b touch: one collision of two lines; e another.
	first, second := j.Places[0], j.Places[1]
	for _, x := range []struct {
		choose func()
		want   string
	}{
		{func() { first.Choice, second.Choice = TakeThis, TakeThat }, "a\nB\nc\nd\ne2\n"},
		{func() { first.Choice, second.Choice = TakeBoth, TakeThis }, "a\nB\nA\nb\nc\nd\nE\n"},
		{func() { first.Edit("x\ny"); second.Edit("") }, "x\ny\nc\nd\n"},
		{func() { first.Edit("x\n"); second.Choice = TakeThat }, "x\n\nc\nd\ne2\n"},
	} {
		x.choose()
		if got, changed := j.Result(); string(got) != x.want || changed || j.Left() != 0 {
			t.Errorf("%q instead of %q, %d left", got, x.want, j.Left())
		}
	}
	if !j.Touched() {
		t.Error("what was chosen does not count as touched")
	}
}

func TestJoiningKeepsBytesAsTheyWere(t *testing.T) {
	for _, x := range []struct{ name, base, this, that, want string }{
		{"windows", "a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n"},
		{"no last line end", "a\nb\nc", "A\nb\nc", "a\nb\nC", "A\nb\nC"},
		{"a line after a last one without end", "a\nb", "A\nb", "a\nb\nc", "A\nb\nc"},
		{"latin-1", "\xe9\nb\nc\n", "\xe8\nb\nc\n", "\xe9\nb\n\xfc\n", "\xe8\nb\n\xfc\n"},
		{"utf-16", "\xff\xfea\x00\n\x00b\x00\n\x00c\x00", "\xff\xfeA\x00\n\x00b\x00\n\x00c\x00", "\xff\xfea\x00\n\x00b\x00\n\x00\xe9\x00", "\xff\xfeA\x00\n\x00b\x00\n\x00\xe9\x00"},
		{"windows against others", "a\nb\nc\n", "A\r\nb\r\nc\r\n", "a\nb\nC\n", "A\r\nb\r\nC\n"},
	} {
		j := joining(x.base, x.this, x.that)
		if got, changed := j.Result(); string(got) != x.want || changed || j.Left() > 0 || j.Touched() {
			t.Errorf("%s: %q instead of %q, %d left", x.name, got, x.want, j.Left())
		}
	}
	j := joining("\xe9\n", "\xe8\n", "\xe7\n")
	j.Places[0].Edit("日本")
	if got, changed := j.Result(); string(got) != "日本\n" || !changed {
		t.Errorf("%q, %v", got, changed)
	}
}

// Without a base each difference is a collision; and what merges by itself is what
// the engine makes of it.
func TestJoiningAgreesWithTheEngine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		line := rapid.SampledFrom([]string{"a", "b", "c", "{", "}", ""})
		text := func(name string) string {
			return strings.Join(append(rapid.SliceOfN(line, 0, 12).Draw(t, name), ""), "\n")
		}
		base, this, that := text("base"), text("this"), text("that")
		j := joining(base, this, that)
		out, hits, err := merge.Merge([]byte(base), []byte(this), []byte(that))
		if err != nil || j.Left() != len(hits) {
			t.Fatalf("%d left, %d collisions, %v", j.Left(), len(hits), err)
		}
		if got, _ := j.Result(); len(hits) == 0 && string(got) != string(out) {
			t.Fatalf("%q instead of %q", got, out)
		}
		lines, from := j.Preview()
		if len(lines) != len(from) {
			t.Fatalf("%d lines, %d origins", len(lines), len(from))
		}
		a, _ := ReadDocument([]byte(this))
		b, _ := ReadDocument([]byte(that))
		alone := NewJoining(nil, a, b)
		if alone.Left() != len(alone.Places) {
			t.Fatal("something is decided without a base")
		}
		for _, p := range alone.Places {
			p.Choice = TakeThat
		}
		if got, _ := alone.Result(); string(got) != that {
			t.Fatalf("%q instead of %q", got, that)
		}
	})
}

func TestDay(t *testing.T) {
	if got := Day(noonOf(2026, 12, 21), noonOf(2026, 11, 21)); got != "21 Dec" {
		t.Error(got)
	}
	if got := Day(noonOf(2027, 12, 21), noonOf(2026, 11, 21)); got != "2027-12-21" {
		t.Error(got)
	}
}

func noonOf(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) }
