//go:build measure

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// slow is the link of a peer at home.
const slow = "rate 20mbit burst 16kb limit 256kb"

const pisMiB = 48

// pis compares one peer on a slow link with three, as sources of what a laptop
// lacks, and as receivers of what it has.
func pis(ctx context.Context, w *world) error {
	var down, up [2]time.Duration
	for i, n := range []int{1, 3} {
		var err error
		if down[i], up[i], err = peers(ctx, w, n); err != nil {
			return err
		}
		w.end()
		w.machines = nil
		if err := w.clear(); err != nil {
			return err
		}
	}
	rate := func(d time.Duration, n int) float64 { return pisMiB * float64(n) * 8 * 1.048576 / d.Seconds() }
	w.line("fetched from one, from three", fmt.Sprintf("%.1f s and %.1f s, %.1f and %.1f Mbit/s: %.2f x", down[0].Seconds(), down[1].Seconds(),
		rate(down[0], 1), rate(down[1], 1), down[0].Seconds()/down[1].Seconds()), ">= 2.7 x")
	w.line("sent to one, to three", fmt.Sprintf("%.1f s and %.1f s, %.1f and %.1f Mbit/s: %.2f x", up[0].Seconds(), up[1].Seconds(),
		rate(up[0], 1), rate(up[1], 3), rate(up[1], 3)/rate(up[0], 1)), ">= 2.7 x")
	return nil
}

// peers says how long it takes to fetch from so many, and to send to them all.
func peers(ctx context.Context, w *world, n int) (down, up time.Duration, err error) {
	lap, err := w.add("lap", "")
	if err != nil {
		return 0, 0, err
	}
	var all []*machine
	for i := range n {
		m, err := w.add(fmt.Sprintf("pi%d", i+1), slow)
		if err != nil {
			return 0, 0, err
		}
		all = append(all, m)
	}
	// All hold the film, the hub too, which offers it to the others; then it has lost it.
	for _, m := range w.machines {
		film := filepath.Join(m.folder("down"), "film")
		if err := errors.Join(big(film, pisMiB), os.Chtimes(film, time.Unix(1e9, 0), time.Unix(1e9, 0))); err != nil {
			return 0, 0, err
		}
	}
	for _, m := range w.machines {
		if err := m.start(ctx); err != nil {
			return 0, 0, err
		}
	}
	if err := w.pair(ctx); err != nil {
		return 0, 0, err
	}
	if err := w.share(ctx, "down", lap, all...); err != nil {
		return 0, 0, err
	}
	if err := w.synced(ctx, "down", 1, time.Minute, w.machines...); err != nil {
		return 0, 0, err
	}
	if _, err := lap.pinion(ctx, "folder", "remove", "down"); err != nil {
		return 0, 0, err
	}
	anew := lap.folder("down") // the same name, so that nothing else differs
	if err := errors.Join(os.RemoveAll(anew), os.MkdirAll(anew, 0o755)); err != nil {
		return 0, 0, err
	}
	begun := time.Now()
	if err := until(ctx, time.Minute, 20*time.Millisecond, func() error { _, err := lap.pinion(ctx, "folder", "accept", "down", anew); return err }); err != nil {
		return 0, 0, err
	}
	if err := stands(ctx, lap, "down", pisMiB<<20); err != nil {
		return 0, 0, err
	}
	down = time.Since(begun)

	if err := big(filepath.Join(lap.folder("up"), "film"), pisMiB); err != nil {
		return 0, 0, err
	}
	begun = time.Now()
	if err := w.share(ctx, "up", lap, all...); err != nil {
		return 0, 0, err
	}
	for _, m := range all {
		if err := stands(ctx, m, "up", pisMiB<<20); err != nil {
			return 0, 0, err
		}
	}
	return down, time.Since(begun), nil
}

// stands waits for the film: a name appears with its whole content.
func stands(ctx context.Context, m *machine, folder string, size int64) error {
	return until(ctx, 5*time.Minute, 10*time.Millisecond, func() error {
		info, err := os.Stat(filepath.Join(m.folder(folder), "film"))
		if err == nil && info.Size() != size {
			err = fmt.Errorf("%s has %d bytes of it", m.name, info.Size())
		}
		return err
	})
}
