package guide

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/tray/look"
	"pinion/tray/traytest"
)

// engine answers what it was told to.
type engine struct {
	traytest.Engine
	err  error
	spot control.Spot
}

func (e *engine) LookAt(_ context.Context, p string) (control.Spot, error) {
	s := e.spot
	s.Path = p
	return s, nil
}
func (e *engine) AddFolder(_ context.Context, r control.AddFolder) (status.Folder, error) {
	e.Note("add %s %s %s %s", r.Path, r.Name, r.Mode, r.State)
	return status.Folder{Name: r.Name}, e.err
}
func (e *engine) Accept(_ context.Context, r control.Accept) (status.Folder, error) {
	e.Note("accept %s %s %s", r.Folder[:4], filepath.Base(r.Path), r.Mode)
	return status.Folder{}, e.err
}
func (e *engine) Decline(_ context.Context, r control.Decline) error {
	e.Note("decline %s %v", r.Folder[:4], r.Undo)
	return e.err
}
func (e *engine) Restore(_ context.Context, r control.Restore) (control.Restored, error) {
	e.Note("restore %s", r.Path)
	return control.Restored{}, e.err
}
func (e *engine) Confirm(_ context.Context, n string) error {
	e.Note("confirm %s", n[:4])
	return e.err
}
func (e *engine) Invite(context.Context) (control.Invitation, error) {
	e.Note("invite")
	return control.Invitation{Link: aLink, Expires: traytest.Noon().Add(15 * time.Minute)}, e.err
}
func (e *engine) Join(_ context.Context, r control.JoinRequest) (control.Joined, error) {
	e.Note("join %s at %q", r.Link, r.Address)
	return control.Joined{Name: "attic"}, e.err
}
func (e *engine) SetSettings(_ context.Context, c control.SettingsChange) (control.Settings, error) {
	e.Note("name %s", *c.Name)
	return control.Settings{}, e.err
}

const aLink = "pinion://join/AHKX2VDMQJ4ETNDH5JQWHDUOYTLBJKQJDSN5C2DOW7TE6OIMIWYMR7FPKSFUZWQ6XANBRQ3PLF7?a=192.168.1.20:27464&a=fd00::2:27464"

// clock holds what waits until the test lets it go on.
type clock struct{ due []*func() }

func (c *clock) later(_ time.Duration, f func()) func() {
	c.due = append(c.due, &f)
	return func() { f = func() {} }
}

// pass lets all that waits go on.
func (c *clock) pass() {
	due := c.due
	c.due = nil
	for _, f := range due {
		(*f)()
	}
}

// bench is a window in which the guide runs.
type bench struct {
	t     *testing.T
	e     *engine
	h     *traytest.Host
	w     world
	clock clock
}

func newBench(t *testing.T, variant fyne.ThemeVariant) *bench {
	t.Helper()
	t.Setenv("HOME", "/home/pat")
	b := &bench{t: t, e: &engine{}}
	b.e.Board.Post(status.State{Device: status.Self{Name: "laptop"}})
	b.h = traytest.NewHost(t, b.e, variant)
	b.h.W.SetContent(look.NewGround(look.ColorRail, "", 0))
	b.h.W.Resize(fyne.NewSize(980, 640))
	b.w = world{b.h, b.clock.later}
	return b
}

// each calls fn with all that can be seen in o.
func each(o fyne.CanvasObject, fn func(fyne.CanvasObject)) {
	if !o.Visible() {
		return
	}
	fn(o)
	switch x := o.(type) {
	case *fyne.Container:
		for _, c := range x.Objects {
			each(c, fn)
		}
	case fyne.Widget:
		for _, c := range test.WidgetRenderer(x).Objects() {
			each(c, fn)
		}
	}
}

func (b *bench) top() fyne.CanvasObject {
	b.t.Helper()
	top := b.h.W.Canvas().Overlays().Top()
	if top == nil {
		b.t.Fatal("no dialog is open")
	}
	return top
}

func (b *bench) button(text string) *look.Button {
	b.t.Helper()
	var found *look.Button
	each(b.top(), func(o fyne.CanvasObject) {
		if x, ok := o.(*look.Button); ok && x.Text == text {
			found = x
		}
	})
	if found == nil {
		b.t.Fatalf("there is no button %q", text)
	}
	return found
}

