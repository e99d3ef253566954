package folder

import (
	"context"
	"slices"
	"time"

	"pinion/engine/history"
	"pinion/engine/index"
	"pinion/engine/tree"
)

// What the façade is given of the index's vocabulary.
type (
	Activity    = index.Activity
	SearchQuery = index.SearchQuery
)

func keptLimit(q tree.KeptQuery) int {
	if q.Limit <= 0 || q.Limit > tree.MaxKept {
		return tree.MaxKept
	}
	return q.Limit
}

// keptNames is keptPage for a directory at a glance.
func (c *cycle) keptNames(ctx context.Context, q tree.KeptQuery) (page tree.KeptPage, err error) {
	// Of one name there are a few rows, so that a page is cut only between names.
	query := index.ArchiveNamesQuery{Within: q.Within, Path: q.Path, After: q.At, Near: tree.KeptNear, Limit: max(1, keptLimit(q)-tree.KeptNear)}
	for page.More = true; page.More && len(page.Rows) == 0; {
		rows, more, err := c.index.ArchiveNames(ctx, query)
		if err != nil {
			return page, err
		}
		page.More = more
		for _, r := range rows {
			query.Path = r.Path
			if k, ok := c.keptRow(r); ok {
				page.Rows = append(page.Rows, k)
			}
		}
	}
	return page, nil
}

// Names gives the rows of the names in a directory: see index.Names.
func (f *Folder) Names(ctx context.Context, dir, after tree.Path, limit int) ([]tree.Record, error) {
	c, err := f.opened()
	if err != nil {
		return nil, err
	}
	return c.index.Names(ctx, dir, after, limit)
}

// beneath is how many rows below a directory are looked at to know what stood
// there.
const beneath = 256

// Beneath says what this device's index knows of what stood below a directory at
// a moment, as far as its first rows tell. What went before since, and is not
// known to be kept by anybody, does not count.
func (f *Folder) Beneath(ctx context.Context, dir tree.Path, at, since int64) (b history.Beneath, err error) {
	c, err := f.opened()
	if err != nil {
		return b, err
	}
	rows, err := c.index.Below(ctx, dir, beneath)
	for _, r := range rows {
		if r.Kind == tree.Dir {
			continue
		}
		b.Held = true
		if s, ok := history.LookAt(nil, r, at); ok && s.Worth(since) {
			b.Stood = true
			break
		}
	}
	if err == nil && !b.Held && len(rows) == beneath {
		b.Held, err = c.index.EverHeld(ctx, dir)
	}
	return b, err
}

// Search looks for paths: see index.Search.
func (f *Folder) Search(ctx context.Context, q index.SearchQuery, match func(tree.Path) bool) (found []tree.Path, last tree.Path, err error) {
	c, err := f.opened()
	if err != nil {
		return nil, "", err
	}
	return c.index.Search(ctx, q, match)
}

// EachActivity calls fn with the changes from the newest on, until it returns false.
func (f *Folder) EachActivity(ctx context.Context, fn func(index.Activity) bool) error {
	c := f.current()
	if c == nil {
		return nil // a folder that is away has nothing to tell
	}
	for before := int64(0); ; {
		rows, err := c.index.ActivityBefore(ctx, before, activityPage)
		if err != nil {
			return err
		}
		for _, a := range rows {
			if before = a.ID; !fn(a) {
				return nil
			}
		}
		if len(rows) < activityPage {
			return nil
		}
	}
}

const activityPage = 500

// ArchivedDays counts what was put away between moments: see index.ArchivedDays.
func (f *Folder) ArchivedDays(ctx context.Context, moments []time.Time, most int) ([]int64, error) {
	c, err := f.opened()
	if err != nil {
		return nil, err
	}
	return c.index.ArchivedDays(ctx, moments, most)
}

// Drop deletes files and symlinks as they are, as a new change of this device:
// they go to the archive. why is that of the first that stays.
func (f *Folder) Drop(ctx context.Context, list []tree.Record) (dropped int64, why error) {
	c, err := f.opened()
	if err != nil {
		return 0, err
	}
	for len(list) > 0 {
		n := min(len(list), dropAtOnce)
		units := make([]*unit, n)
		for i, rec := range list[:n] {
			units[i] = c.merging.dropping(rec)
		}
		list = list[n:]
		for _, err := range c.carryEach(ctx, units) {
			if err == nil {
				dropped++
			} else if why == nil {
				why = err
			}
		}
	}
	return dropped, why
}

const dropAtOnce = 512

// DropDirs deletes those of some directories in which nothing is.
func (f *Folder) DropDirs(ctx context.Context, dirs []tree.Path) (dropped int64, err error) {
	c, err := f.opened()
	if err != nil {
		return 0, err
	}
	dirs = slices.SortedFunc(slices.Values(dirs), func(a, b tree.Path) int { return b.Compare(a) }) // those below first
	for _, dir := range dirs {
		rec, _, err := c.index.Get(ctx, dir)
		if err != nil || !rec.Exists() || rec.Kind != tree.Dir {
			continue
		}
		below, err := c.index.Below(ctx, dir, beneath)
		if err != nil {
			return dropped, err
		}
		if slices.ContainsFunc(below, func(r tree.Record) bool { return r.Exists() }) || len(below) == beneath {
			continue
		}
		if n, _ := f.Drop(ctx, []tree.Record{rec}); n > 0 {
			dropped++
		}
	}
	return dropped, nil
}
