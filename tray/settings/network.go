package settings

import (
	"errors"
	"fmt"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"

	"pinion/engine/control"
	"pinion/engine/policy"
	"pinion/tray/look"
	"pinion/tray/present"
)

func (p *Page) network() *section {
	s := &section{title: lang.L("Network")}
	s.make = func() fyne.CanvasObject {
		return p.scrolled(s,
			p.verdict(s),
			look.Settings(lang.L("Speed"),
				p.limitSetting(s, lang.L("Upload at most"), func(c *control.SettingsChange, n int64) { c.Up = &n }, func(l control.Limits) int64 { return l.Up }),
				p.limitSetting(s, lang.L("Download at most"), func(c *control.SettingsChange, n int64) { c.Down = &n }, func(l control.Limits) int64 { return l.Down }),
				p.lanSetting(s)),
			look.Settings(lang.L("When power or the network is scarce"), p.ruleSettings(s)...),
			p.schedule(s),
		)
	}
	return s
}

// verdict says what holds now, where that is not simply everything.
func (p *Page) verdict(s *section) fyne.CanvasObject {
	place := container.NewStack()
	place.Hide()
	was := ""
	s.fill = append(s.fill, func() {
		title := verdictWords(p.settings.Now)
		if title == was {
			return
		}
		if was = title; title == "" {
			place.Hide()
			return
		}
		until := ""
		if t := p.settings.Now.Until; t != nil {
			until = capital(present.Until(*t, p.h.Now())) + "."
		} else {
			until = lang.L("It goes on by itself when that has changed.")
		}
		place.Objects = []fyne.CanvasObject{look.Callout(look.Paused, theme.InfoIcon(), title, until)}
		place.Show()
	})
	return place
}

func verdictWords(v control.Verdict) string {
	if v.Cause == policy.ByHand {
		return ""
	}
	causes := map[policy.Cause]string{
		policy.BySchedule: lang.L("the schedule says so"), policy.ByBattery: lang.L("this device runs on its battery"),
		policy.ByMetered: lang.L("the connection is metered"), policy.BySlow: lang.L("the connection is slow"),
	}
	in := data{"Cause": causes[v.Cause]}
	switch v.Do {
	case policy.Pause:
		return lang.L("Paused now, because {{.Cause}}", in)
	case policy.Small:
		return lang.L("Only small files move now, because {{.Cause}}", in)
	}
	return ""
}

func (p *Page) limitSetting(s *section, title string, put func(*control.SettingsChange, int64), of func(control.Limits) int64) fyne.CanvasObject {
	var set *look.Setting
	field := newEdit(lang.L("No limit"), nil)
	field.take = func(text string) {
		n, err := size(text)
		if err == nil {
			err = policy.Limits{Up: n}.Check()
		}
		if err != nil {
			p.fail(set, err)
			return
		}
		var c control.SettingsChange
		put(&c, n)
		field.taken()
		p.change(set, c)
	}
	set = look.NewSetting(title, "", look.Line(8, look.Wide(130, field), look.Middle(look.Secondary(lang.L("a second")).Whole())))
	s.fill = append(s.fill, func() {
		if set.Wrong() == "" {
			field.show(exactly(of(p.settings.Limits)))
		}
	})
	return set
}

func (p *Page) lanSetting(s *section) fyne.CanvasObject {
	var set *look.Setting
	check := newCheck(p, func(on bool) { p.change(set, control.SettingsChange{FreeLAN: &on}) })
	set = look.NewSetting(lang.L("Not within the local network"), lang.L("Devices at home are served as fast as they can be."), flush(check))
	s.fill = append(s.fill, func() { check.SetChecked(p.settings.Limits.FreeLAN) })
	return set
}

// rule changes one of the rules.
func (p *Page) rule(at *look.Setting, change func(*control.Rules)) {
	r := p.settings.Rules
	change(&r)
	p.change(at, control.SettingsChange{Rules: &r})
}

