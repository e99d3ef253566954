package folder

import (
	"cmp"
	"context"
	"fmt"

	"pinion/engine/control"
	"pinion/engine/plan"
	"pinion/engine/tree"
)

// Undo has both versions of a conflict that was settled stand again as it was
// listed: the copy as a copy, the name as it was. It changes nothing where the
// name holds something else than what settling put there.
func (f *Folder) Undo(ctx context.Context, u control.Undo) error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	k := u.Conflict
	of, err := tree.ParsePath(k.Path)
	if err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	now, _, err := c.index.Get(ctx, of)
	if err != nil {
		return err
	}
	if k.Kind == control.EditDelete {
		if now.Exists() || u.Keep != control.KeepDeletion || k.This == nil {
			return fmt.Errorf("%s stands; there is nothing to take back", of)
		}
		return f.bringSide(ctx, of, *k.This, k.ThisContent, nil)
	}
	cp, err := tree.ParsePath(k.Copy)
	if err != nil {
		return fmt.Errorf("undo: %w", err)
	}
	was := contentSeen(now) == k.ThisContent && now.Exists() == (k.This != nil)
	put := now.Exists() && (u.Keep == control.KeepThat && now.Content == k.ThatContent || u.Keep == control.KeepMerge && now.Base == k.ThatContent)
	if !was && !put || k.ThatContent.IsZero() || k.This != nil && k.ThisContent.IsZero() {
		return fmt.Errorf("%s has been changed since, and %s; pinion history lists both versions", of, unchanged)
	}
	tag := &tree.Conflict{Of: of, Base: k.Base}
	if beside, _, err := c.index.Get(ctx, cp); err != nil {
		return err
	} else if beside.Exists() && beside.Content == k.ThatContent {
		e := beside.Entry
		e.Conflict = tag
		e.Version, e.Author = e.Version.Bump(c.index.Self().ID, c.index.Tick()), c.index.Self().ID
		err = c.carryOut(ctx, []*unit{{path: cp, urgent: true, actions: []plan.Action{{Op: plan.Adopt, Entry: e, Was: beside}}}})
		if err != nil {
			return err
		}
	} else if beside.Exists() {
		return fmt.Errorf("%s has been changed since, and %s; pinion history lists both versions", cp, unchanged)
	} else if err := f.bringSide(ctx, cp, k.That, k.ThatContent, tag); err != nil {
		return err
	}
	switch {
	case was:
		return nil
	case k.This == nil: // nothing held the name
		return c.carryOut(ctx, []*unit{c.merging.dropping(now)})
	}
	return f.bringSide(ctx, of, *k.This, k.ThisContent, nil)
}

// bringSide has one side of a conflict stand at a path again.
func (f *Folder) bringSide(ctx context.Context, p tree.Path, s control.Side, id tree.ContentID, tag *tree.Conflict) error {
	was, _, err := f.Record(ctx, p)
	if err != nil {
		return err
	}
	if s.Size < 0 {
		return fmt.Errorf("undo: a size of %d", s.Size)
	}
	e := tree.Entry{
		Path: p, Kind: tree.File, Size: s.Size, MTime: s.MTime.UnixNano(), Mode: cmp.Or(was.Mode, 0o644), Content: id, Conflict: tag,
	}
	done, err := f.Bring(ctx, []Bring{{Entry: e}})
	switch {
	case err != nil:
		return err
	case done.Failed > 0:
		return done.Why
	}
	return nil
}
