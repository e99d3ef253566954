package settings

import (
	"context"
	"time"

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

// chosen is the folder that is chosen, or the first.
func (p *Page) chosen() (status.Folder, bool) {
	for _, f := range p.state.Folders {
		if f.ID.String() == p.folder {
			return f, true
		}
	}
	if len(p.state.Folders) == 0 {
		return status.Folder{}, false
	}
	p.folder = p.state.Folders[0].ID.String()
	return p.state.Folders[0], true
}

// chooser is the line in which a folder is chosen. It calls turned when another one
// is shown.
func (p *Page) chooser(s *section, turned func()) fyne.CanvasObject {
	c := newChoice(p, nil, func(id string) {
		p.folder = id
		turned()
		p.fill()
	})
	path := look.Secondary("").Tail()
	s.fill = append(s.fill, func() {
		f, _ := p.chosen()
		c.values, c.Options = nil, nil
		for _, f := range p.state.Folders {
			c.values, c.Options = append(c.values, f.ID.String()), append(c.Options, present.CleanName(f.Name, 40))
		}
		c.show(f.ID.String())
		path.SetText(present.CleanName(f.Path, 120))
	})
	return container.NewBorder(nil, nil, look.Line(14, look.Wide(240, look.Edged(c.Select)), look.Space(0, 0)), nil, look.Middle(path))
}

// noFolder stands where a folder's settings would, when there is none.
func (p *Page) noFolder() fyne.CanvasObject {
	return look.EmptyState(theme.FolderIcon(), lang.L("No folder yet"), lang.L("Add a folder on the overview; what can be chosen for it is then found here."),
		look.NewButton(lang.L("Go to the overview"), nil, func() { p.h.Go(page.Overview, nil) }))
}

// orNone shows content where there are folders, and else says that there are none.
func (p *Page) orNone(s *section, content fyne.CanvasObject) fyne.CanvasObject {
	none := p.noFolder()
	s.fill = append(s.fill, func() {
		if len(p.state.Folders) == 0 {
			content.Hide()
			none.Show()
			return
		}
		none.Hide()
		content.Show()
	})
	return container.NewStack(content, none)
}

// folderForm is the settings of the folder that is chosen.
type folderForm struct {
	p    *Page
	s    *section
	cfg  control.FolderConfig
	have bool
	sets []*look.Setting
}

func (p *Page) folders() *section {
	s := &section{title: lang.L("Folders")}
	f := &folderForm{p: p, s: s}
	s.opened = f.read
	s.make = func() fyne.CanvasObject {
		cards := p.scrolled(s,
			look.Settings("", f.name(), f.mode(), f.paused()),
			look.Settings(lang.L("What was replaced or deleted"), f.keepDays(), f.keepBytes(), f.reserve()),
			look.Settings(lang.L("Details"), f.merge(), f.attributes(), f.owner(), f.scan()),
			look.Settings("", f.remove()),
		)
		head := look.Pad(p.chooser(s, f.read), 0, look.Margin)
		return p.orNone(s, container.NewBorder(look.Column(look.Apart, head, look.Space(0, 0)), nil, nil, nil, cards))
	}
	return s
}

// read asks for what was chosen for the folder.
func (f *folderForm) read() {
	folder, ok := f.p.chosen()
	if !ok {
		return
	}
	for _, s := range f.sets {
		s.Fail("")
	}
	id := folder.ID
	var got control.FolderConfig
	f.p.h.Ask(lang.L("Read the folder's settings"), func(ctx context.Context) (err error) {
		got, err = f.p.h.Engine().FolderConfig(ctx, id.String())
		return err
	}, func() {
		if now, ok := f.p.chosen(); ok && now.ID == id {
			f.cfg, f.have = got, true
			f.p.fill()
		}
	})
}

// set changes something of the folder.
func (f *folderForm) set(at *look.Setting, s control.FolderSettings) {
	id := f.cfg.ID.String()
	f.p.try(at, func(ctx context.Context) error { return f.p.h.Engine().SetFolder(ctx, id, s) }, nil)
	if at.Wrong() == "" {
		f.read()
	}
}

// add makes a setting; fill shows what holds in it.
func (f *folderForm) add(title, about string, control fyne.CanvasObject, fill func()) *look.Setting {
	set := look.NewSetting(title, about, control)
	f.sets = append(f.sets, set)
	f.s.fill = append(f.s.fill, func() {
		if f.have && set.Wrong() == "" {
			fill()
		}
	})
	return set
}

func (f *folderForm) name() fyne.CanvasObject {
	var set *look.Setting
	name := newEdit("", nil)
	name.take = func(text string) {
		name.taken()
		f.set(set, control.FolderSettings{Name: &text})
	}
	set = f.add(lang.L("Name"), "", look.Wide(240, name), func() { name.show(f.cfg.Name) })
	return set
}

func (f *folderForm) mode() fyne.CanvasObject {
	var set *look.Setting
	var list []option[string]
	for _, m := range present.Modes() {
		list = append(list, option[string]{m, present.ModeName(m)})
	}
	mode := newChoice(f.p, nil, func(v string) { f.set(set, control.FolderSettings{Mode: &v}) }, list...)
	set = f.add(lang.L("Direction"), present.ModeWords(""), look.Wide(170, look.Edged(mode.Select)), func() {
		mode.show(f.cfg.Mode)
		set.About(present.ModeWords(f.cfg.Mode))
	})
	return set
}

func (f *folderForm) paused() fyne.CanvasObject {
	var set *look.Setting
	check := newCheck(f.p, func(on bool) {
		r, id := control.PauseRequest{Folder: f.cfg.ID.String()}, f.p.h.Engine()
		f.p.try(set, func(ctx context.Context) error {
			if on {
				return id.Pause(ctx, r)
			}
			return id.Resume(ctx, r)
		}, nil)
	})
	set = f.add(lang.L("Paused"), lang.L("Nothing of this folder moves until you switch this off."), flush(check), func() {
		folder, _ := f.p.chosen()
		all := f.p.state.Paused.State == "paused"
		check.SetChecked(folder.State == status.Paused)
		if all {
			check.Disable()
			set.About(lang.L("Everything is paused now."))
		} else {
			check.Enable()
			set.About(lang.L("Nothing of this folder moves until you switch this off."))
		}
	})
	return set
}

func daysFor(days int) string {
	if days < 0 {
		return lang.L("For ever")
	}
	return present.Duration(time.Duration(days) * 24 * time.Hour)
}

func (f *folderForm) keepDays() fyne.CanvasObject {
	var set *look.Setting
	days := newChoice(f.p, daysFor, func(v int) { f.set(set, control.FolderSettings{KeepDays: &v}) },
		option[int]{7, daysFor(7)}, option[int]{0, daysFor(30)}, option[int]{90, daysFor(90)}, option[int]{365, daysFor(365)}, option[int]{-1, daysFor(-1)})
	set = f.add(lang.L("Keep it for"), lang.L("Until then History brings it back."), look.Wide(170, look.Edged(days.Select)), func() {
		v := f.cfg.KeepDays
		if v == f.cfg.Usual.KeepDays {
			v = 0
		}
		days.show(v)
		folder, _ := f.p.chosen()
		set.About(lang.L("Until then History brings it back. It takes {{.Size}} now: {{.Files}}.",
			data{"Size": present.Size(folder.Archive.Bytes), "Files": present.Files(folder.Archive.Files)}))
	})
	return set
}

// bytes makes a field for a number of bytes; none is the word for no bound, "" where
// there is none.
func (f *folderForm) bytes(title, about string, of func() int64, usual func() int64, none string, put func(*control.FolderSettings, int64)) fyne.CanvasObject {
	var set *look.Setting
	field := newEdit("", nil)
	field.take = func(text string) {
		n, err := size(text)
		if none != "" && text == none {
			n, err = -1, nil
		}
		if err != nil {
			f.p.fail(set, err)
			return
		}
		var s control.FolderSettings
		put(&s, n)
		field.taken()
		f.set(set, s)
	}
	set = f.add(title, about, look.Wide(170, field), func() {
		if u := usual(); u > 0 {
			field.SetPlaceHolder(lang.L("{{.Size}} (usual)", data{"Size": present.Size(u)}))
		}
		text := exactly(of())
		if of() < 0 {
			text = none
		}
		field.show(text)
	})
	return set
}

func (f *folderForm) keepBytes() fyne.CanvasObject {
	none := lang.L("no bound")
	return f.bytes(lang.L("Keep at most"), lang.L("Usually a quarter of the disk. The oldest goes first. Write “no bound” for as much as fits."),
		func() int64 { return f.cfg.KeepBytes }, func() int64 { return f.cfg.Usual.KeepBytes }, none,
		func(s *control.FolderSettings, n int64) { s.KeepBytes = &n })
}

func (f *folderForm) reserve() fyne.CanvasObject {
	return f.bytes(lang.L("Leave free on the disk"), lang.L("Pinion stops taking files before the disk is full."),
		func() int64 { return f.cfg.Reserve }, func() int64 { return f.cfg.Usual.Reserve }, "",
		func(s *control.FolderSettings, n int64) { s.Reserve = &n })
}

func (f *folderForm) merge() fyne.CanvasObject {
	var set *look.Setting
	merge := newChoice(f.p, nil, func(v string) { f.set(set, control.FolderSettings{Merge: &v}) },
		option[string]{"ask", lang.L("Ask me")}, option[string]{"auto", lang.L("Join them")})
	set = f.add(lang.L("Texts that were changed on two devices"), lang.L("Where the changes do not touch each other, both can be joined without asking."),
		look.Wide(170, look.Edged(merge.Select)), func() { merge.show(f.cfg.Merge) })
	return set
}

func (f *folderForm) attributes() fyne.CanvasObject {
	var set *look.Setting
	check := newCheck(f.p, func(on bool) { f.set(set, control.FolderSettings{Attributes: &on}) })
	set = f.add(lang.L("Carry attributes"), lang.L("Extended attributes and access lists, such as tags and colours of files."), flush(check),
		func() { check.SetChecked(f.cfg.Attributes) })
	return set
}

func (f *folderForm) owner() fyne.CanvasObject {
	var set *look.Setting
	check := newCheck(f.p, func(on bool) { f.set(set, control.FolderSettings{Owner: &on}) })
	set = f.add(lang.L("Carry owners"), "", flush(check), func() {
		check.SetChecked(f.cfg.Owner)
		if f.cfg.MayOwn || f.cfg.Owner {
			check.Enable()
			set.About(lang.L("Owners and groups of files, by their names."))
		} else {
			check.Disable()
			set.About(lang.L("Only an engine that runs as root can give files to others."))
		}
	})
	return set
}

func (f *folderForm) scan() fyne.CanvasObject {
	var set *look.Setting
	words := func(d time.Duration) string {
		switch d {
		case time.Hour:
			return lang.L("Every hour")
		case 24 * time.Hour:
			return lang.L("Every day")
		}
		return lang.L("Every {{.Time}}", data{"Time": present.Duration(d)})
	}
	var list []option[time.Duration]
	for _, d := range []time.Duration{10 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour} {
		list = append(list, option[time.Duration]{d, words(d)})
	}
	every := newChoice(f.p, words, func(v time.Duration) { f.set(set, control.FolderSettings{ScanEvery: &v}) }, list...)
	set = f.add(lang.L("Look at everything"), lang.L("Changes are noticed at once; this is the safety net."), look.Wide(170, look.Edged(every.Select)),
		func() { every.show(f.cfg.ScanEvery) })
	return set
}

func (f *folderForm) remove() fyne.CanvasObject {
	var set *look.Setting
	button := look.NewButton(lang.L("Stop syncing…"), nil, func() {
		in := data{"Folder": present.CleanName(f.cfg.Name, 40)}
		id := f.cfg.ID.String()
		look.Confirm(lang.L("Stop syncing {{.Folder}} here?", in),
			lang.L("The files stay where they are, here and on the other devices. They are not kept the same any more on this device.", in),
			lang.L("Stop syncing"), true, f.p.h.Window(), func() {
				f.p.try(set, func(ctx context.Context) error { return f.p.h.Engine().RemoveFolder(ctx, id) }, func() {
					f.have = false
					f.p.h.Say(lang.L("{{.Folder}} is no longer synced here; its files stay where they are.", in))
				})
			})
	})
	set = f.add(lang.L("Remove from this device"), lang.L("The files stay where they are."), button, func() {})
	return set
}
