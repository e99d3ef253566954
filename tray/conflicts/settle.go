package conflicts

import (
	"context"
	"errors"
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

// key is what a key does in the detail view.
func (d *detail) key(e *fyne.KeyEvent) {
	if d.p.open != d {
		return
	}
	switch e.Name {
	case fyne.KeyEscape, fyne.KeyBackspace:
		switch {
		case d.armed != "":
			d.disarm()
		case d.inMerge:
			d.showMerge(false)
		default:
			d.p.back()
		}
	case fyne.KeyRight, fyne.KeyJ:
		d.p.step(1)
	case fyne.KeyLeft, fyne.KeyK:
		d.p.step(-1)
	case fyne.KeyN:
		d.difference(1)
	case fyne.KeyP:
		d.difference(-1)
	case fyne.Key1, fyne.Key2, fyne.Key3:
		if d.inMerge {
			d.merging.take(map[fyne.KeyName]present.Choice{fyne.Key1: present.TakeThis, fyne.Key2: present.TakeThat, fyne.Key3: present.TakeBoth}[e.Name])
			return
		}
		d.arm(string(e.Name))
	case fyne.KeyM:
		if d.inMerge {
			d.arm(keyMerge)
		} else if m := d.choices[keyMerge]; m != nil && m.Visible() {
			d.showMerge(true)
		}
	case fyne.KeyF2: // a letter would be typed into the editor, too
		if d.inMerge {
			d.merging.edit()
		}
	case fyne.KeyReturn, fyne.KeyEnter:
		switch {
		case d.armed != "":
			d.do(d.armed)
		case d.inMerge:
			d.arm(keyMerge)
		}
	default:
		d.scrollKey(e.Name)
	}
}

func (d *detail) scrollKey(name fyne.KeyName) {
	if d.inMerge {
		switch name {
		case fyne.KeyUp:
			d.difference(-1)
		case fyne.KeyDown:
			d.difference(1)
		}
		return
	}
	if d.diff == nil {
		return
	}
	switch name {
	case fyne.KeyUp:
		d.diff.scroll(-1)
	case fyne.KeyDown:
		d.diff.scroll(1)
	case fyne.KeyPageUp:
		d.diff.scroll(-d.diff.page())
	case fyne.KeyPageDown:
		d.diff.scroll(d.diff.page())
	case fyne.KeyHome:
		d.diff.list.ScrollToTop()
	case fyne.KeyEnd:
		d.diff.list.ScrollToBottom()
	}
}

// arm makes a choice the one that Enter does.
func (d *detail) arm(key string) {
	c := d.choices[key]
	if c == nil || c.off || !c.Visible() || d.busy {
		return
	}
	d.disarm()
	d.armed = key
	c.arm(true)
	d.sayWhat()
}

func (d *detail) disarm() {
	d.armed = ""
	for _, c := range d.choices {
		if c.armed {
			c.arm(false)
		}
	}
	d.sayWhat()
}

// choose is a tap on a choice: it is done at once, as it can be undone; but what
// would let go of a merge that was begun is asked for twice.
func (d *detail) choose(key string) {
	switch {
	case key == keyMerge && !d.inMerge:
		d.showMerge(true)
	case key != keyMerge && d.edited() && d.armed != key:
		d.arm(key)
	default:
		d.do(key)
	}
}

// do settles the conflict.
func (d *detail) do(key string) {
	if d.busy || d.over || d.changed {
		return
	}
	keep := map[string]string{keyThis: control.KeepThis, keyThat: control.KeepThat, keyBoth: control.KeepBoth, keyMerge: control.KeepMerge}[key]
	if d.k.Kind == control.EditDelete {
		keep = map[string]string{keyThis: control.KeepEdit, keyThat: control.KeepDeletion}[key]
	}
	r := control.Resolve{
		Path: d.k.Folder + "/" + d.k.Copy, Keep: keep, If: &control.Seen{This: d.k.ThisContent, That: d.k.ThatContent},
	}
	if keep == control.KeepMerge {
		if d.merging == nil || d.merging.j.Left() > 0 {
			return
		}
		r.Text, _ = d.merging.j.Result()
		if r.Text == nil {
			r.Text = []byte{}
		}
		if len(r.Text) > control.MaxText {
			d.fail(lang.L("The merged text is larger than {{.Size}}.", data{"Size": present.Size(control.MaxText)}))
			return
		}
	}
	d.send(r)
}

func (d *detail) send(r control.Resolve) {
	d.busy = true
	d.disarm()
	for _, c := range d.choices {
		c.enable(false)
	}
	var failed error
	var until *time.Time
	p, k := d.p, d.k
	p.h.Ask(lang.L("settling the conflict"), func(ctx context.Context) error {
		if failed = p.h.Engine().Resolve(ctx, r); failed == nil {
			until = keptUntil(ctx, p.h.Engine(), k, r.Keep)
		}
		return nil
	}, func() {
		d.busy = false
		for _, c := range d.choices {
			c.enable(true)
		}
		var e *control.Error
		switch {
		case errors.As(failed, &e) && e.Kind == control.KindChanged:
			d.changed = true
			p.reload()
			d.tell()
		case errors.As(failed, &e) && e.Kind == control.KindNotFound:
			d.over = true
			p.reload()
			d.tell()
		case failed != nil:
			d.fail(failed.Error())
		default:
			p.foot.settled(k, r.Keep, d.this, d.that, until)
			if p.open == d {
				p.settled(k)
			} else {
				p.drop(k)
				p.reload()
			}
		}
	})
}

func (d *detail) fail(why string) {
	d.notice.Objects = []fyne.CanvasObject{look.Callout(look.Trouble, theme.ErrorIcon(), lang.L("Nothing was settled"), present.Clean(why, 0))}
	d.labels()
	d.root.Refresh()
}

// keptUntil asks till when what was not kept can be had back; nil: not known, or
// for ever.
func keptUntil(ctx context.Context, e control.Engine, k control.Conflict, keep string) *time.Time {
	path, content := k.Copy, k.ThatContent
	switch keep {
	case control.KeepThat:
		path, content = k.Path, k.ThisContent
	case control.KeepDeletion:
		path, content = k.Path, k.ThisContent
	case control.KeepBoth, control.KeepEdit:
		return nil
	}
	h, err := e.History(ctx, control.HistoryRequest{Path: k.Folder + "/" + path})
	if err != nil {
		return nil
	}
	for _, v := range h.Versions {
		if v.Content == content && v.Reason != control.ReasonLive {
			return v.Expires
		}
	}
	return nil
}

// footLine says what was done last, and takes it back.
type footLine struct {
	p    *Page
	root *fyne.Container
	said *look.Text
	undo *keyButton
	last control.Undo
}

func newFootLine(p *Page) *footLine {
	f := &footLine{p: p, said: look.NewText("")}
	f.undo = newKeyButton(lang.L("Undo"), theme.ContentUndoIcon(), p.Key, f.takeBack)
	f.undo.Importance = widget.MediumImportance
	off := newKeyButton("", theme.CancelIcon(), p.Key, func() { f.root.Hide(); p.root.Refresh() })
	off.Importance = widget.LowImportance
	line := look.Sides(f.said, look.Line(4, f.undo, off))
	f.root = container.NewStack(look.NewGround(look.ColorRail, "", 0), look.Pad(line, 5, look.Margin))
	f.root.Hide()
	return f
}

// settled says what was kept, and where the other is.
func (f *footLine) settled(k control.Conflict, keep string, this, that side, until *time.Time) {
	archive := lang.L("The other version is in the archive.")
	if until != nil {
		archive = lang.L("The other version is in the archive until {{.Day}}.", data{"Day": present.Day(*until, f.p.h.Now())})
	}
	text := ""
	switch keep {
	case control.KeepThis:
		text = lang.L("Kept {{.Side}}.", data{"Side": this.called()}) + " " + archive
		if this.gone {
			text = archive
		}
	case control.KeepThat:
		text = lang.L("Kept {{.Side}}.", data{"Side": that.called()}) + " " + archive
	case control.KeepMerge:
		text = lang.L("Kept the merge.") + " " + lang.L("Both versions are in the archive.")
		if until != nil {
			text = lang.L("Kept the merge.") + " " + lang.L("Both versions are in the archive until {{.Day}}.", data{"Day": present.Day(*until, f.p.h.Now())})
		}
	case control.KeepBoth:
		text = lang.L("Kept both, as two files.")
	case control.KeepDeletion:
		text = lang.L("Deleted it after all.") + " " + archive
	case control.KeepEdit:
		text = lang.L("Kept {{.Side}}.", data{"Side": this.called()})
	}
	f.last = control.Undo{Conflict: k, Keep: keep}
	f.tell(present.CleanName(lastOf(k.Path), 40)+": "+text, keep != control.KeepEdit)
}

func (f *footLine) tell(text string, undo bool) {
	f.said.SetText(text)
	hide(f.undo, !undo)
	f.undo.Enable()
	f.root.Show()
	f.p.root.Refresh()
}

// takeBack undoes the last choice, and shows the conflict again.
func (f *footLine) takeBack() {
	p, u := f.p, f.last
	var failed error
	f.undo.Disable()
	p.h.Ask(lang.L("taking it back"), func(ctx context.Context) error {
		failed = p.h.Engine().Undo(ctx, u)
		return nil
	}, func() {
		if failed != nil {
			f.tell(lang.L("It was not taken back: {{.Why}}", data{"Why": present.Clean(failed.Error(), 0)}), false)
			return
		}
		p.remember(u.Conflict)
		f.tell(lang.L("Taken back: both versions stand again as they were."), false)
		p.wanted = placeOf(u.Conflict)
		p.reload()
	})
}
