package control_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// fake is an Engine that writes down what it is asked and answers what it is told
// to.
type fake struct {
	asked string
	err   error
	board status.Board
}

func (f *fake) ask(format string, args ...any) error {
	f.asked = fmt.Sprintf(format, args...)
	return f.err
}

var (
	moment = time.Date(2026, 11, 21, 14, 3, 0, 0, time.UTC)
	device = tree.DeviceID{1, 2, 3}
	folder = status.Folder{ID: tree.FolderID{9}, Name: "docs", Path: "/home/pat/docs", State: status.Synced, Problems: []status.Problem{}, Peers: []status.FolderPeer{}}
)

func (f *fake) Status(ctx context.Context, after uint64) (status.State, error) {
	if err := f.ask("status %d", after); err != nil {
		return status.State{}, err
	}
	return f.board.After(ctx, after)
}
func (f *fake) Invite(context.Context) (control.Invitation, error) {
	return control.Invitation{Link: "pinion:link", Expires: moment}, f.ask("invite")
}
func (f *fake) Join(_ context.Context, r control.JoinRequest) (control.Joined, error) {
	return control.Joined{Device: device, Name: "pi"}, f.ask("join %+v", r)
}
func (f *fake) RemoveDevice(_ context.Context, d string) error { return f.ask("remove device %s", d) }
func (f *fake) RenameDevice(_ context.Context, d, name string) error {
	return f.ask("rename %s to %s", d, name)
}
func (f *fake) SetDevice(_ context.Context, d string, s control.DeviceSettings) error {
	var addresses []string
	if s.Addresses != nil {
		addresses = *s.Addresses
	}
	return f.ask("set device %s %v", d, addresses)
}
func (f *fake) AddFolder(_ context.Context, r control.AddFolder) (status.Folder, error) {
	return folder, f.ask("add %+v", r)
}
func (f *fake) Accept(_ context.Context, r control.Accept) (status.Folder, error) {
	return folder, f.ask("accept %+v", r)
}
func (f *fake) RemoveFolder(_ context.Context, name string) error {
	return f.ask("remove folder %s", name)
}
func (f *fake) SetFolder(_ context.Context, name string, s control.FolderSettings) error {
	if s.Mode == nil || s.ScanEvery == nil {
		return f.ask("set folder %s", name)
	}
	return f.ask("set folder %s %s %v %v", name, *s.Mode, *s.ScanEvery, s.Name)
}
func (f *fake) Pause(_ context.Context, r control.PauseRequest) error {
	return f.ask("pause %s %s %v %v", r.Folder, r.Device, r.For, r.Until)
}
func (f *fake) Resume(_ context.Context, r control.PauseRequest) error {
	return f.ask("resume %s %s", r.Folder, r.Device)
}
func (f *fake) Scan(_ context.Context, name string) error    { return f.ask("scan %s", name) }
func (f *fake) Confirm(_ context.Context, name string) error { return f.ask("confirm %s", name) }
func (f *fake) Conflicts(context.Context) ([]control.Conflict, error) {
	this := control.Side{Device: "laptop", Size: 1, MTime: moment}
	return []control.Conflict{{Folder: "docs", Path: "a", Copy: "a (conflict)", This: &this, Base: tree.ContentID{tree.HashBLAKE3, 7}}, {Path: "b"}}, f.ask("conflicts")
}
func (f *fake) Resolve(_ context.Context, r control.Resolve) error { return f.ask("resolve %+v", r) }
func (f *fake) ListConflicts(_ context.Context, r control.ConflictsRequest) (control.ConflictsPage, error) {
	return control.ConflictsPage{
		Conflicts: []control.Conflict{{Folder: "docs", Path: "a", ThisContent: tree.ContentID{tree.HashBLAKE3, 8}}}, Next: "x/ca",
		Folders: []control.ConflictsCount{{Folder: "docs", Count: 3}},
	}, f.ask("list conflicts %+v", r)
}
func (f *fake) Content(_ context.Context, r control.ContentRequest) (control.Content, error) {
	return control.Content{Data: []byte{0, 0xff}, Size: 7, Media: "image/png", From: "pi1"}, f.ask("content %+v", r)
}
func (f *fake) Undo(_ context.Context, r control.Undo) error {
	return f.ask("undo %s %s", r.Conflict.Copy, r.Keep)
}
func (f *fake) History(_ context.Context, r control.HistoryRequest) (control.History, error) {
	return control.History{
		Versions: []control.Kept{{Folder: "docs", Path: "a", Time: moment, Reason: "deleted", MTime: moment, KeptBy: []string{"pi1"}, Expires: &moment}},
		Notes:    []string{"pi2 is not connected"},
	}, f.ask("history %+v", r)
}
func (f *fake) Restore(_ context.Context, r control.Restore) (control.Restored, error) {
	return control.Restored{Files: 3, Path: "a"}, f.ask("restore %s %v %s", r.Path, r.At, r.To)
}
func (f *fake) Activity(_ context.Context, r control.ActivityRequest) (control.ActivityPage, error) {
	return control.ActivityPage{Items: []control.Activity{{ID: 5, Time: moment, Path: "a", Action: "added"}}, Next: 5}, f.ask("activity %+v", r)
}
func (f *fake) Doctor(context.Context, control.DoctorRequest) ([]control.Finding, error) {
	return []control.Finding{{Level: "ok", Text: "well"}}, f.ask("doctor")
}
func (f *fake) Config(context.Context) (control.Config, error) {
	return control.Config{Home: "/home", File: "config.toml", Text: "name = 'x'"}, f.ask("config")
}

