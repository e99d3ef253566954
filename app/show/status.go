package show

import (
	"fmt"
	"strings"
	"time"

	"pinion/engine/status"
)

// Options say how things are to be drawn.
type Options struct {
	Width int
	Color bool
	Now   time.Time
	Home  string // the person's home directory, shown as ~
}

// maxProblems is how many of a folder's problems are shown.
const maxProblems = 5

// Status draws the whole state.
func Status(s status.State, o Options) string {
	v := &view{o: o}
	v.self(s)
	for _, f := range s.Folders {
		v.blank()
		v.folder(f)
	}
	if len(s.Folders) == 0 {
		v.blank()
		v.line("", "no folder yet: pinion folder add PATH")
	}
	if len(s.Offers) > 0 {
		v.blank()
		v.line("", "offered")
		for _, f := range s.Offers {
			v.line("  ", fmt.Sprintf("%s from %s: pinion folder accept %s PATH", Clean(f.Name), Clean(f.From), shellWord(f.Name)))
		}
	}
	v.blank()
	v.devices(s.Devices)
	for _, n := range s.Notes {
		v.wrapped("! ", Clean(n), yellow)
	}
	return v.b.String()
}

type view struct {
	o Options
	b strings.Builder
}

const (
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
	blue   = "34"
)

func (o Options) paint(color, s string) string {
	if !o.Color || s == "" {
		return s
	}
	return "\x1b[" + color + "m" + s + "\x1b[0m"
}

func (v *view) blank() { v.b.WriteByte('\n') }

// line writes one line, cut to the width.
func (v *view) line(indent, text string) {
	v.b.WriteString(strings.TrimRight(cut(indent+text, v.o.Width), " "))
	v.b.WriteByte('\n')
}

// wrapped writes a sentence on as many lines as it needs.
func (v *view) wrapped(indent, text, color string) {
	room := max(v.o.Width-cells(indent), 10)
	for len(text) > 0 {
		head := text
		if cells(text) > room {
			head = prefix(text, room)
			if i := strings.LastIndexByte(head, ' '); i > room/2 {
				head = head[:i]
			}
		}
		v.b.WriteString(indent + v.o.paint(color, head) + "\n")
		text = strings.TrimLeft(text[len(head):], " ")
		indent = strings.Repeat(" ", cells(indent))
	}
}

// fields writes parts that are colored one by one, dropping from the end those
// that find no room.
func (v *view) fields(indent string, parts ...field) {
	used := cells(indent)
	v.b.WriteString(indent)
	for i, p := range parts {
		sep := ""
		if i > 0 {
			sep = "  "
		}
		room := v.o.Width - used - len(sep)
		text := p.text
		if cells(text) > room {
			if room < 4 || i > 0 && room < cells(text)/2 {
				break
			}
			text = cut(text, room)
		}
		v.b.WriteString(sep + v.o.paint(p.color, text))
		used += len(sep) + cells(text)
	}
	v.b.WriteByte('\n')
}

type field struct{ text, color string }

func (v *view) self(s status.State) {
	parts := []field{{Clean(s.Device.Name), bold}, {s.Device.ID.Short(), dim}}
	if s.Device.Version != "" {
		parts = append(parts, field{"pinion " + Clean(s.Device.Version), dim})
	}
	if s.Device.Listen != "" {
		parts = append(parts, field{"on " + Clean(s.Device.Listen), dim})
	}
	v.fields("", parts...)
	if s.Paused.State == status.Paused {
		v.wrapped("", Paused(s.Paused, v.o.Now)+"; pinion resume goes on", yellow)
	}
}

// Paused says that everything is paused, and until when.
func Paused(p status.Pause, now time.Time) string {
	text := "paused"
	if p.Until != nil {
		text += " until " + Moment(*p.Until, now)
	}
	if p.Reason != "" && p.Reason != "paused by hand" {
		text += " (" + Clean(p.Reason) + ")"
	}
	return text
}

