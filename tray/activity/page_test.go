package activity

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2/test"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/page"
	"pinion/tray/traytest"
)

// engine keeps changes, and answers as a real one does.
type engine struct {
	traytest.Engine
	all []control.Activity // oldest first
	err error
}

func (e *engine) Activity(_ context.Context, r control.ActivityRequest) (control.ActivityPage, error) {
	e.Note("after %d before %d folder %q device %q action %q text %q", r.After, r.Before, r.Folder, r.Device, r.Action, r.Text)
	if e.err != nil {
		return control.ActivityPage{}, e.err
	}
	p := control.ActivityPage{Next: r.After}
	for _, a := range e.all {
		if a.ID > r.After && (r.Before == 0 || a.ID < r.Before) && (r.Folder == "" || r.Folder == a.Folder) && (r.Action == "" || r.Action == a.Action) &&
			(r.Device == "" || r.Device == a.Device) && strings.Contains(strings.ToLower(a.Path), strings.ToLower(r.Text)) {
			p.Items = append(p.Items, a)
		}
	}
	if n := len(p.Items) - r.Limit; n > 0 {
		p.Items = p.Items[n:]
		p.Before = p.Items[0].ID
	}
	if n := len(p.Items); n > 0 {
		p.Next = p.Items[n-1].ID
	}
	return p, nil
}

func (e *engine) add(ago time.Duration, folder, path, action, device string) {
	t := traytest.Noon().Add(-ago)
	e.all = append(e.all, control.Activity{ID: uint64(len(e.all) + 1), Time: t, Folder: folder, Path: path, Action: action, Device: device})
}

func some() *engine {
	e := &engine{}
	e.add(50*time.Hour, "Photos", "2026/October/DSC_1001.NEF", "added", "Pat's laptop")
	e.add(30*time.Hour, "Documents", "Taxes/2025/return.pdf", "changed", "attic-pi")
	e.add(26*time.Hour, "Documents", "Letters/to the landlord.odt", "conflict", "attic-pi")
	e.add(5*time.Hour, "Projects", "pinion/README.md", "merged", "cabin-pi")
	e.add(4*time.Hour, "Documents", "notes.txt", "deleted", "Pat's laptop")
	e.add(3*time.Hour, "Documents", "notes.txt", "restored", "Pat's laptop")
	e.add(2*time.Hour, "Photos", "2026/November/a name that is rather long, as names of photographs from a telephone can be, DSC_4411.NEF", "moved", "Pat's laptop")
	e.add(time.Hour, "Projects", "evil\u202egnp.exe\nsecond line", "kept", "cabin-pi")
	e.add(time.Minute, "Documents", "Budget.ods", "changed", "Pat's laptop")
	return e
}

func TestPictures(t *testing.T) {
	h := traytest.NewHost(t, some(), traytest.Light)
	h.Put(New(h), traytest.Calm(), 980-184, 640-29)
	traytest.Markup(t, h.W.Canvas(), "some")
	traytest.Picture(t, h.W.Canvas(), "activity")
	h = traytest.NewHost(t, some(), traytest.Dark)
	h.Put(New(h), traytest.Calm(), 760-184, 520-29)
	traytest.Picture(t, h.W.Canvas(), "activity-small-dark")
	h = traytest.NewHost(t, &engine{}, traytest.Light)
	h.Put(New(h), traytest.Calm(), 760-184, 520-29)
	traytest.Picture(t, h.W.Canvas(), "activity-empty")
}

func paths(p *Page) (out []string) {
	for _, a := range p.feed.items {
		out = append(out, a.Path)
	}
	return out
}

func TestFollowsAndNarrows(t *testing.T) {
	e := some()
	h := traytest.NewHost(t, e, traytest.Light)
	p := New(h)
	h.Put(p, traytest.Calm(), 800, 600)
	if got := paths(p); len(got) != 9 || got[0] != "Budget.ods" {
		t.Fatalf("shown are %q", got)
	}
	e.add(0, "Documents", "new.txt", "added", "attic-pi")
	p.Update(traytest.Calm())
	if got := paths(p); len(got) != 10 || got[0] != "new.txt" {
		t.Errorf("after a change %q are shown", got)
	}
	test.Type(p.filter, "NOTES")
	if got := paths(p); len(got) != 2 || got[0] != "notes.txt" {
		t.Errorf("narrowed by text, %q are shown", got)
	}
	p.actions.choose("deleted")
	if got := paths(p); len(got) != 1 {
		t.Errorf("narrowed by action, too, %q are shown", got)
	}
	p.folders.choose("Photos")
	if got := paths(p); len(got) != 0 || len(p.empty.Objects) != 1 {
		t.Errorf("narrowed to nothing, %q are shown", got)
	}
	p.clear()
	if got := paths(p); len(got) != 10 {
		t.Errorf("with no filter %q are shown", got)
	}
	p.Receive(page.Place{Folder: "Projects"})
	if got := paths(p); len(got) != 2 {
		t.Errorf("sent to a folder, %q are shown", got)
	}
}

