package plan

import "pinion/engine/tree"

// PairMoves makes one Move of a file's deletion and the creation of the same
// content elsewhere. What the tombstone says of where the file went comes first,
// then the same name in another directory, then any. One deletion serves one
// move.
//
// A deletion whose file is said to have moved to a path where it has yet to
// arrive (comes: something was announced there that stands nowhere here yet, and
// nothing stands there) is given back as deferred: it is to be decided again
// with or after that path, so that the content is still here to be moved.
func PairMoves(actions []Action, comes func(tree.Path) bool) (out, deferred []Action) {
	puts := make(map[tree.ContentID][]int)
	at := make(map[tree.Path]bool, len(actions))
	for i, a := range actions {
		at[a.Entry.Path] = true
		if a.Op == Put && !a.Was.Exists() {
			puts[a.Entry.Content] = append(puts[a.Entry.Content], i)
		}
	}
	into := make(map[int]int) // put -> deletion
	used := make(map[int]bool)
	for rule := range moveRules {
		for i, a := range actions {
			if used[i] || !movable(a) {
				continue
			}
			if j, ok := target(actions, a, puts[a.Was.Content], into, rule); ok {
				into[j], used[i] = i, true
			}
		}
	}
	for i, a := range actions {
		from, moved := into[i]
		switch {
		case used[i]:
		case moved:
			gone := actions[from]
			out = append(out, Action{Op: Move, Entry: a.Entry, Was: a.Was, From: &gone.Was, FromGone: &gone.Entry})
		case movable(a) && a.Entry.MovedTo != "" && !at[a.Entry.MovedTo] && comes(a.Entry.MovedTo):
			deferred = append(deferred, a)
		default:
			out = append(out, a)
		}
	}
	return out, deferred
}

const moveRules = 3 // told by the tombstone, same name, any

func movable(a Action) bool {
	return a.Op == Delete && a.Was.Exists() && a.Was.Kind == tree.File && a.Was.Size > 0
}

// target is the free creation of gone's content that a rule prefers: the first in
// path order.
func target(actions []Action, gone Action, puts []int, into map[int]int, rule int) (best int, ok bool) {
	for _, i := range puts {
		to := actions[i].Entry.Path
		if _, taken := into[i]; taken ||
			(rule == 0 && to != gone.Entry.MovedTo) ||
			(rule == 1 && to.Base() != gone.Entry.Path.Base()) {
			continue
		}
		if !ok || to.Compare(actions[best].Entry.Path) < 0 {
			best, ok = i, true
		}
	}
	return best, ok
}
