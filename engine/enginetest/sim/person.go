package sim

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"pinion/engine/enginetest/memdisk"
	"pinion/platform/rootfs"
)

// person does what an event says on its device. What can't be done is left.
func (w *world) person(e event, d *device) {
	r := rand.New(rand.NewPCG(e.seed, 1))
	switch e.kind {
	case write, replace:
		w.write(d, w.anyPath(d, r), w.words(d, r), e.kind == replace, r)
	case openEditor:
		if t, ok := w.pick(d, r, rootfs.Regular); ok && len(d.editors) < 3 {
			w.log("%s: opens %s", d.name, t.Path)
			if ed, err := d.disk.Edit(t.Path); err == nil {
				d.editors = append(d.editors, ed)
			}
		}
	case appendTo:
		w.appendTo(d, r)
	case closeEditor:
		if len(d.editors) > 0 {
			d.editors[0].Close()
			d.editors = d.editors[1:]
		}
	case rename:
		w.rename(d, r)
	case remove:
		if t, ok := w.pick(d, r, 0); ok {
			w.remove(d, t.Path, r)
		}
	case twins, clash:
		path, text := w.anyPath(d, r), w.words(d, r)
		for _, o := range w.devices {
			if e.kind == clash {
				text = w.words(o, r)
			}
			w.write(o, path, text, r.IntN(2) == 0, r)
		}
	case chmod:
		if t, ok := w.pick(d, r, rootfs.Regular); ok {
			mode := []uint32{0o644, 0o755, 0o600, 0o444}[r.IntN(4)]
			w.log("%s: chmod %o %s", d.name, mode, t.Path)
			_ = d.disk.Chmod(t.Path, mode)
			w.maybeFlush(d, t.Path, r)
		}
	case swapKind:
		w.swapKind(d, r)
	case symlink:
		path := w.freshPath(d, r)
		w.log("%s: symlink %s", d.name, path)
		_ = d.disk.Symlink("target-"+fmt.Sprint(r.IntN(3)), path)
		w.maybeFlush(d, path, r)
	case mkdir:
		path := w.freshPath(d, r)
		w.log("%s: mkdir %s", d.name, path)
		_ = d.disk.Mkdir(path)
		w.maybeFlush(d, path, r)
	case copyFile:
		if t, ok := w.pick(d, r, rootfs.Regular); ok {
			w.write(d, w.freshPath(d, r), t.Data, false, r)
		}
	case overflow:
		d.disk.Overflow()
	}
}

// maybeFlush makes what was done durable, most of the time.
func (w *world) maybeFlush(d *device, path string, r *rand.Rand) {
	if r.IntN(4) > 0 {
		d.disk.FlushPath(path)
	}
}

// write puts text into a file, unless a directory is in the way.
func (w *world) write(d *device, path, text string, anew bool, r *rand.Rand) {
	t, there := stands(d, path)
	if there && t.Kind == rootfs.Directory {
		return
	}
	if there && t.Kind == rootfs.Symlink {
		anew = true
	}
	if there {
		w.destroying(d, path)
	}
	var err error
	if anew {
		err = d.disk.Replace(path, []byte(text))
	} else {
		err = d.disk.Write(path, []byte(text))
	}
	w.log("%s: writes %s (%d bytes %q, anew %t): %v", d.name, path, len(text), head(text), anew, err)
	if err == nil {
		w.wrote(d, path, text)
		w.maybeFlush(d, path, r)
	}
}

func head(text string) string { return text[:min(len(text), 24)] }

func (w *world) appendTo(d *device, r *rand.Rand) {
	if len(d.editors) == 0 {
		return
	}
	ed := d.editors[r.IntN(len(d.editors))]
	before, names := ed.Content()
	w.destroyingContent(d, string(before), nil, names)
	all, ok := ed.Append([]byte(w.words(d, r)))
	w.log("%s: appends (%q, reachable %t)", d.name, head(string(all)), ok)
	if ok {
		w.wrote(d, "an open file", string(all))
	}
}

func (w *world) rename(d *device, r *rand.Rand) {
	t, ok := w.pick(d, r, 0)
	if f, is := w.pick(d, r, rootfs.Regular); is && r.IntN(2) == 0 {
		if top, _, below := strings.Cut(f.Path, "/"); below { // with what is in it
			t, ok = stands(d, top)
		}
	}
	if !ok {
		return
	}
	to := w.freshPath(d, r)
	if r.IntN(3) == 0 {
		to = w.anyPath(d, r)
	}
	old, there := stands(d, to)
	if to == t.Path || there && (old.Kind == rootfs.Directory || t.Kind == rootfs.Directory) || strings.HasPrefix(to, t.Path+"/") {
		return
	}
	if there {
		w.destroying(d, to)
	}
	err := d.disk.Rename(t.Path, to)
	w.log("%s: renames %s to %s: %v", d.name, t.Path, to, err)
	w.maybeFlush(d, to, r)
}

func (w *world) remove(d *device, path string, r *rand.Rand) {
	w.destroying(d, path)
	err := d.disk.Remove(path)
	w.log("%s: removes %s: %v", d.name, path, err)
	w.maybeFlush(d, path, r)
}

func (w *world) swapKind(d *device, r *rand.Rand) {
	t, ok := w.pick(d, r, 0)
	if !ok {
		return
	}
	w.remove(d, t.Path, r)
	if t.Kind == rootfs.Directory {
		w.write(d, t.Path, w.words(d, r), false, r)
		return
	}
	_ = d.disk.Mkdir(t.Path)
	w.write(d, t.Path+"/in", w.words(d, r), false, r)
}

// words gives something that was never written before.
func (w *world) words(d *device, r *rand.Rand) string {
	text := fmt.Sprintf("%s %016x\n", d.name, r.Uint64())
	switch n := r.IntN(40); {
	case n == 0:
		return text + noise(r, 150_000)
	case n < 4:
		return text + noise(r, 4000+r.IntN(16_000))
	case n == 4:
		return text[:3+r.IntN(8)] // likely to be written twice
	}
	return text
}

func noise(r *rand.Rand, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return string(b)
}

// stands gives what stands at a path.
func stands(d *device, path string) (memdisk.Thing, bool) {
	for _, t := range d.disk.Tree(false) {
		if t.Path == path {
			return t, true
		}
	}
	return memdisk.Thing{}, false
}

// pick chooses something that stands, of a kind if that is not 0.
func (w *world) pick(d *device, r *rand.Rand, k rootfs.Kind) (memdisk.Thing, bool) {
	var list []memdisk.Thing
	for _, t := range d.disk.Tree(false) {
		if k == 0 || t.Kind == k {
			list = append(list, t)
		}
	}
	if len(list) == 0 {
		return memdisk.Thing{}, false
	}
	return list[r.IntN(len(list))], true
}

// anyPath is one that stands, or a new one.
func (w *world) anyPath(d *device, r *rand.Rand) string {
	if t, ok := w.pick(d, r, rootfs.Regular); ok && r.IntN(3) > 0 {
		return t.Path
	}
	return w.freshPath(d, r)
}

// freshPath is a path in a directory that stands, from so few names that devices
// often choose the same.
func (w *world) freshPath(d *device, r *rand.Rand) string {
	name := string(rune('a' + r.IntN(12)))
	if t, ok := w.pick(d, r, rootfs.Directory); ok && r.IntN(2) == 0 {
		return t.Path + "/" + name
	}
	return name
}
