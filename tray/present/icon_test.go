package present

import (
	"testing"
	"time"

	"pinion/engine/status"
	"pinion/engine/tree"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// A circle of this device, pi1 and pi2, as most cases need it.
func circle(connected ...bool) (s status.State) {
	s.Device = status.Self{ID: tree.DeviceID{1}, Name: "laptop"}
	s.Paused.State = "running"
	s.Devices = []status.Device{{ID: tree.DeviceID{1}, Name: "laptop"}}
	for i, c := range connected {
		s.Devices = append(s.Devices, status.Device{ID: tree.DeviceID{byte(2 + i)}, Name: "pi" + string(rune('1'+i)), Connected: c})
	}
	return s
}

func inState(name, state string) status.Folder {
	return status.Folder{Name: name, State: state, Files: 10, Path: "/home/pat/" + name}
}

func TestIconAndSentence(t *testing.T) {
	evening := noon.Add(6 * time.Hour)
	fetching := inState("docs", status.Syncing)
	fetching.Need = status.Need{Files: 1234, Bytes: 1e6}
	fetching.Progress = status.Progress{Rate: 12_000_000, ETA: 180}
	sending := inState("docs", status.Syncing)
	sending.Peers = []status.FolderPeer{{Device: "pi1", Connected: true, NeedFiles: 12}, {Device: "pi2", NeedFiles: 90}}
	fresh := inState("docs", status.Scanning)
	fresh.Files, fresh.Progress.Scanned = 0, 345
	conflict := inState("docs", status.Synced)
	conflict.Conflicts = 2
	heldHere := inState("docs", status.Held)
	heldThere := inState("docs", status.Synced)
	heldThere.Holds = []status.Hold{{Device: "pi1", Files: 40}}
	broken := inState("pics", status.Error)
	broken.Reason = "the index can't be read"

	cases := map[string]struct {
		v    func() View
		icon Icon
		says string
	}{
		"starting":  {func() View { return View{} }, IconNotRunning, "Starting"},
		"gone":      {func() View { return View{Reason: "The engine has stopped", State: circle(true)} }, IconNotRunning, "The engine has stopped"},
		"empty":     {showing(circle()), IconInSync, "No folders yet"},
		"alone":     {showing(circle(), inState("docs", status.Synced)), IconInSync, "No other device yet"},
		"apart":     {showing(circle(false), inState("docs", status.Synced)), IconInSync, "No other device can be reached now"},
		"in sync":   {showing(circle(true, false), inState("docs", status.Synced)), IconInSync, "Up to date with 1 device"},
		"in sync 2": {showing(circle(true, true), inState("docs", status.Synced)), IconInSync, "Up to date with 2 devices"},
		"routine":   {showing(circle(true), inState("docs", status.Scanning)), IconInSync, "Up to date with 1 device"},
		"first":     {showing(circle(true), fresh), IconSyncing, "Looking through docs: 345 files so far"},
		"fetching":  {showing(circle(true), fetching), IconSyncing, "Syncing 1,234 files, 12 MB/s, about 3 minutes left"},
		"sending":   {showing(circle(true), sending), IconSyncing, "Sending 12 files to pi1"},
		"paused": {func() View {
			v := showing(circle(true), inState("docs", status.Paused))()
			v.State.Paused = status.Pause{State: "paused", Reason: "paused by hand", Until: &evening}
			return v
		}, IconPaused, "Paused until 18:00"},
		"metered": {func() View {
			v := showing(circle(true), inState("docs", status.Paused))()
			v.State.Paused = status.Pause{State: "paused", Reason: "paused: the connection is metered"}
			return v
		}, IconPaused, "Paused: the connection is metered"},
		"one paused":   {showing(circle(true), inState("docs", status.Paused), inState("pics", status.Synced)), IconInSync, "Up to date with 1 device"},
		"each paused":  {showing(circle(true), inState("docs", status.Paused)), IconPaused, "All folders are paused"},
		"conflicts":    {showing(circle(true), conflict), IconNeeds, "Waiting for you: 2 conflicts"},
		"held":         {showing(circle(true), heldHere), IconNeeds, "Waiting for you: a big change is held back"},
		"held there":   {showing(circle(true), heldThere, conflict), IconNeeds, "Waiting for you: a big change is held back, 2 conflicts"},
		"missing":      {showing(circle(true), conflict, inState("stick", status.Missing)), IconTrouble, "The disk or folder of stick is not there"},
		"full":         {showing(circle(true), inState("stick", status.Full)), IconTrouble, "The disk of stick is full"},
		"error":        {showing(circle(true), broken), IconTrouble, "pics can't be synced: the index can't be read"},
		"two troubles": {showing(circle(true), broken, inState("stick", status.Full)), IconTrouble, "2 folders can't be synced"},
		"offer": {func() View {
			v := showing(circle(true))()
			v.State.Offers = []status.Offer{{Name: "music", From: "pi1"}}
			return v
		}, IconNeeds, "Waiting for you: a folder is offered"},
		"declined": {func() View {
			v := showing(circle(true), inState("docs", status.Synced))()
			v.State.Offers = []status.Offer{{Name: "music", From: "pi1", Declined: true}}
			return v
		}, IconInSync, "Up to date with 1 device"},
		"hostile": {showing(circle(true), inState("a\nb\u202e", status.Full)), IconTrouble, `The disk of a\nb\u202e is full`},
	}
	for name, c := range cases {
		v := c.v()
		if got := IconOf(v); got != c.icon {
			t.Errorf("%s: the icon says %v, want %v", name, got, c.icon)
		}
		if got := Sentence(v, noon); got != c.says {
			t.Errorf("%s: %q, want %q", name, got, c.says)
		}
		if got := Tooltip(v, noon); got != "Pinion: "+c.says {
			t.Errorf("%s: the tooltip is %q", name, got)
		}
	}
}

func showing(s status.State, folders ...status.Folder) func() View {
	s.Folders = folders
	return func() View { return View{Up: true, State: s} }
}
