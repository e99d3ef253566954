package guide

import (
	"errors"
	"image/color"
	"slices"
	"strings"
	"testing"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/traytest"
)

func (b *bench) wants(what, got, want string) {
	b.t.Helper()
	if got != want {
		b.t.Errorf("%s: %q instead of %q", what, got, want)
	}
}

func (b *bench) closed() bool { return b.h.W.Canvas().Overlays().Top() == nil }

func TestAddFolder(t *testing.T) {
	b := newBench(t, traytest.Light)
	b.e.spot = control.Spot{There: true, Total: 10, Free: 5, Network: true}
	addFolder(b.w)
	b.press("Add folder")
	if !b.says("Choose a directory first.") {
		t.Error("without a directory nothing is said")
	}
	b.field(0).SetText("~/docs")
	b.wants("the name that the directory suggests", b.field(1).Text, "docs")
	b.clock.pass()
	if !b.says("It is on a network disk, so that Pinion keeps its own data about it in your home directory. 5 B are free.") {
		t.Error("it is not said that the disk is across a network")
	}
	b.e.err = errors.New("the disk is on fire")
	b.press("Add folder")
	if !b.says("The disk is on fire.") || b.closed() {
		t.Error("what went wrong is not said")
	}
	b.e.err = nil
	b.field(1).SetText("Letters")
	b.field(0).SetText("/home/pat/docs")
	b.clock.pass()
	b.wants("the name that was typed stays", b.field(1).Text, "Letters")
	b.press("Add folder")
	b.wants("asked", b.asked(), "add /home/pat/docs Letters two-way home")
	if !b.closed() {
		t.Error("the dialog is still open")
	}
}

func TestPlacesAreDescribed(t *testing.T) {
	for want, spot := range map[string]control.Spot{
		"There is no such directory.":                                     {},
		"This disk can only be read.":                                     {There: true, ReadOnly: true},
		"That holds the key.":                                             {There: true, Refused: "that holds the key"},
		"This was a folder of Pinion before; it goes on as the same one.": {There: true, Was: true},
		"It is on a disk that can be unplugged: that is fine, nothing is deleted when it is away. 1.0 kB are free.": {There: true, Removable: true, Total: 5000, Free: 1000},
	} {
		b := newBench(t, traytest.Light)
		b.e.spot = spot
		addFolder(b.w)
		b.field(0).SetText("/x")
		b.clock.pass()
		if !b.says(want) {
			t.Errorf("it is not said: %s", want)
		}
	}
}

func TestOffer(t *testing.T) {
	b := newBench(t, traytest.Light)
	offer(b.w, status.Offer{ID: tree.FolderID{3}, Name: "../evil\u202e", From: "attic"})
	if p := b.field(0).Text; strings.Contains(p, "/../") || !strings.HasPrefix(p, "/home/pat/") {
		t.Errorf("a name from elsewhere makes the path %q", p)
	}
	b.press("Take it")
	if got := b.asked(); !strings.HasPrefix(got, "accept 0300 _evil_ ") || !b.closed() {
		t.Errorf("asked %q", got)
	}
	offer(b.w, anOffer)
	b.press("Not now")
	if n := len(b.e.Asked()); n != 1 || !b.closed() {
		t.Errorf("not now asks %v", b.e.Asked())
	}
	offer(b.w, anOffer)
	b.press("Decline")
	b.wants("asked", b.asked(), "decline 0300 false")
}

func TestHeldDefaultsToWhatLosesNothing(t *testing.T) {
	b := newBench(t, traytest.Light)
	held(b.w, heldFolder())
	back := b.button("Take it back")
	if b.h.W.Canvas().Focused() != fyne.Focusable(back) || back.Importance != widget.HighImportance {
		t.Error("the safe answer is not the one that Enter gives")
	}
	if !b.says("3,204 of 12,407 files were deleted at once") || !b.says(`evil\u202e\n.jpg`) {
		t.Error("it is not said what is about to be lost")
	}
	back.TypedKey(&fyne.KeyEvent{Name: fyne.KeyReturn})
	b.wants("asked", b.asked(), "restore /home/pat/Photos")
	if !b.closed() {
		t.Error("the dialog is still open")
	}

	held(b.w, heldFolder())
	b.press("Let it happen…")
	if b.asked() != "restore /home/pat/Photos" {
		t.Error("it is not asked once more")
	}
	b.press("Let it happen")
	b.wants("asked", b.asked(), "confirm 0100")
	if !b.closed() {
		t.Error("the dialog is still open")
	}
}

func TestHeldSaysWhatWentWrong(t *testing.T) {
	b := newBench(t, traytest.Light)
	b.e.err = &control.Error{Kind: control.KindFailed, Text: "folder Photos can't be used now: its disk is away"}
	held(b.w, heldFolder())
	b.press("Take it back")
	if b.closed() || !b.says("Folder Photos can't be used now: its disk is away.") {
		t.Error("it is not said")
	}
}

