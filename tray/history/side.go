package history

import (
	"context"
	"path"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

// versionsMost is how many versions of a file are listed.
const versionsMost = 200

// side shows the versions of a file, of which one is chosen, and what can be done
// with it.
type side struct {
	p       *Page
	copies  copies
	content *fyne.Container
	title   *look.Text
	where   *look.Text
	list    *widget.List
	state   *fyne.Container // in place of the list: what is awaited, or is wrong
	notes   *look.Caption
	foot    *look.Caption
	open    *look.Button
	restore *look.Button
	as      *look.Button
	reveal  *look.Button

	folder, path string
	at           *time.Time // the version that stood then is chosen first
	versions     []control.Kept
	more         bool
	chosen       int          // -1: none
	keep         control.Kept // was chosen before it was asked again
	life         int          // of what is asked for
}

func newSide(p *Page) *side {
	s := &side{p: p, copies: newCopies(p.h.Now), chosen: -1, title: look.SubHeading(""), where: look.Secondary("").Tail(), state: container.NewStack(), notes: look.NewCaption(""), foot: look.NewCaption("")}
	s.list = widget.NewList(func() int { return len(s.versions) }, func() fyne.CanvasObject { return newVersionRow() },
		func(i widget.ListItemID, o fyne.CanvasObject) {
			if i < len(s.versions) {
				o.(*versionRow).set(s.versions[i], p.h.Now())
			}
		})
	s.list.HideSeparators = true
	s.list.OnSelected = func(i widget.ListItemID) { s.choose(i) }
	closes := look.NewButton("", theme.CancelIcon(), p.closeSide).Low()
	s.open = look.NewButton(lang.L("Open a copy"), nil, s.openCopy)
	s.restore = look.NewButton(lang.L("Restore"), theme.ContentUndoIcon(), func() {
		k, ok := s.picked()
		if ok {
			p.restorer.version(k, s.stands(), "")
		}
	}).Main()
	s.as = look.NewButton(lang.L("Restore as…"), nil, func() {
		k, ok := s.picked()
		if ok {
			p.restorer.another(k)
		}
	})
	s.reveal = look.NewButton(lang.L("Show"), nil, func() { p.h.Reveal(p.onDisk(s.folder, s.path)) })
	head := look.Sides(look.Column(1, s.title, s.where), closes)
	buttons := container.New(buttonsLayout{}, s.restore, s.open, container.NewStack(s.as, s.reveal))
	below := look.Column(8, s.notes, s.foot, buttons)
	body := container.NewBorder(look.Pad(head, 0, 4), look.Pad(below, 6, 4), nil, nil, look.Pad(container.NewStack(s.list, s.state), 6, 0))
	s.content = container.NewStack(look.NewGround(look.ColorCard, look.ColorEdge, 10), look.Pad(body, 12, 10))
	return s
}

// show asks for the versions of a file.
func (s *side) show(folder, file string, at *time.Time) {
	s.keep = control.Kept{}
	if k, ok := s.picked(); ok && folder == s.folder && file == s.path {
		s.keep = k
	}
	s.folder, s.path, s.at = folder, file, at
	s.title.SetText(clean(path.Base(file)))
	above := path.Dir(file)
	if above == "." {
		above = folder
	}
	s.where.SetText(clean(above))
	s.versions, s.chosen = nil, -1
	s.notes.Say("")
	s.say(lang.L("Asking for its versions…"))
	s.life++
	life, e := s.life, s.p.h.Engine()
	var h control.History
	var err error
	s.p.h.Ask(lang.L("Read the history"), func(ctx context.Context) error {
		h, err = e.History(ctx, control.HistoryRequest{Path: folder + "/" + file})
		return nil
	}, func() {
		if life == s.life {
			s.take(h, err)
		}
	})
}

// take shows an answer.
func (s *side) take(h control.History, err error) {
	if err != nil {
		s.say(present.Clean(err.Error(), 300))
		return
	}
	for _, v := range h.Versions { // a directory's name may have been a file's
		if v.Path == s.path {
			s.versions = append(s.versions, v)
		}
	}
	if s.more = len(s.versions) > versionsMost; s.more {
		s.versions = s.versions[:versionsMost]
	}
	s.say("")
	if len(s.versions) == 0 {
		s.say(lang.L("No version of it is kept on this device or on those that are connected."))
	}
	if s.p.notes.Text() == "" { // the page says it already
		s.notes.Say(noteOf(h.Notes))
	}
	s.list.Refresh()
	if i := s.first(); i >= 0 {
		s.chosen = i // the list says nothing of one that was selected before
		s.list.Select(i)
		s.list.ScrollTo(i)
	}
	s.draw()
}

// first is the version that a person has come for: that of the moment, else the
// newest that does not stand.
func (s *side) first() int {
	for i, v := range s.versions {
		if v.Time.Equal(s.keep.Time) && v.Content == s.keep.Content {
			return i
		}
	}
	if s.at != nil {
		for i, v := range s.versions {
			if !v.MTime.After(*s.at) && (v.Reason == control.ReasonLive && !v.Time.After(*s.at) || v.Reason != control.ReasonLive && v.Time.After(*s.at)) {
				best := i
				for j := i + 1; j < len(s.versions) && s.versions[j].Time.After(*s.at) && !s.versions[j].MTime.After(*s.at); j++ {
					best = j // the first that was put away after it
				}
				return best
			}
		}
	}
	return min(0, len(s.versions)-1)
}

func (s *side) say(text string) {
	s.state.RemoveAll()
	if text != "" {
		s.state.Add(look.Quiet(text))
	}
	s.draw()
}

func (s *side) choose(i int) {
	s.chosen = i
	s.draw()
}

// stands says whether the file that is shown stands now.
func (s *side) stands() bool {
	return len(s.versions) > 0 && s.versions[0].Reason == control.ReasonLive
}

// picked is the chosen version.
func (s *side) picked() (k control.Kept, ok bool) {
	if s.chosen < 0 || s.chosen >= len(s.versions) {
		return k, false
	}
	return s.versions[s.chosen], true
}

// draw shows what can be done.
func (s *side) draw() {
	k, ok := s.picked()
	live := ok && k.Reason == control.ReasonLive
	enable(s.open, ok && (live || !k.Content.IsZero()))
	enable(s.restore, ok && !live && !k.Content.IsZero())
	enable(s.as, ok && !k.Content.IsZero())
	s.as.Hidden, s.reveal.Hidden = live, !live
	s.open.SetText(lang.L("Open a copy"))
	text := ""
	switch {
	case live:
		s.open.SetText(lang.L("Open"))
		text = lang.L("This is what stands now.")
	case ok && k.Content.IsZero():
		text = lang.L("This one was written to in the archive, so that it is not known any more what it is. It lies there still.")
	}
	if s.more {
		text = join(text, lang.L("Only the newest {{.N}} are listed.", data{"N": versionsMost}))
	}
	s.foot.Say(text)
	s.content.Refresh()
}

func enable(b *look.Button, on bool) {
	if on {
		b.Enable()
	} else {
		b.Disable()
	}
}

// openCopy opens what stands, or a copy of what stood.
func (s *side) openCopy() {
	k, ok := s.picked()
	if !ok {
		return
	}
	if k.Reason == control.ReasonLive {
		s.p.h.Open(s.p.onDisk(s.folder, s.path))
		return
	}
	p, e := s.p, s.p.h.Engine()
	var file string
	var open bool
	p.h.Ask(lang.L("Open a copy"), func(ctx context.Context) (err error) {
		file, open, err = s.copies.write(ctx, e, k)
		return err
	}, func() {
		if open {
			p.h.Say(lang.L("This is a read-only copy; what you change in it is not kept."))
			p.h.Open(file)
			return
		}
		p.h.Say(lang.L("It may be a program, so the copy is shown and not opened."))
		p.h.Reveal(file)
	})
}

// versionRow draws one version.
type versionRow struct {
	look.Box
	when, size, put, kept *look.Text
	dot                   *look.Dot
}

func newVersionRow() *versionRow {
	r := &versionRow{when: look.NewText(""), size: look.Secondary("").Whole(), put: look.Secondary(""), kept: look.Secondary(""), dot: look.NewDot(look.Plain)}
	words := look.Column(1, look.Sides(r.when, r.size), r.put, r.kept)
	r.Hold(r, look.Pad(container.NewBorder(nil, nil, container.NewVBox(look.Pad(r.dot, 5, 2)), nil, look.Pad(words, 0, look.Near)), 5, 4))
	return r
}

func (r *versionRow) set(k control.Kept, now time.Time) {
	kind, name := look.Plain, lang.L("Written {{.When}}", data{"When": present.At(k.MTime, now)})
	if k.Reason == control.ReasonLive {
		kind = look.Synced
	}
	r.dot.Set(kind)
	r.when.SetText(name)
	wide := r.size.Text() != present.Size(k.Size)
	r.size.SetText(present.Size(k.Size))
	r.put.SetText(put(k, now))
	kept := keepers(k.KeptBy, k.Expires, now)
	if k.Reason == control.ReasonLive {
		kept = ""
		if k.Device != "" {
			kept = lang.L("Written by {{.By}}", data{"By": short(k.Device)})
		}
	}
	r.kept.SetText(kept)
	if wide {
		r.Arrange()
		r.Refresh()
	}
}

// buttonsLayout has the first button over the others, or beside them where there is
// room.
type buttonsLayout struct{}

const (
	buttonsFrom = 420
	buttonsGap  = 8
)

func (buttonsLayout) MinSize(o []fyne.CanvasObject) fyne.Size {
	h := o[0].MinSize().Height
	if o[0].Size().Width+o[1].Size().Width > 0 && o[0].Position().Y == o[1].Position().Y {
		return fyne.NewSize(200, h)
	}
	return fyne.NewSize(200, 2*h+buttonsGap)
}

func (buttonsLayout) Layout(o []fyne.CanvasObject, size fyne.Size) {
	h := o[0].MinSize().Height
	if size.Width >= buttonsFrom {
		w := (size.Width - 2*buttonsGap) / 3
		for i, b := range o {
			b.Move(fyne.NewPos(float32(i)*(w+buttonsGap), 0))
			b.Resize(fyne.NewSize(w, h))
		}
		return
	}
	half := (size.Width - buttonsGap) / 2
	o[0].Move(fyne.NewPos(0, 0))
	o[0].Resize(fyne.NewSize(size.Width, h))
	for i, b := range o[1:] {
		b.Move(fyne.NewPos(float32(i)*(half+buttonsGap), h+buttonsGap))
		b.Resize(fyne.NewSize(half, h))
	}
}
