package plan

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"pinion/engine/tree"
)

// GuardConfig says when what is lost is too much to happen unasked. Zero values
// stand for the defaults.
type GuardConfig struct {
	Off   bool
	Least int64 // fewer are never held; 25 by default
	Share int64 // held from one in so many files on; 3 by default: a third
}

// Limit is from how many lost files on a sweep is held in a folder of so many;
// 0: never.
func (c GuardConfig) Limit(files int64) int64 {
	if c.Off {
		return 0
	}
	least, share := cmp.Or(c.Least, 25), cmp.Or(c.Share, 3)
	if files <= 0 {
		return least
	}
	return max(least, files/share+min(files%share, 1))
}

// Guard says whether so many lost files, in a folder of so many, must be held
// until a person says yes. Lost is a file that was deleted, or overwritten with
// what looks encrypted (Overwrite.Suspect); both count together. Moves count as
// neither.
func Guard(lost, files int64, c GuardConfig) bool {
	limit := c.Limit(files)
	return limit > 0 && lost >= limit
}

// Overwrite is a file whose content has taken the place of another's.
type Overwrite struct {
	Path tree.Path
	Size int64 // of the old content
	// Was and Is say whether the old and the new content look encrypted
	// (engine/noise). What is not known is no.
	Was, Is bool
}

// trifle is the size below which nothing can be said of a content: a file that was
// seen just when it was made, before it was written.
const trifle = 24

// Suspect says whether the overwriting counts as a loss: the content looks
// encrypted now and did not before.
func (o Overwrite) Suspect() bool {
	return o.Is && !o.Was && o.Size >= trifle && !bare(o.Path)
}

// bare says whether a name is that of a format that is noise from its first byte
// on: a file of that kind looks encrypted because it is.
func bare(p tree.Path) bool {
	name := p.Base()
	i := strings.LastIndexByte(name, '.')
	return i >= 0 && slices.Contains(bareFormats[:], strings.ToLower(name[i+1:]))
}

// Of encrypted files, of containers, of vaults, of compression without a magic
// number.
var bareFormats = [...]string{"gpg", "pgp", "enc", "aes", "age", "hc", "tc", "c9r", "c9s", "br", "lzma"}

// Window is for how long the parts of one sweep count together.
const Window = 10 * time.Minute

const slots = 20

// Tally counts what happened within the last Window, to a twentieth of it. The
// zero Tally is empty.
type Tally struct {
	counts [slots]int64
	last   int64 // the number of the newest slot, counted from 1970
}

// Add counts n more at a moment.
func (t *Tally) Add(n int64, now time.Time) {
	t.turn(now)
	t.counts[t.last%slots] += n
}

// Count is how many there were within the Window before now.
func (t *Tally) Count(now time.Time) (n int64) {
	t.turn(now)
	for _, c := range t.counts {
		n += c
	}
	return n
}

// turn forgets what is too old. A clock that goes back forgets nothing.
func (t *Tally) turn(now time.Time) {
	slot := max(0, now.UnixNano()/int64(Window/slots))
	if slot-t.last >= slots {
		t.counts, t.last = [slots]int64{}, slot
	}
	for t.last < slot {
		t.last++
		t.counts[t.last%slots] = 0
	}
}
