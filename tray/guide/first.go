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
)

// PrefGuided is the preference that says that the first run was gone through, or
// put away.
const PrefGuided = "guide.seen"

// Due says whether the first run is to be shown: nothing is set up, and the person
// has not seen it.
func Due(s status.State, p fyne.Preferences) bool {
	return len(s.Folders) == 0 && len(s.Devices) == 0 && !p.Bool(PrefGuided)
}

// FirstRun leads through the three steps in which Pinion is set up. Each can be
// skipped.
func FirstRun(h page.Host, s status.State) { firstRunOf(around(h), s) }

func firstRunOf(h world, s status.State) *firstRun {
	f := &firstRun{h: h}
	f.steps = []step{f.naming(s), f.folder(), f.device(), f.end()}
	f.body, f.dots = container.NewStack(), look.Secondary("").Whole()
	f.skip = look.NewButton(lang.L("Skip"), nil, func() { f.show(f.at + 1) }).Low()
	f.next = look.NewButton("", nil, func() { f.steps[f.at].next() }).Main()
	foot := look.Sides(f.dots, look.Line(8, f.skip, f.next))
	f.d = look.NewDialog(lang.L("Welcome to Pinion"), look.Column(look.Clear, f.body, foot), 600, h.Window())
	f.panel.open = f.d.Open
	f.panel.fits(f.d.Fit)
	f.place.fit = f.d.Fit
	f.d.Show()
	f.show(0)
	h.Prefs().SetBool(PrefGuided, true)
	return f
}

// step is one page of the guide.
type step struct {
	title, about string
	content      fyne.CanvasObject
	button       string
	next         func()
	shown        func() // may be nil
}

type firstRun struct {
	h     world
	d     *look.Dialog
	at    int
	steps []step
	body  *fyne.Container
	dots  *look.Text
	skip  *look.Button
	next  *look.Button
	panel *devicePanel
	place *place
}

// show turns to a step; after the last the guide is over.
func (f *firstRun) show(i int) {
	if i >= len(f.steps) {
		f.d.Hide()
		return
	}
	f.at = i
	s := f.steps[i]
	column := look.Column(look.Apart, look.SubHeading(s.title), look.NewCaption(s.about))
	if s.content != nil {
		column.Add(s.content)
	}
	f.body.Objects = []fyne.CanvasObject{column}
	f.body.Refresh()
	f.next.SetText(s.button)
	last := i == len(f.steps)-1
	if f.dots.SetText(lang.L("Step {{.N}} of {{.All}}", data{"N": i + 1, "All": len(f.steps) - 1})); last {
		f.dots.SetText("")
		f.skip.Hide()
	}
	if s.shown != nil {
		s.shown()
	}
	f.d.Fit()
}

func (f *firstRun) naming(s status.State) step {
	field, wrong := look.NewField(""), look.NewCaption("")
	field.SetText(s.Device.Name)
	content := look.Column(look.Near, labelled(lang.L("Name of this device"), field), wrong)
	next := func() {
		text := strings.TrimSpace(field.Text)
		if text == s.Device.Name {
			f.show(1)
			return
		}
		try(f.h, func(ctx context.Context) error {
			_, err := f.h.Engine().SetSettings(ctx, control.SettingsChange{Name: &text})
			return err
		}, func(err error) {
			if err != nil {
				wrong.Fail(sentence(err))
				f.d.Fit()
				return
			}
			f.show(1)
		})
	}
	field.OnSubmitted = func(string) { next() }
	return step{
		title: lang.L("What is this device called?"), about: lang.L("Pinion keeps your folders the same on your own devices, with nobody in between. Your other devices know this one by its name."),
		content: content, button: lang.L("Next"), next: next, shown: func() { f.h.Window().Canvas().Focus(field) },
	}
}

func (f *firstRun) folder() step {
	p := newPlace(f.h, true, false)
	f.place = p
	next := func() {
		p.add(func(string) { f.show(2) })
	}
	p.path.OnSubmitted = func(string) { next() }
	return step{
		title: lang.L("Which folder is to be kept the same?"), about: lang.L("More can be added at any time."),
		content: p.content, button: lang.L("Add folder"), next: next, shown: func() { f.h.Window().Canvas().Focus(p.path) },
	}
}

func (f *firstRun) device() step {
	f.panel = newDevicePanel(f.h)
	return step{
		title: lang.L("Which other device?"), about: lang.L("Invite a Raspberry Pi or another computer, or join one that has Pinion already."),
		content: f.panel.content, button: lang.L("Done"), next: func() { f.show(3) }, shown: func() { f.panel.turn(0) },
	}
}

func (f *firstRun) end() step {
	where := lang.L("You find its icon in the panel, beside the clock. A click on it shows how everything is; closing this window does not end the syncing.")
	return step{
		title: lang.L("Pinion goes on in the background"), about: where,
		content: container.NewCenter(container.NewGridWrap(fyne.NewSquareSize(72), look.Tinted(theme.ConfirmIcon(), look.ColorSynced))),
		button:  lang.L("Close"), next: func() { f.show(4) },
	}
}
