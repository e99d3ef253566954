//go:build torture

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"time"
)

// world is three devices and what was done to them.
type world struct {
	o       options
	dir     string
	seed    uint64
	rng     *rand.Rand
	devices []*device
	book    *ledger
	peak    int64 // KiB
	notes   []string
	done    map[string]int // how often what was done
	empties bool           // the storm leaves files empty for a moment
}

func newWorld(o options, dir string, seed uint64) *world {
	return &world{o: o, dir: dir, seed: seed, book: newLedger(), done: map[string]int{}}
}

func (w *world) note(format string, args ...any) {
	w.notes = append(w.notes, fmt.Sprintf(format, args...))
}

func (w *world) counts() string {
	var parts []string
	for _, k := range sortedKeys(w.done) {
		parts = append(parts, fmt.Sprintf("%s %d", k, w.done[k]))
	}
	return strings.Join(parts, ", ")
}

// make makes the devices; disks gives those that are to be mounted.
func (w *world) make(disks map[string]mount) error {
	os.RemoveAll(w.dir)
	for _, name := range []string{"a", "b", "c"} {
		if err := os.MkdirAll(w.dir, 0o755); err != nil {
			return err
		}
		d, err := w.newDevice(name)
		if err != nil {
			return err
		}
		w.devices = append(w.devices, d)
		if m := disks[name]; m != nil {
			if err := m.make(d); err != nil {
				return err
			}
			d.on = m
		}
		if err := d.makeDirs(); err != nil {
			return fmt.Errorf("make the folder on %s: %w", name, err)
		}
	}
	return nil
}

// begin makes the devices, fills the folder and has all of them hold it.
func (w *world) begin(ctx context.Context, disks map[string]mount) error {
	if err := w.make(disks); err != nil {
		return err
	}
	for _, d := range w.devices {
		if err := d.start(ctx); err != nil {
			return err
		}
	}
	s := newStorm(w)
	for range 60 {
		s.write(w.devices[0])
	}
	if err := w.pair(ctx); err != nil {
		return err
	}
	return w.settle(ctx)
}

// pair makes one circle of the devices and has them share the folder. Whatever is
// killed meanwhile is started again and asked again.
func (w *world) pair(ctx context.Context) error {
	a := w.devices[0]
	if err := w.insist(ctx, func() error {
		if s, err := a.status(ctx); err != nil || len(s.Folders) == 1 {
			return err
		}
		_, err := a.pinion(ctx, "folder", "add", a.root(), "--name", "docs")
		return err
	}); err != nil {
		return err
	}
	for _, d := range w.devices[1:] {
		if err := w.insist(ctx, func() error { return w.join(ctx, a, d) }); err != nil {
			return err
		}
		if err := w.insist(ctx, func() error {
			s, err := d.status(ctx)
			if err != nil || len(s.Folders) == 1 {
				return err
			}
			if len(s.Offers) == 0 {
				return errors.New(d.name + " was not offered the folder")
			}
			_, err = d.pinion(ctx, "folder", "accept", "docs", d.root())
			return err
		}); err != nil {
			return err
		}
	}
	return nil
}

func (w *world) join(ctx context.Context, a, d *device) error {
	if s, err := d.status(ctx); err != nil || len(s.Devices) > 0 {
		return err
	}
	out, err := a.pinion(ctx, "invite", "--json")
	if err != nil {
		return err
	}
	var inv struct{ Link string }
	if err := json.Unmarshal([]byte(out), &inv); err != nil {
		return err
	}
	_, err = d.pinion(ctx, "join", inv.Link, "--address", a.listen)
	return err
}

// insist tries until it works, for a minute; engines that have ended are started again.
func (w *world) insist(ctx context.Context, do func() error) error {
	var err error
	for end := time.Now().Add(time.Minute); time.Now().Before(end) && ctx.Err() == nil; {
		for _, d := range w.devices {
			if serr := d.start(ctx); serr != nil {
				return serr
			}
		}
		if err = do(); err == nil {
			return nil
		}
		time.Sleep(100 * time.Millisecond)
	}
	return errors.Join(err, ctx.Err())
}

