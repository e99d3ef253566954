package present

import (
	"path"
	"slices"
	"time"

	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/engine/status"
)

// Verb is what a menu item does.
type Verb int

// The verbs. Open and Reveal are for Action's Path.
const (
	Nothing    Verb = iota
	OpenFolder      // opens Path, a folder's root, in the file manager
	RevealFile      // shows Path, relative to the folder of that name, there
	PauseFor        // For
	PauseUntilMorning
	Pause
	Resume
	ShowConflicts
	ShowHeld
	ShowOffers
	ShowOverview
	ShowDevices
	OpenWindow
	AddFolder
	AddDevice
	TryAgain // to reach or to start the engine, now
	Quit
)

// Action is what a click on an item asks for.
type Action struct {
	Verb   Verb
	Folder string // name
	Path   string
	For    time.Duration
}

// Item is one line of the menu. The zero Item is a separator. Its text is plain:
// what a system reads as the mark of a key in it is still to be escaped.
type Item struct {
	Text string
	Do   Action // Nothing: it is only to be read
	Sub  []Item
}

// SameMenu says whether two menus are the same to the eye and to the hand.
func SameMenu(a, b []Item) bool {
	return slices.EqualFunc(a, b, func(a, b Item) bool {
		return a.Text == b.Text && a.Do == b.Do && SameMenu(a.Sub, b.Sub)
	})
}

// SameShape says whether b can be shown by changing the texts and actions of a,
// with no item coming or going.
func SameShape(a, b []Item) bool {
	return slices.EqualFunc(a, b, func(a, b Item) bool {
		return (a.Text == "") == (b.Text == "") && SameShape(a.Sub, b.Sub)
	})
}

const (
	foldersMost = 12 // in the menu; the window has all
	recentMost  = 10
)

// MenuView is what the menu shows, beside the View.
type MenuView struct {
	View
	Recent []control.Activity // newest last, as the engine tells them
	Own    bool               // the engine was begun by the tray and ends with it
	Note   string             // what the person asked for here and did not come about
	NoShow string             // why no window can be shown, a sentence; "": it can
}

// Menu is the tray's menu. It depends on now only in what it says of a pause's end.
func Menu(v MenuView, now time.Time) []Item {
	menu := []Item{{Text: Sentence(v.View, now)}}
	if !v.Up && v.Reason != "" {
		menu = append(menu, Item{Text: lang.L("Try again now"), Do: Action{Verb: TryAgain}})
	}
	if v.Note != "" {
		menu = append(menu, Item{Text: Clean(v.Note, sentenceMost)})
	}
	menu = append(menu, Item{})
	menu = append(menu, folderItems(v.State)...)
	if recent := recentItems(v); len(recent) > 0 {
		menu = append(menu, Item{Text: lang.L("Recent changes"), Sub: recent})
	}
	if len(menu) > 0 && menu[len(menu)-1].Text != "" {
		menu = append(menu, Item{})
	}
	if v.Up {
		menu = append(menu, pauseItems(v.State)...)
	}
	return append(menu, windowItems(v)...)
}

func folderItems(s status.State) (items []Item) {
	for i, f := range s.Folders {
		if i == foldersMost && len(s.Folders) > foldersMost+1 {
			n := len(s.Folders) - foldersMost
			return append(items, Item{Text: plural("{{.N}} more folders…", int64(n)), Do: Action{Verb: OpenWindow}})
		}
		items = append(items, Item{
			Text: lang.L("{{.Name}} – {{.State}}", data{"Name": name(f.Name), "State": FolderWords(f)}),
			Do:   Action{Verb: OpenFolder, Folder: f.Name, Path: f.Path},
		})
	}
	return items
}

func recentItems(v MenuView) (items []Item) {
	for i := len(v.Recent) - 1; i >= 0 && len(items) < recentMost; i-- {
		a := v.Recent[i]
		items = append(items, Item{Text: changeWords(a, v.State.Device.Name), Do: Action{Verb: RevealFile, Folder: a.Folder, Path: a.Path}})
	}
	return items
}

