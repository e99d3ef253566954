package engine

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"pinion/engine/control"
	"pinion/engine/folder"
	"pinion/engine/history"
	"pinion/engine/tree"
)

// Bounds of a page: entries, names that are looked at for them, paths that a
// search goes through, and how many of those are asked about at once.
const (
	browseUsual  = 200
	browseMost   = 500
	browseNames  = 5000
	searchBudget = 50_000
	searchAsk    = 8
	searchUsual  = 100
)

// namedFolder finds a folder by name or id.
func (e *Engine) namedFolder(who string) (*folder.Folder, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	_, r, err := e.findFolderLocked(who)
	if err != nil {
		return nil, err
	}
	if r == nil {
		return nil, notFound("the folder %s is not running", who)
	}
	return r.Folder, nil
}

// browsing is one look into a folder.
type browsing struct {
	e      *Engine
	folder *folder.Folder
	r      control.BrowseRequest
	dir    tree.Path
	after  tree.Path
	at     int64
	since  int64                  // what went before that, and nobody keeps, is not worth a line
	silent map[tree.DeviceID]bool // was asked once, and did not answer
	page   control.BrowsePage
}

// Browse looks into a directory, or searches below it.
func (e *Engine) Browse(ctx context.Context, r control.BrowseRequest) (control.BrowsePage, error) {
	f, err := e.namedFolder(r.Folder)
	if err != nil {
		return control.BrowsePage{}, err
	}
	b := &browsing{e: e, folder: f, r: r, silent: map[tree.DeviceID]bool{}, page: control.BrowsePage{Entries: []control.Browsed{}}}
	if b.dir, err = optionalPath(r.Dir); err != nil {
		return b.page, usage("%v", err)
	}
	if b.after, err = optionalPath(r.After); err != nil || b.after.NameIn(b.dir) == "" && b.after != "" {
		return b.page, usage("a page of %q can't begin after %q", r.Dir, r.After)
	}
	now := e.o.Now()
	b.since = now.Add(-lately).UnixNano()
	if r.At != nil && r.At.Before(now) {
		b.at = min(max(r.At.UnixNano(), 1), tree.LastMoment)
	}
	usual := browseUsual
	if r.Text != "" {
		usual = searchUsual
	}
	if b.r.Limit = min(r.Limit, browseMost); r.Limit <= 0 {
		b.r.Limit = usual
	}
	if r.Text != "" {
		return b.page, b.search(ctx)
	}
	return b.page, b.list(ctx)
}

func optionalPath(s string) (tree.Path, error) {
	if s = strings.Trim(s, "/"); s == "" {
		return "", nil
	}
	return tree.ParsePath(s)
}

// asks says whether other devices are asked: not for what stands now.
func (b *browsing) asks() bool { return !b.r.Here && (b.at != 0 || b.r.Deleted) }

// name is what there is to say of one name.
type name struct {
	path     tree.Path
	row      tree.Record
	versions []history.Edition
	below    []history.Edition // of what lay below it: one, if there is any
}

// list goes through the names of a directory: those of the index and those of the
// archives, which are both in order.
func (b *browsing) list(ctx context.Context) error {
	q := tree.KeptQuery{Within: b.dir, Names: true, At: b.at, Path: b.after, Limit: 2 * b.r.Limit}
	if b.after != "" {
		q.Seq = 1
	}
	a := b.e.ownArchive(b.folder, q)
	if b.asks() {
		a.addOthers(ctx)
	}
	if len(a.away) > 0 {
		b.since = 0 // one of them may keep it
	}
	a.begin(ctx)
	err := b.join(ctx, a)
	away, cerr := a.close()
	b.note(away)
	return cmp.Or(err, cerr)
}

func (b *browsing) note(away []string) {
	for _, who := range away {
		b.page.Notes = append(b.page.Notes, who+"; what only it keeps is not shown")
	}
}

func (b *browsing) join(ctx context.Context, a *archives) error {
	var failed error
	rows, stopRows := iter.Pull(b.rows(ctx, &failed))
	defer stopRows()
	kept, stopKept := iter.Pull2(a.paths())
	defer stopKept()
	row, haveRow := rows()
	p, versions, haveKept := kept()
	for looked := 0; (haveRow || haveKept) && failed == nil; looked++ {
		n := name{}
		switch at := p.NameIn(b.dir); {
		case haveKept && at == "":
			p, versions, haveKept = kept()
			continue
		case haveRow && (!haveKept || row.Path.Compare(at) <= 0):
			n.path = row.Path
		default:
			n.path = at
		}
		if len(b.page.Entries) >= b.r.Limit || looked >= browseNames {
			b.page.Next = string(b.after)
			return nil
		}
		if b.after = n.path; haveRow && row.Path == n.path {
			n.row = row
			row, haveRow = rows()
		}
		for ; haveKept && p.NameIn(b.dir) == n.path; p, versions, haveKept = kept() {
			if p == n.path {
				n.versions = versions
			} else {
				n.below = versions
			}
		}
		if err := b.show(ctx, n); err != nil {
			return err
		}
	}
	return failed
}

