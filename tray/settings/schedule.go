package settings

import (
	"slices"
	"strings"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/control"
	"pinion/engine/policy"
	"pinion/tray/look"
	"pinion/tray/present"
)

// schedule is the card of the times of the week at which something else is done.
func (p *Page) schedule(s *section) fyne.CanvasObject {
	list := look.Column(look.Apart)
	wrong := look.NewSetting(lang.L("At certain times"), lang.L("Times of the week in which Pinion pauses, moves small files only, or keeps to other limits."),
		look.NewButton(lang.L("Add a time…"), theme.ContentAddIcon(), func() { p.editWindow(-1) }))
	p.scheduleAt = wrong
	var shown []control.Window
	s.fill = append(s.fill, func() {
		if list.Objects != nil && slices.Equal(shown, p.settings.Schedule) {
			return
		}
		shown = slices.Clone(p.settings.Schedule)
		list.Objects = []fyne.CanvasObject{wrong}
		for i, w := range shown {
			list.Add(widget.NewSeparator())
			list.Add(p.windowRow(i, w))
		}
		list.Refresh()
	})
	return look.Column(look.Apart-2, look.SubHeading(lang.L("Schedule")), look.Card(list))
}

func (p *Page) windowRow(i int, w control.Window) fyne.CanvasObject {
	change := look.NewButton(lang.L("Change…"), nil, func() { p.editWindow(i) }).Low()
	remove := look.NewButton("", theme.DeleteIcon(), func() {
		p.setSchedule(slices.Delete(slices.Clone(p.settings.Schedule), i, i+1))
	}).Low()
	words := look.Column(1, look.NewText(windowWhen(w)), look.Secondary(windowWhat(w)))
	return look.Sides(words, look.Line(look.Near, change, remove))
}

func (p *Page) setSchedule(list []control.Window) {
	p.change(p.scheduleAt, control.SettingsChange{Schedule: &list})
}

// windowWhen is "Mon–Fri, 08:00–17:00".
func windowWhen(w control.Window) string {
	return lang.L("{{.Days}}, {{.From}}–{{.To}}", data{"Days": daysWords(w.Days), "From": w.From.String(), "To": w.To.String()})
}

func dayName(i int) string {
	return [...]string{lang.L("Sun"), lang.L("Mon"), lang.L("Tue"), lang.L("Wed"), lang.L("Thu"), lang.L("Fri"), lang.L("Sat")}[i%7]
}

// daysWords is "Mon–Fri, Sun"; the week begins on Monday.
func daysWords(d policy.Days) string {
	if d == 0 || d == 1<<7-1 {
		return lang.L("Every day")
	}
	var parts []string
	for i := 1; i <= 7; i++ {
		last := i
		for last <= 7 && d&(1<<(last%7)) != 0 {
			last++
		}
		switch {
		case last-i >= 3:
			parts = append(parts, dayName(i)+"–"+dayName(last-1))
		default:
			for k := i; k < last; k++ {
				parts = append(parts, dayName(k))
			}
		}
		i = last
	}
	return strings.Join(parts, ", ")
}

func windowWhat(w control.Window) string {
	switch w.Do {
	case policy.Pause:
		return lang.L("Pause")
	case policy.Small:
		return lang.L("Small files only")
	}
	var parts []string
	switch {
	case w.Up > 0:
		parts = append(parts, lang.L("Upload at most {{.Rate}}", data{"Rate": present.Rate(w.Up)}))
	case w.Up < 0:
		parts = append(parts, lang.L("Upload without limit"))
	}
	switch {
	case w.Down > 0:
		parts = append(parts, lang.L("Download at most {{.Rate}}", data{"Rate": present.Rate(w.Down)}))
	case w.Down < 0:
		parts = append(parts, lang.L("Download without limit"))
	}
	return strings.Join(parts, ", ")
}

