package enginetest

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pinion/engine/status"
	"pinion/engine/tree"
)

// patience is how long a wait may last at most: far longer than it takes.
const patience = 30 * time.Second

const poll = 20 * time.Millisecond

// Await waits for something to become true.
func (w *World) Await(what string, is func() bool) {
	w.t.Helper()
	for end := time.Now().Add(patience); ; time.Sleep(poll) {
		if is() {
			return
		}
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for %s\n%s", what, w.describe())
		}
	}
}

// AwaitState waits until a device says that a folder is in a state.
func (w *World) AwaitState(dev, folder, state string) {
	w.t.Helper()
	w.Await(fmt.Sprintf("%s to say that %s is %s", dev, folder, state), func() bool {
		f, ok := w.folder(dev, folder)
		return ok && f.State == state
	})
}

// quiet is for how many polls in a row a world has to be level until it counts.
const quiet = 4

// Settle waits until all running devices say that each folder is synced, hold
// the same in it, and nothing is said any more.
func (w *World) Settle() {
	w.t.Helper()
	w.settle("all to be the same and at rest", true)
}

// Rest waits until all running devices say that each folder is synced and nothing
// is said any more, whether they hold the same or not. It has them look at
// everything first.
func (w *World) Rest() {
	w.t.Helper()
	for _, dev := range w.order {
		if w.running(dev) {
			w.Scan(dev, "")
		}
	}
	w.settle("all to be at rest", false)
}

func (w *World) settle(what string, same bool) {
	w.t.Helper()
	polls, last, need := 0, int64(-1), quiet
	if !same {
		need = 5 * quiet // longer than a state waits to be said
	}
	w.Await(what, func() bool {
		said := w.Messages()
		if said != last || !w.level() || same && w.differ() != "" {
			polls, last = 0, said
			return false
		}
		polls++
		return polls >= need
	})
}

// level says whether all running devices say that all is synced with all others
// that hold the folder and are connected.
func (w *World) level() bool {
	holders := map[string]int{}
	var all []status.State
	for _, dev := range w.order {
		if !w.running(dev) {
			continue
		}
		s := w.Status(dev)
		all = append(all, s)
		for _, f := range s.Folders {
			holders[f.Name]++
			if f.State != status.Synced || f.Need.Files != 0 {
				return false
			}
		}
	}
	for _, s := range all {
		connected := 0
		for _, d := range s.Devices {
			if d.Connected {
				connected++
			}
		}
		for _, f := range s.Folders {
			if connected == len(all)-1 && len(f.Peers) < holders[f.Name]-1 {
				return false
			}
		}
	}
	return true
}

// differ names a difference between devices that hold a folder; "" if there is
// none.
func (w *World) differ() string {
	folders := map[string][]string{}
	for _, dev := range w.order {
		if w.running(dev) {
			for _, f := range w.Status(dev).Folders {
				folders[f.Name] = append(folders[f.Name], dev)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(folders)) {
		if d := w.difference(name, folders[name]); d != "" {
			return d
		}
	}
	return ""
}

func (w *World) difference(folder string, devs []string) string {
	if len(devs) == 0 {
		return ""
	}
	first := w.look(devs[0], folder)
	for _, dev := range devs[1:] {
		other := w.look(dev, folder)
		var lines []string
		for p, what := range first {
			if other[p] != what {
				lines = append(lines, fmt.Sprintf("%s: %s has %s, %s has %s", p, devs[0], orNothing(what), dev, orNothing(other[p])))
			}
		}
		for p, what := range other {
			if first[p] == "" {
				lines = append(lines, fmt.Sprintf("%s: %s has nothing, %s has %s", p, devs[0], dev, what))
			}
		}
		if len(lines) > 0 {
			slices.Sort(lines)
			return strings.Join(lines[:min(len(lines), 20)], "\n")
		}
	}
	return ""
}

func orNothing(s string) string {
	if s == "" {
		return "nothing"
	}
	return s
}

// look describes all that stands in a folder on disk: kind, mode, time, content.
func (w *World) look(dev, folder string) map[string]string {
	root := w.Path(dev, folder)
	out := map[string]string{}
	_ = filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it is being changed just now
		}
		rel, _ := filepath.Rel(root, file)
		if rel == tree.Private {
			return filepath.SkipDir
		}
		info, err := d.Info()
		if rel == "." || err != nil {
			return nil
		}
		rel = filepath.ToSlash(rel)
		switch {
		case d.IsDir():
			out[rel] = fmt.Sprintf("a directory %v", info.Mode().Perm())
		case d.Type()&fs.ModeSymlink != 0:
			target, _ := os.Readlink(file)
			out[rel] = "a link to " + target
		default:
			b, _ := os.ReadFile(file)
			text := ""
			if len(b) > 80 {
				text = fmt.Sprintf("%d bytes %x", len(b), sha256.Sum256(b))
			} else {
				text = fmt.Sprintf("%q", b)
			}
			out[rel] = fmt.Sprintf("a file %v of %s: %s", info.Mode().Perm(), info.ModTime().UTC().Format("15:04:05.000000000"), text)
		}
		return nil
	})
	return out
}

