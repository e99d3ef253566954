package conflicts

import (
	"context"
	"errors"
	"path"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

// The keys of the choices, and what they stand for.
const (
	keyThis  = "1"
	keyThat  = "2"
	keyBoth  = "3"
	keyMerge = "M"
)

// detail is one conflict.
type detail struct {
	p          *Page
	k          control.Conflict
	this, that side
	read       both
	loaded     bool
	over       bool // settled elsewhere
	changed    bool // one of the sides is not what is shown any more
	busy       bool

	root    *fyne.Container
	notice  *fyne.Container
	strip   *fyne.Container // what stands above the body: compare or merge, the differences
	notes   *widget.Label
	body    *fyne.Container
	say     *widget.Label
	below   *fyne.Container // the foot
	choices map[string]*choice
	armed   string // the key of the choice that Enter does

	diff    *diffView
	merging *mergeView // made when it is first shown
	inMerge bool
	tabs    [2]*keyButton
	place   *look.Text
}

func newDetail(p *Page, k control.Conflict) *detail {
	d := &detail{p: p, k: k, choices: map[string]*choice{}}
	d.this, d.that = p.sides(k)
	d.notice, d.body = container.NewStack(), container.NewStack()
	d.notes = look.Quiet("")
	d.notes.Hide()
	d.say = look.Quiet("")
	d.strip = container.NewStack()
	top := look.Column(look.Apart, d.bar(), d.notice, d.heads())
	middle := container.NewBorder(look.Column(0, d.strip, d.notes), nil, nil, nil, frame(d.body))
	d.root = look.Pad(container.NewBorder(top, d.foot(), nil, nil, look.Pad(middle, 8, 0)), 14, look.Margin)
	d.sayWhat()
	return d
}

// bar is the way back, what is shown, and the way on.
func (d *detail) bar() fyne.CanvasObject {
	p := d.p
	back := newKeyButton(lang.L("All conflicts"), theme.NavigateBackIcon(), d.key, p.back)
	back.Importance = widget.LowImportance
	before := newKeyButton("", theme.MediaSkipPreviousIcon(), d.key, func() { p.step(-1) })
	after := newKeyButton("", theme.MediaSkipNextIcon(), d.key, func() { p.step(1) })
	before.Importance, after.Importance = widget.LowImportance, widget.LowImportance
	at, n := p.at(d.k)+1, int(p.total())
	if at <= 1 {
		before.Disable()
	}
	if at >= len(p.items) {
		after.Disable()
	}
	which := look.Secondary("").Whole()
	if at > 0 {
		which.SetText(lang.L("{{.At}} of {{.All}}", data{"At": present.Number(int64(at)), "All": present.Number(int64(n))}))
	}
	where := present.CleanName(d.k.Folder, 40)
	if dir := path.Dir(d.k.Path); dir != "." {
		where += " / " + present.CleanName(dir, 120)
	}
	words := look.Column(1, look.SubHeading(present.CleanName(path.Base(d.k.Path), 80)), look.Secondary(where).Tail())
	on := look.Line(2, look.Middle(which), layout.NewSpacer(), before, after)
	return container.NewBorder(nil, nil, look.Middle(back), look.Middle(on), look.Pad(look.Middle(words), 0, 6))
}

// heads stand over the two sides: whose it is, when, how large, and what keeps it.
func (d *detail) heads() fyne.CanvasObject {
	return container.NewGridWithColumns(2, d.head(d.this, keyThis, d.k.Path), d.head(d.that, keyThat, d.k.Copy))
}

func (d *detail) head(s side, key, file string) fyne.CanvasObject {
	name := look.SubHeading(s.device).Colored(s.color())
	if s.gone && !s.deleted {
		name = look.SubHeading(s.facts()).Colored(look.ColorSecondary)
	}
	marks := look.Line(6)
	if s.own {
		marks.Add(look.Middle(look.NewBadge(look.Plain, lang.L("this device"))))
	}
	if !s.gone {
		open := newKeyButton(lang.L("Open"), theme.FileIcon(), d.key, func() { d.p.h.Open(d.p.file(d.k.Folder, file)) })
		open.Importance = widget.LowImportance
		marks.Add(open)
	}
	facts := s.facts()
	switch {
	case s.deleted, s.gone:
		if s.gone && !s.deleted {
			facts = ""
		}
	case d.k.Kind == control.EditDelete:
		facts += " · " + lang.L("changed it")
	case s.that:
		facts += " · " + lang.L("kept beside it as a copy")
	default:
		facts += " · " + lang.L("holds the name")
	}
	keep := d.choice(key, s.keep(), s.color(), func() { d.choose(key) })
	ground := look.NewGround(s.color(), "", 10).Faintly(0x12)
	inner := look.Column(2, look.Sides(name, marks), look.NewText(facts).Sized(look.SizeSmall), spacer(4))
	return container.NewStack(ground, look.Pad(container.NewBorder(inner, keep, nil, nil), 8, 12))
}

func spacer(h float32) fyne.CanvasObject {
	return container.New(layout.NewGridWrapLayout(fyne.NewSize(1, h)), look.NewGround(theme.ColorNameBackground, "", 0).Faintly(0))
}

func (d *detail) choice(key, text string, color fyne.ThemeColorName, do func()) *choice {
	c := newChoice(key, text, color, d.key, do)
	d.choices[key] = c
	return c
}

// frame is the edge around the body.
func frame(body fyne.CanvasObject) fyne.CanvasObject {
	return container.NewStack(look.NewGround(look.ColorCard, look.ColorEdge, 8), look.Pad(body, 2, 2))
}

// foot says what a choice does, and has what is no side's.
func (d *detail) foot() fyne.CanvasObject {
	if d.k.Kind == control.EditDelete {
		return d.say
	}
	buttons := look.Line(8, d.choice(keyBoth, lang.L("Keep both"), theme.ColorNamePrimary, func() { d.choose(keyBoth) }))
	merge := d.choice(keyMerge, lang.L("Merge…"), theme.ColorNamePrimary, func() { d.choose(keyMerge) })
	merge.Hide()
	buttons.Add(merge)
	d.below = container.NewBorder(nil, nil, nil, look.Middle(buttons), look.Middle(d.say))
	return d.below
}

// sayWhat says what the armed choice would do; with none, that nothing is lost.
func (d *detail) sayWhat() {
	text := lang.L("Nothing is lost: what you don't keep goes to the archive and can be had back. What you choose is done on all devices.")
	switch d.armed {
	case keyThis:
		text = lang.L("Enter keeps {{.Kept}}; {{.Other}} goes to the archive. Esc: not now.", data{"Kept": d.this.called(), "Other": d.that.whose()})
		if d.k.Kind == control.EditDelete {
			text = lang.L("Enter keeps {{.Kept}}, and the deletion is forgotten. Esc: not now.", data{"Kept": d.this.called()})
		} else if d.this.gone {
			text = lang.L("Enter puts {{.Other}} into the archive, too. Esc: not now.", data{"Other": d.that.whose()})
		}
	case keyThat:
		text = lang.L("Enter keeps {{.Kept}}; {{.Other}} goes to the archive. Esc: not now.", data{"Kept": d.that.called(), "Other": d.this.whose()})
		if d.that.deleted {
			text = lang.L("Enter deletes the file on all devices; {{.Other}} goes to the archive. Esc: not now.", data{"Other": d.this.whose()})
		} else if d.this.gone {
			text = lang.L("Enter gives the name to {{.Kept}}. Esc: not now.", data{"Kept": d.that.called()})
		}
	case keyBoth:
		text = lang.L("Enter keeps both as two files: {{.This}} under the name, {{.That}} beside it. Esc: not now.", data{"This": d.this.whose(), "That": d.that.whose()})
	case keyMerge:
		text = lang.L("Enter keeps the merge; both versions go to the archive. Esc: not now.")
	default:
		if d.inMerge {
			text = lang.L("1, 2 and 3 choose at a place, Up and Down go to another, F2 edits. Both versions stay in the archive.")
		}
	}
	if d.armed != "" && d.armed != keyMerge && d.edited() {
		text = lang.L("You have begun a merge, which this lets go of.") + " " + text
	}
	d.say.SetText(text)
}

func (d *detail) edited() bool { return d.merging != nil && d.merging.j.Touched() }

// load reads both sides.
func (d *detail) load() {
	d.body.Objects = []fyne.CanvasObject{container.NewCenter(look.Secondary(lang.L("Reading both versions…")).Whole())}
	d.body.Refresh()
	var got both
	var failed error
	k := d.k
	d.p.h.Ask(lang.L("reading both versions"), func(ctx context.Context) error {
		got, failed = read(ctx, d.p.h.Engine(), k, d.this.device, d.that.device)
		return nil
	}, func() {
		var e *control.Error
		switch {
		case d.p.open != d:
			return // the person has gone on
		case errors.Is(failed, errChanged), errors.As(failed, &e) && e.Kind == control.KindNotFound:
			d.changed = true
			d.p.reload()
			d.tell()
		case failed != nil:
			d.body.Objects = []fyne.CanvasObject{look.EmptyState(theme.WarningIcon(), lang.L("This can't be read now"), present.Clean(failed.Error(), 0),
				widget.NewButton(lang.L("Try again"), d.load))}
			d.body.Refresh()
		default:
			d.read, d.loaded = got, true
			d.draw()
		}
	})
}

// draw shows what was read.
func (d *detail) draw() {
	r := d.read
	d.strip.Objects = nil
	switch {
	case r.rows != nil || r.this.text != nil && r.that.text != nil:
		d.diff = newDiffView(d.key)
		d.diff.show(r.this.text.Lines, r.that.text.Lines, r.rows)
		d.strip.Objects = []fyne.CanvasObject{d.stripOf()}
		if m := d.choices[keyMerge]; m != nil && r.this.there && r.that.there {
			m.Show()
		}
		if d.p.draftOf(d.k) != nil {
			d.showMerge(true)
			return
		}
		d.showMerge(false)
		d.diff.next(1)
		d.sayPlace()
	case r.this.pic != nil || r.that.pic != nil:
		d.setBody(newPictures(r.this.pic, r.that.pic))
	default:
		d.setBody(factsOf(d.this, d.that, d.read))
	}
	d.tell()
}

func (d *detail) setBody(o fyne.CanvasObject) {
	d.body.Objects = []fyne.CanvasObject{o}
	d.body.Refresh()
	d.root.Refresh()
}

// stripOf has the two ways to look at texts, and the way from difference to
// difference.
func (d *detail) stripOf() fyne.CanvasObject {
	left := look.Line(4)
	if d.read.this.there && d.read.that.there {
		d.tabs[0] = newKeyButton(lang.L("Compare"), nil, d.key, func() { d.showMerge(false) })
		d.tabs[1] = newKeyButton(lang.L("Merge"), nil, d.key, func() { d.showMerge(true) })
		left.Add(d.tabs[0])
		left.Add(d.tabs[1])
	}
	d.place = look.Secondary("").Whole()
	if !d.read.this.there || !d.read.that.there {
		return left
	}
	up := newKeyButton("", theme.MoveUpIcon(), d.key, func() { d.difference(-1) })
	down := newKeyButton("", theme.MoveDownIcon(), d.key, func() { d.difference(1) })
	up.Importance, down.Importance = widget.LowImportance, widget.LowImportance
	return container.NewBorder(nil, nil, look.Middle(left), look.Line(2, look.Middle(d.place), up, down))
}

// difference goes to the next difference or place.
func (d *detail) difference(step int) {
	if d.inMerge {
		d.merging.move(step)
	} else if d.diff != nil {
		d.diff.next(step)
	}
	d.sayPlace()
}

func (d *detail) sayPlace() {
	if d.place == nil {
		return
	}
	at, n := d.diff.at+1, len(present.Differences(d.diff.rows))
	if d.inMerge {
		at, n = d.merging.at+1, len(d.merging.j.Places)
	}
	switch {
	case n == 0:
		d.place.SetText(lang.L("No line differs"))
	case d.inMerge:
		d.place.SetText(lang.L("Place {{.At}} of {{.All}}", data{"At": present.Number(int64(at)), "All": present.Number(int64(n))}))
	case at == 0:
		d.place.SetText(some(n, lang.L("1 difference"), "{{.N}} differences"))
	default:
		d.place.SetText(lang.L("Difference {{.At}} of {{.All}}", data{"At": present.Number(int64(at)), "All": present.Number(int64(n))}))
	}
	d.strip.Refresh()
}

// showMerge shows the merge, or the comparison.
func (d *detail) showMerge(on bool) {
	d.inMerge = on
	d.disarm()
	for i, t := range d.tabs {
		if t == nil {
			continue
		}
		t.Importance = widget.LowImportance
		if on == (i == 1) {
			t.Importance = widget.MediumImportance
		}
		t.Refresh()
	}
	notes := ""
	for _, n := range d.read.notes {
		notes += n + " "
	}
	if on {
		if d.merging == nil {
			d.merging = newMergeView(d)
		}
		if !d.merging.j.Known {
			notes += d.read.baseWhy
		}
		d.setBody(d.merging.root)
		d.merging.refresh()
	} else {
		d.setBody(d.diff)
	}
	d.notes.SetText(notes)
	hide(d.notes, notes == "")
	d.labels()
	d.sayPlace()
	d.tell()
}

// labels: while a merge is shown the keys 1, 2 and 3 choose at a place, and the
// choices for whole versions are not to be had.
func (d *detail) labels() {
	for key, c := range d.choices {
		if key != keyMerge {
			hide(c, d.inMerge)
		}
	}
	if m := d.choices[keyMerge]; m != nil {
		m.text = lang.L("Merge…")
		m.off = false
		if d.inMerge {
			left := d.merging.j.Left()
			m.text, m.off = lang.L("Keep this merge"), left > 0
			if left > 0 {
				m.text = some(left, lang.L("1 place left"), "{{.N}} places left")
			}
		}
		m.Refresh()
	}
	d.sayWhat()
	if d.below != nil {
		d.below.Refresh() // its choices may be of another width
	}
}

// factsOf is for what is neither text nor picture.
func factsOf(this, that side, read both) fyne.CanvasObject {
	one := func(s side, v version) fyne.CanvasObject {
		if s.gone {
			return look.EmptyState(theme.DeleteIcon(), lang.L("Nothing here"), "", nil)
		}
		what := v.why
		if v.media != "" && v.link == "" {
			what = v.media + "\n" + what
		}
		size := present.Size(s.size)
		return look.EmptyState(theme.FileIcon(), size, what, nil)
	}
	return look.Shares(0, []float32{1, 1}, one(this, read.this), one(that, read.that))
}

// news says what has become of the conflict meanwhile; nil: it is settled.
func (d *detail) news(now *control.Conflict) {
	d.over = now == nil
	d.changed = now != nil && (now.ThisContent != d.k.ThisContent || now.ThatContent != d.k.ThatContent)
	if d.changed && !d.edited() && !d.busy {
		d.p.show(*now) // nothing of the person's is lost by showing what stands now
		return
	}
	d.tell()
}

// tell shows what the person should know before he chooses.
func (d *detail) tell() {
	var o fyne.CanvasObject
	copyText := func() fyne.CanvasObject {
		return widget.NewButtonWithIcon(lang.L("Copy my merge"), theme.ContentCopyIcon(), func() {
			text, _ := d.merging.j.Result()
			fyne.CurrentApp().Clipboard().SetContent(string(text))
			d.p.h.Say(lang.L("Your merge is in the clipboard."))
		})
	}
	switch {
	case d.busy:
		return
	case d.over:
		actions := []fyne.CanvasObject{widget.NewButton(lang.L("All conflicts"), d.p.back)}
		if len(d.p.items) > 0 {
			actions = append([]fyne.CanvasObject{widget.NewButton(lang.L("Next conflict"), func() { d.p.show(d.p.items[0]) })}, actions...)
		}
		if d.edited() {
			actions = append(actions, copyText())
		}
		o = look.Callout(look.Plain, theme.ConfirmIcon(), lang.L("This has been settled elsewhere meanwhile"),
			lang.L("There is nothing left to choose here. What was not kept is in the archive."), actions...)
	case d.changed:
		actions := []fyne.CanvasObject{widget.NewButton(lang.L("Look at it as it is now"), func() {
			d.p.drop(d.k)
			if k := find(d.p.items, d.k.Folder, d.k.Copy); k != nil {
				d.p.show(*k)
			} else {
				d.p.back()
			}
		})}
		sentence := lang.L("Nothing is settled until you have seen what stands now.")
		if d.edited() {
			actions = append(actions, copyText())
			sentence = lang.L("What you have edited is still here, but it is of versions that do not stand any more.")
		}
		o = look.Callout(look.Needs, theme.WarningIcon(), lang.L("One of the versions has changed meanwhile"), sentence, actions...)
	}
	d.notice.Objects = nil
	if o != nil {
		d.notice.Objects = []fyne.CanvasObject{o}
	}
	for key, c := range d.choices {
		if off := d.over || d.changed; off || !(key == keyMerge && d.inMerge) {
			c.enable(!off)
		}
	}
	d.root.Refresh()
}
