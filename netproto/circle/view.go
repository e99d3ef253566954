package circle

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"slices"

	"pinion/engine/tree"
)

// view is what follows from the set: see doc.go, "Who is a member".
type view struct {
	ever    map[tree.DeviceID]bool
	removed map[tree.DeviceID]uint64
	members map[tree.DeviceID]tree.DeviceID // -> Via
	keys    map[tree.DeviceID]ed25519.PublicKey
	nicks   map[tree.DeviceID]statement // the one of each subject that a member gave last
}

func (c *Circle) view() *view {
	if c.cache == nil {
		c.cache = look(c.self, c.all)
	}
	return c.cache
}

func look(self tree.DeviceID, all map[place]statement) *view {
	v := &view{
		ever:    map[tree.DeviceID]bool{},
		removed: map[tree.DeviceID]uint64{},
		members: map[tree.DeviceID]tree.DeviceID{},
		keys:    map[tree.DeviceID]ed25519.PublicKey{},
		nicks:   map[tree.DeviceID]statement{},
	}
	edges := map[tree.DeviceID][]statement{}
	for _, s := range all {
		if s.kind == endorse {
			v.keys[s.subject] = s.Key
			edges[s.signer] = append(edges[s.signer], s)
		}
	}
	for d := range reach(self, edges, func(statement) bool { return true }) {
		v.ever[d] = true
	}
	for _, s := range all {
		if s.kind == remove && v.ever[s.signer] {
			v.removed[s.subject] = max(v.removed[s.subject], s.Count)
		}
	}
	v.members = reach(self, edges, v.counts)
	for _, s := range all {
		if _, member := v.members[s.signer]; s.kind != nick || !member {
			continue
		}
		if old, ok := v.nicks[s.subject]; !ok || s.newer(old) {
			v.nicks[s.subject] = s
		}
	}
	return v
}

// counts says whether an endorsement is of a life of its subject and by a life
// of its signer that nobody has ended.
func (v *view) counts(s statement) bool {
	return s.Count > v.removed[s.subject] && s.As > v.removed[s.signer]
}

// reach gives all devices that the edges lead to from one device, with the
// device before on the shortest way, the lower id where there are two.
func reach(from tree.DeviceID, edges map[tree.DeviceID][]statement, take func(statement) bool) map[tree.DeviceID]tree.DeviceID {
	via := map[tree.DeviceID]tree.DeviceID{from: {}}
	ring := []tree.DeviceID{from}
	for len(ring) > 0 {
		slices.SortFunc(ring, func(a, b tree.DeviceID) int { return bytes.Compare(a[:], b[:]) })
		var next []tree.DeviceID
		for _, d := range ring {
			for _, s := range edges[d] {
				if _, seen := via[s.subject]; !seen && take(s) {
					via[s.subject] = d
					next = append(next, s.subject)
				}
			}
		}
		ring = next
	}
	return via
}

// trim keeps the set within MaxStatements. A flood by a device that is then
// removed is in the lowest class, whatever it signed, so that it can neither
// keep its removal out nor push the members' own statements out.
func (c *Circle) trim() {
	if len(c.all) <= MaxStatements {
		return
	}
	v := c.view()
	type ranked struct {
		place
		class int
		tie   [32]byte
	}
	order := make([]ranked, 0, len(c.all))
	for p, s := range c.all {
		order = append(order, ranked{p, v.class(c.self, s), p.tie()})
	}
	slices.SortFunc(order, func(a, b ranked) int {
		return cmp.Or(a.class-b.class, bytes.Compare(a.tie[:], b.tie[:]))
	})
	for _, r := range order[MaxStatements:] {
		delete(c.all, r.place)
	}
	c.cache, c.digest = nil, nil
}

// tie orders places of one class alike everywhere.
func (p place) tie() [32]byte {
	return sha256.Sum256(slices.Concat([]byte{byte(p.kind)}, p.signer[:], p.subject[:]))
}

func (v *view) class(self tree.DeviceID, s statement) int {
	_, by := v.members[s.signer]
	_, of := v.members[s.subject]
	switch {
	case s.signer == self:
		return 0
	case s.kind == remove && by:
		return 1
	case by && of && (s.kind != endorse || v.counts(s)):
		return 2
	case s.kind == remove && v.ever[s.signer] || s.kind == endorse && v.ever[s.signer] && v.removed[s.subject] > 0:
		return 3
	}
	return 4
}
