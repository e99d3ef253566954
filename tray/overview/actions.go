package overview

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/guide"
	"pinion/tray/look"
	"pinion/tray/page"
	"pinion/tray/present"
)

// act does what the button beside a matter says.
func (p *Page) act(what int, f status.Folder) {
	switch what {
	case actHeld:
		guide.Held(p.h, f)
	case actConflicts:
		p.h.Go(page.Conflicts, page.Place{Folder: f.Name})
	case actProblems:
		p.problems(f)
	}
}

// menu is what can be done with a folder.
func (p *Page) menu(f status.Folder) []*fyne.MenuItem {
	item := func(text string, icon fyne.Resource, act func()) *fyne.MenuItem {
		m := fyne.NewMenuItem(text, act)
		m.Icon = icon
		return m
	}
	items := []*fyne.MenuItem{
		item(lang.L("Open the folder"), theme.FolderOpenIcon(), func() { p.h.Open(f.Path) }),
		item(lang.L("Look for changes now"), theme.ViewRefreshIcon(), func() { p.scan(f.Name) }),
	}
	if f.State == status.Paused {
		items = append(items, item(lang.L("Resume"), theme.MediaPlayIcon(), func() { p.resume(control.PauseRequest{Folder: f.Name}) }))
	} else {
		pause := item(lang.L("Pause"), theme.MediaPauseIcon(), nil)
		pause.ChildMenu = fyne.NewMenu("", p.pauses(f.Name)...)
		items = append(items, pause)
	}
	return append(items, fyne.NewMenuItemSeparator(),
		item(lang.L("History…"), theme.HistoryIcon(), func() { p.h.Go(page.History, page.Place{Folder: f.Name}) }),
		item(lang.L("Settings…"), theme.SettingsIcon(), func() { p.h.Go(page.Settings, page.Place{Folder: f.Name}) }))
}

// pauses lists for how long a folder, or with "" everything, can be paused.
func (p *Page) pauses(folder string) []*fyne.MenuItem {
	forTime := func(d time.Duration) func() {
		return func() { p.pauseFor(control.PauseRequest{Folder: folder, For: d}) }
	}
	return []*fyne.MenuItem{
		fyne.NewMenuItem(lang.L("30 minutes"), forTime(30*time.Minute)),
		fyne.NewMenuItem(lang.L("2 hours"), forTime(2*time.Hour)),
		fyne.NewMenuItem(lang.L("Until tomorrow"), func() {
			t := present.Morning(p.h.Now())
			p.pauseFor(control.PauseRequest{Folder: folder, Until: &t})
		}),
		fyne.NewMenuItem(lang.L("Until I resume"), forTime(0)),
	}
}

func (p *Page) pauseFor(r control.PauseRequest) {
	p.h.Ask(lang.L("Pause"), func(ctx context.Context) error { return p.h.Engine().Pause(ctx, r) }, nil)
}

func (p *Page) resume(r control.PauseRequest) {
	p.h.Ask(lang.L("Resume"), func(ctx context.Context) error { return p.h.Engine().Resume(ctx, r) }, nil)
}

func (p *Page) scan(folder string) {
	p.h.Ask(lang.L("Look for changes"), func(ctx context.Context) error { return p.h.Engine().Scan(ctx, folder) },
		func() {
			p.h.Say(lang.L("Looking for changes in {{.Name}}.", data{"Name": name(folder)}))
		})
}

// showPause makes the button at the top say what it does now.
func (p *Page) showPause(s status.State) {
	text, icon := lang.L("Pause"), theme.MediaPauseIcon()
	p.pause.Hidden = len(s.Folders) == 0
	if s.Paused.State == status.Paused {
		text, icon = lang.L("Resume"), theme.MediaPlayIcon()
	}
	if p.pause.Text != text {
		p.pause.Text, p.pause.Icon = text, icon
		p.pause.Refresh()
		p.content.Refresh()
	}
}

func (p *Page) pauseMenu() {
	if p.s.Paused.State == status.Paused {
		p.resume(control.PauseRequest{})
		return
	}
	below := fyne.NewPos(0, p.pause.Size().Height)
	widget.NewPopUpMenu(fyne.NewMenu("", p.pauses("")...), p.h.Window().Canvas()).ShowAtRelativePosition(below, p.pause)
}

// problems lists the paths that can't be synced, each with its cure.
func (p *Page) problems(f status.Folder) {
	list := container.NewVBox()
	for _, x := range f.Problems {
		cure := look.Quiet(sentence(present.Clean(x.Error, 300)))
		list.Add(look.Column(0, look.Strong(present.CleanName(x.Path, 200)).Tail(),
			container.New(layout.NewCustomPaddedLayout(-4, 0, -8, -8), cure)))
	}
	size := p.h.Window().Canvas().Size()
	scroll := container.NewVScroll(list)
	scroll.SetMinSize(fyne.NewSize(min(560, size.Width-140), min(340, size.Height-220)))
	var d *look.Dialog
	done := look.NewButton(lang.L("Close"), nil, func() { d.Hide() }).Main()
	d = look.NewDialog(lang.L("What can't be synced in {{.Name}}", data{"Name": name(f.Name)}), scroll, 600, p.h.Window(), done)
	d.Show()
	p.h.Window().Canvas().Focus(done)
}
