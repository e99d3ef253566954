package tree

import (
	"cmp"
	"slices"
)

// Stamp is one replica's counter.
type Stamp struct {
	Replica ReplicaID
	N       uint64
}

// Version is a version vector: how much of each replica's writing of one path
// is contained in an entry. Sorted by replica, without zero counters; nil is
// "before everything". Treat as immutable.
type Version []Stamp

// MaxStamps is how many replicas one version may name; more is an attack.
const MaxStamps = 1024

// Order is how two versions relate.
type Order uint8

const (
	Equal Order = iota
	Before
	After
	Concurrent
)

func (o Order) String() string {
	return [...]string{"equal", "before", "after", "concurrent"}[o]
}

// Compare says how v relates to w: After means that v knows all of w and more.
func (v Version) Compare(w Version) Order {
	var less, more bool
	i, j := 0, 0
	for i < len(v) || j < len(w) {
		switch {
		case j == len(w) || (i < len(v) && v[i].Replica < w[j].Replica):
			more, i = true, i+1
		case i == len(v) || w[j].Replica < v[i].Replica:
			less, j = true, j+1
		default:
			more = more || v[i].N > w[j].N
			less = less || v[i].N < w[j].N
			i, j = i+1, j+1
		}
	}
	switch {
	case more && less:
		return Concurrent
	case more:
		return After
	case less:
		return Before
	}
	return Equal
}

// Covers says whether v knows all of w.
func (v Version) Covers(w Version) bool {
	o := v.Compare(w)
	return o == Equal || o == After
}

// Join is the least version that covers both.
func (v Version) Join(w Version) Version {
	out := make(Version, 0, max(len(v), len(w)))
	i, j := 0, 0
	for i < len(v) || j < len(w) {
		switch {
		case j == len(w) || (i < len(v) && v[i].Replica < w[j].Replica):
			out, i = append(out, v[i]), i+1
		case i == len(v) || w[j].Replica < v[i].Replica:
			out, j = append(out, w[j]), j+1
		default:
			out = append(out, Stamp{v[i].Replica, max(v[i].N, w[j].N)})
			i, j = i+1, j+1
		}
	}
	return out
}

// Bump is v after one more writing by r: its counter becomes
// max(previous+1, now), where now is the index's clock (seconds since 1970,
// never going back).
func (v Version) Bump(r ReplicaID, now uint64) Version {
	out := slices.Clone(v)
	i, found := slices.BinarySearchFunc(out, r, func(s Stamp, r ReplicaID) int { return cmp.Compare(s.Replica, r) })
	if !found {
		return slices.Insert(out, i, Stamp{r, max(1, now)})
	}
	out[i].N = max(out[i].N+1, now)
	return out
}

// Counter is r's counter, 0 if r has written nothing of it.
func (v Version) Counter(r ReplicaID) uint64 {
	i, found := slices.BinarySearchFunc(v, r, func(s Stamp, r ReplicaID) int { return cmp.Compare(s.Replica, r) })
	if !found {
		return 0
	}
	return v[i].N
}

// Valid says whether v is in the form that Version promises.
func (v Version) Valid() bool {
	if len(v) > MaxStamps {
		return false
	}
	for i, s := range v {
		if s.N == 0 || s.Replica == 0 || (i > 0 && v[i-1].Replica >= s.Replica) {
			return false
		}
	}
	return true
}
