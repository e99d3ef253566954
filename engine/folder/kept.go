package folder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"pinion/engine/index"
	"pinion/engine/plan"
	"pinion/engine/status"
	"pinion/engine/transfer"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// Kept gives a page of what this device's archive holds of the folder.
func (f *Folder) Kept(ctx context.Context, q tree.KeptQuery) (tree.KeptPage, error) {
	c, err := f.opened()
	if err != nil {
		return tree.KeptPage{}, err
	}
	return c.keptPage(ctx, q)
}

// ServeKept is Kept for a peer, who gets nothing of a folder that is paused.
func (f *Folder) ServeKept(ctx context.Context, q tree.KeptQuery) (tree.KeptPage, error) {
	c := f.serving()
	if c == nil {
		return tree.KeptPage{}, ErrClosed
	}
	return c.keptPage(ctx, q)
}

// keptPage is never empty unless it is the last.
func (c *cycle) keptPage(ctx context.Context, q tree.KeptQuery) (tree.KeptPage, error) {
	if q.Names {
		return c.keptNames(ctx, q)
	}
	page := tree.KeptPage{More: true}
	query := index.ArchivePageQuery{Within: q.Within, Deleted: q.Deleted, Path: q.Path, ID: int64(q.Seq), Limit: keptLimit(q)}
	for page.More && len(page.Rows) == 0 {
		rows, err := c.index.ArchivePage(ctx, query)
		if err != nil {
			return page, err
		}
		page.More = len(rows) == query.Limit
		for _, r := range rows {
			query.Path, query.ID = r.Path, r.ID
			if k, ok := c.keptRow(r); ok {
				page.Rows = append(page.Rows, k)
			}
		}
	}
	return page, nil
}

// keptRow looks at an archived file. Not ok: a person, or a tidying that was cut
// short, has taken it away.
func (c *cycle) keptRow(r index.Archived) (tree.Kept, bool) {
	info, err := c.root.Lstat(r.File)
	if err != nil {
		return tree.Kept{}, false
	}
	k := tree.Kept{
		Path: r.Path, Seq: uint64(r.ID), When: min(max(r.When, 1), tree.LastMoment), Kind: tree.File, Size: r.Size, MTime: info.MTime, Mode: info.Mode,
		Content: r.Content, Reason: tree.Reason(r.Reason),
	}
	if t := c.f.Expires(r.When); t != nil {
		k.Expires = t.UnixNano()
	}
	if rep, ok := c.index.Replica(r.By); ok {
		k.By = rep.Device
	}
	switch info.Kind {
	case rootfs.Regular:
		if info.Size != r.Size {
			k.Size, k.Content = info.Size, tree.ContentID{} // it was written to since
		}
	case rootfs.Symlink:
		target, err := c.root.Apply().Readlink(r.File)
		if err != nil || target == "" || len(target) > tree.MaxTarget {
			return tree.Kept{}, false
		}
		k.Kind, k.Target, k.Size, k.Mode, k.Content = tree.Symlink, target, 0, 0, tree.ContentID{}
	default:
		return tree.Kept{}, false
	}
	return k, true
}

// Record gives what the index says of a path; a tombstone or nothing if nothing
// stands there.
func (f *Folder) Record(ctx context.Context, p tree.Path) (tree.Record, bool, error) {
	c, err := f.opened()
	if err != nil {
		return tree.Record{}, false, err
	}
	return c.index.Get(ctx, p)
}

// EachLive calls fn for all that stands below a directory, in the order of
// tree.Path.Compare, until it returns false or an error.
func (f *Folder) EachLive(ctx context.Context, under tree.Path, fn func(tree.Record) (bool, error)) error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	return c.index.Walk(ctx, under, "", fn)
}

// EmptyDirs calls fn for each deleted directory, p and those below, in which no
// file ever was, in the order of tree.Path.Compare.
func (f *Folder) EmptyDirs(ctx context.Context, p tree.Path, fn func(tree.Record) (bool, error)) error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	empty := func(r tree.Record) (bool, error) {
		held, err := c.index.EverHeld(ctx, r.Path)
		if err != nil || held {
			return err == nil, err
		}
		return fn(r)
	}
	return c.index.Gone(ctx, p, tree.Dir, empty)
}

