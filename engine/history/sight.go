package history

import "pinion/engine/tree"

// State is what became of what stood at a path at a moment.
type State uint8

const (
	Same State = iota + 1 // it stands unchanged
	Changed
	Deleted
	Moved
)

// Sight is a path as it was at a moment.
type Sight struct {
	Kind    tree.Kind
	Size    int64
	MTime   int64 // nanoseconds since 1970; 0 of a directory
	Content tree.ContentID
	State   State
	// Version is the one that a restore would bring, of what is not the same any
	// more. Lost: nobody who was asked keeps it.
	Version Edition
	Lost    bool
	// Since is when it ceased to stand, in nanoseconds since 1970, and By whose doing
	// that was; zero where it is not known. ByRow: the live row, or the tombstone, says it.
	Since int64
	By    tree.DeviceID
	ByRow bool
}

// Worth says whether a person gains from seeing it: it can be had, or went after
// since, when somebody may still be at it.
func (s Sight) Worth(since int64) bool { return !s.Lost || s.State == Moved || s.Since >= since }

// LookAt says what stood at a file's path at a moment (0: now, and then also what
// was deleted before). rec is what the index says of the path now, if anything.
// Not ok: nothing stood there then, as far as anybody knows.
func LookAt(versions []Edition, rec tree.Record, at int64) (s Sight, ok bool) {
	if at == 0 {
		return lookNow(versions, rec)
	}
	v, verdict := Choose(versions, rec.Entry, Ask{At: at})
	switch {
	case verdict == Stands:
		return standing(rec), true
	case verdict == Bring:
		return ended(v, rec), true
	case rec.Deleted && rec.Kind != tree.Dir && Written(rec.Entry) > at && rec.MTime <= at && !rec.Content.IsZero():
		return lost(rec), true // it stood, and was moved, or is in nobody's archive
	}
	return Sight{}, false
}

func lookNow(versions []Edition, rec tree.Record) (Sight, bool) {
	if rec.Exists() {
		return standing(rec), true
	}
	v, verdict := Choose(versions, rec.Entry, Ask{Missing: true})
	switch {
	case verdict == Bring:
		return ended(v, rec), true
	case rec.Deleted && rec.Kind != tree.Dir && rec.MovedTo == "" && (!rec.Content.IsZero() || rec.Kind == tree.Symlink):
		return lost(rec), true
	}
	return Sight{}, false
}

func standing(rec tree.Record) Sight {
	return Sight{Kind: rec.Kind, Size: rec.Size, MTime: rec.MTime, Content: rec.Content, State: Same, ByRow: true}
}

// ended is a version that stands no more.
func ended(v Edition, rec tree.Record) Sight {
	s := Sight{Kind: v.Kind, Size: v.Size, MTime: v.MTime, Content: v.Content, State: Deleted, Version: v, Since: v.When, By: v.By}
	if rec.Exists() {
		s.State = Changed
	} else if rec.Deleted {
		s.Since, s.ByRow = Written(rec.Entry), true
		if rec.MovedTo != "" {
			s.State = Moved
		}
	}
	return s
}

// lost is what a row alone tells of.
func lost(rec tree.Record) Sight {
	s := Sight{Kind: rec.Kind, Size: rec.Size, MTime: rec.MTime, Content: rec.Content, State: Deleted, Lost: true, Since: Written(rec.Entry), ByRow: true}
	if rec.MovedTo != "" {
		s.State = Moved
	}
	return s
}

// Beneath is what is known of what lies, or lay, below a directory, as far as it
// was looked at.
type Beneath struct {
	Held  bool // a file or symlink stands below it, or stood
	Stood bool // something stood below it at the moment; of now: could be brought back
}

// LookAtDir is LookAt for a directory. rec may be a Record of a path alone.
func LookAtDir(rec tree.Record, at int64, below Beneath) (s Sight, ok bool) {
	s = Sight{Kind: tree.Dir, State: Same, ByRow: true}
	switch {
	case rec.Exists():
		return s, at == 0 || Written(rec.Entry) <= at || below.Stood
	case rec.Deleted:
		s.State, s.Since = Deleted, Written(rec.Entry)
		return s, (at == 0 || s.Since > at) && (below.Stood || !below.Held)
	}
	s.State, s.ByRow = Deleted, false
	return s, below.Stood
}
