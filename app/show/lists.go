package show

import (
	"fmt"
	"strconv"
	"strings"
	"time"

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
	rows := [][]string{{"NAME", "STATE", "FILES", "SIZE", "KEPT", "MODE", "PATH"}}
	for _, f := range s.Folders {
		mode := f.Mode
		if mode == "" {
			mode = "two-way"
		}
		rows = append(rows, []string{f.Name, f.State, fmt.Sprint(f.Files), Size(f.Bytes), Size(f.Archive.Bytes), mode, o.tilde(f.Path)})
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
		name := f.Name
		if f.Declined {
			name += " (declined)"
		}
		rows = append(rows, []string{name, f.From, f.ID.String()})
	}
	return Table(o.Width, rows)
}

// Conflicts lists what waits to be settled.
func Conflicts(list []control.Conflict, o Options) string {
	if len(list) == 0 {
		return "no conflicts\n"
	}
	v := &view{o: o}
	kinds := map[string]bool{}
	for i, c := range list {
		if i > 0 {
			v.blank()
		}
		kinds[c.Kind] = true
		v.fields("", field{Clean(c.Path), bold}, field{"in " + Clean(c.Folder), dim})
		switch {
		case c.Kind == control.EditDelete && c.This != nil:
			v.line("  ", "changed  "+o.side(*c.This))
			v.line("  ", "deleted  "+o.when(c.That)+"; the change was kept")
			continue
		case c.This == nil:
			v.line("  ", "this  nothing holds the name any more")
		default:
			v.line("  ", "this  "+o.side(*c.This))
		}
		v.line("  ", "that  "+o.side(c.That)+":")
		v.line("        ", Clean(c.Copy))
		if c.Differ != nil {
			v.line("        ", differ(*c.Differ))
		}
	}
	v.blank()
	if kinds[control.EditEdit] || !kinds[control.EditDelete] {
		v.wrapped("", "settle one with: pinion resolve PATH --keep this|that|both|merge", "")
	}
	if kinds[control.EditDelete] {
		v.wrapped("", "settle what was changed and deleted with: pinion resolve PATH --keep edit|deletion", "")
	}
	return v.b.String()
}

func differ(d control.Differ) string {
	switch {
	case d.This == 0 && d.That == 0:
		return "both hold the same text"
	case d.That == 0:
		return lines(d.This) + " only in this"
	case d.This == 0:
		return lines(d.That) + " only in that"
	}
	return lines(d.This) + " only in this, " + strconv.Itoa(d.That) + " only in that"
}

func lines(n int) string {
	if n == 1 {
		return "1 line"
	}
	return strconv.Itoa(n) + " lines"
}

func (o Options) side(s control.Side) string {
	return o.when(s) + ", " + Size(s.Size)
}

func (o Options) when(s control.Side) string {
	return "by " + Clean(s.Device) + ", " + spoken(s.MTime, o.Now)
}

// spoken is a moment as one would say it: the day matters when two versions are
// told apart.
func spoken(t, now time.Time) string {
	t = t.In(now.Location())
	clock := t.Format(" at 15:04")
	switch t.Format(time.DateOnly) {
	case now.Format(time.DateOnly):
		return "today" + clock
	case now.AddDate(0, 0, -1).Format(time.DateOnly):
		return "yesterday" + clock
	}
	if t.Year() == now.Year() {
		return "on " + t.Format("2 January") + clock
	}
	return "on " + t.Format("2 January 2006") + clock
}

// History lists what devices keep, and what stands. The versions of one file are
// told in full; of many files there is room for less.
func History(list []control.Kept, o Options) string {
	if len(list) == 0 {
		return "nothing is kept\n"
	}
	moment := func(t time.Time) string { return t.In(o.Now.Location()).Format("2006-01-02 15:04:05") }
	oneFile, oneFolder, ends := true, true, false
	for _, k := range list {
		oneFolder = oneFolder && k.Folder == list[0].Folder
		oneFile = oneFile && oneFolder && k.Path == list[0].Path
		ends = ends || k.Expires != nil
	}
	wanted := []bool{true, oneFile, true, true, true, true, ends, !oneFolder, !oneFile}
	rows := [][]string{{"PUT AWAY", "WRITTEN", "REASON", "SIZE", "BY", "KEPT BY", "UNTIL", "FOLDER", "PATH"}}
	for _, k := range list {
		away, until := moment(k.Time), ""
		if k.Reason == control.ReasonLive {
			away = "stands now"
		}
		if k.Expires != nil {
			until = k.Expires.In(o.Now.Location()).Format(time.DateOnly)
		}
		rows = append(rows, []string{away, moment(k.MTime), k.Reason, Size(k.Size), k.Device, strings.Join(k.KeptBy, ","), until, k.Folder, k.Path})
	}
	for i, r := range rows {
		cells := r[:0:0]
		for c, cell := range r {
			if wanted[c] {
				cells = append(cells, cell)
			}
		}
		rows[i] = cells
	}
	if oneFile {
		return Clean(list[0].Path) + " in " + Clean(list[0].Folder) + "\n" + Table(o.Width, rows)
	}
	return Table(o.Width, rows)
}

// Restored says what a restore came to.
func Restored(r control.Restored) string {
	s := "restored " + Count(r.Files, "file")
	if r.Bytes > 0 {
		s += fmt.Sprintf(" (%s)", Size(r.Bytes))
	}
	if r.Dirs > 0 {
		s += " and " + strings.Replace(Count(r.Dirs, "empty directory"), "directorys", "directories", 1)
	}
	s += " at " + Clean(r.Path)
	if r.Absent > 0 {
		s += fmt.Sprintf("; %s did not stand there at that time", Count(r.Absent, "other file"))
	}
	return s + "\n"
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