// EachDeleted calls fn for each file at a path and below it that was deleted, not
// moved, in the order of tree.Path.Compare.
func (f *Folder) EachDeleted(ctx context.Context, p tree.Path, fn func(tree.Record) (bool, error)) error {
	c, err := f.opened()
	if err != nil {
		return err
	}
	return c.index.Gone(ctx, p, tree.File, func(r tree.Record) (bool, error) {
		if r.Content.IsZero() || r.MovedTo != "" {
			return true, nil
		}
		return fn(r)
	})
}

// Holds says whether a file with that content stands in the folder.
func (f *Folder) Holds(ctx context.Context, content tree.ContentID) (bool, error) {
	c, err := f.opened()
	if err != nil {
		return false, err
	}
	twins, err := c.index.ByContent(ctx, content, 1)
	return len(twins) > 0, err
}

// Author is the device that wrote an entry; zero if it is not known.
func (f *Folder) Author(e tree.Entry) (dev tree.DeviceID) {
	if c := f.current(); c != nil {
		if rep, ok := c.index.Replica(e.Author); ok {
			dev = rep.Device
		}
	}
	return dev
}

// Knows says whether a device has ever told of this folder.
func (f *Folder) Knows(ctx context.Context, dev tree.DeviceID) bool {
	c := f.current()
	if c == nil {
		return false
	}
	have, err := c.index.Have(ctx, dev)
	return err == nil && have.Replica != 0
}

// MayBring says why nothing can be brought back into the folder now; or, with no
// error, what a person should know before.
func (f *Folder) MayBring() (note string, err error) {
	if _, err := f.opened(); err != nil {
		return "", err
	}
	f.mu.Lock()
	paused, state, reason := f.paused, f.state.State, f.state.Reason
	f.mu.Unlock()
	switch {
	case paused != nil:
		return "", fmt.Errorf("folder %s is paused, so that nothing can be brought back into it; first: pinion resume", f.cfg.Name)
	case state == status.Held:
		return fmt.Sprintf("folder %s is held: %s", f.cfg.Name, reason), nil
	}
	return "", nil
}

// Bring is a version that is to stand at a path again.
type Bring struct {
	Entry   tree.Entry // path, kind, size, mtime, mode, content, target; a directory has but a path and a mode
	Sources []tree.DeviceID
	Maybe   bool // nobody has said that it is kept: it is no failure if it is not
}

// Brought is what Folder.Bring came to.
type Brought struct {
	Files, Bytes int64
	Dirs         int64 // of those that were asked for
	Stood        int64 // what was to be brought stood there already
	Gone         int64 // of what was only maybe kept
	Failed       int64
	Why          error // of the first that failed: a sentence with its path
}

const (
	bringTries = 4
	bringAgain = 300 * time.Millisecond // between two tries
)

// Bring has versions stand at their paths, as new changes of this device, with
// the directories that this needs. What they replace goes to the archive. A path
// that is being changed meanwhile is tried again.
func (f *Folder) Bring(ctx context.Context, list []Bring) (out Brought, err error) {
	c, err := f.opened()
	if err != nil {
		return out, err
	}
	for try := 1; len(list) > 0; try++ {
		if err := c.bringDirs(ctx, list); err != nil {
			return out, err
		}
		var again []Bring
		units, from, failed, err := c.bringUnits(ctx, list, &out)
		if err != nil {
			return out, err
		}
		for i, err := range c.carryEach(ctx, units) {
			b := list[from[i]]
			switch {
			case ctx.Err() != nil:
				return out, ctx.Err()
			case errors.Is(err, ErrClosed):
				return out, err
			case errors.Is(err, transfer.ErrGone) && b.Maybe:
				out.Gone++
			case errors.Is(err, transfer.ErrGone):
				failed = append(failed, fmt.Errorf("%s: no device that is connected has this version any more", b.Entry.Path))
			case err != nil && try < bringTries:
				again = append(again, b)
			case err != nil:
				failed = append(failed, err)
			default:
				out.Files, out.Bytes = out.Files+1, out.Bytes+b.Entry.Size
			}
		}
		if out.Failed += int64(len(failed)); len(failed) > 0 && out.Why == nil {
			out.Why = failed[0]
		}
		if list = again; len(list) > 0 {
			select {
			case <-time.After(bringAgain):
			case <-ctx.Done():
				return out, ctx.Err()
			}
		}
	}
	return out, nil
}

