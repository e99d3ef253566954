package folder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pinion/engine/control"
	"pinion/engine/index"
	"pinion/engine/merge"
	"pinion/engine/plan"
	"pinion/engine/reconcile"
	"pinion/engine/tree"
)

// Bounds of a listing: how many conflicts, of how many the differing lines are
// counted, and how large those files may be.
const (
	maxConflicts = 1000
	maxCounted   = 50
	maxCountedIn = 256 << 10
	maxSought    = 10_000 // among so many the copies of a file are looked for
)

// Conflicts lists the conflict copies of the folder and what they are copies of,
// then the deletions that gave way to a change.
func (f *Folder) Conflicts(ctx context.Context) ([]control.Conflict, error) {
	c, err := f.opened()
	if err != nil {
		return nil, err
	}
	rows, err := c.index.Conflicts(ctx, "", maxConflicts)
	if err != nil {
		return nil, err
	}
	var out []control.Conflict
	for i, r := range rows {
		k, err := c.merging.conflict(ctx, r, i < maxCounted)
		if err != nil {
			return nil, err
		}
		out = append(out, k)
	}
	beaten, err := c.index.Beaten(ctx)
	if err != nil {
		return nil, err
	}
	for _, b := range beaten {
		out = append(out, c.merging.beaten(b))
	}
	return out, nil
}

func (g *merging) beaten(b index.Beaten) control.Conflict {
	this := g.side(b.Record)
	return control.Conflict{
		Folder: g.c.f.cfg.Name, Path: string(b.Record.Path), Kind: control.EditDelete, Copy: string(b.Record.Path), This: &this, ThisContent: contentSeen(b.Record),
		That: control.Side{Device: g.c.deviceOf(b.By), MTime: time.Unix(int64(min(b.At, 1<<40)), 0)},
	}
}

// ConflictsAfter is a page of Conflicts: what comes after a place in the list
// ("": the beginning), and the place at which it ends, "" if it is the last.
func (f *Folder) ConflictsAfter(ctx context.Context, after string, limit int) (out []control.Conflict, next string, err error) {
	c, err := f.opened()
	if err != nil {
		return nil, "", err
	}
	var place tree.Path
	beaten := false
	if after != "" {
		beaten, place = after[0] == 'd', tree.Path(after[1:])
	}
	if !beaten {
		rows, err := c.index.Conflicts(ctx, place, limit)
		if err != nil {
			return nil, "", err
		}
		for i, r := range rows {
			k, err := c.merging.conflict(ctx, r, i < maxCounted)
			if err != nil {
				return nil, "", err
			}
			out = append(out, k)
		}
		if len(rows) == limit {
			return out, "c" + string(rows[len(rows)-1].Path), nil
		}
		place = ""
	}
	all, err := c.index.Beaten(ctx)
	if err != nil {
		return nil, "", err
	}
	for _, b := range all {
		if place != "" && b.Record.Path.Compare(place) <= 0 {
			continue
		}
		if len(out) == limit {
			return out, "d" + string(place), nil
		}
		out, place = append(out, c.merging.beaten(b)), b.Record.Path
	}
	return out, "", nil
}

// ConflictsAt lists those of one file, which may be a copy.
func (f *Folder) ConflictsAt(ctx context.Context, p tree.Path) (out []control.Conflict, err error) {
	c, err := f.opened()
	if err != nil {
		return nil, err
	}
	rows, err := c.index.Conflicts(ctx, "", maxSought)
	if err != nil {
		return nil, err
	}
	for _, r := range rows {
		if r.Path == p || r.Conflict.Of == p {
			k, err := c.merging.conflict(ctx, r, true)
			if err != nil {
				return nil, err
			}
			out = append(out, k)
		}
	}
	all, err := c.index.Beaten(ctx)
	for _, b := range all {
		if b.Record.Path == p {
			out = append(out, c.merging.beaten(b))
		}
	}
	return out, err
}

// CountConflicts is how many Conflicts would list, were it not bounded.
func (f *Folder) CountConflicts(ctx context.Context) (int64, error) {
	c, err := f.opened()
	if err != nil {
		return 0, err
	}
	all, err := c.index.Beaten(ctx)
	return c.index.Counts().Conflicts + int64(len(all)), err
}

