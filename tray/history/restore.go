package history

import (
	"context"
	"crypto/rand"
	"fmt"
	"path"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/tree"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
)

// restorer asks for restores, says what came of them and takes them back.
type restorer struct {
	h      page.Host
	done   *fyne.Container // where what was done is said, with the way back
	redraw func()          // done has changed
	reload func()          // what stands has changed
}

// version brings a version back, to where it was or to another name in the same
// folder. Where something stands it asks.
func (p *restorer) version(k control.Kept, stands bool, to string) {
	r := control.Restore{Path: k.Folder + "/" + k.Path, Content: k.Content}
	name := clean(path.Base(k.Path))
	facts := data{"Name": name, "When": present.At(k.MTime, p.h.Now()), "To": clean(to)}
	if to != "" {
		r.To = k.Folder + "/" + to
		p.restore(r, lang.L("Restored {{.Name}} as {{.To}}.", facts))
		return
	}
	said := lang.L("{{.Name}} stands again as it was written {{.When}}.", facts)
	if !stands {
		p.restore(r, said)
		return
	}
	look.Confirm(lang.L("Restore this version?"),
		lang.L("{{.Name}} will stand again as it was written {{.When}}, on all your devices. What stands there now goes to the archive, and you can have it back.", facts),
		lang.L("Restore"), false, p.h.Window(), func() { p.restore(r, said) })
}

// another asks under which name a version is to stand.
func (p *restorer) another(k control.Kept) {
	ext := path.Ext(k.Path)
	stem := strings.TrimSuffix(k.Path, ext)
	proposal := fmt.Sprintf("%s %s%s", stem, k.MTime.In(p.h.Now().Location()).Format("2006-01-02 1504"), ext)
	look.Prompt(lang.L("Restore to another name"), lang.L("A name in the folder {{.Folder}}. What stands now stays as it is.", data{"Folder": short(k.Folder)}),
		proposal, lang.L("Restore"), p.h.Window(), func(to string) {
			to = strings.Trim(strings.TrimSpace(to), "/")
			if _, err := tree.ParsePath(to); err != nil {
				p.h.Say(present.Clean(lang.L("That is no name for a file: {{.Why}}.", data{"Why": err.Error()}), 200))
				return
			}
			p.version(k, false, to)
		})
}

// dir brings back a directory as it stood at the moment that is shown, or
// what was deleted in it. It asks once, with what that comes to.
func (p *restorer) dir(v view) {
	if v.folder == "" {
		return
	}
	r := control.Restore{Path: v.folder, At: v.at}
	if v.dir != "" {
		r.Path += "/" + v.dir
	}
	tried, e := r, p.h.Engine()
	tried.Try = true
	var out control.Restored
	var err error
	p.h.Say(lang.L("Counting what there is to restore…"))
	p.h.Ask(lang.L("Restore"), func(ctx context.Context) error {
		out, err = e.Restore(ctx, tried)
		return nil
	}, func() {
		switch {
		case err != nil:
			p.tell(lang.L("There is nothing to restore"), err.Error())
		case out.Files+out.Dirs == 0:
			p.tell(lang.L("There is nothing to restore"), lang.L("All that can be had back stands there already."))
		default:
			p.confirmDir(v, r, out)
		}
	})
}

func (p *restorer) tell(title, sentence string) {
	var d *look.Dialog
	ok := look.NewButton(lang.L("Close"), nil, func() { d.Hide() }).Main()
	d = look.NewDialog(title, look.Paragraph(present.Clean(sentence, 300)), 460, p.h.Window(), ok)
	d.Show()
	p.h.Window().Canvas().Focus(ok)
}

func (p *restorer) confirmDir(v view, r control.Restore, out control.Restored) {
	where := v.folder
	if v.dir != "" {
		where = v.folder + "/" + v.dir
	}
	facts := data{"What": counted(out), "Where": clean(where), "When": momentWords(v.at, p.h.Now()), "N": present.Files(out.Replaced)}
	text := lang.L("{{.What}} that were deleted in {{.Where}} come back, on all your devices.", facts)
	if v.at != nil {
		text = lang.L("{{.What}} in {{.Where}} will stand again as they were {{.When}}, on all your devices.", facts)
	}
	if out.Replaced > 0 {
		text += " " + lang.L("What stands in place of {{.N}} now goes to the archive, and you can have it back.", facts)
	}
	if v.at != nil {
		text += " " + lang.L("What came later stays.")
	}
	if note := noteOf(out.Notes); note != "" {
		text += "\n\n" + note
	}
	do := lang.L("Restore {{.N}}", data{"N": present.Files(out.Files)})
	look.Confirm(lang.L("Restore this folder?"), text, do, false, p.h.Window(), func() {
		p.restore(r, lang.L("Restored {{.What}} in {{.Where}}.", facts))
	})
}

