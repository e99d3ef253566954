package folder

import (
	"context"
	"errors"
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/reconcile"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// ErrNotThere: the folder holds nothing of the name that a person gave.
var ErrNotThere = errors.New("there is no such path")

// Rel gives a person's path, absolute or relative to the folder, as a Path of
// this folder; not ok if it is an absolute one elsewhere or no path at all.
func (f *Folder) Rel(given string) (tree.Path, bool) {
	if filepath.IsAbs(given) {
		root := f.cfg.Path
		if c := f.current(); c != nil {
			root = c.root.Name()
		}
		for _, base := range []string{f.cfg.Path, root} {
			if rel, err := filepath.Rel(base, given); err == nil && rel != ".." && !strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
				if rel == "." {
					return "", true
				}
				p, err := tree.ParsePath(filepath.ToSlash(rel))
				return p, err == nil
			}
		}
		return "", false
	}
	clean := path.Clean(filepath.ToSlash(given))
	if clean == "." {
		return "", true
	}
	p, err := tree.ParsePath(clean)
	return p, err == nil
}

// opened gives the open cycle, or a sentence that says why there is none.
func (f *Folder) opened() (*cycle, error) {
	if c := f.current(); c != nil {
		return c, nil
	}
	s := f.State()
	if s.Reason != "" {
		return nil, fmt.Errorf("folder %s can't be used now: %s", s.Name, s.Reason)
	}
	return nil, fmt.Errorf("folder %s is not open yet; try again in a moment", s.Name)
}

// Scan has the whole folder looked at.
func (f *Folder) Scan() error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	c.ask(func() { c.notice.full, c.saying.changed = true, true })
	return nil
}

// Confirm lets held deletions happen.
func (f *Folder) Confirm(now time.Time) error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	c.ask(func() { c.confirm(now.UnixNano()) })
	return nil
}

// carryOut has units that a person asked for carried out, and returns when they
// have been, or when ctx ends.
func (c *cycle) carryOut(ctx context.Context, units []*unit) error {
	ended := make(chan error, len(units))
	asked := c.ask(func() {
		for _, u := range units {
			u.ended = func(err error) { ended <- err }
			c.own(u)
		}
	})
	if !asked {
		return ErrClosed
	}
	var first error
	for range units {
		select {
		case err := <-ended:
			if first == nil {
				first = err
			}
		case <-c.done:
			return ErrClosed
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return first
}

// own takes on a unit that a person asked for, whose content is at hand on this
// device.
func (c *cycle) own(u *unit) {
	busy := false
	u.paths(func(p tree.Path) { busy = busy || c.work.units[p] != nil })
	if busy {
		u.ended(fmt.Errorf("%s is being changed just now; try again in a moment", u.path))
		return
	}
	u.manifests = map[tree.ContentID]tree.Manifest{}
	u.paths(func(p tree.Path) { c.work.units[p] = u })
	for _, a := range u.actions {
		if a.Op == plan.Put {
			u.needs++
			c.work.unsent = append(c.work.unsent, transfer.Job{Entry: a.Entry, Urgent: true})
		}
	}
	if u.needs == 0 {
		c.makeReady(u)
	}
}

// Activity lists the last changes, oldest first.
func (f *Folder) Activity(ctx context.Context, limit int) ([]index.Activity, error) {
	c := f.current()
	if c == nil {
		return nil, nil // a folder that is away has nothing new
	}
	rows, err := c.index.LastActivity(ctx, limit)
	slices.Reverse(rows)
	return rows, err
}

// fact tells what a person may want to know of a decision.
func (c *cycle) fact(f reconcile.Fact) {
	c.log.Debug("decided", "path", f.Path, "fact", f.Kind, "other", f.Other)
}