// bringDirs makes the directories that are missing above the paths, and those
// that are to be brought themselves, parents first.
func (c *cycle) bringDirs(ctx context.Context, list []Bring) error {
	var units []*unit
	seen := map[tree.Path]bool{"": true}
	var need func(p tree.Path, mode uint32) error
	need = func(p tree.Path, mode uint32) error {
		if seen[p] {
			return nil
		}
		seen[p] = true
		if err := need(p.Dir(), 0); err != nil {
			return err
		}
		was, _, err := c.index.Get(ctx, p)
		if err != nil || was.Exists() {
			return err
		}
		if mode == 0 && was.Kind == tree.Dir {
			mode = was.Mode
		}
		if mode == 0 {
			mode = 0o755
		}
		e := tree.Entry{Path: p, Kind: tree.Dir, Mode: mode}
		units = append(units, c.bringUnit(plan.Make, e, was))
		return nil
	}
	for _, b := range list {
		dir, mode := b.Entry.Path.Dir(), uint32(0)
		if b.Entry.Kind == tree.Dir {
			dir, mode = b.Entry.Path, b.Entry.Mode
		}
		if err := need(dir, mode); err != nil {
			return err
		}
	}
	for _, err := range c.carryEach(ctx, units) {
		if errors.Is(err, ErrClosed) || ctx.Err() != nil {
			return errors.Join(ctx.Err(), err)
		}
		if err != nil { // what needs it fails, and says so
			c.log.Debug("a directory is not made", "err", err)
		}
	}
	return nil
}

// bringUnits makes units of the versions that do not stand yet; from says of
// which of the list each is made.
func (c *cycle) bringUnits(ctx context.Context, list []Bring, out *Brought) (units []*unit, from []int, failed []error, err error) {
	for i, b := range list {
		p := b.Entry.Path
		was, _, err := c.index.Get(ctx, p)
		if err != nil {
			return nil, nil, nil, err
		}
		if b.Entry.Kind == tree.Dir {
			if was.Exists() {
				out.Dirs++
			}
			continue
		}
		was.Path = p
		switch why, err := c.inTheWay(ctx, p, was); {
		case err != nil:
			return nil, nil, nil, err
		case why != "":
			failed = append(failed, fmt.Errorf("%s %s; give another place with --to", p, why))
			continue
		case was.Exists() && was.SameContent(b.Entry):
			out.Stood++
			continue
		}
		op := plan.Put
		if b.Entry.Kind == tree.Symlink {
			op = plan.Link
		}
		u := c.bringUnit(op, b.Entry, was)
		u.sources = b.Sources
		units, from = append(units, u), append(from, i)
	}
	return units, from, failed, nil
}

// inTheWay says why a file can't come to stand at a path.
func (c *cycle) inTheWay(ctx context.Context, p tree.Path, was tree.Record) (why string, err error) {
	if was.Exists() && was.Kind == tree.Dir {
		return "is a directory now", nil
	}
	if c.ignored.Load().Match(string(p), false) {
		return "is left out by .pinionignore", nil
	}
	for dir := p.Dir(); dir != ""; dir = dir.Dir() {
		above, _, err := c.index.Get(ctx, dir)
		if err != nil {
			return "", err
		}
		if above.Exists() && above.Kind != tree.Dir {
			return fmt.Sprintf("can't stand there, since %s is no directory now", dir), nil
		}
	}
	if was.Exists() {
		return "", nil
	}
	switch _, err := c.root.Lstat(string(p)); {
	case err == nil:
		c.ask(func() { c.notice.look(string(p)) })
	case !errors.Is(err, fs.ErrNotExist):
		return "can't be looked at", nil
	}
	return "", nil
}

// bringUnit makes a unit whose entry is a new change of this device.
func (c *cycle) bringUnit(op plan.Op, e tree.Entry, was tree.Record) *unit {
	self, clock := c.index.Self().ID, c.index.Tick()
	was.Path = e.Path
	e.Version, e.Author, e.Attrs = was.Version.Bump(self, clock), self, was.Attrs
	if was.Exists() && e.Kind == tree.File {
		e.Base = was.Content
	}
	return &unit{path: e.Path, urgent: true, actions: []plan.Action{{Op: op, Entry: e, Was: was}}}
}
