package conflicts

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pinion/engine/control"
	"pinion/tray/page"
	"pinion/tray/traytest"
)

func settledWith(f *fake) string {
	all := f.Asked()
	return strings.Join(all, "; ")
}

func TestListIsGroupedByFolder(t *testing.T) {
	p, _ := opened(t, gallery(t), false, 980, 640)
	var got []string
	for _, r := range p.list.rows {
		if r.item < 0 {
			got = append(got, "["+r.folder+"]")
		} else {
			got = append(got, p.items[r.item].Path)
		}
	}
	want := "[notes] garden/plan.txt shopping list.txt old/letter to the landlord.txt [photos] 2026/harvest.png catalogue.db"
	if strings.Join(got, " ") != want {
		t.Errorf("%q", got)
	}
}

// A key arms a choice, Enter does it; what is settled is what was seen.
func TestSettlingByKeys(t *testing.T) {
	for _, x := range []struct {
		name string
		keys []fyne.KeyName
		want string
	}{
		{"this", []fyne.KeyName{fyne.Key1, fyne.KeyReturn}, "this"},
		{"that", []fyne.KeyName{fyne.Key2, fyne.KeyReturn}, "that"},
		{"both", []fyne.KeyName{fyne.Key3, fyne.KeyEnter}, "both"},
		{"another word is the last", []fyne.KeyName{fyne.Key1, fyne.Key2, fyne.KeyReturn}, "that"},
		{"not confirmed", []fyne.KeyName{fyne.Key1}, ""},
		{"escape", []fyne.KeyName{fyne.Key1, fyne.KeyEscape, fyne.KeyReturn}, ""},
		{"enter alone", []fyne.KeyName{fyne.KeyReturn}, ""},
		{"merge with nothing decided", []fyne.KeyName{fyne.KeyM, fyne.KeyReturn, fyne.KeyReturn}, ""},
		{"merge", []fyne.KeyName{fyne.KeyM, fyne.Key2, fyne.KeyReturn, fyne.KeyReturn}, "merge"},
	} {
		t.Run(x.name, func(t *testing.T) {
			f := gallery(t)
			p, h := opened(t, f, false, 980, 640)
			press(p, fyne.KeyDown, fyne.KeyDown, fyne.KeyReturn)
			if p.open == nil || p.open.k.Path != "shopping list.txt" {
				t.Fatalf("%+v is open", p.open)
			}
			k := p.open.k
			press(p, x.keys...)
			want := ""
			if x.want != "" {
				want = "resolve notes/" + k.Copy + " " + x.want
			}
			if got := settledWith(f); got != want {
				t.Errorf("asked %q", got)
			}
			if x.want != "" && (f.last.If.This != k.ThisContent || f.last.If.That != k.ThatContent || p.open.k.Path != "old/letter to the landlord.txt") {
				t.Errorf("asked %+v; %s is open", f.last, p.open.k.Path)
			}
			if x.want == "merge" && string(f.last.Text) != "milk\nbutter\n" {
				t.Errorf("merged to %q", f.last.Text)
			}
			if len(h.Errors) > 0 {
				t.Error(h.Errors)
			}
		})
	}
}

func TestSettlingByTapsAndUndo(t *testing.T) {
	f := gallery(t)
	p, _ := opened(t, f, false, 980, 640)
	p.show(p.items[1])
	k := p.open.k
	test.Tap(p.open.choices[keyThat])
	if said := p.foot.said.Text(); said != "shopping list.txt: Kept laptop's, yesterday 14:03. The other version is in the archive until 21 Dec." || !p.foot.root.Visible() {
		t.Errorf("said %q", said)
	}
	if len(p.items) != 4 || p.countOf("notes") != 2 {
		t.Errorf("%d are left, %d in notes", len(p.items), p.countOf("notes"))
	}
	test.Tap(p.foot.undo)
	if got := settledWith(f); !strings.HasSuffix(got, "undo notes/"+k.Copy+" that") {
		t.Errorf("asked %q", got)
	}
	if p.open == nil || p.open.k.Copy != k.Copy || len(p.items) != 5 {
		t.Errorf("what was taken back is not open: %+v", p.open)
	}
	if p.open.this.device != "pi1" || p.open.that.device != "laptop" {
		t.Errorf("the sides are %s's and %s's", p.open.this.device, p.open.that.device)
	}
	if p.foot.undo.Visible() {
		t.Error("it can be taken back twice")
	}
}

