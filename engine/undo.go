package engine

import (
	"context"
	"crypto/rand"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"

	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/tree"
)

// Bounds of what is remembered of restores: how many can be undone, of how many
// paths each, and how many tell how far they are.
const (
	maxUndos   = 8
	maxDeeds   = 10_000
	maxTickets = 16
	maxTicket  = 64 // bytes
)

// restores is what is remembered of the last ones, in memory.
type restores struct {
	mu      sync.Mutex
	undos   []*deeds // oldest first
	tickets []*progress
}

// progress is how far a restore is.
type progress struct {
	ticket               string
	looked, files, bytes atomic.Int64
	ended                atomic.Bool
}

// deeds are what a restore did, so that it can be taken back.
type deeds struct {
	token  string
	folder tree.FolderID
	list   []deed
	dirs   []tree.Path // that were made
	many   bool        // too many to remember
}

// deed: was is what stood at the path before, if anything; now what was brought.
type deed struct{ was, now tree.Entry }

// note remembers what is about to be brought. It gives what stood there.
func (d *deeds) note(ctx context.Context, f *folder.Folder, e tree.Entry) (was tree.Record, err error) {
	if was, _, err = f.Record(ctx, e.Path); err != nil || d.many {
		return was, err
	}
	for dir := e.Path.Dir(); dir != ""; dir = dir.Dir() {
		above, _, err := f.Record(ctx, dir)
		if err != nil {
			return was, err
		}
		if above.Exists() || slices.Contains(d.dirs[max(0, len(d.dirs)-tree.MaxDepth):], dir) {
			break
		}
		d.dirs = append(d.dirs, dir)
	}
	if e.Kind == tree.Dir {
		if !was.Exists() {
			d.dirs = append(d.dirs, e.Path)
		}
	} else if !was.SameContent(e) {
		d.list = append(d.list, deed{was: was.Entry, now: e})
	}
	if d.many = len(d.list)+len(d.dirs) > maxDeeds; d.many {
		d.list, d.dirs = nil, nil
	}
	return was, nil
}

// begin gives a restore its progress.
func (r *restores) begin(ticket string) *progress {
	p := &progress{ticket: ticket}
	if ticket == "" {
		return p
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.tickets = append(r.tickets[max(0, len(r.tickets)-maxTickets+1):], p)
	return p
}

// keep remembers what can be undone, and names it.
func (r *restores) keep(d *deeds) string {
	if d.many || len(d.list)+len(d.dirs) == 0 {
		return ""
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	d.token = rand.Text()
	r.undos = append(r.undos[max(0, len(r.undos)-maxUndos+1):], d)
	return d.token
}

func (r *restores) take(token string) *deeds {
	r.mu.Lock()
	defer r.mu.Unlock()
	i := slices.IndexFunc(r.undos, func(d *deeds) bool { return d.token == token })
	if i < 0 {
		return nil
	}
	d := r.undos[i]
	r.undos = slices.Delete(r.undos, i, i+1)
	return d
}

// RestoreProgress says how far a restore is.
func (e *Engine) RestoreProgress(_ context.Context, ticket string) (control.RestoreProgress, error) {
	e.restores.mu.Lock()
	defer e.restores.mu.Unlock()
	for _, p := range slices.Backward(e.restores.tickets) {
		if p.ticket == ticket && ticket != "" {
			return control.RestoreProgress{Looked: p.looked.Load(), Files: p.files.Load(), Bytes: p.bytes.Load(), Ended: p.ended.Load()}, nil
		}
	}
	return control.RestoreProgress{}, notFound("there is no such restore under way")
}

// UndoRestore takes back what a restore did.
func (e *Engine) UndoRestore(ctx context.Context, token string) (out control.Restored, err error) {
	d := e.restores.take(token)
	if d == nil {
		return out, notFound("this can't be undone any more; what was replaced is in the history")
	}
	f := e.folder(d.folder)
	if f == nil {
		return out, notFound("the folder is not running any more")
	}
	if _, err := f.MayBring(); err != nil {
		return out, err
	}
	out.Path = f.Name()
	back, drop, changed, err := d.plan(ctx, f)
	if err != nil {
		return out, err
	}
	done, err := f.Bring(ctx, back)
	out.Files, out.Bytes = done.Files, done.Bytes
	if err == nil {
		err = done.Why
	}
	dropped, derr := f.Drop(ctx, drop)
	if out.Files += dropped; err == nil {
		err = derr
	}
	if err != nil {
		return out, err
	}
	if _, err := f.DropDirs(ctx, d.dirs); err != nil {
		return out, err
	}
	if changed > 0 {
		out.Notes = append(out.Notes, fmt.Sprintf("%d were changed since, and stay as they are", changed))
	}
	return out, nil
}

// plan says what is to stand again and what is to go, where what was brought
// stands still.
func (d *deeds) plan(ctx context.Context, f *folder.Folder) (back []folder.Bring, drop []tree.Record, changed int, err error) {
	for _, x := range d.list {
		rec, _, err := f.Record(ctx, x.now.Path)
		switch {
		case err != nil:
			return nil, nil, 0, err
		case rec.SameContent(x.was):
		case !rec.SameContent(x.now):
			changed++
		case x.was.Exists():
			e := x.was
			back = append(back, folder.Bring{Entry: tree.Entry{
				Path: e.Path, Kind: e.Kind, Size: e.Size, MTime: e.MTime, Mode: e.Mode, Content: e.Content, Target: e.Target,
			}})
		default:
			drop = append(drop, rec)
		}
	}
	return back, drop, changed, nil
}
