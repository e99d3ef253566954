package link

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/tray/traytest"
)

// rig is a machine on which engines come and go, in virtual time.
type rig struct {
	mu     sync.Mutex
	engine *engine // that runs; nil: none
	ours   bool    // it was begun by the link
	starts []time.Time
	next   func() *engine // what Start begins; nil: it fails at once with fails
	fails  string
	procs  []*proc
	told   []News
}

// engine is one behind a socket of pipes.
type engine struct {
	traytest.Engine
	server *http.Server
	conns  chan net.Conn
	gone   chan struct{}
	once   sync.Once
	mute   bool // it takes connections and answers nothing

	mu      sync.Mutex
	changes []control.Activity
	changed chan struct{}
}

func newEngine() *engine {
	e := &engine{conns: make(chan net.Conn), gone: make(chan struct{}), changed: make(chan struct{}, 1)}
	e.server = &http.Server{Handler: control.Handler(e), ErrorLog: slog.NewLogLogger(slog.DiscardHandler, 0)}
	e.Board.Post(status.State{Device: status.Self{Name: "laptop"}})
	go e.server.Serve(pipes{e})
	return e
}

// pipes is the engine's socket.
type pipes struct{ e *engine }

func (p pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.e.conns:
		return c, nil
	case <-p.e.gone:
		return nil, net.ErrClosed
	}
}
func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.UnixAddr{} }

func (e *engine) die() {
	e.once.Do(func() {
		close(e.gone)
		e.server.Close()
	})
}

func (e *engine) Stop(context.Context) error {
	go e.die()
	return nil
}

func (e *engine) Activity(ctx context.Context, r control.ActivityRequest) (control.ActivityPage, error) {
	e.mu.Lock()
	n := uint64(len(e.changes))
	e.mu.Unlock()
	if r.After == n && r.Wait > 0 {
		select {
		case <-e.changed:
		case <-time.After(r.Wait):
		case <-ctx.Done():
		}
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	from := int(r.After)
	if r.After == 0 {
		from = max(0, len(e.changes)-r.Limit)
	}
	items := e.changes[from:]
	return control.ActivityPage{Items: items[:min(len(items), r.Limit)], Next: uint64(len(e.changes))}, nil
}

func (e *engine) change(path string) {
	e.mu.Lock()
	e.changes = append(e.changes, control.Activity{Path: path})
	e.mu.Unlock()
	select {
	case e.changed <- struct{}{}:
	default:
	}
}

func (r *rig) dial(context.Context) (net.Conn, error) {
	r.mu.Lock()
	e := r.engine
	r.mu.Unlock()
	refused := &net.OpError{Op: "dial", Net: "unix", Err: errors.New("nobody there")}
	if e == nil {
		return nil, refused
	}
	here, there := net.Pipe()
	if e.mute {
		return here, nil
	}
	select {
	case e.conns <- there:
		return here, nil
	case <-e.gone:
		return nil, refused
	}
}

type proc struct {
	done chan struct{}
	why  string
}

func (p *proc) Done() <-chan struct{} { return p.done }
func (p *proc) Why() string           { return p.why }
func (p *proc) Interrupt()            {}
func (p *proc) Kill()                 {}

func (r *rig) start() (Process, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.starts = append(r.starts, time.Now())
	p := &proc{done: make(chan struct{}), why: r.fails}
	r.procs = append(r.procs, p)
	if r.next == nil {
		close(p.done)
		return p, nil
	}
	go func() {
		time.Sleep(150 * time.Millisecond) // to open its things
		e := r.next()
		r.mu.Lock()
		r.engine, r.ours = e, true
		r.mu.Unlock()
		<-e.gone
		close(p.done)
	}()
	return p, nil
}

func (r *rig) runs(e *engine) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.engine, r.ours = e, false
}

func (r *rig) last() News {
	synctest.Wait()
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.told) == 0 {
		return News{}
	}
	return r.told[len(r.told)-1]
}

