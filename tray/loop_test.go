//go:build unix && !darwin

package tray

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/test"

	"pinion/engine/status"
	"pinion/tray/link"
	"pinion/tray/present"
)

// paper is a face on which everything that was shown can be read.
type paper struct {
	mu    sync.Mutex
	begun int
	icons []string // each picture that differs from the one before
	tip   string
	menu  []present.Item
}

func (p *paper) begin()                   { p.mu.Lock(); p.begun++; p.mu.Unlock() }
func (p *paper) loop(ctx context.Context) { <-ctx.Done() }
func (p *paper) stop()                    {}
func (p *paper) show(icon []byte, tip string, menu []present.Item) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if n := len(p.icons); n == 0 || p.icons[n-1] != string(icon) {
		p.icons = append(p.icons, string(icon))
	}
	p.tip, p.menu = tip, menu
}

// onPaper runs a tray's loop in virtual time, without a window.
func onPaper(t *testing.T, f func(t *testing.T, tr *tray, p *paper)) {
	app := test.NewTempApp(t)
	home := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		tr := newTray(ctx, Options{
			Home: home, Hidden: true, Rested: true, Env: desktop(":0"), Say: io.Discard, Log: slog.New(slog.DiscardHandler),
			NewApp: func() fyne.App { return app },
		}, cancel)
		p := &paper{}
		tr.face = p
		done := make(chan struct{})
		go func() {
			tr.loop(ctx)
			close(done)
		}()
		f(t, tr, p)
		cancel()
		<-done
	})
}

func news(state string) link.News {
	return link.News{Up: true, Own: true, State: status.State{
		Device:  status.Self{Name: "laptop"},
		Folders: []status.Folder{{Name: "docs", Path: "/home/pat/docs", State: state, Files: 3}},
	}}
}

func (p *paper) read() (tip string, pictures int) {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.tip, len(p.icons)
}

func TestLoopShowsNews(t *testing.T) {
	onPaper(t, func(t *testing.T, tr *tray, p *paper) {
		if tip, _ := p.read(); tip != "Pinion: Starting" {
			t.Error(tip)
		}
		tr.hosts <- noHost
		if p.read(); p.begun != 1 {
			t.Error("where a host may come, the icon is not there for it")
		}
		tr.hosts <- aHost
		if p.read(); p.begun != 1 {
			t.Error("begun again for another host")
		}
		tr.news <- news(status.Synced)
		if tip, _ := p.read(); tip != "Pinion: No other device yet" {
			t.Error(tip)
		}
		gone := news(status.Synced)
		gone.Up, gone.Reason = false, "The engine has stopped"
		tr.news <- gone
		if tip, _ := p.read(); tip != "Pinion: The engine has stopped" {
			t.Error(tip)
		}
	})
}

func TestIconTurnsOnlyWhileSyncing(t *testing.T) {
	onPaper(t, func(t *testing.T, tr *tray, p *paper) {
		tr.news <- news(status.Synced)
		_, still := p.read()
		time.Sleep(time.Minute)
		if _, n := p.read(); n != still {
			t.Errorf("%d pictures at rest", n-still)
		}
		tr.news <- news(status.Syncing)
		time.Sleep(10 * time.Second)
		_, n := p.read()
		if turned := n - still; turned < 20 || turned > 40 { // at most four a second
			t.Errorf("%d pictures in ten seconds", turned)
		}
		tr.news <- news(status.Synced)
		_, still = p.read()
		time.Sleep(time.Minute)
		if _, n := p.read(); n != still {
			t.Errorf("%d pictures after it has ended", n-still)
		}
	})
}

func TestWhatFailedIsSaidInTheMenu(t *testing.T) {
	onPaper(t, func(t *testing.T, tr *tray, p *paper) {
		tr.news <- news(status.Synced)
		p.read()
		tr.failed <- "Pause: the disk is full"
		p.read()
		if !slices.ContainsFunc(p.menu, func(i present.Item) bool { return i.Text == "Pause: the disk is full" }) {
			t.Errorf("%+v", p.menu)
		}
		tr.clicks <- present.Action{Verb: present.TryAgain} // whatever is done next
		p.read()
		if slices.ContainsFunc(p.menu, func(i present.Item) bool { return strings.Contains(i.Text, "disk is full") }) {
			t.Error("it stays")
		}
	})
}

func TestPathsStayInTheirFolder(t *testing.T) {
	tr := &tray{}
	tr.view.State = news(status.Synced).State
	if got, ok := tr.pathOf("docs", "a/b.txt"); !ok || got != filepath.FromSlash("/home/pat/docs/a/b.txt") {
		t.Error(got, ok)
	}
	for _, bad := range []string{"../x", "/etc/passwd", "a/../../x", "", "a\x00b"} {
		if got, ok := tr.pathOf("docs", bad); ok {
			t.Errorf("%q is %q", bad, got)
		}
	}
	if got, ok := tr.pathOf("other", "a"); ok {
		t.Error(got)
	}
}
