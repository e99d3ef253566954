//go:build desktoptest

package desktoptest

import (
	"fmt"
	"image"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pinion/tray/present"
)

const (
	ours   = "Dear Pat,\n\nthe boat is ready.\nWe sail on Saturday at nine.\n\nYours, Kim\n"
	theirs = "Dear Pat,\n\nthe boat leaks again.\nWe sail on Monday.\n\nYours, Kim\n"
)

// A conflict is told, opened from what told it, and settled with the pointer. What
// was not kept can be had back.
func TestConflictIsSettled(t *testing.T) {
	d := newPat(t, deskOptions{})
	i := d.icon(d.laptop.tray(hidden).pid())
	i.looks(present.IconInSync)
	d.conflict(d.laptop, d.pi, "Documents", "letter.txt", ours, theirs)
	i.looks(present.IconNeeds)
	i.says("^(Pinion: )?Waiting for you: ")
	i.shows(`^Conflicts \(1\)`)
	x := d.notice("letter.txt")
	d.did("told: %s", x)
	d.answer(x, "(?i)compare|settle|choose|show")
	d.openConflict("letter.txt")
	d.clickWords("Keep pi's")
	d.settled(i, theirs, ours)
}

// openConflict waits for the window at the conflict, or at the list that it is in;
// from there it goes on with the pointer, or with keys if some are given.
func (d *Desk) openConflict(name string, keys ...string) {
	d.t.Helper()
	w := d.window()
	at, which := d.reads(w.rect, "Keep laptop's", name)
	if which == name {
		d.did("the window opened at the list of conflicts")
		if len(keys) > 0 {
			d.key(keys...)
		} else {
			d.click(at)
		}
	}
	d.reads(w.rect, "Keep laptop's")
	d.reads(w.rect, name)
	d.did("the window is at the conflict")
}

// settled looks at both disks after a conflict about letter.txt: kept stands on
// both, lost is in an archive.
func (p *pat) settled(i *icon, kept, lost string) {
	p.t.Helper()
	p.until("the conflict is settled on both devices", func() (string, bool) {
		for _, v := range []*device{p.laptop, p.pi} {
			if c, err := v.Conflicts(p.t.Context()); err != nil || len(c) > 0 {
				return fmt.Sprintf("%s: %v %v", v.name, c, err), false
			}
		}
		return "", true
	})
	p.level("Documents", p.laptop, p.pi)
	for _, v := range []*device{p.laptop, p.pi} {
		files := tree(v.folder("Documents"))
		if files["letter.txt"] != kept || len(files) != len(docs) {
			p.t.Errorf("%s holds %d files, and letter.txt with %q", v.name, len(files), files["letter.txt"])
		}
	}
	if !p.laptop.archived("Documents", lost) && !p.pi.archived("Documents", lost) {
		p.t.Errorf("the version that was not kept is in no archive")
	}
	i.looks(present.IconInSync)
	p.did("settled: both devices hold what was chosen, the other version is in the archive")
}

// The same without a pointer: the notification is a real daemon's and is clicked
// there, the rest goes by keys.
func TestConflictByKeys(t *testing.T) {
	d := newPat(t, deskOptions{realNotifs: true})
	i := d.icon(d.laptop.tray(hidden).pid())
	i.looks(present.IconInSync)
	d.conflict(d.laptop, d.pi, "Documents", "letter.txt", ours, theirs)
	x := d.notice("letter.txt")
	d.did("told: %s", x)
	d.clickPopup(len(x.actions)/2, 0)
	d.openConflict("letter.txt", "Down", "Return")
	// 1 is the version that holds the name: the one at the left.
	w := d.window()
	here, _ := d.reads(w.rect, "Keep laptop's")
	there, _ := d.reads(w.rect, "Keep pi's")
	if here.Min.X < there.Min.X {
		d.key("1")
	} else {
		d.key("2")
	}
	d.reads(w.rect, "Enter keeps laptop's")
	d.key("Return")
	d.settled(i, ours, theirs)
}

// clickPopup clicks the nth of several buttons of the notification on the screen.
// The daemon sets them in a row at the right of the popup's foot.
func (d *Desk) clickPopup(buttons, n int) {
	d.t.Helper()
	var at image.Rectangle
	d.until("the notification is on the screen", func() (string, bool) {
		out, err := d.run("xdotool", "search", "--onlyvisible", "--class", "xfce4-notifyd")
		for _, id := range strings.Fields(out) {
			if r := d.geometry(id); r.Dx() > 120 && r.Dy() > 60 && r.Min.X >= 0 {
				at = r
			}
		}
		return fmt.Sprint(out, err), !at.Empty()
	})
	d.did("the notification is at %v", at)
	right := at.Max.X - 14
	const button, gap = 85, 7
	x := right - (buttons-n)*(button+gap) + gap + button/2
	y := at.Max.Y - 31
	d.click(image.Rect(x-2, y-2, x+2, y+2))
}

