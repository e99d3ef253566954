//go:build torture

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// powerStory cuts the power of one device's disk in a storm, again and again.
func powerStory(ctx context.Context, w *world, fs string, mib int64) error {
	l := &loop{fs: fs, mib: mib}
	if err := w.begin(ctx, map[string]mount{"c": l}); err != nil {
		return err
	}
	c := w.devices[2]
	c.durable = true
	s := newStorm(w)
	for range 3 {
		for range 3 {
			if err := w.blow(ctx, s, w.rng.IntN(w.o.edits/2)+1); err != nil {
				return err
			}
			if err := l.cut(); err != nil {
				return fmt.Errorf("%w: %w", errSkip, err)
			}
			w.done["power cuts"]++
			c.kill()
			if err := errors.Join(l.unmount(), l.mount(), c.start(ctx)); err != nil {
				return err
			}
		}
		if err := w.calm(ctx); err != nil {
			return err
		}
	}
	return nil
}

// fullStory fills a disk from another device, and then makes room.
func fullStory(ctx context.Context, w *world, small, large string) error {
	m := &memory{opts: small}
	if err := w.begin(ctx, map[string]mount{"c": m}); err != nil {
		return err
	}
	a, c := w.devices[0], w.devices[2]
	s := newStorm(w)
	for i := range 400 {
		text := s.text(a)
		if strings.HasPrefix(small, "size=20m") && i%8 == 0 {
			for len(text) < 1<<20 {
				text = append(text, text...)
			}
		}
		if err := s.save(a, fmt.Sprintf("heap/%d/f%d.bin", i%7, i), text); err != nil {
			return err
		}
	}
	begun := time.Now()
	var said string
	for time.Since(begun) < 15*time.Second {
		if err := w.blow(ctx, s, 10); err != nil {
			return err
		}
		if st, err := c.status(ctx); err == nil && len(st.Folders) == 1 {
			f := st.Folders[0]
			said = fmt.Sprintf("%s, %s, %d to come, %d problem(s) listed", f.State, f.Reason, f.Need.Files, len(f.Problems))
			if len(f.Problems) > 0 {
				said += ": " + f.Problems[0].Path + ": " + f.Problems[0].Error
			}
		}
	}
	w.note("on the full disk c says: %s", said)
	if w.rng.IntN(2) == 0 {
		c.kill()
		if err := c.start(ctx); err != nil {
			return err
		}
	}
	if err := m.grow(large); err != nil {
		return err
	}
	return w.recovers(ctx, c)
}

// recovers has the engines get in sync by themselves, and tells how long it took.
func (w *world) recovers(ctx context.Context, d *device) error {
	begun := time.Now()
	if err := w.calm(ctx); err != nil {
		return err
	}
	w.note("%s went on by itself and was level and silent after %.1f s", d.name, time.Since(begun).Seconds())
	return nil
}

// steady says whether what stood on other devices before still stands there.
func (w *world) steady(before map[*device]map[string]item) error {
	var errs []error
	for d, was := range before {
		now, err := look(d.root(), ".pinion")
		if err != nil {
			return err
		}
		for _, p := range sortedKeys(was) {
			if now[p].kind == "" {
				errs = append(errs, fmt.Errorf("%s: %s", d.name, p))
			}
		}
	}
	return few("another device's lost disk made deletions", errs)
}

func (w *world) standing(devices ...*device) (map[*device]map[string]item, error) {
	out := map[*device]map[string]item{}
	for _, d := range devices {
		m, err := look(d.root(), ".pinion")
		if err != nil {
			return nil, err
		}
		out[d] = m
	}
	return out, nil
}

// quiet is a time in which edits only add, so that every deletion is somebody's fault.
func (w *world) quiet(ctx context.Context, s *storm, d time.Duration) error {
	for end := time.Now().Add(d); time.Now().Before(end); {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.serial++
		at := w.devices[w.rng.IntN(2)]
		if err := s.save(at, fmt.Sprintf("new/%d.txt", s.serial), s.text(at)); err != nil {
			return err
		}
		time.Sleep(100 * time.Millisecond)
	}
	return nil
}

// without is what every story of a lost disk has in common: lose takes the disk
// of c away in a storm, others go on and nothing is deleted on them, back brings
// the disk back.
func (w *world) without(ctx context.Context, lose, back func() error) error {
	c, s := w.devices[2], newStorm(w)
	s.links = c.what.symlink
	for range 2 {
		if err := w.blow(ctx, s, w.o.edits/3); err != nil {
			return err
		}
		if err := w.calm(ctx); err != nil {
			return err
		}
		before, err := w.standing(w.devices[:2]...)
		if err != nil {
			return err
		}
		if err := lose(); err != nil {
			return err
		}
		if err := w.quiet(ctx, s, 8*time.Second); err != nil {
			return err
		}
		if st, err := c.status(ctx); err == nil && len(st.Folders) == 1 {
			w.note("without its disk c says: %s, %s", st.Folders[0].State, st.Folders[0].Reason)
			if st.Folders[0].State == "synced" {
				return errors.New("c says that it is in sync, and it lacks what was written since it lost its disk")
			}
		}
		if err := w.steady(before); err != nil {
			return err
		}
		if err := back(); err != nil {
			return err
		}
		if err := w.recovers(ctx, c); err != nil {
			return err
		}
	}
	return nil
}

// yankStory takes a disk away under the engine: old handles still work, the mount
// point is an empty directory.
func yankStory(ctx context.Context, w *world) error {
	l := &loop{fs: "ext4", mib: 200}
	if err := w.begin(ctx, map[string]mount{"c": l}); err != nil {
		return err
	}
	c := w.devices[2]
	return w.without(ctx, l.detach, func() error {
		names, err := os.ReadDir(c.disk)
		if err != nil || len(names) > 0 {
			return errors.Join(err, fmt.Errorf("%d files were written to the bare mount point", len(names)))
		}
		return l.mount()
	})
}

