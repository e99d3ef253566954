package history

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/traytest"
)

// asked says that the engine was asked this, and forgets nothing.
func asked(t *testing.T, f *fake, want ...string) {
	t.Helper()
	got := f.Asked()
	for _, w := range want {
		if !slices.Contains(got, w) {
			t.Errorf("the engine was not asked %q but\n\t%s", w, strings.Join(got, "\n\t"))
		}
	}
}

// tap presses the button of a text that lies on top.
func tap(t *testing.T, h *traytest.Host, text string) {
	t.Helper()
	var root fyne.CanvasObject = h.W.Content()
	if top := h.W.Canvas().Overlays().Top(); top != nil {
		root = top
	}
	var found fyne.Tappable
	walk(root, func(o fyne.CanvasObject) {
		switch b := o.(type) {
		case *look.Button:
			if b.Text == text && b.Visible() && !b.Disabled() {
				found = b
			}
		case *widget.Button:
			if b.Text == text && b.Visible() {
				found = b
			}
		}
	})
	if found == nil {
		t.Fatalf("there is no button %q", text)
	}
	test.Tap(found)
}

// walk goes through all that is drawn.
func walk(o fyne.CanvasObject, fn func(fyne.CanvasObject)) {
	if o == nil || !o.Visible() {
		return
	}
	fn(o)
	switch x := o.(type) {
	case *fyne.Container:
		for _, c := range x.Objects {
			walk(c, fn)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			walk(c, fn)
		}
	}
}

func TestAPersonLooksBack(t *testing.T) {
	f := sample()
	h, p := shown(t, f, traytest.Light, 796, 612)
	asked(t, f, `browse Documents/ at now deleted true text "" after "" here true`, `browse Documents/ at now deleted true text "" after "" here false`, "moments Documents")
	tap(t, h, "A week ago")
	asked(t, f, `browse Documents/ at 2026-11-14 12:00 deleted true text "" after "" here false`)
	if got := p.when.shown.Text(); got != "As it stood Sat 14 Nov 12:00" {
		t.Errorf("%q", got)
	}
	p.when.field.SetText("yesterday 9:00")
	p.when.field.OnSubmitted("yesterday 9:00")
	asked(t, f, `browse Documents/ at 2026-11-20 09:00 deleted true text "" after "" here false`)
	p.when.field.OnSubmitted("2030-01-01")
	if p.when.wrong.Text() == "" {
		t.Error("nothing is said of a moment that is to come")
	}
	tap(t, h, "Now")
	if p.when.wrong.Text() != "" || p.when.field.Text != "" || p.list.view.at != nil {
		t.Errorf("back at now: %q, %q, %v", p.when.wrong.Text(), p.when.field.Text, p.list.view.at)
	}
	p.names.Select(0) // a directory
	asked(t, f, `browse Documents/Letters at now deleted true text "" after "" here false`)
	tap(t, h, "Documents")
	if p.list.view.dir != "" {
		t.Errorf("in %q", p.list.view.dir)
	}
	test.Tap(p.deleted)
	asked(t, f, `browse Documents/ at now deleted false text "" after "" here false`)
	p.show(func(v *view) { v.text = "cat" })
	asked(t, f, `browse Documents/ at now deleted false text "cat" after "" here false`)
	if len(p.list.entries) != 1 {
		t.Errorf("%d were found", len(p.list.entries))
	}
	p.folders.SetSelectedIndex(1)
	asked(t, f, `browse Music/ at now deleted false text "" after "" here false`, "moments Music")
	if len(h.Errors) > 0 {
		t.Error(h.Errors)
	}
}

func TestTheDaysAreChosenByTapAndByKey(t *testing.T) {
	f := sample()
	_, p := shown(t, f, traytest.Light, 796, 612)
	s := p.when.strip
	test.TapAt(s, fyne.NewPos(s.Size().Width-1, 10)) // today is now
	if p.list.view.at != nil {
		t.Errorf("%v", p.list.view.at)
	}
	s.TypedKey(&fyne.KeyEvent{Name: fyne.KeyLeft})
	asked(t, f, `browse Documents/ at 2026-11-20 23:59 deleted true text "" after "" here false`)
	s.TypedKey(&fyne.KeyEvent{Name: fyne.KeyLeft})
	asked(t, f, `browse Documents/ at 2026-11-19 23:59 deleted true text "" after "" here false`)
	test.TapAt(s, fyne.NewPos(1, 10))
	asked(t, f, `browse Documents/ at 2026-10-11 23:59 deleted true text "" after "" here false`)
	s.hover(0)
	if got := p.when.over.Text(); got != "Sun 11 Oct: no changes" {
		t.Errorf("%q", got)
	}
	s.hover(-1)
	if got := p.when.over.Text(); got != "" {
		t.Errorf("%q", got)
	}
}

