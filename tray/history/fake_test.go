package history

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/traytest"
)

// fake is an engine that keeps one folder's history.
type fake struct {
	traytest.Engine
	entries  []control.Browsed
	versions []control.Kept
	notes    []string
	next     string
	fails    error
	restored control.Restored
}

func (f *fake) Browse(_ context.Context, r control.BrowseRequest) (control.BrowsePage, error) {
	at := "now"
	if r.At != nil {
		at = r.At.UTC().Format("2006-01-02 15:04")
	}
	f.Note("browse %s/%s at %s deleted %v text %q after %q here %v", r.Folder, r.Dir, at, r.Deleted, r.Text, r.After, r.Here)
	if f.fails != nil {
		return control.BrowsePage{}, f.fails
	}
	var out control.BrowsePage
	for _, e := range f.entries {
		if e.State == control.StateDeleted && !r.Deleted && r.At == nil || r.Text != "" && !strings.Contains(e.Name, r.Text) || r.After != "" {
			continue
		}
		out.Entries = append(out.Entries, e)
	}
	if !r.Here {
		out.Notes = f.notes
	}
	if r.After == "" {
		out.Next = f.next
	}
	return out, nil
}

func (f *fake) Moments(_ context.Context, r control.MomentsRequest) (control.Moments, error) {
	f.Note("moments %s", r.Folder)
	out := make([]int64, len(r.Bounds)-1)
	for i := range out {
		if i%7 < 5 {
			out[i] = int64(i*i%23) * int64(i%5)
		}
	}
	return control.Moments{Changes: out}, nil
}

func (f *fake) History(_ context.Context, r control.HistoryRequest) (control.History, error) {
	f.Note("history %s", r.Path)
	return control.History{Versions: f.versions, Notes: f.notes}, f.fails
}

func (f *fake) Restore(_ context.Context, r control.Restore) (control.Restored, error) {
	at := "newest"
	if r.At != nil {
		at = r.At.UTC().Format("2006-01-02 15:04")
	}
	text := fmt.Sprintf("restore %s at %s to %q", r.Path, at, r.To)
	if !r.Content.IsZero() {
		text += fmt.Sprintf(" content %d", r.Content[1])
	}
	if r.Try {
		text = "try to " + text
	} else if r.Ticket == "" {
		text += " without a ticket"
	}
	f.Note("%s", text)
	return f.restored, f.fails
}

func (f *fake) UndoRestore(_ context.Context, token string) (control.Restored, error) {
	f.Note("undo %s", token)
	return control.Restored{Files: 1}, f.fails
}

func (f *fake) Content(_ context.Context, r control.ContentRequest) (control.Content, error) {
	f.Note("content %s/%s %d from %d", r.Folder, r.Path, r.Content[1], r.Offset)
	text := "hello, world"
	if r.Offset > int64(len(text)) {
		return control.Content{}, errors.New("beyond the end")
	}
	part := text[r.Offset:]
	return control.Content{Data: []byte(part[:min(5, len(part))]), Size: int64(len(text))}, f.fails
}

func before(d time.Duration) *time.Time {
	t := traytest.Noon().Add(-d)
	return &t
}

const (
	hour = time.Hour
	days = 24 * hour
)

// sample is a folder with one of each.
func sample() *fake {
	f := &fake{notes: []string{"pi2 is not connected; what only it keeps is not shown"}}
	f.entries = []control.Browsed{
		{Name: "Letters", Path: "Letters", Kind: kindDir, State: control.StateSame},
		{Name: "Old flat", Path: "Old flat", Kind: kindDir, State: control.StateDeleted, Since: before(9 * days), By: "pi-attic"},
		{Name: "Budget 2026.ods", Path: "Budget 2026.ods", Kind: "file", Size: 48_213, MTime: before(21 * hour), State: control.StateSame, Device: "laptop"},
		{Name: "Holiday plans.txt", Path: "Holiday plans.txt", Kind: "file", Size: 2_310, MTime: before(80 * days), State: control.StateDeleted, Since: before(2 * days), By: "laptop", KeptBy: []string{"pi", "pi-attic"}, Versions: 3},
		{Name: "Thesis, third and hopefully last version (with the remarks of the second reader).docx", Path: "Thesis.docx", Kind: "file", Size: 4_812_112, MTime: before(40 * time.Minute), State: control.StateSame, Device: "laptop"},
		{Name: "cat.jpg", Path: "cat.jpg", Kind: "file", Size: 3_100_000, MTime: before(400 * days), State: control.StateSame, Device: "pi"},
		{Name: "lost.tmp", Path: "lost.tmp", Kind: "file", Size: 12, MTime: before(hour), State: control.StateDeleted, Since: before(50 * time.Minute), By: "laptop"},
		{Name: "evil\u202egpj.exe", Path: "evil", Kind: "file", Size: 12, MTime: before(hour), State: control.StateSame},
	}
	f.versions = []control.Kept{
		{Folder: "Documents", Path: "Budget 2026.ods", Reason: control.ReasonLive, Size: 48_213, MTime: *before(21 * hour), Time: *before(21 * hour), Device: "laptop", Content: content(1), KeptBy: []string{"laptop"}},
		{Folder: "Documents", Path: "Budget 2026.ods", Reason: "replaced", Size: 47_001, MTime: *before(3 * days), Time: *before(21 * hour), Device: "laptop", Content: content(2), KeptBy: []string{"pi", "pi-attic"}, Expires: before(-29 * days)},
		{Folder: "Documents", Path: "Budget 2026.ods", Reason: "replaced", Size: 31_500, MTime: *before(12 * days), Time: *before(3 * days), Device: "pi", Content: content(3), KeptBy: []string{"laptop", "pi", "pi-attic", "pi-cellar"}, Expires: before(-27 * days)},
		{Folder: "Documents", Path: "Budget 2026.ods", Reason: "deleted", Size: 31_000, MTime: *before(40 * days), Time: *before(20 * days), Device: "pi", KeptBy: []string{"pi"}},
	}
	f.restored = control.Restored{Files: 23, Bytes: 4_500_000, Replaced: 5, Undo: "back"}
	return f
}

func content(n byte) (c tree.ContentID) { c[0], c[1] = tree.HashBLAKE3, n; return c }

func state() status.State {
	return status.State{
		Device: status.Self{Name: "laptop"}, Folders: []status.Folder{{Name: "Documents", Path: "/home/pat/Documents", State: status.Synced}, {Name: "Music", Path: "/home/pat/Music", State: status.Synced}},
	}
}

// shown shows the page of a sample.
func shown(t *testing.T, f *fake, variant fyne.ThemeVariant, w, h float32) (*traytest.Host, *Page) {
	t.Helper()
	host := traytest.NewHost(t, f, variant)
	host.Prefs().RemoveValue(prefFolder)
	p := New(host)
	p.side.copies.dir = t.TempDir()
	host.Put(p, state(), w, h)
	return host, p
}
