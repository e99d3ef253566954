package folder

import (
	"context"
	"fmt"
	"strings"
	"time"

	"pinion/engine/control"
	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/tree"
)

// History lists what the archive holds of a path or below a directory, newest
// first.
func (f *Folder) History(ctx context.Context, p tree.Path, deleted bool) ([]control.Kept, error) {
	c, err := f.opened()
	if err != nil {
		return nil, err
	}
	rows, err := c.kept(ctx, p, deleted)
	if err != nil {
		return nil, err
	}
	out := make([]control.Kept, 0, len(rows))
	for _, r := range rows {
		dev := ""
		if rep, ok := c.index.Replica(r.By); ok {
			dev = f.cfg.NameOf(rep.Device)
		}
		out = append(out, control.Kept{
			Folder: f.cfg.Name, Path: string(r.Path), Time: time.Unix(0, r.When), Size: r.Size,
			Device: dev, Reason: r.Reason.String(), Content: r.Content,
		})
	}
	return out, nil
}

// maxKept bounds a listing of the archive.
const maxKept = 10_000

func (c *cycle) kept(ctx context.Context, p tree.Path, deleted bool) ([]index.Archived, error) {
	rows, err := c.index.Archived(ctx, index.ArchiveQuery{Path: p, Deleted: deleted, Limit: maxKept})
	if err != nil || p == "" || len(rows) > 0 {
		return rows, err
	}
	return c.index.Archived(ctx, index.ArchiveQuery{Under: p, Deleted: deleted, Limit: maxKept})
}

// Restore brings back a file, or all that is missing of a directory, from the
// archive: the newest versions that were put away, or those that stood at a
// moment. What a restored file replaces goes to the archive in turn.
func (f *Folder) Restore(ctx context.Context, p tree.Path, at *time.Time, to tree.Path) (control.Restored, error) {
	c, err := f.opened()
	if err != nil {
		return control.Restored{}, err
	}
	rows, err := c.kept(ctx, p, false)
	if err != nil {
		return control.Restored{}, err
	}
	chosen := chooseKept(rows, at)
	if len(chosen) == 0 {
		return control.Restored{}, fmt.Errorf("%w: this device's archive holds nothing of %s; pinion history lists what there is", ErrNotThere, p)
	}
	if to == "" {
		to = p
	}
	var units []*unit
	for _, r := range chosen {
		target := r.Path
		if r.Path == p {
			target = to
		} else if target, err = tree.ParsePath(string(to) + strings.TrimPrefix(string(r.Path), string(p))); err != nil {
			return control.Restored{}, err
		}
		u, err := c.restoring(ctx, r, target)
		if err != nil {
			return control.Restored{}, err
		}
		if u != nil {
			units = append(units, u)
		}
	}
	if err := c.carryOut(ctx, units); err != nil {
		return control.Restored{}, err
	}
	return control.Restored{Files: int64(len(units)), Path: string(to)}, nil
}

// chooseKept picks one version for each path: the one that stood at the given
// moment, which is the first that was put away after it; else the newest.
func chooseKept(rows []index.Archived, at *time.Time) map[tree.Path]index.Archived {
	out := map[tree.Path]index.Archived{}
	for _, r := range rows {
		if r.Content.IsZero() || at != nil && r.When < at.UnixNano() {
			continue
		}
		old, have := out[r.Path]
		if !have || (at == nil) == (r.When > old.When) {
			out[r.Path] = r
		}
	}
	return out
}

// restoring makes the unit that puts an archived file at a path; nil if it
// stands there already.
func (c *cycle) restoring(ctx context.Context, r index.Archived, target tree.Path) (*unit, error) {
	was, _, err := c.index.Get(ctx, target)
	if err != nil {
		return nil, err
	}
	if was.Exists() && was.Content == r.Content {
		return nil, nil
	}
	was.Path = target
	info, err := c.root.Lstat(r.File)
	if err != nil {
		return nil, fmt.Errorf("the archived version of %s is gone from disk: %w", r.Path, err)
	}
	self, clock := c.index.Self().ID, c.index.Tick()
	e := tree.Entry{
		Path: target, Kind: tree.File, Size: r.Size, MTime: info.MTime, Mode: info.Mode, Content: r.Content,
		Version: was.Version.Bump(self, clock), Author: self,
	}
	if was.Exists() {
		e.Base = was.Content
	}
	return &unit{path: target, urgent: true, actions: []plan.Action{{Op: plan.Put, Entry: e, Was: was}}}, nil
}