// ioStory cuts the image under a mounted file system, so that reads and writes
// fail; the disk comes back as it was at that moment.
func ioStory(ctx context.Context, w *world) error {
	l := &loop{fs: "ext4", mib: 120}
	if err := w.begin(ctx, map[string]mount{"c": l}); err != nil {
		return err
	}
	c := w.devices[2]
	saved := l.image + ".saved"
	lose := func() error {
		if err := sh("fsfreeze", "-f", c.disk); err != nil {
			return fmt.Errorf("%w: %w", errSkip, err)
		}
		err := copyFile(saved, l.image)
		if err == nil {
			err = os.Truncate(l.image, 1<<20)
		}
		return errors.Join(err, sh("fsfreeze", "-u", c.disk), dropCaches())
	}
	return w.without(ctx, lose, func() error {
		c.kill()
		if err := l.unmount(); err != nil {
			return err
		}
		if err := errors.Join(sh("losetup", "-d", l.dev), copyFile(l.image, saved), sh("losetup", l.dev, l.image)); err != nil {
			return err
		}
		return errors.Join(l.mount(), c.start(ctx))
	})
}

func dropCaches() error { return os.WriteFile("/proc/sys/vm/drop_caches", []byte("3"), 0) }

func copyFile(to, from string) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}

// readOnlyStory has the file system become read-only: by itself after an error,
// as ext4 does, and by hand.
func readOnlyStory(ctx context.Context, w *world) error {
	l := &loop{fs: "ext4", mib: 200}
	if err := w.begin(ctx, map[string]mount{"c": l}); err != nil {
		return err
	}
	c := w.devices[2]
	turn := 0
	lose := func() error {
		if turn++; turn == 1 { // nothing may be open for writing
			c.kill()
			return errors.Join(sh("mount", "-o", "remount,ro", c.disk), c.start(ctx))
		}
		trigger := filepath.Join("/sys/fs/ext4", filepath.Base(l.dev), "trigger_fs_error")
		if err := errors.Join(sh("mount", "-o", "remount,errors=remount-ro", c.disk), os.WriteFile(trigger, []byte("torture"), 0)); err != nil {
			return fmt.Errorf("%w: %w", errSkip, err)
		}
		return nil
	}
	return w.without(ctx, lose, func() error {
		if turn == 1 {
			return sh("mount", "-o", "remount,rw", c.disk)
		}
		c.kill()
		if err := l.unmount(); err != nil {
			return err
		}
		_ = sh("e2fsck", "-p", l.dev) // says 1 when it has mended something
		return errors.Join(l.mount(), c.start(ctx))
	})
}

// deadStory kills the daemon of a FUSE file system.
func deadStory(ctx context.Context, w *world) error {
	l := &loop{fs: "exfat", mib: 200}
	if err := w.begin(ctx, map[string]mount{"c": l}); err != nil {
		return err
	}
	c := w.devices[2]
	c.durable = true
	lose := func() error {
		if err := syncDisk(c.disk); err != nil {
			return err
		}
		pid, err := l.daemon()
		if err != nil || pid == 0 {
			return errors.Join(err, errors.New("the file system has no daemon"))
		}
		p, err := os.FindProcess(pid)
		if err != nil {
			return err
		}
		return p.Kill()
	}
	return w.without(ctx, lose, func() error {
		if err := l.detach(); err != nil {
			return err
		}
		return l.mount()
	})
}

// editorStory: an editor holds a file open while another device replaces it, and
// goes on writing.
func editorStory(ctx context.Context, w *world) error {
	if err := w.begin(ctx, nil); err != nil {
		return err
	}
	a, b, s := w.devices[0], w.devices[1], newStorm(w)
	for i := range 4 {
		path := fmt.Sprintf("letter%d.txt", i)
		if err := s.save(a, path, s.text(a)); err != nil {
			return err
		}
		if err := w.settle(ctx); err != nil {
			return err
		}
		f, old, err := s.open(a, path)
		if err != nil {
			return err
		}
		err = s.save(b, path, s.text(b))
		time.Sleep(time.Duration(i) * 700 * time.Millisecond)
		more := s.text(a)[:40]
		for range 5 * i {
			if err == nil {
				s.note(a, path, old, more)
				w.book.destroyed(a, sum(old))
				err = s.pour(a, f, path, old, more)
				old = append(old, more...)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if i == 0 && err == nil {
			s.note(a, path, old, more)
			w.book.destroyed(a, sum(old))
			err = s.pour(a, f, path, old, more)
			old = append(old, more...)
		}
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
		begun := time.Now()
		if err := w.everywhere(ctx, sum(old)); err != nil {
			return err
		}
		w.note("late words, %d writes: live on all devices %.1f s after the editor closed", max(1, 5*i), time.Since(begun).Seconds())
	}
	return w.calm(ctx)
}

// everywhere waits until a content is live on all devices.
func (w *world) everywhere(ctx context.Context, h hash) error {
	var lacking string
	for end := time.Now().Add(patience); time.Now().Before(end) && ctx.Err() == nil; time.Sleep(100 * time.Millisecond) {
		lacking = ""
		for _, d := range w.devices {
			found := false
			live, err := look(d.root(), ".pinion")
			if err != nil {
				continue // something moved meanwhile
			}
			for _, i := range live {
				found = found || i.sum == h
			}
			if !found {
				lacking += " " + d.name
			}
		}
		if lacking == "" {
			return nil
		}
	}
	return fmt.Errorf("what was written last (%s, %s) is not live on%s", h, w.book.wrote[h], lacking)
}
