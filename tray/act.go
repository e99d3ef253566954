package tray

import (
	"context"
	"errors"
	"path/filepath"
	"time"

	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/tray/guide"
	"pinion/tray/page"
	"pinion/tray/present"
)

// do carries out what was clicked.
func (t *tray) do(ctx context.Context, a present.Action) {
	t.view.Note = ""
	switch a.Verb {
	case present.OpenFolder:
		t.beside(lang.L("Open the folder"), func() error { return t.open(a.Path) })
	case present.RevealFile:
		if path, ok := t.pathOf(a.Folder, a.Path); ok {
			t.beside(lang.L("Show the file"), func() error { return t.reveal(path) })
		}
	case present.PauseFor:
		t.pause(ctx, control.PauseRequest{For: a.For})
	case present.PauseUntilMorning:
		// By the clock on the wall, whatever is done to the clock until then.
		until := present.Morning(time.Now())
		t.pause(ctx, control.PauseRequest{Until: &until})
	case present.Pause:
		t.pause(ctx, control.PauseRequest{})
	case present.Resume:
		t.ask(ctx, lang.L("Resume"), func(ctx context.Context) error {
			return t.link.Engine().Resume(ctx, control.PauseRequest{})
		})
	case present.TryAgain:
		t.link.Again()
	case present.Quit:
		t.quit()
	default:
		t.showing(a)
	}
}

// showing is what has to do with the window.
func (t *tray) showing(a present.Action) {
	switch a.Verb {
	case present.OpenWindow:
		t.openWindow(nil)
	case present.ShowConflicts:
		var arg any
		if a.Path != "" {
			arg = page.Place{Folder: a.Folder, Path: a.Path}
		}
		t.openPage(page.Conflicts, arg)
	case present.ShowOverview:
		t.openPage(page.Overview, nil)
	case present.ShowDevices:
		t.openPage(page.Devices, nil)
	case present.ShowHeld:
		for _, f := range t.view.State.Folders {
			if present.IsHeld(f) {
				t.openGuide(page.Overview, func(h page.Host) { guide.Held(h, f) })
				return
			}
		}
	case present.ShowOffers:
		for _, o := range t.view.State.Offers {
			if !o.Declined {
				t.openGuide(page.Overview, func(h page.Host) { guide.Offer(h, o) })
				return
			}
		}
	case present.AddFolder:
		t.openGuide(page.Overview, guide.AddFolder)
	case present.AddDevice:
		t.openGuide(page.Devices, guide.AddDevice)
	}
}

// join begins the dialog about an invitation; the person still says yes there.
func (t *tray) join(link string) {
	t.openGuide(page.Devices, func(h page.Host) { guide.Join(h, link) })
}

func (t *tray) pause(ctx context.Context, r control.PauseRequest) {
	t.ask(ctx, lang.L("Pause"), func(ctx context.Context) error { return t.link.Engine().Pause(ctx, r) })
}

// askTime is how long the engine may take for what the menu asks.
const askTime = 20 * time.Second

func (t *tray) ask(ctx context.Context, doing string, f func(context.Context) error) {
	t.beside(doing, func() error {
		ctx, cancel := context.WithTimeout(ctx, askTime)
		defer cancel()
		return f(ctx)
	})
}

// beside does what takes time beside the loop. What failed is said in the menu.
func (t *tray) beside(doing string, f func() error) {
	go func() {
		err := f()
		if err == nil || errors.Is(err, context.Canceled) {
			return
		}
		t.o.Log.Warn("what was asked for failed", "doing", doing, "err", err)
		select {
		case t.failed <- doing + ": " + err.Error():
		default: // many have failed at once; one sentence is enough
		}
	}()
}

// pathOf is a path in a folder, as the system writes it. What would leave the
// folder has none.
func (t *tray) pathOf(folder, rel string) (string, bool) {
	local, err := filepath.Localize(rel)
	if err != nil {
		return "", false
	}
	for _, f := range t.view.State.Folders {
		if f.Name == folder {
			return filepath.Join(f.Path, local), true
		}
	}
	return "", false
}

// send drops a click when many are waiting already.
func send(clicks chan<- present.Action, a present.Action) {
	select {
	case clicks <- a:
	default:
	}
}
