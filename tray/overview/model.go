package overview

import (
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/look"
	"pinion/tray/present"
)

type data = map[string]any

const nameMost = 60 // runes of a name

func name(s string) string { return present.CleanName(s, nameMost) }

// cell says how far one device is with one folder.
type cell struct {
	name string
	kind look.Kind
	word string
	part float64 // of the folder that it has; below 0: no bar
}

const noBar = -1

// cells lists this device first, then the others by their names.
func cells(f status.Folder, s status.State, now time.Time) []cell {
	out := []cell{own(f, s)}
	for _, p := range f.Peers {
		out = append(out, peer(f, p))
	}
	for _, id := range f.Away {
		if d, ok := device(s, id); ok {
			c := cell{name: name(d.Name), kind: look.Plain, word: present.DeviceWords(d, now), part: noBar}
			if d.Connected { // it has paused the folder, or its disk is not there
				c.word = lang.L("Not syncing this now")
			}
			out = append(out, c)
		}
	}
	return out
}

func own(f status.Folder, s status.State) cell {
	c := cell{name: name(s.Device.Name), kind: look.Synced, word: lang.L("Complete"), part: noBar}
	switch {
	case f.State == status.Missing || f.State == status.Error:
		c.kind, c.word = look.Trouble, lang.L("Can't be synced")
	case f.Need.Files > 0:
		c.kind, c.word, c.part = look.Syncing, lacks(f.Need.Files, f.Need.Bytes), have(f, f.Need.Bytes)
		if f.State == status.Full {
			c.kind = look.Trouble
		}
	case f.State == status.Scanning:
		c.kind, c.word = look.Syncing, lang.L("Looking for changes")
	}
	return c
}

func peer(f status.Folder, p status.FolderPeer) cell {
	c := cell{name: name(p.Device), kind: look.Synced, word: lang.L("Complete"), part: noBar}
	switch {
	case !p.Connected:
		c.kind, c.word = look.Plain, lang.L("Not connected")
	case p.NoRoom > 0:
		c.kind, c.part = look.Trouble, have(f, p.NeedBytes)
		c.word = lang.L("No room for {{.Files}}", data{"Files": present.Files(p.NoRoom)})
	case p.NeedFiles > 0:
		c.kind, c.word, c.part = look.Syncing, lacks(p.NeedFiles, p.NeedBytes), have(f, p.NeedBytes)
	case !p.UpToDate:
		c.kind, c.word = look.Syncing, lang.L("Comparing")
	}
	return c
}

func lacks(files, bytes int64) string {
	return lang.L("Lacks {{.Files}}, {{.Bytes}}", data{"Files": present.Files(files), "Bytes": present.Size(bytes)})
}

// have is the part of all that is known of a folder that a device has, which lacks
// so much.
func have(f status.Folder, need int64) float64 {
	total := max(float64(f.Bytes)+float64(f.Need.Bytes), float64(need))
	if total <= 0 {
		return 0
	}
	return (total - float64(need)) / total
}

func device(s status.State, id tree.DeviceID) (status.Device, bool) {
	for _, d := range s.Devices {
		if d.ID == id {
			return d, true
		}
	}
	return status.Device{}, false
}

// moves says whether something is on its way to this device, or it is looked for.
func moves(f status.Folder) bool {
	return f.State == status.Scanning && f.Progress.Scanned > 0 || f.State == status.Syncing && f.Need.Files > 0
}

// moving says what is on its way to this device, and how it goes: the names of what
// is fetched, and percentage, rate and time left.
func moving(f status.Folder) (what, much string, part float64) {
	p := f.Progress
	switch {
	case !moves(f):
		return "", "", 0
	case f.State == status.Scanning:
		return lang.L("Looking through it"), lang.L("{{.Files}} so far", data{"Files": present.Files(p.Scanned)}), 0
	}
	what = names(f)
	var words []string
	if p.BytesTotal > 0 {
		part = float64(p.BytesDone) / float64(p.BytesTotal)
		words = append(words, lang.L("{{.Done}} of {{.Total}}", data{"Done": present.Size(p.BytesDone), "Total": present.Size(p.BytesTotal)}))
	}
	if p.Rate > 0 {
		words = append(words, present.Rate(p.Rate))
		if left := present.LeftOf(p.ETA); left != "" {
			words = append(words, left)
		}
	}
	return what, strings.Join(words, "  ·  "), part
}

// names says what is being fetched: the first file, from where, and how many more.
func names(f status.Folder) string {
	if len(f.Moving) == 0 {
		return lang.L("{{.Files}} to come", data{"Files": present.Files(f.Need.Files)})
	}
	m := f.Moving[0]
	file := present.CleanName(m.Path[strings.LastIndexByte(m.Path, '/')+1:], nameMost)
	from := make([]string, 0, len(m.From))
	for _, d := range m.From {
		from = append(from, name(d))
	}
	if len(from) > 0 {
		file = lang.L("{{.File}} from {{.Devices}}", data{"File": file, "Devices": strings.Join(from, ", ")})
	}
	if more := f.Need.Files - 1; more > 0 {
		return lang.L("{{.File}}, and {{.N}} more", data{"File": file, "N": present.Number(more)})
	}
	return file
}

