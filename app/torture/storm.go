//go:build torture

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// storm makes edits, one at a time, on any device, whether its engine runs or not.
type storm struct {
	w      *world
	serial int
	big    int  // how many of a hundred files are big
	links  bool // symlinks too
	modes  bool
	only   []*device // nil: all
}

func newStorm(w *world) *storm {
	return &storm{w: w, big: 4, links: true, modes: true, serial: len(w.book.wrote)}
}

var places = []string{"", "d0", "d1", "d2", "d0/e0", "d0/e1", "d1/e0", "d1/e0/g0"}

func (s *storm) place() string { return places[s.w.rng.IntN(len(places))] }

func (s *storm) path() string {
	ext := [...]string{"txt", "bin", "odt"}[s.w.rng.IntN(3)]
	return filepath.Join(s.place(), fmt.Sprintf("f%d.%s", s.w.rng.IntN(6), ext))
}

// text is a content that nobody has written before.
func (s *storm) text(d *device) []byte {
	s.serial++
	n := s.w.rng.IntN(4 << 10)
	switch k := s.w.rng.IntN(100); {
	case k < s.big:
		return s.bigText(d)
	case k < 25:
		n = s.w.rng.IntN(64 << 10)
	}
	line := fmt.Appendf(nil, "seed %d, no. %d, by %s\n", s.w.seed, s.serial, d.name)
	return bytes.Repeat(line, n/len(line)+1)
}

// bigText is a content of many chunks that are found nowhere else.
func (s *storm) bigText(d *device) []byte {
	out := fmt.Appendf(nil, "seed %d, no. %d, by %s\n", s.w.seed, s.serial, d.name)
	for n := 200<<10 + s.w.rng.IntN(2<<20); len(out) < n; {
		out = fmt.Appendf(out, "%016x\n", s.w.rng.Uint64())
	}
	return out
}

func (s *storm) device() *device {
	all := s.w.devices
	if s.only != nil {
		all = s.only
	}
	return all[s.w.rng.IntN(len(all))]
}

// rest is a moment between two edits.
func (s *storm) rest() {
	time.Sleep(time.Duration(s.w.rng.IntN(50)) * time.Millisecond)
}

// edit does one thing. What can't be done on this disk now is left.
func (s *storm) edit() {
	d := s.device()
	if _, err := os.Stat(d.root()); err != nil {
		s.w.done["edits refused"]++
		return
	}
	var err error
	switch k := s.w.rng.IntN(100); {
	case k < 34:
		err = s.write(d)
	case k < 46:
		err = s.append(d)
	case k < 52:
		err = s.rewrite(d)
	case k < 62:
		err = s.rename(d)
	case k < 66:
		err = s.renameDir(d)
	case k < 73:
		err = s.remove(d)
	case k < 75:
		err = s.removeTree(d)
	case k < 81:
		err = s.twin(d)
	case k < 86:
		err = s.chmod(d)
	case k < 91:
		err = s.symlink(d)
	case k < 94:
		err = s.swapKind(d)
	default: // the same path on two devices, at once
		p := s.path()
		err = errors.Join(s.save(d, p, s.text(d)), s.save(s.device(), p, s.text(d)))
	}
	if d.durable {
		err = errors.Join(err, syncDisk(d.disk))
	}
	s.w.done["edits"]++
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.w.done["edits refused"]++
	}
}

func syncDisk(dir string) error {
	f, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer f.Close()
	return unix.Syncfs(int(f.Fd()))
}

func (s *storm) write(d *device) error { return s.save(d, s.path(), s.text(d)) }