// reasons are what was told while there was none, each once.
func (r *rig) reasons() (all []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.told {
		if !n.Up && (len(all) == 0 || all[len(all)-1] != n.Reason) {
			all = append(all, n.Reason)
		}
	}
	return all
}

func (r *rig) count() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.starts)
}

// play runs a link on a machine, in virtual time.
func play(t *testing.T, r *rig, f func(t *testing.T, l *Link)) {
	synctest.Test(t, func(t *testing.T) {
		l := New(Options{
			Home: "/home/pat/.config/pinion", Dial: r.dial, Start: r.start,
			Ours: func() bool { r.mu.Lock(); defer r.mu.Unlock(); return r.ours },
			Log:  slog.New(slog.NewTextHandler(io.Discard, nil)),
		}, func(n News) { r.mu.Lock(); r.told = append(r.told, n); r.mu.Unlock() })
		ctx, cancel := context.WithCancel(t.Context())
		var ended sync.WaitGroup
		ended.Go(func() { l.Run(ctx) })
		f(t, l)
		cancel()
		ended.Wait()
		r.mu.Lock()
		e := r.engine
		r.mu.Unlock()
		if e != nil {
			e.die()
		}
		synctest.Wait()
	})
}

func TestAttachesToARunningEngine(t *testing.T) {
	r := &rig{}
	play(t, r, func(t *testing.T, l *Link) {
		e := newEngine()
		r.runs(e)
		time.Sleep(30 * time.Second) // it came while the link looked: see below
		if n := r.last(); !n.Up || n.Own {
			t.Fatalf("%+v", n)
		}
		e.Board.Post(status.State{Device: status.Self{Name: "renamed"}})
		time.Sleep(time.Second)
		if n := r.last(); n.State.Device.Name != "renamed" {
			t.Errorf("a second later it says %+v", n.State)
		}
		e.change("a.txt")
		time.Sleep(2 * time.Second)
		if n := r.last(); len(n.Recent) != 1 || n.Recent[0].Path != "a.txt" {
			t.Errorf("recent: %+v", n.Recent)
		}
		if err := l.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		if n := r.last(); !n.Up {
			t.Error("it stopped an engine that is not its own")
		}
	})
}

func TestStartsAnEngineAndStopsIt(t *testing.T) {
	r := &rig{next: newEngine}
	play(t, r, func(t *testing.T, l *Link) {
		time.Sleep(time.Second)
		if n := r.last(); !n.Up || !n.Own || r.count() != 1 {
			t.Fatalf("%+v after %d starts", n, r.count())
		}
		if got := r.reasons(); len(got) != 1 || got[0] != "" {
			t.Errorf("while it was started: %q", got)
		}
	})
	synctest.Test(t, func(t *testing.T) { // Stop is for after Run
		e := newEngine()
		defer e.die()
		r := &rig{engine: e, ours: true}
		l := New(Options{Dial: r.dial, Log: slog.New(slog.DiscardHandler)}, func(News) {})
		l.news.Own = true
		if err := l.Stop(t.Context()); err != nil {
			t.Error(err)
		}
		select {
		case <-e.gone:
		default:
			t.Error("the engine goes on")
		}
		l.client.Close()
		synctest.Wait()
	})
}

func TestAnEngineOfItsOwnIsStartedAgain(t *testing.T) {
	r := &rig{next: newEngine}
	play(t, r, func(t *testing.T, l *Link) {
		time.Sleep(10 * time.Minute)
		r.mu.Lock()
		e := r.engine
		r.mu.Unlock()
		e.die()
		time.Sleep(2 * time.Second)
		if n := r.last(); !n.Up || !n.Own || r.count() != 2 {
			t.Errorf("%+v after %d starts", n, r.count())
		}
	})
}

func TestOneThatKeepsDyingIsStartedEverMoreRarely(t *testing.T) {
	r := &rig{}
	r.next = func() *engine {
		e := newEngine()
		time.AfterFunc(2*time.Second, e.die)
		return e
	}
	play(t, r, func(t *testing.T, l *Link) {
		time.Sleep(time.Hour)
		if n := r.count(); n < 40 || n > 100 {
			t.Errorf("%d starts in an hour", n)
		}
		if got := strings.Join(r.reasons(), "|"); !strings.Contains(got, "has stopped; it will be started again") {
			t.Errorf("it said %q", got)
		}
	})
}

