package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/platform/localsock"
)

// fake is an engine that answers what it was given and writes down what it was
// asked.
type fake struct {
	board status.Board

	mu        sync.Mutex
	asked     []string
	err       error
	conflicts []control.Conflict
	kept      []control.Kept
	notes     []string
	pages     []control.ActivityPage
	findings  []control.Finding
	ignores   control.Ignores
	tried     control.Tried
	settings  control.Settings
}

func (f *fake) note(format string, args ...any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.asked = append(f.asked, fmt.Sprintf(format, args...))
	return f.err
}

func (f *fake) Status(ctx context.Context, after uint64) (status.State, error) {
	if after == 0 {
		return f.board.Now(), nil
	}
	return f.board.After(ctx, after)
}

func (f *fake) Invite(context.Context) (control.Invitation, error) {
	return control.Invitation{Link: aLink, Expires: noon().Add(15 * time.Minute)}, f.note("invite")
}

func (f *fake) Join(_ context.Context, r control.JoinRequest) (control.Joined, error) {
	return control.Joined{Device: tree.DeviceID{1}, Name: "pi1"}, f.note("join %s at %q", r.Link, r.Address)
}
func (f *fake) RemoveDevice(_ context.Context, d string) error { return f.note("remove device %s", d) }
func (f *fake) RenameDevice(_ context.Context, d, n string) error {
	return f.note("rename %s %s", d, n)
}
func (f *fake) SetDevice(_ context.Context, d string, s control.DeviceSettings) error {
	return f.note("set %s %q", d, *s.Addresses)
}

func (f *fake) AddFolder(_ context.Context, r control.AddFolder) (status.Folder, error) {
	return status.Folder{Name: "docs", Path: r.Path}, f.note("add %+v", r)
}

func (f *fake) Accept(_ context.Context, r control.Accept) (status.Folder, error) {
	return status.Folder{Name: r.Folder, Path: r.Path}, f.note("accept %+v", r)
}
func (f *fake) RemoveFolder(_ context.Context, n string) error { return f.note("remove folder %s", n) }
func (f *fake) SetFolder(_ context.Context, n string, s control.FolderSettings) error {
	text := "set folder " + n
	if s.Name != nil {
		text += " name " + *s.Name
	}
	if s.Mode != nil {
		text += " mode " + *s.Mode
	}
	if s.ScanEvery != nil {
		text += " every " + s.ScanEvery.String()
	}
	if s.Merge != nil {
		text += " merge " + *s.Merge
	}
	if s.Attributes != nil {
		text += fmt.Sprintf(" attributes %v", *s.Attributes)
	}
	if s.Owner != nil {
		text += fmt.Sprintf(" owner %v", *s.Owner)
	}
	return f.note("%s", text)
}

func (f *fake) FolderConfig(_ context.Context, n string) (control.FolderConfig, error) {
	return control.FolderConfig{Name: n}, f.note("folder config %s", n)
}
func (f *fake) LookAt(_ context.Context, path string) (control.Spot, error) {
	return control.Spot{Path: path}, f.note("look at %s", path)
}
func (f *fake) Decline(_ context.Context, r control.Decline) error {
	return f.note("decline %s %v", r.Folder, r.Undo)
}
func (f *fake) Ignores(_ context.Context, n string) (control.Ignores, error) {
	return f.ignores, f.note("ignores %s", n)
}
func (f *fake) SetIgnores(_ context.Context, r control.SetIgnores) (control.Ignores, error) {
	return control.Ignores{Text: r.Text}, f.note("set ignores %s %q", r.Folder, r.Text)
}
func (f *fake) TryIgnores(_ context.Context, r control.TryIgnores) (control.Tried, error) {
	return f.tried, f.note("try ignores %s %q after %q limit %d", r.Folder, r.Text, r.After, r.Limit)
}

func (f *fake) Settings(context.Context) (control.Settings, error) {
	return f.settings, f.note("settings")
}
func (f *fake) SetSettings(_ context.Context, c control.SettingsChange) (control.Settings, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return control.Settings{}, err
	}
	return f.settings, f.note("set settings %s", text)
}

func (f *fake) Pause(_ context.Context, r control.PauseRequest) error {
	until := ""
	if r.Until != nil {
		until = r.Until.UTC().Format(time.RFC3339)
	}
	return f.note("pause folder=%q device=%q for=%v until=%s", r.Folder, r.Device, r.For, until)
}

func (f *fake) Resume(_ context.Context, r control.PauseRequest) error {
	return f.note("resume folder=%q device=%q", r.Folder, r.Device)
}
func (f *fake) Scan(_ context.Context, n string) error    { return f.note("scan %q", n) }
func (f *fake) Confirm(_ context.Context, n string) error { return f.note("confirm %q", n) }
func (f *fake) Conflicts(context.Context) ([]control.Conflict, error) {
	return f.conflicts, f.note("conflicts")
}

func (f *fake) ListConflicts(context.Context, control.ConflictsRequest) (control.ConflictsPage, error) {
	return control.ConflictsPage{Conflicts: f.conflicts}, f.note("list conflicts")
}

