package guide

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"unicode"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/page"
)

const dialogWidth = 560

// AddFolder asks which directory is to be kept the same.
func AddFolder(h page.Host) { addFolder(around(h)) }

func addFolder(h world) {
	f := newPlace(h, true, false)
	var d *look.Dialog
	add := look.NewButton(lang.L("Add folder"), nil, func() {
		f.add(func(n string) {
			d.Hide()
			h.Say(lang.L("{{.Folder}} is kept the same from now on.", data{"Folder": name(n)}))
		})
	}).Main()
	f.path.OnSubmitted = func(string) { add.OnTapped() }
	d = look.NewDialog(lang.L("Add a folder"), f.content, dialogWidth, h.Window(),
		look.NewButton(cancelWord(), nil, func() { d.Hide() }), add)
	f.fit = d.Fit
	d.Show()
	h.Window().Canvas().Focus(f.path)
}

// Offer asks where an offered folder is to be, or whether it is wanted at all.
func Offer(h page.Host, o status.Offer) { offer(around(h), o) }

func offer(h world, o status.Offer) {
	f := newPlace(h, false, true)
	in := data{"Folder": name(o.Name), "Device": name(o.From)}
	about := look.NewCaption(lang.L("It is on {{.Device}}. If you take it, its files come here and are kept the same.", in))
	f.content.Objects = append([]fyne.CanvasObject{about}, f.content.Objects...)
	var d *look.Dialog
	take := look.NewButton(lang.L("Take it"), nil, func() { f.take(o, func() { d.Hide() }) }).Main()
	f.path.OnSubmitted = func(string) { take.OnTapped() }
	decline := look.NewButton(lang.L("Decline"), nil, func() {
		try(h, func(ctx context.Context) error {
			return h.Engine().Decline(ctx, control.Decline{Folder: o.ID.String()})
		}, func(err error) {
			if err != nil {
				f.fail(err)
				return
			}
			d.Hide()
			h.Say(lang.L("You are not asked about {{.Folder}} again. In the settings, under General, you can change your mind.", in))
		})
	}).Low()
	later := look.NewButton(lang.L("Not now"), nil, func() { d.Hide() })
	d = look.NewDialog(lang.L("{{.Folder}} is offered", in), f.content, dialogWidth, h.Window(), decline, later, take)
	f.fit = d.Fit
	d.Show()
	f.path.SetText(filepath.Join(home(), fileName(o.Name)))
	f.look()
	h.Window().Canvas().Focus(f.path)
}

// take has the engine take the offer.
func (f *place) take(o status.Offer, done func()) {
	path := f.where()
	if path == "" {
		f.fail(errors.New(lang.L("Choose a directory first")))
		return
	}
	r := control.Accept{Folder: o.ID.String(), Path: path, Mode: f.chosenMode(), State: f.state()}
	try(f.h, func(ctx context.Context) error {
		_, err := f.h.Engine().Accept(ctx, r)
		return err
	}, func(err error) {
		if err != nil {
			f.fail(err)
			return
		}
		done()
		f.h.Say(lang.L("{{.Folder}} is on its way here.", data{"Folder": name(o.Name)}))
	})
}

// fileName makes a directory's name of a folder's, which another device has chosen.
func fileName(s string) string {
	clean := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:*?"<>|`, r) || !unicode.IsGraphic(r) {
			return '_'
		}
		return r
	}, s)
	if clean = strings.Trim(clean, ". "); clean == "" || len(clean) > 200 {
		return lang.L("Folder")
	}
	return clean
}
