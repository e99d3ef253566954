package main

import (
	"testing"
	"time"
)

// FuzzMoments: a span is more than nothing and of some years at most where days
// are told; a moment is one, and a time of day is on the side that was asked for.
func FuzzMoments(f *testing.F) {
	for _, s := range []string{"1d", "1d12h", "90m", "3650d", "3651d", "-1h", "1d-25h", "9999999h", "22:00", "24:00", "2026-11-21", "2026-11-21 14:03", "2026-11-21T14:03:00Z", "0000-01-01"} {
		f.Add(s, int64(1_795_000_000), true)
	}
	f.Fuzz(func(t *testing.T, s string, at int64, ahead bool) {
		if d, err := parseSpan(s); err == nil && d <= 0 {
			t.Errorf("%q is a span of %s", s, d)
		}
		if at < 0 || at > 1<<40 {
			return
		}
		now := time.Unix(at, 0).UTC()
		m, err := parseMoment(s, now, ahead)
		if err != nil || len(s) > len("15:04:05") {
			return
		}
		if away := m.Sub(now); ahead && (away <= 0 || away > 24*time.Hour) || !ahead && (away > 0 || away < -24*time.Hour) {
			t.Errorf("at %s, %q is %s", now, s, m)
		}
	})
}
