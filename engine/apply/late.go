package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"pinion/engine/tree"
)

// maxLate is how many notes of displaced files are kept, one for each group that
// displaced any; beyond it the oldest is looked at for a last time.
const maxLate = 512

// lateEntry is an archived file as it was when it was displaced.
type lateEntry struct {
	Path    tree.Path
	File    string
	Size    int64
	MTime   int64
	Content tree.ContentID
	Doubt   bool // its mtime proves nothing: its content is read
	When    time.Time
}

// noteLate writes down what the group archived, so that it is looked at again,
// also after a restart. The flush of the names makes it durable.
func (g *group) noteLate() {
	if len(g.late) == 0 {
		return
	}
	note := Private + "/" + latePrefix + g.id
	g.notes = append(g.notes, note)
	if err := g.a.writeNote(note, g.late); err != nil {
		g.notes = nil
		g.a.o.Log.Warn("what was archived won't be looked at again", "files", len(g.late), "error", err)
	}
}

// Recheck looks again at what was displaced lately. A file that was written
// since, by an editor that had still had it open, is taken out of the archive
// and stands as a conflict copy beside its path, where a scan finds it. To be
// called at the start (after Recover) and every few seconds while LateLeft; it
// costs an lstat a file.
func (a *Applier) Recheck(ctx context.Context) ([]Late, error) {
	a.turn <- struct{}{}
	defer func() { <-a.turn }()
	var late []Late
	if a.stranded {
		var err error
		if late, err = a.recover(ctx); err != nil {
			return late, err
		}
	}
	names, err := a.fs.Names(Private)
	if errors.Is(err, fs.ErrNotExist) {
		a.lateLeft.Store(false)
		return late, nil
	}
	if err != nil {
		return late, fmt.Errorf("recheck: %w", err)
	}
	var notes []string
	for _, name := range names {
		if strings.HasPrefix(name, latePrefix) {
			notes = append(notes, Private+"/"+name)
		}
	}
	left := false
	defer func() { a.lateLeft.Store(left) }()
	for i, note := range notes {
		if ctx.Err() != nil {
			return late, ctx.Err()
		}
		found, keep, err := a.recheckNote(note)
		left = left || keep
		late = append(late, found...)
		if err == nil && (!keep || i < len(notes)-maxLate) {
			err = a.fs.Remove(note)
		}
		if err != nil {
			return late, fmt.Errorf("recheck: %w", err)
		}
	}
	return late, nil
}

// LateLeft says whether the last Recheck left anything that is to be looked at
// again: what was displaced lately, and what somebody still holds open.
func (a *Applier) LateLeft() bool { return a.lateLeft.Load() }

// recheckNote looks at the files of one note. keep: some have to be looked at
// again.
func (a *Applier) recheckNote(note string) (late []Late, keep bool, err error) {
	var entries []lateEntry
	if err := a.readNote(note, &entries); err != nil {
		if errors.Is(err, errNote) {
			return nil, false, nil
		}
		return nil, false, err
	}
	for _, e := range entries {
		if !e.valid() {
			continue
		}
		// Who holds it is asked first: what they write until then is seen below.
		held := a.busy(e.File)
		changed, err := a.wasWritten(e)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return late, true, err
		}
		if !changed {
			keep = keep || held || a.o.Now().Sub(e.When) < a.o.LateFor
			continue
		}
		kept, file, err := a.beside(e.File, e.Path)
		if err != nil {
			return late, true, err
		}
		if kept != "" {
			file = e.File
		}
		late = append(late, Late{Path: e.Path, Kept: kept, File: file, Base: e.Content})
	}
	return late, keep, nil
}

func (a *Applier) wasWritten(e lateEntry) (bool, error) {
	info, err := a.fs.Lstat(e.File)
	if err != nil {
		return false, err
	}
	now := statOf(info)
	if now.Kind != tree.File || now.Size != e.Size || now.MTime != e.MTime {
		return true, nil
	}
	if !e.Doubt || a.o.Content == nil {
		return false, nil
	}
	err = a.read(e.File, now, e.Content)
	if errors.Is(err, errChanged) {
		return true, nil
	}
	return false, err
}

func (e lateEntry) valid() bool {
	_, err := tree.ParsePath(string(e.Path))
	return err == nil && strings.HasPrefix(e.File, Archive+"/")
}