// Progress of a restore is asked for this often, and shown when it takes longer
// than that.
const (
	progressEvery = 500 * time.Millisecond
	ticketBytes   = 12
)

// restore has it done, shows how far it is, and offers to take it back.
func (p *restorer) restore(r control.Restore, said string) {
	ctx, cancel := context.WithCancel(context.Background())
	e := p.h.Engine()
	r.Ticket = ticket()
	watch := p.watch(ctx, r.Ticket, cancel)
	var out control.Restored
	var err error
	p.h.Ask(lang.L("Restore"), func(host context.Context) error {
		defer context.AfterFunc(host, cancel)()
		out, err = e.Restore(ctx, r)
		return nil
	}, func() {
		cancelled := ctx.Err() != nil
		cancel()
		watch.hide()
		switch {
		case cancelled:
			said = lang.L("Stopped. What was restored until then stands.")
		case err != nil:
			p.tell(lang.L("Not everything was restored"), err.Error())
			said = ""
		case out.Files+out.Dirs == 0:
			said = noteOf(out.Notes)
		}
		if said != "" {
			p.offerUndo(said, out.Undo)
		}
		p.reload()
	})
}

func ticket() string { return rand.Text()[:ticketBytes] }

// watching shows how far a restore is, once that takes a while.
type watching struct {
	dialog *look.Dialog
	timer  *time.Timer
	over   bool
}

func (w *watching) hide() {
	w.over = true
	if w.timer != nil {
		w.timer.Stop()
	}
	if w.dialog != nil {
		w.dialog.Hide()
	}
}

// watch asks now and then how far a restore is, until hide.
func (p *restorer) watch(ctx context.Context, ticket string, stop func()) *watching {
	w := &watching{}
	label := look.Paragraph("")
	e := p.h.Engine()
	var tick func()
	later := func() { w.timer = time.AfterFunc(progressEvery, func() { fyne.Do(tick) }) }
	tick = func() {
		if w.over {
			return
		}
		var far control.RestoreProgress
		p.h.Ask(lang.L("Restore"), func(host context.Context) error {
			ask, cancel := context.WithTimeout(host, 5*time.Second)
			defer cancel()
			defer context.AfterFunc(ctx, cancel)()
			far, _ = e.RestoreProgress(ask, ticket)
			return nil
		}, func() {
			if w.over {
				return
			}
			label.SetText(progressWords(far))
			if w.dialog == nil {
				bar := widget.NewProgressBarInfinite()
				w.dialog = look.NewDialog(lang.L("Restoring…"), look.Column(look.Apart, label, bar), 420, p.h.Window(), look.NewButton(lang.L("Stop"), nil, stop))
				w.dialog.Show()
			}
			later()
		})
	}
	later()
	return w
}

func progressWords(far control.RestoreProgress) string {
	if far.Files == 0 {
		return lang.L("Looking through what is kept: {{.N}} so far.", data{"N": present.Files(far.Looked)})
	}
	return lang.L("{{.What}} restored so far.", data{"What": counted(control.Restored{Files: far.Files, Bytes: far.Bytes})})
}

// offerUndo says what was done, with the way back.
func (p *restorer) offerUndo(said, undo string) {
	p.done.RemoveAll()
	words := look.NewText(present.Clean(said, 300))
	closes := look.NewButton("", theme.CancelIcon(), p.clear).Low()
	line := look.Line(8)
	if undo != "" {
		line.Add(look.NewButton(lang.L("Undo"), theme.ContentUndoIcon(), func() { p.undo(undo) }))
	}
	line.Add(closes)
	bar := container.NewStack(look.NewGround(look.ColorSynced, "", 8).Faintly(0x22), look.Pad(look.Sides(look.Middle(words), line), 4, 12))
	p.done.Add(look.Pad(bar, 2, look.Margin))
	p.redraw()
}

func (p *restorer) clear() {
	p.done.RemoveAll()
	p.redraw()
}

func (p *restorer) undo(token string) {
	p.clear()
	e := p.h.Engine()
	var out control.Restored
	p.h.Ask(lang.L("Undo"), func(ctx context.Context) (err error) {
		out, err = e.UndoRestore(ctx, token)
		return err
	}, func() {
		p.h.Say(join(lang.L("Undone: everything stands as before."), noteOf(out.Notes)))
		p.reload()
	})
}