func TestTheLastOneLeadsBackToTheList(t *testing.T) {
	f := newFake()
	f.edit("notes", "a.txt", "x\n", "y\n", "")
	p, _ := opened(t, f, false, 980, 640)
	p.show(p.items[0])
	test.Tap(p.open.choices[keyThis])
	if p.open != nil || p.list.list.Visible() || p.list.empty.(fyne.CanvasObject).Visible() == false {
		t.Error("the list does not say that there is nothing left")
	}
}

func TestDeletionIsAnsweredInItsOwnWords(t *testing.T) {
	for key, want := range map[string]string{keyThis: "edit", keyThat: "deletion"} {
		f := gallery(t)
		p, _ := opened(t, f, false, 980, 640)
		p.show(p.items[2])
		if p.open.choices[keyBoth] != nil {
			t.Error("both can be kept of a file and its deletion")
		}
		test.Tap(p.open.choices[key])
		if got := settledWith(f); got != "resolve notes/old/letter to the landlord.txt "+want {
			t.Errorf("asked %q", got)
		}
		if p.foot.undo.Visible() != (want == "deletion") {
			t.Errorf("%s: undo %v", want, p.foot.undo.Visible())
		}
	}
}

// What changes under a person's eyes is shown anew; with edits of his it is said,
// and they stay.
func TestAVersionThatChangesMeanwhile(t *testing.T) {
	f := gallery(t)
	p, _ := opened(t, f, false, 980, 640)
	p.show(p.items[1])
	first := p.open
	f.list[1].ThisContent = id(99)
	f.text[id(99)] = []byte("milk\njam\n")
	s := f.state()
	s.Folders[0].Bytes = 77
	p.Update(s)
	if p.open == first || p.open.diff.this[1] != "jam" {
		t.Fatal("the new version is not shown")
	}
	press(p, fyne.KeyM, fyne.KeyF2)
	p.open.merging.entry.SetText("my own words")
	second := p.open
	f.list[1].ThatContent = id(98)
	f.text[id(98)] = []byte("milk\nham\n")
	s.Folders[0].Bytes = 78
	p.Update(s)
	if p.open != second || !second.changed || second.merging.entry.Text != "my own words" || len(second.notice.Objects) != 1 {
		t.Fatal("the person's words are gone, or nothing is said")
	}
	press(p, fyne.KeyM, fyne.KeyReturn)
	if got := settledWith(f); got != "" {
		t.Errorf("asked %q", got)
	}
}

// A status that is only newer leaves what a person has edited, and where he is.
func TestEditsOutliveUpdatesAndWalks(t *testing.T) {
	f := gallery(t)
	p, _ := opened(t, f, false, 980, 640)
	p.show(p.items[0])
	press(p, fyne.KeyM)
	p.open.merging.entry.SetText("mine")
	for i := range int64(3) {
		s := f.state()
		s.Folders[0].Bytes, s.Folders[1].Conflicts = i, 5+i
		p.Update(s)
	}
	if p.open.merging.entry.Text != "mine" {
		t.Error("lost by an update")
	}
	press(p, fyne.KeyJ, fyne.KeyK)
	if !p.open.inMerge || p.open.merging.entry.Text != "mine" {
		t.Error("lost by walking on and back")
	}
	press(p, fyne.KeyEscape)
	p.open.choose(keyThis) // would let go of it: asked twice
	if got := settledWith(f); got != "" {
		t.Errorf("asked %q", got)
	}
	p.open.choose(keyThis)
	if got := settledWith(f); !strings.HasSuffix(got, " this") {
		t.Errorf("asked %q", got)
	}
}

func TestSettledElsewhereIsToldCalmly(t *testing.T) {
	f := gallery(t)
	p, h := opened(t, f, false, 980, 640)
	p.show(p.items[1])
	f.list = slices.Delete(f.list, 1, 2)
	p.Update(f.state())
	if !p.open.over || len(p.open.notice.Objects) != 1 || !p.open.choices[keyThis].off {
		t.Error("it is not said, or can still be settled")
	}
	press(p, fyne.Key1, fyne.KeyReturn)
	if settledWith(f) != "" || len(h.Errors) > 0 {
		t.Errorf("asked %q, errors %q", settledWith(f), h.Errors)
	}
	// And when it is noticed only by settling.
	p.show(p.items[0])
	f.list = f.list[1:]
	test.Tap(p.open.choices[keyThis])
	if !p.open.over {
		t.Error("it is not said")
	}
}