// serve runs e behind a unix socket and gives a client of it.
func serve(t *testing.T, e control.Engine) *control.Client {
	t.Helper()
	file := filepath.Join(t.TempDir(), "sock")
	l, err := net.Listen("unix", file)
	if err != nil {
		t.Skipf("no unix sockets here: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan error, 1)
	go func() { over <- control.Serve(ctx, l, e) }()
	c := dial(file)
	t.Cleanup(func() {
		c.Close()
		cancel()
		if err := <-over; err != nil {
			t.Errorf("serve: %v", err)
		}
	})
	return c
}

func dial(file string) *control.Client {
	return control.Dial("/the/home", func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", file)
	})
}

// calls is every method with a request that fills all of its fields, what the
// engine is to see, and what is to come back.
func calls(c control.Engine) map[string]func(context.Context) (any, error) {
	type ctx = context.Context
	none := func(err error) (any, error) { return nil, err }
	addrs, mode, every := []string{"host:1", "host:2"}, "send", 2*time.Hour
	all := map[string]func(ctx) (any, error){
		"invite": func(x ctx) (any, error) { return c.Invite(x) },
		"join {Link:l Address:a:1}": func(x ctx) (any, error) {
			return c.Join(x, control.JoinRequest{Link: "l", Address: "a:1"})
		},
		"remove device pi":  func(x ctx) (any, error) { return none(c.RemoveDevice(x, "pi")) },
		"rename pi to pi 2": func(x ctx) (any, error) { return none(c.RenameDevice(x, "pi", "pi 2")) },
		"set device pi [host:1 host:2]": func(x ctx) (any, error) {
			return none(c.SetDevice(x, "pi", control.DeviceSettings{Addresses: &addrs}))
		},
		"add {Path:/p Name:n Mode:send State:home}": func(x ctx) (any, error) {
			return c.AddFolder(x, control.AddFolder{Path: "/p", Name: "n", Mode: "send", State: "home"})
		},
		"accept {Folder:f Path:/p Mode:receive State:disk}": func(x ctx) (any, error) {
			return c.Accept(x, control.Accept{Folder: "f", Path: "/p", Mode: "receive", State: "disk"})
		},
		"remove folder docs": func(x ctx) (any, error) { return none(c.RemoveFolder(x, "docs")) },
		"set folder docs send 2h0m0s <nil>": func(x ctx) (any, error) {
			return none(c.SetFolder(x, "docs", control.FolderSettings{Mode: &mode, ScanEvery: &every}))
		},
		"pause docs pi 1h0m0s 2026-11-21 14:03:00 +0000 UTC": func(x ctx) (any, error) {
			return none(c.Pause(x, control.PauseRequest{Folder: "docs", Device: "pi", For: time.Hour, Until: &moment}))
		},
		"resume docs pi": func(x ctx) (any, error) {
			return none(c.Resume(x, control.PauseRequest{Folder: "docs", Device: "pi"}))
		},
		"scan docs":    func(x ctx) (any, error) { return none(c.Scan(x, "docs")) },
		"confirm docs": func(x ctx) (any, error) { return none(c.Confirm(x, "docs")) },
		"conflicts":    func(x ctx) (any, error) { return c.Conflicts(x) },
		"resolve {Path:a Keep:both Text:[] If:<nil>}": func(x ctx) (any, error) {
			return none(c.Resolve(x, control.Resolve{Path: "a", Keep: "both"}))
		},
		"list conflicts {Folder:docs Path:a After:x/cb Limit:7}": func(x ctx) (any, error) {
			return c.ListConflicts(x, control.ConflictsRequest{Folder: "docs", Path: "a", After: "x/cb", Limit: 7})
		},
		"content {Folder:docs Path:a Content:" + tree.ContentID{}.String() + " Offset:5 Limit:6}": func(x ctx) (any, error) {
			return c.Content(x, control.ContentRequest{Folder: "docs", Path: "a", Offset: 5, Limit: 6})
		},
		"undo a (conflict) this": func(x ctx) (any, error) {
			return none(c.Undo(x, control.Undo{Conflict: control.Conflict{Copy: "a (conflict)"}, Keep: "this"}))
		},
		"history {Path:a Deleted:true}": func(x ctx) (any, error) {
			return c.History(x, control.HistoryRequest{Path: "a", Deleted: true})
		},
		"restore a 2026-11-21 14:03:00 +0000 UTC b": func(x ctx) (any, error) {
			return c.Restore(x, control.Restore{Path: "a", At: &moment, To: "b"})
		},
		"activity {After:7 Limit:3 Wait:1s Before:9 Folder:f Device:d Action:added Text:x}": func(x ctx) (any, error) {
			return c.Activity(x, control.ActivityRequest{After: 7, Limit: 3, Wait: time.Second, Before: 9, Folder: "f", Device: "d", Action: "added", Text: "x"})
		},
		"doctor": func(x ctx) (any, error) { return c.Doctor(x, control.DoctorRequest{Deep: true}) },
		"config": func(x ctx) (any, error) { return c.Config(x) },
	}
	for _, more := range []map[string]func(ctx) (any, error){
		placeCalls(c), settingsCalls(c), browseCalls(c),
	} {
		maps.Copy(all, more)
	}
	return all
}

func TestEveryRequestCrossesAsItIs(t *testing.T) {
	f := &fake{}
	across := calls(serve(t, f))
	for want, call := range across {
		got, err := call(t.Context())
		if err != nil {
			t.Errorf("%s: %v", want, err)
			continue
		}
		if f.asked != want {
			t.Errorf("the engine was asked %q, not %q", f.asked, want)
		}
		direct, _ := calls(f)[want](t.Context())
		if !reflect.DeepEqual(got, direct) {
			t.Errorf("%s came back as %+v, not %+v", want, got, direct)
		}
	}
	methods := reflect.TypeFor[control.Engine]().NumMethod()
	if len(across)+1 != methods { // Status has a test of its own
		t.Errorf("%d of %d methods are tried", len(across)+1, methods)
	}
}

func TestStatusWaitsForNews(t *testing.T) {
	f := &fake{}
	c := serve(t, f)
	f.board.Post(status.State{Device: status.Self{Name: "one", ID: device}, Folders: []status.Folder{folder}, Devices: []status.Device{}, Offers: []status.Offer{}})
	first, err := c.Status(t.Context(), 0)
	if err != nil || !reflect.DeepEqual(first, f.board.Now()) {
		t.Fatalf("the state came back as %+v (%v), not %+v", first, err, f.board.Now())
	}
	got := make(chan status.State)
	go func() {
		s, err := c.Status(context.WithoutCancel(t.Context()), first.Version)
		if err != nil {
			t.Error(err)
		}
		got <- s
	}()
	select {
	case s := <-got:
		t.Fatalf("answered without news: %+v", s)
	case <-time.After(50 * time.Millisecond):
	}
	f.board.Post(status.State{Device: status.Self{Name: "two"}})
	if s := <-got; s.Device.Name != "two" || s.Version <= first.Version {
		t.Errorf("the news is %+v", s)
	}
}

func TestWaitEndsWithTheAsker(t *testing.T) {
	f := &fake{}
	c := serve(t, f)
	f.board.Post(status.State{Device: status.Self{Name: "one"}})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Status(ctx, 1); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a wait that was given up ends with %v", err)
	}
}

