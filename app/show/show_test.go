package show

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s is not as before (go test ./app/show -update makes it so):\n%s\nwant:\n%s", name, got, want)
	}
}

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

func at(d time.Duration) *time.Time {
	t := noon().Add(d)
	return &t
}

func options(width int) Options { return Options{Width: width, Now: noon(), Home: "/home/pat"} }

// busy is a state with everything in it that can be drawn.
func busy() status.State {
	return status.State{
		Version: 7,
		Device:  status.Self{ID: tree.DeviceID{1}, Name: "laptop", Version: "0.1.0", Listen: "[::]:27464"},
		Paused:  status.Pause{State: "running"},
		Folders: []status.Folder{
			{
				Name: "docs", Path: "/home/pat/Documents", Mode: "two-way", State: status.Synced, Files: 12345, Bytes: 3_400_000_000,
				Conflicts: 1,
				Problems: []status.Problem{
					{Path: "a:b.txt", Error: "a name with \":\" cannot live on this disk; rename it"},
					{Path: "evil\x1b[2J\nname", Error: "x"}, {Path: "c", Error: "x"}, {Path: "d", Error: "x"}, {Path: "e", Error: "x"},
					{Path: "f", Error: "x"}, {Path: "g", Error: "x"},
				},
				Peers: []status.FolderPeer{
					{Device: "pi1", Connected: true, UpToDate: true},
					{Device: "pi2", Connected: true, NeedFiles: 12, NeedBytes: 3_400_000},
					{Device: "pi3"},
				},
			},
			{
				Name: "photos", Path: "/data/a/very/long/way/down/to/the/place/where/all/of/the/photos/are", Mode: "receive", State: status.Syncing,
				Files: 100, Bytes: 1_200_000_000, Need: status.Need{Files: 50, Bytes: 1_800_000_000},
				Progress: status.Progress{BytesDone: 1_200_000_000, BytesTotal: 3_000_000_000, Rate: 12_000_000, ETA: 150},
			},
			{
				Name: "music", Path: "/data/music", State: status.Held, Files: 10, Bytes: 10,
				Reason: "300 files are missing here, a large part of the folder; if they were deleted on purpose: pinion confirm music",
			},
		},
		Devices: []status.Device{
			{Name: "pi1", Connected: true, Address: "192.168.1.4:27464", RTT: 1.24},
			{Name: "pi\u202e2", LastSeen: at(-3 * time.Hour), Error: "sent a message that is too long"},
		},
		Offers: []status.Offer{{Name: "Grandma's films", From: "pi1"}},
		Notes:  []string{"the UDP buffer is small; sysctl net.core.rmem_max=7500000 makes it faster"},
	}
}

func TestStatus(t *testing.T) {
	golden(t, "status-100", Status(busy(), options(100)))
	golden(t, "status-40", Status(busy(), options(40)))
	o := options(80)
	o.Color = true
	golden(t, "status-color", Status(busy(), o))
	golden(t, "status-empty", Status(status.State{Device: busy().Device, Paused: status.Pause{State: "paused", Until: at(6 * time.Hour)}}, options(80)))
}