// save is how editors save: a new file, renamed over the old one.
func (s *storm) save(d *device, path string, text []byte) error {
	s.serial++
	tmp := filepath.Join(d.out(), fmt.Sprintf("new-%d", s.serial))
	defer os.Remove(tmp)
	if err := os.WriteFile(tmp, text, 0o644); err != nil {
		return err
	}
	if d.durable {
		if err := syncDisk(d.disk); err != nil {
			return err
		}
	}
	to := filepath.Join(d.root(), path)
	if err := s.makeDir(filepath.Dir(to), d); err != nil {
		return err
	}
	h := sum(text)
	s.w.book.passing(d, path, "saved", h)
	if err := s.over(d, tmp, to); err != nil {
		return err
	}
	s.w.book.write(d, path, "saved", h)
	return nil
}

// makeDir makes a directory and those above it, below a root that is there.
func (s *storm) makeDir(dir string, d *device) error {
	if dir == d.root() {
		return nil
	}
	if err := s.makeDir(filepath.Dir(dir), d); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o755); !errors.Is(err, fs.ErrExist) {
		return err
	}
	return nil
}

// over renames a file over what stands there, and knows what it destroyed by that.
func (s *storm) over(d *device, from, to string) error {
	for range 5 {
		old, err := os.Open(to)
		if errors.Is(err, fs.ErrNotExist) {
			err = unix.Renameat2(unix.AT_FDCWD, from, unix.AT_FDCWD, to, unix.RENAME_NOREPLACE)
			if errors.Is(err, unix.EINVAL) || errors.Is(err, unix.ENOSYS) {
				return os.Rename(from, to) // this file system can't do better
			}
			if errors.Is(err, unix.EEXIST) {
				continue
			}
			return err
		}
		if err != nil {
			return err
		}
		defer old.Close()
		if info, err := old.Stat(); err != nil || info.IsDir() {
			return errors.Join(err, errors.New("a directory stands there"))
		}
		h, err := sumFile(old)
		if err == nil {
			err = os.Rename(from, to)
		}
		if err == nil {
			s.gone(d, old, h)
		}
		return err
	}
	return errors.New("something new stands there each time")
}

// gone notes that the open file's name was taken away, if it was that file's.
func (s *storm) gone(d *device, f *os.File, h hash) {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err == nil && st.Nlink > 0 && d.what.exchange {
		s.w.done["something else destroyed"]++
		return
	}
	s.w.book.destroyed(d, h)
}

// pour writes in pieces that end at pages, since a reader may see each of them.
func (s *storm) pour(d *device, f *os.File, path string, have, more []byte) error {
	now := append([]byte(nil), have...)
	for len(more) > 0 {
		n := min(len(more), 4096-len(now)%4096)
		if _, err := f.WriteAt(more[:n], int64(len(now))); err != nil {
			return err
		}
		now, more = append(now, more[:n]...), more[n:]
	}
	s.w.book.write(d, path, "written in place", sum(now))
	return nil
}

