package plan

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

func TestSuspect(t *testing.T) {
	for _, x := range []struct {
		path    tree.Path
		was, is bool
		want    bool
	}{
		{"a/letter.txt", false, true, true},
		{"holiday.jpg", false, true, true}, // it would begin as a jpeg does
		{"holiday.jpg", false, false, false},
		{"vault/d/XY/abc", true, true, false},
		{"vault/d/XY/abc", true, false, false},
		{"keys.GPG", false, true, false},
		{"vault/d/XY/abc.c9r", false, true, false},
		{"gpg", false, true, true},
		{"a.gpg/b", false, true, true},
		{"noext.", false, true, true},
	} {
		if (Overwrite{x.path, 100, x.was, x.is}).Suspect() != x.want {
			t.Errorf("%+v", x)
		}
	}
	if (Overwrite{"just made", 0, false, true}).Suspect() {
		t.Error("nothing was lost with an empty file")
	}
}

func TestLimitIsWhereTheGuardBegins(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := GuardConfig{Least: rapid.Int64Range(0, 50).Draw(t, "least"), Share: rapid.Int64Range(0, 9).Draw(t, "share")}
		files := rapid.Int64Range(-2, 1000).Draw(t, "files")
		limit := c.Limit(files)
		if Guard(limit-1, files, c) || !Guard(limit, files, c) {
			t.Fatalf("limit %d", limit)
		}
		if more := c.Limit(files + 1); more < limit {
			t.Fatalf("%d for one file more", more)
		}
	})
}

// A tally counts all of the last nine and a half minutes and nothing older than
// ten, in whatever steps the time goes on.
func TestTallyCountsAWindow(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var tally Tally
		type event struct {
			at time.Time
			n  int64
		}
		var all []event
		now := time.Unix(rapid.Int64Range(0, 4e9).Draw(t, "start"), 0)
		for range rapid.IntRange(1, 40).Draw(t, "events") {
			now = now.Add(time.Duration(rapid.Int64Range(0, int64(Window/2)).Draw(t, "step")))
			n := rapid.Int64Range(0, 9).Draw(t, "n")
			tally.Add(n, now)
			all = append(all, event{now, n})
			var least, most int64
			for _, e := range all {
				if now.Sub(e.at) < Window-Window/slots {
					least += e.n
				}
				if now.Sub(e.at) <= Window {
					most += e.n
				}
			}
			if got := tally.Count(now); got < least || got > most {
				t.Fatalf("%d, not %d to %d", got, least, most)
			}
		}
		if got := tally.Count(now.Add(Window)); got != 0 {
			t.Fatalf("%d after the window", got)
		}
	})
}

func TestTallyUnderAClockThatGoesBack(t *testing.T) {
	var tally Tally
	now := time.Unix(1e9, 0)
	tally.Add(3, now)
	tally.Add(2, now.Add(-time.Hour))
	if n := tally.Count(now); n != 5 {
		t.Errorf("%d", n)
	}
}
