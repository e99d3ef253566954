//go:build measure

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// rest syncs 100,000 files for the first time, then looks what two engines use that
// have nothing to do, and how soon they are back after a restart.
func rest(ctx context.Context, w *world) error {
	lap, pi, err := w.two(ctx)
	if err != nil {
		return err
	}
	files := w.files(100_000)
	bytes, err := ordinary(files).make(lap.folder("docs"))
	if err != nil {
		return err
	}
	if err := lap.settle(); err != nil {
		return err
	}
	begun := time.Now()
	if err := w.share(ctx, "docs", lap, pi); err != nil {
		return err
	}
	if err := w.synced(ctx, "docs", files, 15*time.Minute, lap, pi); err != nil {
		return err
	}
	took := time.Since(begun)
	for _, m := range w.machines {
		u, err := m.used()
		if err != nil {
			return err
		}
		index := sizeOf(filepath.Join(m.folder("docs"), ".pinion", "index.db*"))
		w.line("first sync, "+m.name, fmt.Sprintf("%.0f s, peak %s, CPU %.1f s, written %.2f x its %d MB, index %d bytes a file", took.Seconds(), mb(u.top),
			u.cpu.Seconds(), float64(u.written)/float64(bytes), bytes/1e6, index/int64(files)), "peak <= 60 MB, written <= 2 x, index <= 250")
	}
	if err := w.resting(ctx, "after a first sync"); err != nil {
		return err
	}
	for _, m := range w.machines {
		if err := m.stop(); err != nil {
			return err
		}
	}
	for _, m := range w.machines {
		begun := time.Now()
		if err := m.start(ctx); err != nil {
			return err
		}
		answered := time.Since(begun)
		err := until(ctx, time.Minute, 10*time.Millisecond, func() error {
			f, err := m.said(ctx, "docs")
			if err == nil && (f.Files < files || f.State == "starting") {
				err = fmt.Errorf("%s is %s with %d files", m.name, f.State, f.Files)
			}
			return err
		})
		if err != nil {
			return err
		}
		w.line("restarted, "+m.name, fmt.Sprintf("answers after %.2f s, has the folder open after %.2f s", answered.Seconds(), time.Since(begun).Seconds()), "<= 1 s")
	}
	if err := w.synced(ctx, "docs", files, 5*time.Minute, lap, pi); err != nil {
		return err
	}
	return w.resting(ctx, "after a restart")
}

// resting looks what engines use in a minute in which nothing happens.
func (w *world) resting(ctx context.Context, when string) error {
	settle := 20 * time.Second
	const minute = time.Minute
	if err := pause(ctx, settle); err != nil {
		return err
	}
	old := map[*machine]used{}
	for _, m := range w.machines {
		u, err := m.used()
		if err != nil {
			return err
		}
		old[m] = u
	}
	if err := pause(ctx, minute); err != nil {
		return err
	}
	for _, m := range w.machines {
		u, err := m.used()
		if err != nil {
			return err
		}
		u = u.since(old[m])
		wire := ""
		if m.hubDev != "" {
			wire = fmt.Sprintf(", %d bytes on the wire", u.wire)
		}
		w.line("a minute "+when+", "+m.name, fmt.Sprintf("%s resident (%s as it began), CPU %.2f s, %d context switches, %d bytes written%s",
			mb(u.rss), mb(old[m].rss), u.cpu.Seconds(), u.switches, u.written, wire), "<= 40 MB, <= 0.1 s, 0 written")
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}
