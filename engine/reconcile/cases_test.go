package reconcile

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"pinion/engine/tree"
)

// fixedDie is a die that always falls the same way for a seed.
type fixedDie struct{ state uint64 }

func (d *fixedDie) n(below int) int {
	d.state = d.state*6364136223846793005 + 1442695040888963407
	return int(d.state>>33) % below
}

// deeds are what a person may have done on one device; c is content of its own.
var deeds = []struct {
	name string
	do   func(n *node, c tree.ContentID)
}{
	{"nothing", func(*node, tree.ContentID) {}},
	{"edit", func(n *node, c tree.ContentID) { n.write("p.txt", c, int64(n.w.clock)*1e9) }},
	{"old edit", func(n *node, c tree.ContentID) { n.write("p.txt", c, 1e9) }},
	{"delete", func(n *node, _ tree.ContentID) { n.remove("p.txt") }},
	{"chmod", func(n *node, _ tree.ContentID) { n.chmod("p.txt", 0o600+uint32(n.index)) }},
	{"rename", func(n *node, _ tree.ContentID) { n.rename("p.txt", "q.txt") }},
	{"write q", func(n *node, c tree.ContentID) { n.write("q.txt", c, int64(n.w.clock)*1e9) }},
	{"to directory", func(n *node, c tree.ContentID) { n.remove("p.txt"); n.write("p.txt/x", c, int64(n.w.clock)*1e9) }},
	{"to empty directory", func(n *node, _ tree.ContentID) { n.remove("p.txt"); n.mkdir("p.txt") }},
	{"to link", func(n *node, _ tree.ContentID) { n.symlink("p.txt", fmt.Sprint("target", n.index)) }},
	{"lose the index", func(n *node, _ tree.ContentID) { n.rebuild() }},
}

// starts are what all devices had before.
var starts = []struct {
	name string
	do   func(n *node)
}{
	{"nothing", func(*node) {}},
	{"a file", func(n *node) { n.write("p.txt", content(100), 1_600_000_000e9) }},
	{"a directory", func(n *node) { n.write("p.txt/x", content(100), 1_600_000_000e9) }},
	{"a deleted file", func(n *node) { n.write("p.txt", content(100), 1e9); n.remove("p.txt") }},
}

func (w *world) tree() string {
	var b strings.Builder
	rows := w.nodes[0].rows
	for _, p := range slices.Sorted(maps.Keys(rows)) {
		if r := rows[p]; r.Exists() {
			fmt.Fprintf(&b, "%s %s %s%s; ", p, r.Kind, cid(r.Content), r.Target)
		}
	}
	return b.String()
}

func (w *world) run(start int, doing []int) {
	first := w.nodes[0]
	starts[start].do(first)
	for _, n := range w.nodes[1:] {
		n.exchange(first)
		n.settle(w.nodes)
	}
	for i, n := range w.nodes {
		w.clock += 61
		w.say("dev%d: %s", i, deeds[doing[i]].name)
		deeds[doing[i]].do(n, content(1+i))
	}
}

// TestEveryDeedOnEveryDevice goes through all that two and three devices may
// have done apart, in several orders of meeting. Nothing is lost, all devices
// end alike, and where no two versions could be told to be one's edit of the
// other's the end does not depend on the order.
func TestEveryDeedOnEveryDevice(t *testing.T) {
	orders := map[int]int{2: 6, 3: 3}
	if testing.Short() {
		orders[3] = 1
	}
	for devices := 2; devices <= 3; devices++ {
		all := len(deeds) * len(deeds)
		if devices == 3 {
			all *= len(deeds)
		}
		for start := range starts {
			for i := range all {
				doing := digits(i, len(deeds), devices)
				var ends []string
				for seed := range orders[devices] {
					w := newWorld(t, &fixedDie{uint64(seed)}, devices)
					w.tick = 61
					w.say("all have %s", starts[start].name)
					w.run(start, doing)
					w.quiesce()
					w.converged()
					w.nothingLost()
					ends = append(ends, w.tree())
				}
				slices.Sort(ends)
				if ends = slices.Compact(ends); len(ends) > 1 && !orderMayMatter(doing) {
					t.Errorf("%s, then %s:\n%s", starts[start].name, names(doing), strings.Join(ends, "\n"))
				}
			}
		}
	}
}

// orderMayMatter says whether the end may depend on the order, though nothing is
// lost: where a move and an edit meet, an edit that comes too late to follow
// wins under the old name; a chmod and an edit of the same content are no
// conflict, but are one of two edits; an index without history forgets what was
// edited from what.
func orderMayMatter(doing []int) bool {
	return slices.ContainsFunc(doing, func(d int) bool {
		return slices.Contains([]string{"rename", "chmod", "lose the index"}, deeds[d].name)
	})
}

func names(doing []int) string {
	var s []string
	for _, d := range doing {
		s = append(s, deeds[d].name)
	}
	return strings.Join(s, ", ")
}

// digits are those of i in the base, at least so many.
func digits(i, base, count int) []int {
	out := make([]int, count)
	for k := range out {
		out[k], i = i%base, i/base
	}
	return out
}
