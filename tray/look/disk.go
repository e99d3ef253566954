package look

import (
	"fyne.io/fyne/v2/lang"

	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/present"
)

// DiskOf is the fullest of the disks that a device has folders on, by its word; nil
// when it told of none.
func DiskOf(s status.State, id tree.DeviceID) (d *status.Disk) {
	for _, f := range s.Folders {
		for _, p := range f.Peers {
			if p.ID == id {
				d = Fuller(d, p.Disk)
			}
		}
	}
	return d
}

// Fuller is the disk of which a smaller part is free; either may be nil.
func Fuller(a, b *status.Disk) *status.Disk {
	switch {
	case a == nil || a.Total <= 0:
		return b
	case b == nil || b.Total <= 0:
		return a
	case float64(b.Free)/float64(b.Total) < float64(a.Free)/float64(a.Total):
		return b
	}
	return a
}

// SetDisk draws a disk: what is used, what is free, what is left alone.
func (g *Gauge) SetDisk(what string, d *status.Disk) {
	if d == nil || d.Total <= 0 {
		g.Set(what, "", Plain, 0)
		return
	}
	used := 1 - float64(d.Free)/float64(d.Total)
	reserve := float64(d.Reserve) / float64(d.Total)
	kind := Plain
	switch {
	case d.Free <= d.Reserve || used > 0.98:
		kind = Trouble
	case used > 0.9:
		kind = Needs
	}
	much := lang.L("{{.Free}} free of {{.Total}}", map[string]any{"Free": present.Size(d.Free), "Total": present.Size(d.Total)})
	g.SetReserved(what, much, kind, used, min(reserve, 1-used))
}
