package engine

import (
	"time"

	"pinion/engine/policy"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// ruling is whether bytes may move, by what a person has chosen and what is known
// of the conditions. The Engine's mu guards it.
type ruling struct {
	facts   policy.Facts
	memory  policy.Memory
	verdict policy.Verdict
	limits  policy.Limits // that the network was told
	told    bool          // it was told any
	meter   meter
}

// meter measures what passes on all connections.
type meter struct {
	at   time.Time
	seen map[tree.DeviceID]uint64
}

// meterEvery is over how long a rate is taken.
const meterEvery = 8 * time.Second

// Conditions are what the machine knows of its power and of what its connection
// costs.
type Conditions struct {
	Power   policy.Power
	Charge  int // percent; -1: not known
	Metered policy.Known
}

// Conditions takes in that conditions have changed.
func (e *Engine) Conditions(c Conditions) {
	e.mu.Lock()
	f := &e.ruling.facts
	f.Power, f.Charge, f.Metered = c.Power, c.Charge, c.Metered
	e.mu.Unlock()
	e.changed()
}

// govern decides whether bytes may move now. It says whether that is another
// answer than before, which applyPauses is to carry out.
func (e *Engine) govern() (changed bool) {
	sessions := e.o.Network.Sessions()
	wanting := e.wanting()
	now := e.o.Now()
	e.mu.Lock()
	g := &e.ruling
	g.measure(now, sessions)
	g.facts.Wanting = wanting
	in := policy.Input{Now: now, Facts: g.facts, Chosen: policy.Chosen{Limits: e.cfg.Limits.Policy(), Rules: e.cfg.Rules.Policy()}}
	for _, w := range e.cfg.Schedule {
		in.Chosen.Schedule = append(in.Chosen.Schedule, policy.Window(w))
	}
	if p := e.cfg.Paused; !p.Over(now) {
		in.Hand = &policy.Hand{Until: p.Until}
	}
	old := g.verdict
	g.verdict, g.memory, _ = policy.Decide(in, g.memory)
	v := g.verdict
	changed = old.Do != v.Do || old.Reason != v.Reason || old.SmallFile != v.SmallFile || !sameTime(old.Until, v.Until)
	throttle := v.Limits != g.limits || !g.told
	g.limits, g.told = v.Limits, true
	e.mu.Unlock()
	if throttle && e.o.Throttle != nil {
		e.o.Throttle(v.Limits)
	}
	if changed && old.Do != "" {
		e.log.Info("what may move has changed", "now", v.Do, "because", v.Reason)
	}
	return changed
}

func sameTime(a, b *time.Time) bool {
	return a == nil && b == nil || a != nil && b != nil && a.Equal(*b)
}

// wanting says whether more would move if the link let it.
func (e *Engine) wanting() bool {
	e.mu.Lock()
	asked := e.cfg.Rules.OnSlow != ""
	e.mu.Unlock()
	if !asked {
		return false
	}
	const much = policy.DefaultSmall
	for _, f := range e.board.Now().Folders {
		if f.State != status.Syncing {
			continue
		}
		if f.Need.Bytes > much {
			return true
		}
		for _, p := range f.Peers {
			if p.Connected && p.NeedBytes > much {
				return true
			}
		}
	}
	return false
}

// measure takes the rate of what passed since it last did.
func (g *ruling) measure(now time.Time, sessions []SessionInfo) {
	m := &g.meter
	passed := now.Sub(m.at)
	if passed >= 0 && passed < meterEvery {
		return
	}
	seen, sum := map[tree.DeviceID]uint64{}, uint64(0)
	for _, s := range sessions {
		if !s.Connected {
			continue
		}
		seen[s.Device] = s.Bytes
		if old, ok := m.seen[s.Device]; ok && s.Bytes >= old {
			sum += s.Bytes - old
		}
	}
	g.facts.Rate = 0
	if m.seen != nil && passed > 0 {
		g.facts.Rate = int64(float64(sum) / passed.Seconds())
	}
	m.at, m.seen = now, seen
}

// automaticLocked is the pause that was not made by hand; nil: there is none.
func (e *Engine) automaticLocked() *status.Pause {
	v := e.ruling.verdict
	if v.Do != policy.Pause || v.Cause == policy.ByHand {
		return nil
	}
	return &status.Pause{State: "paused", Reason: v.Sentence(), Until: v.Until}
}

// smallLocked is up to what size files move, and why; 0: any.
func (e *Engine) smallLocked() (most int64, why string) {
	v := e.ruling.verdict
	return v.SmallFile, v.Sentence()
}
