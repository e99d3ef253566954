package devices

import (
	"context"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

// menu is what can be done with a device. Devices are named to the engine by their
// ids: two may have one name.
func (p *Page) menu(v view) (items []*fyne.MenuItem) {
	item := func(text string, icon fyne.Resource, act func()) *fyne.MenuItem {
		m := fyne.NewMenuItem(text, act)
		m.Icon = icon
		items = append(items, m)
		return m
	}
	item(lang.L("Rename…"), theme.DocumentCreateIcon(), func() { p.rename(v) })
	item(lang.L("Copy its id"), theme.ContentCopyIcon(), func() {
		fyne.CurrentApp().Clipboard().SetContent(v.device.ID.String())
		p.h.Say(lang.L("The id is on the clipboard."))
	})
	if v.self {
		return items
	}
	item(lang.L("Set addresses…"), theme.ComputerIcon(), func() { p.addresses(v) })
	if v.device.Paused != nil {
		item(lang.L("Resume with it"), theme.MediaPlayIcon(), func() { p.pause(v, nil) })
	} else {
		m := item(lang.L("Pause with it"), theme.MediaPauseIcon(), nil)
		m.ChildMenu = fyne.NewMenu("", p.pauses(v)...)
	}
	items = append(items, fyne.NewMenuItemSeparator())
	item(lang.L("Remove…"), theme.DeleteIcon(), func() { p.remove(v) })
	return items
}

func (p *Page) pauses(v view) []*fyne.MenuItem {
	forTime := func(d time.Duration) func() {
		return func() { p.pause(v, &control.PauseRequest{For: d}) }
	}
	return []*fyne.MenuItem{
		fyne.NewMenuItem(lang.L("30 minutes"), forTime(30*time.Minute)),
		fyne.NewMenuItem(lang.L("2 hours"), forTime(2*time.Hour)),
		fyne.NewMenuItem(lang.L("Until tomorrow"), func() {
			t := present.Morning(p.h.Now())
			p.pause(v, &control.PauseRequest{Until: &t})
		}),
		fyne.NewMenuItem(lang.L("Until I resume"), forTime(0)),
	}
}

// pause stops what moves between this device and another; nil resumes.
func (p *Page) pause(v view, r *control.PauseRequest) {
	id := v.device.ID.String()
	if r == nil {
		p.h.Ask(lang.L("Resume"), func(ctx context.Context) error {
			return p.h.Engine().Resume(ctx, control.PauseRequest{Device: id})
		}, nil)
		return
	}
	r.Device = id
	p.h.Ask(lang.L("Pause"), func(ctx context.Context) error { return p.h.Engine().Pause(ctx, *r) }, nil)
}

func (p *Page) rename(v view) {
	look.Prompt(lang.L("Rename a device"), lang.L("The new name is shown on all of your devices."), v.device.Name, lang.L("Rename"), p.h.Window(), func(name string) {
		p.h.Ask(lang.L("Rename"), func(ctx context.Context) error {
			return p.h.Engine().RenameDevice(ctx, v.device.ID.String(), name)
		}, nil)
	})
}

func (p *Page) remove(v view) {
	name := present.CleanName(v.device.Name, 60)
	look.Confirm(lang.L("Remove {{.Name}}?", data{"Name": name}),
		lang.L("None of your devices will sync with {{.Name}} any more. The files that are on it stay there, and yours stay here. To have it back, you invite it anew.", data{"Name": name}),
		lang.L("Remove"), true, p.h.Window(), func() {
			p.h.Ask(lang.L("Remove {{.Name}}", data{"Name": name}), func(ctx context.Context) error {
				return p.h.Engine().RemoveDevice(ctx, v.device.ID.String())
			}, func() { p.h.Say(lang.L("{{.Name}} is no longer one of your devices.", data{"Name": name})) })
		})
}

// addresses asks for the addresses that are tried first.
func (p *Page) addresses(v view) {
	var d *look.Dialog
	field := look.NewField("nas.example.org:22067")
	field.SetText(strings.Join(v.device.Given, ", "))
	save := func() {
		list := strings.FieldsFunc(field.Text, func(r rune) bool { return r == ',' || r == ' ' || r == ';' })
		if list == nil {
			list = []string{}
		}
		d.Hide()
		p.h.Ask(lang.L("Set addresses"), func(ctx context.Context) error {
			return p.h.Engine().SetDevice(ctx, v.device.ID.String(), control.DeviceSettings{Addresses: &list})
		}, func() { p.h.Say(lang.L("Saved.")) })
	}
	field.OnSubmitted = func(string) { save() }
	about := look.Paragraph(lang.L("Pinion finds devices by itself. Where it can't, give the address here, with its port; several with commas between them. They are tried first. An empty field leaves it to Pinion."))
	d = look.NewDialog(lang.L("Addresses of {{.Name}}", data{"Name": present.CleanName(v.device.Name, 60)}), look.Column(look.Near, about, field), 500, p.h.Window(),
		look.NewButton(lang.L("Cancel"), nil, func() { d.Hide() }), look.NewButton(lang.L("Save"), nil, save).Main())
	d.Show()
	p.h.Window().Canvas().Focus(field)
}
