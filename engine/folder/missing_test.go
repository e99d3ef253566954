package folder

import (
	"testing"
	"time"

	"pinion/engine/plan"
)

// sweep has a file lost every so often and judged every fifty milliseconds, as the
// loop does, and says how many were told before it was held.
func sweep(every time.Duration, files int64, over bool) (told int64, held bool) {
	c := &cycle{}
	c.bind()
	m := &c.missing
	settle, start := time.Second, time.Unix(1e9, 0)
	limit := plan.GuardConfig{}.Limit(files)
	var waiting, lost int64
	next := start
	for now := start; lost < files; now = now.Add(50 * time.Millisecond) {
		for ; !next.After(now) && lost < files; next = next.Add(every) {
			if waiting, lost = waiting+1, lost+1; over {
				c.suspicion.here.seen(next)
			} else {
				m.noticed(next)
			}
		}
		before := m.lost.Count(now)
		count := waiting
		if over {
			count = 0
		}
		switch {
		case waiting+before >= limit && (over || now.Sub(m.last) >= settle || now.Sub(m.first) >= 10*settle):
			return told, true
		case waiting+before >= limit:
		case waiting == 0 || m.restingHere(count, files, now, settle):
		default:
			m.lost.Add(waiting, now)
			told, waiting = told+waiting, 0
			c.suspicion.here.waiting, m.first = 0, time.Time{}
		}
	}
	return told, waiting > limit
}

// Whatever the pace of a sweep, not much of it goes by before it is held.
func TestOfASlowSweepLittleGoesBy(t *testing.T) {
	for _, x := range []struct {
		every time.Duration
		over  bool
		most  int64
	}{
		{time.Millisecond, true, 0}, {100 * time.Millisecond, true, 0}, {time.Second, true, 6}, {5 * time.Second, true, 12}, {20 * time.Second, true, 24},
		{time.Millisecond, false, 0}, {50 * time.Millisecond, false, 0}, {200 * time.Millisecond, false, 10}, {time.Second, false, 18}, {5 * time.Second, false, 24},
	} {
		if told, held := sweep(x.every, 60, x.over); told > x.most || !held {
			t.Errorf("one every %v (overwritten: %v): %d were told, held: %v", x.every, x.over, told, held)
		}
	}
}

func TestASingleDeletionHardlyWaits(t *testing.T) {
	c := &cycle{}
	c.bind()
	m := &c.missing
	now := time.Unix(1e9, 0)
	m.noticed(now)
	if m.restingHere(1, 1000, now.Add(150*time.Millisecond), time.Second) {
		t.Error("it still waits")
	}
	m.lost.Add(20, now) // far from what holds a folder of so many
	if m.restingHere(1, 1000, now.Add(150*time.Millisecond), time.Second) {
		t.Error("it still waits after others")
	}
}
