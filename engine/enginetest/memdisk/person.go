package memdisk

import (
	"io/fs"
	"maps"
	"slices"

	"pinion/platform/rootfs"
)

// What a person does passes no gate and needs no room. Unless Flush is called
// after it, a power cut may undo it.

// Write makes a file with these bytes, or puts them into the one that stands.
func (d *Disk) Write(path string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.walk(path)
	if err == nil && n.kind == rootfs.Regular {
		n.mine = true
		d.setData(n, slices.Clone(data))
		d.note(path, false)
		return nil
	}
	_, err = d.add(path, rootfs.Regular, 0o644, data)
	return err
}

func (d *Disk) add(path string, kind rootfs.Kind, mode uint32, data []byte) (*inode, error) {
	dir, name, err := d.free(path)
	if err != nil {
		return nil, err
	}
	n := d.make(kind, mode)
	n.data, n.mine = slices.Clone(data), true
	d.change(entry{dir: dir, name: name, node: n})
	d.note(path, kind == rootfs.Directory)
	return n, nil
}

// Replace puts a new file in the place of what stands, as editors do that write
// a file beside it first.
func (d *Disk) Replace(path string, data []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, name, err := d.place(path)
	if err != nil {
		return err
	}
	old, name := d.child(dir, name)
	if old != nil && old.kind == rootfs.Directory {
		return fs.ErrExist
	}
	n := d.make(rootfs.Regular, 0o644)
	n.data = slices.Clone(data)
	n.keep() // such editors flush before they rename
	d.change(entry{dir: dir, name: name, node: n})
	d.note(path, false)
	return nil
}

// Mkdir, Symlink, Chmod, Remove (also of whole directories) and Rename (also
// over a file) are the commands of these names.
func (d *Disk) Mkdir(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := d.add(path, rootfs.Directory, 0o755, nil)
	return err
}

func (d *Disk) Symlink(target, path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.add(path, rootfs.Symlink, 0o777, nil)
	if err == nil {
		n.target = target
	}
	return err
}

func (d *Disk) Chmod(path string, mode uint32) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.walk(path)
	if err == nil {
		n.mode, n.dirty = mode, true
		d.note(path, false)
	}
	return err
}

func (d *Disk) Remove(path string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	dir, name, err := d.place(path)
	if err != nil {
		return err
	}
	n, name := d.child(dir, name)
	if n == nil {
		return fs.ErrNotExist
	}
	d.removeAll(dir, name, n, path)
	return nil
}

func (d *Disk) removeAll(dir *inode, name string, n *inode, path string) {
	for _, child := range n.names() {
		d.removeAll(n, child, n.children[child], path+"/"+child)
	}
	d.change(entry{dir: dir, name: name})
	d.note(path, false)
}

func (d *Disk) Rename(from, to string) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if nested(from, to) || from == to {
		return fs.ErrInvalid
	}
	a, nameA, err := d.place(from)
	if err != nil {
		return err
	}
	n, nameA := d.child(a, nameA)
	if n == nil {
		return fs.ErrNotExist
	}
	b, nameB, err := d.place(to)
	if err != nil {
		return err
	}
	old, nameB := d.child(b, nameB)
	if old == n || old != nil && (old.kind == rootfs.Directory || n.kind == rootfs.Directory) {
		return fs.ErrExist
	}
	d.change(entry{dir: a, name: nameA}, entry{dir: b, name: nameB, node: n})
	d.note(from, false)
	d.note(to, n.kind == rootfs.Directory)
	return nil
}

// Flush is sync(1).
func (d *Disk) Flush() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.flushAll()
}

// Editor holds a file open for writing, wherever it is moved.
type Editor struct {
	d *Disk
	n *inode
}

// Edit opens a file as an editor does that writes in place.
func (d *Disk) Edit(path string) (*Editor, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	n, err := d.walk(path)
	if err == nil && n.kind != rootfs.Regular {
		err = rootfs.ErrNotRegular
	}
	if err != nil {
		return nil, err
	}
	n.writers++
	return &Editor{d, n}, nil
}

// Append goes on writing and gives all that the file then holds; ok is false
// when no name leads to it any more.
func (e *Editor) Append(data []byte) (all []byte, ok bool) {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	e.n.mine = true
	e.d.setData(e.n, append(slices.Clone(e.n.data), data...))
	e.noted()
	return e.n.data, e.n.links > 0
}

// Content is what the file holds; names counts those that lead to it.
func (e *Editor) Content() (all []byte, names int) {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	return e.n.data, e.n.links
}

// Close lets go of the file.
func (e *Editor) Close() {
	e.d.mu.Lock()
	defer e.d.mu.Unlock()
	e.n.writers--
	e.noted()
}

// noted tells the watchers where the file is now.
func (e *Editor) noted() {
	for _, t := range list(e.d.root, "", false, nil) {
		if t.Inode == e.n.id {
			e.d.note(t.Path, false)
		}
	}
}

// Thing is what stands at a path.
type Thing struct {
	Path string
	rootfs.Info
	Data   string // or a symlink's target
	Unsure bool   // a person wrote it and did not flush it
}

// Tree lists everything below a directory ("" for all), in order; private says
// whether our own directory is listed, too.
func (d *Disk) Tree(private bool) []Thing {
	d.mu.Lock()
	defer d.mu.Unlock()
	return list(d.root, "", private, nil)
}

func list(dir *inode, at string, all bool, out []Thing) []Thing {
	for _, name := range slices.Sorted(maps.Keys(dir.children)) {
		if at == "" && name == private && !all {
			continue
		}
		n, path := dir.children[name], at+name
		t := Thing{Path: path, Info: info(name, n), Data: string(n.data), Unsure: n.mine}
		if n.kind == rootfs.Symlink {
			t.Data = n.target
		}
		out = append(out, t)
		out = list(n, path+"/", all, out)
	}
	return out
}

// FlushPath makes what a person did at a path durable, with all that it rests on.
func (d *Disk) FlushPath(path string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if n, err := d.walk(path); err == nil && n.kind != rootfs.Directory {
		n.keep()
	}
	if dir, _, err := d.place(path); err == nil {
		dir.keep()
		d.flush(func(op *operation) bool {
			return slices.ContainsFunc(op.set, func(e entry) bool { return e.dir == dir })
		})
	}
}
