//go:build torture

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// item is what stands at a path.
type item struct {
	kind   string // file, dir, symlink, other
	sum    hash
	size   int64
	exec   bool
	target string
}

func (i item) String() string {
	switch i.kind {
	case "file":
		return fmt.Sprintf("file %s of %d bytes, exec %v", i.sum, i.size, i.exec)
	case "symlink":
		return "symlink to " + i.target
	}
	return i.kind
}

// look reads all that is below dir.
func look(dir string, skip string) (map[string]item, error) {
	out := map[string]item{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(dir, path)
		if rel == "." {
			return nil
		}
		if rel == skip {
			return filepath.SkipDir
		}
		info, err := e.Info()
		if err != nil {
			return err
		}
		i := item{kind: "other", size: info.Size()}
		switch m := info.Mode(); {
		case m.IsRegular():
			i.kind, i.exec = "file", m&0o100 != 0
			i.sum, err = sumAt(path)
		case m.IsDir():
			i.kind = "dir"
		case m&fs.ModeSymlink != 0:
			i.kind = "symlink"
			i.target, err = os.Readlink(path)
		}
		out[rel] = i
		return err
	})
	if errors.Is(err, fs.ErrNotExist) && len(out) == 0 {
		err = nil
	}
	return out, err
}

const maxShown = 8

// judge is the oracle. All engines run and say that they are in sync.
func (w *world) judge(ctx context.Context) error {
	if err := w.silent(ctx); err != nil {
		return err
	}
	live, kept, put := map[*device]map[string]item{}, map[*device]map[string]item{}, map[*device]map[string]item{}
	for _, d := range w.devices {
		var errs [3]error
		live[d], errs[0] = look(d.root(), ".pinion")
		kept[d], errs[1] = look(filepath.Join(d.root(), ".pinion", "archive"), "")
		put[d], errs[2] = look(filepath.Join(d.root(), ".pinion", "apply"), "")
		if err := errors.Join(errs[:]...); err != nil {
			return fmt.Errorf("look at %s: %w", d.name, err)
		}
	}
	errs := []error{w.equal(live), w.known(live, kept), w.found(live, kept, put)}
	for _, d := range w.devices {
		errs = append(errs, w.healthy(ctx, d))
		w.book.rest(d, live[d], kept[d])
		w.done["conflict copies"] = max(w.done["conflict copies"], conflicts(live[d]))
	}
	w.done["judged"]++
	return errors.Join(errs...)
}

func conflicts(live map[string]item) (n int) {
	for p := range live {
		if strings.Contains(p, " (conflict ") {
			n++
		}
	}
	return n
}

// equal compares the trees, as far as each disk can hold what the others do.
func (w *world) equal(live map[*device]map[string]item) error {
	var errs []error
	a := w.devices[0]
	for _, d := range w.devices[1:] {
		paths := map[string]bool{}
		for _, m := range []map[string]item{live[a], live[d]} {
			for p := range m {
				paths[p] = true
			}
		}
		for _, p := range sortedKeys(paths) {
			x, y := live[a][p], live[d][p]
			if !a.what.exec || !d.what.exec {
				x.exec, y.exec = false, false
			}
			if x.kind == "dir" {
				x.size, y.size = 0, 0
			}
			if x.kind == "symlink" && !d.what.symlink {
				continue
			}
			if x != y {
				errs = append(errs, fmt.Errorf("%q is on %s: %v; on %s: %v", p, a.name, x, d.name, y))
			}
		}
	}
	return few("the trees differ", errs)
}

// known finds bytes that nobody wrote.
func (w *world) known(live, kept map[*device]map[string]item) error {
	var errs []error
	for _, d := range w.devices {
		for where, m := range map[string]map[string]item{"": live[d], ".pinion/archive/": kept[d]} {
			for p, i := range m {
				if i.kind == "file" && w.book.wrote[i.sum] == "" {
					errs = append(errs, fmt.Errorf("%s: %s%s holds what nobody wrote: %v", d.name, where, p, i))
				}
			}
		}
	}
	return few("there are bytes of nobody", errs)
}

// found looks for all that is owed.
func (w *world) found(live, kept, put map[*device]map[string]item) error {
	have := map[hash]bool{}
	stranded := map[hash]string{}
	for _, d := range w.devices {
		for _, m := range []map[string]item{live[d], kept[d]} {
			for _, i := range m {
				have[i.sum] = true
			}
		}
		for p, i := range put[d] {
			stranded[i.sum] = d.name + ": .pinion/apply/" + p
		}
	}
	var errs []error
	owed := w.book.owed()
	for h := range owed {
		if !have[h] {
			var by []string
			for d, c := range w.book.have {
				if c[h] > 0 {
					by = append(by, d.name)
				}
			}
			errs = append(errs, fmt.Errorf("%s is lost: %s; not destroyed on %v; %s", h, w.book.wrote[h], by, stranded[h]))
		}
	}
	w.done["contents owed"] = len(owed)
	return few("what persons wrote is lost", errs)
}

func few(what string, errs []error) error {
	if len(errs) == 0 {
		return nil
	}
	n := len(errs)
	return fmt.Errorf("%s (%d):\n%w", what, n, errors.Join(errs[:min(n, maxShown)]...))
}

// healthy asks the doctor.
func (w *world) healthy(ctx context.Context, d *device) error {
	out, err := d.pinion(ctx, "doctor", "--json")
	var found []struct{ Level, Text string }
	if jerr := json.Unmarshal([]byte(out), &found); jerr != nil {
		return errors.Join(err, jerr)
	}
	var errs []error
	for _, f := range found {
		if f.Level == "problem" {
			errs = append(errs, fmt.Errorf("%s: the doctor finds: %s", d.name, f.Text))
		}
	}
	return errors.Join(errs...)
}

// stillTime is how long an engine must do nothing to count as silent; it has
// silentTime to become so.
const (
	stillTime  = 1200 * time.Millisecond
	silentTime = 90 * time.Second
	idleTicks  = 6 // hundredths of a second, for being asked
)

// silent waits until no engine does anything any more.
func (w *world) silent(ctx context.Context) error {
	var why string
	for end := time.Now().Add(silentTime); time.Now().Before(end) && ctx.Err() == nil; {
		before, err := w.pulse(ctx)
		if err != nil {
			return err
		}
		time.Sleep(stillTime)
		after, err := w.pulse(ctx)
		if err != nil {
			return err
		}
		why = ""
		for i, d := range w.devices {
			if b, a := before[i], after[i]; a.version != b.version || a.ticks-b.ticks > idleTicks || a.written != b.written {
				why += fmt.Sprintf("%s is not silent: its state went on by %d, its CPU by %d ticks, its disk by %d bytes\n",
					d.name, a.version-b.version, a.ticks-b.ticks, a.written-b.written)
			}
		}
		if why == "" {
			return nil
		}
	}
	return errors.Join(ctx.Err(), errors.New(why))
}

type pulse struct {
	version        uint64
	ticks, written int64
}

func (w *world) pulse(ctx context.Context) ([]pulse, error) {
	var out []pulse
	for _, d := range w.devices {
		s, err := d.status(ctx)
		if err != nil {
			return nil, err
		}
		p := pulse{version: s.Version, ticks: d.ticks()}
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/io", d.cmd.Process.Pid))
		for _, line := range strings.Split(string(text), "\n") {
			_, _ = fmt.Sscanf(line, "write_bytes: %d", &p.written)
		}
		out = append(out, p)
	}
	return out, nil
}
