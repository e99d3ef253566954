package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pinion/engine/control"
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

// Doctor looks the folder over.
func (f *Folder) Doctor(ctx context.Context) []control.Finding {
	s := f.State()
	find := func(level, format string, args ...any) control.Finding {
		return control.Finding{Folder: f.cfg.Name, Level: level, Text: fmt.Sprintf(format, args...)}
	}
	c, err := f.opened()
	if err != nil {
		return []control.Finding{find("problem", "%v", err)}
	}
	out := []control.Finding{find("ok", "the marker is in place and %d files (%d bytes) are indexed", s.Files, s.Bytes)}
	if w := c.watcher.Warning(); w != nil {
		out = append(out, find("problem", "%v", w))
	}
	if !c.caps.Exchange {
		out = append(out, find("note", "the file system (%s) can't exchange two files in one step; a slower way with a written intent is used", c.caps.FSType))
	}
	if n, err := c.index.MissingCount(ctx); err == nil && n > 0 {
		out = append(out, find("note", "%d paths are missing on disk and not taken as deleted yet", n))
	}
	if _, err := c.root.Lstat(tree.Private + "/index.db"); errors.Is(err, fs.ErrNotExist) && f.cfg.IndexFile == "" {
		out = append(out, find("problem", "the index file is gone from disk although it is open; restart the engine to have it made anew"))
	}
	for _, p := range s.Problems {
		out = append(out, find("problem", "%s: %s", p.Path, p.Error))
	}
	return out
}

// fact tells what a person may want to know of a decision.
func (c *cycle) fact(f reconcile.Fact) {
	c.log.Debug("decided", "path", f.Path, "fact", f.Kind, "other", f.Other)
}
