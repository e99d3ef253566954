package engine

import (
	"context"
	"slices"
	"strings"

	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/tree"
)

// Content gives bytes of a file, a conflict copy or a kept version.
func (e *Engine) Content(ctx context.Context, r control.ContentRequest) (out control.Content, err error) {
	if r.Offset < 0 || r.Limit < 0 {
		return out, usage("offset and limit can't be negative")
	}
	if r.Path == "" && r.Content.IsZero() {
		return out, usage("a path is needed, or a content")
	}
	if r.Limit == 0 || r.Limit > control.MaxContent {
		r.Limit = control.MaxContent
	}
	err = e.inFolder(r.Folder, r.Path, func(at located) error {
		out, err = at.folder.Content(ctx, at.path, r.Content, r.Offset, r.Limit)
		return err
	})
	return out, err
}

// inFolder calls do for a path in a folder that is named.
func (e *Engine) inFolder(who, path string, do func(located) error) error {
	e.mu.Lock()
	_, r, err := e.findFolderLocked(who)
	e.mu.Unlock()
	if err != nil {
		return err
	}
	if r == nil {
		return notFound("folder %s is not open", who)
	}
	var p tree.Path
	if path != "" {
		if p, err = tree.ParsePath(path); err != nil {
			return usage("%s is not a path in the folder %s", path, r.Name())
		}
	}
	return e.inEach([]located{{r.Folder, p}}, do)
}

// Bounds of a page of conflicts.
const (
	pageOfConflicts = 50
	mostConflicts   = 200
)

// ListConflicts gives a page of the conflicts.
func (e *Engine) ListConflicts(ctx context.Context, r control.ConflictsRequest) (out control.ConflictsPage, err error) {
	out = control.ConflictsPage{Conflicts: []control.Conflict{}, Folders: []control.ConflictsCount{}}
	if r.Limit <= 0 {
		r.Limit = pageOfConflicts
	}
	r.Limit = min(r.Limit, mostConflicts)
	folders := e.list()
	if r.Folder != "" {
		folders = slices.DeleteFunc(folders, func(f *folder.Folder) bool { return f.Name() != r.Folder && f.ID().String() != r.Folder })
		if len(folders) == 0 {
			return out, notFound("there is no folder %q; pinion folder list shows those that there are", r.Folder)
		}
	}
	for _, f := range folders {
		n, err := f.CountConflicts(ctx)
		if err != nil {
			e.log.Debug("conflicts can't be counted", "folder", f.Name(), "err", err) // it says so itself
		} else if n > 0 {
			out.Folders = append(out.Folders, control.ConflictsCount{Folder: f.Name(), Count: n})
		}
	}
	if r.Path != "" {
		if r.Folder == "" {
			return out, usage("a path goes with a folder")
		}
		err := e.inFolder(r.Folder, r.Path, func(at located) error {
			out.Conflicts, err = at.folder.ConflictsAt(ctx, at.path)
			return err
		})
		return out, err
	}
	return out, e.pageOfConflicts(ctx, folders, r, &out)
}

// pageOfConflicts fills a page. A place in the list is a folder's id and, after a
// slash, the place in that folder's list.
func (e *Engine) pageOfConflicts(ctx context.Context, folders []*folder.Folder, r control.ConflictsRequest, out *control.ConflictsPage) error {
	id, after, begun := strings.Cut(r.After, "/")
	if begun {
		at := slices.IndexFunc(folders, func(f *folder.Folder) bool { return f.ID().String() == id })
		if at < 0 {
			return notFound("the folder in which this list was is gone; begin anew")
		}
		folders = folders[at:]
	}
	for i, f := range folders {
		list, next, err := f.ConflictsAfter(ctx, after, r.Limit-len(out.Conflicts))
		if err != nil {
			e.log.Debug("conflicts can't be listed", "folder", f.Name(), "err", err) // it says so itself
		}
		out.Conflicts = append(out.Conflicts, list...)
		switch {
		case next != "":
			out.Next = f.ID().String() + "/" + next
			return nil
		case len(out.Conflicts) == r.Limit && i+1 < len(folders):
			out.Next = folders[i+1].ID().String() + "/"
			return nil
		}
		after = ""
	}
	return nil
}

// Undo takes back how a conflict was settled.
func (e *Engine) Undo(ctx context.Context, r control.Undo) error {
	return e.inFolder(r.Conflict.Folder, "", func(at located) error { return at.folder.Undo(ctx, r) })
}
