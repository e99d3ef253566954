package memdisk

import (
	"slices"

	"pinion/platform/rootfs"
)

// operation is a change of directories: all of it survives a power cut or none.
type operation struct {
	set  []entry
	done bool // flushed
}

// entry is what a name in a directory means after an operation. node is nil:
// nothing.
type entry struct {
	dir        *inode
	name       string
	node, gone *inode // gone: what it meant before
}

// change carries out an operation on the directories.
func (d *Disk) change(set ...entry) {
	op := &operation{set: set}
	for i := range set {
		e := &set[i]
		e.gone = e.dir.children[e.name]
		if e.node == nil {
			delete(e.dir.children, e.name)
		} else {
			e.dir.children[e.name] = e.node
		}
		e.dir.mtime = d.now()
	}
	for _, e := range set {
		for _, n := range []*inode{e.node, e.gone} {
			if n != nil {
				d.count(n)
				d.stamp(n)
			}
		}
	}
	d.journal = append(d.journal, op)
}

// count counts a file's names; without any its bytes are free again, except to
// who holds it open.
func (d *Disk) count(n *inode) {
	was := n.links
	n.links = 0
	d.eachDir(d.root, func(dir *inode) {
		for _, c := range dir.children {
			if c == n {
				n.links++
			}
		}
	})
	switch {
	case n.kind != rootfs.Regular:
	case was > 0 && n.links == 0:
		d.used -= int64(len(n.data))
	case was == 0 && n.links > 0:
		d.used += int64(len(n.data))
	}
}

func (d *Disk) eachDir(at *inode, fn func(*inode)) {
	fn(at)
	for _, c := range at.children {
		if c.kind == rootfs.Directory {
			d.eachDir(c, fn)
		}
	}
}

// needs says whether op can't survive without before: they concern the same name
// or the same thing.
func (op *operation) needs(before *operation) bool {
	for _, a := range op.set {
		for _, b := range before.set {
			if a.dir == b.dir && a.name == b.name {
				return true
			}
			for _, n := range []*inode{a.node, a.gone} {
				if n != nil && (n == b.node || n == b.gone) {
					return true
				}
			}
			if a.dir == b.node || a.dir == b.gone || b.dir == a.gone { // a name in a directory that was made or moved; a directory removed once it was empty
				return true
			}
		}
	}
	return false
}

// flush makes the operations for which want says so durable, with all that they
// need, and forgets them.
func (d *Disk) flush(want func(*operation) bool) {
	var keep []int
	for i := len(d.journal) - 1; i >= 0; i-- {
		op := d.journal[i]
		wanted := want(op)
		for _, j := range keep {
			wanted = wanted || d.journal[j].needs(op)
		}
		if wanted {
			keep = append(keep, i)
		}
	}
	slices.Reverse(keep)
	for _, i := range keep {
		d.journal[i].apply()
	}
	d.journal = slices.DeleteFunc(d.journal, func(op *operation) bool { return op.done })
}

func (op *operation) apply() {
	op.done = true
	for _, e := range op.set {
		if e.node == nil {
			delete(e.dir.durable, e.name)
		} else {
			e.dir.durable[e.name] = e.node
		}
	}
}

// keep makes a file's bytes, mode and time durable.
func (n *inode) keep() {
	n.kept, n.keptMode, n.keptTime, n.dirty, n.mine = n.data, n.mode, n.mtime, false, false
}

func (d *Disk) flushAll() {
	d.flush(func(*operation) bool { return true })
	d.eachDir(d.root, func(dir *inode) {
		dir.keep()
		for _, c := range dir.children {
			c.keep()
		}
	})
}
