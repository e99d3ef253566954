package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// Recover brings everything that a crash left on its way to where it belongs:
// what had been displaced goes back to its path if nothing stands there, to the
// archive (or its conflict copy's path) if it is the version that was replaced,
// and beside its path if it is neither. What had been prepared goes back to
// staging. It must run before any scan of the folder, and may run at any time.
// What it reports is to be scanned.
func (a *Applier) Recover(ctx context.Context) ([]Late, error) {
	a.turn <- struct{}{}
	defer func() { <-a.turn }()
	return a.recover(ctx)
}

func (a *Applier) recover(ctx context.Context) ([]Late, error) {
	if err := a.fs.Same(); err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	names, err := a.fs.Names(Private)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("recover: %w", err)
	}
	r := recovery{a: a}
	for _, name := range names {
		if ctx.Err() != nil {
			return r.late, ctx.Err()
		}
		if strings.HasPrefix(name, intentPrefix) {
			if err := r.intent(Private + "/" + name); err != nil {
				return r.late, fmt.Errorf("recover: %w", err)
			}
		}
	}
	if !r.left {
		if err := r.orphans(); err != nil {
			return r.late, fmt.Errorf("recover: %w", err)
		}
	}
	if len(a.touched) > 0 {
		if err := a.flush(nil); err != nil {
			return r.late, fmt.Errorf("recover: %w", err)
		}
	}
	a.stranded = r.left
	for _, path := range r.done {
		if err := a.fs.Remove(path); err != nil {
			return r.late, fmt.Errorf("recover: %w", err)
		}
	}
	return r.late, nil
}

// recovery is one run of Recover.
type recovery struct {
	a    *Applier
	late []Late
	done []string // intents that are settled
	left bool     // something could not be brought anywhere yet
}

func (r *recovery) intent(path string) error {
	var in intent
	err := r.a.readNote(path, &in)
	if errors.Is(err, errNote) {
		// It was never flushed, so nothing of a person's was displaced by it.
		r.done = append(r.done, path)
		return nil
	}
	if err != nil {
		return err
	}
	settled := true
	for _, it := range in.Items {
		if !it.valid() {
			continue
		}
		if err := r.item(it); err != nil {
			if dead(err) {
				return err
			}
			settled, r.left = false, true
			r.a.o.Log.Error("what a crash left could be brought nowhere; it is kept and tried again", "path", string(it.Was.Path), "error", err)
		}
	}
	if settled {
		r.done = append(r.done, path)
	}
	return nil
}

func (r *recovery) item(it intentItem) error {
	if ownName(it.Src) {
		clean, err := r.a.reclaim(it)
		if err != nil {
			return err
		}
		if !clean {
			if err := r.displaced(it, it.Src); err != nil {
				return err
			}
		}
	}
	if it.Held == "" || it.Held == it.Src {
		return nil
	}
	return r.displaced(it, it.Held)
}

// displaced settles what lies at held and is a person's.
func (r *recovery) displaced(it intentItem, held string) error {
	a, home := r.a, it.Was.Path
	if gone, err := a.absent(held); gone || err != nil {
		return err
	}
	free, err := a.absent(string(home))
	if err != nil {
		return err
	}
	if free {
		return r.report(home)(a.giveBack(held, home))
	}
	if _, err := a.look(held, it.Was); err != nil {
		return r.report(home)(a.beside(held, home))
	}
	switch {
	case it.Was.Kind == tree.Dir:
		_, err := a.rmdir(held, home)
		if errors.Is(err, rootfs.ErrNotEmpty) {
			return r.report(home)(a.beside(held, home))
		}
		return err
	case it.Keep != "":
		return r.report(home)(a.giveBack(held, it.Keep))
	}
	file, err := a.shelve(held, home)
	return r.report(home)("", file, err)
}

// report notes where something came to stand.
func (r *recovery) report(p tree.Path) func(tree.Path, string, error) error {
	return func(kept tree.Path, file string, err error) error {
		if err == nil {
			r.late = append(r.late, Late{Path: p, Kept: kept, File: file})
		}
		return err
	}
}

// orphans archives what no intent explains. There is no way for such a thing to
// be a person's, short of a damaged disk; but nothing is dropped.
func (r *recovery) orphans() error {
	names, err := r.a.fs.Names(Private)
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, intentPrefix) || strings.HasPrefix(name, latePrefix) {
			continue
		}
		held := Private + "/" + name
		if r.a.fs.RemoveDir(held) == nil {
			continue
		}
		p := tree.Path("recovered-" + name)
		file, err := r.a.shelve(held, p)
		if err := r.report(p)("", file, err); err != nil {
			return err
		}
	}
	return nil
}