// TestPages: a page at a time, older ones as they are scrolled to, and few widgets.
func TestPages(t *testing.T) {
	e := &engine{}
	for i := range 3000 {
		e.add(time.Duration(3000-i)*time.Minute, "Photos", fmt.Sprintf("%04d.jpg", i), "added", "attic-pi")
	}
	h := traytest.NewHost(t, e, traytest.Light)
	p := New(h)
	h.Put(p, traytest.Calm(), 800, 600)
	if n := len(p.feed.items); n != pageSize || len(e.Asked()) != 1 {
		t.Fatalf("%d changes after %q", n, e.Asked())
	}
	if n := p.rows.Alive(); n > 20 {
		t.Errorf("%d rows are drawn", n)
	}
	for len(p.feed.items) < most {
		before := len(p.feed.items)
		p.draw(len(p.list)-1, newChangeRow(p))
		if len(p.feed.items) == before {
			t.Fatalf("scrolling stopped at %d", before)
		}
	}
	seen := map[string]bool{}
	for _, path := range paths(p) {
		if seen[path] {
			t.Fatalf("%s twice", path)
		}
		seen[path] = true
	}
	p.draw(len(p.list)-1, newChangeRow(p))
	if n := len(p.feed.items); n != most {
		t.Errorf("%d are held", n)
	}
	// Much at once: the newest are shown, and nothing is missing between.
	for i := range 250 {
		e.add(0, "Photos", fmt.Sprintf("late%04d.jpg", i), "added", "attic-pi")
	}
	p.Update(traytest.Calm())
	if got := paths(p); got[0] != "late0249.jpg" || len(got) != pageSize {
		t.Errorf("%d are shown, first %s", len(got), got[0])
	}
}

func TestMenuLeadsOn(t *testing.T) {
	h := traytest.NewHost(t, some(), traytest.Light)
	p := New(h)
	h.Put(p, traytest.Calm(), 800, 600)
	choose := func(a control.Activity, text string) {
		t.Helper()
		for _, m := range p.menu(a) {
			if m.Label == text {
				m.Action()
				return
			}
		}
		t.Fatalf("no %q for %+v", text, a)
	}
	a := control.Activity{Folder: "Documents", Path: "Letters/x.odt", Action: "deleted"}
	choose(a, "Bring it back…")
	if h.Gone[0] != page.History || h.Args[0] != (page.Place{Folder: "Documents", Path: "Letters/x.odt"}) {
		t.Errorf("went to %v with %v", h.Gone, h.Args)
	}
	choose(a, "Show in the file manager")
	if h.Opened[0] != "reveal /home/pat/Documents/Letters/x.odt" {
		t.Errorf("%q", h.Opened)
	}
	// A folder that is not here, and a path that leads out, lead nowhere.
	for _, a := range []control.Activity{{Folder: "Gone", Path: "x"}, {Folder: "Documents", Path: "../../etc/passwd"}} {
		p.reveal(a)
		if len(h.Opened) != 1 || len(h.Said) == 0 {
			t.Errorf("%+v: %q", a, h.Opened)
		}
	}
}

func TestErrorIsSaidOnThePage(t *testing.T) {
	e := &engine{err: &control.Error{Text: "the index can't be read"}}
	h := traytest.NewHost(t, e, traytest.Light)
	p := New(h)
	h.Put(p, status.State{}, 800, 600)
	if len(p.empty.Objects) != 1 || len(h.Errors) != 0 {
		t.Errorf("errors %q, %d objects", h.Errors, len(p.empty.Objects))
	}
	e.err = nil
	e.add(0, "Documents", "x", "added", "pi")
	p.Update(status.State{})
	if len(p.feed.items) != 1 || len(p.empty.Objects) != 0 {
		t.Errorf("%d changes after the engine is well again", len(p.feed.items))
	}
}
