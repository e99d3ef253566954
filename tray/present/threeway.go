package present

import (
	"slices"
	"strings"

	"pinion/engine/merge"
)

// Choice is what is taken at a place where two texts differ.
type Choice uint8

const (
	Undecided Choice = iota
	TakeThis
	TakeThat
	TakeBoth // this, and after it that
	TakeEdited
)

// Place is where two texts differ.
type Place struct {
	Kind       merge.PartKind
	Base       []string // what both were made from; nothing if that is not known
	This, That []string
	At         merge.Run // in This, for a person to find it
	AtThat     merge.Run
	Choice     Choice
	Edited     string // with TakeEdited, or once it was that
	part       int
}

// Joining is a merge that a person works on. Lines are compared without their
// ends; each keeps the end that it had.
type Joining struct {
	Places []*Place // collisions first, then what only one side changed
	Known  bool     // whether the base is

	this, that Document
	parts      []merge.Part
	at         map[int]*Place // by part
}

// NewJoining begins a merge with what merges by itself chosen already. base may be
// nil: then every difference is for the person to choose.
func NewJoining(base *Document, this, that Document) *Joining {
	j := &Joining{Known: base != nil, this: this, that: that, at: map[int]*Place{}}
	if base != nil {
		j.parts = merge.Parts(base.Lines, this.Lines, that.Lines)
	} else {
		j.parts = twoWay(this.Lines, that.Lines)
	}
	for i, p := range j.parts {
		x := &Place{Kind: p.Kind, This: p.This.Of(this.Lines), That: p.That.Of(that.Lines), At: p.This, AtThat: p.That, part: i}
		if base != nil {
			x.Base = p.Base.Of(base.Lines)
		}
		switch p.Kind {
		case merge.ByThis:
			x.Choice = TakeThis
		case merge.ByThat:
			x.Choice = TakeThat
		case merge.Collide:
		default:
			continue
		}
		j.at[i] = x
		j.Places = append(j.Places, x)
	}
	slices.SortStableFunc(j.Places, func(a, b *Place) int {
		return boolInt(a.Kind != merge.Collide) - boolInt(b.Kind != merge.Collide)
	})
	return j
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func twoWay(this, that []string) (out []merge.Part) {
	x, y := 0, 0
	gap := func(i, j int) {
		if x < i || y < j {
			out = append(out, merge.Part{Kind: merge.Collide, This: merge.Run{From: x, To: i}, That: merge.Run{From: y, To: j}})
		}
	}
	for i, j := range merge.Match(this, that) {
		if j < 0 {
			continue
		}
		gap(i, j)
		out = append(out, merge.Part{Kind: merge.Same, This: merge.Run{From: i, To: i + 1}, That: merge.Run{From: j, To: j + 1}})
		x, y = i+1, j+1
	}
	gap(len(this), len(that))
	return out
}

// Collisions counts the places that nothing but a person can decide; Left those
// of them that are not decided yet.
func (j *Joining) Collisions() (n int) {
	for _, p := range j.Places {
		n += boolInt(p.Kind == merge.Collide)
	}
	return n
}

func (j *Joining) Left() (n int) {
	for _, p := range j.Places {
		n += boolInt(p.Choice == Undecided)
	}
	return n
}

// Touched says whether a person has chosen anything.
func (j *Joining) Touched() bool {
	for _, p := range j.Places {
		if p.Choice != p.byItself() {
			return true
		}
	}
	return false
}

func (p *Place) byItself() Choice {
	switch p.Kind {
	case merge.ByThis:
		return TakeThis
	case merge.ByThat:
		return TakeThat
	}
	return Undecided
}

// Text is what a place comes to as it is chosen, without the last line end.
func (p *Place) Text() string {
	switch p.Choice {
	case TakeThis:
		return strings.Join(p.This, "\n")
	case TakeThat:
		return strings.Join(p.That, "\n")
	case TakeBoth:
		return strings.Join(append(slices.Clone(p.This), p.That...), "\n")
	case TakeEdited:
		return p.Edited
	}
	return ""
}

// Edit takes a person's own text for a place. What is one of the sides is that.
func (p *Place) Edit(text string) {
	p.Edited, p.Choice = text, TakeEdited
}

// Result is the whole text, in the encoding and with the line ends of this side
// where a line has none of its own. changed: it had to be written as UTF-8.
func (j *Joining) Result() (data []byte, changed bool) {
	data, _, changed = j.build()
	return data, changed
}

// Preview is the lines of the result, and of each where it was chosen from;
// Undecided: nobody had to choose.
func (j *Joining) Preview() (lines []string, from []Choice) {
	data, from, _ := j.build()
	d, _ := ReadDocument(data)
	return d.Lines, from[:min(len(from), len(d.Lines))]
}

func (j *Joining) build() (data []byte, from []Choice, changed bool) {
	var b strings.Builder
	end := j.this.end()
	if len(j.this.Lines) == 0 {
		end = j.that.end()
	}
	endless, of := false, Undecided
	line := func(text string, e lineEnd) {
		if endless {
			b.WriteString(end.String())
		}
		b.WriteString(text)
		b.WriteString(e.String())
		endless = e == noEnd
		from = append(from, of)
	}
	run := func(d Document, r merge.Run) {
		for k := r.From; k < r.To; k++ {
			line(d.Lines[k], d.ends[k])
		}
	}
	for i, part := range j.parts {
		p := j.at[i]
		of = Undecided
		if p == nil {
			run(j.this, part.This)
			continue
		}
		of = p.Choice
		switch p.Choice {
		case TakeThis:
			run(j.this, part.This)
		case TakeThat:
			run(j.that, part.That)
		case TakeBoth:
			of = TakeThis
			run(j.this, part.This)
			of = TakeThat
			run(j.that, part.That)
		case TakeEdited:
			if p.Edited != "" {
				for _, l := range strings.Split(p.Edited, "\n") {
					line(l, end)
				}
			}
		}
	}
	text := b.String()
	if len(from) > 0 && j.this.Endless() && j.that.Endless() && !endless {
		text = strings.TrimSuffix(text, end.String()) // neither side ended its last line
	}
	data, enc := j.this.Encoding.encode(text)
	return data, from, enc != j.this.Encoding
}
