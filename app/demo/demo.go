package demo

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"pinion/app/show"
)

// Options are what a demonstration is made of.
type Options struct {
	Exe      string // this program's file
	Dir      string // the tree to copy; "": Go's sources, else a made-up tree
	Devices  int
	Keep     bool
	Out      io.Writer
	Terminal bool
	Size     func() (width, lines int)
	Draw     show.Options
}

// folderName is what the demonstration's folder is called.
const folderName = "demo"

// stage is a demonstration under way.
type stage struct {
	o       Options
	dir     string // temporary
	devices []*device
	laptop  *device // devices[0]
	files   int64
	bytes   int64
}

// Run plays the whole demonstration. Its error is a sentence.
func Run(ctx context.Context, o Options) (err error) {
	dir, err := os.MkdirTemp("", "pinion-demo-")
	if err != nil {
		return fmt.Errorf("make the demonstration's directory: %w", err)
	}
	s := &stage{o: o, dir: dir}
	defer func() {
		s.stop()
		if o.Keep {
			s.say("everything is left in %s", dir)
		} else if rerr := removeAll(dir); rerr != nil && err == nil {
			err = fmt.Errorf("remove the demonstration's directory: %w", rerr)
		}
	}()
	for _, step := range []func(context.Context) error{
		s.prepare, s.start, s.pair, s.firstSync, s.edits, s.rename, s.deletion, s.conflict, s.final,
	} {
		if err := step(ctx); err != nil {
			if ctx.Err() != nil {
				return context.Canceled
			}
			return err
		}
	}
	return nil
}

func (s *stage) say(format string, args ...any) {
	fmt.Fprintf(s.o.Out, format+"\n", args...)
}

// ok marks a step that was verified.
func (s *stage) ok(format string, args ...any) { s.say("  ok  "+format, args...) }

// prepare makes the tree that is synced.
func (s *stage) prepare(ctx context.Context) error {
	s.laptop = newDevice(s.o.Exe, s.dir, "laptop")
	s.devices = []*device{s.laptop}
	for i := 1; i < s.o.Devices; i++ {
		pi := newDevice(s.o.Exe, s.dir, fmt.Sprintf("pi%d", i))
		pi.store = filepath.Join(s.dir, pi.name, "store")
		pi.root = filepath.Join(pi.store, folderName)
		s.devices = append(s.devices, pi)
	}
	for _, d := range s.devices {
		if err := os.MkdirAll(d.home, 0o700); err != nil {
			return fmt.Errorf("make a home: %w", err)
		}
	}
	from := s.o.Dir
	if from == "" {
		from = goSources(ctx)
	}
	if from == "" {
		s.say("making a tree of 10,000 small files")
		return s.count(madeUp(s.laptop.root))
	}
	if st, err := os.Stat(from); err != nil || !st.IsDir() {
		return fmt.Errorf("there is no directory %s to copy", from)
	}
	s.say("copying %s (the original is not touched)", show.Clean(from))
	n, err := copyTree(ctx, from, s.laptop.root)
	if n.skipped > 0 {
		s.say("  %s left out that Pinion ignores or that cannot be synced", show.Count(n.skipped, "name"))
	}
	return s.count(n, err)
}

func (s *stage) count(n tally, err error) error {
	s.files, s.bytes = n.files, n.bytes
	if err != nil {
		return fmt.Errorf("make the tree: %w", err)
	}
	if n.files == 0 {
		return fmt.Errorf("there is no file to sync in %s", s.o.Dir)
	}
	return nil
}

// start brings the engines up.
func (s *stage) start(ctx context.Context) error {
	for _, d := range s.devices {
		if err := d.start(ctx); err != nil {
			return err
		}
		what := ""
		if d.store != "" {
			what = ", takes every folder that is offered"
		}
		s.say("engine %s on %s%s", d.name, d.listen, what)
	}
	return nil
}

// pair lets every Pi's invitation be taken up.
func (s *stage) pair(ctx context.Context) error {
	host := s.devices[1]
	joiners := append([]*device{s.laptop}, s.devices[2:]...)
	for _, j := range joiners {
		var inv struct{ Link string }
		if err := host.json(ctx, &inv, "invite"); err != nil {
			return err
		}
		if err := j.pinion(ctx, "join", inv.Link, "--address", host.listen); err != nil {
			return err
		}
		s.say("%s: pinion invite   %s: pinion join LINK", host.name, j.name)
	}
	return nil
}

// firstSync adds the folder on the laptop and watches it arrive everywhere.
func (s *stage) firstSync(ctx context.Context) error {
	begun := time.Now()
	if err := s.laptop.pinion(ctx, "folder", "add", s.laptop.root, "--name", folderName); err != nil {
		return err
	}
	s.say("laptop: pinion folder add %s --name %s   (%s, %s)", filepath.Base(s.laptop.root), folderName, show.Count(s.files, "file"), show.Size(s.bytes))
	if err := s.settle(ctx, true); err != nil {
		return err
	}
	took := time.Since(begun)
	if err := s.verify(ctx, "after the first sync"); err != nil {
		return err
	}
	sec := took.Seconds()
	s.ok("%s, %s in %.1f s: %.0f files/s, %s/s; every hash, mode and mtime is the same", show.Count(s.files, "file"),
		show.Size(s.bytes), sec, float64(s.files)/sec, show.Size(int64(float64(s.bytes)/sec)))
	return nil
}

// verify compares the trees of all devices with the laptop's.
func (s *stage) verify(ctx context.Context, when string) error {
	want, err := listTree(ctx, s.laptop.root)
	if err != nil {
		return fmt.Errorf("read the laptop's tree: %w", err)
	}
	for _, d := range s.devices[1:] {
		got, err := listTree(ctx, d.root)
		if err != nil {
			return fmt.Errorf("read %s's tree: %w", d.name, err)
		}
		if diff := difference(want, got); diff != "" {
			return fmt.Errorf("verification failed %s: %s is not the same on %s: %s", when, folderName, d.name, diff)
		}
	}
	return nil
}

func (s *stage) final(ctx context.Context) error {
	if err := s.settle(ctx, false); err != nil {
		return err
	}
	if err := s.verify(ctx, "at the end"); err != nil {
		return err
	}
	s.say("all %d devices hold the same tree", len(s.devices))
	return nil
}

func (s *stage) stop() {
	for _, d := range s.devices {
		d.interrupt()
	}
	for _, d := range s.devices {
		d.stop()
	}
}

// removeAll removes a tree that may hold directories that can't be written.
func removeAll(dir string) error {
	_ = filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && e.IsDir() {
			_ = os.Chmod(path, 0o700)
		}
		return nil
	})
	return os.RemoveAll(dir)
}
