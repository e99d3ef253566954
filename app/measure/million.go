//go:build measure

package main

import (
	"context"
	"fmt"
	"path/filepath"
	"time"
)

// million syncs a tenth of a million files, then a million, each with fresh engines
// that may have 100 MiB, and 512 MiB with the kernel's part where groups can be had.
func million(ctx context.Context, w *world) error {
	files := w.files(1_000_000)
	for _, n := range []int{files / 10, files} {
		if err := tiny(ctx, w, n); err != nil {
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

func tiny(ctx context.Context, w *world, files int) error {
	lap, err := w.add("lap", "")
	if err != nil {
		return err
	}
	pi, err := w.add("pi", lan)
	if err != nil {
		return err
	}
	bounded := true
	for _, m := range w.machines {
		if err := m.mount(1024+files*5/1024, files*5/4+10_000); err != nil {
			return err
		}
		bounded = m.bound(512) && bounded
	}
	if _, err := (tree{files: files, each: 100, least: 0, most: 64}).make(lap.folder("docs")); err != nil {
		return err
	}
	for _, m := range w.machines {
		if err := m.start(ctx, "GOMEMLIMIT=100MiB"); err != nil {
			return err
		}
	}
	if err := w.pair(ctx); err != nil {
		return err
	}
	begun := time.Now()
	if err := w.share(ctx, "docs", lap, pi); err != nil {
		return err
	}
	if err := w.synced(ctx, "docs", files, 3*time.Hour, lap, pi); err != nil {
		return err
	}
	took := time.Since(begun)
	text := fmt.Sprintf("%d s", int(took.Seconds()))
	for _, m := range w.machines {
		u, err := m.used()
		if err != nil {
			return err
		}
		index := sizeOf(filepath.Join(m.folder("docs"), ".pinion", "index.db*"))
		text += fmt.Sprintf("; %s %s peak, %s now, CPU %d s, index %d bytes a file", m.name, mb(u.top), mb(u.rss), int(u.cpu.Seconds()), index/int64(files))
	}
	if !bounded {
		text += "; (groups that bound memory are not to be had here)"
	}
	w.line(fmt.Sprintf("%d files", files), text, "flat; GOMEMLIMIT=100MiB, 512 MiB with the kernel's; index <= 250")
	return nil
}
