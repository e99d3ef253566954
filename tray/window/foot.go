package window

import (
	"errors"
	"strings"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/container"
	"fyne.io/fyne/v2/driver/desktop"
	"fyne.io/fyne/v2/lang"
	"fyne.io/fyne/v2/theme"
	"fyne.io/fyne/v2/widget"

	"pinion/engine/status"
	"pinion/tray/look"
	"pinion/tray/present"
)

// foot is the line at the foot: how everything is, and for a while a sentence.
type foot struct {
	content *fyne.Container
	do      func(func()) // on Fyne's goroutine
	dot     *look.Dot
	line    *look.Text

	state  string
	kind   look.Kind
	spoken *time.Timer // while a sentence is shown
}

// spokenFor is how long a sentence stays.
const spokenFor = 6 * time.Second

func newFoot(do func(func())) *foot {
	f := &foot{do: do, dot: look.NewDot(look.Plain), line: look.Secondary("")}
	words := container.NewBorder(nil, nil, container.NewHBox(look.Middle(f.dot), look.Space(2, 0)), nil, look.Middle(f.line))
	edge := look.NewGround(theme.ColorNameSeparator, "", 0)
	f.content = container.NewStack(look.NewGround(look.ColorRail, "", 0),
		container.NewBorder(container.NewStack(edge, look.Space(0, 1)), nil, nil, nil, look.Pad(words, 5, look.Margin)))
	return f
}

func (f *foot) update(s status.State, down bool, now time.Time) {
	f.kind, f.state = overall(s, now)
	if down {
		f.kind, f.state = look.Plain, lang.L("Waiting for the engine")
	}
	f.show()
}

func (f *foot) show() {
	f.dot.Set(f.kind)
	if f.spoken == nil {
		f.line.SetText(f.state)
	}
}

// say shows a sentence until it has been read.
func (f *foot) say(sentence string) {
	f.stop()
	f.line.SetText(present.Clean(sentence, 200))
	var mine *time.Timer
	mine = time.AfterFunc(spokenFor, func() {
		f.do(func() {
			if f.spoken == mine {
				f.spoken = nil
				f.show()
			}
		})
	})
	f.spoken = mine
}

func (f *foot) stop() {
	if f.spoken != nil {
		f.spoken.Stop()
		f.spoken = nil
		f.show()
	}
}

// overall is how everything is, in one line, as the menu says it.
func overall(s status.State, now time.Time) (look.Kind, string) {
	v := present.View{Up: true, State: s}
	return look.KindOfIcon(present.IconOf(v)), present.Sentence(v, now)
}

// banner says over the whole width that there is no engine, and what to do.
func banner(reason string, known bool, start func()) fyne.CanvasObject {
	title, sentence := lang.L("Waiting for the engine"), Sentence("", errors.New(reason))
	if reason == "" {
		title, sentence, start = lang.L("The engine is being started"), "", nil
	}
	if known {
		sentence += " " + lang.L("What you see is how things were last. Pinion goes on by itself as soon as the engine is back.")
	} else {
		sentence += " " + lang.L("Pinion goes on by itself as soon as the engine is there.")
	}
	sentence = strings.TrimSpace(sentence)
	var actions []fyne.CanvasObject
	if start != nil {
		actions = append(actions, look.NewButton(lang.L("Start it now"), nil, start).Main())
	}
	return look.Pad(look.Callout(look.Paused, theme.InfoIcon(), title, sentence, actions...), 10, 12)
}

// veil lies over the pages while there is no engine: what was known can be read and
// scrolled, and nothing can be pressed.
type veil struct {
	widget.BaseWidget
}

var (
	_ fyne.Tappable          = (*veil)(nil)
	_ fyne.SecondaryTappable = (*veil)(nil)
	_ desktop.Hoverable      = (*veil)(nil)
)

func newVeil() *veil {
	v := &veil{}
	v.ExtendBaseWidget(v)
	return v
}

func (v *veil) Tapped(*fyne.PointEvent)          {}
func (v *veil) TappedSecondary(*fyne.PointEvent) {}
func (v *veil) MouseIn(*desktop.MouseEvent)      {}
func (v *veil) MouseMoved(*desktop.MouseEvent)   {}
func (v *veil) MouseOut()                        {}

func (v *veil) CreateRenderer() fyne.WidgetRenderer {
	return widget.NewSimpleRenderer(look.NewGround(theme.ColorNameBackground, "", 0).Faintly(0x90))
}
