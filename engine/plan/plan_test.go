package plan

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

// The test alphabet: "put a/b 1" is an action with its path and its content;
// what follows says more:
//
//	over:file|dir   what stands there now
//	needs:path      what has to be done before
//	to:PATH         a tombstone's hint
//	of:PATH         a conflict copy
//	keep:PATH       what stands there is moved to be a conflict copy of the path
//	mode:700
func act(t testing.TB, s string) Action {
	t.Helper()
	words := strings.Fields(s)
	ops := map[string]Op{"adopt": Adopt, "make": Make, "put": Put, "link": Link, "meta": Meta, "delete": Delete}
	a := Action{Op: ops[words[0]], Entry: tree.Entry{Path: tree.Path(words[1]), Kind: tree.File, Size: 10}}
	if a.Op == 0 {
		t.Fatalf("no operation in %q", s)
	}
	for _, w := range words[2:] {
		key, value, pair := strings.Cut(w, ":")
		switch {
		case !pair:
			a.Entry.Content = id(w)
		case key == "over":
			a.Was = tree.Record{Entry: tree.Entry{Path: a.Entry.Path, Kind: tree.File, Content: a.Entry.Content, Size: 10}, Seq: 1}
			if value == "dir" {
				a.Was.Kind = tree.Dir
			}
		case key == "to":
			a.Entry.MovedTo = tree.Path(value)
		case key == "of":
			a.Entry.Conflict = &tree.Conflict{Of: tree.Path(value)}
		case key == "needs":
			a.Needs = append(a.Needs, tree.Path(value))
		case key == "keep":
			a.Keep = &tree.Entry{Path: tree.Path(value), Conflict: &tree.Conflict{Of: a.Entry.Path}}
		case key == "mode":
			fmt.Sscanf(value, "%o", &a.Entry.Mode)
			a.Entry.Kind = tree.Dir
		}
	}
	switch a.Op {
	case Make:
		a.Entry.Kind = tree.Dir
	case Delete:
		a.Entry.Deleted = true
		if !a.Was.Exists() {
			a.Was = tree.Record{Entry: a.Entry, Seq: 1}
			a.Was.Deleted = false
		}
	}
	return a
}

func id(s string) (c tree.ContentID) {
	copy(c[:], "\x01"+s)
	return c
}

func acts(t testing.TB, lines ...string) (out []Action) {
	for _, l := range lines {
		out = append(out, act(t, l))
	}
	return out
}

func told(actions []Action) string {
	var s []string
	for _, a := range actions {
		line := fmt.Sprintf("%s %s", a.Op, a.Entry.Path)
		if a.Op == Move {
			line = fmt.Sprintf("move %s to %s", a.From.Path, a.Entry.Path)
		}
		s = append(s, line)
	}
	return strings.Join(s, ", ")
}

func pointers(actions []Action) []*Action {
	out := make([]*Action, len(actions))
	for i := range actions {
		out[i] = &actions[i]
	}
	return out
}

// ordered are the actions in the order of Order.
func ordered(actions []Action) []Action {
	all := pointers(actions)
	Order(all)
	out := make([]Action, len(all))
	for i, a := range all {
		out[i] = *a
	}
	return out
}

func TestOrder(t *testing.T) {
	for _, x := range []struct {
		name string
		in   []string
		want string
	}{
		{"parents first", []string{"put a/b/f 1", "make a/b", "make a"}, "make a, make a/b, put a/b/f"},
		{"deletions deepest first and last", []string{"delete a over:dir", "delete a/b over:dir", "delete a/b/f", "delete a/c", "put z 1"},
			"put z, delete a/c, delete a/b/f, delete a/b, delete a"},
		{"copies before the adopt", []string{"adopt p", "put p-copy 1 of:p"}, "put p-copy, adopt p"},
		{"file to directory", []string{"put p/x 1", "make p over:file"}, "make p, put p/x"},
		{"directory to file", []string{"put p 1 over:dir", "delete p/x", "delete p/y/z", "delete p/y over:dir"},
			"delete p/y/z, delete p/y, delete p/x, put p"},
		{"modes", []string{"meta ro mode:500", "put ro/x 1", "delete rw/x", "meta rw mode:700"},
			"meta rw, put ro/x, delete rw/x, meta ro"},
		{"what needs others after them", []string{"make p needs:p-copy", "put p-copy 1 of:p", "adopt a needs:b", "meta b", "put c 1", "adopt d"},
			"put p-copy, make p, put c, meta b, adopt a, adopt d"},
	} {
		if got := told(ordered(acts(t, x.in...))); got != x.want {
			t.Errorf("%s: %s", x.name, got)
		}
	}
}

func never(tree.Path) bool { return false }