// about is the line below a folder's name.
func about(f status.Folder) string {
	words := []string{present.Files(f.Files), present.Size(f.Bytes)}
	switch f.Mode {
	case "send":
		words = append(words, lang.L("sends only"))
	case "receive":
		words = append(words, lang.L("receives only"))
	}
	return present.CleanName(f.Path, 200) + "   " + strings.Join(words, ", ")
}

// matter is something about a folder that a person ought to see, and what can be
// done about it.
type matter struct {
	kind look.Kind
	text string
	do   string // on the button; "": none
	act  int    // one of the acts
}

const (
	actNone = iota
	actHeld
	actConflicts
	actProblems
)

// matters lists what a person ought to see, what is worst first.
func matters(f status.Folder) (out []matter) {
	why := present.Clean(f.Reason, 300)
	switch f.State {
	case status.Missing, status.Error, status.Full:
		if why == "" {
			why = present.FolderWords(f)
		}
		out = append(out, matter{kind: look.Trouble, text: sentence(why)})
	case status.Paused:
		if why != "" && why != "paused by hand" {
			out = append(out, matter{kind: look.Paused, text: sentence(why)})
		}
	}
	if len(f.Holds) > 0 {
		out = append(out, matter{kind: look.Needs, text: heldWords(f), do: lang.L("Decide…"), act: actHeld})
	}
	if f.Conflicts > 0 {
		out = append(out, matter{kind: look.Needs, text: conflictWords(f.Conflicts), do: lang.L("Settle…"), act: actConflicts})
	}
	if n := len(f.Problems); n > 0 {
		text := lang.L("{{.Path}}: {{.Cure}}", data{"Path": present.CleanName(f.Problems[0].Path, nameMost), "Cure": present.Clean(f.Problems[0].Error, 200)})
		if n > 1 {
			text = lang.N("{{.N}} paths can't be synced as they are", n, data{"N": n})
		}
		out = append(out, matter{kind: look.Trouble, text: sentence(text), do: lang.L("Show…"), act: actProblems})
	}
	return out
}

// heldWords says what is held. The engine's own sentence names commands, which are
// of no use here.
func heldWords(f status.Folder) string {
	d := data{"Files": present.Files(f.Holds[0].Files)}
	if f.Holds[0].Overwritten {
		return lang.L("{{.Files}} changed at once. Nothing is passed on until you say whether that was meant.", d)
	}
	return lang.L("{{.Files}} deleted at once. Nothing is passed on until you say whether that was meant.", d)
}

func conflictWords(n int64) string {
	if n == 1 {
		return lang.L("One file was changed on two devices. Both versions are kept until you choose.")
	}
	return lang.L("{{.N}} files were changed on two devices. Both versions of each are kept until you choose.", data{"N": present.Number(n)})
}

// sentence begins with a capital and ends with a full stop.
func sentence(s string) string {
	if s == "" {
		return s
	}
	r := []rune(s)
	s = strings.ToUpper(string(r[0])) + string(r[1:])
	if strings.HasSuffix(s, ".") || strings.HasSuffix(s, "…") {
		return s
	}
	return s + "."
}

// store is one device with the fullest of the disks that its folders are on.
type store struct {
	name, word string
	kind       look.Kind
	disk       *status.Disk
}

// stores lists this device and the others of the circle.
func stores(s status.State, now time.Time) []store {
	out := []store{{name: name(s.Device.Name), word: lang.L("This device"), kind: look.Synced}}
	for _, f := range s.Folders {
		out[0].disk = look.Fuller(out[0].disk, f.Disk)
	}
	for _, d := range s.Devices {
		if d.ID == s.Device.ID {
			continue
		}
		t := store{name: name(d.Name), word: present.DeviceWords(d, now), kind: look.Plain, disk: look.DiskOf(s, d.ID)}
		if d.Connected {
			t.kind = look.Synced
		}
		out = append(out, t)
	}
	return out
}

// summary is the line below the page's title.
func summary(s status.State) string {
	if len(s.Folders) == 0 {
		return lang.L("Nothing is synced yet")
	}
	var files, bytes int64
	for _, f := range s.Folders {
		files += f.Files
		bytes += f.Bytes
	}
	others, connected := 0, 0
	for _, d := range s.Devices {
		if d.ID != s.Device.ID {
			others++
			if d.Connected {
				connected++
			}
		}
	}
	out := lang.L("{{.Files}}, {{.Bytes}}", data{"Files": present.Files(files), "Bytes": present.Size(bytes)})
	if n := len(s.Folders); n == 1 {
		out = lang.L("1 folder") + ", " + out
	} else {
		out = lang.N("{{.N}} folders", n, data{"N": n}) + ", " + out
	}
	switch {
	case others == 0:
		return out
	case connected == others:
		return out + "  ·  " + lang.L("all devices connected")
	}
	return out + "  ·  " + lang.L("{{.Connected}} of {{.N}} other devices connected", data{"Connected": connected, "N": others})
}
