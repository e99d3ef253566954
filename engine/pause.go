package engine

import (
	"context"
	"time"

	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// Pause stops the moving of bytes: of everything, of one folder, or with one
// device. It survives a restart.
func (e *Engine) Pause(_ context.Context, r control.PauseRequest) error {
	p := &config.Pause{}
	switch {
	case r.For < 0 || r.Until != nil && !r.Until.After(e.o.Now()):
		return usage("that moment has passed already")
	case r.For > 0:
		until := e.o.Now().Add(r.For).Truncate(time.Second)
		p.Until = &until
	case r.Until != nil:
		p.Until = r.Until
	}
	return e.setPause(r, p)
}

// Resume ends what Pause began.
func (e *Engine) Resume(_ context.Context, r control.PauseRequest) error { return e.setPause(r, nil) }

func (e *Engine) setPause(r control.PauseRequest, p *config.Pause) error {
	if r.Folder != "" && r.Device != "" {
		return usage("pause a folder or a device, not both in one go")
	}
	e.mu.Lock()
	err := e.recordPauseLocked(r, p)
	if err == nil {
		err = e.saveLocked()
	}
	e.mu.Unlock()
	if err != nil {
		return err
	}
	e.govern()
	e.applyPauses()
	return nil
}

func (e *Engine) recordPauseLocked(r control.PauseRequest, p *config.Pause) error {
	switch {
	case r.Folder != "":
		i, _, err := e.findFolderLocked(r.Folder)
		if err != nil {
			return err
		}
		e.cfg.Folders[i].Paused = p
	case r.Device != "":
		id, err := e.findDevice(r.Device)
		if err != nil {
			return err
		}
		e.deviceLocked(id).Paused = p
	default:
		e.cfg.Paused = p
		if p == nil { // resuming everything ends the folders' own pauses, too, and overrules the rules
			e.ruling.memory = e.ruling.memory.Waive()
			for i := range e.cfg.Folders {
				e.cfg.Folders[i].Paused = nil
			}
			for i := range e.cfg.Devices {
				e.cfg.Devices[i].Paused = nil
			}
		}
	}
	return nil
}

// applyPauses tells the folders whether they are paused, and up to what size files
// move.
func (e *Engine) applyPauses() {
	type told struct {
		r *running
		p *status.Pause
	}
	var all []told
	e.mu.Lock()
	small, why := e.smallLocked()
	for _, c := range e.cfg.Folders {
		if r := e.running[c.ID]; r != nil {
			all = append(all, told{r, e.pauseOfLocked(c)})
		}
	}
	e.mu.Unlock()
	for _, t := range all {
		t.r.SetSmall(small, why)
		t.r.SetPaused(t.p)
	}
	e.board.Post(e.state()) // who looks next is to see it
	e.changed()
}

// pauseOfLocked is a folder's own pause or that of everything, by hand or by a
// rule; nil: it runs.
func (e *Engine) pauseOfLocked(c config.Folder) *status.Pause {
	now := e.o.Now()
	for _, p := range []*config.Pause{e.cfg.Paused, c.Paused} {
		if !p.Over(now) {
			return &status.Pause{State: "paused", Reason: "paused by hand", Until: p.Until}
		}
	}
	return e.automaticLocked()
}

func (e *Engine) devicePausedLocked(dev tree.DeviceID) bool {
	for _, d := range e.cfg.Devices {
		if d.ID == dev {
			return !d.Paused.Over(e.o.Now())
		}
	}
	return false
}

// endPauses ends those whose time is over.
func (e *Engine) endPauses() {
	now := e.o.Now()
	e.mu.Lock()
	ended := false
	end := func(p **config.Pause) {
		if *p != nil && (*p).Over(now) {
			*p, ended = nil, true
		}
	}
	end(&e.cfg.Paused)
	for i := range e.cfg.Folders {
		end(&e.cfg.Folders[i].Paused)
	}
	for i := range e.cfg.Devices {
		end(&e.cfg.Devices[i].Paused)
	}
	var err error
	if ended {
		err = e.saveLocked()
	}
	e.mu.Unlock()
	if err != nil {
		e.log.Warn("a pause has ended but could not be taken off the configuration", "err", err)
	}
	if ended {
		e.applyPauses()
	}
}