func TestLists(t *testing.T) {
	s := busy()
	golden(t, "folders", Folders(s, options(80)))
	golden(t, "devices", Devices(s, options(80)))
	golden(t, "offers", Offers(s, options(80)))
	golden(t, "conflicts", Conflicts([]control.Conflict{
		{
			Folder: "docs", Path: "plan.txt", Kind: control.EditEdit, Copy: "plan (conflict pi1 2026-11-21 1103 1a2b).txt", Differ: &control.Differ{This: 1, That: 12},
			This: &control.Side{Device: "laptop", Size: 1200, MTime: *at(-time.Hour)}, That: control.Side{Device: "pi1", Size: 90, MTime: *at(-48 * time.Hour)},
		},
		{Folder: "docs", Path: "gone", Kind: control.EditEdit, Copy: "gone (conflict pi1 2026-11-21 1103 1a2b)", That: control.Side{Device: "pi1", MTime: *at(-24 * time.Hour)}},
		{
			Folder: "docs", Path: "list", Kind: control.EditDelete, Copy: "list",
			This: &control.Side{Device: "laptop", Size: 1200, MTime: *at(-time.Hour)}, That: control.Side{Device: "pi1", MTime: *at(-400 * 24 * time.Hour)},
		},
	}, options(80)))
	golden(t, "tried", Tried(control.Tried{}, options(80))+Tried(control.Tried{
		Out:   []control.TriedPath{{Path: "build", Dir: true, Files: 1240, Bytes: 85_000_000}, {Path: "notes/a\x1b[31m.tmp", Files: 1, Bytes: 12}},
		Files: 1300, Bytes: 86_000_000, Next: "notes/a",
		Back: []control.TriedPath{{Path: "old.bak", Files: 1, Bytes: 5}}, BackSum: control.Sum{Files: 1, Bytes: 5, More: true},
		Problems: []control.IgnoreLine{{Line: 3, Text: "no[", Why: "names nothing"}},
	}, options(80)))
	live := control.Kept{Folder: "docs", Path: "tab\there", Time: noon(), MTime: *at(-time.Hour), Size: 7, Device: "laptop", Reason: control.ReasonLive, KeptBy: []string{"laptop"}}
	kept := control.Kept{Folder: "docs", Path: "tab\there", Time: noon(), MTime: *at(-48 * time.Hour), Size: 5, Device: "laptop", Reason: "replaced", KeptBy: []string{"pi1", "pi2"}, Expires: at(720 * time.Hour)}
	other := control.Kept{Folder: "docs", Path: "sub/gone.txt", Time: noon(), MTime: noon(), Size: 50_000, Device: "laptop", Reason: "deleted", KeptBy: []string{"pi1"}}
	golden(t, "history", History([]control.Kept{live, kept}, options(100))+History([]control.Kept{kept, other}, options(100)))
	golden(t, "restored", Restored(control.Restored{Files: 1, Bytes: 5, Path: "a"})+Restored(control.Restored{Files: 1200, Bytes: 5_000_000, Dirs: 2, Path: "docs", Absent: 3}))
	golden(t, "doctor", Findings([]control.Finding{{Level: "ok", Text: "fine"}, {Level: "problem", Folder: "docs", Text: "watching is limited; raise fs.inotify.max_user_watches to 524288 with sysctl"}}, options(50)))
}

func TestLines(t *testing.T) {
	var all strings.Builder
	for _, w := range []int{120, 80, 50, 30, 15} {
		all.WriteString(Lines(busy(), options(w)) + "\n")
	}
	scanning := busy()
	scanning.Folders = scanning.Folders[:1]
	scanning.Folders[0].State = status.Scanning
	scanning.Folders[0].Progress.Scanned = 4711
	all.WriteString(Lines(scanning, options(80)))
	sending := busy()
	sending.Folders = sending.Folders[:1]
	sending.Folders[0].State = status.Syncing
	all.WriteString(Lines(sending, options(80)))
	golden(t, "lines", all.String())
}

