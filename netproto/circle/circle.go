package circle

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"pinion/engine/tree"
)

// Circle is one device's copy of the roster. Not safe for use by several
// goroutines at once.
type Circle struct {
	self  tree.DeviceID
	codec codec
	all   map[place]statement
	// What follows from all; nil after a change.
	cache  *view
	digest *[32]byte
}

// Member is a device of the circle.
type Member struct {
	Device    tree.DeviceID
	PublicKey ed25519.PublicKey // nil only for self while nobody has endorsed it
	Name      string            // never empty: what it was named, what it calls itself, or the first group of its id
	Addrs     []string          // HOST:PORT, as it tells them itself
	Via       tree.DeviceID     // the member whose endorsement leads to it on the shortest way; zero for self
}

// New is the circle of a device that knows nobody.
func New(self tree.DeviceID) (*Circle, error) {
	codec, err := newCodec()
	if err != nil {
		return nil, err
	}
	return &Circle{self: self, codec: codec, all: map[place]statement{}}, nil
}

// Self is the device whose copy this is.
func (c *Circle) Self() tree.DeviceID { return c.self }

// maxRejected bounds the list of errors of one Merge.
const maxRejected = 16

// Merge takes statements over. Those that are known, superseded or beyond the
// bounds change nothing; those that are damaged or forged are left out and
// named (the first 16), which an honest peer never causes.
func (c *Circle) Merge(statements [][]byte) (changed bool, rejected []error) {
	reject := func(err error) {
		if len(rejected) < maxRejected {
			rejected = append(rejected, err)
		}
	}
	if len(statements) > MaxStatements {
		reject(fmt.Errorf("%d statements at once, %d are allowed", len(statements), MaxStatements))
		statements = statements[:MaxStatements]
	}
	replaced := map[place]*statement{}
	for _, raw := range statements {
		s, err := c.codec.decode(raw)
		if err != nil {
			reject(err)
			continue
		}
		old, known := c.all[s.place]
		if known && bytes.Equal(old.raw, s.raw) {
			continue
		}
		if err := c.codec.verify(s); err != nil {
			reject(err)
			continue
		}
		if known && !s.newer(old) {
			continue
		}
		if _, again := replaced[s.place]; !again {
			replaced[s.place] = nil
			if known {
				replaced[s.place] = &old
			}
		}
		c.put(s)
	}
	c.trim()
	for p, old := range replaced {
		now, held := c.all[p]
		changed = changed || held != (old != nil) || (held && !bytes.Equal(now.raw, old.raw))
	}
	return changed, rejected
}

func (c *Circle) put(s statement) {
	c.all[s.place] = s
	c.cache, c.digest = nil, nil
}

// Statements gives the whole set, in an order that depends on nothing but it.
func (c *Circle) Statements() [][]byte {
	out := make([][]byte, 0, len(c.all))
	for _, s := range c.all {
		out = append(out, bytes.Clone(s.raw))
	}
	slices.SortFunc(out, bytes.Compare)
	return out
}

// Digest is equal for equal sets: two devices that have the same one need not
// exchange statements.
func (c *Circle) Digest() [32]byte {
	if c.digest == nil {
		sums := make([][32]byte, 0, len(c.all))
		for _, s := range c.all {
			sums = append(sums, s.sum)
		}
		slices.SortFunc(sums, func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) })
		all := sha256.New()
		for _, sum := range sums {
			all.Write(sum[:])
		}
		c.digest = (*[32]byte)(all.Sum(nil))
	}
	return *c.digest
}

// Members are all devices of the circle, self included, in the order of ids.
func (c *Circle) Members() []Member {
	v := c.view()
	out := make([]Member, 0, len(v.members))
	for d := range v.members {
		out = append(out, c.member(d))
	}
	slices.SortFunc(out, func(a, b Member) int { return bytes.Compare(a.Device[:], b.Device[:]) })
	return out
}

// Member gives one member.
func (c *Circle) Member(d tree.DeviceID) (Member, bool) {
	if !c.IsMember(d) {
		return Member{}, false
	}
	return c.member(d), true
}

// IsMember says whether d may talk to us. Self is always a member.
func (c *Circle) IsMember(d tree.DeviceID) bool {
	_, ok := c.view().members[d]
	return ok
}

// Removed says whether the others have removed this device, which then is
// alone until it is invited again.
func (c *Circle) Removed() bool {
	v := c.view()
	if v.removed[c.self] == 0 {
		return false
	}
	for _, s := range c.all {
		if s.kind == endorse && s.subject == c.self && s.signer != c.self && v.counts(s) && v.ever[s.signer] {
			return false
		}
	}
	return true
}

func (c *Circle) member(d tree.DeviceID) Member {
	v := c.view()
	m := Member{Device: d, PublicKey: bytes.Clone(v.keys[d]), Via: v.members[d], Name: d.Short()}
	if a, ok := c.all[place{about, d, d}]; ok {
		m.Addrs = slices.Clone(a.Addrs)
		if a.Name != "" {
			m.Name = a.Name
		}
	}
	if n, ok := v.nicks[d]; ok && n.Name != "" {
		m.Name = n.Name
	}
	return m
}

// Errors that a caller may tell apart.
var (
	ErrNotSelf = errors.New("a device signs only for itself")
	ErrUnknown = errors.New("no such device in the circle")
)
