package conflicts

import (
	"context"
	"fmt"
	"slices"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/page"
	"pinion/tray/present"
)

// Bounds of what the page keeps.
const (
	perPage   = 100
	maxPages  = 10 // so many are listed; the rest come up as these are settled
	maxDrafts = 20
)

// Page is the page of conflicts. All of it belongs to Fyne's goroutine.
type Page struct {
	h     page.Host
	root  *fyne.Container // the list, or one conflict; below it, what was done last
	stage *fyne.Container
	foot  *footLine
	list  *listView
	open  *detail // nil: the list is shown

	own     string            // this device's name
	paths   map[string]string // of folders, by name
	items   []control.Conflict
	counts  []control.ConflictsCount
	next    string // where the list goes on; "" if it is whole
	loaded  bool
	loading bool
	stale   bool // there was news while it was loading
	sign    string
	wanted  *page.Place // to be opened once the list is there
	drafts  []*draft    // merges that a person has begun
	// wrote remembers whose versions they are that were brought back here: to the
	// engine they are this device's since then.
	wrote map[tree.ContentID]string
}

var (
	_ page.Page     = (*Page)(nil)
	_ page.Keyed    = (*Page)(nil)
	_ page.Receiver = (*Page)(nil)
)

// New makes the page.
func New(h page.Host) *Page {
	p := &Page{h: h, paths: map[string]string{}, wrote: map[tree.ContentID]string{}}
	p.list = newListView(p)
	p.foot = newFootLine(p)
	p.stage = container.NewStack(p.list.root)
	p.root = container.NewBorder(nil, p.foot.root, nil, nil, p.stage)
	return p
}

func (p *Page) Title() string              { return lang.L("Conflicts") }
func (p *Page) Icon() fyne.Resource        { return theme.WarningIcon() }
func (p *Page) Content() fyne.CanvasObject { return p.root }

// Update asks for the list anew where the state says that it may be another.
func (p *Page) Update(s status.State) {
	p.own = s.Device.Name
	sign := ""
	clear(p.paths)
	for _, f := range s.Folders {
		p.paths[f.Name] = f.Path
		sign += fmt.Sprintf("%s %d %s;", f.Name, f.Conflicts, f.State)
		if p.open != nil && p.open.k.Folder == f.Name {
			sign += fmt.Sprint(f.Files, f.Bytes) // one of the sides may have changed
		}
	}
	if sign != p.sign || !p.loaded {
		p.sign = sign
		p.reload()
	}
}

// Receive opens a conflict: a page.Place or a control.Conflict.
func (p *Page) Receive(arg any) {
	switch x := arg.(type) {
	case page.Place:
		p.wanted = &x
	case control.Conflict:
		p.wanted = &page.Place{Folder: x.Folder, Path: x.Copy}
	default:
		return
	}
	p.openWanted()
	if p.wanted != nil {
		p.reload()
	}
}

// reload asks for as much of the list as is shown, one request after the other.
func (p *Page) reload() {
	if p.loading {
		p.stale = true
		return
	}
	p.loading = true
	pages := max(1, min(maxPages, (len(p.items)+perPage-1)/perPage))
	p.load("", pages, func(items []control.Conflict) { p.items = items })
}

// more asks for the next page.
func (p *Page) more() {
	if p.loading || p.next == "" || len(p.items) >= perPage*maxPages {
		return
	}
	p.loading = true
	p.load(p.next, 1, func(items []control.Conflict) { p.items = append(p.items, items...) })
}

func (p *Page) load(after string, pages int, put func([]control.Conflict)) {
	var items []control.Conflict
	var last control.ConflictsPage
	var now *control.Conflict // the one that is open
	var failed error
	var open control.Conflict
	if p.open != nil {
		open = p.open.k
	}
	wanted := p.wanted
	p.h.Ask(lang.L("listing the conflicts"), func(ctx context.Context) error {
		for i := 0; i < pages && failed == nil && (i == 0 || after != ""); i++ {
			last, failed = p.h.Engine().ListConflicts(ctx, control.ConflictsRequest{After: after, Limit: perPage})
			items, after = append(items, last.Conflicts...), last.Next
		}
		if failed == nil && open.Copy != "" {
			now = find(items, open.Folder, open.Copy)
			if now == nil {
				now = p.lookUp(ctx, open.Folder, open.Copy)
			}
		}
		if failed == nil && wanted != nil && find(items, wanted.Folder, wanted.Path) == nil {
			if k := p.lookUp(ctx, wanted.Folder, wanted.Path); k != nil {
				items = append([]control.Conflict{*k}, items...)
			}
		}
		return nil
	}, func() {
		p.loading = false
		if failed != nil {
			p.list.fail(failed)
		} else {
			put(items)
			p.counts, p.next, p.loaded = last.Folders, last.Next, true
			p.list.refresh()
			p.openWanted()
			if p.open != nil && p.open.k.Folder == open.Folder && p.open.k.Copy == open.Copy {
				p.open.news(now)
			}
		}
		if p.stale {
			p.stale = false
			p.reload()
		}
	})
}