// editWindow asks for an entry of the schedule: the one at i, or with -1 a new one.
func (p *Page) editWindow(i int) {
	w := control.Window{Days: policy.Days(0b0111110), From: 8 * 60, To: 17 * 60, Do: policy.Pause}
	title := lang.L("Add a time")
	if i >= 0 && i < len(p.settings.Schedule) {
		w, title = p.settings.Schedule[i], lang.L("Change a time")
	}
	f := newWindowForm(w)
	var d *look.Dialog
	save := look.NewButton(lang.L("Save"), nil, func() {
		w, err := f.read()
		if err != nil {
			f.wrong.Fail(sentence(err))
			return
		}
		list := slices.Clone(p.settings.Schedule)
		if i >= 0 && i < len(list) {
			list[i] = w
		} else {
			list = append(list, w)
		}
		d.Hide()
		p.setSchedule(list)
	}).Main()
	d = look.NewDialog(title, f.content, 460, p.h.Window(), look.NewButton(lang.L("Cancel"), nil, func() { d.Hide() }), save)
	d.Show()
}

// windowForm is the form of one entry.
type windowForm struct {
	content  fyne.CanvasObject
	days     [7]*widget.Check // Sunday first, as in policy.Days
	from, to *look.Field
	do       *widget.RadioGroup
	up, down *look.Field
	wrong    *look.Caption
}

func newWindowForm(w control.Window) *windowForm {
	f := &windowForm{from: look.NewField("08:00"), to: look.NewField("17:00"), up: look.NewField(lang.L("As otherwise")), down: look.NewField(lang.L("As otherwise")), wrong: look.NewCaption("")}
	days := container.NewGridWithColumns(4)
	for i := 1; i <= 7; i++ {
		f.days[i%7] = widget.NewCheck(dayName(i), nil)
		f.days[i%7].Checked = w.Days == 0 || w.Days&(1<<(i%7)) != 0
		days.Add(f.days[i%7])
	}
	f.from.SetText(w.From.String())
	f.to.SetText(w.To.String())
	f.up.SetText(limitText(w.Up))
	f.down.SetText(limitText(w.Down))
	limits := look.Column(look.Near,
		look.Line(8, look.Wide(110, look.NewText(lang.L("Upload"))), look.Wide(150, f.up)),
		look.Line(8, look.Wide(110, look.NewText(lang.L("Download"))), look.Wide(150, f.down)),
		look.NewCaption(lang.L("A second, such as 200 KB; “none” lifts the usual limit.")))
	words := []string{lang.L("Pause"), lang.L("Small files only"), lang.L("Other limits")}
	f.do = widget.NewRadioGroup(words, func(v string) {
		if v == words[2] {
			limits.Show()
		} else {
			limits.Hide()
		}
	})
	f.do.Required = true
	f.do.SetSelected(words[map[policy.Do]int{policy.Pause: 0, policy.Small: 1, policy.Limit: 2}[w.Do]])
	times := look.Line(8, look.Wide(90, f.from), look.Middle(look.NewText("–").Whole()), look.Wide(90, f.to))
	f.content = look.Column(look.Apart, days, times, f.do, limits, f.wrong)
	return f
}

func noLimit() string { return lang.L("none") }

func limitText(n int64) string {
	if n < 0 {
		return noLimit()
	}
	return exactly(n)
}

func limitOf(text string) (int64, error) {
	if strings.EqualFold(strings.TrimSpace(text), noLimit()) {
		return policy.Unlimited, nil
	}
	return size(text)
}

// read gives what the form says.
func (f *windowForm) read() (w control.Window, err error) {
	for i, c := range f.days {
		if c.Checked {
			w.Days |= 1 << i
		}
	}
	if w.Days == 0 {
		return w, errNoDay()
	}
	if w.Days == 1<<7-1 {
		w.Days = 0
	}
	if w.From, err = policy.ParseClock(f.from.Text); err != nil {
		return w, err
	}
	if w.To, err = policy.ParseClock(f.to.Text); err != nil {
		return w, err
	}
	switch f.do.Selected {
	case f.do.Options[0]:
		w.Do = policy.Pause
	case f.do.Options[1]:
		w.Do = policy.Small
	default:
		w.Do = policy.Limit
		if w.Up, err = limitOf(f.up.Text); err != nil {
			return w, err
		}
		if w.Down, err = limitOf(f.down.Text); err != nil {
			return w, err
		}
	}
	return w, checkWindow(w)
}
