package engine

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"time"

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
	return e.inOne(r.Path, func(l located) error { return l.folder.Resolve(ctx, l.path, r.Keep) })
}

// Activity lists the changes of all folders by time. An item's id is its time in
// nanoseconds, so that one number says how far a follower is in all folders.
func (e *Engine) Activity(ctx context.Context, r control.ActivityRequest) (control.ActivityPage, error) {
	if r.Limit <= 0 || r.Limit > 1000 {
		r.Limit = 1000
	}
	var timeout <-chan time.Time
	if r.Wait > 0 {
		timeout = time.After(r.Wait)
	}
	version := e.board.Now().Version
	for {
		page, err := e.activities(ctx, r)
		if err != nil || len(page.Items) > 0 || r.Wait <= 0 {
			return page, err
		}
		next := make(chan uint64, 1)
		wctx, cancel := context.WithCancel(ctx)
		go func() {
			s, _ := e.board.After(wctx, version)
			next <- s.Version
		}()
		select {
		case version = <-next:
			cancel()
		case <-timeout:
			cancel()
			return page, nil
		case <-ctx.Done():
			cancel()
			return page, ctx.Err()
		}
	}
}

func (e *Engine) activities(ctx context.Context, r control.ActivityRequest) (control.ActivityPage, error) {
	page := control.ActivityPage{Items: []control.Activity{}, Next: r.After}
	for _, f := range e.list() {
		rows, err := f.Activity(ctx, r.Limit)
		if err != nil {
			return page, err
		}
		for _, a := range rows {
			if uint64(a.Time) > r.After {
				page.Items = append(page.Items, control.Activity{
					ID: uint64(a.Time), Time: time.Unix(0, a.Time), Folder: f.Name(), Path: string(a.Path), Action: a.Action, Device: e.nameOf(a.Device),
				})
			}
		}
	}
	sort.SliceStable(page.Items, func(i, j int) bool { return page.Items[i].ID < page.Items[j].ID })
	if n := len(page.Items); n > r.Limit {
		page.Items = page.Items[n-r.Limit:]
	}
	if n := len(page.Items); n > 0 {
		page.Next = page.Items[n-1].ID
	}
	return page, nil
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