func (g *merging) conflict(ctx context.Context, cp tree.Record, count bool) (control.Conflict, error) {
	c := g.c
	k := control.Conflict{
		Folder: c.f.cfg.Name, Path: string(cp.Conflict.Of), Kind: control.EditEdit, Copy: string(cp.Path),
		That: g.side(cp), Base: cp.Conflict.Base, ThatContent: contentSeen(cp),
	}
	of, ok, err := c.index.Get(ctx, cp.Conflict.Of)
	if err != nil || !ok || !of.Exists() {
		return k, err
	}
	this := g.side(of)
	k.This, k.ThisContent = &this, contentSeen(of)
	if k.BaseHere, err = g.here(ctx, cp.Conflict.Base); err != nil {
		return k, err
	}
	if count && of.Kind == tree.File && cp.Kind == tree.File && max(of.Size, cp.Size) <= maxCountedIn {
		k.Differ = g.differ(of, cp)
	}
	return k, nil
}

// here says whether this device has a content, live or in the archive.
func (g *merging) here(ctx context.Context, id tree.ContentID) (bool, error) {
	c := g.c
	if id.IsZero() {
		return false, nil
	}
	live, err := c.index.ByContent(ctx, id, 1)
	if err != nil || len(live) > 0 {
		return len(live) > 0, err
	}
	kept, err := c.index.FindArchived(ctx, id, 1)
	return len(kept) > 0, err
}

// differ counts the lines in which two files differ; nil where they are no text.
func (g *merging) differ(of, cp tree.Record) *control.Differ {
	var text [2][]byte
	for i, p := range []tree.Path{of.Path, cp.Path} {
		data, err := g.c.root.ReadFile(string(p), maxCountedIn+1)
		if err != nil || len(data) > maxCountedIn {
			return nil
		}
		text[i] = data
	}
	this, that, err := merge.Differ(text[0], text[1])
	if err != nil {
		return nil
	}
	return &control.Differ{This: this, That: that}
}

func (g *merging) side(r tree.Record) control.Side {
	return control.Side{Device: g.c.deviceOf(r.Author), Size: r.Size, MTime: time.Unix(0, r.MTime)}
}

func (c *cycle) deviceOf(r tree.ReplicaID) string {
	if rep, ok := c.index.Replica(r); ok {
		return c.f.cfg.NameOf(rep.Device)
	}
	return ""
}

// copyOf finds the conflict copy that a person means by the path of the copy or
// of what it is a copy of.
func (g *merging) copyOf(ctx context.Context, p tree.Path) (tree.Record, error) {
	c := g.c
	if r, ok, err := c.index.Get(ctx, p); err != nil {
		return r, err
	} else if ok && r.Exists() && r.Conflict != nil {
		return r, nil
	}
	rows, err := c.index.Conflicts(ctx, "", maxSought)
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

// Resolve settles a conflict: r.Keep is this (what holds the name), that (the
// copy), both, or merge. What is not kept goes to the archive. Where a change
// beat a deletion, edit (or this) leaves the file, and deletion deletes it after
// all.
func (f *Folder) Resolve(ctx context.Context, p tree.Path, r control.Resolve) error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	cp, err := c.merging.copyOf(ctx, p)
	if r.Keep == control.KeepDeletion || r.Keep == control.KeepEdit || errors.Is(err, ErrNotThere) {
		return c.merging.settleBeaten(ctx, p, r)
	}
	if err != nil {
		return err
	}
	of, _, err := c.index.Get(ctx, cp.Conflict.Of)
	if err != nil {
		return err
	}
	of.Path = cp.Conflict.Of
	if s := r.If; s != nil && (contentSeen(of) != s.This || contentSeen(cp) != s.That) {
		return changedSince(of.Path)
	}
	switch r.Keep {
	case control.KeepThis:
		return c.carryOut(ctx, []*unit{c.merging.dropping(cp)})
	case control.KeepThat:
		return c.merging.keepThat(ctx, of, cp)
	case control.KeepMerge:
		if r.Text != nil {
			return c.merging.keepEdited(ctx, of, cp, r.Text)
		}
		return c.merging.keepMerged(ctx, of, cp)
	case control.KeepBoth:
		e := cp.Entry
		e.Conflict = nil
		e.Version, e.Author = cp.Version.Bump(c.index.Self().ID, c.index.Tick()), c.index.Self().ID
		return c.carryOut(ctx, []*unit{{path: cp.Path, urgent: true, actions: []plan.Action{{Op: plan.Adopt, Entry: e, Was: cp}}}})
	}
	return fmt.Errorf("--keep takes this, that, both or merge, not %q", r.Keep)
}

