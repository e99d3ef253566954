package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"

	"pinion/engine/plan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// Relocation is a directory that goes elsewhere with all that is in it.
type Relocation struct {
	Action plan.Action // its Op is Relocate
	// Inside gives the rows of all that is below it, in tree.Path.Compare's order. An
	// error ends the relocation before anything was touched.
	Inside iter.Seq2[tree.Record, error]
	// Ignored says whether a path is ignored. What is so at its old path and at its new
	// one goes along.
	Ignored func(path string, dir bool) bool
}

// Relocate renames a directory if it holds just what the index says: all that is in
// it is looked at before. An edit that comes between that look and the rename goes
// along, and differs from its row then, whose lstat is that of the first look: a scan
// of the directory, which must follow, finds it, and what was added or removed.
// Nothing is written beforehand, since one rename is whole at any moment.
func (a *Applier) Relocate(ctx context.Context, r Relocation) (Outcome, error) {
	a.turn <- struct{}{}
	defer func() { <-a.turn }()
	if err := a.fs.Same(); err != nil {
		return Outcome{Action: &r.Action}, fmt.Errorf("apply: %w", err)
	}
	it := &item{act: &r.Action}
	if err := a.relocatable(ctx, r); err != nil {
		it.fail(err)
	} else {
		a.relocate(it)
	}
	if it.status == Done {
		err := a.flush(nil)
		if err == nil {
			err = a.fs.Same()
		}
		if err != nil {
			return Outcome{Action: &r.Action, Status: Failed, Err: err}, fmt.Errorf("apply: %w", err)
		}
	}
	out := Outcome{Action: &r.Action, Status: it.status, Err: it.err}
	if it.err != nil && dead(it.err) {
		return out, it.err
	}
	return out, nil
}

// relocate does it.
func (a *Applier) relocate(it *item) {
	from, to := it.act.From.Path, it.act.Entry.Path
	err := a.lifted(func() error { return a.fs.RenameNoReplace(string(from), string(to)) }, string(from), string(to))
	switch {
	case errors.Is(err, fs.ErrExist):
		it.end(Exists, errUnseen)
	case err != nil:
		it.fail(err)
	default:
		it.end(Done, nil)
	}
}

// relocatable looks at the directory, and at where it is to go.
func (a *Applier) relocatable(ctx context.Context, r Relocation) error {
	defer a.batch()()
	from, to := r.Action.From, r.Action.Entry.Path
	if !a.caps.NoReplace || !a.caps.CaseSensitive || !a.caps.UnicodeExact || to.Within(from.Path) || from.Path.Within(to) {
		return errors.ErrUnsupported
	}
	if free, err := a.absent(string(to)); err != nil || !free {
		return errors.Join(err, errChanged)
	}
	info, err := a.fs.Lstat(string(from.Path))
	if err != nil {
		return err
	}
	if !a.same(statOf(info), from.Disk) {
		return errChanged
	}
	next, stop := iter.Pull2(r.Inside)
	defer stop()
	l := inspection{a: a, ctx: ctx, r: r, next: next, dev: info.Dev}
	if err := l.advance(); err != nil {
		return err
	}
	if err := l.dir(from.Path); err != nil {
		return err
	}
	if l.more {
		return fmt.Errorf("%s: %w", l.row.Path, errGone)
	}
	return nil
}

// inspection compares what is below a directory with its rows.
type inspection struct {
	a    *Applier
	ctx  context.Context
	r    Relocation
	next func() (tree.Record, error, bool)
	row  tree.Record
	more bool // row is the next one
	dev  uint64
}

func (l *inspection) advance() (err error) {
	l.row, err, l.more = l.next()
	return err
}

func (l *inspection) dir(p tree.Path) error {
	if err := l.ctx.Err(); err != nil {
		return err
	}
	names, err := l.a.fs.Names(string(p))
	if err != nil {
		return err
	}
	slices.Sort(names)
	for _, name := range names {
		if err := l.name(p + "/" + tree.Path(name)); err != nil {
			return err
		}
	}
	return nil
}

func (l *inspection) name(p tree.Path) error {
	info, err := l.a.fs.Lstat(string(p))
	if err != nil {
		return err
	}
	if info.Dev != l.dev {
		return fmt.Errorf("%s lies on another file system: %w", p, errors.ErrUnsupported)
	}
	if !l.more || l.row.Path != p {
		return l.unknown(p, info.Kind == rootfs.Directory)
	}
	now := statOf(info)
	if !l.a.same(now, l.row.Disk) {
		return fmt.Errorf("%s: %w", p, errChanged)
	}
	if now.Kind == tree.File && l.a.doubtful(now.MTime) {
		return fmt.Errorf("%s was written too lately to be sure of its content: %w", p, errChanged)
	}
	if err := l.advance(); err != nil {
		return err
	}
	if now.Kind == tree.Dir {
		return l.dir(p)
	}
	return nil
}

// unknown is for what has no row.
func (l *inspection) unknown(p tree.Path, dir bool) error {
	there := string(l.r.Action.Entry.Path) + string(p[len(l.r.Action.From.Path):])
	if l.r.Ignored(string(p), dir) && l.r.Ignored(there, dir) {
		return nil
	}
	return fmt.Errorf("%s: %w", p, errUnseen)
}