// rows gives the index's rows of the directory's names.
func (b *browsing) rows(ctx context.Context, failed *error) iter.Seq[tree.Record] {
	return func(yield func(tree.Record) bool) {
		for after, limit := b.after, b.r.Limit+1; ; {
			rows, err := b.folder.Names(ctx, b.dir, after, limit)
			if err != nil {
				*failed = err
				return
			}
			for _, r := range rows {
				if after = r.Path; !yield(r) {
					return
				}
			}
			if len(rows) < limit {
				return
			}
		}
	}
}

// show adds what stood at a name, if anything did.
func (b *browsing) show(ctx context.Context, n name) error {
	s, ok, err := b.sight(ctx, n)
	if err != nil || !ok || !s.Worth(b.since) && b.at == 0 {
		return err
	}
	gone := s.State == history.Deleted || s.State == history.Moved
	if gone && !b.r.Deleted && (b.at == 0 || s.Since != 0 && s.Since <= b.at) {
		return nil
	}
	b.page.Entries = append(b.page.Entries, b.browsed(n, s))
	return nil
}

func (b *browsing) sight(ctx context.Context, n name) (s history.Sight, ok bool, err error) {
	dir := n.row.Kind == tree.Dir || n.row.Kind == 0 && len(n.versions) == 0
	if !dir || len(n.versions) > 0 {
		if s, ok = history.LookAt(n.versions, n.row, b.at); ok && (!dir || s.State != history.Same) {
			return s, ok, nil
		}
		if !ok && b.r.Deleted && b.at != 0 && !n.row.Exists() {
			s, ok = history.LookAt(n.versions, n.row, 0) // it was gone before
		}
		if !dir {
			return s, ok, nil
		}
	}
	var below history.Beneath
	if !n.row.Exists() || b.at != 0 && history.Written(n.row.Entry) > b.at {
		if below, err = b.folder.Beneath(ctx, n.path, b.at, b.since); err != nil {
			return s, false, err
		}
	}
	for _, v := range n.below {
		below.Held = true
		below.Stood = below.Stood || v.When > b.at && (b.at == 0 || v.MTime <= b.at)
	}
	if s, ok = history.LookAtDir(n.row, b.at, below); !ok && b.r.Deleted && b.at != 0 && !n.row.Exists() {
		s, ok = history.LookAtDir(n.row, 0, below)
	}
	return s, ok, nil
}

func stateWord(s history.State) string {
	switch s {
	case history.Changed:
		return control.StateChanged
	case history.Deleted:
		return control.StateDeleted
	case history.Moved:
		return control.StateMoved
	}
	return control.StateSame
}

func (b *browsing) browsed(n name, s history.Sight) control.Browsed {
	out := control.Browsed{
		Name: n.path.Base(), Path: string(n.path), Kind: s.Kind.String(), Size: s.Size, Content: s.Content, State: stateWord(s.State), Versions: len(n.versions),
	}
	if s.MTime != 0 {
		out.MTime = moment(s.MTime)
	}
	author := ""
	if dev := b.folder.Author(n.row.Entry); s.ByRow && !dev.IsZero() {
		author = b.e.nameOf(dev)
	}
	if s.State == history.Same {
		out.Device = author
		return out
	}
	if out.By = author; !s.ByRow && !s.By.IsZero() {
		out.By = b.e.nameOf(s.By)
	}
	if s.Since != 0 {
		out.Since = moment(s.Since)
	}
	if s.State == history.Moved {
		out.MovedTo = string(n.row.MovedTo)
	}
	for _, dev := range s.Version.Keepers {
		out.KeptBy = append(out.KeptBy, b.e.nameOf(dev))
	}
	slices.Sort(out.KeptBy)
	if s.Version.Expires != 0 {
		out.Expires = moment(s.Version.Expires)
	}
	return out
}

func moment(ns int64) *time.Time {
	t := time.Unix(0, ns)
	return &t
}

