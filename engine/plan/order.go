package plan

import (
	"cmp"
	"slices"

	"pinion/engine/tree"
)

// The phases of a batch. What a later one needs, an earlier one made.
const (
	phaseMake   = iota // directories, and modes that open them, parents first
	phaseCopy          // conflict copies
	phaseMove          // files that go elsewhere, before their old place goes
	phasePut           // files and symlinks
	phaseTell          // metadata, and what only the index is told
	phaseDelete        // deletions and what takes a directory's place, deepest first
	phaseClose         // modes that close directories, deepest first
)

const ownerMayChange = 0o300 // write and search: what changing a directory needs

func phase(a *Action) int {
	overDir := a.Was.Exists() && a.Was.Kind == tree.Dir
	switch a.Op {
	case Make:
		return phaseMake
	case Move:
		return phaseMove
	case Put, Link:
		switch {
		case overDir:
			return phaseDelete
		case a.Entry.Conflict != nil && !a.Was.Exists():
			return phaseCopy
		}
		return phasePut
	case Meta:
		switch {
		case a.Entry.Kind != tree.Dir:
			return phaseTell
		case a.Entry.Mode&ownerMayChange == ownerMayChange:
			return phaseMake
		}
		return phaseClose
	case Delete:
		return phaseDelete
	}
	return phaseTell
}

// Order brings actions into an order in which they can be done one after the
// other: directories parent first, then conflict copies, moves, what is created
// or replaced, what only the index is told, deletions deepest first. A file
// gives way to a directory with the directories; a directory gives way to a
// file among the deletions, when what was in it is gone. What needs others comes
// after them.
func Order(actions []*Action) {
	type place struct {
		*Action
		phase int
	}
	order := make([]place, len(actions))
	for i, a := range actions {
		order[i] = place{a, phase(a)}
	}
	slices.SortStableFunc(order, func(a, b place) int {
		if c := cmp.Compare(a.phase, b.phase); c != 0 {
			return c
		}
		c := a.Entry.Path.Compare(b.Entry.Path)
		if a.phase >= phaseDelete {
			return -c
		}
		return c
	})
	for i, p := range order {
		actions[i] = p.Action
	}
	afterNeeds(actions)
}

// afterNeeds brings each action that needs others behind the last of them.
func afterNeeds(actions []*Action) {
	if !slices.ContainsFunc(actions, func(a *Action) bool { return len(a.Needs) > 0 }) {
		return
	}
	at := make(map[tree.Path]int, len(actions))
	for i, a := range actions {
		at[a.Entry.Path] = i
	}
	behind := map[int][]*Action{}
	out := make([]*Action, 0, len(actions))
	for i, a := range actions {
		last := i
		for _, p := range a.Needs {
			last = max(last, at[p])
		}
		if last > i {
			behind[last] = append(append(behind[last], a), behind[i]...)
			continue
		}
		out = append(append(out, a), behind[i]...)
	}
	copy(actions, out)
}
