package guide

import (
	"context"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
)

const maxExamples = 5

// Held says what is about to be lost, and asks what is to become of it.
func Held(h page.Host, f status.Folder) { held(around(h), f) }

func held(h world, f status.Folder) {
	var d *look.Dialog
	wrong := look.NewCaption("")
	column := look.Column(look.Apart)
	column.Add(look.Callout(look.Needs, theme.WarningIcon(), heldTitle(f), heldWhat(f, h)))
	if list := heldExamples(f); list != nil {
		column.Add(list)
	}
	busy := func(err error, said string) {
		if err != nil {
			wrong.Fail(sentence(err))
			d.Fit()
			return
		}
		d.Hide()
		h.Say(said)
	}
	back := look.NewButton(lang.L("Take it back"), theme.ContentUndoIcon(), func() {
		wrong.Say(lang.L("The files are being brought back…"))
		d.Fit()
		try(h, func(ctx context.Context) error {
			_, err := h.Engine().Restore(ctx, control.Restore{Path: f.Path})
			return err
		}, func(err error) { busy(err, lang.L("It was taken back.")) })
	}).Main()
	let := look.NewButton(lang.L("Let it happen…"), nil, func() {
		look.Confirm(lang.L("Let it happen?"), letSentence(f), lang.L("Let it happen"), true, h.Window(), func() {
			try(h, func(ctx context.Context) error { return h.Engine().Confirm(ctx, f.ID.String()) },
				func(err error) { busy(err, lang.L("It happens on all devices now. History has what was lost.")) })
		})
	})
	column.Add(look.Halves(
		answer(lang.L("If that was not you"), backSentence(f), back),
		answer(lang.L("If that was you"), letSentence(f), let)))
	column.Add(wrong)
	d = look.NewDialog(lang.L("{{.Folder}} waits for your answer", data{"Folder": name(f.Name)}), column, 620, h.Window(),
		look.NewButton(lang.L("Decide later"), nil, func() { d.Hide() }))
	d.Show()
	h.Window().Canvas().Focus(back)
}

// answer is a card with one of the two answers.
func answer(title, about string, button *look.Button) fyne.CanvasObject {
	return look.Card(container.NewBorder(look.Column(4, look.Strong(title), look.NewCaption(about)), look.Pad(look.Line(0, button), 6, 0), nil, nil))
}

func hold(f status.Folder) status.Hold {
	if len(f.Holds) == 0 {
		return status.Hold{}
	}
	return f.Holds[0]
}

// heldTitle is what happened: "3,204 of 12,407 files were deleted".
func heldTitle(f status.Folder) string {
	h := hold(f)
	in := data{"N": present.Number(h.Files), "All": present.Files(max(f.Files, h.Files))}
	switch {
	case h.Files == 0:
		return lang.L("Much was changed at once")
	case h.Deleted && h.Overwritten:
		return lang.L("{{.N}} of {{.All}} were deleted, or overwritten with what looks encrypted", in)
	case h.Overwritten:
		return lang.L("{{.N}} of {{.All}} were overwritten with what looks encrypted", in)
	}
	return lang.L("{{.N}} of {{.All}} were deleted at once", in)
}

// heldWhat says where and when it happened, and that nothing has come of it yet.
func heldWhat(f status.Folder, h world) string {
	was := hold(f)
	in := data{"Device": name(was.Device)}
	var parts []string
	switch {
	case was.Files == 0:
		parts = append(parts, present.Clean(f.Reason, 300))
	case was.OfOthers:
		parts = append(parts, lang.L("It happened on another device, and {{.Device}} has not followed.", in))
	case was.Device != "":
		parts = append(parts, lang.L("It happened on {{.Device}}. No other device has followed.", in))
	}
	if !was.Since.IsZero() {
		parts = append(parts, lang.L("It was noticed {{.When}}.", data{"When": present.At(was.Since, h.Now())}))
	}
	if was.Overwritten {
		parts = append(parts, lang.L("Some malicious programs do this. If you did not encrypt these files yourself, switch that device off before you take it back."))
	}
	return strings.Join(parts, " ")
}

func heldExamples(f status.Folder) fyne.CanvasObject {
	list := hold(f).Examples
	if len(list) == 0 {
		return nil
	}
	column := look.Column(2)
	for _, p := range list[:min(len(list), maxExamples)] {
		column.Add(look.Signed(theme.FileIcon(), look.ColorSecondary, look.NewText(present.CleanName(p, 160)).Tail()))
	}
	if more := hold(f).Files - int64(len(list)); more > 0 {
		column.Add(look.Signed(nil, look.ColorSecondary, look.Secondary(lang.L("and {{.Files}} more", data{"Files": present.Files(more)}))))
	}
	return look.Pad(column, 0, look.Apart)
}

func backSentence(f status.Folder) string {
	if hold(f).OfOthers {
		return lang.L("What stands on this device stays, and comes back on the others.")
	}
	return lang.L("The files come back as they were. What stands in their place now goes to the archive.")
}

func letSentence(status.Folder) string {
	return lang.L("It then happens on all devices. What is lost stays in the archive for a while, and History brings it back.")
}
