package merge

import (
	"bytes"
	"fmt"
)

// Bounds of a text that is merged.
const (
	MaxBytes = 8 << 20
	MaxLines = 200_000
)

// Span is a run of lines, counted from 1. One of no lines has Last = First-1: it
// is the place before line First.
type Span struct{ First, Last int }

// Empty says whether the span has no lines.
func (s Span) Empty() bool { return s.Last < s.First }

func (s Span) String() string {
	switch {
	case s.Empty():
		return fmt.Sprintf("before line %d", s.First)
	case s.First == s.Last:
		return fmt.Sprintf("line %d", s.First)
	}
	return fmt.Sprintf("lines %d-%d", s.First, s.Last)
}

// Collision is where both sides changed the same lines in different ways.
type Collision struct {
	Base, This, That Span // in each of the three texts
}

// Refused says why a text is not merged.
type Refused struct {
	Side string // "base", "this", "that"
	Why  string // a phrase for a person, after "it"
}

func (r *Refused) Error() string { return fmt.Sprintf("%s %s", r.Side, r.Why) }

// Merge joins this and that, which were both made from base. With collisions
// there is no result. A *Refused says that one of the three can't be merged.
func Merge(base, this, that []byte) ([]byte, []Collision, error) {
	texts := [...]struct {
		side string
		text []byte
	}{{"base", base}, {"this", this}, {"that", that}}
	var lines [3][]string
	for i, t := range texts {
		if why := unfit(t.text); why != "" {
			return nil, nil, &Refused{t.side, why}
		}
		lines[i] = split(t.text)
		if len(lines[i]) > MaxLines {
			return nil, nil, &Refused{t.side, fmt.Sprintf("has more than %d lines", MaxLines)}
		}
	}
	switch {
	case bytes.Equal(this, that), bytes.Equal(that, base):
		return bytes.Clone(this), nil, nil
	case bytes.Equal(this, base):
		return bytes.Clone(that), nil, nil
	}
	m := merger{base: lines[0], this: lines[1], that: lines[2]}
	m.run()
	if len(m.collisions) > 0 {
		return nil, m.collisions, nil
	}
	return m.out, nil, nil
}

// Differ counts the lines that this has and that has not, and the other way
// round.
func Differ(this, that []byte) (here, there int, err error) {
	for side, text := range map[string][]byte{"this": this, "that": that} {
		if why := unfit(text); why != "" {
			return 0, 0, &Refused{side, why}
		}
	}
	a, b := split(this), split(that)
	for _, at := range match(a, b) {
		if at < 0 {
			here++
		}
	}
	return here, len(b) - (len(a) - here), nil
}

func unfit(text []byte) string {
	switch {
	case len(text) > MaxBytes:
		return fmt.Sprintf("is larger than %d MiB", MaxBytes>>20)
	case bytes.IndexByte(text, 0) >= 0:
		return "is not text"
	}
	return ""
}

func split(text []byte) []string {
	all := string(text)
	out := make([]string, 0, bytes.Count(text, []byte("\n"))+1)
	for start := 0; start < len(all); {
		end := len(all)
		if i := bytes.IndexByte(text[start:], '\n'); i >= 0 {
			end = start + i + 1
		}
		out = append(out, all[start:end])
		start = end
	}
	return out
}

// merger takes what only one side changed from that side.
type merger struct {
	base, this, that []string
	out              []byte
	collisions       []Collision
}

func (m *merger) run() {
	for _, p := range Parts(m.base, m.this, m.that) {
		switch p.Kind {
		case ByThat:
			m.add(p.That.Of(m.that))
		case Collide:
			m.collisions = append(m.collisions, Collision{Base: span(p.Base), This: span(p.This), That: span(p.That)})
		default:
			m.add(p.This.Of(m.this))
		}
	}
}

func span(r Run) Span { return Span{r.From + 1, r.To} }

func (m *merger) add(lines []string) {
	for _, l := range lines {
		m.out = append(m.out, l...)
	}
}

func same(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}
