//go:build measure

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// limits sets limits on the hub and counts what passes in ten seconds.
func limits(ctx context.Context, w *world) error {
	for _, n := range []int{1, 2} {
		if err := w.limited(ctx, n); err != nil {
			return err
		}
		w.end()
		w.machines = nil
		if err := w.clear(); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) limited(ctx context.Context, n int) error {
	lap, err := w.add("lap", "")
	if err != nil {
		return err
	}
	for i := range n {
		m, err := w.add(fmt.Sprintf("pi%d", i+1), lan)
		if err == nil {
			err = big(filepath.Join(m.folder("from-"+m.name), "film"), 512)
		}
		if err != nil {
			return err
		}
	}
	if err := big(filepath.Join(lap.folder("up"), "film"), 512); err != nil {
		return err
	}
	for _, m := range w.machines {
		if err := m.start(ctx); err != nil {
			return err
		}
	}
	if err := w.pair(ctx); err != nil {
		return err
	}
	others := w.machines[1:]
	for _, way := range []string{"up", "down"} {
		if _, err := lap.pinion(ctx, "limit", "--up", "1MiB", "--down", "1MiB"); err != nil {
			return err
		}
		if way == "up" {
			err = w.share(ctx, "up", lap, others...)
		} else {
			for _, m := range others {
				if err == nil {
					err = w.share(ctx, "from-"+m.name, m, lap)
				}
			}
		}
		if err == nil {
			err = pause(ctx, 3*time.Second)
		}
		if err != nil {
			return err
		}
		for _, rate := range []int64{1 << 20, 8 << 20} {
			if _, err := lap.pinion(ctx, "limit", "--"+way, fmt.Sprint(rate)); err != nil {
				return err
			}
			got, err := counted(ctx, others, way, rate)
			if err != nil {
				return err
			}
			w.line(fmt.Sprintf("%s, %d peer(s), %d MiB/s", way, n, rate>>20), fmt.Sprintf("%.1f %% of it", got*100), "95-105 %")
		}
		if _, err := lap.pinion(ctx, "limit", "--"+way, "1MiB", "--lan", "no"); err != nil {
			return err
		}
		got, err := counted(ctx, others, way, 1<<20)
		if err != nil {
			return err
		}
		w.line(fmt.Sprintf("%s, not in the local network", way), fmt.Sprintf("%.0f %% of it", got*100), "more")
		if _, err := lap.pinion(ctx, "limit", "--lan", "yes"); err != nil {
			return err
		}
	}
	return nil
}

// counted is what passed in ten seconds in one direction, as a part of what a limit
// allows, without the frames that Ethernet puts around packets.
func counted(ctx context.Context, others []*machine, way string, rate int64) (float64, error) {
	count := func() (sum int64, err error) {
		for _, m := range others {
			came, sent, err := m.passed()
			if err != nil {
				return 0, err
			}
			if way == "up" {
				sum += came
			} else {
				sum += sent
			}
		}
		return sum, nil
	}
	if err := pause(ctx, time.Second); err != nil {
		return 0, err
	}
	before, err := count()
	begun := time.Now()
	if err == nil {
		err = pause(ctx, 10*time.Second)
	}
	if err != nil {
		return 0, err
	}
	after, err := count()
	return float64(after-before) / (float64(rate) * time.Since(begun).Seconds()), err
}
