package sim

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"pinion/engine/enginetest/memdisk"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// content is something that stood in a file.
type content struct {
	where   string // it was first written
	touched bool   // a person replaced or removed it somewhere, or a power cut damaged it
	excused bool   // ... and it was the only one
	copied  bool   // it was written more than once
}

// wrote registers what a person has written.
func (w *world) wrote(d *device, path, text string) {
	if c := w.contents[text]; c != nil {
		c.copied = true
		c.excused = false
		return
	}
	w.contents[text] = &content{where: d.name + ":" + path}
}

// counts says whether a file is a place in which a content is safe.
func counts(t memdisk.Thing) bool {
	return t.Kind == rootfs.Regular && !strings.HasPrefix(t.Path, tree.Private+"/tmp/")
}

// destroying says that a person is about to put an end to what stands at a path
// and below it.
func (w *world) destroying(d *device, path string) {
	gone := map[string]bool{}
	var list []memdisk.Thing
	for _, t := range d.disk.Tree(false) {
		if t.Path == path || strings.HasPrefix(t.Path, path+"/") {
			gone[t.Path] = true
			list = append(list, t)
		}
	}
	for _, t := range list {
		if t.Kind == rootfs.Regular {
			w.destroyingContent(d, t.Data, gone, 0)
		}
	}
}

// destroyingContent: besides the paths gone, so many of the places where it
// stands on d are those that are destroyed.
func (w *world) destroyingContent(d *device, text string, gone map[string]bool, less int) {
	c := w.contents[text]
	if c == nil {
		return
	}
	c.touched = true
	left := -less
	for _, o := range w.devices {
		all := o.disk.Tree(true)
		// What has just been swapped in may be swapped out again.
		swapping := o != d && slices.ContainsFunc(all, func(t memdisk.Thing) bool { return inTransit(t.Path) })
		for _, t := range all {
			if swapping && !strings.HasPrefix(t.Path, tree.Private+"/") {
				continue
			}
			// What lies in apply's own directory may be on its way in only.
			if counts(t) && !strings.HasPrefix(t.Path, tree.Private+"/apply/") && t.Data == text && !(o == d && gone[t.Path]) {
				left++
			}
		}
	}
	c.excused = c.excused || left <= 0
}

// inTransit says whether a path is of something that is being displaced.
func inTransit(path string) bool {
	name, ok := strings.CutPrefix(path, tree.Private+"/apply/")
	return ok && !strings.HasPrefix(name, "intent-") && !strings.HasPrefix(name, "late-")
}

// instances lists what files on a device's disk hold.
func (w *world) instances(d *device) map[string]bool {
	out := map[string]bool{}
	for _, t := range d.disk.Tree(true) {
		if counts(t) {
			out[t.Data] = true
		}
	}
	return out
}

// afterPowerCut takes in what a power cut has left: it may have taken what was not
// flushed, and torn it.
func (w *world) afterPowerCut(d *device, before map[string]bool) {
	after := w.instances(d)
	for text := range before {
		c := w.contents[text]
		if c == nil || after[text] {
			continue
		}
		w.log("%s: the power cut took %q", d.name, head(text))
		c.touched = true
		elsewhere := slices.ContainsFunc(w.devices, func(o *device) bool { return w.instances(o)[text] })
		c.excused = c.excused || !elsewhere
	}
	for _, t := range d.disk.Tree(false) {
		if t.Kind == rootfs.Regular && w.contents[t.Data] == nil {
			w.log("%s: the power cut left %s torn (%q)", d.name, t.Path, head(t.Data))
			w.contents[t.Data] = &content{where: "a power cut", touched: true, excused: true}
		}
	}
}

// stamp is what a version was told for.
type stamp struct{ what, by string }