// Whatever peers call their files and devices, nothing reaches the terminal that
// it would act on, and no line is wider than it.
func TestNothingHarmfulAndNothingWide(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.OneOf(rapid.String(), rapid.SampledFrom([]string{"\x1b]0;x\a", "a\nb", "\u202eabc", "日本語日本語日本語", "\xff\xfe", "\u009b31m"}))
		num := rapid.Int64Range(0, 1<<50)
		s := busy()
		f := &s.Folders[1]
		f.Name, f.Path, f.Reason = text.Draw(t, "name"), text.Draw(t, "path"), text.Draw(t, "reason")
		f.State = rapid.SampledFrom([]string{status.Synced, status.Scanning, status.Syncing, status.Paused, status.Held, status.Missing, status.Error}).Draw(t, "state")
		f.Files, f.Bytes = num.Draw(t, "files"), num.Draw(t, "bytes")
		f.Progress = status.Progress{BytesDone: num.Draw(t, "done"), BytesTotal: num.Draw(t, "total"), Rate: num.Draw(t, "rate"), ETA: num.Draw(t, "eta") - 1, Scanned: num.Draw(t, "scanned")}
		f.Peers = []status.FolderPeer{{Device: text.Draw(t, "peer"), Connected: true, NeedFiles: num.Draw(t, "need"), NeedBytes: num.Draw(t, "needbytes")}}
		f.Problems = []status.Problem{{Path: text.Draw(t, "problem"), Error: text.Draw(t, "why")}}
		s.Device.Name, s.Devices[0].Name, s.Devices[1].Error = text.Draw(t, "self"), text.Draw(t, "device"), text.Draw(t, "error")
		s.Offers[0].Name, s.Notes[0] = text.Draw(t, "offer"), text.Draw(t, "note")
		o := options(rapid.IntRange(30, 120).Draw(t, "width"))
		for _, picture := range []string{Status(s, o), Lines(s, o), Folders(s, o), Devices(s, o), Offers(s, o)} {
			for line := range strings.Lines(picture) {
				line = strings.TrimSuffix(line, "\n")
				if strings.ContainsFunc(line, harmful) {
					t.Fatalf("harmful: %q", line)
				}
				if cells(line) > o.Width {
					t.Fatalf("%d cells wide instead of %d: %q", cells(line), o.Width, line)
				}
			}
		}
	})
}

func TestWords(t *testing.T) {
	for _, c := range []struct{ got, want string }{
		{Clean("plain ümläut 日本 👩‍👧"), "plain ümläut 日本 👩‍👧"},
		{Clean("a\x1b[31m\n\r\t\x7f\u0085\u202e\xff"), `a\x1b[31m\n\r\t\x7f\x85\u202e\xff`},
		{Left(-time.Second), "0s"},
		{Left(59 * time.Second), "59s"},
		{Left(130 * time.Second), "2m 10s"},
		{Left(2*time.Hour + 5*time.Minute), "2h 5m"},
		{Left(50 * time.Hour), "2d 2h"},
		{Count(1, "file"), "1 file"},
		{Count(12345, "file"), "12,345 files"},
		{Size(1_500_000), "1.5 MB"},
		{Size(-1), "0 B"},
		{Bar(0, 4), "░░░░"},
		{Bar(0.5, 4), "██░░"},
		{Bar(0.54, 4), "██▏░"},
		{Bar(1, 4), "████"},
		{Bar(7, 4), "████"},
		{Bar(1, 0), ""},
		{cut("日本語", 4), "日…"},
		{cutPath("/home/pat/some/where/deep", 12), "/ho…ere/deep"},
		{Moment(noon(), noon()), "12:00"},
		{Moment(noon().AddDate(0, 0, 1), noon()), "2026-11-22 12:00"},
		{Ago(noon(), noon()), "just now"},
		{Ago(*at(-90 * time.Minute), noon()), "1 hour ago"},
		{shellWord("docs"), "docs"},
		{shellWord("it's"), `'it'\''s'`},
	} {
		if c.got != c.want {
			t.Errorf("%q instead of %q", c.got, c.want)
		}
	}
}

func TestPainter(t *testing.T) {
	var b bytes.Buffer
	p := &Painter{W: &b, Size: func() (int, int) { return 20, 4 }}
	step := func(what, want string, do func()) {
		t.Helper()
		b.Reset()
		do()
		if b.String() != want {
			t.Errorf("%s: %q instead of %q", what, b.String(), want)
		}
	}
	step("first", "\x1b[?25la\x1b[K\nb\x1b[K\n\x1b[J", func() { _ = p.Paint("a\nb\n") })
	step("the same", "", func() { _ = p.Paint("a\nb\n") })
	step("other", "\r\x1b[2Ac\x1b[K\n\x1b[J", func() { _ = p.Paint("c\n") })
	step("too high", "\r\x1b[1A1\x1b[K\n2\x1b[K\n… 3 more lines\x1b[K\n\x1b[J", func() { _ = p.Paint("1\n2\n3\n4\n5\n") })
	step("wiped", "\r\x1b[3A\x1b[J", p.Wipe)
	step("closed", "\x1b[?25h", p.Close)
	step("closed twice", "", p.Close)
}
