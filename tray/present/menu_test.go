package present

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
)

// draw writes a menu as a person sees it: [what can't be clicked], sub menus
// indented.
func draw(items []Item) string {
	var b strings.Builder
	var level func(items []Item, in string)
	level = func(items []Item, in string) {
		for _, i := range items {
			switch {
			case i.Text == "":
				b.WriteString(in + "---\n")
			case i.Do.Verb == Nothing && len(i.Sub) == 0:
				b.WriteString(in + "[" + i.Text + "]\n")
			default:
				b.WriteString(in + i.Text + "\n")
			}
			level(i.Sub, in+"  ")
		}
	}
	level(items, "")
	return b.String()
}

const pauses = `Pause
  30 minutes
  2 hours
  Until tomorrow
  Until I resume
`

func TestMenu(t *testing.T) {
	conflict := inState("docs", status.Synced)
	conflict.Conflicts = 2
	held := inState("pics_1", status.Held)
	busy := MenuView{View: showing(circle(true), conflict, held)(), Own: true, Recent: []control.Activity{
		{Folder: "docs", Path: "a/old.txt", Action: "added", Device: "laptop"},
		{Folder: "docs", Path: "b/new\n.txt", Action: "changed", Device: "pi1"},
	}}
	busy.State.Offers = []status.Offer{{Name: "music"}}
	paused := MenuView{View: showing(circle(true), inState("docs", status.Paused))(), Note: "Pause: the disk is full"}
	paused.State.Paused = status.Pause{State: "paused", Reason: byHand}
	cases := map[string]struct {
		v    MenuView
		want string
	}{
		"empty, of a service": {MenuView{View: showing(circle())()}, "[No folders yet]\n---\n" + pauses + `---
Conflicts…
---
Open Pinion…
Add folder…
Add device…
---
Quit (syncing goes on)
`},
		"busy": {busy, `[Waiting for you: a big change is held back, 2 conflicts, a folder is offered]
---
docs – 2 conflicts
pics_1 – Waits for your answer
Recent changes
  new\n.txt – changed on pi1
  old.txt – added on this device
---
` + pauses + `---
Held back (1)…
Conflicts (2)…
Offered folders (1)…
---
Open Pinion…
Add folder…
Add device…
---
Quit
`},
		"paused": {paused, "[Paused]\n[Pause: the disk is full]\n---\ndocs – Paused\n---\n" + pauses + `Resume
---
Conflicts…
---
Open Pinion…
Add folder…
Add device…
---
Quit (syncing goes on)
`},
		"starting": {MenuView{}, "[Starting]\n---\nOpen Pinion…\n---\nQuit\n"},
		"gone": {MenuView{View: View{Reason: "The engine has stopped", State: busy.State}}, `[The engine has stopped]
Try again now
---
docs – 2 conflicts
pics_1 – Waits for your answer
---
Open Pinion…
---
Quit
`},
		"no window": {MenuView{View: showing(circle())(), NoShow: "no OpenGL here", Own: true},
			"[No folders yet]\n---\n" + pauses + "---\n[no OpenGL here]\n---\nQuit\n"},
	}
	for name, c := range cases {
		if got := draw(Menu(c.v, noon)); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", name, got, c.want)
		}
	}
}

func TestMenuIsBounded(t *testing.T) {
	v := MenuView{View: showing(circle(true))()}
	for i := range 500 {
		v.State.Folders = append(v.State.Folders, inState(fmt.Sprint("folder ", i, strings.Repeat("x", 500)), status.Synced))
		v.Recent = append(v.Recent, control.Activity{Path: strings.Repeat("y", 4000)})
	}
	var count func([]Item) int
	count = func(items []Item) (n int) {
		for _, i := range items {
			if len([]rune(i.Text)) > 120 {
				t.Errorf("%q", i.Text)
			}
			n += 1 + count(i.Sub)
		}
		return n
	}
	if n := count(Menu(v, noon)); n > 50 {
		t.Errorf("%d items", n)
	}
	if text := draw(Menu(v, noon)); !strings.Contains(text, "488 more folders…") {
		t.Error("it does not say that there are more")
	}
}

func TestSameMenuAndShape(t *testing.T) {
	a := Menu(MenuView{View: showing(circle(true), inState("docs", status.Synced))()}, noon)
	b := Menu(MenuView{View: showing(circle(true), inState("docs", status.Syncing))()}, noon)
	c := Menu(MenuView{View: showing(circle(true))()}, noon)
	if !SameMenu(a, a) || SameMenu(a, b) || !SameShape(a, b) || SameShape(a, c) {
		t.Error("menus are not told apart as they should")
	}
	moved := Menu(MenuView{View: showing(circle(true), inState("docs", status.Synced))()}, noon)
	moved[2].Do.Path = "/elsewhere"
	if SameMenu(a, moved) || !SameShape(a, moved) {
		t.Error("a folder at another path is the same menu")
	}
}

func TestMorning(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Skip("the system has no time zones:", err)
	}
	at := func(s string) time.Time {
		when, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return when
	}
	for now, want := range map[string]string{
		"2026-11-21 14:00": "2026-11-22 06:00",
		"2026-11-21 23:59": "2026-11-22 06:00",
		"2026-11-22 01:30": "2026-11-22 06:00", // up late: the morning that is near
		"2026-11-22 05:00": "2026-11-23 06:00", // up early
		"2026-12-31 20:00": "2027-01-01 06:00",
		"2026-10-24 22:00": "2026-10-25 06:00", // the clocks go back in between
		"2026-03-28 22:00": "2026-03-29 06:00",
	} {
		if got := Morning(at(now)); !got.Equal(at(want)) || !got.After(at(now)) {
			t.Errorf("at %s: %v, want %s", now, got, want)
		}
	}
}
