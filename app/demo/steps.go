package demo

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pinion/engine/control"
)

// saves is how many saves are timed.
const saves = 11

// edits saves a file again and again and measures until it is visible.
func (s *stage) edits(ctx context.Context) error {
	const name = "pinion-demo.txt"
	var took []time.Duration
	for i := range saves {
		text := fmt.Sprintf("saved for the time no. %d\n", i+1)
		file := filepath.Join(s.laptop.root, name)
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return fmt.Errorf("save a file: %w", err)
		}
		begun := time.Now()
		for _, d := range s.devices[1:] {
			if err := s.until(ctx, "a save", func() bool { return holds(filepath.Join(d.root, name), text) }); err != nil {
				return err
			}
		}
		took = append(took, time.Since(begun))
		s.files += int64(b2i(i == 0))
		if err := s.settle(ctx, false); err != nil {
			return err
		}
	}
	slices.Sort(took)
	s.ok("%d saves, visible elsewhere after %s (median; worst %s)", saves, ms(took[len(took)/2]), ms(took[len(took)-1]))
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func ms(d time.Duration) string {
	return fmt.Sprintf("%.0f ms", float64(d)/float64(time.Millisecond))
}

func holds(file, text string) bool {
	got, err := os.ReadFile(file)
	return err == nil && string(got) == text
}

// rename renames the top directory with the most files.
func (s *stage) rename(ctx context.Context) error {
	dir, n, err := fullest(s.laptop.root)
	if err != nil {
		return fmt.Errorf("look for a directory: %w", err)
	}
	if dir == "" {
		s.say("  no directory to rename")
		return nil
	}
	to := dir + "-renamed"
	begun := time.Now()
	if err := os.Rename(filepath.Join(s.laptop.root, dir), filepath.Join(s.laptop.root, to)); err != nil {
		return fmt.Errorf("rename a directory: %w", err)
	}
	for _, d := range s.devices[1:] {
		err := s.until(ctx, "the renaming of a directory on "+d.name, func() bool {
			return !there(filepath.Join(d.root, dir)) && there(filepath.Join(d.root, to))
		})
		if err != nil {
			return err
		}
	}
	if err := s.settle(ctx, false); err != nil {
		return err
	}
	took := time.Since(begun)
	if err := s.verify(ctx, "after a directory was renamed"); err != nil {
		return err
	}
	s.ok("renamed %s/ with %d files in %.1f s", dir, n, took.Seconds())
	return nil
}

func there(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}

// fullest gives the top directory with the most files below it.
func fullest(root string) (best string, files int, err error) {
	top, err := os.ReadDir(root)
	if err != nil {
		return "", 0, err
	}
	for _, e := range top {
		if !e.IsDir() || strings.HasPrefix(e.Name(), ".") {
			continue
		}
		n := 0
		err := filepath.WalkDir(filepath.Join(root, e.Name()), func(_ string, e fs.DirEntry, err error) error {
			if err == nil && !e.IsDir() {
				n++
			}
			return err
		})
		if err != nil {
			return "", 0, err
		}
		if n > files {
			best, files = e.Name(), n
		}
	}
	return best, files, nil
}

// deletion deletes a file.
func (s *stage) deletion(ctx context.Context) error {
	const name = "pinion-demo.txt"
	begun := time.Now()
	if err := os.Remove(filepath.Join(s.laptop.root, name)); err != nil {
		return fmt.Errorf("delete a file: %w", err)
	}
	for _, d := range s.devices[1:] {
		if err := s.until(ctx, "a deletion", func() bool { return !there(filepath.Join(d.root, name)) }); err != nil {
			return err
		}
	}
	took := time.Since(begun)
	s.files--
	if err := s.settle(ctx, false); err != nil {
		return err
	}
	s.ok("deleted a file; gone elsewhere after %s, kept in the archive there", ms(took))
	return nil
}

// conflict edits a file on two devices that don't hear of each other, and settles
// it.
func (s *stage) conflict(ctx context.Context) error {
	const name = "pinion-demo-conflict.txt"
	pi := s.devices[1]
	here, there := filepath.Join(s.laptop.root, name), filepath.Join(pi.root, name)
	if err := os.WriteFile(here, []byte("as it was\n"), 0o644); err != nil {
		return fmt.Errorf("save a file: %w", err)
	}
	s.files++
	for _, d := range s.devices[1:] {
		if err := s.until(ctx, "a save", func() bool { return holds(filepath.Join(d.root, name), "as it was\n") }); err != nil {
			return err
		}
	}
	if err := s.settle(ctx, false); err != nil {
		return err
	}
	if err := pi.pinion(ctx, "pause"); err != nil {
		return err
	}
	s.say("%s: pinion pause   and the same file is edited on laptop and %s", pi.name, pi.name)
	if err := os.WriteFile(here, []byte("as the laptop has it\n"), 0o644); err != nil {
		return fmt.Errorf("save a file: %w", err)
	}
	if err := os.WriteFile(there, []byte("as the Pi has it, which is longer\n"), 0o644); err != nil {
		return fmt.Errorf("save a file: %w", err)
	}
	if err := pi.pinion(ctx, "resume"); err != nil {
		return err
	}
	s.files++
	if err := s.settle(ctx, false); err != nil {
		return err
	}
	return s.resolve(ctx, name)
}

func (s *stage) resolve(ctx context.Context, name string) error {
	var found control.Conflict
	for _, d := range s.devices {
		var all []control.Conflict
		if err := d.json(ctx, &all, "conflicts"); err != nil {
			return err
		}
		if len(all) != 1 {
			return fmt.Errorf("verification failed: %s sees %d conflicts instead of one", d.name, len(all))
		}
		found = all[0]
	}
	if err := s.verify(ctx, "after a conflict"); err != nil {
		return err
	}
	s.ok("both versions are on all devices: %s", found.Copy)
	kept, err := os.ReadFile(filepath.Join(s.laptop.root, filepath.FromSlash(found.Copy)))
	if err != nil {
		return fmt.Errorf("read the conflict copy: %w", err)
	}
	if err := s.laptop.pinion(ctx, "resolve", filepath.Join(s.laptop.root, filepath.FromSlash(found.Path)), "--keep", "that"); err != nil {
		return err
	}
	s.say("laptop: pinion resolve %s --keep that", name)
	s.files--
	if err := s.settle(ctx, false); err != nil {
		return err
	}
	if err := s.verify(ctx, "after the conflict was settled"); err != nil {
		return err
	}
	for _, d := range s.devices {
		var all []control.Conflict
		if err := d.json(ctx, &all, "conflicts"); err != nil {
			return err
		}
		if len(all) != 0 || !holds(filepath.Join(d.root, name), string(kept)) {
			return fmt.Errorf("verification failed: the conflict is not settled on %s", d.name)
		}
	}
	s.ok("settled on all devices")
	return nil
}
