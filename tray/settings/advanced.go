package settings

import (
	"context"
	"errors"
	"os"
	"path/filepath"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

func (p *Page) advanced() *section {
	s := &section{title: lang.L("Advanced")}
	s.make = func() fyne.CanvasObject { return p.scrolled(s, p.facts(s), p.lan(s), p.doctor()) }
	return s
}

// facts say where everything is.
func (p *Page) facts(s *section) fyne.CanvasObject {
	facts := look.NewFacts()
	var home string
	s.fill = append(s.fill, func() {
		facts.Set(
			lang.L("Version"), present.Clean(p.state.Device.Version, 60),
			lang.L("Device id"), p.state.Device.ID.String(),
			lang.L("Listens on"), present.Clean(p.state.Device.Listen, 80),
			lang.L("Key and settings in"), home)
	})
	log := look.NewSetting(lang.L("The engine's log"), "", look.NewButton(lang.L("Open the log"), nil, nil))
	open := log.Control.(*look.Button)
	open.OnTapped = func() {
		file := filepath.Join(home, logFile)
		p.try(log, func(context.Context) error {
			if _, err := os.Stat(file); errors.Is(err, os.ErrNotExist) {
				return errors.New(lang.L("The engine was not started from here; what it says is where the system keeps its logs"))
			} else if err != nil {
				return err
			}
			return nil
		}, func() { p.h.Open(file) })
	}
	files := look.NewSetting(lang.L("The folder of settings"), lang.L("config.toml may be edited by hand while no engine runs."),
		look.NewButton(lang.L("Open the folder"), nil, func() { p.h.Open(home) }))
	p.h.Ask(lang.L("Read the configuration"), func(ctx context.Context) error {
		c, err := p.h.Engine().Config(ctx)
		home = c.Home
		return err
	}, p.fill)
	return look.Settings(lang.L("This engine"), facts, files, log)
}

// logFile is where an engine that was started by the window writes its log.
const logFile = "engine.log"

func (p *Page) lan(s *section) fyne.CanvasObject {
	var set *look.Setting
	check := newCheck(p, func(on bool) { p.change(set, control.SettingsChange{LAN: &on}) })
	about := lang.L("Without it devices find each other by the addresses that they know.")
	set = look.NewSetting(lang.L("Look for devices on the local network"), about, flush(check))
	s.fill = append(s.fill, func() {
		check.SetChecked(p.settings.LAN)
		if p.settings.Restart {
			set.About(about + " " + lang.L("What was changed holds once the engine is started again."))
		} else {
			set.About(about)
		}
	})
	return look.Settings(lang.L("Finding each other"), set)
}

// maxFindings bounds how many findings are shown.
const maxFindings = 100

// doctor looks everything over and shows what it found.
func (p *Page) doctor() fyne.CanvasObject {
	found := look.Column(look.Apart)
	deep := widget.NewCheck(lang.L("Read every file, too (takes long)"), nil)
	busy := widget.NewProgressBarInfinite()
	busy.Hide()
	var button *look.Button
	var set *look.Setting
	button = look.NewButton(lang.L("Look everything over"), nil, func() {
		button.Disable()
		busy.Show()
		busy.Start()
		found.RemoveAll()
		var list []control.Finding
		q := control.DoctorRequest{Deep: deep.Checked}
		var wrong error
		p.h.Ask("", func(ctx context.Context) error {
			list, wrong = p.h.Engine().Doctor(ctx, q)
			return ctx.Err()
		}, func() {
			button.Enable()
			busy.Stop()
			busy.Hide()
			set.Fail(sentence(wrong))
			if wrong == nil {
				findings(found, list)
			}
		})
	})
	set = look.NewSetting(lang.L("Doctor"), lang.L("Folders, disks, index, archive and how this device stands with the others. Nothing is changed."), button)
	return look.Settings(lang.L("Is everything well?"), look.Column(look.Apart, set, deep, busy, found))
}

// findings lists what was found, the worst first.
func findings(into *fyne.Container, list []control.Finding) {
	n, problems := 0, 0
	for _, level := range []string{"problem", "note", "ok"} {
		for _, f := range list {
			if f.Level != level {
				continue
			}
			if level == "problem" {
				problems++
			}
			if n++; n <= maxFindings {
				into.Add(finding(f))
			}
		}
	}
	head := lang.L("All is well.")
	switch {
	case problems == 1:
		head = lang.L("One thing needs a look.")
	case problems > 1:
		head = lang.N("{{.N}} things need a look.", problems, data{"N": problems})
	}
	into.Objects = append([]fyne.CanvasObject{look.Strong(head)}, into.Objects...)
	if n > maxFindings {
		into.Add(look.NewCaption(lang.L("Not all are shown; pinion doctor lists them.")))
	}
	into.Refresh()
}

func finding(f control.Finding) fyne.CanvasObject {
	icon, colour := theme.ConfirmIcon(), look.ColorSynced
	switch f.Level {
	case "problem":
		icon, colour = theme.ErrorIcon(), look.ColorTrouble
	case "note":
		icon, colour = theme.InfoIcon(), look.ColorSecondary
	}
	text := present.Clean(capital(f.Text), 400)
	if f.Folder != "" {
		text = present.CleanName(f.Folder, 40) + ": " + text
	}
	return look.Signed(icon, colour, look.NewCaption(text))
}
