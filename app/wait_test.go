package main

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"pinion/engine/status"
)

func withState(s, reason string) status.State {
	st := twoFolders("/data")
	st.Folders[0].State, st.Folders[0].Reason = s, reason
	return st
}

func TestWait(t *testing.T) {
	for _, c := range []struct {
		name, state, reason, line string
		code                      int
		says                      string
	}{
		{"synced", status.Synced, "", "wait", 0, ""},
		{"other folder", status.Held, "x", "wait --folder photos", 0, ""},
		{"paused", status.Paused, "paused by hand", "wait", 1, "folder docs is paused; to go on: pinion resume\n"},
		{"held", status.Held, "30 files are missing here", "wait", 1, "folder docs is held: 30 files are missing here; to go on: pinion confirm docs\n"},
		{"held, told", status.Held, "if on purpose: pinion confirm docs", "wait", 1, "folder docs is held: if on purpose: pinion confirm docs\n"},
		{"missing", status.Missing, "the disk is away.", "wait", 1, "folder docs is missing: the disk is away; see pinion doctor\n"},
		{"full", status.Full, "film needs 5 MB and pi has 2 MB free", "wait", 1, "folder docs is full: film needs 5 MB and pi has 2 MB free\n"},
		{"error", status.Error, "no space", "wait", 1, "folder docs is in error: no space; see pinion doctor\n"},
		{"timeout", status.Syncing, "", "wait --timeout 50ms", 4, "not in sync after 50ms: folder docs lacks 2 files (5 B)\n"},
		{"unknown", status.Synced, "", "wait --folder x", 1, "there is no folder \"x\"; pinion folder list shows those that there are\n"},
		{"not yet", status.Synced, "", "wait --folder x --timeout 50ms", 4, "not in sync after 50ms: folder x is not on this device yet\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := withState(c.state, c.reason)
			if c.state == status.Syncing {
				s.Folders[0].Need = status.Need{Files: 2, Bytes: 5}
			}
			b := newBench(t, s)
			if got := b.run(strings.Fields(c.line)...); got.code != c.code || got.err != c.says || got.out != "" {
				t.Errorf("%+v\nwant %d %q", got, c.code, c.says)
			}
		})
	}
}

// Paths that can't come by waiting are named by their number: all else is in sync.
func TestWaitTellsOfProblems(t *testing.T) {
	s := withState(status.Synced, "")
	s.Folders[0].Problems = []status.Problem{{Path: "README", Error: "can't be here beside readme"}}
	b := newBench(t, s)
	if got := b.run("wait"); got.code != 0 || got.out != "" || got.err != "in sync but for 1 problem: pinion status lists them\n" {
		t.Errorf("%+v", got)
	}
	if got := b.run("wait", "--json"); got.code != 0 || !strings.Contains(got.out, `"path":"README"`) {
		t.Errorf("%+v", got)
	}
}

// What another device has no room for is not waited for, unless something else
// is on its way.
func TestWaitForADeviceWithoutRoom(t *testing.T) {
	s := withState(status.Syncing, "")
	s.Folders[0].Need = status.Need{}
	s.Folders[0].Peers = []status.FolderPeer{{Device: "pi", Connected: true, NeedFiles: 1, NeedBytes: 5e6, NoRoom: 1}}
	b := newBench(t, s)
	if got := b.run("wait"); got.code != 1 || !strings.Contains(got.err, "pi has no room for 1 file of folder docs (5.0 MB)") {
		t.Errorf("%+v", got)
	}
	s.Folders[0].Peers = append(s.Folders[0].Peers, status.FolderPeer{Device: "nas", Connected: true, NeedFiles: 1, NeedBytes: 5})
	if got := newBench(t, s).run("wait", "--timeout", "50ms"); got.code != 4 {
		t.Errorf("%+v", got)
	}
}

// A folder that is "synced" for an instant only is not in sync.
func TestWaitLooksTwice(t *testing.T) {
	b := newBench(t, withState(status.Synced, ""))
	flap := time.AfterFunc(secondLook/3, func() { b.fake.board.Post(withState(status.Syncing, "")) })
	defer flap.Stop()
	if got := b.run("wait", "--timeout", "1s"); got.code != 4 || !strings.Contains(got.err, "folder docs is still syncing") {
		t.Errorf("%+v", got)
	}
}

func TestWaitEndsWhenDone(t *testing.T) {
	b := newBench(t, withState(status.Syncing, ""))
	done := time.AfterFunc(20*time.Millisecond, func() { b.fake.board.Post(withState(status.Synced, "")) })
	defer done.Stop()
	if got := b.run("wait", "--timeout", "1m"); got.code != 0 {
		t.Errorf("%+v", got)
	}
}

func TestWaitOnATerminalSaysThatNobodyIsConnected(t *testing.T) {
	s := twoFolders("/data")
	s.Devices = nil
	b := newBench(t, s)
	var out, errs bytes.Buffer
	got := b.runOn(t.Context(), stdio{out: &out, err: &errs, terminal: true, size: func() (int, int) { return 60, 20 }}, &out, &errs, []string{"wait"})
	if got.code != 0 || !strings.Contains(got.out, "no other device is connected") || !strings.Contains(got.out, "\x1b[?25h") {
		t.Errorf("%+v", got)
	}
}

func TestWatchPrintsPlainLinesElsewhere(t *testing.T) {
	b := newBench(t, withState(status.Syncing, ""))
	pr, pw := newLines()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for line := range pr {
			switch {
			case strings.Contains(line, "say yes"):
				cancel()
			case strings.Contains(line, "photos"):
				b.fake.board.Post(withState(status.Held, "say yes"))
			}
		}
	}()
	var errs bytes.Buffer
	got := b.runOn(ctx, stdio{out: pw, err: &errs, size: func() (int, int) { return 60, 20 }}, pw, &errs, []string{"status", "--watch"})
	close(pr)
	want := "12:00:00  docs  syncing\n12:00:00  photos  synced  0 files, 0 B\n12:00:00  docs  held  say yes\n"
	if got.code != 0 || got.out != want {
		t.Errorf("%+v", got)
	}
}
