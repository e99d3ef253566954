package plan

import (
	"slices"

	"pinion/engine/tree"
)

// Units gives the actions in runs that must be committed together or not at all:
// an outcome with the conflict copies it rests on, both ends of an edit that
// followed a move. Units are in the order in which they can be done, and so are
// the actions of each. All actions of one decision have to be among those given.
func Units(actions []Action) [][]Action {
	ordered := Order(actions)
	set := newSets(len(ordered))
	first := make(map[tree.Path]int)
	at := make(map[tree.Path]int)
	for i, a := range ordered {
		at[a.Entry.Path] = i
		for _, p := range originals(a) {
			if j, ok := first[p]; ok {
				set.join(j, i)
			} else {
				first[p] = i
			}
		}
	}
	for i, a := range ordered {
		if j, ok := at[a.Entry.MovedTo]; ok && followed(a, ordered[j]) {
			set.join(j, i)
		}
	}
	bindContents(ordered, set)
	return set.runs(ordered)
}

// originals are the paths whose name an action is about: for a conflict copy,
// that of what it is a copy of.
func originals(a Action) []tree.Path {
	of := func(e tree.Entry) tree.Path {
		if e.Conflict != nil {
			return e.Conflict.Of
		}
		return e.Path
	}
	paths := []tree.Path{of(a.Entry)}
	if a.Entry.Conflict != nil {
		paths = append(paths, a.Entry.Path)
	}
	if a.Keep != nil {
		paths = append(paths, of(*a.Keep))
	}
	return paths
}

// followed says whether put brought an edit to where gone says its file went.
func followed(gone, put Action) bool {
	return gone.Entry.Deleted && (put.Op == Put || put.Op == Meta) && put.Entry.Content == gone.Entry.Content
}

// bindContents keeps deletions inside a directory with what takes the
// directory's place, where that is drawn forward by others of its unit.
func bindContents(ordered []Action, set *sets) {
	for i, a := range ordered {
		if phase(a) != phaseDelete || a.Was.Kind != tree.Dir || set.alone(i) {
			continue
		}
		for j, b := range ordered {
			if j != i && b.Entry.Path != a.Entry.Path && leaves(b).Within(a.Entry.Path) && leaves(b) != "" {
				set.join(i, j)
			}
		}
	}
}

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

// Groups packs ordered actions into runs of at most maxFiles actions and
// maxBytes of new content, to be made durable one after the other. What belongs
// together (Units) is never split, so that one unit may exceed the limits.
// A limit of 0 is none.
func Groups(actions []Action, maxFiles int, maxBytes int64) [][]Action {
	var groups [][]Action
	var open []Action
	var bytes int64
	for _, u := range Units(actions) {
		var size int64
		for _, a := range u {
			if a.Op == Put {
				size += a.Entry.Size
			}
		}
		full := (maxFiles > 0 && len(open)+len(u) > maxFiles) || (maxBytes > 0 && bytes+size > maxBytes)
		if full && len(open) > 0 {
			groups, open, bytes = append(groups, open), nil, 0
		}
		open, bytes = append(open, u...), bytes+size
	}
	if len(open) > 0 {
		groups = append(groups, open)
	}
	return groups
}

// sets is a union of indexes; the least of each set is its root.
type sets struct {
	parent []int
	size   []int
}

func newSets(n int) *sets {
	s := &sets{parent: make([]int, n), size: make([]int, n)}
	for i := range s.parent {
		s.parent[i], s.size[i] = i, 1
	}
	return s
}

func (s *sets) root(i int) int {
	for s.parent[i] != i {
		s.parent[i] = s.parent[s.parent[i]]
		i = s.parent[i]
	}
	return i
}

func (s *sets) join(i, j int) {
	a, b := s.root(i), s.root(j)
	if a == b {
		return
	}
	if a > b {
		a, b = b, a
	}
	s.parent[b] = a
	s.size[a] += s.size[b]
}

func (s *sets) alone(i int) bool { return s.size[s.root(i)] == 1 }

func (s *sets) runs(ordered []Action) [][]Action {
	place := make(map[int]int)
	var out [][]Action
	for i, a := range ordered {
		r := s.root(i)
		at, ok := place[r]
		if !ok {
			at = len(out)
			place[r] = at
			out = append(out, nil)
		}
		out[at] = append(out[at], a)
	}
	return slices.Clip(out)
}