func TestPairMoves(t *testing.T) {
	for _, x := range []struct {
		name           string
		in             []string
		comes          string
		want, deferred string
	}{
		{"a rename", []string{"delete a 1", "put b 1"}, "", "move a to b", ""},
		{"the hint first", []string{"delete a 1 to:c", "put b 1", "put c 1"}, "", "put b, move a to c", ""},
		{"another's hint is respected", []string{"delete a 1", "delete z 1 to:b", "put b 1"}, "", "delete a, move z to b", ""},
		{"then the name", []string{"delete a/x 1", "put b 1", "put c/x 1"}, "", "put b, move a/x to c/x", ""},
		{"one source, one move", []string{"delete a 1", "put b 1", "put c 1"}, "", "move a to b, put c", ""},
		{"two of each", []string{"delete d/x 1", "delete d/y 1", "put e/y 1", "put e/x 1"}, "", "move d/y to e/y, move d/x to e/x", ""},
		{"other content", []string{"delete a 1", "put b 2"}, "", "delete a, put b", ""},
		{"onto something", []string{"delete a 1", "put b 1 over:file"}, "", "delete a, put b", ""},
		{"a directory", []string{"delete a over:dir", "put b 1"}, "", "delete a, put b", ""},
		{"the target has yet to come", []string{"delete a 1 to:b", "delete c 2"}, "b", "delete c", "delete a"},
		{"it comes with other content", []string{"delete a 1 to:b", "put b 2"}, "b", "delete a, put b", ""},
		{"it came before", []string{"delete a 1 to:b"}, "", "delete a", ""},
	} {
		out, deferred := PairMoves(acts(t, x.in...), func(p tree.Path) bool { return string(p) == x.comes })
		if told(out) != x.want || told(deferred) != x.deferred {
			t.Errorf("%s: %s; deferred %s", x.name, told(out), told(deferred))
		}
	}
	in := acts(t, "delete a 1", "put b 1")
	in[1].Was = tree.Record{Entry: tree.Entry{Path: "b", Deleted: true}, Seq: 9}
	out, _ := PairMoves(in, never)
	if m := out[0]; m.From.Path != "a" || m.FromGone.Path != "a" || !m.FromGone.Deleted || m.Entry.Path != "b" || m.Was.Seq != 9 {
		t.Errorf("%+v", m)
	}
}

func TestGuard(t *testing.T) {
	for _, x := range []struct {
		deletions, files int64
		c                GuardConfig
		held             bool
	}{
		{24, 24, GuardConfig{}, false},
		{25, 75, GuardConfig{}, true},
		{25, 76, GuardConfig{}, false},
		{26, 76, GuardConfig{}, true},
		{1000, 100_000, GuardConfig{}, false},
		{25, 0, GuardConfig{}, true},
		{3, 30, GuardConfig{Least: 3, Share: 10}, true},
		{3, 31, GuardConfig{Least: 3, Share: 10}, false},
		{1000, 1000, GuardConfig{Off: true}, false},
		{math.MaxInt64, math.MaxInt64, GuardConfig{}, true},
		{0, 0, GuardConfig{}, false},
	} {
		if Guard(x.deletions, x.files, x.c) != x.held {
			t.Errorf("%+v", x)
		}
	}
}

// Whatever is planned: nothing is added or dropped but what Collect says, each
// directory stands before what comes into it and goes after what leaves it, and
// groups keep their limits wherever one unit alone does.
func TestPlanProperties(t *testing.T) {
	paths := []string{"a", "a/b", "a/b/c", "a/d", "e", "e/f", "e/f/g", "h"}
	rapid.Check(t, func(t *rapid.T) {
		var in []Action
		for _, p := range rapid.Permutation(paths).Draw(t, "paths") {
			over := rapid.SampledFrom([]string{"", " over:file", " over:dir"}).Draw(t, "over")
			s := rapid.SampledFrom([]string{"put %s 1", "put %s 2", "make %s", "delete %s 1", "delete %s 2 to:h", "adopt %s", "put %s 3 of:h"}).Draw(t, "op")
			in = append(in, act(tb{}, fmt.Sprintf(s, p)+over))
		}
		out, deferred := PairMoves(in, func(tree.Path) bool { return rapid.Bool().Draw(t, "comes") })
		flat := ordered(out)
		moves := 0
		for _, a := range flat {
			if a.Op == Move {
				moves++
			}
		}
		if len(flat)+moves+len(deferred) != len(in) {
			t.Fatalf("%s of %s", told(flat), told(in))
		}
		for i, a := range flat {
			for _, b := range flat[:i] {
				if a.Op == Make && comes(b) && b.Entry.Path != a.Entry.Path && b.Entry.Path.Within(a.Entry.Path) {
					t.Fatalf("%s before its directory: %s", b.Entry.Path, told(flat))
				}
				if l := leaves(a); l != "" && l != b.Entry.Path && b.Was.Kind == tree.Dir && phase(&b) == phaseDelete && l.Within(b.Entry.Path) {
					t.Fatalf("%s after its directory: %s", l, told(flat))
				}
			}
		}
		if !slices.EqualFunc(ordered(in), ordered(ordered(in)), func(a, b Action) bool { return a.Entry.Path == b.Entry.Path && a.Op == b.Op }) {
			t.Fatal("Order is not stable")
		}
	})
}

func comes(a Action) bool { return a.Op == Put || a.Op == Make || a.Op == Link || a.Op == Move }

// tb is for act inside of rapid, where nothing can go wrong.
type tb struct{ testing.TB }

func (tb) Helper() {}

// leaves is the path that is empty after an action; the empty Path if none is.
func leaves(a Action) tree.Path {
	switch a.Op {
	case Delete:
		return a.Entry.Path
	case Move:
		return a.From.Path
	}
	return ""
}
