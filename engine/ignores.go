package engine

import (
	"context"
	"errors"

	"pinion/engine/control"
	"pinion/engine/folder"
)

const (
	triedUsual = 100
	triedMost  = 1000
)

// Ignores reads a folder's rules of what is left out.
func (e *Engine) Ignores(ctx context.Context, who string) (out control.Ignores, err error) {
	return ofFolder(e, who, func(f *folder.Folder) (control.Ignores, error) { return f.Ignores(ctx) })
}

// SetIgnores writes them, and TryIgnores says what others would change.
func (e *Engine) SetIgnores(ctx context.Context, r control.SetIgnores) (control.Ignores, error) {
	return ofFolder(e, r.Folder, func(f *folder.Folder) (control.Ignores, error) { return f.SetIgnores(ctx, r.Text, r.Seen) })
}

func (e *Engine) TryIgnores(ctx context.Context, r control.TryIgnores) (control.Tried, error) {
	if r.Limit == 0 {
		r.Limit = triedUsual
	}
	if r.Limit < 1 || r.Limit > triedMost {
		return control.Tried{}, usage("a page is of 1 to %d paths, not of %d", triedMost, r.Limit)
	}
	return ofFolder(e, r.Folder, func(f *folder.Folder) (control.Tried, error) { return f.TryIgnores(ctx, r) })
}

// ofFolder asks one folder, by its name or id.
func ofFolder[A any](e *Engine, who string, ask func(*folder.Folder) (A, error)) (a A, err error) {
	e.mu.Lock()
	_, r, err := e.findFolderLocked(who)
	e.mu.Unlock()
	if err != nil {
		return a, err
	}
	a, err = ask(r.Folder)
	if errors.Is(err, folder.ErrRules) {
		err = usage("%v", err)
	}
	return a, err
}
