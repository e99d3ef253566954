package reconcile

import (
	"bytes"
	"cmp"
	"math"
	"slices"
	"strings"

	"pinion/engine/tree"
)

// rank is the fixed total order of entries of one path; the greatest keeps the
// name. It depends on nothing but the two entries.
func rank(a, b tree.Entry) int {
	if a.Exists() != b.Exists() {
		if a.Exists() {
			return 1
		}
		return -1
	}
	if !a.Exists() {
		return cmp.Or(
			cmp.Compare(kindRank(a.Kind), kindRank(b.Kind)),
			bytes.Compare(a.Content[:], b.Content[:]),
			strings.Compare(a.Target, b.Target),
			strings.Compare(string(a.MovedTo), string(b.MovedTo)),
			rankRest(a, b),
		)
	}
	return cmp.Or(
		cmp.Compare(kindRank(a.Kind), kindRank(b.Kind)),
		cmp.Compare(clamped(a), clamped(b)),
		bytes.Compare(a.Content[:], b.Content[:]),
		strings.Compare(a.Target, b.Target),
		rankRest(a, b),
	)
}

func rankRest(a, b tree.Entry) int {
	return cmp.Or(
		cmp.Compare(a.Mode, b.Mode),
		cmp.Compare(a.Attrs, b.Attrs),
		cmp.Compare(a.MTime, b.MTime),
		rankTag(a.Conflict, b.Conflict),
		bytes.Compare(a.Base[:], b.Base[:]),
		cmp.Compare(a.Author, b.Author),
		slices.CompareFunc(a.Version, b.Version, func(x, y tree.Stamp) int {
			return cmp.Or(cmp.Compare(x.Replica, y.Replica), cmp.Compare(x.N, y.N))
		}),
	)
}

func rankTag(a, b *tree.Conflict) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil:
		return -1
	case b == nil:
		return 1
	}
	return cmp.Or(strings.Compare(string(a.Of), string(b.Of)), bytes.Compare(a.Base[:], b.Base[:]))
}

func kindRank(k tree.Kind) int {
	switch k {
	case tree.Dir:
		return 3
	case tree.File:
		return 2
	case tree.Symlink:
		return 1
	}
	return 0
}

// clamped is the mtime, but not later than when the author wrote it down: a
// clock far in the future, or a tool that sets such an mtime, wins nothing.
func clamped(e tree.Entry) int64 {
	const second = 1_000_000_000
	n := e.Version.Counter(e.Author)
	if n >= math.MaxInt64/second-1 {
		return e.MTime
	}
	return min(e.MTime, int64(n+1)*second)
}

// same says whether nothing is to be done to a disk that holds a to hold b.
func same(a, b tree.Entry) bool {
	return a.SameContent(b) && (!a.Exists() || a.SameMeta(b))
}

// Settled says whether an announced entry needs no decision, given the own row
// of its path: the row's version covers it, and it is not a different content
// under an equal version.
func Settled(own, announced tree.Entry) bool {
	switch own.Version.Compare(announced.Version) {
	case tree.After:
		return true
	case tree.Equal:
		return same(own, announced)
	}
	return false
}

// deletionWins says whether a tombstone that is concurrent with what stands
// somewhere is not beaten by it. A change always wins; a file that an index
// without history found just as it was deleted elsewhere is none.
func deletionWins(tomb, live tree.Entry) bool {
	if tomb.Kind != live.Kind || tomb.Content != live.Content || tomb.Target != live.Target {
		return false
	}
	v := live.Version
	return len(v) == 1 && v[0].Replica == live.Author && live.Base.IsZero() && live.Conflict == nil &&
		tomb.Version.Counter(live.Author) == 0
}

// editOf says whether a was made from the very content of b, so that b is only
// an older state of it (with other metadata).
func editOf(a, b tree.Entry) bool {
	return a.Kind == tree.File && b.Kind == tree.File && !a.Base.IsZero() &&
		a.Base == b.Content && a.Content != b.Content && b.Base != a.Content
}