func TestWhatFailsIsSaidAndCanBeTriedAgain(t *testing.T) {
	f := gallery(t)
	f.fail["shopping list.txt"] = errBusy
	p, _ := opened(t, f, false, 980, 640)
	p.show(p.items[1])
	d := p.open
	test.Tap(d.choices[keyThis])
	if p.open != d || d.busy || d.choices[keyThis].off || len(d.notice.Objects) != 1 {
		t.Error("it is not said, or can't be tried again")
	}
	delete(f.fail, "shopping list.txt")
	test.Tap(d.choices[keyThis])
	if p.open == d {
		t.Error("not settled")
	}
}

func TestMergeOfThreeWays(t *testing.T) {
	f := gallery(t)
	p, _ := opened(t, f, false, 980, 640)
	p.show(p.items[0])
	press(p, fyne.KeyM)
	m := p.open.merging
	if !m.j.Known || m.j.Left() != 1 || m.j.Collisions() != 1 || len(m.j.Places) != 3 {
		t.Fatalf("%d left, %d collide, %d places", m.j.Left(), m.j.Collisions(), len(m.j.Places))
	}
	if !p.open.choices[keyMerge].off || p.open.choices[keyThis].Visible() {
		t.Error("an undecided merge can be kept, or a side can be kept by the keys of a place")
	}
	m.entry.SetText("We plant the beans in May, after the last frost, when nights are really warm.")
	press(p, fyne.KeyReturn, fyne.KeyReturn)
	this, that, _ := garden()
	text := string(f.last.Text)
	for _, want := range []string{"after the last frost, when nights are really warm.\nWater", "Bed 30: potatoes\nBed 30b: pumpkins\n", "The key is with Ada.\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in the merge", want)
		}
	}
	if f.last.Keep != control.KeepMerge || text == this || text == that {
		t.Errorf("asked %s", settledWith(f))
	}
}

func TestOpenOpensTheFileOfTheSide(t *testing.T) {
	f := gallery(t)
	p, h := opened(t, f, false, 980, 640)
	p.show(p.items[4])
	for _, o := range buttons(p.open.root) {
		if o.Text == "Open" {
			test.Tap(o)
		}
	}
	want := []string{"open /home/pat/photos/catalogue.db", "open /home/pat/photos/" + p.open.k.Copy}
	if !slices.Equal(h.Opened, want) {
		t.Errorf("%q", h.Opened)
	}
}

func buttons(o fyne.CanvasObject) (out []*keyButton) {
	switch x := o.(type) {
	case *keyButton:
		out = append(out, x)
	case *fyne.Container:
		for _, c := range x.Objects {
			out = append(out, buttons(c)...)
		}
	}
	return out
}

func TestReceiveOpensAConflict(t *testing.T) {
	f := gallery(t)
	host := traytest.NewHost(t, f, traytest.Light)
	p := New(host)
	host.W.SetContent(p.Content())
	p.Receive(page.Place{Folder: "photos", Path: "catalogue.db"})
	if p.open == nil || p.open.k.Path != "catalogue.db" {
		t.Error("not open")
	}
	p.Receive(page.Place{Folder: "photos", Path: "none"})
	p.Receive(17)
}

func TestBulk(t *testing.T) {
	f := newFake()
	for i := range 250 {
		f.edit("notes", fmt.Sprintf("%d.txt", i), "x\n", "y\n", "")
	}
	f.deletion("notes", "gone.txt", "x")
	f.edit("other", "b.txt", "x\n", "y\n", "")
	f.list[7].That.MTime = f.list[7].This.MTime.Add(time.Hour)
	f.list[8].That.Device = "pi1"
	f.fail["9.txt"] = errBusy
	for _, x := range []struct {
		rule           string
		settled, left  int64
		failed, resets int
	}{
		{"laptop's", 248, 2, 1, 0}, // not 8, which is of pi1 alone, nor the deletion
	} {
		p, _ := opened(t, f, false, 980, 640)
		b := newBulk(p, "notes")
		b.show()
		b.pick.SetSelected(x.rule)
		test.Tap(b.goOn)
		if got := len(f.list); got != 4 {
			t.Errorf("%s: %d are left", x.rule, got)
		}
		if said := b.said.Text; !strings.HasPrefix(said, "248 conflicts are settled. 2 are left: the choice does not fit them. 1 was not settled:") {
			t.Errorf("%s: %q", x.rule, said)
		}
		if !strings.Contains(b.failed.Text, "9.txt: ") {
			t.Errorf("%q", b.failed.Text)
		}
	}
	for _, a := range f.Asked() {
		if !strings.HasSuffix(a, " that") || strings.Contains(a, "other/") {
			t.Fatal(a)
		}
	}
}

