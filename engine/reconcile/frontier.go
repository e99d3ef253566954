package reconcile

import (
	"slices"

	"pinion/engine/tree"
)

// candidate is one of the entries that no other one dominates.
type candidate struct {
	tree.Entry
	local   bool
	devices []tree.DeviceID // that announced it
}

// frontier gives what nobody knows more than, greatest first, and the devices
// whose announcements need nothing.
func frontier(in Input) (front []candidate, drop []tree.DeviceID) {
	var all []candidate
	if in.HasLocal {
		all = append(all, candidate{Entry: in.Local.Entry, local: true})
	}
	for _, r := range in.Remotes {
		if in.HasLocal {
			r.Entry = r.Entry.Inherit(in.Local.Entry)
		}
		if in.HasLocal && Settled(in.Local.Entry, r.Entry) {
			drop = append(drop, r.Device)
			continue
		}
		all = addCandidate(all, r)
	}
	for _, c := range all {
		dominated := slices.ContainsFunc(all, func(d candidate) bool {
			return c.Version.Compare(d.Version) == tree.Before && !unrelated(in.Lookup, c.Entry, d.Entry)
		})
		if !dominated {
			front = append(front, c)
		}
	}
	slices.SortFunc(front, func(a, b candidate) int { return rank(b.Entry, a.Entry) })
	slices.SortFunc(drop, compareDevices)
	return front, drop
}

func addCandidate(all []candidate, r Remote) []candidate {
	for i, c := range all {
		if c.Version.Compare(r.Entry.Version) == tree.Equal && same(c.Entry, r.Entry) {
			all[i].devices = append(all[i].devices, r.Device)
			if !c.local && rank(r.Entry, c.Entry) > 0 {
				all[i].Entry = r.Entry
			}
			return all
		}
	}
	return append(all, candidate{Entry: r.Entry, devices: []tree.DeviceID{r.Device}})
}

// unrelated says whether after is a conflict copy as it was made, and before
// something else. A copy has the version that its content had at another path:
// it may cover what stood under the copy's name before (the copy of an earlier
// edit of one device in one minute) without having come from it.
func unrelated(look Lookup, before, after tree.Entry) bool {
	return before.Exists() && after.Exists() && !before.SameContent(after) &&
		after.Base != before.Content && asMade(look, after)
}

func asMade(look Lookup, e tree.Entry) bool {
	if !e.Exists() || e.Conflict == nil {
		return false
	}
	digits := nameDigits()
	for _, digits := range append(digits[:], 0) { // 0: as copies were named once
		if conflictPath(beside(e.Path, e.Conflict.Of), deviceOf(look, e.Author), e.MTime, identity(e), digits) == e.Path {
			return true
		}
	}
	return false
}

func compareDevices(a, b tree.DeviceID) int { return slices.Compare(a[:], b[:]) }

// outcome is what has to stand at a path, and what has to be kept beside it.
type outcome struct {
	entry  tree.Entry  // with the joined version
	top    tree.Entry  // the same as it was announced
	losers []candidate // live, with their own versions
	edit   *candidate  // the only live one against tombstones, else nil
	moved  tree.Entry  // the tombstone that says where edit could go; Kind 0 if none
	facts  []Fact
}

// merge settles a frontier. Each rule looks at all of it, so that the order in
// which things were learnt does not matter.
func merge(path tree.Path, front []candidate) outcome {
	var out outcome
	var join tree.Version
	var lives, tombs []candidate
	for _, c := range front {
		join = join.Join(c.Version)
		if c.Exists() {
			lives = append(lives, c)
		} else {
			tombs = append(tombs, c)
		}
	}
	standing := len(lives)
	lives = slices.DeleteFunc(lives, func(l candidate) bool {
		return slices.ContainsFunc(tombs, func(t candidate) bool {
			return t.Version.Compare(l.Version) == tree.Concurrent && deletionWins(t.Entry, l.Entry)
		})
	})
	if len(lives) == 0 {
		out.entry = tombs[0].Entry
		out.entry.Version = join
		if standing > 0 {
			out.facts = append(out.facts, Fact{Kind: DeletionConfirmed, Path: path, By: tombs[0].Author})
		}
		return out
	}
	lives = withoutOlderStates(lives)
	out.entry, out.top, out.losers = lives[0].Entry, lives[0].Entry, distinct(lives)
	for _, l := range lives[1:] {
		out.entry = out.entry.Inherit(l.Entry)
	}
	out.entry.Version = join
	if len(tombs) > 0 {
		out.facts = append(out.facts, Fact{
			Kind: EditBeatDeletion, Path: path, By: tombs[0].Author, When: tombs[0].Version.Counter(tombs[0].Author),
		})
	}
	if len(lives) == 1 && len(tombs) == 1 && tombs[0].Version.Compare(lives[0].Version) == tree.Concurrent {
		out.edit, out.moved = &lives[0], tombs[0].Entry
	}
	return out
}

// withoutOlderStates leaves out entries that another one was edited from. Where
// that goes round in a circle, or the versions are equal, nothing is left out.
func withoutOlderStates(lives []candidate) []candidate {
	var rest []candidate
	for _, l := range lives {
		older := slices.ContainsFunc(lives, func(m candidate) bool {
			return m.Version.Compare(l.Version) == tree.Concurrent && editOf(m.Entry, l.Entry)
		})
		if !older {
			rest = append(rest, l)
		}
	}
	if len(rest) == 0 {
		return lives
	}
	return rest
}

// distinct gives the losers of lives (the first is the winner) whose content is
// not the winner's or that of a greater loser.
func distinct(lives []candidate) (losers []candidate) {
	for i, l := range lives {
		if i == 0 || l.Kind == tree.Dir {
			continue
		}
		if !slices.ContainsFunc(lives[:i], func(m candidate) bool { return m.SameContent(l.Entry) }) {
			losers = append(losers, l)
		}
	}
	return losers
}