func (v *view) folder(f status.Folder) {
	name, state := Clean(f.Name), f.State
	room := v.o.Width - cells(name) - cells(state) - 4
	parts := []field{{cut(name, v.o.Width), bold}, {state, stateColor(f.State)}}
	if room > 8 {
		parts = append(parts, field{cutPath(v.o.tilde(Clean(f.Path)), room), dim})
	}
	v.fields("", parts...)
	if f.Reason != "" && f.State != status.Paused {
		v.wrapped("  ", Clean(f.Reason), stateColor(f.State))
	}
	size := []string{Count(f.Files, "file"), Size(f.Bytes)}
	if f.Mode != "" && f.Mode != "two-way" {
		size = append(size, f.Mode+" only")
	}
	if f.Need.Files > 0 {
		size = append(size, fmt.Sprintf("lacks %s (%s)", Count(f.Need.Files, "file"), Size(f.Need.Bytes)))
	}
	v.line("  ", strings.Join(size, " · "))
	if p := Progress(f, v.o.Width-2); p != "" {
		v.line("  ", p)
	}
	v.peers(f.Peers)
	if f.Conflicts > 0 {
		v.fields("  ", field{Count(f.Conflicts, "conflict") + ": pinion conflicts", yellow})
	}
	v.problems(f)
}

func (v *view) peers(peers []status.FolderPeer) {
	var parts []string
	for _, p := range peers {
		word := "is catching up"
		switch {
		case !p.Connected:
			word = "is away"
		case p.UpToDate:
			word = "up to date"
		case p.NeedFiles > 0:
			word = fmt.Sprintf("lacks %s (%s)", Count(p.NeedFiles, "file"), Size(p.NeedBytes))
			if p.NoRoom > 0 {
				word += ", and has no room for " + Count(p.NoRoom, "file")
			}
		}
		parts = append(parts, Clean(p.Device)+" "+word)
	}
	if len(parts) > 0 {
		v.wrapped("  ", strings.Join(parts, " · "), "")
	}
}

func (v *view) problems(f status.Folder) {
	for i, p := range f.Problems {
		if i == maxProblems {
			v.line("  ", fmt.Sprintf("and %d more", len(f.Problems)-i))
			return
		}
		v.wrapped("  ! ", Clean(p.Path)+": "+Clean(p.Error), yellow)
	}
}

func (v *view) devices(list []status.Device) {
	if len(list) == 0 {
		v.line("", "no other device yet: pinion invite prints a link for one")
		return
	}
	longest := 0
	for _, d := range list {
		longest = max(longest, min(cells(Clean(d.Name)), 24))
	}
	for _, d := range list {
		parts := []field{{pad(cut(Clean(d.Name), 24), longest), bold}}
		if d.Connected {
			parts = append(parts, field{"connected", green}, field{Clean(d.Address), dim})
			if d.RTT > 0 {
				parts = append(parts, field{fmt.Sprintf("%.1f ms", d.RTT), dim})
			}
		} else {
			parts = append(parts, field{"away", dim})
			if d.LastSeen != nil {
				parts = append(parts, field{"last seen " + Ago(*d.LastSeen, v.o.Now), dim})
			}
		}
		v.fields("", parts...)
		if d.Error != "" && !d.Connected {
			v.wrapped("  ! ", Clean(d.Error), yellow)
		}
	}
}

func stateColor(s string) string {
	switch s {
	case status.Synced:
		return green
	case status.Scanning, status.Syncing:
		return blue
	case status.Paused, status.Held:
		return yellow
	}
	return red
}

func (o Options) tilde(path string) string {
	if rest, ok := strings.CutPrefix(path, o.Home+"/"); ok && o.Home != "" && o.Home != "/" {
		return "~/" + rest
	}
	return path
}

// shellWord quotes a name for a command line that a person may copy.
func shellWord(s string) string {
	s = Clean(s)
	if s != "" && strings.IndexFunc(s, func(r rune) bool {
		return !strings.ContainsRune("+-._,:@%/", r) && !(r >= '0' && r <= '9' || r >= 'A' && r <= 'Z' || r >= 'a' && r <= 'z' || r > 0x7f)
	}) < 0 {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