// lookUp asks for one conflict; nil if there is none. It is called beside Fyne's
// goroutine.
func (p *Page) lookUp(ctx context.Context, folder, path string) *control.Conflict {
	one, err := p.h.Engine().ListConflicts(ctx, control.ConflictsRequest{Folder: folder, Path: path})
	if err != nil {
		return nil
	}
	return find(one.Conflicts, folder, path)
}

func find(items []control.Conflict, folder, path string) *control.Conflict {
	i := slices.IndexFunc(items, func(k control.Conflict) bool { return k.Folder == folder && (k.Copy == path || k.Path == path) })
	if i < 0 {
		return nil
	}
	k := items[i]
	return &k
}

func (p *Page) openWanted() {
	if p.wanted == nil || !p.loaded {
		return
	}
	k := find(p.items, p.wanted.Folder, p.wanted.Path)
	if k != nil {
		p.wanted = nil
		p.show(*k)
	} else if !p.loading {
		p.wanted = nil
	}
}

// show opens a conflict.
func (p *Page) show(k control.Conflict) {
	p.open = newDetail(p, k)
	p.stage.Objects = []fyne.CanvasObject{p.open.root}
	p.stage.Refresh()
	p.open.load()
}

// back shows the list again.
func (p *Page) back() {
	p.open = nil
	p.list.refresh()
	p.stage.Objects = []fyne.CanvasObject{p.list.root}
	p.stage.Refresh()
	p.h.Window().Canvas().Unfocus()
	p.reload()
}

// at is the place of a conflict in the list; -1 if it is not in it.
func (p *Page) at(k control.Conflict) int {
	return slices.IndexFunc(p.items, func(x control.Conflict) bool { return x.Folder == k.Folder && x.Copy == k.Copy })
}

// step opens the conflict that many places on.
func (p *Page) step(by int) {
	if i := p.at(p.open.k) + by; i >= 0 && i < len(p.items) {
		p.show(p.items[i])
	}
}

// settled takes a conflict off the list and opens the next, if there is one.
func (p *Page) settled(k control.Conflict) {
	i := p.at(k)
	if i >= 0 {
		p.items = slices.Delete(p.items, i, i+1)
		for c := range p.counts {
			if p.counts[c].Folder == k.Folder {
				p.counts[c].Count = max(0, p.counts[c].Count-1)
			}
		}
		p.counts = slices.DeleteFunc(p.counts, func(c control.ConflictsCount) bool { return c.Count == 0 })
	}
	p.drop(k)
	p.list.refresh()
	if i = max(0, min(i, len(p.items)-1)); len(p.items) > 0 {
		p.show(p.items[i])
		return
	}
	p.back()
}

// total is how many conflicts there are.
func (p *Page) total() (n int64) {
	for _, c := range p.counts {
		n += c.Count
	}
	return max(n, int64(len(p.items)))
}

// countOf is how many there are in a folder.
func (p *Page) countOf(folder string) int64 {
	for _, c := range p.counts {
		if c.Folder == folder {
			return c.Count
		}
	}
	return 0
}

// Key is what a key does that nothing on the page takes for itself.
func (p *Page) Key(e *fyne.KeyEvent) {
	if p.open != nil {
		p.open.key(e)
		return
	}
	p.list.key(e)
}

// sides names the two versions of a conflict.
func (p *Page) sides(k control.Conflict) (this, that side) {
	if dev := p.wrote[k.ThisContent]; dev != "" && k.This != nil {
		was := *k.This
		was.Device, k.This = dev, &was
	}
	if dev := p.wrote[k.ThatContent]; dev != "" {
		k.That.Device = dev
	}
	return sidesOf(k, p.own, p.h.Now())
}

// remember whose the versions of a conflict are, before they are brought back.
func (p *Page) remember(k control.Conflict) {
	if len(p.wrote) > 2*maxDrafts {
		clear(p.wrote)
	}
	for c, s := range map[tree.ContentID]*control.Side{k.ThisContent: k.This, k.ThatContent: &k.That} {
		if s != nil && !c.IsZero() && p.wrote[c] == "" {
			p.wrote[c] = s.Device
		}
	}
}

// draft is a merge that a person has begun, of the two versions that it is of.
type draft struct {
	k control.Conflict
	j *present.Joining
}

func sameVersions(a, b control.Conflict) bool {
	return a.Folder == b.Folder && a.Copy == b.Copy && a.ThisContent == b.ThisContent && a.ThatContent == b.ThatContent
}

// draftOf gives the merge that was begun of a conflict; nil if none was.
func (p *Page) draftOf(k control.Conflict) *present.Joining {
	for _, d := range p.drafts {
		if sameVersions(d.k, k) {
			return d.j
		}
	}
	return nil
}

// keepDraft remembers one; the oldest are forgotten.
func (p *Page) keepDraft(k control.Conflict, j *present.Joining) {
	if p.draftOf(k) != nil {
		return
	}
	p.drafts = append(p.drafts, &draft{k, j})
	if len(p.drafts) > maxDrafts {
		p.drafts = slices.Delete(p.drafts, 0, 1)
	}
}

func (p *Page) drop(k control.Conflict) {
	p.drafts = slices.DeleteFunc(p.drafts, func(d *draft) bool { return sameVersions(d.k, k) })
}

// file is where a side stands on this device.
func (p *Page) file(folder, path string) string {
	root := p.paths[folder]
	if root == "" {
		return ""
	}
	return join(root, path)
}
