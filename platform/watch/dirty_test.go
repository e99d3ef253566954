package watch

import (
	"fmt"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"
)

const (
	testRest = 15 * time.Millisecond
	ms       = time.Millisecond
)

func at(d time.Duration) time.Time { return time.Unix(1000, 0).Add(d) }

func TestAPathIsHandedOutOnceItRested(t *testing.T) {
	d := newDirty(testRest, 100)
	d.mark("a", false, at(0))
	d.mark("a", false, at(10*ms))
	if h, next := d.take(at(24 * ms)); !h.Empty() || !next.Equal(at(25*ms)) {
		t.Fatalf("took %+v, next %v", h, next)
	}
	if h, next := d.take(at(25 * ms)); !reflect.DeepEqual(h, Hints{Paths: []string{"a"}}) || !next.IsZero() {
		t.Fatalf("took %+v, next %v", h, next)
	}
	if h, next := d.take(at(time.Hour)); !h.Empty() || !next.IsZero() {
		t.Fatalf("took %+v, next %v: nothing waits", h, next)
	}
}

// handOuts writes to "a" every step for as long as total, and gives the times
// at which it was handed out.
func handOuts(step, total time.Duration) (times []time.Duration) {
	d := newDirty(testRest, 100)
	for now := time.Duration(0); now < total; now += ms {
		if now%step == 0 {
			d.mark("a", false, at(now))
		}
		if h, _ := d.take(at(now)); !h.Empty() {
			times = append(times, now)
		}
	}
	return times
}

func TestAFileUnderConstantWritingBacksOff(t *testing.T) {
	for _, step := range []time.Duration{ms, 100 * ms} {
		times := handOuts(step, 2*time.Minute)
		if n := len(times); n < 12 || n > 30 {
			t.Errorf("writing every %v: handed out %d times in two minutes: %v", step, n, times)
		}
		last := times[len(times)-1] - times[len(times)-2]
		if last < 9*time.Second || last > 11*time.Second {
			t.Errorf("writing every %v: %v between the last two hand-outs", step, last)
		}
	}
}

func TestSavesNowAndThenAreNotHeldBack(t *testing.T) {
	for i, got := range handOuts(2*time.Second, time.Minute) {
		if want := time.Duration(i)*2*time.Second + testRest; got != want {
			t.Fatalf("save %d: handed out at %v, not at %v", i, got, want)
		}
	}
}

func TestManyPathsCollapse(t *testing.T) {
	d := newDirty(testRest, 100)
	for i := range 101 {
		d.mark(fmt.Sprintf("d/%d", i), false, at(0))
	}
	if h, _ := d.take(at(time.Second)); !reflect.DeepEqual(h, Hints{Paths: []string{"d"}}) {
		t.Fatalf("took %+v, want the directory", h)
	}
	d = newDirty(testRest, 100)
	for i := range 101 {
		d.mark(fmt.Sprintf("%d/x", i), false, at(0))
	}
	if h, _ := d.take(at(time.Second)); !reflect.DeepEqual(h, Hints{All: true}) {
		t.Fatalf("took %+v, want all", h)
	}
}

func TestAWaitingSubtreeCoversWhatIsBelow(t *testing.T) {
	d := newDirty(testRest, 100)
	d.mark("d", true, at(0))
	d.mark("d/e/f", false, at(0))
	d.mark("de", false, at(0))
	if h, _ := d.take(at(time.Second)); !reflect.DeepEqual(h, Hints{Paths: []string{"de"}, Deep: []string{"d"}}) {
		t.Fatalf("took %+v", h)
	}
}

// covered says whether h makes a scan look at path, where isDir tells what is a
// directory.
func covered(h Hints, path string) bool {
	if h.All {
		return true
	}
	for _, p := range h.Paths {
		if p == path || (path != "" && p == parent(path)) {
			return true
		}
	}
	for _, p := range h.Deep {
		if p == "" || p == path || len(path) > len(p) && path[:len(p)+1] == p+"/" {
			return true
		}
	}
	return false
}

func TestNoMarkIsLostAndMemoryIsBounded(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit := rapid.IntRange(1, 8).Draw(t, "limit")
		d := newDirty(testRest, limit)
		now := time.Duration(0)
		open := map[string]bool{}
		take := func() {
			h, next := d.take(at(now))
			if h.Empty() && len(open) > 0 && next.IsZero() {
				t.Fatalf("%v wait, but no time is set to look at them", open)
			}
			for p := range open {
				if covered(h, p) {
					delete(open, p)
				}
			}
		}
		for range rapid.IntRange(1, 60).Draw(t, "steps") {
			now += time.Duration(rapid.IntRange(0, 40).Draw(t, "ms")) * ms
			switch rapid.IntRange(0, 9).Draw(t, "do") {
			case 0:
				d.markAll(at(now))
			case 1, 2, 3:
				take()
			default:
				p := rapid.StringMatching(`([ab]/){0,3}[abcdef]`).Draw(t, "path")
				d.mark(p, rapid.Bool().Draw(t, "deep"), at(now))
				open[p] = true
			}
			if len(d.waits) > limit || len(d.given) > 2*limit+1 {
				t.Fatalf("limit %d: %d wait, %d are remembered", limit, len(d.waits), len(d.given))
			}
		}
		now += 2 * maxHold
		take()
		if len(open) > 0 {
			t.Fatalf("never handed out: %v", open)
		}
	})
}
