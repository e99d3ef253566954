package sim

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
)

// event is one thing of a story: at the step of the history at which it happens,
// with random numbers of its own, so that the others stay as they are when one is
// left out.
type event struct {
	at   int
	kind kind
	dev  int
	seed uint64
}

type kind int

const (
	write kind = iota
	replace
	openEditor
	appendTo
	closeEditor
	rename
	remove
	twins
	clash
	chmod
	swapKind
	symlink
	mkdir
	copyFile
	overflow
	lastOfPerson = overflow
)

const (
	cut kind = iota + lastOfPerson + 1
	mend
	powerCut
	killed
	restart
	oldIndex
	skew
	full
	room
	badRead
	mendReads
	kinds
)

var kindNames = [kinds]string{
	"write", "replace", "open an editor", "append", "close an editor", "rename", "remove", "twins", "clash", "chmod", "swap kind", "symlink", "mkdir", "copy", "overflow",
	"cut", "mend", "power cut", "kill", "restart", "old index", "clock", "disk full", "room", "bad read", "mend reads",
}

// odds of what happens.
var odds = [kinds]int{
	write: 30, replace: 14, openEditor: 8, appendTo: 10, closeEditor: 5, rename: 14, remove: 12, twins: 5, clash: 8, chmod: 5, swapKind: 6, symlink: 3, mkdir: 5,
	copyFile: 6, overflow: 2,
	cut: 12, mend: 8, powerCut: 8, killed: 6, restart: 4, oldIndex: 0, skew: 3, full: 3, room: 3, badRead: 4, mendReads: 3,
}

// Story is what one seed tells.
type Story struct {
	Seed    uint64
	Devices int
	plain   bool // ordinary disks
	steps   int
	events  []event
}

// NewStory draws a story.
func NewStory(seed uint64, o Options) Story {
	r := rand.New(rand.NewChaCha8(key(seed, 0)))
	s := Story{Seed: seed, Devices: 2 + min(r.IntN(3), r.IntN(4)), plain: r.IntN(3) == 0}
	if r.IntN(12) == 0 {
		s.Devices = 5
	}
	s.steps = 100 + r.IntN(500)*s.Devices/2
	list := odds
	if o.Easy {
		list[swapKind], list[badRead], list[skew] = 0, 0, 0
		s.Devices = min(s.Devices, 3)
	}
	some := rand.New(rand.NewChaCha8(key(seed, 6))) // lots of its own, so that the others stay
	if o.Backups || some.IntN(4) == 0 && !o.Easy {
		list[oldIndex] = 4
	}
	if r.IntN(4) == 0 { // a history in fine weather
		for k := cut; k < kinds; k++ {
			list[k] = 0
		}
	}
	total := 0
	for _, n := range list {
		total += n
	}
	for range 4 + r.IntN(30) {
		k, n := kind(0), r.IntN(total)
		for n >= list[k] {
			n -= list[k]
			k++
		}
		s.events = append(s.events, event{at: r.IntN(s.steps), kind: k, dev: r.IntN(s.Devices), seed: r.Uint64()})
	}
	slices.SortStableFunc(s.events, func(a, b event) int { return cmp.Compare(a.at, b.at) })
	return s
}

// Len is how many events there are; Without leaves some out.
func (s Story) Len() int { return len(s.events) }

func (s Story) Without(from, to int) Story {
	s.events = append(slices.Clone(s.events[:from]), s.events[to:]...)
	return s
}

func (s Story) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d, %d devices, %d steps:", s.Seed, s.Devices, s.steps)
	for _, e := range s.events {
		fmt.Fprintf(&b, " [%d %s %s]", e.at, names[e.dev], kindNames[e.kind])
	}
	return b.String()
}
