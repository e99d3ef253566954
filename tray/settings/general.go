package settings

import (
	"context"
	"errors"
	"slices"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/present"
)

func (p *Page) general() *section {
	s := &section{title: lang.L("General")}
	s.make = func() fyne.CanvasObject {
		device := []fyne.CanvasObject{p.nameSetting(s)}
		if p.login != nil {
			device = append(device, p.loginSetting(s))
		}
		return p.scrolled(s,
			look.Settings(lang.L("This device"), device...),
			look.Settings(lang.L("Appearance"), p.colourSetting(s)),
			p.declined(s),
		)
	}
	return s
}

func (p *Page) nameSetting(s *section) fyne.CanvasObject {
	var set *look.Setting
	name := newEdit("", nil)
	name.take = func(text string) {
		if text == "" {
			p.fail(set, errors.New(lang.L("A device needs a name")))
			return
		}
		p.try(set, func(ctx context.Context) error {
			_, err := p.h.Engine().SetSettings(ctx, control.SettingsChange{Name: &text})
			return err
		}, func() { p.settings.Name = text; name.taken() })
	}
	set = look.NewSetting(lang.L("Name"), lang.L("What your other devices call this one."), look.Wide(240, name))
	s.fill = append(s.fill, func() { name.show(p.settings.Name) })
	return set
}

func (p *Page) loginSetting(s *section) fyne.CanvasObject {
	var set *look.Setting
	check := newCheck(p, nil)
	ask := func(f func() error) {
		var on bool
		var wrong error
		p.h.Ask("", func(ctx context.Context) (err error) {
			if f != nil {
				wrong = f()
			}
			on, err = p.login.Enabled()
			if wrong == nil {
				wrong = err
			}
			return ctx.Err()
		}, func() {
			p.filling = true
			check.SetChecked(on)
			p.filling = false
			p.fail(set, wrong)
		})
	}
	check.OnChanged = func(on bool) {
		if !p.filling {
			ask(func() error { return p.login.Set(on) })
		}
	}
	set = look.NewSetting(lang.L("Start when I log in"), lang.L("Your folders are then kept the same without your doing anything."), flush(check))
	ask(nil)
	return set
}

func (p *Page) colourSetting(s *section) fyne.CanvasObject {
	colours := newChoice(p, nil, func(v string) {
		p.h.Prefs().SetString(look.PrefVariant, v)
		fyne.CurrentApp().Settings().SetTheme(look.Chosen(p.h.Prefs()))
	}, option[string]{"", lang.L("Like the desktop")}, option[string]{look.Light, lang.L("Light")}, option[string]{look.Dark, lang.L("Dark")})
	s.fill = append(s.fill, func() { colours.show(p.h.Prefs().String(look.PrefVariant)) })
	return look.NewSetting(lang.L("Colours"), "", look.Wide(200, look.Edged(colours.Select)))
}

func (p *Page) notifications() *section {
	s := &section{title: lang.L("Notifications")}
	s.make = func() fyne.CanvasObject {
		var list []fyne.CanvasObject
		for _, t := range present.Topics() {
			check := newCheck(p, func(on bool) { p.h.Prefs().SetBool(t.Pref, on) })
			s.fill = append(s.fill, func() { check.SetChecked(p.h.Prefs().BoolWithFallback(t.Pref, true)) })
			list = append(list, look.NewSetting(t.Title, "", flush(check)))
			if t.Topic == present.TopicUnseen {
				list = append(list, p.unseenSetting(s))
			}
		}
		return p.scrolled(s, look.Settings(lang.L("Tell me when"), list...))
	}
	return s
}

func (p *Page) unseenSetting(s *section) fyne.CanvasObject {
	var list []option[int]
	words := func(days int) string { return present.Duration(time.Duration(days) * 24 * time.Hour) }
	for _, days := range []int{2, 3, 7, 14, 30} {
		list = append(list, option[int]{days, words(days)})
	}
	days := newChoice(p, words, func(v int) { p.h.Prefs().SetInt(present.PrefUnseenDays, v) }, list...)
	s.fill = append(s.fill, func() {
		days.show(p.h.Prefs().IntWithFallback(present.PrefUnseenDays, present.DefaultUnseenDays))
	})
	return look.NewSetting(lang.L("After how long"), lang.L("A device that was not seen for this long is missed."), look.Wide(160, look.Edged(days.Select)))
}

// declined lists the folders that are offered and are not wanted here, so that the
// person can change their mind.
func (p *Page) declined(s *section) fyne.CanvasObject {
	place := look.Column(0)
	place.Hide()
	var shown []status.Offer
	s.fill = append(s.fill, func() {
		var list []status.Offer
		for _, o := range p.state.Offers {
			if o.Declined && len(list) < mostDeclined {
				list = append(list, o)
			}
		}
		if slices.Equal(list, shown) {
			return
		}
		shown = list
		var rows []fyne.CanvasObject
		for _, o := range list {
			rows = append(rows, p.declinedRow(o))
		}
		place.Objects = []fyne.CanvasObject{look.Settings(lang.L("Folders that you do not want here"), rows...)}
		place.Hidden = len(list) == 0
		place.Refresh()
	})
	return place
}

const mostDeclined = 50

func (p *Page) declinedRow(o status.Offer) fyne.CanvasObject {
	var set *look.Setting
	in := data{"Device": present.CleanName(o.From, 40)}
	ask := look.NewButton(lang.L("Ask me again"), nil, func() {
		p.try(set, func(ctx context.Context) error {
			return p.h.Engine().Decline(ctx, control.Decline{Folder: o.ID.String(), Undo: true})
		}, func() { p.h.Say(lang.L("It is offered on the overview again.")) })
	})
	set = look.NewSetting(present.CleanName(o.Name, 60), lang.L("Offered by {{.Device}}.", in), ask)
	return set
}
