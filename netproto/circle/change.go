package circle

import (
	"crypto/ed25519"
	"errors"
	"fmt"
	"slices"

	"pinion/engine/tree"
)

// Endorse makes the holder of key a member, in a new life if it was removed:
// this is what a person's invitation stands behind. It adds nothing where such a
// statement of ours already counts.
func (c *Circle) Endorse(by Signer, key ed25519.PublicKey) error {
	if by.Device() != c.self {
		return ErrNotSelf
	}
	if len(key) != ed25519.PublicKeySize {
		return errors.New("endorse device: its key has the wrong length")
	}
	subject := deviceOf(key)
	if subject == c.self {
		return errors.New("endorse device: it is this one")
	}
	v := c.view()
	if old, ok := c.all[place{endorse, c.self, subject}]; ok && v.counts(old) {
		return nil
	}
	epoch, as := v.removed[subject]+1, v.removed[c.self]+1
	if epoch > maxCount || as > maxCount {
		return errors.New("endorse device: it was removed for good; it can come back only with a new key")
	}
	return c.add(by, body{Kind: endorse, Key: key, Count: epoch, As: as})
}

// Join merges another circle into this one after a person has paired this
// device with the holder of key: the union of both, and that device endorsed.
//
// Where the other circle has removed this device, what this device endorsed in
// the life that has ended counts no more, since it may have been stolen
// meanwhile. Lost are those who were members before only by that; they have to
// be invited again.
func (c *Circle) Join(by Signer, key ed25519.PublicKey, statements [][]byte) (lost []Member, rejected []error, err error) {
	before := c.Members()
	_, rejected = c.Merge(statements)
	if err := c.Endorse(by, key); err != nil {
		return nil, rejected, err
	}
	for _, m := range before {
		if !c.IsMember(m.Device) {
			lost = append(lost, m)
		}
	}
	return lost, rejected, nil
}

// enough endorsements keep a device in the circle whoever goes; beyond it in
// both directions a further one is only weight.
const enough = 16

// Cosign adds this device's own endorsement of members that it has not endorsed
// yet, and says whether it added any: to be called after each change.
func (c *Circle) Cosign(by Signer) (added bool, err error) {
	if by.Device() != c.self {
		return false, ErrNotSelf
	}
	v := c.view()
	given, got := 0, map[tree.DeviceID]int{}
	for _, s := range c.all {
		_, member := v.members[s.signer]
		if s.kind != endorse || !member || !v.counts(s) {
			continue
		}
		got[s.subject]++
		if s.signer == c.self {
			given++
		}
	}
	for _, m := range c.Members() {
		own, signed := c.all[place{endorse, c.self, m.Device}]
		if m.Device == c.self || (signed && v.counts(own)) || (given >= enough && got[m.Device] >= enough) {
			continue
		}
		if err := c.Endorse(by, m.PublicKey); err != nil {
			return added, err
		}
		given, added = given+1, true
	}
	return added, nil
}

// Remove ends a device's membership everywhere. A device may remove itself: it
// leaves.
func (c *Circle) Remove(by Signer, subject tree.DeviceID) error {
	if by.Device() != c.self {
		return ErrNotSelf
	}
	epoch := uint64(0)
	for _, s := range c.all {
		if s.kind == endorse && s.subject == subject {
			epoch = max(epoch, s.Count)
		}
	}
	if epoch == 0 {
		return fmt.Errorf("remove device: %w", ErrUnknown)
	}
	if c.view().removed[subject] >= epoch {
		return nil
	}
	return c.add(by, body{Kind: remove, Subject: subject[:], Count: epoch})
}

// SetAbout says this device's own name and addresses (at most MaxAddrs are
// told). seq has to grow whenever they change, over restarts too, so the wall
// clock serves; where it is not beyond what was said before, that plus one is
// taken. It adds nothing where nothing changed.
func (c *Circle) SetAbout(by Signer, name string, addrs []string, seq uint64) (changed bool, err error) {
	if by.Device() != c.self {
		return false, ErrNotSelf
	}
	if len(addrs) > MaxAddrs {
		addrs = addrs[:MaxAddrs]
	}
	old, known := c.all[place{about, c.self, c.self}]
	if known && old.Name == name && slices.Equal(old.Addrs, addrs) {
		return false, nil
	}
	return true, c.add(by, body{Kind: about, Count: max(seq, old.Count+1), Name: name, Addrs: addrs})
}

// Rename gives a member a name that all show instead of the one it calls itself
// by; an empty one takes that back.
func (c *Circle) Rename(by Signer, subject tree.DeviceID, name string) (changed bool, err error) {
	if by.Device() != c.self {
		return false, ErrNotSelf
	}
	if !c.IsMember(subject) {
		return false, fmt.Errorf("rename device: %w", ErrUnknown)
	}
	old, known := c.view().nicks[subject]
	if old.Name == name {
		return false, nil
	}
	count := uint64(1)
	if known {
		count = old.Count + 1
	}
	return true, c.add(by, body{Kind: nick, Subject: subject[:], Count: count, Name: name})
}

// add signs b and puts it in the place of what we said before.
func (c *Circle) add(by Signer, b body) error {
	if len(b.Addrs) == 0 {
		b.Addrs = nil
	}
	s, err := c.codec.sign(by, b)
	if err != nil {
		return err
	}
	if s.signer != c.self {
		return ErrNotSelf
	}
	if old, ok := c.all[s.place]; ok && !s.newer(old) {
		return fmt.Errorf("sign statement of %s: what it said before is newer", s.subject.Short())
	}
	c.put(s)
	c.trim()
	return nil
}