// Most of a folder disappears: nothing follows until a person has answered.
func TestHeldDeletion(t *testing.T) {
	d := newPat(t, deskOptions{})
	photos := map[string]string{}
	for n := range 40 {
		photos[fmt.Sprintf("2026/boat %02d.jpg", n)] = fmt.Sprint("picture ", n)
	}
	dir := d.laptop.share("Photos", photos)
	d.level("Photos", d.laptop, d.pi)
	i := d.icon(d.laptop.tray(hidden).pid())
	i.looks(present.IconInSync)
	for n := range 36 {
		_ = os.Remove(filepath.Join(dir, fmt.Sprintf("2026/boat %02d.jpg", n)))
	}
	i.looks(present.IconNeeds)
	i.shows("^Held back")
	x := d.notice("36 files.* deleted")
	d.did("told: %s", x)
	d.answer(x, "Take it back")
	w := d.window()
	d.reads(w.rect, "boat 00.jpg", "2026/boat 00.jpg")
	d.did("the window asks")
	d.clickWords("Take it back")
	d.until("the files are back", func() (string, bool) {
		files := tree(dir)
		return fmt.Sprint(len(files)), len(files) == 40
	})
	d.level("Photos", d.laptop, d.pi)
	i.looks(present.IconInSync)
	i.hides("^Held back")
	d.did("taken back: all 40 files stand on both devices")
}

// The same, but it was meant; found by the menu.
func TestHeldDeletionHappens(t *testing.T) {
	d := newPat(t, deskOptions{})
	drafts := map[string]string{}
	for n := range 30 {
		drafts[fmt.Sprintf("draft %02d.txt", n)] = fmt.Sprint("draft ", n)
	}
	dir := d.laptop.share("Drafts", drafts)
	d.level("Drafts", d.laptop, d.pi)
	i := d.icon(d.laptop.tray(hidden).pid())
	i.looks(present.IconInSync)
	for n := range 28 {
		_ = os.Remove(filepath.Join(dir, fmt.Sprintf("draft %02d.txt", n)))
	}
	i.looks(present.IconNeeds)
	i.choose("^Held back")
	d.reads(d.window().rect, "draft 00.txt")
	d.clickWords("Let it happen…")
	if len(tree(d.pi.folder("Drafts"))) != 30 {
		t.Error("the Pi has followed before the second question was answered")
	}
	cancel, _ := d.reads(d.window().rect, "Cancel")
	beside := image.Rect(cancel.Max.X, cancel.Min.Y-12, cancel.Max.X+220, cancel.Max.Y+12)
	yes, _ := d.reads(beside, "Let it happen")
	d.click(yes)
	d.until("the deletion has reached the Pi", func() (string, bool) {
		files := tree(d.pi.folder("Drafts"))
		return fmt.Sprint(len(files)), len(files) == 2
	})
	d.level("Drafts", d.laptop, d.pi)
	i.looks(present.IconInSync)
	d.did("let happen: both devices hold the 2 files that are left")
}

// The Pi has a folder that the laptop has not: it asks, and a place is chosen.
func TestOfferIsAccepted(t *testing.T) {
	d := newPat(t, deskOptions{})
	i := d.icon(d.laptop.tray(hidden).pid())
	i.looks(present.IconInSync)
	d.pi.share("Recipes", map[string]string{"soup.txt": "Water, salt, and a stone.\n"})
	i.looks(present.IconNeeds)
	i.shows("^Offered folders")
	x := d.notice("offers the folder Recipes")
	d.did("told: %s", x)
	d.answer(x, "Accept")
	w := d.window()
	d.reads(w.rect, "Recipes")
	d.did("the window asks where")
	d.clickWords("Take it")
	var where string
	d.until("the laptop has the folder", func() (string, bool) {
		s, err := d.laptop.state()
		for _, f := range s.Folders {
			if f.Name == "Recipes" {
				where = f.Path
			}
		}
		return fmt.Sprint(s.Offers, err), where != ""
	})
	d.until("its file has come", func() (string, bool) {
		files := tree(where)
		return fmt.Sprint(where, files), files["soup.txt"] != ""
	})
	i.looks(present.IconInSync)
	d.did("accepted into %s, and the file has come", where)
}