func TestAVersionIsRestoredAndUndone(t *testing.T) {
	f := sample()
	h, p := shown(t, f, traytest.Light, 796, 612)
	p.names.Select(2)
	asked(t, f, "history Documents/Budget 2026.ods")
	if k, _ := p.side.picked(); k.Reason != control.ReasonLive || !p.side.restore.Disabled() {
		t.Errorf("what stands can be restored: %+v", k)
	}
	tap(t, h, "Show")
	p.side.list.Select(2)
	tap(t, h, "Restore")
	if text := dialogText(h); !strings.Contains(text, "goes to the archive") {
		t.Errorf("the question: %q", text)
	}
	tap(t, h, "Restore")
	asked(t, f, `restore Documents/Budget 2026.ods at newest to "" content 3`)
	tap(t, h, "Undo")
	asked(t, f, "undo back")
	p.side.list.Select(1)
	tap(t, h, "Restore as…")
	tap(t, h, "Restore")
	asked(t, f, `restore Documents/Budget 2026.ods at newest to "Documents/Budget 2026 2026-11-18 1200.ods" content 2`)
	p.side.list.Select(3)
	if !p.side.restore.Disabled() || !p.side.open.Disabled() || !strings.Contains(p.side.foot.Text(), "not known") {
		t.Error("a version that is not known can be restored")
	}
	if len(h.Opened) != 1 || !strings.Contains(h.Opened[0], "reveal") {
		t.Errorf("%q", h.Opened)
	}
}

