package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/history"
	"pinion/engine/tree"
)

// Restore brings back what this device or one that can be reached keeps, as a new
// change of this device.
func (e *Engine) Restore(ctx context.Context, r control.Restore) (out control.Restored, err error) {
	if len(r.Ticket) > maxTicket {
		return out, usage("a ticket has at most %d bytes", maxTicket)
	}
	places, err := e.places(r.Path)
	if err != nil {
		return out, err
	}
	far := e.restores.begin(r.Ticket)
	defer far.ended.Store(true)
	err = e.inEach(places, func(l located) error {
		if l.path == "" && r.To == "" && r.At == nil && !r.Try && l.folder.Held() {
			out, err = l.folder.TakeBack(ctx, e.o.Now())
			return err
		}
		b := &bringing{
			e: e, folder: l.folder, path: l.path, to: l.path, brought: map[tree.Path]bool{}, try: r.Try, far: far, deeds: &deeds{folder: l.folder.ID(), many: r.Try},
		}
		if r.To != "" {
			var ok bool
			if b.to, ok = relTo(l.folder, r.To); !ok {
				return usage("%s is not a path in the folder %s", r.To, l.folder.Name())
			}
		}
		if r.At != nil {
			b.ask.At = max(r.At.UnixNano(), 1)
		}
		if b.ask.Content = r.Content; !r.Content.IsZero() {
			b.scope = oneFile
		}
		err := b.run(ctx)
		if out = b.out; !r.Try {
			out.Undo = e.restores.keep(b.deeds)
		}
		return err
	})
	return out, err
}

// relTo is a person's path in a folder that is known: absolute, FOLDER/PATH, or
// relative to the folder.
func relTo(f *folder.Folder, given string) (tree.Path, bool) {
	if !filepath.IsAbs(given) {
		if first, rest, _ := strings.Cut(filepath.ToSlash(given), "/"); first == f.Name() {
			return f.Rel(cmp.Or(rest, "."))
		}
	}
	return f.Rel(given)
}

// bringAtOnce bounds what is brought in one go.
const (
	bringAtOnce = 512
	bringBytes  = 256 << 20
)

// bringing is one restore in one folder.
type bringing struct {
	e      *Engine
	folder *folder.Folder
	path   tree.Path // what is to be restored
	to     tree.Path // where it is to stand
	ask    history.Ask
	scope  scope

	list   []folder.Bring // chosen, and not yet brought
	bytes  int64          // of list
	out    control.Restored
	failed int64
	why    error // of the first that failed
	stands int64 // what is meant stands already
	gone   int64 // was deleted lately, and nobody who is connected has it
	// brought are the paths whose live version was written within the second of the
	// moment, and of which another was chosen.
	brought map[tree.Path]bool

	try     bool // count, and bring nothing
	counted map[tree.Path]bool
	far     *progress
	deeds   *deeds
}

// scope says whether a path means a file or a directory with all below.
type scope uint8

const (
	unknown scope = iota // as the first path shows of which something is kept
	oneFile
	directory
)

func (b *bringing) elsewhere() bool { return b.to != b.path }

// run: look what the path means, choose for each path of which somebody keeps
// something, then what stands and is to be had elsewhere, then directories in
// which nothing was; bring it all, some at a time.
func (b *bringing) run(ctx context.Context) error {
	note, err := b.folder.MayBring()
	if err != nil {
		return err
	}
	if note != "" {
		b.out.Notes = append(b.out.Notes, note)
	}
	if err := b.look(ctx); err != nil {
		return err
	}
	away, err := b.chooseKept(ctx)
	if err != nil {
		return err
	}
	if err := b.chooseLive(ctx); err != nil {
		return err
	}
	if err := b.chooseDeleted(ctx); err != nil {
		return err
	}
	if err := b.chooseDirs(ctx); err != nil {
		return err
	}
	if err := b.bring(ctx); err != nil {
		return err
	}
	return b.answer(away)
}

// look finds out what the path means.
func (b *bringing) look(ctx context.Context) error {
	if b.path == "" {
		if b.scope == oneFile {
			return usage("which file is to have that content is not said")
		}
		b.scope = directory
		return nil
	}
	rec, known, err := b.folder.Record(ctx, b.path)
	switch {
	case err != nil:
		return err
	case b.scope == oneFile: // said so
	case known && rec.Kind == tree.Dir:
		b.scope = directory
	case known:
		b.scope = oneFile
	}
	if b.elsewhere() && b.scope == oneFile && b.to != "" {
		if at, _, err := b.folder.Record(ctx, b.to); err != nil {
			return err
		} else if at.Exists() && at.Kind == tree.Dir { // into it, as cp does
			if b.to, err = b.to.Join(b.path.Base()); err != nil {
				return err
			}
		}
	}
	return nil
}

