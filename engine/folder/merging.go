package folder

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/merge"
	"pinion/engine/plan"
	"pinion/engine/status"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// content gives the bytes of a content that is small enough to be merged: from
// where it stands here, from the archive, or (far) from a peer that has it.
func (g *merging) content(ctx context.Context, id tree.ContentID, at tree.Path, far bool) ([]byte, error) {
	c := g.c
	rows, err := c.index.ByContent(ctx, id, 4)
	if err != nil {
		return nil, err
	}
	files, err := c.archiveFiles(ctx, id)
	if err != nil {
		return nil, err
	}
	var places []string
	for _, r := range rows {
		places = append(places, string(r.Path))
	}
	for _, file := range append(places, files...) {
		if data, err := c.root.ReadFile(file, merge.MaxBytes+1); err == nil && holds(data, id) {
			return data, nil
		}
	}
	if !far {
		return nil, transfer.ErrGone
	}
	data, _, err := g.fetch(ctx, id, at)
	return data, err
}

// fetch gets a content that is small enough to be merged from a peer that has it,
// and says from whom.
func (g *merging) fetch(ctx context.Context, id tree.ContentID, at tree.Path) ([]byte, string, error) {
	c := g.c
	for _, l := range c.f.links() {
		ctx, cancel := context.WithTimeout(ctx, c.lim.askFor())
		data, err := transfer.Get(ctx, l.peer, c.f.cfg.ID, id, at, merge.MaxBytes+1)
		cancel()
		if err == nil {
			return data, c.f.cfg.NameOf(l.peer.Device()), nil
		}
		c.log.Debug("a content is not had from a peer", "device", l.peer.Device().Short(), "err", err)
	}
	return nil, "", transfer.ErrGone
}

// askFor is how long a peer may take over a content that a person waits for.
func (l Limits) askFor() time.Duration {
	if l.Stall > 0 {
		return l.Stall
	}
	return 15 * time.Second
}

func holds(data []byte, id tree.ContentID) bool {
	_, got, _, err := chunk.Of(bytes.NewReader(data), int64(len(data)))
	return err == nil && got == id
}

// clash says why two versions can't be merged as they are: a sentence.
type clash struct{ text string }

func (e *clash) Error() string { return e.text }

const (
	chooseOne = "keep this, that or both"
	unchanged = "nothing was changed"
)

// merged joins the two sides of a conflict, or says in a *clash why it can't be.
func (g *merging) merged(ctx context.Context, of, cp tree.Record) ([]byte, error) {
	name := of.Path
	switch {
	case !of.Exists():
		return nil, &clash{text: fmt.Sprintf("nothing holds the name %s any more, so there is nothing to merge with; keep that, or both", name)}
	case of.Kind != tree.File || cp.Kind != tree.File:
		return nil, &clash{text: fmt.Sprintf("%s: only files can be merged; %s", name, chooseOne)}
	case max(of.Size, cp.Size) > merge.MaxBytes:
		return nil, &clash{text: fmt.Sprintf("%s is larger than %d MiB and is not merged; %s", name, merge.MaxBytes>>20, chooseOne)}
	}
	this, err := g.content(ctx, of.Content, of.Path, false)
	if err != nil {
		return nil, fmt.Errorf("%s has changed meanwhile; look at it and try again", of.Path)
	}
	that, err := g.content(ctx, cp.Content, cp.Path, false)
	if err != nil {
		return nil, fmt.Errorf("%s has changed meanwhile; look at it and try again", cp.Path)
	}
	base := this // of equal sides nothing has to be known
	if of.Content != cp.Content {
		if base, err = g.base(ctx, of.Path, cp.Conflict.Base); err != nil {
			return nil, err
		}
	}
	out, hits, err := merge.Merge(base, this, that)
	var refused *merge.Refused
	switch {
	case errors.As(err, &refused):
		which := map[string]string{"base": "the version that both were made from", "this": string(of.Path), "that": string(cp.Path)}[refused.Side]
		return nil, &clash{text: fmt.Sprintf("%s %s and can't be merged; %s", which, refused.Why, chooseOne)}
	case err != nil:
		return nil, err
	case len(hits) > 0:
		return nil, &clash{text: collide(of.Path, hits)}
	}
	return out, nil
}

// base gives the content that both sides were made from.
func (g *merging) base(ctx context.Context, of tree.Path, id tree.ContentID) ([]byte, error) {
	if id.IsZero() {
		return nil, &clash{text: fmt.Sprintf("what both versions of %s were made from is not known, so they can't be merged; %s", of, chooseOne)}
	}
	data, err := g.content(ctx, id, of, true)
	if errors.Is(err, transfer.ErrGone) {
		return nil, &clash{text: fmt.Sprintf(
			"no device that can be reached now still has the version that both versions of %s were made from, so they can't be merged; %s, or try again when more devices are connected", of, chooseOne)}
	}
	return data, err
}

// maxTold is how many collisions are told.
const maxTold = 5

func collide(p tree.Path, hits []merge.Collision) string {
	var all []string
	for _, h := range hits[:min(len(hits), maxTold)] {
		all = append(all, fmt.Sprintf("%s here and %s there", h.This, h.That))
	}
	if more := len(hits) - len(all); more > 0 {
		all = append(all, fmt.Sprintf("%d more", more))
	}
	return fmt.Sprintf("%s: %s collide; %s. Edit one of the two files until it is as you want it, and keep it", p, strings.Join(all, ", "), unchanged)
}

// keepMerged lets what both sides came to stand under the name. What stood there
// goes to the archive, and so does the copy.
func (g *merging) keepMerged(ctx context.Context, of, cp tree.Record) error {
	data, err := g.merged(ctx, of, cp)
	if err != nil {
		return err
	}
	return g.keepText(ctx, of, cp, data, max(of.MTime, cp.MTime)+1)
}

