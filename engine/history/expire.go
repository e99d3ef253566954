package history

import "time"

// Version is a file in the archive, as far as its end is concerned.
type Version struct {
	ID     int64
	When   int64 // it went there, nanoseconds since 1970
	Size   int64
	Newest bool // no later version of its path is kept
	Pinned bool // something that stands or is waited for still needs it
}

// Rules say how long and how much is kept. Only what is forced goes earlier.
type Rules struct {
	Keep  time.Duration // how long a version is kept; 0: for ever
	Bytes int64         // how much is kept; 0: no bound
}

// Young is how long a version stays, however short the disk is: an editor may
// still be writing into it, and a person has just seen it go.
const Young = 15 * time.Minute

// ahead is how far in the future a version may seem to be from and still count as
// young: it came while the archive was looked through, or the clock was set back
// since. What is from later than that has a wrong date.
const ahead = 24 * time.Hour

// Expires is when a version that was archived at when expires by age; nil: never.
// It goes earlier where the size bound or the disk's reserve asks for it.
func (r Rules) Expires(when int64) *time.Time {
	if r.Keep <= 0 {
		return nil
	}
	t := time.Unix(0, when).Add(r.Keep)
	return &t
}

// Pass is one way through all versions, oldest first.
type Pass uint8

const (
	Aged   Pass = iota // those whose time is over
	Older              // those of which a later version of the same path is kept
	Newest             // the last ones of their paths
)

// Passes gives the passes in the order in which they are to be made.
func Passes() [3]Pass { return [...]Pass{Aged, Older, Newest} }

// Thinning decides what goes. The caller shows it all versions once in each pass,
// oldest first, a page at a time, and has what it names removed before the next
// page; Newest and Pinned are as of then.
type Thinning struct {
	rules Rules
	now   time.Time
	byAge bool
	kept  int64 // bytes in the archive
	need  int64 // bytes that have to be freed, whatever the rules say
}

// NewThinning begins one over an archive of kept bytes of which need have to go.
// Without byAge nothing goes for its age: the clock is not to be trusted.
func NewThinning(r Rules, now time.Time, byAge bool, kept, need int64) *Thinning {
	return &Thinning{rules: r, now: now, byAge: byAge, kept: kept, need: need}
}

// Over is how many bytes still have to go, apart from what is aged.
func (t *Thinning) Over() int64 {
	over := t.need
	if t.rules.Bytes > 0 {
		over = max(over, t.kept-t.rules.Bytes)
	}
	return max(0, over)
}

// Take says which versions of a page go, by their place in it, and whether
// another page of this pass is worth showing.
func (t *Thinning) Take(p Pass, page []Version) (drop []int, more bool) {
	for i, v := range page {
		switch {
		case p == Aged && !t.aged(v):
			if t.later(v) {
				return drop, false // those behind it are younger
			}
			continue
		case p != Aged && t.Over() == 0:
			return drop, false
		case p == Older && v.Newest, !t.free(v):
			continue
		}
		drop = append(drop, i)
		t.kept -= v.Size
		t.need -= v.Size
	}
	return drop, true
}

// Frees is how many bytes of a page could be freed if they had to be.
func (t *Thinning) Frees(page []Version) (n int64) {
	for _, v := range page {
		if t.free(v) {
			n += v.Size
		}
	}
	return n
}

// aged: its time is over.
func (t *Thinning) aged(v Version) bool { return t.byAge && t.rules.Keep > 0 && !t.later(v) }

func (t *Thinning) later(v Version) bool {
	return !t.byAge || t.rules.Keep <= 0 || time.Unix(0, v.When).Add(t.rules.Keep).After(t.now)
}

// free: it may go if it has to.
func (t *Thinning) free(v Version) bool {
	age := t.now.Sub(time.Unix(0, v.When))
	return !v.Pinned && (age >= Young || age <= -ahead)
}

// TrustClock says whether versions may expire by age, given when the archive was
// last looked through (zero: never). After a jump of the clock, either way, they
// may not, until a later look agrees: a computer that starts with the wrong date
// must not lose its whole archive for it.
func TrustClock(now, last time.Time) bool {
	gone := now.Sub(last)
	return !last.IsZero() && gone > -time.Hour && gone < 10*24*time.Hour
}