// chooseKept chooses among what is kept. It gives who could not be asked.
func (b *bringing) chooseKept(ctx context.Context) (away []string, err error) {
	a := b.e.openArchives(ctx, b.folder, tree.KeptQuery{Within: b.path, Deleted: b.scope != oneFile && b.ask.At == 0})
	for p, versions := range a.paths() {
		if b.scope == unknown {
			if b.scope = directory; p == b.path {
				b.scope = oneFile
			}
		}
		if b.scope == oneFile && p != b.path {
			break
		}
		if b.scope == directory && p == b.path {
			continue
		}
		if err = b.choose(ctx, p, versions); err != nil {
			break
		}
	}
	away, cerr := a.close()
	return away, errors.Join(err, cerr)
}

func (b *bringing) choose(ctx context.Context, p tree.Path, versions []history.Edition) error {
	b.far.looked.Add(1)
	rec, _, err := b.folder.Record(ctx, p)
	if err != nil {
		return err
	}
	ask := b.ask
	ask.Missing = b.scope == directory && ask.At == 0
	v, verdict := history.Choose(versions, rec.Entry, ask)
	switch verdict {
	case history.NotThen:
		b.out.Absent++
	case history.Stands:
		if b.elsewhere() && (ask.At != 0 || !ask.Content.IsZero()) {
			return b.add(ctx, p, rec.Entry, nil)
		}
		b.stands++
	case history.Bring:
		if came, err := b.newerThanKept(ctx, rec, versions); err != nil || came {
			return err
		}
		e := tree.Entry{Kind: v.Kind, Size: v.Size, MTime: v.MTime, Mode: v.Mode, Content: v.Content, Target: v.Target}
		if rec.Exists() && ask.At != 0 && history.Written(rec.Entry) <= ask.At {
			b.brought[p] = true
		}
		others := slices.DeleteFunc(slices.Clone(v.Keepers), func(d tree.DeviceID) bool { return d == b.e.o.Device })
		return b.add(ctx, p, e, others)
	}
	return nil
}

// newerThanKept brings what was deleted just now before older versions of a file
// that are kept, if somebody has it who has not put it away yet.
func (b *bringing) newerThanKept(ctx context.Context, rec tree.Record, versions []history.Edition) (came bool, err error) {
	kept := slices.ContainsFunc(versions, func(v history.Edition) bool { return v.Content == rec.Content })
	if b.scope != oneFile || b.ask.At != 0 || !b.ask.Content.IsZero() || !rec.Deleted || kept {
		return false, nil
	}
	if err := b.chooseDeleted(ctx); err != nil {
		return false, err
	}
	err = b.bring(ctx)
	b.gone = 0
	return b.out.Files > 0, err
}

// chooseLive sees to what stood at the moment and stands still: it is to be had
// elsewhere, too, or there is nothing to do.
func (b *bringing) chooseLive(ctx context.Context) error {
	if b.ask.At == 0 || !b.elsewhere() && b.scope != oneFile {
		return nil
	}
	add := func(rec tree.Record) (bool, error) {
		if rec.Kind == tree.Dir || b.brought[rec.Path] || history.Written(rec.Entry) > b.ask.At || rec.MTime > b.ask.At {
			return true, nil
		}
		if !b.elsewhere() {
			b.stands++
			return true, nil
		}
		return true, b.add(ctx, rec.Path, rec.Entry, nil)
	}
	if b.scope == directory {
		return b.folder.EachLive(ctx, b.path, func(rec tree.Record) (bool, error) {
			if b.to != "" && rec.Path.Within(b.to) {
				return true, nil // brought just now
			}
			return add(rec)
		})
	}
	rec, _, err := b.folder.Record(ctx, b.path)
	if err == nil && rec.Exists() {
		_, err = add(rec)
	}
	return err
}

// lately is for how long after a deletion another device may still be at it.
const lately = 24 * time.Hour

// chooseDeleted adds what was deleted just now and is in nobody's archive yet: it
// stands on a device that has not carried the deletion out.
func (b *bringing) chooseDeleted(ctx context.Context) error {
	if b.scope == oneFile && b.out.Files+b.stands+b.failed > 0 {
		return nil
	}
	if err := b.bring(ctx); err != nil { // so that the index says what is left
		return err
	}
	var holders []tree.DeviceID
	for _, s := range b.e.sessionsWith(b.folder.ID()) {
		holders = append(holders, s.Device())
	}
	since := b.e.o.Now().Add(-lately).UnixNano()
	return b.folder.EachDeleted(ctx, b.path, func(rec tree.Record) (bool, error) {
		gone := history.Written(rec.Entry)
		if !b.ask.Content.IsZero() && rec.Content != b.ask.Content || b.counted[rec.Path] {
			return true, nil
		}
		if gone < since || b.ask.At != 0 && (gone < b.ask.At || rec.MTime > b.ask.At) || b.scope == directory && rec.Path == b.path {
			return true, nil
		}
		if here, err := b.folder.Holds(ctx, rec.Content); err != nil || here {
			return err == nil, err // it was moved, for all that one can tell
		}
		to, err := b.target(rec.Path)
		if err != nil {
			return false, err
		}
		if at, _, err := b.folder.Record(ctx, to); err != nil || at.Exists() {
			return err == nil, err
		}
		e := tree.Entry{Path: to, Kind: tree.File, Size: rec.Size, MTime: rec.MTime, Mode: rec.Mode, Content: rec.Content}
		return true, b.put(ctx, folder.Bring{Entry: e, Sources: holders, Maybe: true})
	})
}

