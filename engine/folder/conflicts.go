package folder

import (
	"context"
	"fmt"
	"time"

	"pinion/engine/control"
	"pinion/engine/plan"
	"pinion/engine/tree"
)

// Conflicts lists the conflict copies of the folder and what they are copies of.
func (f *Folder) Conflicts(ctx context.Context) ([]control.Conflict, error) {
	c, err := f.opened()
	if err != nil {
		return nil, err
	}
	rows, err := c.index.Conflicts(ctx, "", 1000)
	if err != nil {
		return nil, err
	}
	var out []control.Conflict
	for _, r := range rows {
		k := control.Conflict{
			Folder: f.cfg.Name, Path: string(r.Conflict.Of), Copy: string(r.Path), That: c.side(r), Base: r.Conflict.Base,
		}
		if of, ok, err := c.index.Get(ctx, r.Conflict.Of); err != nil {
			return nil, err
		} else if ok && of.Exists() {
			s := c.side(of)
			k.This = &s
		}
		out = append(out, k)
	}
	return out, nil
}

func (c *cycle) side(r tree.Record) control.Side {
	name := ""
	if rep, ok := c.index.Replica(r.Author); ok {
		name = c.f.cfg.NameOf(rep.Device)
	}
	return control.Side{Device: name, Size: r.Size, MTime: time.Unix(0, r.MTime)}
}

// copyOf finds the conflict copy that a person means by the path of the copy or
// of what it is a copy of.
func (c *cycle) copyOf(ctx context.Context, p tree.Path) (tree.Record, error) {
	if r, ok, err := c.index.Get(ctx, p); err != nil {
		return r, err
	} else if ok && r.Exists() && r.Conflict != nil {
		return r, nil
	}
	rows, err := c.index.Conflicts(ctx, "", 10_000)
	if err != nil {
		return tree.Record{}, err
	}
	var found []tree.Record
	for _, r := range rows {
		if r.Conflict.Of == p {
			found = append(found, r)
		}
	}
	switch len(found) {
	case 0:
		return tree.Record{}, fmt.Errorf("%w: %s has no conflict", ErrNotThere, p)
	case 1:
		return found[0], nil
	}
	return tree.Record{}, fmt.Errorf("%s has %d conflict copies; name the one that you mean, such as %q", p, len(found), found[0].Path)
}

// Resolve settles a conflict: keep is this (what holds the name), that (the
// copy) or both. What is not kept goes to the archive.
func (f *Folder) Resolve(ctx context.Context, p tree.Path, keep string) error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	cp, err := c.copyOf(ctx, p)
	if err != nil {
		return err
	}
	of, _, err := c.index.Get(ctx, cp.Conflict.Of)
	if err != nil {
		return err
	}
	of.Path = cp.Conflict.Of
	self, clock := c.index.Self().ID, c.index.Tick()
	drop := plan.Action{Op: plan.Delete, Entry: tombstone(cp, self, clock).Entry, Was: cp}
	u := &unit{path: cp.Path, urgent: true}
	switch keep {
	case "this":
		u.actions = []plan.Action{drop}
	case "that":
		e := cp.Entry
		e.Path, e.Conflict, e.Base = of.Path, nil, of.Content
		e.Version, e.Author = of.Version.Join(cp.Version).Bump(self, clock), self
		u.actions = []plan.Action{{Op: plan.Put, Entry: e, Was: of}, drop}
	case "both":
		e := cp.Entry
		e.Conflict = nil
		e.Version, e.Author = cp.Version.Bump(self, clock), self
		u.actions = []plan.Action{{Op: plan.Adopt, Entry: e, Was: cp}}
	default:
		return fmt.Errorf("--keep takes this, that or both, not %q", keep)
	}
	return c.carryOut(ctx, []*unit{u})
}