func TestACopyIsReadOnlyAndNeverRun(t *testing.T) {
	f := sample()
	h, p := shown(t, f, traytest.Light, 796, 612)
	p.names.Select(2)
	p.side.list.Select(1)
	tap(t, h, "Open a copy")
	if len(h.Opened) != 1 || !strings.HasPrefix(h.Opened[0], "open "+p.side.copies.dir) || !strings.HasSuffix(h.Opened[0], "Budget 2026.ods") {
		t.Fatalf("%q, %q", h.Opened, h.Errors)
	}
	file := strings.TrimPrefix(h.Opened[0], "open ")
	text, err := os.ReadFile(file)
	if err != nil || string(text) != "hello, world" {
		t.Errorf("%q, %v", text, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o222 != 0 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	p.side.versions[1].Path = "setup.exe"
	tap(t, h, "Open a copy")
	if len(h.Opened) != 2 || !strings.HasPrefix(h.Opened[1], "reveal ") {
		t.Errorf("%q", h.Opened)
	}
	f.fails = errors.New("no device has it")
	tap(t, h, "Open a copy")
	if len(h.Errors) != 1 || len(h.Opened) != 2 {
		t.Errorf("%q, %q", h.Errors, h.Opened)
	}
	if left, err := os.ReadDir(p.side.copies.dir); err != nil || len(left) != 2 {
		t.Errorf("%d are left, %v", len(left), err)
	}
}

func TestSafeNames(t *testing.T) {
	for name, want := range map[string]string{
		"a.txt": "a.txt", "a/../b": "a_.._b", "CON.txt": "copy of CON.txt", "com1": "copy of com1", "-rf": "copy-rf", ".bashrc": "copy.bashrc", "": "copy", "a. ": "a",
		"x\u202egpj.exe": "x_gpj.exe", "a\nb": "a_b", "%PATH%": "_PATH_", "$(id)`id`": "_(id)_id_", "ä中.png": "ä中.png", strings.Repeat("a", 300) + ".txt": strings.Repeat("a", 100) + ".txt",
	} {
		if got := safeName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestADirectoryIsRestoredOnceItWasCounted(t *testing.T) {
	f := sample()
	h, p := shown(t, f, traytest.Light, 796, 612)
	tap(t, h, "Bring back deleted files…")
	asked(t, f, `try to restore Documents at newest to ""`)
	tap(t, h, "Cancel")
	tap(t, h, "A week ago")
	p.enter("Letters")
	tap(t, h, "Restore this folder…")
	if text := dialogText(h); !strings.Contains(text, "23 files (4.5 MB) in Documents/Letters will stand again as they were Sat 14 Nov 12:00") || !strings.Contains(text, "in place of 5 files") {
		t.Errorf("the question: %q", text)
	}
	tap(t, h, "Restore 23 files")
	asked(t, f, `restore Documents/Letters at 2026-11-14 12:00 to ""`)
	f.restored = control.Restored{}
	tap(t, h, "Restore this folder…")
	if text := dialogText(h); !strings.Contains(text, "stands there already") {
		t.Errorf("%q", text)
	}
	tap(t, h, "Close")
	f.fails = errors.New("folder Documents is paused")
	p.restorer.dir(p.list.view)
	if text := dialogText(h); !strings.Contains(text, "is paused") {
		t.Errorf("%q", text)
	}
}

func dialogText(h *traytest.Host) (out string) {
	walk(h.W.Canvas().Overlays().Top(), func(o fyne.CanvasObject) {
		if l, ok := o.(*widget.Label); ok {
			out += l.Text + "\n"
		}
	})
	return out
}

func TestAPlaceIsShown(t *testing.T) {
	f := sample()
	_, p := shown(t, f, traytest.Light, 796, 612)
	p.Receive(page.Place{Folder: "Documents", Path: "cat.jpg"})
	asked(t, f, "history Documents/cat.jpg")
	if !p.side.content.Visible() {
		t.Error("its versions are not shown")
	}
	p.Receive(page.Place{Folder: "Documents", Path: "Letters"})
	if p.list.view.dir != "Letters" || p.side.content.Visible() {
		t.Errorf("in %q", p.list.view.dir)
	}
	p.Receive(page.Place{Folder: "Documents", Path: "deep/far/away.txt"})
	asked(t, f, `browse Documents/deep/far at now deleted true text "" after "" here false`, "history Documents/deep/far/away.txt")
	p.Receive(page.Place{Folder: "Music"})
	if p.list.view.folder != "Music" || p.folders.SelectedIndex() != 1 {
		t.Errorf("%+v", p.list.view)
	}
	p.Receive("nonsense")
}

func TestFurtherPagesAreAskedFor(t *testing.T) {
	f := sample()
	f.next = "cat.jpg"
	_, p := shown(t, f, traytest.Light, 796, 612)
	p.list.more()
	asked(t, f, `browse Documents/ at now deleted true text "" after "cat.jpg" here false`)
	if p.list.next != "" || p.list.busy {
		t.Errorf("next %q, busy %v", p.list.next, p.list.busy)
	}
	n := len(f.Asked())
	p.list.more()
	if len(f.Asked()) != n {
		t.Error("a page after the last was asked for")
	}
}

func TestWhatFailsIsSaidInThePage(t *testing.T) {
	f := sample()
	f.fails = errors.New("folder Documents can't be used now")
	h, p := shown(t, f, traytest.Light, 796, 612)
	if len(h.Errors) != 0 || p.list.failed == nil {
		t.Errorf("%q, %v", h.Errors, p.list.failed)
	}
	f.fails = nil
	tap(t, h, "Try again")
	if p.list.failed != nil || len(p.list.entries) == 0 {
		t.Errorf("%v", p.list.failed)
	}
}

func TestWithoutFolders(t *testing.T) {
	f := sample()
	h := traytest.NewHost(t, f, traytest.Light)
	p := New(h)
	h.Put(p, status.State{}, 796, 612)
	traytest.Picture(t, h.W.Canvas(), "history-empty")
	tap(t, h, "Add a folder…")
	if !slices.Equal(h.Gone, []string{page.Overview}) || len(f.Asked()) != 0 {
		t.Errorf("%q, %q", h.Gone, f.Asked())
	}
}

func TestNewsOfTheFolderIsLookedAt(t *testing.T) {
	f := sample()
	_, p := shown(t, f, traytest.Light, 796, 612)
	p.Update(state())
	n := len(f.Asked())
	p.Update(state())
	if len(f.Asked()) != n {
		t.Error("it looks again without news")
	}
	s := state()
	s.Folders[0].Files = 7
	p.Update(s)
	if len(f.Asked()) == n {
		t.Error("it does not look again at a folder that has changed")
	}
	p.names.Select(2)
	p.side.list.Select(2)
	f.entries = f.entries[1:] // its row moves
	s.Folders = slices.Clone(s.Folders)
	s.Folders[0].Files = 8
	p.Update(s)
	if k, ok := p.side.picked(); !ok || k.Content != content(3) || p.row != 1 || !p.side.content.Visible() {
		t.Errorf("the version that was chosen is not any more: %v, row %d", k.Content, p.row)
	}
}

func TestWords(t *testing.T) {
	now := traytest.Noon()
	for want, e := range map[string]control.Browsed{
		"Deleted by pi, yesterday 12:00":                                             {State: control.StateDeleted, By: "pi", Since: before(24 * hour), KeptBy: []string{"pi"}},
		"Deleted  ·  nobody who is connected keeps it":                               {State: control.StateDeleted},
		"Changed since by pi, today 11:00":                                           {State: control.StateChanged, By: "pi", Since: before(hour), KeptBy: []string{"pi"}},
		"Moved since to a/b.txt":                                                     {State: control.StateMoved, MovedTo: "a/b.txt"},
		"Unchanged since  ·  Written by laptop":                                      {State: control.StateSame, Device: "laptop"},
		`Deleted by \u202evil, yesterday 12:00  ·  nobody who is connected keeps it`: {State: control.StateDeleted, By: "\u202evil", Since: before(24 * hour)},
	} {
		if got := under(e, true, now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for want, by := range map[string][]string{"Nobody who is connected keeps it": nil, "Kept by a until tomorrow": {"a"}, "Kept by a and b until tomorrow": {"a", "b"}, "Kept by a and 2 more until tomorrow": {"a", "b", "c"}} {
		if got := keepers(by, before(-24*hour), now); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