// chooseDirs adds the deleted directories in which nothing was.
func (b *bringing) chooseDirs(ctx context.Context) error {
	if b.scope != directory && b.scope != unknown {
		return nil
	}
	return b.folder.EmptyDirs(ctx, b.path, func(rec tree.Record) (bool, error) {
		if rec.Path == "" || b.ask.At != 0 && history.Written(rec.Entry) <= b.ask.At {
			return true, nil
		}
		b.scope = directory
		return true, b.add(ctx, rec.Path, tree.Entry{Kind: tree.Dir, Mode: rec.Mode}, nil)
	})
}

// target is where a path is to stand.
func (b *bringing) target(p tree.Path) (tree.Path, error) {
	if !b.elsewhere() {
		return p, nil
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(string(p), string(b.path)), "/")
	to := string(b.to)
	if rest != "" && to != "" {
		to += "/"
	}
	q, err := tree.ParsePath(to + rest)
	if err != nil {
		return "", fmt.Errorf("restore to another place: %w", err)
	}
	return q, nil
}

// add has a version of p stand where p is to be restored to.
func (b *bringing) add(ctx context.Context, p tree.Path, e tree.Entry, from []tree.DeviceID) (err error) {
	if e.Path, err = b.target(p); err != nil {
		return err
	}
	return b.put(ctx, folder.Bring{Entry: e, Sources: from})
}

// put lines a version up, and has what is lined up brought once that is much.
func (b *bringing) put(ctx context.Context, x folder.Bring) error {
	was, err := b.deeds.note(ctx, b.folder, x.Entry)
	if err != nil {
		return err
	}
	if x.Entry.Kind != tree.Dir && was.Exists() && !was.SameContent(x.Entry) {
		b.out.Replaced++
	}
	if b.try {
		b.count(x.Entry, was)
		return nil
	}
	b.list = append(b.list, x)
	if b.bytes += x.Entry.Size; len(b.list) < bringAtOnce && b.bytes < bringBytes {
		return nil
	}
	return b.bring(ctx)
}

// count is what put does where nothing is brought.
func (b *bringing) count(e tree.Entry, was tree.Record) {
	switch {
	case was.SameContent(e):
		b.stands++
		return
	case e.Kind == tree.Dir:
		b.out.Dirs++
		return
	}
	b.out.Files, b.out.Bytes = b.out.Files+1, b.out.Bytes+e.Size
	if b.counted == nil {
		b.counted = map[tree.Path]bool{}
	}
	if len(b.counted) < maxCounted {
		b.counted[e.Path] = true
	}
}

// maxCounted is of how many paths it is remembered that they were counted, so that
// none is twice.
const maxCounted = 100_000

func (b *bringing) bring(ctx context.Context) error {
	list := b.list
	b.list, b.bytes = nil, 0
	done, err := b.folder.Bring(ctx, list)
	b.out.Files += done.Files
	b.out.Bytes += done.Bytes
	b.far.files.Store(b.out.Files)
	b.far.bytes.Store(b.out.Bytes)
	b.out.Dirs += done.Dirs
	b.stands += done.Stood
	b.gone += done.Gone
	b.failed += done.Failed
	if b.why == nil {
		b.why = done.Why
	}
	return err
}

// answer says what came of it.
func (b *bringing) answer(away []string) error {
	b.out.Path = string(b.to)
	if b.to == "" {
		b.out.Path = b.folder.Name()
	}
	what := string(b.path)
	if what == "" {
		what = "folder " + b.folder.Name()
	}
	for _, who := range away {
		b.out.Notes = append(b.out.Notes, who+"; what only it keeps was not looked at")
	}
	maybe := ""
	if len(away) > 0 {
		maybe = "; " + away[0] + ", and may keep it"
	}
	if b.gone > 0 && b.out.Files > 0 {
		b.out.Notes = append(b.out.Notes, fmt.Sprintf("%d more were deleted lately, and no device that is connected has them", b.gone))
	}
	switch {
	case b.failed > 0 && b.out.Files == 0:
		return fmt.Errorf("%w%s", b.why, maybe)
	case b.failed > 0:
		return fmt.Errorf("%d of %d files were brought back; the first that was not: %w%s", b.out.Files, b.out.Files+b.failed, b.why, maybe)
	case b.out.Files+b.out.Dirs > 0:
	case b.stands > 0:
		b.out.Notes = append(b.out.Notes, "what is asked for stands there already")
	case b.out.Absent > 0:
		return fmt.Errorf("%w: nothing is kept of %s that stood there at %s%s", folder.ErrNotThere, what, time.Unix(0, b.ask.At).Format(time.DateTime), maybe)
	case b.scope == directory && b.ask.At == 0:
		return fmt.Errorf("%w: nothing that was deleted in %s is kept on this device or on those that are connected%s; pinion history lists what there is", folder.ErrNotThere, what, maybe)
	default:
		return fmt.Errorf("%w: nothing is kept of %s on this device or on those that are connected%s; pinion history lists what there is", folder.ErrNotThere, what, maybe)
	}
	return nil
}
