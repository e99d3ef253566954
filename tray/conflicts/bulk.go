package conflicts

import (
	"context"
	"fmt"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/dialog"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

// maxFailed is how many of those that were not settled are listed.
const maxFailed = 50

// rule is a choice for all conflicts of a folder.
type rule struct {
	name  string
	means string
	keep  func(k control.Conflict) string // "": this one is left
}

// rulesFor are the rules for a folder in whose conflicts these devices take part.
func rulesFor(devices []string) []rule {
	later := rule{lang.L("The later of the two"), lang.L("Of each file the version that was written last is kept."),
		func(k control.Conflict) string {
			if k.This == nil || k.That.MTime.After(k.This.MTime) {
				return control.KeepThat
			}
			return control.KeepThis
		}}
	out := []rule{later}
	for _, dev := range devices {
		name := present.CleanName(dev, 24)
		out = append(out, rule{lang.L("{{.Device}}'s", data{"Device": name}),
			lang.L("Of each file {{.Device}}'s version is kept. Where it has none, or both are {{.Device}}'s, the conflict is left.", data{"Device": name}),
			func(k control.Conflict) string {
				this := k.This != nil && k.This.Device == dev
				switch {
				case this == (k.That.Device == dev):
					return ""
				case this:
					return control.KeepThis
				}
				return control.KeepThat
			}})
	}
	return append(out,
		rule{lang.L("Both"), lang.L("Both versions stay, as two files beside each other."), func(control.Conflict) string { return control.KeepBoth }},
		rule{lang.L("What merges cleanly"), lang.L("Texts that were changed at different places are merged; all others are left."), func(k control.Conflict) string {
			if k.This == nil {
				return ""
			}
			return control.KeepMerge
		}})
}

// bulk is the same choice for all conflicts of a folder.
type bulk struct {
	p      *Page
	folder string
	rules  []rule
	pick   *widget.RadioGroup
	means  *widget.Label
	goOn   *widget.Button
	bar    *widget.ProgressBar
	said   *widget.Label
	failed *widget.Label
	list   *container.Scroll
	d      *dialog.CustomDialog
	cancel context.CancelFunc
}

func newBulk(p *Page, folder string) *bulk {
	b := &bulk{p: p, folder: folder}
	seen := map[string]bool{}
	var devices []string
	for _, k := range p.items {
		if k.Folder != folder || k.Kind == control.EditDelete {
			continue
		}
		for _, s := range []*control.Side{k.This, &k.That} {
			if s != nil && s.Device != "" && !seen[s.Device] && len(devices) < 4 {
				seen[s.Device] = true
				devices = append(devices, s.Device)
			}
		}
	}
	b.rules = rulesFor(devices)
	return b
}

func (b *bulk) show() {
	var names []string
	for _, r := range b.rules {
		names = append(names, r.name)
	}
	n := b.count()
	b.means = look.Quiet("")
	b.bar, b.said, b.failed = widget.NewProgressBar(), look.Paragraph(""), look.Quiet("")
	b.bar.Hide()
	b.failed.Hide()
	b.goOn = widget.NewButton("", nil)
	b.goOn.Importance = widget.HighImportance
	closing := widget.NewButton(lang.L("Cancel"), func() { b.d.Hide() })
	b.pick = widget.NewRadioGroup(names, func(name string) {
		for _, r := range b.rules {
			if r.name == name {
				b.means.SetText(r.means)
				b.goOn.SetText(lang.L("Settle {{.N}}", data{"N": present.Number(n)}))
				b.goOn.OnTapped = func() { b.run(r, closing) }
			}
		}
		b.goOn.Enable()
	})
	b.pick.Required = true
	b.said.SetText(lang.L("Settle {{.N}} conflicts in {{.Folder}} the same way? What is not kept goes to the archive and can be had back from History. Files that were changed on one device and deleted on another are left for you.",
		data{"N": present.Number(n), "Folder": present.CleanName(b.folder, 40)}))
	b.list = container.NewVScroll(b.failed)
	b.list.SetMinSize(fyne.NewSize(460, 96))
	b.list.Hide()
	b.d = dialog.NewCustomWithoutButtons(lang.L("The same choice for all"), look.Column(look.Apart, b.said, b.pick, b.means, b.bar, b.list), b.p.h.Window())
	b.d.SetButtons([]fyne.CanvasObject{closing, b.goOn})
	b.pick.SetSelected(names[0])
	b.d.SetOnClosed(func() {
		if b.cancel != nil {
			b.cancel()
		}
		b.p.reload()
	})
	b.d.Resize(fyne.NewSize(520, 400))
	b.d.Show()
	b.d.Resize(fyne.NewSize(520, b.d.MinSize().Height)) // now that its sentences know their width
}

// count is how many conflicts can be settled so: those of edits, as far as it is
// known.
func (b *bulk) count() int64 {
	n := b.p.countOf(b.folder)
	for _, k := range b.p.items {
		if k.Folder == b.folder && k.Kind == control.EditDelete {
			n--
		}
	}
	return max(0, n)
}

// run settles them, page by page, and tells how far it is.
func (b *bulk) run(r rule, closing *widget.Button) {
	b.pick.Disable()
	b.goOn.Hide()
	b.bar.Show()
	closing.SetText(lang.L("Stop"))
	total := b.count()
	var out outcome
	b.p.h.Ask(lang.L("settling the conflicts"), func(ctx context.Context) error {
		ctx, b.cancel = context.WithCancel(ctx)
		defer b.cancel()
		out = settleAll(ctx, b.p.h.Engine(), b.folder, r, func(done int64) {
			fyne.Do(func() { b.bar.SetValue(float64(done) / float64(max(1, total))) })
		})
		return nil
	}, func() {
		b.bar.SetValue(1)
		b.said.SetText(out.text())
		b.means.SetText("")
		closing.SetText(lang.L("Close"))
		if len(out.failed) > 0 {
			b.failed.SetText(strings.Join(out.failed, "\n"))
			b.failed.Show()
			b.list.Show()
		}
		b.p.reload()
	})
}

// outcome is what came of a choice for all.
type outcome struct {
	settled, left int64
	failed        []string // paths and sentences, at most maxFailed
	more          int64    // failed, and not listed
	stopped       bool
	err           error // the list could not be had
}

func (o outcome) text() string {
	text := some(int(o.settled), lang.L("1 conflict is settled."), "{{.N}} conflicts are settled.")
	if o.left > 0 {
		text += " " + some(int(o.left), lang.L("1 is left: the choice does not fit it."), "{{.N}} are left: the choice does not fit them.")
	}
	if n := int64(len(o.failed)) + o.more; n > 0 {
		text += " " + some(int(n), lang.L("1 was not settled:"), "{{.N}} were not settled:")
	}
	if o.stopped {
		text += " " + lang.L("You stopped it.")
	}
	if o.err != nil {
		text += " " + lang.L("It ended early: {{.Why}}", data{"Why": present.Clean(o.err.Error(), 0)})
	}
	return text
}

// settleAll settles the conflicts of a folder by a rule, each as it is listed. It
// goes through the list once.
func settleAll(ctx context.Context, e control.Engine, folder string, r rule, progress func(done int64)) (out outcome) {
	q := control.ConflictsRequest{Folder: folder, Limit: perPage}
	for done := int64(0); ; {
		page, err := e.ListConflicts(ctx, q)
		if err != nil {
			out.err, out.stopped = err, ctx.Err() != nil
			return out
		}
		for _, k := range page.Conflicts {
			if ctx.Err() != nil {
				out.stopped = true
				return out
			}
			done++
			keep := ""
			if k.Kind != control.EditDelete {
				keep = r.keep(k)
			}
			if keep == "" {
				out.left++
				continue
			}
			err := e.Resolve(ctx, control.Resolve{Path: folder + "/" + k.Copy, Keep: keep, If: &control.Seen{This: k.ThisContent, That: k.ThatContent}})
			switch {
			case err == nil:
				out.settled++
			case ctx.Err() != nil:
				out.stopped = true
				return out
			case len(out.failed) < maxFailed:
				out.failed = append(out.failed, fmt.Sprintf("%s: %s", present.CleanName(k.Path, 60), present.Clean(err.Error(), 200)))
			default:
				out.more++
			}
			progress(done)
		}
		if q.After = page.Next; q.After == "" {
			return out
		}
	}
}
