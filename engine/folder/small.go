package folder

import (
	"context"

	"pinion/engine/plan"
	"pinion/engine/reconcile"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// small is up to what size files move while the link is slow or costs. Larger
// ones stay pending; what needs no bytes from elsewhere goes on: names, moves,
// deletions.
type small struct {
	most int64 // bytes; 0: any
	why  string
}

// SetSmall has files of more than most bytes wait, and says why in a sentence; 0
// ends that. Peers are told, and do the same with this device.
func (f *Folder) SetSmall(most int64, why string) {
	f.mu.Lock()
	s := small{most, why}
	same := f.small == s
	f.small = s
	f.giving.Store(most)
	c := f.cycle
	f.mu.Unlock()
	if c != nil && !same {
		c.ask(func() { c.setSmall(s) })
	}
}

func (c *cycle) setSmall(s small) {
	smaller := s.most > 0 && (c.small.most == 0 || s.most < c.small.most)
	c.small, c.saying.changed = s, true
	if smaller {
		c.work.dropBig(s)
	}
	c.work.allAnother()
}

// heardSmall takes in what a peer says of its link.
func (c *cycle) heardSmall(dev tree.DeviceID, most int64) {
	c.f.mu.Lock()
	same := c.smallOf[dev] == most
	if !same {
		if c.smallOf == nil {
			c.smallOf = map[tree.DeviceID]int64{}
		}
		c.smallOf[dev] = most
	}
	c.f.mu.Unlock()
	if !same {
		c.ask(c.work.allAnother)
	}
}

// dropBig gives up fetching what is too big now. It is pending still, and what
// came of it is kept. What a person waits for goes on.
func (w *work) dropBig(s small) {
	var paths []tree.Path
	big := func(j transfer.Job) bool {
		if j.Entry.Size <= s.most || len(j.Sources) == 0 || j.Final {
			return false
		}
		paths = append(paths, j.Entry.Path)
		return true
	}
	w.c.fetcher.Drop(big)
	kept := w.unsent[:0]
	for _, j := range w.unsent {
		if !big(j) {
			kept = append(kept, j)
		}
	}
	w.unsent = kept
	w.abandon(paths, s.why)
}

// mostNow is up to what size files are worth deciding: this device's bound, or
// the widest of its peers' if all have one.
func (c *cycle) mostNow() int64 {
	widest := int64(0)
	for _, p := range c.exchange.Peers() {
		if p.State.Small == 0 {
			return c.small.most
		}
		widest = max(widest, p.State.Small)
	}
	if c.small.most == 0 {
		return widest
	}
	return min(c.small.most, widest)
}

// tooBig says whether a unit needs bytes that don't move now.
func (r *round) tooBig(ctx context.Context, u *unit, d reconcile.Decision) bool {
	for _, a := range u.actions {
		if a.Op == plan.Put && r.waits(ctx, a.Entry, d) {
			return true
		}
	}
	return false
}

func (r *round) waits(ctx context.Context, e tree.Entry, d reconcile.Decision) bool {
	sources := false
	for _, s := range d.Sources {
		if s.Content != e.Content {
			continue
		}
		for _, dev := range s.Devices {
			sources = true
			if r.reach[dev] && r.moves(dev, e.Size) {
				return false
			}
		}
	}
	return sources && !r.isHere(ctx, e)
}

// moves says whether a file of that size may come from a peer.
func (r *round) moves(dev tree.DeviceID, size int64) bool {
	own, theirs := r.c.small.most, r.small[dev]
	return (own == 0 || size <= own) && (theirs == 0 || size <= theirs)
}

// isHere says whether a content need not come from elsewhere.
func (r *round) isHere(ctx context.Context, e tree.Entry) bool {
	c := r.c
	if c.fetcher.Here(e.Content, e.Size) >= e.Size {
		return true
	}
	if twins, err := c.index.ByContent(ctx, e.Content, 1); err == nil && len(twins) > 0 {
		return true
	}
	kept, err := c.index.FindArchived(ctx, e.Content, 1)
	return err == nil && len(kept) > 0
}
