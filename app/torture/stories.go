//go:build torture

package main

import (
	"context"
	"time"
)

// story is one kind of harm.
type story struct {
	name string
	tell func(ctx context.Context, w *world) error
}

func stories() []story {
	return []story{
		{"storm", stormStory},
		{"crash-setup", crashSetupStory},
		{"crash", crashStory},
		{"power-ext4", func(ctx context.Context, w *world) error { return powerStory(ctx, w, "ext4", 200) }},
		{"power-xfs", func(ctx context.Context, w *world) error { return powerStory(ctx, w, "xfs", 400) }},
		{"full-bytes", func(ctx context.Context, w *world) error {
			return fullStory(ctx, w, "size=20m", "size=200m")
		}},
		{"full-inodes", func(ctx context.Context, w *world) error {
			return fullStory(ctx, w, "size=200m,nr_inodes=170", "nr_inodes=5000")
		}},
		{"io-error", ioStory},
		{"yank", yankStory},
		{"read-only", readOnlyStory},
		{"exfat", func(ctx context.Context, w *world) error { return otherStory(ctx, w, "exfat") }},
		{"ntfs", func(ctx context.Context, w *world) error { return otherStory(ctx, w, "ntfs") }},
		{"dead-fuse", deadStory},
		{"editor", editorStory},
	}
}

// harm does, now and then in a storm, what happens to engines: they are killed,
// stopped, frozen, and come back.
func harm(ctx context.Context, w *world, d *device) error {
	switch k := w.rng.IntN(100); {
	case k < 3 && d.running():
		d.thaw()
		d.kill()
		w.done["kill -9"]++
	case k < 4 && d.running():
		w.done["stops"]++
		return d.stop()
	case k < 6 && d.running() && !d.frozen:
		d.freeze()
		w.done["links cut"]++
	case k < 16 && d.frozen:
		d.thaw()
	case k < 26 && !d.running():
		return d.start(ctx)
	}
	return nil
}

// blow makes n edits, with harm to all engines between them.
func (w *world) blow(ctx context.Context, s *storm, n int, harmed ...*device) error {
	for range n {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.edit()
		for _, d := range harmed {
			if err := harm(ctx, w, d); err != nil {
				return err
			}
		}
		s.rest()
	}
	return nil
}

func stormStory(ctx context.Context, w *world) error {
	w.empties = w.seed%2 == 0
	if err := w.begin(ctx, nil); err != nil {
		return err
	}
	s := newStorm(w)
	for range 3 {
		if err := w.blow(ctx, s, w.o.edits, w.devices...); err != nil {
			return err
		}
		if err := w.calm(ctx); err != nil {
			return err
		}
		if w.rng.IntN(2) == 0 {
			time.Sleep(2 * time.Second)
		}
	}
	return nil
}

// otherStory is the storm with one device on a file system that can do less.
func otherStory(ctx context.Context, w *world, fs string) error {
	if err := w.begin(ctx, map[string]mount{"c": &loop{fs: fs, mib: 300}}); err != nil {
		return err
	}
	s := newStorm(w)
	s.links = false
	for range 2 {
		if err := w.blow(ctx, s, w.o.edits, w.devices...); err != nil {
			return err
		}
		if err := w.calm(ctx); err != nil {
			return err
		}
	}
	return nil
}