// search goes through the paths that this device knows of, and asks the others
// about those that match.
func (b *browsing) search(ctx context.Context) error {
	text := strings.ToLower(norm.NFC.String(b.r.Text))
	whole := strings.Contains(text, "/")
	match := func(p tree.Path) bool {
		in := string(p)
		if !whole {
			in = p.Base()
		}
		return strings.Contains(strings.ToLower(in), text)
	}
	found, last, err := b.folder.Search(ctx, folder.SearchQuery{Dir: b.dir, After: b.after, Limit: b.r.Limit, Budget: searchBudget}, match)
	if err != nil {
		return err
	}
	b.page.Next = string(last)
	asked := b.e.ownArchive(b.folder, tree.KeptQuery{})
	if b.asks() && len(found) > 0 {
		asked.addOthers(ctx)
	}
	if len(asked.away) > 0 {
		b.since = 0
	}
	away := map[string]bool{}
	for len(found) > 0 {
		some := found[:min(len(found), searchAsk)]
		found = found[len(some):]
		names, err := b.about(ctx, asked.streams, some, away)
		if err != nil {
			return err
		}
		for _, n := range names {
			if err := b.show(ctx, n); err != nil {
				return err
			}
		}
	}
	b.note(append(asked.away, slices.Sorted(maps.Keys(away))...))
	return nil
}

// about finds out what is to be known of some paths. Of those that stand as they
// stood the index says all.
func (b *browsing) about(ctx context.Context, streams []*stream, paths []tree.Path, away map[string]bool) ([]name, error) {
	out := make([]name, len(paths))
	var open []*archives
	for i, p := range paths {
		row, _, err := b.folder.Record(ctx, p)
		if err != nil {
			return nil, err
		}
		out[i] = name{path: p, row: row}
		if row.Exists() && (b.at == 0 || history.Written(row.Entry)+int64(time.Second) <= b.at) {
			open = append(open, nil)
			continue
		}
		a := &archives{e: b.e, folder: b.folder, query: tree.KeptQuery{Within: p, Names: true, At: b.at, Limit: 2 * tree.KeptNear}}
		for _, s := range streams {
			if !b.silent[s.dev] {
				a.streams = append(a.streams, &stream{dev: s.dev, ask: once(s.ask), now: s.now, pages: make(chan tree.KeptPage, 1)})
			}
		}
		a.begin(ctx)
		open = append(open, a)
	}
	var failed error
	for i, a := range open {
		if a == nil {
			continue
		}
		for p, versions := range a.paths() {
			if p == out[i].path {
				out[i].versions = versions
			} else {
				out[i].below = versions
			}
		}
		silent, err := a.close()
		failed = cmp.Or(failed, err)
		for _, who := range silent {
			away[who] = true
		}
		for _, s := range a.streams {
			b.silent[s.dev] = b.silent[s.dev] || s.err != nil
		}
	}
	return out, failed
}

// once gives the first page alone.
func once(ask func(context.Context, tree.KeptQuery) (tree.KeptPage, error)) func(context.Context, tree.KeptQuery) (tree.KeptPage, error) {
	return func(ctx context.Context, q tree.KeptQuery) (tree.KeptPage, error) {
		page, err := ask(ctx, q)
		page.More = false
		return page, err
	}
}

// maxBounds is how many moments may be asked about.
const maxBounds = 400

// Moments counts changes between moments.
func (e *Engine) Moments(ctx context.Context, r control.MomentsRequest) (control.Moments, error) {
	f, err := e.namedFolder(r.Folder)
	switch {
	case err != nil:
		return control.Moments{}, err
	case len(r.Bounds) < 2 || len(r.Bounds) > maxBounds || !slices.IsSortedFunc(r.Bounds, time.Time.Compare):
		return control.Moments{}, usage("2 to %d moments are needed, in order", maxBounds)
	}
	out := control.Moments{Changes: make([]int64, len(r.Bounds)-1)}
	first := e.o.Now().UnixNano() // from when on this device remembers every change
	err = f.EachActivity(ctx, func(a folder.Activity) bool {
		first = min(first, a.Time)
		i, exact := slices.BinarySearchFunc(r.Bounds, a.Time, func(t time.Time, at int64) int { return cmp.Compare(t.UnixNano(), at) })
		if exact {
			i++
		}
		if i > 0 && i < len(r.Bounds) {
			out.Changes[i-1]++
		}
		return true
	})
	if err != nil {
		return out, err
	}
	kept, err := f.ArchivedDays(ctx, r.Bounds, control.MaxMoment)
	for i, n := range kept {
		if r.Bounds[i].UnixNano() < first {
			out.Changes[i] = max(out.Changes[i], n)
		}
	}
	if err != nil {
		return out, fmt.Errorf("count what is kept: %w", err)
	}
	return out, nil
}
