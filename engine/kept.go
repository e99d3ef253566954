package engine

import (
	"context"
	"fmt"
	"slices"
	"time"

	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/history"
	"pinion/engine/tree"
)

// places is locate for what may also be a whole folder, by its name.
func (e *Engine) places(given string) ([]located, error) {
	for _, f := range e.list() {
		if f.Name() == given {
			return []located{{f, ""}}, nil
		}
	}
	return e.locate(given)
}

// maxListed bounds a listing.
const maxListed = 10_000

// listing collects versions, the newest maxListed of them.
type listing struct {
	out  control.History
	seen map[string]bool // notes
	more bool
}

// History lists what this device and those that can be reached keep: newest
// first, after what stands at the path now.
func (e *Engine) History(ctx context.Context, r control.HistoryRequest) (control.History, error) {
	var places []located
	var err error
	if r.Path == "" {
		for _, f := range e.list() {
			places = append(places, located{f, ""})
		}
	} else if places, err = e.places(r.Path); err != nil {
		return control.History{}, err
	}
	l := &listing{seen: map[string]bool{}}
	for _, at := range places {
		if err := e.listOne(ctx, at, r.Deleted, l); err != nil {
			return control.History{}, err
		}
	}
	l.cut(maxListed)
	if l.more {
		l.note(fmt.Sprintf("only the newest %d are listed; name a file or a directory to see its own", maxListed))
	}
	if r.Path != "" && !r.Deleted {
		if err := e.putLiveFirst(ctx, places, l); err != nil {
			return control.History{}, err
		}
	}
	return l.out, nil
}

// listOne adds what is kept of a path in one folder. Of what was deleted that is
// the version that a restore would bring.
func (e *Engine) listOne(ctx context.Context, at located, deleted bool, l *listing) error {
	a := e.openArchives(ctx, at.folder, tree.KeptQuery{Within: at.path, Deleted: deleted})
	var failed error
	for p, versions := range a.paths() {
		if deleted {
			rec, _, err := at.folder.Record(ctx, p)
			if err != nil {
				failed = err
				break
			}
			v, verdict := history.Choose(versions, rec.Entry, history.Ask{Missing: true})
			if verdict != history.Bring {
				continue
			}
			versions = []history.Edition{v}
		}
		for _, v := range versions {
			l.add(e.kept(at.folder, v))
		}
	}
	away, err := a.close()
	for _, who := range away {
		l.note(who + "; what only it keeps is not listed")
	}
	if failed != nil {
		return failed
	}
	return err
}

func (l *listing) add(k control.Kept) {
	l.out.Versions = append(l.out.Versions, k)
	if len(l.out.Versions) >= 2*maxListed {
		l.cut(maxListed)
	}
}

// cut sorts, and lets go of what is older than the newest n.
func (l *listing) cut(n int) {
	list := l.out.Versions
	slices.SortStableFunc(list, func(a, b control.Kept) int { return b.Time.Compare(a.Time) })
	if len(list) > n {
		clear(list[n:])
		l.out.Versions, l.more = list[:n], true
	}
}

func (l *listing) note(text string) {
	if !l.seen[text] {
		l.seen[text] = true
		l.out.Notes = append(l.out.Notes, text)
	}
}

func (e *Engine) kept(f *folder.Folder, v history.Edition) control.Kept {
	k := control.Kept{
		Folder: f.Name(), Path: string(v.Path), Time: time.Unix(0, v.When), MTime: time.Unix(0, v.MTime), Size: v.Size,
		Reason: v.Reason.String(), Content: v.Content, KeptBy: []string{},
	}
	if !v.By.IsZero() {
		k.Device = e.nameOf(v.By)
	}
	for _, dev := range v.Keepers {
		k.KeptBy = append(k.KeptBy, e.nameOf(dev))
	}
	slices.Sort(k.KeptBy)
	if v.Expires != 0 {
		t := time.Unix(0, v.Expires)
		k.Expires = &t
	}
	return k
}

// putLiveFirst puts what stands at a file's path now before what is kept of it.
func (e *Engine) putLiveFirst(ctx context.Context, places []located, l *listing) error {
	var live []control.Kept
	for _, at := range places {
		if at.path == "" {
			continue
		}
		rec, _, err := at.folder.Record(ctx, at.path)
		if err != nil {
			return err
		}
		if !rec.Exists() || rec.Kind == tree.Dir {
			continue
		}
		live = append(live, control.Kept{
			Folder: at.folder.Name(), Path: string(rec.Path), Time: time.Unix(0, history.Written(rec.Entry)), MTime: time.Unix(0, rec.MTime), Size: rec.Size,
			Device: e.nameOf(at.folder.Author(rec.Entry)), Reason: control.ReasonLive, Content: rec.Content, KeptBy: []string{e.nameOf(e.o.Device)},
		})
	}
	l.out.Versions = append(live, l.out.Versions...)
	return nil
}