func (f *fake) Content(_ context.Context, r control.ContentRequest) (control.Content, error) {
	return control.Content{}, f.note("content %+v", r)
}
func (f *fake) Undo(_ context.Context, r control.Undo) error { return f.note("undo %s", r.Keep) }

func (f *fake) Resolve(_ context.Context, r control.Resolve) error {
	return f.note("resolve %s %s", r.Path, r.Keep)
}

func (f *fake) History(_ context.Context, r control.HistoryRequest) (control.History, error) {
	return control.History{Versions: f.kept, Notes: f.notes}, f.note("history %q %v", r.Path, r.Deleted)
}

func (f *fake) Restore(_ context.Context, r control.Restore) (control.Restored, error) {
	at := "newest"
	if r.At != nil {
		at = r.At.UTC().Format(time.RFC3339)
	}
	return control.Restored{Files: 2, Bytes: 2048, Path: r.Path, Notes: f.notes}, f.note("restore %s at %s to %q", r.Path, at, r.To)
}

func (f *fake) Activity(ctx context.Context, r control.ActivityRequest) (control.ActivityPage, error) {
	err := f.note("activity after %d limit %d", r.After, r.Limit)
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pages) == 0 {
		return control.ActivityPage{Next: r.After}, err
	}
	p := f.pages[0]
	f.pages = f.pages[1:]
	return p, err
}

func (f *fake) Browse(_ context.Context, r control.BrowseRequest) (control.BrowsePage, error) {
	return control.BrowsePage{}, f.note("browse %s %q", r.Folder, r.Dir)
}
func (f *fake) Moments(_ context.Context, r control.MomentsRequest) (control.Moments, error) {
	return control.Moments{}, f.note("moments %s", r.Folder)
}
func (f *fake) RestoreProgress(_ context.Context, ticket string) (control.RestoreProgress, error) {
	return control.RestoreProgress{}, f.note("restore progress %s", ticket)
}
func (f *fake) UndoRestore(_ context.Context, undo string) (control.Restored, error) {
	return control.Restored{}, f.note("undo restore %s", undo)
}

func (f *fake) Doctor(_ context.Context, r control.DoctorRequest) ([]control.Finding, error) {
	return f.findings, f.note("doctor %q %v", r.Folder, r.Deep)
}

func (f *fake) Config(context.Context) (control.Config, error) {
	return control.Config{Home: "/h", File: "/h/config.toml", Text: "name = 'laptop'\n"}, f.note("config")
}

const aLink = "pinion://join/abc"

func noon() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC) }

// bench runs commands against a fake engine that is served on a socket.
type bench struct {
	t    *testing.T
	fake *fake
	home string
	dir  string // where the person is
}

func newBench(t *testing.T, s status.State) *bench {
	t.Helper()
	b := &bench{t: t, fake: &fake{}, home: t.TempDir(), dir: t.TempDir()}
	b.fake.board.Post(s)
	l, err := localsock.Listen(filepath.Join(b.home, controlSocket))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- control.Serve(ctx, l, b.fake) }()
	t.Cleanup(func() {
		cancel()
		if err := <-over; err != nil {
			t.Error(err)
		}
	})
	return b
}

type outcome struct {
	out, err string
	code     int
}

func (b *bench) run(args ...string) outcome { return b.runCtx(b.t.Context(), args...) }

func (b *bench) runCtx(ctx context.Context, args ...string) outcome {
	var out, errs bytes.Buffer
	return b.runOn(ctx, stdio{in: strings.NewReader(""), out: &out, err: &errs, size: func() (int, int) { return 80, 24 }}, &out, &errs, args)
}

// runOn runs a command whose output goes to s; out and errs are s's, too.
func (b *bench) runOn(ctx context.Context, s stdio, out, errs fmt.Stringer, args []string) outcome {
	env := environment{
		get: func(name string) string { return map[string]string{"PINION_HOME": b.home}[name] },
		dir: func() (string, error) { return b.dir, nil },
		now: noon,
		exe: func() (string, error) { return "/nowhere", nil },
	}
	err := run(ctx, args, s, env)
	text := errs.String()
	if err != nil {
		text += sentence(err) + "\n"
	}
	return outcome{out.String(), text, exitCode(err)}
}

// askedFor says that the engine was asked for this, last.
func (b *bench) askedFor(want string) {
	b.t.Helper()
	b.fake.mu.Lock()
	defer b.fake.mu.Unlock()
	got := "nothing"
	if n := len(b.fake.asked); n > 0 {
		got = b.fake.asked[n-1]
	}
	if got != want {
		b.t.Errorf("asked for %q instead of %q", got, want)
	}
}

// lines is a writer that also hands each write on.
type lines struct {
	bytes.Buffer
	to chan string
}

func newLines() (chan string, *lines) {
	ch := make(chan string, 100)
	return ch, &lines{to: ch}
}

func (l *lines) Write(b []byte) (int, error) {
	l.to <- string(b)
	return l.Buffer.Write(b)
}
