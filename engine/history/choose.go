package history

import (
	"slices"

	"pinion/engine/tree"
)

// Verdict is what can be done for a path.
type Verdict uint8

const (
	Bring   Verdict = iota + 1 // the version that was chosen
	Stands                     // what is meant stands there already
	NotThen                    // nothing stood there at that moment
	Nothing                    // nothing is kept that is meant
)

// Ask is what a person wants of a path.
type Ask struct {
	At int64 // what stood at this moment, nanoseconds since 1970; 0: the newest that is kept
	// Missing wants only what was deleted and is not there now: of a directory,
	// not each file that was ever replaced.
	Missing bool
	Content tree.ContentID // the newest version with this content; zero: whichever
}

// Choose picks one of a path's versions, oldest first as Merge gives them. live
// is what stands at the path now; a tombstone or nothing if nothing does.
func Choose(versions []Edition, live tree.Entry, ask Ask) (Edition, Verdict) {
	exists := live.Exists()
	switch {
	case !ask.Content.IsZero():
		return holding(versions, live, ask.Content)
	case ask.At != 0:
		return stoodAt(versions, live, ask.At)
	}
	if ask.Missing {
		if exists {
			return Edition{}, Stands
		}
		// A path whose last version was replaced, not deleted, moved elsewhere.
		if n := len(versions); n == 0 || versions[n-1].Reason != tree.Removed {
			return Edition{}, Nothing
		}
	}
	for _, v := range slices.Backward(versions) {
		if v.Usable() && !(exists && isLive(v, live)) {
			return v, Bring
		}
	}
	if exists && len(versions) > 0 {
		return Edition{}, Stands
	}
	return Edition{}, Nothing
}

// holding picks the newest version of a content.
func holding(versions []Edition, live tree.Entry, content tree.ContentID) (Edition, Verdict) {
	if live.Exists() && live.Kind == tree.File && live.Content == content {
		return Edition{}, Stands
	}
	for _, v := range slices.Backward(versions) {
		if v.Usable() && v.Content == content {
			return v, Bring
		}
	}
	return Edition{}, Nothing
}

// stoodAt picks what stood at a moment: what is live if it was written before,
// else what was put away first after it, unless that was written after it, too.
func stoodAt(versions []Edition, live tree.Entry, at int64) (Edition, Verdict) {
	stood := live.Exists() && Written(live) <= at && live.MTime <= at
	if stood && Written(live)+second <= at {
		return Edition{}, Stands
	}
	// Within the second in which it was written, what was put away since decides.
	for _, v := range versions {
		if v.When <= at || v.MTime > at || !v.Usable() {
			continue
		}
		if live.Exists() && isLive(v, live) {
			return Edition{}, Stands
		}
		return v, Bring
	}
	if stood {
		return Edition{}, Stands
	}
	return Edition{}, NotThen
}

// isLive says whether a version is what stands there now.
func isLive(v Edition, live tree.Entry) bool {
	if live.Kind == tree.Symlink {
		return v.Kind == tree.Symlink && v.Target == live.Target
	}
	return v.Kind == live.Kind && v.Content == live.Content
}

const second = 1_000_000_000 // nanoseconds

// Written is about when an entry was written, as its author's clock says, in
// nanoseconds since 1970: a version's counters are seconds unless they had to
// run ahead.
func Written(e tree.Entry) int64 {
	const most = 1 << 33 // more seconds than nanoseconds can say
	return int64(min(e.Version.Counter(e.Author), most)) * second
}