// changeWords is a change in one line: "report.odt – changed on pi1".
func changeWords(a control.Activity, here string) string {
	d := data{"File": name(path.Base(a.Path)), "Device": name(a.Device)}
	if a.Device == here || a.Device == "" {
		d["Device"] = lang.L("this device")
	}
	switch a.Action {
	case "added":
		return lang.L("{{.File}} – added on {{.Device}}", d)
	case "deleted":
		return lang.L("{{.File}} – deleted on {{.Device}}", d)
	case "moved":
		return lang.L("{{.File}} – moved on {{.Device}}", d)
	case "conflict":
		return lang.L("{{.File}} – conflict with {{.Device}}", d)
	case "merged":
		return lang.L("{{.File}} – merged on {{.Device}}", d)
	case "kept":
		return lang.L("{{.File}} – kept, although deleted elsewhere", d)
	case "restored":
		return lang.L("{{.File}} – restored on {{.Device}}", d)
	}
	return lang.L("{{.File}} – changed on {{.Device}}", d)
}

func pauseItems(s status.State) []Item {
	items := []Item{{Text: lang.L("Pause"), Sub: []Item{
		{Text: lang.L("30 minutes"), Do: Action{Verb: PauseFor, For: 30 * time.Minute}},
		{Text: lang.L("2 hours"), Do: Action{Verb: PauseFor, For: 2 * time.Hour}},
		{Text: lang.L("Until tomorrow"), Do: Action{Verb: PauseUntilMorning}},
		{Text: lang.L("Until I resume"), Do: Action{Verb: Pause}},
	}}}
	if s.Paused.State == status.Paused || count(s, paused) > 0 {
		items = append(items, Item{Text: lang.L("Resume"), Do: Action{Verb: Resume}})
	}
	return append(items, Item{})
}

func windowItems(v MenuView) (items []Item) {
	quit := Item{Text: lang.L("Quit"), Do: Action{Verb: Quit}}
	if v.Up && !v.Own {
		quit.Text = lang.L("Quit (syncing goes on)")
	}
	if v.NoShow != "" {
		return []Item{{Text: Clean(v.NoShow, sentenceMost)}, {}, quit}
	}
	if v.Up {
		items = append(items, waitingItems(v.State)...)
	}
	items = append(items, Item{Text: lang.L("Open Pinion…"), Do: Action{Verb: OpenWindow}})
	if v.Up {
		items = append(items,
			Item{Text: lang.L("Add folder…"), Do: Action{Verb: AddFolder}},
			Item{Text: lang.L("Add device…"), Do: Action{Verb: AddDevice}})
	}
	return append(items, Item{}, quit)
}

// waitingItems lead to what waits for the person. The way to the conflicts is
// always there, so that it can be found before it is needed.
func waitingItems(s status.State) (items []Item) {
	if n := count(s, IsHeld); n > 0 {
		items = append(items, Item{Text: lang.L("Held back ({{.N}})…", data{"N": n}), Do: Action{Verb: ShowHeld}})
	}
	text := lang.L("Conflicts…")
	if n := conflicts(s); n > 0 {
		text = lang.L("Conflicts ({{.N}})…", data{"N": Number(n)})
	}
	items = append(items, Item{Text: text, Do: Action{Verb: ShowConflicts}})
	if n := offers(s); n > 0 {
		items = append(items, Item{Text: lang.L("Offered folders ({{.N}})…", data{"N": n}), Do: Action{Verb: ShowOffers}})
	}
	return append(items, Item{})
}

// Morning is when a pause "until tomorrow" ends: the next morning at six, by the
// clock on the wall. Before four at night that is the morning that is near.
func Morning(now time.Time) time.Time {
	y, m, d := now.Date()
	if now.Hour() >= 4 {
		d++
	}
	return time.Date(y, m, d, 6, 0, 0, 0, now.Location())
}
