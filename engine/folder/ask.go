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

// Confirm lets what is held happen.
func (f *Folder) Confirm(now time.Time) error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	c.ask(func() { c.missing.confirm(max(now.UnixNano(), c.confirmedAt.Load()+1), true) })
	return nil
}

// carryOut has units that a person asked for carried out, and returns when they
// have been, or when ctx ends.
func (c *cycle) carryOut(ctx context.Context, units []*unit) error {
	for _, err := range c.carryEach(ctx, units) {
		if err != nil {
			return err
		}
	}
	return nil
}

// carryEach is carryOut that says of each unit what became of it.
func (c *cycle) carryEach(ctx context.Context, units []*unit) []error {
	type end struct {
		unit int
		err  error
	}
	errs := make([]error, len(units))
	rest := func(err error) []error {
		for i := range errs {
			if units[i] != nil {
				errs[i] = err
			}
		}
		return errs
	}
	if len(units) == 0 {
		return nil
	}
	units = slices.Clone(units)
	ended := make(chan end, len(units))
	asked := c.ask(func() {
		for i, u := range units {
			u.ended = func(err error) { ended <- end{i, err} }
			c.own(ctx, u)
		}
	})
	if !asked {
		return rest(ErrClosed)
	}
	for range units {
		select {
		case e := <-ended:
			errs[e.unit], units[e.unit] = e.err, nil
		case <-c.done:
			return rest(ErrClosed)
		case <-ctx.Done():
			return rest(ctx.Err())
		}
	}
	return errs
}

// own takes on a unit that a person asked for, whose content is at hand on this
// device or with those that it names.
func (c *cycle) own(ctx context.Context, u *unit) {
	busy := false
	u.paths(func(p tree.Path) { busy = busy || c.work.units[p] != nil })
	if busy {
		u.ended(fmt.Errorf("%s is being changed just now; try again in a moment", u.path))
		return
	}
	c.space.measure()
	if lack := c.space.takeRoom(ctx, u); lack != nil {
		u.ended(fmt.Errorf("%s %w", u.path, lack))
		return
	}
	if u.manifests == nil {
		u.manifests = map[tree.ContentID]tree.Manifest{}
	}
	u.paths(func(p tree.Path) { c.work.units[p] = u })
	for _, a := range u.actions {
		if a.Op == plan.Put && a.Staged == "" {
			u.needs++
			c.work.unsent = append(c.work.unsent, transfer.Job{Entry: a.Entry, Sources: u.sources, Urgent: true, Final: true})
		}
	}
	if u.needs == 0 {
		c.carry.makeReady(u)
	}
}

// fact tells what a person may want to know of a decision.
func (c *cycle) fact(f reconcile.Fact) {
	c.log.Debug("decided", "path", f.Path, "fact", f.Kind, "other", f.Other)
}