func (b *bench) press(text string) {
	b.t.Helper()
	test.Tap(b.button(text))
}

// says whether a text stands in the dialog.
func (b *bench) says(text string) bool {
	b.t.Helper()
	found := false
	each(b.top(), func(o fyne.CanvasObject) {
		switch x := o.(type) {
		case *look.Caption:
			found = found || x.Text() == text
		case *look.Text:
			found = found || x.Text() == text
		}
	})
	return found
}

func (b *bench) asked() string {
	list := b.e.Asked()
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

func heldFolder() status.Folder {
	return status.Folder{
		ID: tree.FolderID{1}, Name: "Photos", Path: "/home/pat/Photos", State: status.Held, Files: 12_407,
		Holds: []status.Hold{{
			Device: "laptop", Files: 3204, Deleted: true, Since: traytest.Noon().Add(-2 * time.Hour),
			Examples: []string{"2019/summer/img_0001.jpg", "2019/summer/img_0002.jpg", "evil\u202e\n.jpg"},
		}},
	}
}

var anOffer = status.Offer{ID: tree.FolderID{3}, Name: "Music", From: "attic"}

func TestPictures(t *testing.T) {
	for _, v := range []struct {
		name    string
		variant fyne.ThemeVariant
	}{{"light", traytest.Light}, {"dark", traytest.Dark}} {
		if v.name == "dark" && os.Getenv("PINION_PICTURES") == "" {
			continue // the same markup
		}
		for name, open := range map[string]func(b *bench){
			"folder": func(b *bench) {
				b.e.spot = control.Spot{There: true, Removable: true, Free: 120e9, Total: 500e9}
				addFolder(b.w)
				b.field(0).SetText("/media/pat/disk/Photos")
				b.clock.pass()
			},
			"refused": func(b *bench) {
				b.e.spot = control.Spot{There: true, Refused: "/home/pat/docs/old and the folder docs (/home/pat/docs) lie one inside the other; choose a directory apart"}
				addFolder(b.w)
				b.field(0).SetText("/home/pat/docs/old")
				b.clock.pass()
			},
			"offer": func(b *bench) {
				b.e.spot = control.Spot{Free: 120e9, Total: 500e9}
				offer(b.w, anOffer)
			},
			"invite": func(b *bench) { addDevice(b.w, "") },
			"joined": func(b *bench) {
				addDevice(b.w, "")
				b.e.Board.Post(status.State{Devices: []status.Device{{ID: tree.DeviceID{9}, Name: "attic"}}})
				b.clock.pass()
			},
			"join": func(b *bench) { addDevice(b.w, aLink) },
			"held": func(b *bench) { held(b.w, heldFolder()) },
			"sealed": func(b *bench) {
				f := heldFolder()
				f.Holds[0].Overwritten, f.Holds[0].Deleted, f.Holds[0].OfOthers = true, false, true
				held(b.w, f)
			},
			"first1": func(b *bench) { firstRunOf(b.w, b.e.Board.Now()) },
			"first2": func(b *bench) { firstRunOf(b.w, b.e.Board.Now()).show(1) },
			"first3": func(b *bench) { firstRunOf(b.w, b.e.Board.Now()).show(2) },
			"first4": func(b *bench) { firstRunOf(b.w, b.e.Board.Now()).show(3) },
		} {
			b := newBench(t, v.variant)
			open(b)
			traytest.Picture(t, b.h.W.Canvas(), "guide-"+name+"-"+v.name)
			if v.name == "light" {
				traytest.Markup(t, b.h.W.Canvas(), "guide-"+name)
			}
			if len(b.h.Errors) > 0 {
				t.Errorf("%s: %v", name, b.h.Errors)
			}
		}
	}
}

// field is one of the fields that can be seen, from the top.
func (b *bench) field(i int) *look.Field {
	b.t.Helper()
	var list []*look.Field
	each(b.top(), func(o fyne.CanvasObject) {
		if x, ok := o.(*look.Field); ok {
			list = append(list, x)
		}
	})
	if i >= len(list) {
		b.t.Fatalf("there are %d fields", len(list))
	}
	return list[i]
}
