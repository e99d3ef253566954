package merge

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// text makes a text of words, a line each.
func text(words string) []byte {
	if words == "" {
		return nil
	}
	return []byte(strings.ReplaceAll(words, " ", "\n") + "\n")
}

func TestMerge(t *testing.T) {
	for _, x := range []struct{ name, base, this, that, want string }{
		{"nothing changed", "a b c", "a b c", "a b c", "a b c"},
		{"this changed", "a b c", "a B c", "a b c", "a B c"},
		{"that changed", "a b c", "a b c", "a b C", "a b C"},
		{"both changed, apart", "a b c d e", "A b c d e", "a b c d E", "A b c d E"},
		{"both changed alike", "a b c", "a X c", "a X c", "a X c"},
		{"alike and apart", "a b c d e", "a X c d E", "a X c d e", "a X c d E"},
		{"one adds, one takes away", "a b c d e", "a n b c d e", "a b c d", "a n b c d"},
		{"one added before, one after", "a b c", "0 a b c", "a b c d", "0 a b c d"},
		{"from nothing, one side", "", "a", "", "a"},
		{"all taken away by one", "a b c", "", "a b c", ""},
		{"lines that repeat", "{ } { } { }", "{ x } { } { }", "{ } { } { y }", "{ x } { } { y }"},
	} {
		for range 2 {
			got, hits, err := Merge(text(x.base), text(x.this), text(x.that))
			if err != nil || len(hits) > 0 || !bytes.Equal(got, text(x.want)) {
				t.Errorf("%s: %q, %v, %v instead of %q", x.name, got, hits, err, text(x.want))
			}
			x.this, x.that = x.that, x.this
		}
	}
}

func TestCollisions(t *testing.T) {
	for _, x := range []struct {
		name, base, this, that string
		want                   []Collision
	}{
		{"one line, two ways", "a b c", "a X c", "a Y c", []Collision{{Span{2, 2}, Span{2, 2}, Span{2, 2}}}},
		{"lines that touch", "a b c d", "a X c d", "a b Y d", []Collision{{Span{2, 3}, Span{2, 3}, Span{2, 3}}}},
		{"both add at one place", "a b", "a X b", "a Y Z b", []Collision{{Span{2, 1}, Span{2, 2}, Span{2, 3}}}},
		{"changed and taken away", "a b c", "a X c", "a c", []Collision{{Span{2, 2}, Span{2, 2}, Span{2, 1}}}},
		{"two places", "a b c d e", "X b c d Y", "Z b c d W", []Collision{{Span{1, 1}, Span{1, 1}, Span{1, 1}}, {Span{5, 5}, Span{5, 5}, Span{5, 5}}}},
		{"two texts from nothing", "", "a", "b", []Collision{{Span{1, 0}, Span{1, 1}, Span{1, 1}}}},
	} {
		got, hits, err := Merge(text(x.base), text(x.this), text(x.that))
		if err != nil || got != nil || !slices.Equal(hits, x.want) {
			t.Errorf("%s: %q, %+v, %v instead of %+v", x.name, got, hits, err, x.want)
		}
	}
}

func TestLineEndsAndBytesAreKept(t *testing.T) {
	for _, x := range []struct{ name, base, this, that, want string }{
		{"windows", "a\r\nb\r\nc\r\n", "A\r\nb\r\nc\r\n", "a\r\nb\r\nC\r\n", "A\r\nb\r\nC\r\n"},
		{"no last line end", "a\nb\nc", "A\nb\nc", "a\nb\nc\nd", "A\nb\nc\nd"},
		{"a last line end is added", "a\nb\nc", "A\nb\nc", "a\nb\nc\n", "A\nb\nc\n"},
		{"latin-1", "\xe9\nb\n\xfc", "\xe8\nb\n\xfc", "\xe9\nb\n\xfd", "\xe8\nb\n\xfd"},
		{"mixed", "a\r\nb\nc\r\n", "a\r\nb\nC\r\n", "A\r\nb\nc\r\n", "A\r\nb\nC\r\n"},
	} {
		got, hits, err := Merge([]byte(x.base), []byte(x.this), []byte(x.that))
		if err != nil || len(hits) > 0 || string(got) != x.want {
			t.Errorf("%s: %q, %v, %v instead of %q", x.name, got, hits, err, x.want)
		}
	}
}

func TestWhatIsNoTextIsRefused(t *testing.T) {
	huge := bytes.Repeat([]byte("x"), MaxBytes+1)
	many := bytes.Repeat([]byte("\n"), MaxLines+1)
	for _, x := range []struct {
		base, this, that []byte
		side             string
	}{
		{[]byte("a\x00"), []byte("b"), []byte("c"), "base"},
		{[]byte("a"), []byte("b\x00"), []byte("c"), "this"},
		{[]byte("a"), []byte("b"), huge, "that"},
		{[]byte("a"), many, []byte("c"), "this"},
	} {
		var r *Refused
		if out, _, err := Merge(x.base, x.this, x.that); !errors.As(err, &r) || r.Side != x.side || out != nil {
			t.Errorf("%s: %v", x.side, err)
		}
	}
}

