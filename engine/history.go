package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/tree"
)

// located is a person's path in one of the folders.
type located struct {
	folder *folder.Folder
	path   tree.Path
}

// locate finds the folders that a person's path may be in: an absolute path is in
// one; FOLDER/PATH names it; else every folder may have it.
func (e *Engine) locate(given string) ([]located, error) {
	if given == "" {
		return nil, usage("a path is needed")
	}
	var out []located
	first, rest, _ := strings.Cut(filepath.ToSlash(given), "/")
	for _, f := range e.list() {
		if !filepath.IsAbs(given) && first == f.Name() && rest != "" {
			if p, ok := f.Rel(rest); ok {
				return []located{{f, p}}, nil
			}
		}
		if p, ok := f.Rel(given); ok && (p != "" || filepath.IsAbs(given)) {
			out = append(out, located{f, p})
		}
	}
	if len(out) == 0 {
		return nil, notFound("%s is in none of the folders; pinion folder list shows where they are", given)
	}
	return out, nil
}

// inOne calls do for each folder that the path may be in until one has it.
func (e *Engine) inOne(given string, do func(located) error) error {
	places, err := e.locate(given)
	if err != nil {
		return err
	}
	return e.inEach(places, do)
}

// inEach calls do for each of the places until one has what is asked for.
func (e *Engine) inEach(places []located, do func(located) error) error {
	var miss error
	done := 0
	for _, l := range places {
		err := do(l)
		switch {
		case err == nil:
			done++
		case errors.Is(err, folder.ErrNotThere):
			miss = err
		default:
			return err
		}
	}
	if done == 0 {
		return &control.Error{Kind: control.KindNotFound, Text: strings.TrimPrefix(miss.Error(), folder.ErrNotThere.Error()+": ")}
	}
	return nil
}

// Conflicts lists the conflicts of all folders. The paths bear the folder's name
// in front where two folders have a conflict at the same path.
func (e *Engine) Conflicts(ctx context.Context) ([]control.Conflict, error) {
	out := []control.Conflict{}
	at := map[string]map[string]bool{}
	for _, f := range e.list() {
		list, err := f.Conflicts(ctx)
		if err != nil {
			e.log.Info("conflicts can't be listed", "folder", f.Name(), "err", err)
			continue
		}
		for _, c := range list {
			if at[c.Path] == nil {
				at[c.Path] = map[string]bool{}
			}
			at[c.Path][c.Folder] = true
		}
		out = append(out, list...)
	}
	copies := map[string]int{}
	for _, c := range out {
		copies[c.Folder+"/"+c.Path]++
	}
	for i, c := range out {
		if copies[c.Folder+"/"+c.Path] > 1 {
			out[i].Path = c.Copy // several copies of one path: each is named by itself
		}
		if len(at[c.Path]) > 1 {
			out[i].Path = c.Folder + "/" + out[i].Path
		}
	}
	return out, nil
}

// Resolve settles a conflict.
func (e *Engine) Resolve(ctx context.Context, r control.Resolve) error {
	switch r.Keep {
	case control.KeepThis, control.KeepThat, control.KeepBoth, control.KeepMerge, control.KeepEdit, control.KeepDeletion:
	default:
		return usage("--keep takes this, that, both, merge, edit or deletion, not %q", r.Keep)
	}
	if r.Text != nil && (r.Keep != control.KeepMerge || len(r.Text) > control.MaxText) {
		return usage("a text goes with --keep merge only, and has at most %d MiB", control.MaxText>>20)
	}
	return e.inOne(r.Path, func(l located) error { return l.folder.Resolve(ctx, l.path, r) })
}

// Config shows the configuration as it stands.
func (e *Engine) Config(context.Context) (control.Config, error) {
	file := filepath.Join(e.o.Home, config.File)
	text, err := os.ReadFile(file)
	if err != nil {
		return control.Config{}, err
	}
	return control.Config{Home: e.o.Home, File: file, Text: string(text)}, nil
}

var _ control.Engine = (*Engine)(nil)
