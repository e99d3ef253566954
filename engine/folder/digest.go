package folder

import (
	"time"

	"pinion/engine/exchange"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// accord is what the loop knows of whether devices that say that they are level
// hold the same. It can only fail to be so through a defect, a damaged disk, or
// a hand in the index.
type accord struct {
	c *cycle

	since  map[tree.DeviceID]time.Time // when a difference was first seen
	healed map[tree.DeviceID]healing
}

type healing struct {
	at    time.Time
	times int
}

const (
	// healAgain is how long a second healing waits; each later one twice as long.
	healAgain = time.Hour
	// clockOff is by how much another device's clock may differ before a person
	// is told.
	clockOff = time.Minute
)

// digest sums up what stands here, or is 0 where it says nothing: something is
// under way, or other devices do not hold the same on purpose.
func (a *accord) digest(w tree.FolderState) uint64 {
	c := a.c
	if len(c.names.aside) > 0 || w.Busy || c.f.cfg.Mode != TwoWay || c.paused != nil || c.missing.held > 0 || c.missing.emptied != nil {
		return 0
	}
	return max(1, c.index.Digest())
}

// compareDigests has everything told and looked at again where a device that is
// level with this one holds something else. It says when to look again.
func (a *accord) compareDigests(now time.Time) time.Duration {
	c := a.c
	next := time.Hour
	own := c.saying.digest
	if c.saying.state != status.Synced || own == 0 {
		clear(a.since)
		return next
	}
	if a.since == nil {
		a.since, a.healed = map[tree.DeviceID]time.Time{}, map[tree.DeviceID]healing{}
	}
	for _, p := range c.exchange.Peers() {
		if !differs(p, own) {
			delete(a.since, p.Device)
			continue
		}
		first, seen := a.since[p.Device]
		if !seen {
			first, a.since[p.Device] = now, now
		}
		due := first.Add(c.lim.Differs)
		if h := a.healed[p.Device]; h.times > 0 {
			due = later(due, h.at.Add(healAgain<<min(h.times-1, 5)))
		}
		if wait := due.Sub(now); wait > 0 {
			next = min(next, wait)
			continue
		}
		a.heal(p.Device, now)
	}
	return next
}

func differs(p exchange.PeerState, own uint64) bool {
	return level(p) && p.State.Digest != 0 && p.State.Digest != own
}

// level says whether a peer and this device have told each other everything and
// lack nothing.
func level(p exchange.PeerState) bool {
	return p.Known && p.Recorded && p.Told && !p.State.Busy && p.State.NeedFiles == 0
}

// heal has both devices tell each other everything (the other one sees the same
// difference) and the disk looked at, which mends whatever the difference is.
func (a *accord) heal(dev tree.DeviceID, now time.Time) {
	c := a.c
	h := a.healed[dev]
	a.healed[dev] = healing{at: now, times: h.times + 1}
	delete(a.since, dev)
	c.log.Error("DEFECT: this folder differs from a device that is level with it; everything is compared again",
		"device", c.f.cfg.NameOf(dev), "digest", c.saying.digest, "times", h.times+1)
	c.work.tellAgain, c.notice.full = true, true
	c.wake()
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
