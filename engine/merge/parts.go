package merge

// Kinds of a Part.
type PartKind uint8

const (
	Same    PartKind = iota // as in base, on both sides
	ByThis                  // this side changed it
	ByThat                  // that side changed it
	Alike                   // both changed it alike
	Collide                 // both changed it, in different ways
)

// Run is a run of lines, counted from 0; that at To is left out.
type Run struct{ From, To int }

// Of gives the lines of a run.
func (r Run) Of(lines []string) []string { return lines[r.From:r.To] }

// Part is a stretch of the three texts. The parts of a merge follow each other and
// leave nothing out.
type Part struct {
	Kind             PartKind
	Base, This, That Run
}

// Parts is how three texts hang together, line by line. What is a line, and
// whether its ending counts, is the caller's.
func Parts(base, this, that []string) []Part {
	var out []Part
	put := func(p Part) {
		if n := len(out); n > 0 && p.Kind == Same && out[n-1].Kind == Same {
			last := &out[n-1]
			last.Base.To, last.This.To, last.That.To = p.Base.To, p.This.To, p.That.To
			return
		}
		out = append(out, p)
	}
	changed := func(b, x, y Run) {
		if b.From == b.To && x.From == x.To && y.From == y.To {
			return
		}
		was, here, there := b.Of(base), x.Of(this), y.Of(that)
		p := Part{Collide, b, x, y}
		switch {
		case same(here, there) && same(was, here):
			p.Kind = Same
		case same(here, there):
			p.Kind = Alike
		case same(was, there):
			p.Kind = ByThis
		case same(was, here):
			p.Kind = ByThat
		}
		put(p)
	}
	inThis, inThat := match(base, this), match(base, that)
	b, x, y := 0, 0, 0
	for k := range base {
		i, j := inThis[k], inThat[k]
		if i < 0 || j < 0 {
			continue
		}
		changed(Run{b, k}, Run{x, i}, Run{y, j})
		put(Part{Same, Run{k, k + 1}, Run{i, i + 1}, Run{j, j + 1}})
		b, x, y = k+1, i+1, j+1
	}
	changed(Run{b, len(base)}, Run{x, len(this)}, Run{y, len(that)})
	return out
}

// Match gives for each of the pieces of a, which may be lines or words, the one of
// b that it corresponds to, or -1; ascending.
func Match(a, b []string) []int { return match(a, b) }
