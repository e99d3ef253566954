package history

import (
	"strings"
	"time"

	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/tray/present"
)

type data = map[string]any

// Bounds of names on this page, in runes.
const (
	nameMost = 120
	someMost = 40
)

func clean(name string) string { return present.CleanName(name, nameMost) }
func short(name string) string { return present.CleanName(name, someMost) }

// became says what became of a name since the moment that is shown.
func became(e control.Browsed, now time.Time) string {
	facts := data{"By": short(e.By), "When": ""}
	if e.Since != nil {
		facts["When"] = present.At(*e.Since, now)
	}
	by, when := e.By != "", e.Since != nil
	switch e.State {
	case control.StateDeleted:
		switch {
		case by && when:
			return lang.L("Deleted by {{.By}}, {{.When}}", facts)
		case when:
			return lang.L("Deleted {{.When}}", facts)
		}
		return lang.L("Deleted")
	case control.StateChanged:
		switch {
		case by && when:
			return lang.L("Changed since by {{.By}}, {{.When}}", facts)
		case when:
			return lang.L("Changed since, {{.When}}", facts)
		}
		return lang.L("Changed since")
	case control.StateMoved:
		facts["To"] = clean(e.MovedTo)
		if e.MovedTo != "" {
			return lang.L("Moved since to {{.To}}", facts)
		}
		return lang.L("Moved since")
	}
	return ""
}

// under is the line below a name: what became of it, else who wrote it.
func under(e control.Browsed, then bool, now time.Time) string {
	text := became(e, now)
	lost := e.State != control.StateSame && e.State != control.StateMoved && e.Kind != kindDir && len(e.KeptBy) == 0
	switch {
	case lost:
		return join(text, lang.L("nobody who is connected keeps it"))
	case text != "":
		return text
	case e.Kind == kindDir:
		return ""
	}
	who := ""
	if e.Device != "" {
		who = lang.L("Written by {{.By}}", data{"By": short(e.Device)})
	}
	if then {
		return join(lang.L("Unchanged since"), who)
	}
	return who
}

func join(parts ...string) string {
	var out []string
	for _, p := range parts {
		if p != "" {
			out = append(out, p)
		}
	}
	return strings.Join(out, "  ·  ")
}

// Kinds of a control.Browsed.
const (
	kindDir  = "directory"
	kindLink = "symlink"
)

// put says how a version of a file ended.
func put(k control.Kept, now time.Time) string {
	facts := data{"By": short(k.Device), "When": present.At(k.Time, now)}
	switch {
	case k.Reason == control.ReasonLive:
		return lang.L("It stands now")
	case k.Reason == "deleted" && k.Device != "":
		return lang.L("Deleted by {{.By}}, {{.When}}", facts)
	case k.Reason == "deleted":
		return lang.L("Deleted {{.When}}", facts)
	case k.Reason == "conflict":
		return lang.L("Gave way in a conflict, {{.When}}", facts)
	case k.Device != "":
		return lang.L("Replaced by {{.By}}, {{.When}}", facts)
	}
	return lang.L("Replaced {{.When}}", facts)
}

// keepers says who keeps a version, and until when.
func keepers(by []string, expires *time.Time, now time.Time) string {
	names := make([]string, len(by))
	for i, n := range by {
		names[i] = short(n)
	}
	facts := data{"Devices": list(names)}
	switch {
	case len(by) == 0:
		return lang.L("Nobody who is connected keeps it")
	case expires == nil:
		return lang.L("Kept by {{.Devices}}", facts)
	}
	facts["Day"] = day(*expires, now)
	return lang.L("Kept by {{.Devices}} until {{.Day}}", facts)
}

// list is "a", "a and b", "a and 3 more".
func list(names []string) string {
	switch n := len(names); n {
	case 0:
		return ""
	case 1:
		return names[0]
	case 2:
		return lang.L("{{.Name}} and {{.Last}}", data{"Name": names[0], "Last": names[1]})
	default:
		return lang.L("{{.Name}} and {{.N}} more", data{"Name": names[0], "N": n - 1})
	}
}

// day is a moment without its time: "today", "Fri 20 Nov", "2025-11-20".
func day(t, now time.Time) string {
	t = t.In(now.Location())
	return strings.TrimSpace(strings.Replace(present.At(t, now), t.Format("15:04"), "", 1))
}

// momentWords says which moment is shown.
func momentWords(at *time.Time, now time.Time) string {
	if at == nil {
		return lang.L("Now")
	}
	return present.At(*at, now)
}

// counted says what a restore did or would do: "3 files (4.5 MB)".
func counted(r control.Restored) string {
	if r.Files == 0 && r.Dirs > 0 {
		return lang.L("{{.N}} empty folders", data{"N": present.Number(r.Dirs)})
	}
	return lang.L("{{.Files}} ({{.Size}})", data{"Files": present.Files(r.Files), "Size": present.Size(r.Bytes)})
}