func lines(few bool) *rapid.Generator[[]byte] {
	word := rapid.StringMatching(`[a-z]{1,3}(\r)?`)
	if few {
		word = rapid.SampledFrom([]string{"", "{", "}", "x"})
	}
	return rapid.Custom(func(t *rapid.T) []byte {
		all := strings.Join(rapid.SliceOfN(word, 0, 30).Draw(t, "lines"), "\n")
		if rapid.Bool().Draw(t, "end") {
			all += "\n"
		}
		return []byte(all)
	})
}

func edited(t *rapid.T, base []byte) []byte {
	all := split(base)
	for range rapid.IntRange(0, 4).Draw(t, "edits") {
		at := rapid.IntRange(0, len(all)).Draw(t, "at")
		to := rapid.IntRange(at, min(len(all), at+3)).Draw(t, "to")
		put := split(lines(rapid.Bool().Draw(t, "few")).Draw(t, "put"))
		all = slices.Concat(all[:at], put[:min(len(put), 3)], all[to:])
	}
	return []byte(strings.Join(all, ""))
}

func TestOneUnchangedSideGivesTheOther(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := lines(rapid.Bool().Draw(t, "few")).Draw(t, "base")
		this := edited(t, base)
		for _, x := range [][2][]byte{{this, base}, {base, this}, {this, this}} {
			got, hits, err := Merge(base, x[0], x[1])
			if err != nil || len(hits) > 0 || !bytes.Equal(got, this) {
				t.Fatalf("%q %v %v", got, hits, err)
			}
		}
		// The same by the long way.
		m := merger{base: split(base), this: split(this), that: split(base)}
		if m.run(); len(m.collisions) > 0 || !bytes.Equal(m.out, this) {
			t.Fatalf("%q %v", m.out, m.collisions)
		}
	})
}

func TestSidesMayChangePlaces(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		base := lines(rapid.Bool().Draw(t, "few")).Draw(t, "base")
		this, that := edited(t, base), edited(t, base)
		a, hits, err := Merge(base, this, that)
		b, stih, rre := Merge(base, that, this)
		for i := range stih {
			stih[i].This, stih[i].That = stih[i].That, stih[i].This
		}
		if err != nil || rre != nil || !bytes.Equal(a, b) || !slices.Equal(hits, stih) {
			t.Fatalf("%q %v, %q %v", a, hits, b, stih)
		}
		if again, _, _ := Merge(base, this, that); !bytes.Equal(a, again) {
			t.Fatalf("%q, then %q", a, again)
		}
	})
}

// What is changed at places that do not touch is all there afterwards, however
// much it is.
func TestEditsApartAreBothPresent(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 400).Draw(t, "lines")
		var base, this, that, want strings.Builder
		last := 0 // whose line was changed last
		for i := range n {
			line := fmt.Sprintf("line %d\n", i)
			who := rapid.IntRange(0, 4).Draw(t, "who")
			if who > 2 || who > 0 && last > 0 && who != last {
				who = 0
			}
			x := [3]string{line, line, line}
			if who > 0 {
				x[who] = fmt.Sprintf("%d's %d\n", who, i)
				if rapid.Bool().Draw(t, "gone") {
					x[who] = ""
				}
			}
			last = who
			base.WriteString(line)
			this.WriteString(x[1])
			that.WriteString(x[2])
			want.WriteString(x[max(1, who)])
		}
		got, hits, err := Merge([]byte(base.String()), []byte(this.String()), []byte(that.String()))
		if err != nil || len(hits) > 0 || string(got) != want.String() {
			t.Fatalf("%q %v %v instead of %q", got, hits, err, want.String())
		}
	})
}

// Whatever is merged: every line of the result stands in one of the three, and
// the pairing is one of equal lines in order.
func TestPairsAreEqualAndAscend(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a := split(lines(rapid.Bool().Draw(t, "few")).Draw(t, "a"))
		b := split(lines(rapid.Bool().Draw(t, "few")).Draw(t, "b"))
		last := -1
		for i, j := range match(a, b) {
			if j < 0 {
				continue
			}
			if j <= last || j >= len(b) || a[i] != b[j] {
				t.Fatalf("%q and %q: %d is %d", a, b, i, j)
			}
			last = j
		}
	})
}

func TestDiffer(t *testing.T) {
	here, there, err := Differ(text("a b c d"), text("a X Y d e"))
	if here != 2 || there != 3 || err != nil {
		t.Errorf("%d, %d, %v", here, there, err)
	}
}

func FuzzMerge(f *testing.F) {
	f.Add([]byte("a\nb\n"), []byte("A\nb\n"), []byte("a\nB"))
	f.Add([]byte(""), []byte("\r\n\r"), []byte("\x00"))
	f.Fuzz(func(t *testing.T, base, this, that []byte) {
		got, hits, err := Merge(base, this, that)
		if err != nil && (got != nil || hits != nil) || len(hits) > 0 && got != nil {
			t.Fatal(got, hits, err)
		}
		for _, h := range hits {
			for _, s := range []struct {
				s    Span
				text []byte
			}{{h.Base, base}, {h.This, this}, {h.That, that}} {
				if s.s.First < 1 || s.s.Last < s.s.First-1 || s.s.Last > len(split(s.text)) {
					t.Fatalf("%v of %q", h, s.text)
				}
			}
		}
	})
}