// Same fails unless all running devices that hold a folder have the same in it.
func (w *World) Same(folder string) {
	w.t.Helper()
	var devs []string
	for _, dev := range w.order {
		if w.running(dev) {
			if _, ok := w.folder(dev, folder); ok {
				devs = append(devs, dev)
			}
		}
	}
	if len(devs) < 2 {
		w.t.Fatalf("%d devices hold %s", len(devs), folder)
	}
	if d := w.difference(folder, devs); d != "" {
		w.t.Errorf("%s is not the same:\n%s", folder, d)
	}
}

// Has fails unless a file with this text stands at the path on each device.
func (w *World) Has(path, text string, devs ...string) {
	w.t.Helper()
	for _, dev := range devs {
		b, err := os.ReadFile(w.Path(dev, path))
		if err != nil {
			w.t.Errorf("%s: %v", dev, err)
		} else if string(b) != text {
			w.t.Errorf("%s has %q at %s, not %q", dev, clip(string(b)), path, clip(text))
		}
	}
}

// HasNot fails if anything stands at the path on a device.
func (w *World) HasNot(path string, devs ...string) {
	w.t.Helper()
	for _, dev := range devs {
		if _, err := os.Lstat(w.Path(dev, path)); err == nil {
			w.t.Errorf("%s still has %s", dev, path)
		}
	}
}

// AwaitFile waits until a file with this text stands at the path.
func (w *World) AwaitFile(dev, path, text string) {
	w.t.Helper()
	w.Await(fmt.Sprintf("%s to have %q at %s", dev, clip(text), path), func() bool {
		b, err := os.ReadFile(w.Path(dev, path))
		return err == nil && string(b) == text
	})
}

// AwaitGone waits until nothing stands at the path.
func (w *World) AwaitGone(dev, path string) {
	w.t.Helper()
	w.Await(dev+" to lose "+path, func() bool { _, err := os.Lstat(w.Path(dev, path)); return err != nil })
}

// Names lists all paths of a folder on a device, sorted.
func (w *World) Names(dev, folder string) []string {
	return slices.Sorted(maps.Keys(w.look(dev, folder)))
}

// Texts gives the texts of all files of a folder on a device, by path.
func (w *World) Texts(dev, folder string) map[string]string {
	out := map[string]string{}
	for _, p := range w.Names(dev, folder) {
		if b, err := os.ReadFile(w.Path(dev, folder+"/"+p)); err == nil {
			out[p] = string(b)
		}
	}
	return out
}

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}

// describe tells all there is to know when a wait was in vain.
func (w *World) describe() string {
	var b strings.Builder
	for _, dev := range w.order {
		if !w.running(dev) {
			fmt.Fprintf(&b, "%s does not run\n", dev)
			continue
		}
		for _, f := range w.Status(dev).Folders {
			text, _ := json.Marshal(f)
			fmt.Fprintf(&b, "%s: %s\n", dev, text)
		}
	}
	if d := w.differ(); d != "" {
		fmt.Fprintf(&b, "differences:\n%s\n", d)
	}
	for _, err := range w.Broken() {
		fmt.Fprintf(&b, "broken: %v\n", err)
	}
	return b.String()
}

// DiskWrites tells size and time of all that stands in a folder on all devices,
// Pinion's own files included: where it stays the same nothing was written.
func (w *World) DiskWrites(folder string) string {
	var b strings.Builder
	for _, dev := range w.order {
		_ = filepath.WalkDir(w.Path(dev, folder), func(file string, d fs.DirEntry, err error) error {
			if err != nil {
				return nil
			}
			if info, err := d.Info(); err == nil {
				fmt.Fprintf(&b, "%s %d %s\n", file, info.Size(), info.ModTime().Format(time.RFC3339Nano))
			}
			return nil
		})
	}
	return b.String()
}

// Kept fails unless some device has a file with this text in a folder or in its
// archive: law 1.
func (w *World) Kept(folder, text string) {
	w.t.Helper()
	for _, dev := range w.order {
		found := false
		_ = filepath.WalkDir(w.Path(dev, folder), func(file string, d fs.DirEntry, err error) error {
			if err == nil && d.Type().IsRegular() {
				b, _ := os.ReadFile(file)
				found = found || string(b) == text
			}
			return nil
		})
		if found {
			return
		}
	}
	w.t.Errorf("%q is lost: no device has it, not even in an archive", clip(text))
}