func TestOneThatCanNotRunSaysWhy(t *testing.T) {
	r := &rig{fails: "another program listens on UDP :27464"}
	play(t, r, func(t *testing.T, l *Link) {
		time.Sleep(time.Second)
		const want = "The engine can't run: another program listens on UDP :27464"
		if n := r.last(); n.Up || n.Reason != want {
			t.Errorf("%+v", n)
		}
		time.Sleep(time.Hour)
		if n := r.count(); n < 40 || n > 100 {
			t.Errorf("%d starts in an hour", n)
		}
		before := r.count()
		l.Again()
		synctest.Wait()
		if r.count() != before+1 {
			t.Error("it does not try when it is asked to")
		}
	})
}

func TestSomebodyElsesIsLeftToThem(t *testing.T) {
	r := &rig{next: newEngine}
	play(t, r, func(t *testing.T, l *Link) {
		// The link's own first start is not what is tried here.
		time.Sleep(time.Second)
		r.mu.Lock()
		r.ours = false
		e := r.engine
		r.engine = nil
		r.mu.Unlock()
		l.mu.Lock()
		l.news.Own = false
		l.mu.Unlock()
		e.die()
		time.Sleep(10 * time.Second)
		if n := r.last(); n.Up || n.Reason != "The engine has stopped" || r.count() != 1 {
			t.Fatalf("%+v after %d starts", n, r.count())
		}
		r.runs(newEngine()) // systemd has begun it again
		time.Sleep(2 * time.Second)
		if n := r.last(); !n.Up || n.Own || r.count() != 1 {
			t.Fatalf("%+v after %d starts", n, r.count())
		}
		r.mu.Lock()
		e = r.engine
		r.engine = nil
		r.mu.Unlock()
		e.die()
		time.Sleep(20 * time.Second)
		if r.count() != 1 {
			t.Fatal("it was started while others might")
		}
		time.Sleep(10 * time.Second)
		if n := r.last(); !n.Up || !n.Own || r.count() != 2 {
			t.Fatalf("nobody does: %+v after %d starts", n, r.count())
		}
	})
}

func TestAFloodOfStatesIsThinned(t *testing.T) {
	r := &rig{}
	e := &engine{}
	play(t, r, func(t *testing.T, l *Link) {
		e = newEngine()
		r.runs(e)
		time.Sleep(30 * time.Second)
		r.last()
		before := len(r.told)
		for i := range 1000 {
			e.Board.Post(status.State{Device: status.Self{Version: time.Duration(i).String()}})
			time.Sleep(time.Millisecond)
		}
		time.Sleep(time.Second)
		n := r.last()
		if told := len(r.told) - before; told > 6 || n.State.Device.Version != time.Duration(999).String() {
			t.Errorf("told %d times, last %q", told, n.State.Device.Version)
		}
	})
}

func TestAnEngineThatDoesNotAnswer(t *testing.T) {
	r := &rig{fails: "an engine is running already"}
	play(t, r, func(t *testing.T, l *Link) {
		r.runs(&engine{mute: true, gone: make(chan struct{}), server: &http.Server{}})
		time.Sleep(30 * time.Second)
		if n := r.last(); n.Up || n.Reason != "The engine does not answer" || r.count() > 1 {
			t.Errorf("%+v after %d starts", n, r.count())
		}
	})
}

func TestLastWords(t *testing.T) {
	for log, want := range map[string]string{
		"":                                "",
		"time=1 level=INFO msg=x\n":       "",
		"pinion: first\npinion: second\n": "second",
		"pinion: no room\ntime=2 level=INFO msg=late\n": "no room",
		"panic: oh\n\ngoroutine 1 [running]:\n":         "",
	} {
		if got := lastWords([]byte(log)); got != want {
			t.Errorf("%q: %q, want %q", log, got, want)
		}
	}
}
