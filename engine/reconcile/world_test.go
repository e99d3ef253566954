package reconcile

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

type rapidDie struct{ t *rapid.T }

func (d rapidDie) n(below int) int { return rapid.IntRange(0, below-1).Draw(d.t, "n") }

var simPaths = []tree.Path{"a", "b.txt", "d", "d/x", "d/y", "d/e", "d/e/z", "a/x"}

func (w *world) step(rebuilds bool) {
	n := w.nodes[w.die.n(len(w.nodes))]
	p := simPaths[w.die.n(len(simPaths))]
	if w.die.n(5) == 0 { // any path that stands, a conflict copy perhaps
		if all := n.under(""); len(all) > 0 {
			p = all[w.die.n(len(all))]
		}
	}
	switch w.die.n(16) {
	case 0, 1, 2, 3:
		c, m := w.someContent(), w.someTime()
		w.say("dev%d writes %s %s m%d", n.index, p, cid(c), m/1e9-1_700_000_000)
		n.write(p, c, m)
	case 4, 5:
		w.say("dev%d removes %s", n.index, p)
		n.remove(p)
	case 6:
		w.say("dev%d mkdir %s", n.index, p)
		n.mkdir(p)
	case 7, 8:
		q := simPaths[w.die.n(len(simPaths))]
		w.say("dev%d renames %s to %s", n.index, p, q)
		n.rename(p, q)
	case 9:
		w.say("dev%d chmod %s", n.index, p)
		n.chmod(p, []uint32{0o700, 0o755, 0o500}[w.die.n(3)])
	case 10:
		if w.die.n(3) == 0 {
			w.say("dev%d links %s", n.index, p)
			n.symlink(p, fmt.Sprint("to", w.die.n(2)))
		}
	case 11:
		if rebuilds && w.die.n(3) == 0 {
			w.say("dev%d loses its index", n.index)
			n.rebuild()
		}
	default:
		m := w.nodes[w.die.n(len(w.nodes))]
		if m != n {
			w.say("dev%d hears dev%d", n.index, m.index)
			n.exchange(m)
			if w.die.n(4) > 0 {
				n.settle([]*node{m})
			}
		}
	}
}

func (w *world) someContent() tree.ContentID {
	if w.alphabet > 0 {
		return content(1 + w.die.n(w.alphabet))
	}
	w.contents++
	return content(w.contents)
}

// someTime is now mostly, sometimes long ago or far ahead.
func (w *world) someTime() int64 {
	at := int64(w.clock)
	switch w.die.n(6) {
	case 0:
		at -= int64(w.die.n(1000))
	case 1:
		at += int64(w.die.n(100_000))
	}
	return at * 1e9
}

// simulate lets things happen and then all devices meet. With tick 61 no two
// conflict copies are of one minute; with 1 most are.
func simulate(alphabet int, tick uint64, rebuilds bool) func(*rapid.T) {
	return func(t *rapid.T) {
		w := newWorld(t, rapidDie{t}, rapid.IntRange(2, 4).Draw(t, "devices"))
		w.alphabet, w.tick = alphabet, tick
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			w.step(rebuilds)
		}
		w.quiesce()
		w.converged()
		if alphabet == 0 {
			w.nothingLost()
		}
		if w.meetAll() != 0 {
			w.fail("not quiet")
		}
	}
}

func TestWorldConvergesAndLosesNothing(t *testing.T) { rapid.Check(t, simulate(0, 61, false)) }

func TestWorldWithRebuiltIndexes(t *testing.T) { rapid.Check(t, simulate(0, 61, true)) }

func TestWorldWithFewContents(t *testing.T) { rapid.Check(t, simulate(2, 61, true)) }

func TestWorldWithinAMinute(t *testing.T) { rapid.Check(t, simulate(0, 1, true)) }
