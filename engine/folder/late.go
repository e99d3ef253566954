package folder

import (
	"context"
	"sync"
	"time"

	"pinion/engine/apply"
	"pinion/engine/index"
	"pinion/engine/reconcile"
	"pinion/engine/tree"
)

// How often displaced files are looked at again while there are any that are
// young or that somebody holds open, and how often in the first moments, when an
// editor that has not noticed is likeliest to write.
const (
	lateEvery = 5 * time.Second
	lateFirst = time.Second
	lateYoung = 20 * time.Second
)

// lateShare bounds what the looking costs where there are very many: it takes no
// more than one part in so many of the time.
const lateShare = 20

// lookLater has displaced files looked at again while there are any that were
// displaced lately or are held open.
func (k *carry) lookLater(r applied) {
	now := time.Now()
	displaced := false
	for _, o := range r.outcomes {
		displaced = displaced || len(o.Archived) > 0
	}
	if displaced {
		k.lateSince = now
	}
	if !k.late.IsZero() || !displaced && !k.c.applier.LateLeft() {
		return
	}
	every := lateEvery
	if now.Sub(k.lateSince) < lateYoung {
		every = lateFirst
	}
	k.late = now.Add(max(every, lateShare*r.took))
}

// startLate looks again at files that were displaced lately: an editor that still
// had one open may have gone on writing into it. It says whether it does.
func (k *carry) startLate(ctx context.Context, beside *sync.WaitGroup, now time.Time) bool {
	if k.late.IsZero() || now.Before(k.late) {
		return false
	}
	k.late = time.Time{}
	k.running = true
	beside.Go(func() {
		begun := time.Now()
		late, err := k.c.applier.Recheck(ctx)
		k.results <- applied{late: late, took: time.Since(begun), err: err}
	})
	return true
}

// takeLate sees to files that were written to after they had been displaced. They
// stand beside the live ones now and are scanned as what a person wrote; or, if
// they could be brought nowhere, lie in the archive.
func (k *carry) takeLate(ctx context.Context, found []apply.Late) error {
	c := k.c
	for _, l := range found {
		if err := k.rearchive(ctx, l); err != nil {
			return err
		}
		if l.Kept == "" {
			continue
		}
		c.log.Info("a displaced file was still being written; it is kept as a conflict", "path", l.Path, "kept", l.Kept)
		if of := reconcile.Original(l.Path); l.Kept != of {
			c.tags[l.Kept] = &tree.Conflict{Of: of, Base: l.Base}
		}
		c.notice.look(string(l.Kept))
	}
	return nil
}

// rearchive makes the archive's list say what became of a file in it.
func (k *carry) rearchive(ctx context.Context, l apply.Late) error {
	c := k.c
	if l.Kept == "" {
		_, err := c.index.Commit(ctx, index.Update{Archived: []index.Archived{{
			Path: l.Path, File: l.File, When: c.f.cfg.Now().UnixNano(), Reason: index.Conflicted,
		}}})
		return err
	}
	rows, err := c.index.Archived(ctx, index.ArchiveQuery{Path: l.Path, Limit: 1000})
	if err != nil {
		return err
	}
	for _, a := range rows {
		if a.File == l.File {
			return c.index.RemoveArchived(ctx, []int64{a.ID})
		}
	}
	return nil
}
