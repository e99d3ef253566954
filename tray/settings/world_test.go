package settings

import (
	"context"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"fyne.io/fyne/v2"

	"pinion/engine/control"
	"pinion/engine/policy"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/traytest"
)

// engine answers what it was told to, and takes settings as a real one does.
type engine struct {
	traytest.Engine
	err      error
	settings control.Settings
	folder   control.FolderConfig
	ignores  control.Ignores
	tried    []control.Tried // pages
	findings []control.Finding
}

func (e *engine) Settings(context.Context) (control.Settings, error) { return e.settings, nil }

func (e *engine) SetSettings(_ context.Context, c control.SettingsChange) (control.Settings, error) {
	if e.err != nil {
		return control.Settings{}, e.err
	}
	s := &e.settings
	switch {
	case c.Name != nil:
		e.Note("name %s", *c.Name)
		s.Name = *c.Name
	case c.Up != nil:
		e.Note("up %d", *c.Up)
		s.Limits.Up = *c.Up
	case c.Down != nil:
		e.Note("down %d", *c.Down)
		s.Limits.Down = *c.Down
	case c.FreeLAN != nil:
		e.Note("free lan %v", *c.FreeLAN)
		s.Limits.FreeLAN = *c.FreeLAN
	case c.Rules != nil:
		e.Note("rules %+v", *c.Rules)
		s.Rules = *c.Rules
	case c.Schedule != nil:
		e.Note("schedule %v", *c.Schedule)
		s.Schedule = *c.Schedule
	case c.LAN != nil:
		e.Note("lan %v", *c.LAN)
		s.LAN, s.Restart = *c.LAN, true
	}
	return *s, nil
}

func (e *engine) FolderConfig(_ context.Context, n string) (control.FolderConfig, error) {
	return e.folder, e.err
}

func (e *engine) SetFolder(_ context.Context, n string, s control.FolderSettings) error {
	if e.err != nil {
		return e.err
	}
	switch {
	case s.Name != nil:
		e.folder.Name = *s.Name
	case s.Mode != nil:
		e.folder.Mode = *s.Mode
	case s.KeepDays != nil:
		e.folder.KeepDays = *s.KeepDays
	case s.KeepBytes != nil:
		e.folder.KeepBytes = *s.KeepBytes
	case s.Reserve != nil:
		e.folder.Reserve = *s.Reserve
	case s.Merge != nil:
		e.folder.Merge = *s.Merge
	case s.Attributes != nil:
		e.folder.Attributes = *s.Attributes
	case s.ScanEvery != nil:
		e.folder.ScanEvery = *s.ScanEvery
	}
	e.Note("folder %s: %s %d %d %d", e.folder.Name, e.folder.Mode, e.folder.KeepDays, e.folder.KeepBytes, e.folder.Reserve)
	return nil
}

func (e *engine) RemoveFolder(_ context.Context, n string) error {
	e.Note("remove %s", n[:4])
	return e.err
}
func (e *engine) Pause(_ context.Context, r control.PauseRequest) error {
	e.Note("pause %s", r.Folder[:4])
	return e.err
}
func (e *engine) Resume(_ context.Context, r control.PauseRequest) error {
	e.Note("resume %s", r.Folder[:4])
	return e.err
}
func (e *engine) Decline(_ context.Context, r control.Decline) error {
	e.Note("decline %s %v", r.Folder[:4], r.Undo)
	return e.err
}
func (e *engine) Ignores(context.Context, string) (control.Ignores, error) { return e.ignores, e.err }
func (e *engine) SetIgnores(_ context.Context, r control.SetIgnores) (control.Ignores, error) {
	if e.err != nil {
		return control.Ignores{}, e.err
	}
	e.Note("rules %q seen %x", r.Text, r.Seen[:1])
	e.ignores = control.Ignores{Text: r.Text, Seen: tree.ContentID{9}}
	return e.ignores, nil
}
func (e *engine) TryIgnores(_ context.Context, r control.TryIgnores) (control.Tried, error) {
	e.Note("try %q after %q", r.Text, r.After)
	if len(e.tried) == 0 {
		return control.Tried{}, e.err
	}
	t := e.tried[0]
	e.tried = e.tried[1:]
	return t, e.err
}
func (e *engine) Doctor(_ context.Context, r control.DoctorRequest) ([]control.Finding, error) {
	e.Note("doctor %v", r.Deep)
	return e.findings, e.err
}
func (e *engine) Config(context.Context) (control.Config, error) {
	return control.Config{Home: "/home/pat/.config/pinion"}, nil
}

// login is a desktop that starts Pinion at login, or can't.
type login struct {
	on  bool
	err error
}

func (l *login) Enabled() (bool, error) { return l.on, nil }
func (l *login) Set(on bool) error {
	if l.err == nil {
		l.on = on
	}
	return l.err
}

