package show

import (
	"fmt"

	"pinion/engine/control"
	"pinion/engine/status"
)

// Devices lists this device and the others.
func Devices(s status.State, o Options) string {
	rows := [][]string{{"NAME", "ID", "STATE", "ADDRESS"}, {s.Device.Name, s.Device.ID.Short(), "this device", s.Device.Listen}}
	for _, d := range s.Devices {
		state := "away"
		switch {
		case d.Connected:
			state = "connected"
		case d.LastSeen != nil:
			state = "last seen " + Ago(*d.LastSeen, o.Now)
		}
		rows = append(rows, []string{d.Name, d.ID.Short(), state, d.Address})
	}
	return Table(o.Width, rows)
}

// Folders lists the folders on this device.
func Folders(s status.State, o Options) string {
	if len(s.Folders) == 0 {
		return "no folder yet: pinion folder add PATH\n"
	}
	rows := [][]string{{"NAME", "STATE", "FILES", "SIZE", "MODE", "PATH"}}
	for _, f := range s.Folders {
		mode := f.Mode
		if mode == "" {
			mode = "two-way"
		}
		rows = append(rows, []string{f.Name, f.State, fmt.Sprint(f.Files), Size(f.Bytes), mode, o.tilde(f.Path)})
	}
	return Table(o.Width, rows)
}

// Offers lists the folders that could be accepted.
func Offers(s status.State, o Options) string {
	if len(s.Offers) == 0 {
		return "nothing is offered\n"
	}
	rows := [][]string{{"NAME", "FROM", "ID"}}
	for _, f := range s.Offers {
		rows = append(rows, []string{f.Name, f.From, f.ID.String()})
	}
	return Table(o.Width, rows)
}

// Conflicts lists what waits to be settled.
func Conflicts(list []control.Conflict, o Options) string {
	if len(list) == 0 {
		return "no conflicts\n"
	}
	v := &view{o: o}
	for i, c := range list {
		if i > 0 {
			v.blank()
		}
		v.fields("", field{Clean(c.Path), bold}, field{"in " + Clean(c.Folder), dim})
		if c.This == nil {
			v.line("  ", "this  nothing holds the name any more")
		} else {
			v.line("  ", "this  "+o.side(*c.This))
		}
		v.line("  ", "that  "+o.side(c.That)+", "+Clean(c.Copy))
	}
	v.blank()
	v.wrapped("", "settle one with: pinion resolve PATH --keep this|that|both", "")
	return v.b.String()
}

func (o Options) side(s control.Side) string {
	return fmt.Sprintf("%s, %s, by %s", Moment(s.MTime, o.Now), Size(s.Size), Clean(s.Device))
}

// History lists what the archive holds.
func History(list []control.Kept, o Options) string {
	if len(list) == 0 {
		return "nothing is kept\n"
	}
	rows := [][]string{{"TIME", "REASON", "SIZE", "DEVICE", "FOLDER", "PATH"}}
	for _, k := range list {
		rows = append(rows, []string{k.Time.In(o.Now.Location()).Format("2006-01-02 15:04:05"), k.Reason, Size(k.Size), k.Device, k.Folder, k.Path})
	}
	return Table(o.Width, rows)
}

// Activity is one change on one line.
func Activity(a control.Activity, o Options) string {
	line := fmt.Sprintf("%s  %-8s  %s  %s: %s", a.Time.In(o.Now.Location()).Format("2006-01-02 15:04:05"), Clean(a.Action), Clean(a.Device), Clean(a.Folder), Clean(a.Path))
	return cut(line, o.Width)
}

// Findings are a doctor's sentences.
func Findings(list []control.Finding, o Options) string {
	v := &view{o: o}
	for _, f := range list {
		mark, color := "ok  ", green
		switch f.Level {
		case "note":
			mark, color = "note", blue
		case "problem":
			mark, color = "!!  ", red
		}
		text := Clean(f.Text)
		if f.Folder != "" {
			text = Clean(f.Folder) + ": " + text
		}
		v.wrapped(mark+" ", text, color)
	}
	if len(list) == 0 {
		v.line("", "all is well")
	}
	return v.b.String()
}
