package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
)

func twoFolders(dir string) status.State {
	return status.State{
		Device: status.Self{ID: tree.DeviceID{1}, Name: "laptop", Version: "1"}, Paused: status.Pause{State: "running"},
		Folders: []status.Folder{
			{ID: tree.FolderID{1}, Name: "docs", Path: filepath.Join(dir, "docs"), State: status.Synced, Files: 3},
			{ID: tree.FolderID{2}, Name: "photos", Path: filepath.Join(dir, "photos"), State: status.Synced},
		},
		Devices: []status.Device{{ID: tree.DeviceID{2}, Name: "pi1", Connected: true}},
		Offers:  []status.Offer{{ID: tree.FolderID{3}, Name: "music", From: "pi1"}},
	}
}

// What a person types reaches the engine as it is meant.
func TestCommandsAsk(t *testing.T) {
	b := newBench(t, status.State{})
	b.fake.board.Post(twoFolders(b.dir))
	if err := os.MkdirAll(filepath.Join(b.dir, "docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ line, asks, says string }{
		{"device remove pi1", "remove device pi1", "pi1 is no longer in the circle\n"},
		{"device rename pi1 attic", "rename pi1 attic", "pi1 is called attic now\n"},
		{"device set pi1 --address a:1 --address [::1]:2", `set pi1 ["a:1" "[::1]:2"]`, "pi1 is tried first at a:1 or [::1]:2\n"},
		{"device set pi1 --address=", "set pi1 []", "pi1 is looked for by itself\n"},
		{"folder add x --name docs --mode send --state home", "add {Path:" + b.dir + "/x Name:docs Mode:send State:home}", "docs at " + b.dir + "/x is synced from now on; pinion status --watch shows it\n"},
		{"folder accept music ../m", "accept {Folder:music Path:" + filepath.Dir(b.dir) + "/m Mode: State:}", "music at " + filepath.Dir(b.dir) + "/m is filled and synced from now on; pinion status --watch shows it\n"},
		{"folder decline music", "decline music false", "music is not asked about again; pinion folder accept takes it all the same\n"},
		{"folder decline music --undo", "decline music true", "music is asked about again\n"},
		{"ignore docs", "ignores docs", "nothing but what is left out everywhere\n"},
		{"ignore docs --try -", `try ignores docs "" after "" limit 0`, "nothing more would be left out\n"},
		{"ignore docs --set -", `set ignores docs ""`, "these rules hold in docs from now on; what they leave out stays where it is\n"},
		{"folder remove docs", "remove folder docs", "docs is no longer synced here; its files stay where they are\n"},
		{"folder set docs --mode receive --scan-every 1d", "set folder docs mode receive every 24h0m0s", "docs is set\n"},
		{"pause", `pause folder="" device="" for=0s until=`, "everything is paused until pinion resume\n"},
		{"pause --folder docs --for 2h", `pause folder="docs" device="" for=2h0m0s until=`, "folder docs is paused until 14:00\n"},
		{"pause --device pi1 --until 18:00", `pause folder="" device="pi1" for=0s until=2026-11-21T18:00:00Z`, "syncing with pi1 is paused until 18:00\n"},
		{"pause --until 09:00", `pause folder="" device="" for=0s until=2026-11-22T09:00:00Z`, "everything is paused until 2026-11-22 09:00\n"},
		{"resume --folder docs", `resume folder="docs" device=""`, "folder docs is running again\n"},
		{"scan", `scan ""`, "all folders are being looked at\n"},
		{"scan docs", `scan "docs"`, "folder docs is being looked at\n"},
		{"confirm docs", `confirm "docs"`, "confirmed; what is deleted is kept in the archive (pinion history --deleted)\n"},
		{"folder set docs --attributes off --owner on", "set folder docs attributes false owner true", "docs is set\n"},
		{"folder set docs --merge auto", "set folder docs merge auto", "docs is set\n"},
		{"resolve a/b.txt --keep merge", "resolve a/b.txt merge", "settled: a/b.txt\n"},
		{"resolve a/b.txt --keep deletion", "resolve a/b.txt deletion", "settled: a/b.txt\n"},
		{"resolve a/b.txt --keep that", "resolve a/b.txt that", "settled: a/b.txt\n"},
		{"resolve docs/b.txt --keep both", "resolve " + b.dir + "/docs/b.txt both", "settled: docs/b.txt\n"},
		{"resolve /abs/../x --keep this", "resolve /x this", "settled: /abs/../x\n"},
		{"restore a.txt --at 18:00 --to docs/b.txt", "restore a.txt at 2026-11-20T18:00:00Z to \"" + b.dir + "/docs/b.txt\"", "restored 2 files (2.0 kB) at a.txt\n"},
		{"restore a.txt --at 2026-11-01", `restore a.txt at 2026-11-01T00:00:00Z to ""`, "restored 2 files (2.0 kB) at a.txt\n"},
		{"history", `history "" false`, "nothing is kept\n"},
		{"history docs --deleted", `history "` + b.dir + `/docs" true`, "nothing is kept\n"},
		{"activity -n 7", "activity after 0 limit 7", "nothing has changed yet\n"},
		{"conflicts", "conflicts", "no conflicts\n"},
		{"config", "config", "# /h/config.toml\nname = 'laptop'\n"},
		{"doctor", `doctor "" false`, "all is well\n"},
		{"doctor docs --deep", `doctor "docs" true`, "all is well\n"},
	} {
		t.Run(c.line, func(t *testing.T) {
			got := b.run(strings.Fields(c.line)...)
			if got.code != 0 || got.out != c.says || got.err != "" {
				t.Errorf("%+v\nwant %q", got, c.says)
			}
			b.askedFor(c.asks)
		})
	}
}

// The JSON forms are documented; empty lists are [] and not null.
func TestJSON(t *testing.T) {
	b := newBench(t, status.State{})
	for _, line := range []string{"device list", "folder list", "folder offers", "conflicts", "history", "activity", "doctor"} {
		if got := b.run(append(strings.Fields(line), "--json")...); got.out != "[]\n" || got.code != 0 {
			t.Errorf("%s --json of nothing: %+v", line, got)
		}
	}
	b.fake.board.Post(twoFolders("/data"))
	b.fake.conflicts = []control.Conflict{{Folder: "docs", Path: "a", Kind: control.EditEdit, Copy: "a (conflict)", This: &control.Side{Device: "x", Size: 1, MTime: noon()}, That: control.Side{Device: "y", MTime: noon()}, Differ: &control.Differ{This: 1, That: 2}}}
	b.fake.kept = []control.Kept{{Folder: "docs", Path: "a", Time: noon(), Reason: "deleted", Device: "pi1", MTime: noon().Add(-24 * time.Hour), KeptBy: []string{"pi1", "pi2"}}}
	for _, c := range []struct{ line, want string }{
		{"invite", `{"link":"pinion://join/abc","expires":"2026-11-21T12:15:00Z"}`},
		{"folder offers", `[{"id":"03000000000000000000000000000000","name":"music","from":"pi1"}]`},
		{"conflicts", `[{"folder":"docs","path":"a","copy":"a (conflict)","this":{"device":"x","size":1,"mtime":"2026-11-21T12:00:00Z"},"that":{"device":"y","size":0,"mtime":"2026-11-21T12:00:00Z"},"base":"","kind":"edit/edit","base_here":false,"this_content":"","that_content":"","differ":{"this":1,"that":2}}]`},
		{"history", `[{"folder":"docs","path":"a","time":"2026-11-21T12:00:00Z","size":0,"device":"pi1","reason":"deleted","content":"","mtime":"2026-11-20T12:00:00Z","kept_by":["pi1","pi2"]}]`},
		{"restore a", `{"files":2,"bytes":2048,"path":"a"}`},
		{"config", `{"home":"/h","file":"/h/config.toml","text":"name = 'laptop'\n"}`},
		{"pause", ""},
	} {
		got := b.run(append(strings.Fields(c.line), "--json")...)
		if strings.TrimSpace(got.out) != c.want || got.code != 0 {
			t.Errorf("%s --json: %+v\nwant %s", c.line, got, c.want)
		}
	}
	var s map[string]any
	if err := json.Unmarshal([]byte(b.run("status", "--json").out), &s); err != nil {
		t.Fatal(err)
	}
	folder := s["folders"].([]any)[0].(map[string]any)
	for _, key := range []string{"id", "name", "path", "mode", "state", "files", "bytes", "need", "progress", "conflicts", "problems", "peers"} {
		if folder[key] == nil {
			t.Errorf("status --json has no folders[].%s", key)
		}
	}
	for _, key := range []string{"device", "paused", "folders", "devices"} {
		if s[key] == nil {
			t.Errorf("status --json has no %s", key)
		}
	}
}

func TestErrorsHaveCodesAndSentences(t *testing.T) {
	b := newBench(t, status.State{})
	for _, c := range []struct {
		err  error
		code int
		says string
	}{
		{&control.Error{Kind: control.KindUsage, Text: "no such mode"}, 2, "no such mode\n"},
		{&control.Error{Kind: control.KindNotFound, Text: "no folder \"a\x1b[2Jb\""}, 1, `no folder "a\x1b[2Jb"` + "\n"},
		{&control.Error{Kind: control.KindTimeout, Text: "too late"}, 4, "too late\n"},
		{errors.Join(errors.New("one"), errors.New("two")), 1, "one; two\n"},
	} {
		b.fake.err = c.err
		if got := b.run("scan"); got.code != c.code || got.err != c.says || got.out != "" {
			t.Errorf("%v: %+v", c.err, got)
		}
	}
	b.home = t.TempDir()
	if got := b.run("status"); got.code != 3 || got.err != "no engine is running for "+b.home+"; start one with: pinion --daemon --home "+b.home+"\n" {
		t.Errorf("no engine: %+v", got)
	}
	b.home = filepath.Join(b.home, "not", "there")
	if got := b.run("status"); got.code != 3 || !strings.HasPrefix(got.err, "no engine is running for ") {
		t.Errorf("no home: %+v", got)
	}
}

func TestInvite(t *testing.T) {
	b := newBench(t, status.State{})
	got := b.run("invite")
	if got.out != aLink+"\n" || got.err != "valid 15 minutes (until 12:15), one use\n" {
		t.Errorf("for a script: %+v", got)
	}
	got = b.run("invite", "--qr")
	if !strings.HasPrefix(got.out, aLink+"\n") || !strings.Contains(got.out, "▀") || !strings.Contains(got.out, "valid 15 minutes") {
		t.Errorf("with a code: %+v", got)
	}
}

func TestDoctorFailsWithAProblem(t *testing.T) {
	b := newBench(t, status.State{})
	b.fake.findings = []control.Finding{{Level: "problem", Text: "the disk is full"}}
	if got := b.run("doctor"); got.code != 1 || !strings.Contains(got.out, "the disk is full") {
		t.Errorf("%+v", got)
	}
}

func TestActivityFollows(t *testing.T) {
	b := newBench(t, status.State{})
	item := func(id uint64, path string) control.Activity {
		return control.Activity{ID: id, Time: noon(), Folder: "docs", Path: path, Action: "added", Device: "pi1"}
	}
	b.fake.pages = []control.ActivityPage{
		{Items: []control.Activity{item(1, "a")}, Next: 1},
		{Items: []control.Activity{item(2, "b"), item(3, "c\n")}, Next: 3},
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	go func() {
		for { // the third request says that all of two pages was printed
			b.fake.mu.Lock()
			n := len(b.fake.asked)
			b.fake.mu.Unlock()
			if n >= 3 || ctx.Err() != nil {
				cancel()
				return
			}
			time.Sleep(time.Millisecond)
		}
	}()
	got := b.runCtx(ctx, "activity", "--follow")
	want := "2026-11-21 12:00:00  added     pi1  docs: a\n2026-11-21 12:00:00  added     pi1  docs: b\n2026-11-21 12:00:00  added     pi1  docs: c\\n\n"
	if got.code != 0 || got.out != want {
		t.Errorf("%+v", got)
	}
	b.fake.mu.Lock()
	defer b.fake.mu.Unlock()
	if b.fake.asked[1] != "activity after 1 limit 1000" || b.fake.asked[2] != "activity after 3 limit 1000" {
		t.Errorf("asked: %q", b.fake.asked)
	}
}

func TestPlaceIn(t *testing.T) {
	base := t.TempDir()
	docs := filepath.Join(base, "docs")
	if err := os.MkdirAll(filepath.Join(docs, "letters"), 0o755); err != nil {
		t.Fatal(err)
	}
	for _, f := range []string{"letters/a.txt", "b.txt"} {
		if err := os.WriteFile(filepath.Join(docs, f), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(docs, filepath.Join(base, "link")); err != nil {
		t.Skipf("no symlinks here: %v", err)
	}
	for _, c := range []struct{ dir, given, want string }{
		{base, "x.txt", "x.txt"},
		{base, "docs/b.txt", docs + "/b.txt"},
		{docs, "b.txt", docs + "/b.txt"},
		{docs, "gone.txt", docs + "/gone.txt"},
		{docs + "/letters", "a.txt", docs + "/letters/a.txt"},
		{docs + "/letters", "letters/a.txt", "letters/a.txt"},
		{docs + "/letters", "../b.txt", docs + "/b.txt"},
		{docs, "../other", "../other"},
		{base + "/link", "b.txt", docs + "/b.txt"},
	} {
		if got := placeIn([]string{docs}, c.dir, c.given); got != c.want {
			t.Errorf("in %s %s is %s instead of %s", c.dir, c.given, got, c.want)
		}
	}
}

func TestMoments(t *testing.T) {
	for _, c := range []struct {
		text  string
		ahead bool
		want  string
	}{
		{"18:00", true, "2026-11-21T18:00:00Z"},
		{"12:00", true, "2026-11-22T12:00:00Z"},
		{"18:00", false, "2026-11-20T18:00:00Z"},
		{"12:00", false, "2026-11-21T12:00:00Z"},
		{"2026-11-01", false, "2026-11-01T00:00:00Z"},
		{"2026-11-01 09:30", false, "2026-11-01T09:30:00Z"},
		{"2026-11-01T09:30:00+02:00", false, "2026-11-01T07:30:00Z"},
		{"soon", true, ""},
		{"24:00", true, ""},
	} {
		got, err := parseMoment(c.text, noon(), c.ahead)
		if (err != nil) != (c.want == "") || err == nil && got.UTC().Format(time.RFC3339) != c.want {
			t.Errorf("%q: %v, %v", c.text, got, err)
		}
	}
	for text, want := range map[string]time.Duration{
		"2h": 2 * time.Hour, "1d": 24 * time.Hour, "1d12h": 36 * time.Hour, "90s": 90 * time.Second,
		"": 0, "0s": 0, "-1h": 0, "d": 0, "1w": 0, "99999d": 0, "5": 0,
	} {
		if got, err := parseSpan(text); got != want && err == nil || (err != nil) != (want == 0) {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}