func state() status.State {
	id := tree.DeviceID{7}
	return status.State{
		Version: 3,
		Device:  status.Self{ID: id, Name: "laptop", Version: "1.4.0", Listen: "0.0.0.0:27464"},
		Paused:  status.Pause{State: "running"},
		Folders: []status.Folder{
			{
				ID: tree.FolderID{1}, Name: "Documents", Path: "/home/pat/Documents", Mode: "two-way", State: status.Synced, Files: 12_407, Bytes: 48_000_000_000,
				Archive: status.Archive{Files: 318, Bytes: 1_240_000_000}, Disk: &status.Disk{Free: 120e9, Total: 500e9, Reserve: 5e9},
			},
			{ID: tree.FolderID{2}, Name: "Photos", Path: "/media/pat/disk/Photos", Mode: "send", State: status.Synced},
		},
	}
}

func fake() *engine {
	return &engine{
		settings: control.Settings{
			Name: "laptop", LAN: true,
			Limits: control.Limits{Up: 500_000, FreeLAN: true},
			Rules:  control.Rules{OnBattery: policy.Small, BatteryBelow: 30, OnMetered: policy.Pause},
			Schedule: []control.Window{
				{Days: 0b0111110, From: 8 * 60, To: 17 * 60, Do: policy.Pause},
				{From: 22 * 60, To: 6 * 60, Do: policy.Limit, Up: policy.Unlimited, Down: 4 << 20},
			},
			Facts: control.Facts{Power: policy.Battery, Charge: 82},
			Now:   control.Verdict{Do: policy.Small, Cause: policy.ByBattery},
		},
		folder: control.FolderConfig{
			ID: tree.FolderID{1}, Name: "Documents", Path: "/home/pat/Documents", Mode: "two-way", ScanEvery: time.Hour, Attributes: true, Merge: "ask",
			Usual: control.Usual{KeepDays: 30, KeepBytes: 125e9, Reserve: 5e9},
		},
		ignores: control.Ignores{Text: "# what compilers make\nbuild/\n*.o\n", Seen: tree.ContentID{5}},
		findings: []control.Finding{
			{Folder: "Documents", Level: "ok", Text: "the marker is in place and 12407 files (48000000000 bytes) are indexed"},
			{Level: "note", Text: "the UDP buffer is small: raise net.core.rmem_max to 7500000 for more speed"},
			{Folder: "Photos", Level: "problem", Text: "the disk is not there; plug it in or mount it"},
		},
	}
}

// opened is a page in a window that shows a section.
func opened(t *testing.T, e *engine, variant fyne.ThemeVariant, section int, w, h float32) (*Page, *traytest.Host) {
	t.Helper()
	host := traytest.NewHost(t, e, variant)
	p := New(host, &login{on: true})
	p.later = func(_ time.Duration, f func()) func() { f(); return func() {} }
	host.Put(p, state(), w, h)
	p.turn(section)
	return p, host
}

var errRefused = &control.Error{Kind: control.KindUsage, Text: "a folder of that name is there already"}

var sectionNames = []string{"general", "network", "notifications", "folders", "leftout", "advanced"}

func TestPictures(t *testing.T) {
	for i, name := range sectionNames {
		for variant, word := range map[fyne.ThemeVariant]string{traytest.Light: "light", traytest.Dark: "dark"} {
			if word == "dark" && os.Getenv("PINION_PICTURES") == "" {
				continue
			}
			for _, size := range []fyne.Size{{Width: 980 - 180, Height: 640}, {Width: 760 - 180, Height: 520}} {
				e := fake()
				p, h := opened(t, e, variant, i, size.Width, size.Height)
				switch name {
				case "leftout":
					e.tried = []control.Tried{triedMuch()}
					p.rules.text.SetText(e.ignores.Text + "*.tmp\nnode_modules/\n")
				case "advanced":
					press(t, p, "Look everything over")
				}
				traytest.Picture(t, h.W.Canvas(), fmt.Sprintf("settings-%s-%s-%.0f", name, word, size.Width))
				if name != "advanced" && word == "light" && size.Width == 800 {
					traytest.Markup(t, h.W.Canvas(), "settings-"+name)
				}
			}
		}
	}
}

func triedMuch() control.Tried {
	return control.Tried{
		Out: []control.TriedPath{
			{Path: "letters/draft.tmp", Files: 1, Bytes: 2300},
			{Path: "projects/shop/node_modules", Dir: true, Files: 18_240, Bytes: 311_000_000},
			{Path: "projects/site/with/a/very/long/way/down/node_modules", Dir: true, Files: 942, Bytes: 21_000_000},
		},
		Files: 19_183, Bytes: 332_002_300,
		Back:    []control.TriedPath{{Path: "projects/shop/main.o", Files: 1, Bytes: 80_000}},
		BackSum: control.Sum{Files: 1, Bytes: 80_000},
	}
}

var errOdd = errors.New("the disk is on fire")
