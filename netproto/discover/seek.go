package discover

import (
	"context"
	"time"

	"pinion/engine/tree"
)

// Network tells and asks on the local network. MDNS is one; Off is none.
type Network interface {
	// Announce answers those who ask until ctx ends. It is to be called anew
	// after a network change.
	Announce(ctx context.Context) error
	// Lookup asks once and calls found for each address of a wanted device
	// that is heard within about a second.
	Lookup(ctx context.Context, wanted []tree.DeviceID, found func(tree.DeviceID, string)) error
}

// Off is the Network of who does not want to be seen on the local one.
type Off struct{}

func (Off) Announce(ctx context.Context) error { <-ctx.Done(); return nil }

func (Off) Lookup(context.Context, []tree.DeviceID, func(tree.DeviceID, string)) error { return nil }

// Pace says how long to wait before the next look: 5 s after the first, then
// three times as long each time, at most 30 minutes, each shortened by up to a
// third so that devices that began together drift apart. The zero value is
// ready.
type Pace struct{ looks int }

const (
	firstWait = 5 * time.Second
	maxWait   = 30 * time.Minute
)

// Next is the wait after a look; jitter is in [0, 1).
func (p *Pace) Next(jitter float64) time.Duration {
	wait := firstWait
	for range p.looks {
		if wait *= 3; wait >= maxWait {
			wait = maxWait
			break
		}
	}
	p.looks = min(p.looks+1, 16)
	return wait - time.Duration(jitter*float64(wait)/3)
}

// Reset begins anew: the network or who is missing has changed.
func (p *Pace) Reset() { p.looks = 0 }

// Seeking is what Seek works with.
type Seeking struct {
	Network Network
	Wanted  func() []tree.DeviceID // members that are not connected now; none: silence
	Found   func(device tree.DeviceID, addr string)
	Wake    <-chan struct{} // the network changed, or somebody went missing
	After   func(time.Duration) <-chan time.Time
	Jitter  func() float64 // in [0, 1)
	Failed  func(error)    // a look failed; the next one may not
}

// Seek looks for those who are wanted until ctx ends.
func Seek(ctx context.Context, s Seeking) {
	var pace Pace
	for ctx.Err() == nil {
		var next <-chan time.Time
		if wanted := s.Wanted(); len(wanted) > 0 {
			if err := s.Network.Lookup(ctx, wanted, s.Found); err != nil && ctx.Err() == nil {
				s.Failed(err)
			}
			next = s.After(pace.Next(s.Jitter()))
		} else {
			pace.Reset()
		}
		select {
		case <-ctx.Done():
		case <-s.Wake:
			pace.Reset()
		case <-next:
		}
	}
}
