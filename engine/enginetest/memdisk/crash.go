package memdisk

import (
	"bytes"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"pinion/platform/rootfs"
)

const block = 4096

// Crash gives the disk as it is after a power cut. The old one is no longer to
// be used. How much of what was not flushed survives is up to r.
func (d *Disk) Crash(r *rand.Rand) *Disk {
	d.mu.Lock()
	defer d.mu.Unlock()
	// One in four loses all that it may, one in four nothing but torn files.
	odds := [...]float64{0, 0.5, 0.8, 1}[r.IntN(4)]
	survives := map[*operation]bool{}
	for i, op := range d.journal {
		can := true
		for _, before := range d.journal[:i] {
			can = can && (survives[before] || !op.needs(before))
		}
		survives[op] = r.Float64() < odds && can
	}
	for _, op := range d.journal {
		if survives[op] {
			op.apply()
		}
	}
	after := New(d.name, d.o)
	after.last = d.last
	after.root = after.revive(d.root, r, odds, map[*inode]*inode{})
	after.eachDir(after.root, func(dir *inode) {
		for _, c := range dir.children {
			c.links++
			if c.kind == rootfs.Regular && c.links == 1 {
				after.used += int64(len(c.data))
			}
		}
	})
	return after
}

// revive makes of a thing what is left of it.
func (d *Disk) revive(n *inode, r *rand.Rand, odds float64, done map[*inode]*inode) *inode {
	if x := done[n]; x != nil {
		return x
	}
	x := &inode{id: n.id, kind: n.kind, mode: n.keptMode, mtime: n.keptTime, ctime: n.ctime, target: n.target}
	done[n] = x
	if n.kind == rootfs.Directory {
		x.children = map[string]*inode{}
		for _, name := range slices.Sorted(maps.Keys(n.durable)) {
			x.children[name] = d.revive(n.durable[name], r, odds, done)
		}
		x.durable = maps.Clone(x.children)
	} else {
		x.data = n.kept
	}
	if n.dirty && (x.mode == 0 || r.Float64() < odds) {
		x.mode, x.mtime = n.mode, n.mtime
	}
	if n.dirty && n.kind == rootfs.Regular {
		x.data = torn(n.kept, n.data, r, odds)
		if !d.o.Sly || !d.young(n) {
			x.mtime = d.honest(n, x.data)
			d.stamp(x)
		}
	}
	x.keep()
	return x
}

// young says whether a file was written within the time for which a system keeps
// back what was written.
func (d *Disk) young(n *inode) bool {
	const kept = int64(time.Minute)
	age := d.o.Now().UnixNano() - n.mtime
	return -kept < age && age < kept
}

// honest gives the time that goes with what is left of a file: another one for
// other bytes.
func (d *Disk) honest(n *inode, left []byte) int64 {
	switch {
	case bytes.Equal(left, n.data):
		return n.mtime
	case bytes.Equal(left, n.kept) && n.keptTime != 0:
		return n.keptTime
	}
	return max(n.mtime, n.keptTime) + int64(max(d.o.Grain, time.Millisecond))
}

// torn mixes what a file held and what it holds.
func torn(old, now []byte, r *rand.Rand, odds float64) []byte {
	size := len(old)
	switch {
	case r.Float64() < odds:
		size = len(now)
	case len(now) > len(old) && r.IntN(4) == 0:
		size = len(old) + r.IntN(len(now)-len(old))
	}
	out := make([]byte, size)
	copy(out, old)
	for at := 0; at < size; at += block {
		end := min(at+block, size)
		if at < len(now) && r.Float64() < odds {
			clear(out[at:end])
			copy(out[at:end], now[at:min(end, len(now))])
		}
	}
	return out
}