// A request for news that waits in vain is answered with the state as it is, so
// that no connection lasts for ever.
func TestLongPollEndsByItself(t *testing.T) {
	f := &fake{}
	f.board.Post(status.State{Device: status.Self{Name: "one"}})
	h := httptest.NewServer(control.Handler(f))
	defer h.Close()
	resp, err := http.Post(h.URL+"/v1/status", "application/json", strings.NewReader(`{"after":1,"wait":20000000}`))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("answered %s", resp.Status)
	}
}

func TestKindsOfErrorsCross(t *testing.T) {
	f := &fake{}
	c := serve(t, f)
	for _, x := range []struct {
		err  error
		kind string
	}{
		{errors.New("the disk is full"), control.KindFailed},
		{&control.Error{Kind: control.KindUsage, Text: "not so"}, control.KindUsage},
		{fmt.Errorf("look: %w", &control.Error{Kind: control.KindNotFound, Text: "no such folder"}), control.KindNotFound},
		{fmt.Errorf("join: %w", context.DeadlineExceeded), control.KindTimeout},
	} {
		f.err = x.err
		err := c.Scan(t.Context(), "docs")
		var e *control.Error
		if !errors.As(err, &e) || e.Kind != x.kind {
			t.Errorf("%v came back as %#v", x.err, err)
			continue
		}
		var inner *control.Error
		want := x.err.Error()
		if errors.As(x.err, &inner) {
			want = inner.Text
		}
		if e.Error() != want {
			t.Errorf("%q came back as %q", want, e.Error())
		}
	}
}