// patience is how long engines may take to get in sync by themselves. A folder
// in error waits up to five minutes before it tries again.
const patience = 2 * time.Minute

// settle waits until all devices say that they are in sync, twice in a row. What
// waits for a person is answered with yes.
func (w *world) settle(ctx context.Context) error {
	sure := 0
	var lacking string
	for end := time.Now().Add(patience); time.Now().Before(end) && ctx.Err() == nil; {
		ok := true
		var words []string
		for _, d := range w.devices {
			level, word := w.level(ctx, d)
			ok = ok && level
			words = append(words, word)
		}
		if lacking = strings.Join(words, "\n"); ok {
			if sure++; sure == 2 {
				return ctx.Err()
			}
		} else {
			sure = 0
			w.jot(lacking)
		}
		time.Sleep(150 * time.Millisecond)
	}
	return fmt.Errorf("the devices don't get in sync:\n%s", lacking)
}

// jot keeps what devices say while they are not in sync, for whoever looks into it.
func (w *world) jot(words string) {
	f, err := os.OpenFile(filepath.Join(w.dir, "settling.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return
	}
	defer f.Close()
	fmt.Fprintf(f, "%s\n%s\n", time.Now().Format("15:04:05.000"), words)
}

// level says whether a device is in sync with all others, and what it says.
func (w *world) level(ctx context.Context, d *device) (bool, string) {
	if !d.running() {
		return false, d.name + " has ended: " + lastLine(d.log.Name())
	}
	s, err := d.status(ctx)
	if err != nil {
		return false, err.Error()
	}
	if len(s.Folders) != 1 {
		return false, d.name + " has no folder"
	}
	f := s.Folders[0]
	if f.State == "held" {
		w.done["held and confirmed"]++
		if _, err := d.pinion(ctx, "confirm"); err != nil {
			return false, err.Error()
		}
	}
	ok, peers := f.State == "synced", 0
	for _, p := range f.Peers {
		if p.Connected {
			peers++
			ok = ok && p.UpToDate
		}
	}
	return ok && peers == len(w.devices)-1, fmt.Sprintf("%s: %+v %+v", d.name, f, s.Devices)
}

// restore starts and thaws whatever does not run.
func (w *world) restore(ctx context.Context) error {
	for _, d := range w.devices {
		d.thaw()
		if err := d.start(ctx); err != nil {
			return err
		}
	}
	return nil
}

// calm has everything run, waits until all is in sync, and asks the oracle.
func (w *world) calm(ctx context.Context) error {
	if err := w.restore(ctx); err != nil {
		return err
	}
	begun := time.Now()
	if err := w.settle(ctx); err != nil {
		return err
	}
	w.done["ms to settle"] = max(w.done["ms to settle"], int(time.Since(begun).Milliseconds()))
	return w.judge(ctx)
}

// end stops everything and unmounts it.
func (w *world) end() {
	for _, d := range w.devices {
		if d.running() {
			if err := d.stop(); err != nil {
				w.note("%v", err)
			}
		}
		if d.on != nil {
			d.on.drop()
		}
		d.log.Close()
	}
}

var bad = regexp.MustCompile(`(?m)^(panic: |fatal error: |WARNING: DATA RACE|SIGSEGV).*|level=ERROR.*`)

// cried says what the engines' logs hold that must never be there.
func (w *world) cried() error {
	var errs []error
	for _, d := range w.devices {
		text, err := os.ReadFile(filepath.Join(w.dir, d.name+".log"))
		if err != nil {
			continue
		}
		lines := slices.Compact(bad.FindAllString(string(text), -1))
		for _, l := range lines[:min(len(lines), 5)] {
			errs = append(errs, fmt.Errorf("%s wrote: %s", d.name, l))
		}
	}
	return errors.Join(errs...)
}
