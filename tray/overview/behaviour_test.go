package overview

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/traytest"
)

type engine struct {
	traytest.Engine
}

func (e *engine) Pause(_ context.Context, r control.PauseRequest) error {
	e.Note("pause %q %v until %v", r.Folder, r.For, r.Until)
	return nil
}
func (e *engine) Resume(_ context.Context, r control.PauseRequest) error {
	e.Note("resume %q", r.Folder)
	return nil
}
func (e *engine) Scan(_ context.Context, folder string) error {
	e.Note("scan %q", folder)
	return nil
}

func TestWords(t *testing.T) {
	busy := traytest.Busy()
	what, much, part := moving(busy.Folders[1])
	if what != "DSC_4411.NEF from attic-pi, cabin-pi, and 311 more" || much != "1.2 GB of 4.1 GB  ·  23 MB/s  ·  about 2 minutes left" || part < 0.29 || part > 0.31 {
		t.Errorf("%q, %q, %v", what, much, part)
	}
	if what, _, _ := moving(busy.Folders[2]); what != "" {
		t.Errorf("a folder that lacks nothing says %q", what)
	}
	var words []string
	for _, c := range cells(traytest.Trouble().Folders[3], traytest.Trouble(), traytest.Noon()) {
		words = append(words, c.name+": "+c.word)
	}
	if got := strings.Join(words, "; "); got != "Pat's laptop: Lacks 2 files, 52 GB; attic-pi: No room for 12 files; cabin-pi: Last seen yesterday 14:00" {
		t.Error(got)
	}
	// What a peer tells is made fit to be shown, and nothing in it can be out of bounds.
	f := busy.Folders[0]
	f.Name, f.State, f.Need, f.Bytes = "a\u202eb\nc", status.Syncing, status.Need{Files: 1, Bytes: 1 << 62}, 1
	f.Moving = []status.Moving{{Path: "x/\x1b[31mred\u2066", From: []string{"\u202epi"}}}
	f.Peers = []status.FolderPeer{{Device: "p\ri", Connected: true, NeedFiles: 1 << 60, NeedBytes: 1 << 62, Disk: &status.Disk{Free: 5, Total: 1<<63 - 1}}}
	what, _, _ = moving(f)
	all := []string{what, about(f)}
	for _, c := range cells(f, busy, traytest.Noon()) {
		all = append(all, c.name, c.word)
		if c.part != noBar && (c.part < 0 || c.part > 1) {
			t.Errorf("a bar of %v", c.part)
		}
	}
	for _, text := range all {
		if strings.ContainsAny(text, "\u202e\u2066\x1b\n\r") {
			t.Errorf("%q is shown", text)
		}
	}
}

// TestOutlineIsOfTheWords: what a card's height is reckoned from is what it shows.
func TestOutlineIsOfTheWords(t *testing.T) {
	states := []status.State{traytest.Calm(), traytest.Busy(), traytest.Trouble(), traytest.Many(3, 8)}
	for _, state := range []string{status.Missing, status.Error, status.Scanning, status.Full, status.Paused} {
		s := traytest.Busy()
		for i := range s.Folders {
			s.Folders[i].State, s.Folders[i].Progress.Scanned = state, 5
		}
		s.Folders[0].Peers[0].Connected = false
		s.Folders[0].Peers[0].NeedFiles = 5
		states = append(states, s)
	}
	for _, s := range states {
		for _, f := range s.Folders {
			v := outline(f, s)
			v.words(s, traytest.Noon())
			bars := slices.ContainsFunc(v.cells, func(c cell) bool { return c.part != noBar })
			if v.devices != len(v.cells) || v.moves != (v.what != "") || v.bars != bars {
				t.Errorf("%s, %s: %+v", f.Name, f.State, v)
			}
		}
	}
}

func TestMatters(t *testing.T) {
	var got []string
	for _, f := range traytest.Trouble().Folders {
		for _, m := range matters(f) {
			got = append(got, fmt.Sprintf("%s: %s [%s]", f.Name, m.text, m.do))
		}
	}
	want := []string{
		"Documents: 3 files were changed on two devices. Both versions of each are kept until you choose. [Settle…]",
		"Documents: 2 paths can't be synced as they are. [Show…]",
		"Photos: 1,204 files deleted at once. Nothing is passed on until you say whether that was meant. [Decide…]",
		"Projects: The disk of /home/pat/Projects is not there; plug it in, and syncing goes on by itself. []",
		"Videos: Film.mkv needs 41 GB and Pat's laptop has 6.1 GB free besides the reserve of 5.0 GB: free 35 GB. []",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s", strings.Join(got, "\n"))
	}
}

