package netproto

import (
	"context"
	"crypto/ed25519"
	"errors"
	"sync"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/identity"
	"pinion/netproto/pairing"
)

// book is a roster that only notes who was endorsed.
type book struct {
	mu      sync.Mutex
	members map[tree.DeviceID]bool
	theirs  [][]byte
	fail    error
}

func (b *book) Welcome(peer ed25519.PublicKey) ([][]byte, error) { return b.Join(peer, nil) }

func (b *book) Join(peer ed25519.PublicKey, theirs [][]byte) ([][]byte, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return nil, b.fail
	}
	if b.members == nil {
		b.members = map[tree.DeviceID]bool{}
	}
	b.members[identity.DeviceOfKey(peer)] = true
	b.theirs = append(b.theirs, theirs...)
	return [][]byte{[]byte("a statement")}, nil
}

func (b *book) has(d tree.DeviceID) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.members[d]
}

func withRoster(t *testing.T, name string, b *book, joined chan Joined) *station {
	return launch(t, func(c *Config) {
		c.Name, c.Roster = name, b
		c.Joined = func(j Joined) { joined <- j }
	}, nil)
}

func TestJoin(t *testing.T) {
	noLeak(t)
	joined := make(chan Joined, 1)
	pi, laptop := &book{}, &book{}
	a, b := withRoster(t, "pi", pi, joined), withRoster(t, "laptop", laptop, joined)
	inv, err := a.Invite([]string{"127.0.0.1:9", a.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.Join(t.Context(), inv, "")
	if err != nil {
		t.Fatal(err)
	}
	if got.Device != a.Device() || got.Name != "pi" || got.Addr != a.Addr().String() {
		t.Errorf("%+v", got)
	}
	select {
	case j := <-joined:
		if j.Device != b.Device() || j.Name != "laptop" {
			t.Errorf("the inviter heard %+v", j)
		}
	case <-time.After(patience):
		t.Fatal("the inviter heard nothing")
	}
	if !pi.has(b.Device()) || !laptop.has(a.Device()) || len(laptop.theirs) == 0 || len(pi.theirs) == 0 {
		t.Error("a roster was not told")
	}
	// The invitation is used up for anybody else.
	third := withRoster(t, "third", &book{}, joined)
	var refusal *pairing.Refusal
	if _, err := third.Join(t.Context(), inv, a.Addr().String()); !errors.As(err, &refusal) || refusal.Code != pairing.Used || refusal.Here {
		t.Errorf("got %v", err)
	}
}

func TestJoinRefused(t *testing.T) {
	noLeak(t)
	joined := make(chan Joined, 1)
	pi := &book{}
	a, b := withRoster(t, "pi", pi, joined), withRoster(t, "laptop", &book{}, joined)
	closed := pairing.Invitation{Device: a.Device(), Secret: [16]byte{1}}
	if _, err := b.Join(t.Context(), closed, a.Addr().String()); err == nil {
		t.Error("joined without an invitation")
	}
	inv, err := a.Invite(nil)
	if err != nil {
		t.Fatal(err)
	}
	wrong := inv
	wrong.Secret[3]++
	var refusal *pairing.Refusal
	if _, err := b.Join(t.Context(), wrong, a.Addr().String()); !errors.As(err, &refusal) {
		t.Errorf("a wrong secret: %v", err)
	}
	elsewhere := inv
	elsewhere.Device = newIdentity(t).Device()
	if _, err := b.Join(t.Context(), elsewhere, a.Addr().String()); !errors.Is(err, identity.ErrOtherDevice) {
		t.Errorf("another device: %v", err)
	}
	pi.mu.Lock()
	pi.fail = errors.New("disk full")
	pi.mu.Unlock()
	if _, err := b.Join(t.Context(), inv, a.Addr().String()); !errors.As(err, &refusal) || refusal.Code != pairing.Failed {
		t.Errorf("the inviter's disk: %v", err)
	}
	if pi.has(b.Device()) || len(joined) > 0 {
		t.Error("it joined")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := b.Join(ctx, inv, a.Addr().String()); !errors.Is(err, context.Canceled) {
		t.Errorf("given up: %v", err)
	}
	none := launch(t, nil, nil)
	if _, err := none.Invite(nil); err == nil {
		t.Error("invited without a roster")
	}
	if _, err := none.Join(t.Context(), inv, ""); err == nil {
		t.Error("joined without a roster")
	}
}
