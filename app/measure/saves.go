//go:build measure

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// saves times small saves in a tree of 20,000 files: at rest, and while another
// folder is synced for the first time.
func saves(ctx context.Context, w *world) error {
	lap, pi, err := w.two(ctx)
	if err != nil {
		return err
	}
	files := w.files(20_000)
	if _, err := ordinary(files).make(lap.folder("docs")); err != nil {
		return err
	}
	if err := lap.settle(); err != nil {
		return err
	}
	if err := w.share(ctx, "docs", lap, pi); err != nil {
		return err
	}
	if err := w.synced(ctx, "docs", files, 5*time.Minute, lap, pi); err != nil {
		return err
	}
	s := &saver{lap: lap, pi: pi}
	took, err := s.run(ctx, func(n int) bool { return n < 40 })
	if err != nil {
		return err
	}
	w.line("at rest", spread(took), "")
	bulk := []struct {
		name string
		make func(root string) error
	}{
		{"small", func(root string) error { _, err := ordinary(20_000).make(root); return err }},
		{"big", func(root string) error { return big(filepath.Join(root, "film"), 1024) }},
	}
	for _, b := range bulk {
		if err := errors.Join(b.make(lap.folder(b.name)), lap.settle()); err != nil {
			return err
		}
		if err := w.share(ctx, b.name, lap, pi); err != nil {
			return err
		}
		during, cancel := context.WithCancel(ctx)
		done := make(chan error, 1)
		go func() { done <- w.synced(during, b.name, 1, 5*time.Minute, lap, pi) }()
		took, err := s.run(ctx, func(int) bool {
			select {
			case err = <-done:
				return false
			default:
				return true
			}
		})
		cancel()
		if err != nil {
			return err
		}
		w.line("during a first sync of "+b.name+" files", spread(took), "median <= 50 ms, p95 <= 150 ms")
	}
	return nil
}

// two makes a laptop and a Pi with disks of their own on a gigabit link, paired.
func (w *world) two(ctx context.Context) (lap, pi *machine, err error) {
	if lap, err = w.add("lap", ""); err == nil {
		pi, err = w.add("pi", lan)
	}
	for _, m := range w.machines {
		if err == nil {
			err = m.mount(5<<10, 400_000)
		}
		if err == nil {
			err = m.start(ctx)
		}
	}
	if err == nil {
		err = w.pair(ctx)
	}
	return lap, pi, err
}

// saver saves on one machine and looks for it on another.
type saver struct {
	lap, pi *machine
	n       int
}

// run saves again and again while more says so, and gives how long each took to be seen.
func (s *saver) run(ctx context.Context, more func(n int) bool) (took []time.Duration, err error) {
	for n := 0; more(n) && ctx.Err() == nil; n++ {
		s.n++
		name := filepath.Join("d07", "e00007", fmt.Sprintf("save%04d", s.n%20))
		text := fmt.Sprintf("saved for the %dth time", s.n)
		if err := os.WriteFile(filepath.Join(s.lap.folder("docs"), name), []byte(text), 0o644); err != nil {
			return took, err
		}
		begun := time.Now()
		err := until(ctx, 30*time.Second, time.Millisecond, func() error {
			there, err := os.ReadFile(filepath.Join(s.pi.folder("docs"), name))
			if err == nil && string(there) != text {
				err = fmt.Errorf("%s has another %s", s.pi.name, name)
			}
			return err
		})
		if err != nil {
			return took, err
		}
		took = append(took, time.Since(begun))
		time.Sleep(100 * time.Millisecond)
	}
	return took, ctx.Err()
}

// spread is the median of times, and what 95 of 100 keep to.
func spread(took []time.Duration) string {
	if len(took) == 0 {
		return "over before the first"
	}
	slices.Sort(took)
	ms := func(d time.Duration) string { return fmt.Sprintf("%.0f ms", float64(d.Microseconds())/1000) }
	return fmt.Sprintf("median %s, p95 %s, most %s of %d saves", ms(took[len(took)/2]), ms(took[len(took)*95/100]), ms(took[len(took)-1]), len(took))
}