// find gives the buttons with a text, in the order in which they stand.
func find(c fyne.Canvas, text string) (out []*look.Button) {
	root := c.Content()
	if top := c.Overlays().Top(); top != nil {
		root = top
	}
	for _, o := range test.LaidOutObjects(root) {
		if b, ok := o.(*look.Button); ok && b.Visible() && b.Text == text {
			out = append(out, b)
		}
	}
	return out
}

func TestButtons(t *testing.T) {
	e := &engine{}
	h := traytest.NewHost(t, e, traytest.Light)
	p := New(h)
	h.Put(p, traytest.Trouble(), 900, 2000)
	test.Tap(find(h.W.Canvas(), "Open")[1])
	test.Tap(find(h.W.Canvas(), "Settle…")[0])
	if h.Opened[0] != "open /home/pat/Photos" || h.Gone[0] != page.Conflicts || h.Args[0] != (page.Place{Folder: "Documents"}) {
		t.Errorf("%q, %q, %v", h.Opened, h.Gone, h.Args)
	}
	test.Tap(find(h.W.Canvas(), "Show…")[0])
	test.Tap(find(h.W.Canvas(), "Close")[0])
	for _, m := range p.menu(traytest.Calm().Folders[0]) {
		switch m.Label {
		case "Look for changes now", "Settings…", "History…":
			m.Action()
		case "Pause":
			m.ChildMenu.Items[1].Action()
			m.ChildMenu.Items[2].Action()
		}
	}
	s := traytest.Calm()
	s.Paused = status.Pause{State: "paused", Reason: "paused by hand"}
	p.Update(s)
	test.Tap(find(h.W.Canvas(), "Resume")[0])
	want := []string{`scan "Documents"`, `pause "Documents" 2h0m0s until <nil>`, `pause "Documents" 0s until 2026-11-22 06:00:00 +0000 UTC`, `resume ""`}
	if got := e.Asked(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
	if len(h.Gone) != 3 || h.Gone[1] != page.History || h.Gone[2] != page.Settings || h.Args[2] != (page.Place{Folder: "Documents"}) {
		t.Errorf("%q %v", h.Gone, h.Args)
	}
}

// TestRowsFollowTheState: folders that come, go and change are drawn at their places.
func TestRowsFollowTheState(t *testing.T) {
	h := traytest.NewHost(t, &engine{}, traytest.Light)
	p := New(h)
	h.Put(p, traytest.Many(200, 8), 800, 600)
	if n := p.rows.Alive(); n > 8 {
		t.Errorf("%d rows are drawn", n)
	}
	names := func() (out []string) {
		for _, o := range test.LaidOutObjects(h.W.Canvas().Content()) {
			if c, ok := o.(*card); ok && c.Visible() {
				out = append(out, c.name.Text())
			}
		}
		return out
	}
	h.Put(p, traytest.Busy(), 800, 1600)
	if got := names(); !slices.Equal(got, []string{"Documents", "Photos", "Projects"}) {
		t.Errorf("%q", got)
	}
	s := traytest.Busy()
	s.Folders = s.Folders[1:]
	p.Update(s)
	if got := names(); !slices.Equal(got, []string{"Photos", "Projects"}) {
		t.Errorf("%q", got)
	}
	p.Update(traytest.Alone())
	p.Update(traytest.Calm())
	if got := names(); len(got) != 3 {
		t.Errorf("%q", got)
	}
}

// BenchmarkUpdate is what a newer state of 200 folders on 8 devices costs, all of
// them changed.
func BenchmarkUpdate(b *testing.B) {
	h := traytest.NewHost(b, &engine{}, traytest.Light)
	p := New(h)
	one, two := traytest.Many(200, 8), traytest.Many(200, 8)
	for i := range two.Folders {
		f := &two.Folders[i]
		f.State, f.Need, f.Peers[3].NeedFiles = status.Syncing, status.Need{Files: 3, Bytes: 1e6}, 5
	}
	h.Put(p, one, 980-184, 640-29)
	b.ResetTimer()
	for i := range b.N {
		p.Update([]status.State{two, one}[i%2])
	}
}

// BenchmarkFirst is what the page costs until it stands.
func BenchmarkFirst(b *testing.B) {
	h := traytest.NewHost(b, &engine{}, traytest.Light)
	for range b.N {
		h.Put(New(h), traytest.Many(200, 8), 980-184, 640-29)
	}
}
