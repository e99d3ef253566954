//go:build torture

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

type options struct {
	exe, crashing string // the program, and the one that can be killed on purpose
	dir           string
	story         string
	rounds        int
	seed          uint64
	edits         int
	keep          bool
}

func main() {
	var o options
	flag.StringVar(&o.exe, "exe", "", "the program")
	flag.StringVar(&o.crashing, "crashing", "", "the program, built with the tag crashpoints")
	flag.StringVar(&o.dir, "dir", "", "where to work")
	flag.StringVar(&o.story, "story", "", "only this story, or several with commas between")
	flag.IntVar(&o.rounds, "n", 1, "rounds of each story")
	flag.Uint64Var(&o.seed, "seed", 0, "seed of the first round; 0: a new one")
	flag.IntVar(&o.edits, "edits", 150, "edits in a storm")
	flag.BoolVar(&o.keep, "keep", false, "keep what was made, also where nothing was found")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "torture:", err)
		stop()
		os.Exit(1)
	}
}

// errSkip: the story can't be told on this machine.
var errSkip = errors.New("skipped")

// result is what became of all rounds of one story.
type result struct {
	name           string
	rounds, failed int
	skipped        string
	took           time.Duration
	peak           int64 // KiB
	led            []string
}

func run(ctx context.Context, o options) error {
	if o.seed == 0 {
		o.seed = uint64(time.Now().UnixNano()) % 1e9
	}
	if o.dir == "" {
		return errors.New("say where to work, with -dir")
	}
	if err := os.MkdirAll(o.dir, 0o755); err != nil {
		return err
	}
	fmt.Printf("seed %d, %d round(s), in %s\n", o.seed, o.rounds, o.dir)
	var results []*result
	failed := 0
	for _, s := range stories() {
		if o.story != "" && !strings.Contains(","+o.story+",", ","+s.name+",") {
			continue
		}
		r := &result{name: s.name}
		results = append(results, r)
		begun := time.Now()
		for i := range o.rounds {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if !tell(ctx, o, s, o.seed+uint64(i), r) {
				break
			}
		}
		r.took = time.Since(begun)
		failed += r.failed
	}
	if len(results) == 0 {
		return fmt.Errorf("there is no story %q", o.story)
	}
	report(results)
	if failed > 0 {
		return fmt.Errorf("%d round(s) failed; what they left is in %s", failed, o.dir)
	}
	return nil
}

// tell tells a story once. It says whether it can be told here at all.
func tell(ctx context.Context, o options, s story, seed uint64, r *result) bool {
	begun := time.Now()
	w := newWorld(o, filepath.Join(o.dir, fmt.Sprintf("%s-%d", s.name, seed)), seed)
	w.rng = rand.New(rand.NewPCG(seed, uint64(len(s.name))))
	limit, cancel := context.WithTimeout(ctx, 15*time.Minute)
	defer cancel()
	err := s.tell(limit, w)
	w.end()
	if errors.Is(err, errSkip) {
		r.skipped = strings.TrimPrefix(err.Error(), "skipped: ")
		fmt.Printf("%-14s skipped: %s\n", s.name, r.skipped)
		os.RemoveAll(w.dir)
		return false
	}
	err = errors.Join(err, w.cried())
	r.rounds++
	r.peak = max(r.peak, w.peak)
	r.led = w.notes
	if err != nil {
		r.failed++
		fmt.Printf("%-14s FAILED, seed %d, after %d s\n", s.name, seed, int(time.Since(begun).Seconds()))
		for _, line := range strings.Split(err.Error(), "\n") {
			fmt.Println("    " + line)
		}
		fmt.Printf("    again: make torture STORY=%s SEED=%d   (logs: %s/*.log)\n", s.name, seed, w.dir)
		return ctx.Err() == nil
	}
	fmt.Printf("%-14s ok, seed %d, %d s, %s\n", s.name, seed, int(time.Since(begun).Seconds()), w.counts())
	for _, n := range w.notes {
		fmt.Println("    " + n)
	}
	if !o.keep {
		os.RemoveAll(w.dir)
	}
	return true
}

func report(results []*result) {
	fmt.Printf("\n%-14s %6s %6s %6s %9s\n", "story", "rounds", "failed", "s", "peak MiB")
	for _, r := range results {
		if r.skipped != "" {
			fmt.Printf("%-14s skipped: %s\n", r.name, r.skipped)
			continue
		}
		fmt.Printf("%-14s %6d %6d %6d %9.1f\n", r.name, r.rounds, r.failed, int(r.took.Seconds()), float64(r.peak)/1024)
	}
}
