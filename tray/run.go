package tray

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"fyne.io/fyne/v2"
	"fyne.io/fyne/v2/lang"

	"pinion/tray/link"
	"pinion/tray/look"
	"pinion/tray/present"
)

// Options are what the program hands to the tray.
type Options struct {
	Home     string // absolute
	Exe      string // this program's file, which is the engine, too
	LogLevel string // of an engine that is begun
	Dial     func(context.Context) (net.Conn, error)
	Link     string // pinion://…, to be joined by; "": none
	Hidden   bool   // begun at login: no window until it is asked for
	Rested   bool   // begun anew after ErrRest: nobody waits for a window
	Quit     bool   // ask a running tray to quit, and nothing else

	NewApp func() fyne.App     // called once, on the goroutine that calls Run
	Probe  func() error        // whether windows can be drawn, a sentence if not; on that goroutine, too
	Env    func(string) string // environment variables
	Say    io.Writer           // sentences for who has started it from a terminal
	Log    *slog.Logger
}

// ErrNoDisplay: there is no screen to draw on.
var ErrNoDisplay = errors.New("there is no display here (neither DISPLAY nor WAYLAND_DISPLAY is set): start the engine alone with pinion --daemon, look at it with pinion status")

// ErrRest: the program is to begin anew, with --hidden. The window was not looked at
// for a while, and Fyne, once begun, holds on to its graphics and looks for events
// sixty times a second.
var ErrRest = errors.New("the window is no longer needed")

// Run is the tray, until ctx ends or the person quits. It must be called on the
// goroutine on which main began. If a tray runs for the home directory already, that one
// is told to show itself, and Run returns nil at once.
func Run(ctx context.Context, o Options) error {
	if needsDisplay && !o.Quit && o.Env("DISPLAY") == "" && o.Env("WAYLAND_DISPLAY") == "" {
		return ErrNoDisplay
	}
	if err := os.MkdirAll(o.Home, 0o700); err != nil {
		return fmt.Errorf("make the home directory: %w", err)
	}
	inst, err := claim(ctx, o)
	if err != nil || inst == nil {
		return err
	}
	defer inst.Close()
	if err := look.Speak(); err != nil {
		o.Log.Info("not all words are known in the person's language", "err", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	t := newTray(ctx, o, cancel)
	var group sync.WaitGroup
	group.Go(func() { t.link.Run(ctx) })
	group.Go(func() { inst.serve(ctx, t.calls) })
	group.Go(func() { watchHost(ctx, t.hosts, o.Log) })
	group.Go(func() { t.notices.run(ctx) })
	group.Go(func() { t.loop(ctx) })
	t.main(ctx)
	cancel()
	group.Wait()
	t.face.stop()
	inst.Close() // whoever starts Pinion now is not to talk to one that is on its way out
	if t.rests.Load() {
		return ErrRest
	}
	if t.leaves.Load() {
		return nil
	}
	stop, done := context.WithTimeout(context.WithoutCancel(ctx), 20*time.Second)
	defer done()
	if err := t.link.Stop(stop); err != nil {
		o.Log.Error("the engine was not stopped", "err", err)
	}
	return t.err
}

// tray is what Run keeps together.
type tray struct {
	o    Options
	app  fyne.App
	link *link.Link
	face face
	quit context.CancelFunc

	news   chan link.News // holds the newest only
	clicks chan present.Action
	calls  chan call      // from other starts
	hosts  chan hostState // the desktop's tray comes and goes
	want   chan struct{}  // a window is asked for: main is to run Fyne
	noShow chan string    // why that can't be
	closed chan struct{}  // the window was
	failed chan string    // what the person asked for and did not come about

	leaves atomic.Bool // another tray takes over: the engine stays
	rests  atomic.Bool // to begin anew without Fyne

	notices *notices
	ctx     context.Context // of Run

	shown atomic.Bool // the window; written on Fyne's goroutine
	ui    ui          // belongs to Fyne's goroutine

	model // belongs to the loop
}

func newTray(ctx context.Context, o Options, quit context.CancelFunc) *tray {
	t := &tray{
		o: o, ctx: ctx, quit: quit, app: o.NewApp(), closed: make(chan struct{}, 1),
		news: make(chan link.News, 1), clicks: make(chan present.Action, 16), calls: make(chan call), hosts: make(chan hostState, 1),
		want: make(chan struct{}, 1), noShow: make(chan string, 1), failed: make(chan string, 8),
	}
	exe := link.Exe{Path: o.Exe, Home: o.Home, Level: o.LogLevel}
	if lazyLoop {
		exe.Reap()
	}
	t.link = link.New(link.Options{Home: o.Home, Dial: o.Dial, Start: exe.Start, Ours: exe.Ours, Log: o.Log}, func(n link.News) {
		select {
		case <-t.news: // an older one that nobody has looked at
		default:
		}
		t.news <- n // has room: nobody else sends
	})
	t.face = newFace(t.clicks)
	t.model = newModel(o)
	t.notices = noticesOf(t)
	return t
}

// main waits for a window to be asked for, and is Fyne's goroutine from then on.
// Where the icon needs Fyne's loop it begins at once.
func (t *tray) main(ctx context.Context) {
	if !lazyLoop {
		ask(t.want)
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-t.want:
		}
		err := t.o.Probe()
		if err == nil {
			t.fyne(ctx)
			return
		}
		t.o.Log.Error("no window can be shown", "err", err)
		t.say(err.Error())
		select {
		case t.noShow <- err.Error():
		case <-ctx.Done():
			return
		}
		if !lazyLoop {
			t.face.loop(ctx)
			return
		}
	}
}

// fyne runs Fyne until it ends, which it does when we quit and when the desktop
// ends it.
func (t *tray) fyne(ctx context.Context) {
	stop := context.AfterFunc(ctx, func() { fyne.Do(t.app.Quit) })
	defer stop()
	if !lazyLoop {
		t.app.Lifecycle().SetOnStarted(t.face.begin)
	}
	t.app.Run()
}

// say says in the terminal what may not be seen elsewhere.
func (t *tray) say(sentence string) { fmt.Fprintf(t.o.Say, "pinion: %s\n", sentence) }

func ask(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

func noHostSentence() string {
	return lang.L("This desktop has no place for Pinion's icon. Pinion goes on when its window is closed; start it again to see it.")
}

// needsDisplay: graphics need a server, which the environment names.
const needsDisplay = runtime.GOOS != "windows" && runtime.GOOS != "darwin"
