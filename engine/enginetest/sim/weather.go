package sim

import (
	"fmt"
	"math/rand/v2"
	"time"

	"pinion/platform/rootfs"
)

// weather does what an event says to a device from outside.
func (w *world) weather(e event, d *device) error {
	r := rand.New(rand.NewPCG(e.seed, 2))
	other := w.devices[(d.n+1+r.IntN(len(w.devices)-1))%len(w.devices)]
	w.log("%s: %s (%s)", d.name, kindNames[e.kind], other.name)
	switch e.kind {
	case cut:
		w.cut[pair(d, other)] = true
		w.disconnect(d, other)
	case mend:
		delete(w.cut, pair(d, other))
		w.connect(d, other)
	case powerCut:
		return w.crash(d, true, r)
	case killed:
		return w.crash(d, false, r)
	case restart:
		w.leave(d)
	case oldIndex:
		return w.oldIndex(d, r)
	case skew:
		by := []time.Duration{time.Second, time.Minute, time.Hour, 24 * time.Hour, 400 * 24 * time.Hour}[r.IntN(5)]
		if r.IntN(2) == 0 {
			by = -by
		}
		d.skew.Store(int64(by))
	case full:
		d.disk.SetCapacity(d.disk.Used() + int64(r.IntN(20_000)))
	case room:
		d.disk.SetCapacity(0)
	case badRead:
		if t, ok := w.pick(d, r, rootfs.Regular); ok {
			_ = d.disk.SetBad(t.Path)
		}
	case mendReads:
		d.mended = d.disk.MendAll() || d.mended
	}
	return nil
}

// oldIndex keeps a copy of the index, or has one kept before take its place.
func (w *world) oldIndex(d *device, r *rand.Rand) error {
	if len(d.backups) == 0 || d.life == nil {
		home, err := d.saveIndex()
		if err != nil {
			return fmt.Errorf("back the index up: %w", err)
		}
		d.backups = append(d.backups, home)
		return nil
	}
	if err := w.crash(d, false, r); err != nil {
		return err
	}
	d.index = d.backups[0]
	d.backups = nil
	return nil
}

func (w *world) mendReads(d *device) {
	if d.disk.MendAll() {
		d.disk.Overflow() // else it would be read again within the hour
	}
}

// clear mends everything but the clocks.
func (w *world) clear() error {
	clear(w.cut)
	for _, d := range w.devices {
		for _, e := range d.editors {
			e.Close()
		}
		d.editors = nil
		d.disk.SetCapacity(0)
		if d.disk.MendAll() || d.mended {
			d.mended = false
			d.disk.Overflow() // else it would be read again within the hour
		}
		if err := w.startIfDown(d); err != nil {
			return err
		}
	}
	w.reconnect()
	return nil
}

func (w *world) startIfDown(d *device) error {
	if d.life != nil {
		return nil
	}
	select {
	case <-d.last:
		return w.start(d)
	default:
		return nil // its last life has not ended yet
	}
}