func (p *Page) ruleSettings(s *section) []fyne.CanvasObject {
	run := option[policy.Do]{policy.Run, lang.L("Sync everything")}
	small := option[policy.Do]{policy.Small, lang.L("Small files only")}
	pause := option[policy.Do]{policy.Pause, lang.L("Pause")}
	do := func(title string, of func(*control.Rules) *policy.Do, known func() bool, list ...option[policy.Do]) *look.Setting {
		var set *look.Setting
		c := newChoice(p, nil, func(v policy.Do) { p.rule(set, func(r *control.Rules) { *of(r) = v }) }, list...)
		set = look.NewSetting(title, "", look.Wide(200, look.Edged(c.Select)))
		s.fill = append(s.fill, func() {
			v := *of(&p.settings.Rules)
			if v == "" {
				v = policy.Run
			}
			c.show(v)
			if p.known && !known() {
				set.About(lang.L("This system does not tell Pinion, so that it is never so."))
			}
		})
		return set
	}
	return []fyne.CanvasObject{
		do(lang.L("On battery"), func(r *control.Rules) *policy.Do { return &r.OnBattery }, func() bool { return p.settings.Facts.Power != "" }, run, small, pause),
		p.chargeSetting(s),
		do(lang.L("On a metered connection"), func(r *control.Rules) *policy.Do { return &r.OnMetered }, func() bool { return p.settings.Facts.Metered != "" }, run, small, pause),
		do(lang.L("On a slow connection"), func(r *control.Rules) *policy.Do { return &r.OnSlow }, func() bool { return true }, run, small),
		p.sizeSetting(s, lang.L("A connection is slow below"), lang.L("a second"), policy.DefaultSlow, func(r *control.Rules) *int64 { return &r.SlowBelow }),
		p.sizeSetting(s, lang.L("A file is small up to"), "", policy.DefaultSmall, func(r *control.Rules) *int64 { return &r.SmallFile }),
	}
}

func (p *Page) chargeSetting(s *section) fyne.CanvasObject {
	var set *look.Setting
	words := func(percent int) string {
		if percent == 0 {
			return lang.L("With any charge")
		}
		return lang.L("Below {{.N}} %", data{"N": percent})
	}
	var list []option[int]
	for _, n := range []int{0, 20, 30, 50, 80} {
		list = append(list, option[int]{n, words(n)})
	}
	c := newChoice(p, words, func(v int) { p.rule(set, func(r *control.Rules) { r.BatteryBelow = v }) }, list...)
	set = look.NewSetting(lang.L("The battery counts"), "", look.Wide(200, look.Edged(c.Select)))
	s.fill = append(s.fill, func() {
		c.show(p.settings.Rules.BatteryBelow)
		if p.settings.Facts.Power == "battery" && p.settings.Facts.Charge >= 0 {
			set.About(lang.L("It is at {{.N}} % now.", data{"N": p.settings.Facts.Charge}))
		}
	})
	return set
}

func (p *Page) sizeSetting(s *section, title, unit string, usual int64, of func(*control.Rules) *int64) fyne.CanvasObject {
	var set *look.Setting
	field := newEdit(exactly(usual), nil)
	field.take = func(text string) {
		n, err := size(text)
		if err != nil {
			p.fail(set, err)
			return
		}
		field.taken()
		p.rule(set, func(r *control.Rules) { *of(r) = n })
	}
	control := fyne.CanvasObject(look.Wide(130, field))
	if unit != "" {
		control = look.Line(8, control, look.Middle(look.Secondary(unit).Whole()))
	}
	set = look.NewSetting(title, "", control)
	s.fill = append(s.fill, func() {
		if set.Wrong() == "" {
			field.show(exactly(*of(&p.settings.Rules)))
		}
	})
	return set
}

// checkWindow says in a sentence what is wrong with an entry of the schedule.
func checkWindow(w control.Window) error {
	if w.Do == policy.Limit && w.Up == 0 && w.Down == 0 {
		return errors.New(lang.L("Give a limit for upload, for download, or for both"))
	}
	if err := w.Check(); err != nil {
		return fmt.Errorf("%w", err)
	}
	return nil
}

func errNoDay() error { return errors.New(lang.L("Choose at least one day")) }