func TestHeldWords(t *testing.T) {
	b := newBench(t, traytest.Light)
	f := heldFolder()
	f.Holds[0].Overwritten = true
	b.wants("both", heldTitle(f), "3,204 of 12,407 files were deleted, or overwritten with what looks encrypted")
	f.Holds = nil
	f.Reason = "the folder is empty\nnow"
	b.wants("unknown", heldTitle(f)+" "+heldWhat(f, b.w), `Much was changed at once the folder is empty\nnow`)
}

func TestInvitationRunsOutAndIsTaken(t *testing.T) {
	b := newBench(t, traytest.Light)
	addDevice(b.w, "")
	b.wants("the link", b.field(0).Text, aLink)
	b.field(0).SetText("something else")
	b.wants("the link after it was typed over", b.field(0).Text, aLink)
	b.press("Copy the link")
	b.wants("the clipboard", fyne.CurrentApp().Clipboard().Content(), aLink)
	if !b.says("Good for one device, for 15:00 more.") {
		t.Error("it is not said how long it is good")
	}
	b.clock.pass()
	if len(b.clock.due) != 1 {
		t.Fatalf("%d look-ups are due while it is open", len(b.clock.due))
	}
	b.press("Close")
	b.clock.pass()
	if len(b.clock.due) != 0 {
		t.Error("it is looked up after it was closed")
	}

	p := newInvitePanel(b.w, func() bool { return true })
	p.fit = func() {}
	p.show(control.Invitation{Link: aLink, Expires: traytest.Noon()}, status.State{})
	if !p.again.Visible() || p.paper.Visible() || !p.copy.Disabled() {
		t.Error("one that has run out still looks good")
	}
}

func TestJoin(t *testing.T) {
	b := newBench(t, traytest.Light)
	addDevice(b.w, "")
	b.press("Join another device")
	for text, want := range map[string]string{"": "Paste the invitation first.", "https://x": "This is no invitation: those begin with pinion://join/."} {
		b.field(0).SetText(text)
		b.press("Join")
		if !b.says(want) {
			t.Errorf("%q: it is not said: %s", text, want)
		}
	}
	b.field(0).SetText(" " + aLink + "\n")
	b.field(1).SetText("host:1")
	b.e.err = errors.New("the invitation has run out; ask for a new one")
	b.press("Join")
	if !b.says("The invitation has run out; ask for a new one.") {
		t.Error("why it failed is not said")
	}
	b.e.err = nil
	b.press("Join")
	b.wants("asked", b.asked(), "join "+aLink+` at "host:1"`)
	if !b.says("This device has joined attic") {
		t.Error("it is not said that it worked")
	}
}

// The code holds the link: its finder patterns stand in the corners, inside a
// white edge.
func TestCode(t *testing.T) {
	img, err := codeOf(aLink)
	if err != nil {
		t.Fatal(err)
	}
	side := img.Bounds().Dx()
	at := func(x, y int) bool { return img.At(x, y).(color.Gray).Y == 0 }
	for i := range side {
		if at(i, 0) || at(0, i) || at(side-1, i) || at(i, side-1) {
			t.Fatal("the edge is not white")
		}
	}
	for _, c := range [][2]int{{4, 4}, {side - 11, 4}, {4, side - 11}} {
		if !at(c[0], c[1]) || !at(c[0]+6, c[1]+6) || at(c[0]+1, c[1]+1) || !at(c[0]+3, c[1]+3) {
			t.Errorf("no finder pattern at %v", c)
		}
	}
	if _, err := codeOf(strings.Repeat("x", 5000)); err == nil {
		t.Error("a text that no code can hold has one")
	}
}

func TestFirstRun(t *testing.T) {
	b := newBench(t, traytest.Light)
	s := b.e.Board.Now()
	prefs := b.h.Prefs()
	if !Due(s, prefs) || Due(status.State{Folders: make([]status.Folder, 1)}, prefs) || Due(status.State{Devices: make([]status.Device, 1)}, prefs) {
		t.Error("it is shown at the wrong time")
	}
	b.e.spot = control.Spot{There: true}
	firstRunOf(b.w, s)
	b.field(0).SetText("desk")
	b.press("Next")
	b.field(0).SetText("/home/pat/docs")
	b.press("Add folder")
	if !slices.Equal(b.e.Asked(), []string{"name desk", "add /home/pat/docs docs two-way ", "invite"}) {
		t.Errorf("asked %q", b.e.Asked())
	}
	b.press("Done")
	b.press("Close")
	if !b.closed() || Due(s, prefs) {
		t.Error("it does not end")
	}

	b.e.err = errors.New("no")
	f := firstRunOf(b.w, s)
	for range 3 {
		b.press("Skip")
	}
	if f.at != 3 || slices.Contains(b.e.Asked()[3:], "name laptop") {
		t.Errorf("skipping asks %q", b.e.Asked())
	}
	b.press("Close")
}
