package folder

import (
	"testing"
	"time"
)

// TestPaceForgetsARest: the rate is of what moves now, also after a long rest.
func TestPaceForgetsARest(t *testing.T) {
	var say saying
	now, total := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC), int64(5000)
	run := func(bytes int64, n int) (rate int64) {
		for range n {
			rate = say.pace(total, now)
			now, total = now.Add(250*time.Millisecond), total+bytes/4
		}
		return rate
	}
	if got := run(1000, 40); got != 1000 {
		t.Errorf("%d a second, and not 1000", got)
	}
	now = now.Add(10 * time.Minute)
	if got := run(8000, 1); got != 0 {
		t.Errorf("%d a second after a rest, before anything can be told", got)
	}
	if got := run(8000, 3); got != 8000 {
		t.Errorf("%d a second after a rest, and not 8000", got)
	}
	if got := run(2000, 40); got != 2000 {
		t.Errorf("%d a second when it slowed down, and not 2000", got)
	}
	total = 0 // the counter began anew
	if got := run(4000, 4); got != 4000 {
		t.Errorf("%d a second on a counter that began anew", got)
	}
}
