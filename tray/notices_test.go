package tray

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/platform/notify"
	"pinion/tray/present"
)

// wall is a desktop on which notices are pinned.
type wall struct {
	mu      sync.Mutex
	refuses error
	o       notify.Options
	shown   []string
	gone    []string
	closed  bool

	conflicts atomic.Int64 // that the engine lists
}

func (w *wall) Show(_ context.Context, n notify.Note) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuses == nil {
		w.shown = append(w.shown, n.Key+": "+n.Title)
	}
	return w.refuses
}

func (w *wall) Withdraw(_ context.Context, key string) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = append(w.gone, key)
	return nil
}

func (w *wall) Close() error { w.closed = true; return nil }

func (w *wall) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.shown
	w.shown = nil
	return s
}

// pinned runs a test of notices in a bubble.
func pinned(t *testing.T, file string, f func(w *wall, n *notices, prefs fyne.Preferences, clicked func() []present.Action)) {
	prefs := test.NewTempApp(t).Preferences()
	synctest.Test(t, func(t *testing.T) {
		w := &wall{}
		var mu sync.Mutex
		var clicks []present.Action
		n := newNotices(noticeWorld{
			file:  file,
			prefs: func() fyne.Preferences { return prefs },
			conflicts: func(context.Context) ([]control.Conflict, error) {
				c := control.Conflict{Folder: "docs", Path: "a/letter.txt", Copy: "letter (conflict).txt", Kind: control.EditEdit, This: &control.Side{Device: "laptop"}, That: control.Side{Device: "pi"}}
				return slices.Repeat([]control.Conflict{c}, int(w.conflicts.Load())), nil
			},
			open: func(_ context.Context, o notify.Options) (notify.Notifier, error) { w.o = o; return w, nil },
			click: func(a present.Action) {
				mu.Lock()
				defer mu.Unlock()
				clicks = append(clicks, a)
			},
			log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan struct{})
		go func() { n.run(ctx); close(ended) }()
		f(w, n, prefs, func() []present.Action {
			synctest.Wait()
			mu.Lock()
			defer mu.Unlock()
			return clicks
		})
		cancel()
		<-ended
		if w.o.App != "" && !w.closed {
			t.Error("the desktop's notifications were left open")
		}
	})
}

func conflicted(count int64) present.View {
	return present.View{Up: true, State: status.State{Folders: []status.Folder{{Name: "docs", State: status.Synced, Conflicts: count, Path: "/home/pat/docs"}}}}
}

func settle(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func TestNoticesAreShownClickedAndWithdrawn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told")
	pinned(t, file, func(w *wall, n *notices, _ fyne.Preferences, clicked func() []present.Action) {
		settle(time.Hour) // before anything is known nothing is told
		n.hear(conflicted(0))
		settle(time.Minute)
		if w.o.App != "" {
			t.Error("the desktop was asked though there was nothing to tell")
		}
		w.conflicts.Store(1)
		n.hear(conflicted(1))
		settle(time.Second)
		if got := w.take(); got != nil {
			t.Errorf("told without gathering: %q", got)
		}
		settle(5 * time.Second)
		if got := w.take(); !slices.Equal(got, []string{"conflict: Conflict: letter.txt"}) {
			t.Errorf("%q", got)
		}
		for _, c := range [][2]string{{"conflict", "0"}, {"conflict", "7"}, {"conflict", "x"}, {"conflict", "-1"}, {"disk", "0"}} {
			w.o.Invoked(c[0], c[1])
			synctest.Wait()
		}
		if got := clicked(); !slices.Equal(got, []present.Action{{Verb: present.ShowConflicts, Folder: "docs", Path: "letter (conflict).txt"}}) {
			t.Errorf("%v", got)
		}
		n.hear(conflicted(0))
		settle(time.Second)
		if !slices.Equal(w.gone, []string{"conflict"}) {
			t.Errorf("withdrawn: %q", w.gone)
		}
		n.hear(conflicted(2))
		settle(time.Hour)
		w.take()
	})
	// What was told is not told again by the next tray.
	pinned(t, file, func(w *wall, n *notices, _ fyne.Preferences, _ func() []present.Action) {
		n.hear(conflicted(2))
		settle(time.Hour)
		if got := w.take(); got != nil {
			t.Errorf("told again: %q", got)
		}
	})
	if info, err := os.Stat(file); err != nil || info.Mode().Perm()&0o077 != 0 && needsDisplay {
		t.Errorf("%v, %v", info, err)
	}
}

func TestNoticesCanBeSwitchedOff(t *testing.T) {
	pinned(t, filepath.Join(t.TempDir(), "told"), func(w *wall, n *notices, prefs fyne.Preferences, _ func() []present.Action) {
		for _, info := range present.Topics() {
			prefs.SetBool(info.Pref, false)
		}
		n.hear(conflicted(3))
		settle(time.Hour)
		if got := w.take(); got != nil {
			t.Errorf("%q", got)
		}
	})
}

func TestNoticesWithoutADesktopAndWithADamagedFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "told")
	for _, text := range []string{"{", `{"told":{"conflict":{"x":7}}}`, strings.Repeat("x", mostToldAt+1)} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		pinned(t, file, func(w *wall, n *notices, _ fyne.Preferences, _ func() []present.Action) {
			w.refuses = errors.New("no daemon")
			n.hear(conflicted(3))
			settle(time.Hour)
			w.mu.Lock()
			w.refuses = nil
			w.mu.Unlock()
			n.hear(conflicted(5))
			settle(time.Hour)
			if got := w.take(); len(got) != 1 {
				t.Errorf("%q", got)
			}
		})
	}
	// Nowhere to keep it: told all the same.
	pinned(t, filepath.Join(t.TempDir(), "gone", "told"), func(w *wall, n *notices, _ fyne.Preferences, _ func() []present.Action) {
		for i := range 3 {
			n.hear(conflicted(int64(2 * (i + 1))))
			settle(time.Hour)
			if got := w.take(); !slices.Equal(got, []string{fmt.Sprintf("conflict: %d conflicts", 2*(i+1))}) {
				t.Errorf("%q", got)
			}
		}
	})
}