// open opens a live file for writing, and gives what it holds.
func (s *storm) open(d *device, path string) (*os.File, []byte, error) {
	f, err := os.OpenFile(filepath.Join(d.root(), path), os.O_RDWR, 0)
	if err != nil {
		return nil, nil, err
	}
	text, err := io.ReadAll(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, text, nil
}

func (s *storm) append(d *device) error {
	path := s.path()
	f, old, err := s.open(d, path)
	if err != nil {
		return err
	}
	defer f.Close()
	// What is begun is noted first: a reader is as quick as the writer.
	more := s.text(d)
	more = more[:min(len(more), 6000)]
	s.note(d, path, old, more)
	s.w.book.destroyed(d, sum(old))
	return s.pour(d, f, path, old, more)
}

// note notes every state on the way before the first of them can be seen.
func (s *storm) note(d *device, path string, have, more []byte) {
	now := append([]byte(nil), have...)
	for len(more) > 0 {
		n := min(len(more), 4096-len(now)%4096)
		now, more = append(now, more[:n]...), more[n:]
		s.w.book.passing(d, path, "while it was written", sum(now))
	}
}

// rewrite cuts a file, to nothing where the story allows that, and goes on writing.
func (s *storm) rewrite(d *device) error {
	path := s.path()
	f, old, err := s.open(d, path)
	if err != nil || len(old) < 2 {
		return err
	}
	defer f.Close()
	left := old[:len(old)/2]
	if s.w.empties {
		left = nil
	}
	more := s.text(d)
	more = more[:min(len(more), 20_000)]
	s.w.book.passing(d, path, "cut short", sum(left))
	s.note(d, path, left, more)
	s.w.book.destroyed(d, sum(old))
	if err := f.Truncate(int64(len(left))); err != nil {
		return err
	}
	return s.pour(d, f, path, left, more)
}

func (s *storm) rename(d *device) error {
	from, to := s.path(), s.path()
	if from == to {
		return nil
	}
	if info, err := os.Lstat(filepath.Join(d.root(), from)); err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := s.makeDir(filepath.Dir(filepath.Join(d.root(), to)), d); err != nil {
		return err
	}
	return s.over(d, filepath.Join(d.root(), from), filepath.Join(d.root(), to))
}

func (s *storm) renameDir(d *device) error {
	from, to := s.place(), s.place()
	if from == "" || to == "" {
		return nil
	}
	return os.Rename(filepath.Join(d.root(), from), filepath.Join(d.root(), to)) // onto one that holds something it fails
}

func (s *storm) remove(d *device) error {
	path := filepath.Join(d.root(), s.path())
	info, err := os.Lstat(path)
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	h, err := sumFile(f)
	if err == nil {
		err = os.Remove(path)
	}
	if err == nil {
		s.gone(d, f, h)
	}
	return err
}

// removeTree takes a directory away as file managers do: into a trash first.
func (s *storm) removeTree(d *device) error {
	dir := places[len(places)-1-s.w.rng.IntN(4)]
	return s.trash(d, filepath.Join(d.root(), dir))
}

func (s *storm) trash(d *device, path string) error {
	s.serial++
	to := filepath.Join(d.out(), fmt.Sprintf("trash-%d", s.serial))
	if err := os.Rename(path, to); err != nil {
		return err
	}
	err := filepath.WalkDir(to, func(file string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		h, err := sumAt(file)
		if err == nil {
			s.w.book.destroyed(d, h)
		}
		return err
	})
	return errors.Join(err, os.RemoveAll(to))
}

// twin copies a file.
func (s *storm) twin(d *device) error {
	text, err := os.ReadFile(filepath.Join(d.root(), s.path()))
	if err != nil || s.w.book.wrote[sum(text)] == "" {
		return err
	}
	return s.save(d, s.path(), text)
}

func (s *storm) chmod(d *device) error {
	if !s.modes || !d.what.exec {
		return nil
	}
	path := filepath.Join(d.root(), s.path())
	if info, err := os.Lstat(path); err != nil || !info.Mode().IsRegular() {
		return err
	}
	return os.Chmod(path, [...]fs.FileMode{0o644, 0o755, 0o600}[s.w.rng.IntN(3)])
}

func (s *storm) symlink(d *device) error {
	if !s.links || !d.what.symlink {
		return nil
	}
	dir := filepath.Join(d.root(), s.place())
	if err := s.makeDir(dir, d); err != nil {
		return err
	}
	path := filepath.Join(dir, fmt.Sprintf("s%d", s.w.rng.IntN(3)))
	if info, err := os.Lstat(path); err == nil && info.Mode()&fs.ModeSymlink != 0 {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	s.serial++
	return os.Symlink(fmt.Sprintf("target-%d", s.serial), path)
}

// swapKind puts a directory where a file stood, or the other way round.
func (s *storm) swapKind(d *device) error {
	rel := s.path()
	path := filepath.Join(d.root(), rel)
	info, err := os.Lstat(path)
	if err != nil {
		return err
	}
	if err := s.trash(d, path); err != nil || info.IsDir() {
		return errors.Join(err, s.save(d, rel, s.text(d)))
	}
	if err := os.Mkdir(path, 0o755); err != nil {
		return err
	}
	return s.save(d, filepath.Join(rel, "inner.txt"), s.text(d))
}