func TestNoEngineIsNotRunning(t *testing.T) {
	c := dial(filepath.Join(t.TempDir(), "nobody"))
	defer c.Close()
	_, err := c.Status(t.Context(), 0)
	var e *control.Error
	if !errors.As(err, &e) || e.Kind != control.KindNotRunning || !strings.Contains(e.Text, "/the/home") || !strings.Contains(e.Text, "--daemon") {
		t.Errorf("without an engine: %#v", err)
	}
}

func TestEngineThatGoesAwayIsNotRunning(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sock")
	l, err := net.Listen("unix", file)
	if err != nil {
		t.Skipf("no unix sockets here: %v", err)
	}
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Close()
		}
	}()
	defer l.Close()
	c := dial(file)
	defer c.Close()
	var e *control.Error
	if _, err := c.Doctor(t.Context(), control.DoctorRequest{}); !errors.As(err, &e) || e.Kind != control.KindNotRunning {
		t.Errorf("when the engine goes away: %#v", err)
	}
}

func TestStrangeRequestsAreRefused(t *testing.T) {
	f := &fake{}
	h := control.Handler(f)
	post := func(method, path, body string) (int, string) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader(body)))
		return w.Code, w.Body.String()
	}
	for name, x := range map[string]struct {
		method, path, body string
		code               int
	}{
		"unknown field": {"POST", "/v1/scan", `{"name":"docs","deep":true}`, http.StatusBadRequest},
		"wrong type":    {"POST", "/v1/scan", `{"name":7}`, http.StatusBadRequest},
		"no JSON":       {"POST", "/v1/scan", `scan docs`, http.StatusBadRequest},
		"too long":      {"POST", "/v1/scan", `{"name":"` + strings.Repeat("x", 2<<20) + `"}`, http.StatusBadRequest},
		"unknown name":  {"POST", "/v1/explode", `{}`, http.StatusNotFound},
		"GET":           {"GET", "/v1/scan", ``, http.StatusMethodNotAllowed},
	} {
		f.asked = ""
		code, body := post(x.method, x.path, x.body)
		if code != x.code {
			t.Errorf("%s: %d, not %d: %s", name, code, x.code, body)
		}
		if f.asked != "" {
			t.Errorf("%s: the engine was asked %q all the same", name, f.asked)
		}
		if code == http.StatusBadRequest && !strings.Contains(body, `"kind":"usage"`) {
			t.Errorf("%s is answered with %s", name, body)
		}
	}
	if code, _ := post("POST", "/v1/scan", ``); code != http.StatusOK || f.asked != "scan " {
		t.Errorf("a request without a body: %d, asked %q", code, f.asked)
	}
}

// A client of a newer version that asks an older engine for something it does not
// know is told so in a sentence.
func TestUnknownRequestIsASentence(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sock")
	l, err := net.Listen("unix", file)
	if err != nil {
		t.Skipf("no unix sockets here: %v", err)
	}
	s := &http.Server{Handler: http.NotFoundHandler()}
	go func() { _ = s.Serve(l) }()
	defer s.Close()
	c := dial(file)
	defer c.Close()
	if err := c.Scan(t.Context(), ""); err == nil || !strings.Contains(err.Error(), "same version") {
		t.Errorf("an engine that does not know the request: %v", err)
	}
}

// A text is bytes: nothing in it is changed on its way, an empty one is not none,
// and it may be larger than other requests.
func TestATextCrossesAsItIs(t *testing.T) {
	got := &texts{}
	c := serve(t, got)
	for _, text := range [][]byte{nil, {}, {0xff, 0, '\n'}, bytes.Repeat([]byte{0xe9}, control.MaxText)} {
		err := c.Resolve(t.Context(), control.Resolve{Path: "a", Keep: "merge", Text: text, If: &control.Seen{}})
		if err != nil || !bytes.Equal(got.last.Text, text) || (got.last.Text == nil) != (text == nil) || got.last.If == nil {
			t.Errorf("%d bytes: %v, came as %d", len(text), err, len(got.last.Text))
		}
	}
	if err := c.Resolve(t.Context(), control.Resolve{Path: "a", Keep: "merge", Text: make([]byte, control.MaxText+2<<20)}); err == nil {
		t.Error("a text without bound was taken")
	}
}

type texts struct {
	fake
	last control.Resolve
}

func (f *texts) Resolve(_ context.Context, r control.Resolve) error { f.last = r; return nil }