func changedSince(p tree.Path) error {
	return &control.Error{Kind: control.KindChanged, Text: fmt.Sprintf("%s has changed since it was shown; %s. Look at it again", p, unchanged)}
}

// keepEdited lets a person's own text hold the name.
func (g *merging) keepEdited(ctx context.Context, of, cp tree.Record, text []byte) error {
	if of.Exists() && of.Kind != tree.File || cp.Kind != tree.File {
		return fmt.Errorf("%s: only files can be merged; %s", of.Path, chooseOne)
	}
	return g.keepText(ctx, of, cp, text, max(time.Now().UnixNano(), of.MTime+1))
}

// keepThat lets the copy hold the name. The copy goes only once it does, so that
// whatever comes between leaves both.
func (g *merging) keepThat(ctx context.Context, of, cp tree.Record) error {
	c := g.c
	if !of.Exists() || of.Content != cp.Content || of.Kind != cp.Kind {
		e := cp.Entry
		e.Path, e.Conflict, e.Base = of.Path, nil, of.Content
		e.Version, e.Author = of.Version.Join(cp.Version).Bump(c.index.Self().ID, c.index.Tick()), c.index.Self().ID
		op := plan.Put
		if e.Kind == tree.Symlink {
			op = plan.Link
		}
		u := &unit{path: of.Path, urgent: true, actions: []plan.Action{{Op: op, Entry: e, Was: of}}}
		if err := c.carryOut(ctx, []*unit{u}); err != nil {
			return err
		}
	}
	return c.carryOut(ctx, []*unit{g.dropping(cp)})
}

// settleBeaten answers a deletion that gave way to a change.
func (g *merging) settleBeaten(ctx context.Context, p tree.Path, r control.Resolve) error {
	c := g.c
	all, err := c.index.Beaten(ctx)
	if err != nil {
		return err
	}
	i := slices.IndexFunc(all, func(b index.Beaten) bool { return b.Record.Path == p })
	if i < 0 {
		return fmt.Errorf("%w: %s has no conflict", ErrNotThere, p)
	}
	rec := all[i].Record
	if s := r.If; s != nil && (contentSeen(rec) != s.This || !s.That.IsZero()) {
		return changedSince(p)
	}
	switch r.Keep {
	case control.KeepDeletion:
		return c.carryOut(ctx, []*unit{g.dropping(rec)})
	case control.KeepThis, control.KeepEdit:
		// A new version of the same file, which ends the note on every device.
		e := rec.Entry
		e.Version = e.Version.Bump(c.index.Self().ID, c.index.Tick())
		return c.carryOut(ctx, []*unit{{path: p, urgent: true, actions: []plan.Action{{Op: plan.Adopt, Entry: e, Was: rec}}}})
	}
	return fmt.Errorf("%s was changed on one device and deleted on another: --keep edit leaves it, --keep deletion deletes it after all", p)
}

// noteBeaten remembers what the units say of deletions that gave way, now that
// they are committed.
func (g *merging) noteBeaten(ctx context.Context, units []*unit) error {
	c := g.c
	var notes []index.Beaten
	var u index.Update
	for _, x := range units {
		for _, f := range x.facts {
			if f.Kind != reconcile.EditBeatDeletion {
				continue
			}
			rec, ok, err := c.index.Get(ctx, f.Path)
			if err != nil {
				return err
			}
			i := slices.IndexFunc(x.actions, func(a plan.Action) bool { return a.Entry.Path == f.Path })
			if !ok || i < 0 || rec.Kind == tree.Dir || rec.Version.Compare(x.actions[i].Entry.Version) != tree.Equal {
				continue // not carried out, or something came of it already
			}
			notes = append(notes, index.Beaten{Record: rec, By: f.By, At: f.When})
			u.Activity = append(u.Activity, c.activity(f.Path, "kept", rec.Author))
		}
	}
	if len(notes) == 0 {
		return nil
	}
	if err := c.index.NoteBeaten(ctx, notes); err != nil {
		return fmt.Errorf("note what beat a deletion: %w", err)
	}
	return c.commit(ctx, u)
}