// told looks at what a device tells.
func (w *world) told(d *device, b tree.Batch) {
	w.messages.Add(1)
	if len(b.Entries)+len(b.Moved) > 0 {
		w.batches.Add(1)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, e := range b.Entries {
		if w.verbose {
			fmt.Fprintf(&w.text, "%s tells %s deleted=%t %s %v\n", d.name, e.Path, e.Deleted, e.Content.String()[:10], e.Version)
		}
		if len(e.Version) > 1 && !w.strict {
			continue // devices that join in different orders get there in the end
		}
		key := fmt.Sprint(e.Path, e.Version) // the mode bits are left out: a copy is made with those that its file has just then, and they heal
		now := stamp{fmt.Sprint(e.Kind, e.Deleted, e.Content, e.Target), d.name}
		if old, ok := w.stamps[key]; ok && old.what != now.what {
			w.stampFaults = append(w.stampFaults, fmt.Sprintf("version %v of %s stands for %s (%s) and for %s (%s)", e.Version, e.Path, old.what, old.by, now.what, now.by))
		}
		w.stamps[key] = now
	}
}

// line describes a thing so that two are alike if their descriptions are.
func line(t memdisk.Thing) string {
	switch t.Kind {
	case rootfs.Directory:
		return t.Path + "/"
	case rootfs.Symlink:
		return t.Path + " -> " + t.Data
	}
	exec := ""
	if t.Mode&0o100 != 0 {
		exec = "*"
	}
	return fmt.Sprintf("%s%s = %d %q", t.Path, exec, len(t.Data), head(t.Data))
}

func lines(list []memdisk.Thing) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = line(t)
	}
	return out
}

// alike looks whether all devices hold the same, byte by byte.
func (w *world) alike(when string) {
	first := w.devices[0].disk.Tree(false)
	for _, d := range w.devices[1:] {
		list := d.disk.Tree(false)
		same := slices.EqualFunc(first, list, func(a, b memdisk.Thing) bool { return line(a) == line(b) && a.Data == b.Data })
		if !same {
			w.fault("%s: %s and %s differ:\n  %s\n  %s", when, w.devices[0].name, d.name, only(lines(first), lines(list)), only(lines(list), lines(first)))
		}
	}
}

// only lists what is in a and not in b.
func only(a, b []string) string {
	return strings.Join(slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) }), "; ")
}

// judge looks whether anything was lost, made up, or multiplied.
func (w *world) judge(when string) {
	live, kept := map[string][]string{}, map[string]bool{}
	for _, d := range w.devices {
		for _, t := range d.disk.Tree(true) {
			if !counts(t) {
				continue
			}
			kept[t.Data] = true
			if strings.HasPrefix(t.Path, tree.Private+"/") {
				continue
			}
			if d.n == 0 {
				live[t.Data] = append(live[t.Data], t.Path)
			}
			if w.contents[t.Data] == nil {
				w.fault("%s: %s on %s holds what nobody wrote: %d bytes %q", when, t.Path, d.name, len(t.Data), head(t.Data))
			}
			if strings.Count(t.Path, "(conflict ") > 1 && !strings.Contains(t.Path[:strings.LastIndex(t.Path, "(conflict ")], "/") {
				w.fault("%s: a conflict copy of a conflict copy on %s: %s", when, d.name, t.Path)
			}
		}
	}
	for _, text := range slices.Sorted(maps.Keys(w.contents)) {
		c := w.contents[text]
		switch {
		case !kept[text] && !c.excused:
			w.fault("%s: lost: what was written to %s: %q", when, c.where, head(text))
		case live[text] == nil && !c.touched:
			w.fault("%s: nobody removed or replaced what was written to %s (%q), but it is not live", when, c.where, head(text))
		case w.strict && copies(live[text]) > 1 && !c.copied:
			w.fault("%s: several conflict copies of %q: %v", when, head(text), live[text])
		}
	}
}

// copies counts the conflict copies among some paths.
func copies(paths []string) (n int) {
	for _, p := range paths {
		if strings.Contains(p, "(conflict ") {
			n++
		}
	}
	return n
}