func TestLaterRule(t *testing.T) {
	later := rulesFor(nil)[0]
	f := newFake()
	a := f.edit("notes", "a.txt", "x", "y", "")
	if later.keep(a) != control.KeepThis {
		t.Error("pi1's is later")
	}
	a.That.MTime = a.This.MTime.Add(time.Second)
	if later.keep(a) != control.KeepThat {
		t.Error("laptop's is later")
	}
	a.This = nil
	if later.keep(a) != control.KeepThat {
		t.Error("there is only one")
	}
}

// A stop ends it between two.
func TestBulkStops(t *testing.T) {
	f := newFake()
	for i := range 10 {
		f.edit("notes", fmt.Sprintf("%d.txt", i), "x\n", "y\n", "")
	}
	ctx, stop := context.WithCancel(t.Context())
	out := settleAll(ctx, f, "notes", rulesFor(nil)[0], func(done int64) {
		if done == 3 {
			stop()
		}
	})
	if out.settled != 3 || !out.stopped {
		t.Errorf("%+v", out)
	}
}

// Nothing here grows with the texts but their lines: what is shown is what fits.
func TestAHugeTextHasFewWidgets(t *testing.T) {
	var this, that strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&this, "line %d\n", i)
		if i%10 == 0 {
			fmt.Fprintf(&that, "line %d, changed\n", i)
		} else {
			fmt.Fprintf(&that, "line %d\n", i)
		}
	}
	f := newFake()
	f.edit("notes", "a.txt", "", "", "")
	k := f.list[0]
	f.text[k.ThisContent], f.text[k.ThatContent] = []byte(this.String()), []byte(that.String())
	p, h := opened(t, f, false, 980, 640)
	p.show(p.items[0])
	if n := len(p.open.diff.lines); n < 100_000 {
		t.Fatalf("%d lines", n)
	}
	press(p, fyne.KeyEnd, fyne.KeyPageUp, fyne.KeyN, fyne.KeyN)
	if n := len(test.LaidOutObjects(h.W.Canvas().Content())); n > 3000 {
		t.Errorf("%d objects", n)
	}
}

func TestFoldsOpenByATap(t *testing.T) {
	p, _ := opened(t, gallery(t), false, 980, 640)
	p.show(p.items[0])
	v := p.open.diff
	was := len(v.lines)
	for i, l := range v.lines {
		if l.fold > 0 {
			v.list.Select(i)
			if len(v.lines) != was+int(l.fold)-1 {
				t.Errorf("%d lines after %d were shown, %d before", len(v.lines), l.fold, was)
			}
			return
		}
	}
	t.Error("nothing is folded")
}

func TestPicturesAreBounded(t *testing.T) {
	bomb := []byte("GIF89a\xff\xff\xff\xff\x00\x00\x00")
	if p := decode(bomb); p.img != nil || !strings.Contains(p.why, "65535 × 65535") {
		t.Errorf("%+v", p)
	}
	for _, junk := range []string{"", "\x89PNG\r\n\x1a\n", "GIF89a\x02\x00\x02\x00\x00\x00\x00"} {
		if p := decode([]byte(junk)); p.img != nil || p.why == "" {
			t.Errorf("%q: %+v", junk, p)
		}
	}
}

// The name of a file, of a device and the text in it are shown as plain text.
func TestWhatAPeerWroteIsShownPlainly(t *testing.T) {
	f := newFake()
	k := f.edit("no\u202etes", "a\n**b**\u202e.txt", "x\u202ey\n", "z\x1b[31m\n", "")
	f.list[0].This.Device, f.list[0].That.Device = "pi\u202e1\n", strings.Repeat("x", 3000)
	_ = k
	p, h := opened(t, f, false, 980, 640)
	p.show(p.items[0])
	markup := test.RenderToMarkup(h.W.Canvas())
	if strings.ContainsAny(markup, "\u202e\x1b") || strings.Contains(markup, strings.Repeat("x", 1000)) {
		t.Error("a peer's words are shown as they came")
	}
}
