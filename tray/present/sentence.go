package present

import (
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"pinion/engine/status"
)

const (
	nameMost     = 40  // runes of a name in a sentence
	sentenceMost = 110 // of a sentence: Windows shows 127 of a tooltip
)

// Sentence is the one line that says how things are: the menu's first, and the
// tooltip. It says why the icon is as it is.
func Sentence(v View, now time.Time) string {
	return Clean(sentence(v, now), sentenceMost)
}

// Tooltip is the Sentence under the program's name.
func Tooltip(v View, now time.Time) string {
	return Clean(lang.L("Pinion: {{.Sentence}}", data{"Sentence": sentence(v, now)}), sentenceMost)
}

func sentence(v View, now time.Time) string {
	s := v.State
	switch IconOf(v) {
	case IconNotRunning:
		if v.Reason == "" {
			return lang.L("Starting")
		}
		return v.Reason
	case IconTrouble:
		return trouble(s)
	case IconNeeds:
		return needs(s)
	case IconPaused:
		return pausedUntil(s, now)
	case IconSyncing:
		return syncingAll(s)
	}
	return inSync(s)
}

func name(s string) string { return CleanName(s, nameMost) }

func trouble(s status.State) string {
	n := count(s, troubled)
	for _, f := range s.Folders {
		if !troubled(f) {
			continue
		}
		if n > 1 {
			return plural("{{.N}} folders can't be synced", int64(n))
		}
		switch f.State {
		case status.Missing:
			return lang.L("The disk or folder of {{.Name}} is not there", data{"Name": name(f.Name)})
		case status.Full:
			return lang.L("The disk of {{.Name}} is full", data{"Name": name(f.Name)})
		}
		return lang.L("{{.Name}} can't be synced: {{.Why}}", data{"Name": name(f.Name), "Why": f.Reason})
	}
	return ""
}

// needs names all that waits for the person, what is most urgent first.
func needs(s status.State) string {
	var waits []string
	if n := count(s, IsHeld); n == 1 {
		waits = append(waits, lang.L("a big change is held back"))
	} else if n > 1 {
		waits = append(waits, plural("{{.N}} big changes are held back", int64(n)))
	}
	if n := conflicts(s); n > 0 {
		waits = append(waits, Conflicts(n))
	}
	if n := offers(s); n == 1 {
		waits = append(waits, lang.L("a folder is offered"))
	} else if n > 1 {
		waits = append(waits, plural("{{.N}} folders are offered", int64(n)))
	}
	return lang.L("Waiting for you: {{.What}}", data{"What": strings.Join(waits, ", ")})
}

// byHand is the reason of a pause that the person asked for, who need not be told.
const byHand = "paused by hand"

func pausedUntil(s status.State, now time.Time) string {
	p := s.Paused
	if p.State != status.Paused {
		return lang.L("All folders are paused")
	}
	what := lang.L("Paused")
	why := strings.TrimPrefix(p.Reason, "paused: ")
	if why != "" && why != byHand {
		what = lang.L("Paused: {{.Why}}", data{"Why": why})
	}
	if p.Until == nil {
		return what
	}
	return what + " " + Until(*p.Until, now)
}

func syncingAll(s status.State) string {
	var files, rate, scanned int64
	var eta int64 = -1
	first1 := ""
	for _, f := range s.Folders {
		if first(f) {
			first1, scanned = f.Name, scanned+f.Progress.Scanned
		}
		if f.State != status.Syncing {
			continue
		}
		files += f.Need.Files
		rate += f.Progress.Rate
		if f.Need.Files > 0 {
			eta = max(eta, f.Progress.ETA)
		}
	}
	switch {
	case files > 0:
		parts := []string{lang.L("Syncing {{.Files}}", data{"Files": Files(files)})}
		if rate > 0 {
			parts = append(parts, Rate(rate))
		}
		if left := LeftOf(eta); left != "" {
			parts = append(parts, left)
		}
		return strings.Join(parts, ", ")
	case first1 != "":
		return lang.L("Looking through {{.Name}}: {{.Files}} so far", data{"Name": name(first1), "Files": Files(scanned)})
	}
	return sending(s)
}

// sending: this device has all; others lack something.
func sending(s status.State) string {
	var files int64
	to := map[string]bool{}
	last := ""
	for _, f := range s.Folders {
		for _, p := range f.Peers {
			if p.Connected && p.NeedFiles > 0 {
				files += p.NeedFiles
				to[p.Device], last = true, p.Device
			}
		}
	}
	switch len(to) {
	case 0:
		return lang.L("Syncing")
	case 1:
		return lang.L("Sending {{.Files}} to {{.Name}}", data{"Files": Files(files), "Name": name(last)})
	}
	return lang.L("Sending {{.Files}} to {{.N}} devices", data{"Files": Files(files), "N": len(to)})
}

func inSync(s status.State) string {
	if len(s.Folders) == 0 {
		return lang.L("No folders yet")
	}
	others, connected := 0, 0
	for _, d := range s.Devices {
		if d.ID == s.Device.ID {
			continue
		}
		if others++; d.Connected {
			connected++
		}
	}
	switch {
	case others == 0:
		return lang.L("No other device yet")
	case connected == 0:
		return lang.L("No other device can be reached now")
	case connected == 1:
		return lang.L("Up to date with 1 device")
	}
	return plural("Up to date with {{.N}} devices", int64(connected))
}
