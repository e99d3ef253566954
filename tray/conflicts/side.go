package conflicts

import (
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/tray/look"
	"pinion/tray/present"
)

type data = map[string]any

// side is one of the two versions, as a person is told of it.
type side struct {
	that    bool
	device  string // cleaned; never empty
	own     bool   // written on this device
	time    string // "yesterday 14:03"
	size    int64
	gone    bool // a deletion, or a name that nothing holds
	deleted bool
}

// sidesOf names both sides of a conflict. own is the name of this device.
func sidesOf(k control.Conflict, own string, now time.Time) (this, that side) {
	that = sideOf(k.That, own, now)
	that.that = true
	if k.Kind == control.EditDelete {
		that.gone, that.deleted = true, true
	}
	if k.This == nil {
		return side{gone: true, device: lang.L("nobody")}, that
	}
	return sideOf(*k.This, own, now), that
}

func sideOf(s control.Side, own string, now time.Time) side {
	out := side{device: present.CleanName(s.Device, 24), own: s.Device != "" && s.Device == own, time: present.At(s.MTime, now), size: s.Size}
	if s.Device == "" {
		out.device = lang.L("another device")
	}
	return out
}

func (s side) color() fyne.ThemeColorName {
	if s.that {
		return look.ColorThat
	}
	return look.ColorThis
}

// whose is "laptop's".
func (s side) whose() string { return lang.L("{{.Device}}'s", data{"Device": s.device}) }

// called is "laptop's, yesterday 14:03".
func (s side) called() string {
	return lang.L("{{.Device}}'s, {{.Time}}", data{"Device": s.device, "Time": s.time})
}

// keep is the word for a choice: "Keep laptop's, yesterday 14:03".
func (s side) keep() string {
	switch {
	case s.deleted:
		return lang.L("Delete it after all, as {{.Device}} did {{.Time}}", data{"Device": s.device, "Time": s.time})
	case s.gone:
		return lang.L("Leave the name to nobody")
	}
	return lang.L("Keep {{.Device}}'s, {{.Time}}", data{"Device": s.device, "Time": s.time})
}

// facts is "yesterday 14:03 · 12 kB".
func (s side) facts() string {
	switch {
	case s.deleted:
		return lang.L("deleted it {{.Time}}", data{"Time": s.time})
	case s.gone:
		return lang.L("Nothing holds the name any more")
	}
	return s.time + " · " + present.Size(s.size)
}

// differ says how much of a conflict differs.
func differ(k control.Conflict) string {
	switch {
	case k.Kind == control.EditDelete:
		return lang.L("changed and deleted")
	case k.Differ == nil:
		return ""
	}
	n := max(k.Differ.This, k.Differ.That)
	return some(n, lang.L("1 line differs"), "{{.N}} lines differ")
}

// some is a sentence for one thing, or for several; many is its key.
func some(n int, one, many string) string {
	if n == 1 {
		return one
	}
	return lang.N(many, n, data{"N": present.Number(int64(n))})
}
