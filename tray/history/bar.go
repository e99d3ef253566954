package history

import (
	"context"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/layout"

	"pinion/engine/control"
	"pinion/tray/look"
)

// bar chooses the moment: presets, a field for a person's words, the days.
type bar struct {
	p       *Page
	content *fyne.Container
	presets *look.Tabs
	field   *look.Field
	wrong   *look.Caption
	strip   *strip
	shown   *look.Text // which moment is shown
	first   *look.Text // the day at the left
	over    *look.Text // what the day under the pointer was
	life    int
}

// The presets: the last one stands for any other moment, and is not a button.
func presets() []string {
	return []string{lang.L("Now"), lang.L("An hour ago"), lang.L("Yesterday"), lang.L("A week ago")}
}

func preset(i int, now time.Time) *time.Time {
	t := now
	switch i {
	case 1:
		t = now.Add(-time.Hour)
	case 2:
		t = now.AddDate(0, 0, -1)
	case 3:
		t = now.AddDate(0, 0, -7)
	default:
		return nil
	}
	return &t
}

func newBar(p *Page) *bar {
	b := &bar{p: p, wrong: look.NewCaption(""), shown: look.Secondary(""), first: look.Secondary("").Whole(), over: look.Secondary("").Align(fyne.TextAlignCenter)}
	b.presets = look.NewTabs(presets(), func(i int) {
		b.quiet("")
		p.at(preset(i, p.h.Now()))
		b.presets.Choose(i)
	})
	b.field = look.NewField(lang.L("or yesterday 9:00"))
	b.field.OnSubmitted = b.submitted
	b.field.OnChanged = func(string) { b.fail("") }
	b.strip = newStrip(func(day time.Time) {
		b.quiet("")
		end := endOfDay(day)
		if now := p.h.Now(); end.After(now) {
			p.at(nil)
			return
		}
		p.at(&end)
	}, b.over.SetText)
	line := container.NewBorder(nil, nil, b.presets.Bar, nil, container.New(layout.NewCustomPaddedLayout(0, 0, 8, 0), b.field))
	days := container.NewBorder(nil, nil, b.first, look.Secondary(lang.L("today")).Whole(), b.over)
	b.content = look.Column(6, line, b.wrong, look.Column(1, b.strip, days))
	b.strip.now = p.h.Now()
	return b
}

// quiet sets the field's text.
func (b *bar) quiet(text string) {
	then := b.field.OnChanged
	b.field.OnChanged = nil
	b.field.SetText(text)
	b.field.OnChanged = then
	b.fail("")
}

// fail says what is wrong with what was typed.
func (b *bar) fail(text string) {
	if b.wrong.Text() != text {
		b.wrong.Fail(text)
		b.p.content.Refresh()
	}
}

// submitted takes a moment in a person's words.
func (b *bar) submitted(text string) {
	at, err := parseMoment(text, b.p.h.Now())
	if err != nil {
		b.fail(sentenceOf(err))
		return
	}
	b.p.at(at)
	b.fail("")
}

// now goes back to the present without looking.
func (b *bar) now() {
	b.quiet("")
	b.draw(nil)
}

// draw marks what is chosen.
func (b *bar) draw(at *time.Time) {
	if at == nil {
		b.presets.Choose(0)
	} else {
		b.presets.Choose(-1)
	}
	b.strip.choose(at)
	b.say(at)
}

func (b *bar) say(at *time.Time) {
	now := b.p.h.Now()
	text := lang.L("As it stands now")
	if at != nil {
		text = lang.L("As it stood {{.When}}", data{"When": momentWords(at, now)})
	}
	b.shown.SetText(text)
}

// count asks on which days something was changed.
func (b *bar) count(folder string) {
	b.life++
	if folder == "" {
		b.strip.set(nil, b.p.h.Now())
		return
	}
	life, now, e := b.life, b.p.h.Now(), b.p.h.Engine()
	var m control.Moments
	var err error
	b.p.h.Ask(lang.L("Look at the days"), func(ctx context.Context) error {
		m, err = e.Moments(ctx, control.MomentsRequest{Folder: folder, Bounds: bounds(now)})
		return nil // without it there are no bars
	}, func() {
		if life == b.life && err == nil {
			b.first.SetText(day(bounds(now)[0], now))
			b.strip.set(m.Changes, now)
			b.strip.choose(b.p.list.view.at)
		}
	})
}
