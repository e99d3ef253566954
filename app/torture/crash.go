//go:build torture

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pinion/engine/crash"
)

// visit is one kill: the n-th passing of a point.
type visit struct {
	point string
	nth   int
}

// visits lists each point at several passings, in the order of chance.
func (w *world) visits(wanted func(string) bool, times ...int) []visit {
	var all []visit
	for _, p := range crash.Points {
		for _, n := range times {
			if wanted(p) {
				all = append(all, visit{p, n})
			}
		}
	}
	w.rng.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	return all
}

func inSetup(p string) bool {
	return strings.HasPrefix(p, "file.") || strings.HasPrefix(p, "index.open.")
}

// crashTime bounds how long the story looks for points that are seldom passed.
const crashTime = 80 * time.Second

// atOnce is how many points an engine may die at in one life: at the first it comes to.
const atOnce = 12

// crashStory kills engines at every named moment of their work. One disk can share
// blocks, one has to be flushed file by file.
func crashStory(ctx context.Context, w *world) error {
	if w.o.crashing == "" {
		return fmt.Errorf("%w: no program was built with the tag crashpoints", errSkip)
	}
	disks := map[string]mount{"b": &loop{fs: "xfs", mib: 400}, "c": &loop{fs: "ntfs", mib: 300}}
	err := w.begin(ctx, disks)
	if errors.Is(err, errSkip) {
		w.note("all on one file system: %v", err)
		w.end()
		w.devices, w.book = nil, newLedger()
		err = w.begin(ctx, nil)
	}
	if err != nil {
		return err
	}
	for _, d := range w.devices {
		d.kill()
		d.exe = w.o.crashing
	}
	s := newStorm(w)
	s.big = 12
	todo := w.visits(func(p string) bool { return !inSetup(p) }, 1, 2+w.rng.IntN(3), 6+w.rng.IntN(30))
	killed := map[string]int{}
	begun := time.Now()
	for i := 1; len(todo) > 0 && time.Since(begun) < crashTime; i++ {
		for _, d := range w.devices {
			if !d.running() {
				w.rng.Shuffle(len(todo), func(i, j int) { todo[i], todo[j] = todo[j], todo[i] })
				if err := d.start(ctx, fatal(todo[:min(atOnce, len(todo))]), "PINION_CRASH_LOG="+w.deathNote(d)); err != nil {
					return err
				}
			}
		}
		todo = w.untilKilled(ctx, s, todo, killed)
		if i%10 == 0 {
			if err := w.recovered(ctx); err != nil {
				return err
			}
		}
	}
	w.tellPoints(killed, func(p string) bool { return !inSetup(p) })
	return w.recovered(ctx)
}

func fatal(now []visit) string {
	var all []string
	for _, v := range now {
		all = append(all, fmt.Sprintf("%s:%d", v.point, v.nth))
	}
	return "PINION_CRASH=" + strings.Join(all, ",")
}

func (w *world) deathNote(d *device) string { return filepath.Join(w.dir, d.name+".points") }

// recovered starts all engines with nothing to die of, and has the oracle look.
func (w *world) recovered(ctx context.Context) error {
	for _, d := range w.devices {
		d.kill()
	}
	if err := w.calm(ctx); err != nil {
		return err
	}
	for _, d := range w.devices {
		d.kill()
	}
	return nil
}

// untilKilled storms until an engine was killed at a point, or for some seconds:
// then those that live are killed to be given other points. It gives what is still
// to be visited.
func (w *world) untilKilled(ctx context.Context, s *storm, todo []visit, killed map[string]int) []visit {
	all := func() bool { return !slices.ContainsFunc(w.devices, func(d *device) bool { return !d.running() }) }
	for end := time.Now().Add(3 * time.Second); all() && time.Now().Before(end) && ctx.Err() == nil; {
		s.edit()
		s.rest()
	}
	nobody := all()
	for _, d := range w.devices {
		if nobody {
			d.kill()
		}
		if d.running() {
			continue
		}
		var v visit
		if _, err := fmt.Sscanf(lastLine(w.deathNote(d)), "killed %s %d", &v.point, &v.nth); err != nil {
			continue
		}
		_ = os.Remove(w.deathNote(d)) // what is left of it is read as another death, which does no harm
		killed[v.point]++
		w.done["kills at points"]++
		todo = slices.DeleteFunc(todo, func(x visit) bool { return x == v })
	}
	return todo
}

func (w *world) tellPoints(killed map[string]int, wanted func(string) bool) {
	var never []string
	all := 0
	for _, p := range crash.Points {
		if wanted(p) {
			if all++; killed[p] == 0 {
				never = append(never, p)
			}
		}
	}
	w.note("crash points: %d of %d covered; not passed: %s", all-len(never), all, strings.Join(never, " "))
}

// crashSetupStory kills engines while they write their first files: the
// configuration, the roster, the marker, the index.
func crashSetupStory(ctx context.Context, w *world) error {
	if w.o.crashing == "" {
		return fmt.Errorf("%w: no program was built with the tag crashpoints", errSkip)
	}
	killed := map[string]int{}
	todo := w.visits(inSetup, 1, 2, 3)
	for len(todo) > 0 && ctx.Err() == nil {
		if err := w.setupOnce(ctx, todo[:min(3, len(todo))], killed); err != nil {
			return err
		}
		todo = todo[min(3, len(todo)):]
	}
	w.tellPoints(killed, inSetup)
	return nil
}

func (w *world) setupOnce(ctx context.Context, now []visit, killed map[string]int) error {
	w.end()
	w.devices, w.book = nil, newLedger()
	if err := w.make(nil); err != nil {
		return err
	}
	s := newStorm(w)
	for range 10 {
		s.edit()
	}
	for i, d := range w.devices {
		d.exe = w.o.crashing
		if w.rng.IntN(2) == 0 { // as a person who has written no configuration
			if err := os.Remove(filepath.Join(d.home, "config.toml")); err != nil {
				return err
			}
		}
		if i < len(now) {
			if err := d.start(ctx, fatal(now[i:i+1])); err != nil {
				return err
			}
		}
	}
	err := w.pair(ctx)
	if err == nil {
		err = w.startAgain(ctx, 5*time.Second)
	}
	if err == nil {
		err = w.calm(ctx)
	}
	for i, v := range now {
		text, rerr := os.ReadFile(w.devices[i].log.Name())
		err = errors.Join(err, rerr)
		if strings.Count(string(text), "---- start") > 1 {
			killed[v.point]++
			w.done["kills at points"]++
		}
	}
	if err != nil {
		return fmt.Errorf("killed at %v: %w", now, err)
	}
	return nil
}

// startAgain starts, for a while, whoever ends: a point may be met only after all
// have been paired.
func (w *world) startAgain(ctx context.Context, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		for _, d := range w.devices {
			if err := d.start(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}
