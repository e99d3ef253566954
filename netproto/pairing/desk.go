package pairing

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"pinion/engine/tree"
)

const (
	// Lifetime is how long an invitation is good.
	Lifetime = 15 * time.Minute
	// MaxOpen is how many may be open at a time.
	MaxOpen = 8

	maxAttempts = 3
	// Why an invitation was closed is remembered for those who come late.
	maxClosed  = 32
	rememberIt = time.Hour
)

// Desk holds the invitations that this device has given out. They live in
// memory only: a restart closes them.
type Desk struct {
	self   tree.DeviceID
	open   []ticket     // oldest first
	closed []closedWith // oldest first
}

type inviteID [16]byte

type ticket struct {
	id      inviteID
	secret  [16]byte
	expires time.Time
	wrong   int
	joiner  tree.DeviceID // who proved it; zero while nobody has
}

type closedWith struct {
	id    inviteID
	code  Code
	until time.Time
}

// NewDesk is the desk of a device without open invitations.
func NewDesk(self tree.DeviceID) *Desk { return &Desk{self: self} }

// Invite opens an invitation that names the first MaxAddrs addresses.
func (d *Desk) Invite(now time.Time, random io.Reader, addrs []string) (Invitation, error) {
	d.sweep(now)
	i := Invitation{
		Device:  d.self,
		Addrs:   slices.Clone(addrs[:min(len(addrs), MaxAddrs)]),
		Expires: now.Add(Lifetime).Truncate(time.Second).UTC(),
	}
	if _, err := io.ReadFull(random, i.Secret[:]); err != nil {
		return Invitation{}, fmt.Errorf("draw invitation: %w", err)
	}
	if i.Secret == [16]byte{} {
		return Invitation{}, errors.New("draw invitation: the source of randomness gives zeros")
	}
	if _, err := i.encode(); err != nil {
		return Invitation{}, err
	}
	if len(d.open) >= MaxOpen {
		d.close(now, d.open[0].id, NotOpen)
	}
	d.open = append(d.open, ticket{id: idOf(i.Secret), secret: i.Secret, expires: i.Expires})
	return i, nil
}

// Open says how many invitations somebody may still answer to. One that a device
// has used counts until it expires, because that device may have to try again.
func (d *Desk) Open(now time.Time) int {
	d.sweep(now)
	return len(d.open)
}

// Expecting says whether a stranger should be let in at all: while an invitation
// is open, and for an hour after, so that who comes late is told why.
func (d *Desk) Expecting(now time.Time) bool {
	d.sweep(now)
	return len(d.open)+len(d.closed) > 0
}

// Withdraw closes all invitations.
func (d *Desk) Withdraw(now time.Time) {
	for len(d.open) > 0 {
		d.close(now, d.open[0].id, NotOpen)
	}
}

func (d *Desk) sweep(now time.Time) {
	for _, t := range slices.Clone(d.open) {
		if now.Before(t.expires) {
			continue
		}
		if t.joiner.IsZero() {
			d.close(now, t.id, Expired)
		} else {
			d.close(now, t.id, Used)
		}
	}
	d.closed = slices.DeleteFunc(d.closed, func(c closedWith) bool { return !now.Before(c.until) })
}

func (d *Desk) close(now time.Time, id inviteID, code Code) {
	d.open = slices.DeleteFunc(d.open, func(t ticket) bool { return t.id == id })
	d.closed = append(d.closed, closedWith{id, code, now.Add(rememberIt)})
	if len(d.closed) > maxClosed {
		d.closed = slices.Delete(d.closed, 0, 1)
	}
}

// redeem checks a joiner's proof and, where it is right, keeps the invitation
// for that device alone.
func (d *Desk) redeem(now time.Time, id inviteID, p proofs, proof []byte) (secret [16]byte, code Code) {
	d.sweep(now)
	i := slices.IndexFunc(d.open, func(t ticket) bool { return t.id == id })
	if i < 0 {
		for _, c := range d.closed {
			if c.id == id {
				return secret, c.code
			}
		}
		return secret, NotOpen
	}
	t := &d.open[i]
	if !hmac.Equal(proof, p.of(t.secret, "joiner")) {
		if t.wrong++; t.wrong >= maxAttempts {
			d.close(now, id, TooMany)
			return secret, TooMany
		}
		return secret, Wrong
	}
	if !t.joiner.IsZero() && t.joiner != p.joiner {
		return secret, Used
	}
	t.joiner = p.joiner
	return t.secret, 0
}

func idOf(secret [16]byte) inviteID {
	sum := sha256.Sum256(slices.Concat([]byte("pinion invitation\x00"), secret[:]))
	return inviteID(sum[:16])
}

// proofs are bound to one connection and its two ends.
type proofs struct {
	exporter        []byte
	joiner, inviter tree.DeviceID
}

func (p proofs) of(secret [16]byte, role string) []byte {
	mac := hmac.New(sha256.New, secret[:])
	mac.Write(bytes.Join([][]byte{append([]byte(role), 0), p.exporter, p.joiner[:], p.inviter[:]}, nil))
	return mac.Sum(nil)
}
