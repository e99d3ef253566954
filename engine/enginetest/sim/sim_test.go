package sim

import (
	"flag"
	"os"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

var (
	first   = flag.Uint64("sim.seed", 1, "the first seed")
	count   = flag.Int("sim.n", 0, "how many histories; 0: a few")
	verbose = flag.Bool("sim.v", false, "write everything down")
	twice   = flag.Int("sim.twice", 0, "tell each n-th story twice and compare; 0: none")
	backups = flag.Bool("sim.backups", false, "let indexes come back from old backups in every history")
	sly     = flag.Bool("sim.sly", false, "let power cuts leave other bytes under the same size and time on every disk")
	easy    = flag.Bool("sim.easy", false, "leave out what is hardest")
	strict  = flag.Bool("sim.strict", false, "what is known to come about is a fault, too")
	shrink  = flag.Int("sim.shrink", 0, "how many tries to make a failing story shorter")
)

// few are as many as fit into a run of all tests.
const few = 16

// TestSimulate tells stories and looks whether a law is broken in one. Which seed
// is which history is certain only with the runtime of .ci/simulate: that is
// what a seed is to be told again with.
func TestSimulate(t *testing.T) {
	n := *count
	if n == 0 {
		n = few
		if testing.Short() {
			n = few / 4
		}
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // between the histories only
	o := Options{Verbose: *verbose, Backups: *backups, Sly: *sly, Strict: *strict, Easy: *easy || *count == 0}
	if _, err := os.Stat("/dev/shm"); err == nil {
		o.Dir = "/dev/shm"
	}
	began, steps, bad, again, differ := time.Now(), 0, 0, 0, 0
	for seed := *first; seed < *first+uint64(n) && bad < 20; seed++ {
		s := NewStory(seed, o)
		res := Play(t, s, o)
		steps += res.Steps
		if *twice > 0 && seed%uint64(*twice) == 0 {
			again++
			if x := Play(t, s, o); x.Trace != res.Trace {
				differ++
				t.Logf("seed %d is not the same history when it is told again", seed)
			}
		}
		if *verbose {
			t.Logf("%s\n%s", s, res.Text)
		}
		if *count == 0 && len(res.Faults) > 0 && !slices.ContainsFunc(res.Faults, grave) {
			t.Logf("seed %d, without the runtime that makes it one history: %s", seed, strings.Join(res.Faults, "\n\t"))
			continue
		}
		if len(res.Faults) > 0 {
			bad++
			t.Errorf("seed %d: %s\n\tto tell it again: make simulate SEED=%d", seed, strings.Join(res.Faults, "\n\t"), seed)
			if *shrink > 0 {
				t.Logf("what is left of it:\n%s", storyOf(t, Shrink(t, s, o, *shrink), o))
			}
		}
		if seed%16 == 0 {
			runtime.GC()
		}
	}
	t.Logf("%d histories, %d steps, %d bad, %.1f a second; %d of %d the same when told again",
		n, steps, bad, float64(n)/time.Since(began).Seconds(), again-differ, again)
}

// grave says whether a fault is about a person's words. A run of all tests fails
// for nothing else, since its seeds can't be told again; make simulate does.
func grave(fault string) bool {
	return strings.Contains(fault, ": lost: ") || strings.Contains(fault, "holds what nobody wrote")
}

// storyOf tells a story in words.
func storyOf(t *testing.T, s Story, o Options) string {
	o.Words = true
	res := Play(t, s, o)
	return s.String() + "\n" + res.Text + strings.Join(res.Faults, "\n")
}