// keepText lets a text hold the name, and then takes the copy away.
func (g *merging) keepText(ctx context.Context, of, cp tree.Record, data []byte, mtime int64) error {
	c := g.c
	m, id, size, err := chunk.Of(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		return fmt.Errorf("name the merged content: %w", err)
	}
	if !of.Exists() || id != of.Content {
		staged, err := c.fetcher.Stage(id, data)
		if err != nil {
			return fmt.Errorf("write the merged content: %w", err)
		}
		// All of it but the stamp follows from the two sides, so that devices that
		// merge at once agree. With that as its base, whoever kept that meanwhile
		// gives way to it.
		e := of.Entry
		if !of.Exists() {
			e = cp.Entry
			e.Path, e.Conflict = of.Path, nil
		}
		e.Content, e.Size, e.MTime, e.Base = id, size, mtime, cp.Content
		e.Version = of.Version.Join(cp.Version).Bump(c.index.Self().ID, c.index.Tick())
		e.Author = c.index.Self().ID
		u := &unit{
			path: of.Path, urgent: true, word: "merged", manifests: map[tree.ContentID]tree.Manifest{id: m},
			actions: []plan.Action{{Op: plan.Put, Entry: e, Was: of, Staged: staged}},
		}
		if err := c.carryOut(ctx, []*unit{u}); err != nil {
			_ = c.root.Transfer().Remove(staged) // it is gone where it was used
			return err
		}
	}
	return c.carryOut(ctx, []*unit{g.dropping(cp)})
}

// dropping is a unit that takes a conflict copy away.
func (g *merging) dropping(cp tree.Record) *unit {
	c := g.c
	gone := tombstone(cp, c.index.Self().ID, c.index.Tick()).Entry
	return &unit{path: cp.Path, urgent: true, actions: []plan.Action{{Op: plan.Delete, Entry: gone, Was: cp}}}
}

// merging is how far the folder merges by itself. Owned by the loop.
type merging struct {
	c *cycle

	due     time.Time // zero: nothing to do
	rest    time.Time // until when nothing is tried
	running bool
	seen    [2]uint64 // of the last look: where the index was, how many peers there were
	tried   map[tree.Path][2]uint64
}

// How long a folder rests before it merges by itself: on the first of the devices
// that are connected, and on the others, which find nothing left to do.
const (
	mergeAfter = time.Second
	mergeElse  = 5 * time.Second
	mergeAgain = time.Minute // after one that was in the way for the moment only
)

// startMerging merges what can be merged by itself, where the folder is set to,
// once it is at rest. Failed ones are tried again when something has changed.
func (g *merging) startMerging(ctx context.Context, beside *sync.WaitGroup) time.Duration {
	c := g.c
	now := time.Now()
	rests := c.saying.state == status.Synced && len(c.work.units) == 0 && c.paused == nil
	if !c.f.cfg.Merge || c.f.cfg.Mode != TwoWay || g.running || !rests || c.index.Counts().Conflicts == 0 {
		g.due = time.Time{}
		return time.Hour
	}
	peers := c.exchange.Peers()
	seen := [2]uint64{c.index.Position().Seq, uint64(len(peers))}
	if seen == g.seen {
		return time.Hour
	}
	if now.Before(g.rest) {
		return g.rest.Sub(now)
	}
	if g.due.IsZero() {
		g.due = now.Add(mergeAfter)
		for _, p := range peers {
			if slices.Compare(p.Device[:], c.f.cfg.Device[:]) < 0 {
				g.due = now.Add(mergeElse)
			}
		}
	}
	if now.Before(g.due) {
		return g.due.Sub(now)
	}
	tried := g.tried
	if seen[1] != g.seen[1] {
		tried = nil // somebody may have what was lacking
	}
	g.seen, g.running = seen, true
	beside.Go(func() {
		left, again, err := g.mergeAll(ctx, tried)
		if err != nil && ctx.Err() == nil {
			c.log.Info("merge by itself", "err", err)
		}
		c.ask(func() {
			g.running, g.tried, g.due = false, left, time.Time{}
			if again || err != nil {
				g.seen, g.rest = [2]uint64{}, time.Now().Add(mergeAgain)
			}
		})
	})
	return time.Hour
}

// mergeAll tries each conflict that stands alone at its path. It gives those that
// can't be merged, as they were; again: others were in the way for the moment only.
func (g *merging) mergeAll(ctx context.Context, tried map[tree.Path][2]uint64) (left map[tree.Path][2]uint64, again bool, err error) {
	c := g.c
	rows, err := c.index.Conflicts(ctx, "", maxConflicts)
	if err != nil {
		return tried, false, err
	}
	copies := map[tree.Path]int{}
	for _, r := range rows {
		copies[r.Conflict.Of]++
	}
	left = map[tree.Path][2]uint64{}
	for _, cp := range rows {
		of, _, err := c.index.Get(ctx, cp.Conflict.Of)
		if err != nil {
			return tried, false, err
		}
		of.Path = cp.Conflict.Of
		now := [2]uint64{of.Seq, cp.Seq}
		if tried[cp.Path] == now || copies[of.Path] > 1 {
			left[cp.Path] = now
			continue
		}
		err = g.keepMerged(ctx, of, cp)
		if ctx.Err() != nil {
			return tried, false, ctx.Err()
		}
		var no *clash
		switch {
		case err == nil:
			continue
		case errors.As(err, &no):
			left[cp.Path] = now
		default:
			again = true
		}
		c.log.Debug("not merged by itself", "path", of.Path, "err", err)
	}
	return left, again, nil
}
