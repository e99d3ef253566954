package link

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"sync"
	"time"

	"fyne.io/fyne/v2/lang"

	"pinion/engine/control"
	"pinion/engine/status"
)

// Options say how the engine is reached and begun.
type Options struct {
	Home string
	Dial func(context.Context) (net.Conn, error)
	// Start begins an engine; nil: never.
	Start func() (Process, error)
	// Ours says whether the running engine was begun by a tray.
	Ours func() bool
	Log  *slog.Logger
}

// Process is an engine that was begun. It goes on without us.
type Process interface {
	Done() <-chan struct{} // closed when it has ended
	Why() string           // then: its last words, a sentence; "" when it said nothing
	Interrupt()            // asks it to end, in the system's way
	Kill()                 // when asking it to stop was in vain
}

// News is what is known of the engine. What comes later replaces it whole.
type News struct {
	Up     bool
	Reason string             // while it is not up: why, a sentence; "" while it is being started
	Own    bool               // begun by a tray
	State  status.State       // the newest seen, also of an engine that is gone
	Recent []control.Activity // the last changes, newest last
}

const (
	// settle is the least time between two states that are told: a first sync makes
	// twenty a second.
	settle = 300 * time.Millisecond
	// recentMost is how many changes are told, recentEvery how often at most.
	recentMost  = 10
	recentEvery = 300 * time.Millisecond

	soon      = 100 * time.Millisecond // between looks while an engine is being started
	startTime = 20 * time.Second       // how long one may take until it answers
	grace     = 25 * time.Second       // how long somebody else has to restart theirs; systemd takes 10 s
	backFirst = time.Second            // between two attempts, doubled each time
	backMost  = time.Minute
	steady    = time.Minute // an engine that was up as long begins the count anew
	stopTime  = 15 * time.Second

	answerTime = 15 * time.Second // an engine that takes longer does not answer
	quietTime  = 2 * time.Minute  // without news
)

// Link is the tray's side. Its zero value is of no use: New.
type Link struct {
	o      Options
	client *control.Client
	tell   func(News)
	again  chan struct{}

	mu   sync.Mutex
	news News
	proc Process // the one we began; nil: none, or it has ended
}

// New makes a Link that tells its news to tell, from goroutines of Run, never two
// at a time.
func New(o Options, tell func(News)) *Link {
	return &Link{o: o, client: control.Dial(o.Home, o.Dial), tell: tell, again: make(chan struct{}, 1)}
}

// Engine is what can be asked; it fails in a sentence while no engine runs.
func (l *Link) Engine() *control.Client { return l.client }

// Again asks for an attempt now.
func (l *Link) Again() {
	select {
	case l.again <- struct{}{}:
	default:
	}
}

func (l *Link) change(f func(*News)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f(&l.news)
	l.tell(l.news)
}

// Run attaches, follows and comes back until ctx ends.
func (l *Link) Run(ctx context.Context) {
	defer l.client.Close()
	wait := backoff{}
	var lost time.Time // when an engine that is not ours went away
	for ctx.Err() == nil {
		began := time.Now()
		err := l.follow(ctx)
		if ctx.Err() != nil {
			return
		}
		up := l.gone()
		reason := ""
		switch {
		case up.was && !up.own: // somebody else's, and theirs to begin again
			lost = time.Now()
			wait, reason = backoff{}, lang.L("The engine has stopped")
		case up.was && time.Since(began) > steady:
			wait = backoff{}
		case up.was: // it does not live long: not at once
			reason = lang.L("The engine has stopped; it will be started again")
		}
		if reason != "" {
			l.o.Log.Warn("the engine went away", "err", err, "own", up.own)
		} else if reason = l.attempt(ctx, err, lost.IsZero() || time.Since(lost) > grace); reason == "" {
			continue
		}
		l.change(func(n *News) { n.Up, n.Reason = false, reason })
		d := wait.next()
		if !lost.IsZero() && time.Since(lost) <= grace {
			d = backFirst
		}
		if l.pause(ctx, d) {
			lost, wait = time.Time{}, backoff{} // the person has asked for it
		}
	}
}

// was is what there was before follow came back.
type was struct{ was, own bool }

func (l *Link) gone() was {
	l.mu.Lock()
	defer l.mu.Unlock()
	w := was{was: l.news.Up, own: l.news.Own}
	l.news.Up = false
	return w
}

// attempt begins an engine if one may be begun, and waits until it answers. What it
// returns is why there is none; "": one answers.
func (l *Link) attempt(ctx context.Context, err error, may bool) string {
	var e *control.Error
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return lang.L("The engine does not answer")
	case !errors.As(err, &e) || e.Kind != control.KindNotRunning:
		l.o.Log.Warn("the engine can't be asked", "err", err)
		return err.Error()
	case !may:
		return lang.L("The engine has stopped")
	case l.o.Start == nil:
		return lang.L("The engine is not running")
	}
	l.change(func(n *News) { n.Up, n.Reason = false, "" })
	p, err := l.o.Start()
	if err != nil {
		l.o.Log.Error("the engine can't be started", "err", err)
		return lang.L("The engine can't be started: {{.Why}}", map[string]any{"Why": err})
	}
	l.o.Log.Info("started an engine")
	l.mu.Lock()
	l.proc = p
	l.mu.Unlock()
	return l.await(ctx, p)
}

// await waits until the engine that was begun, or another, answers.
func (l *Link) await(ctx context.Context, p Process) string {
	end := time.Now().Add(startTime)
	for {
		if _, err := l.now(ctx); err == nil || ctx.Err() != nil {
			return ""
		}
		select {
		case <-p.Done():
			why := p.Why()
			l.o.Log.Error("the engine that was started has ended", "why", why)
			if why == "" {
				return lang.L("The engine ends as soon as it is started; engine.log in {{.Home}} says why", map[string]any{"Home": l.o.Home})
			}
			return lang.L("The engine can't run: {{.Why}}", map[string]any{"Why": why})
		case <-ctx.Done():
			return ""
		case <-time.After(soon):
		}
		if time.Now().After(end) {
			return lang.L("The engine was started and does not answer yet")
		}
	}
}

// follow tells what the engine says for as long as it answers.
func (l *Link) follow(ctx context.Context) error {
	s, err := l.now(ctx)
	if err != nil {
		return err
	}
	own := l.o.Ours != nil && l.o.Ours()
	l.change(func(n *News) { *n = News{Up: true, Own: own, State: s, Recent: n.Recent} })
	ctx, stop := context.WithCancel(ctx)
	var beside sync.WaitGroup
	beside.Go(func() { l.followChanges(ctx) })
	defer beside.Wait()
	defer stop()
	for {
		if err := sleep(ctx, settle); err != nil {
			return err
		}
		newer, err := l.after(ctx, s.Version)
		if err != nil {
			return err
		}
		if newer.Version != s.Version {
			s = newer
			l.change(func(n *News) { n.State = s })
		}
	}
}

// now asks for the state; an engine that is there has it at hand.
func (l *Link) now(ctx context.Context) (status.State, error) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	return l.client.Status(ctx, 0)
}

// after waits for news. When there was none for a while it looks whether the engine
// still answers.
func (l *Link) after(ctx context.Context, version uint64) (status.State, error) {
	wait, cancel := context.WithTimeout(ctx, quietTime)
	defer cancel()
	s, err := l.client.Status(wait, version)
	if err != nil && ctx.Err() == nil && wait.Err() != nil {
		return l.now(ctx)
	}
	return s, err
}

// followChanges tells the last changes. It ends with the first error: follow then
// sees one, too.
func (l *Link) followChanges(ctx context.Context) {
	for {
		page, err := l.client.Activity(ctx, control.ActivityRequest{Limit: recentMost})
		if err != nil {
			return
		}
		l.change(func(n *News) { n.Recent = page.Items })
		for next := page.Next; ; {
			if sleep(ctx, recentEvery) != nil {
				return
			}
			page, err := l.client.Activity(ctx, control.ActivityRequest{After: next, Limit: 1, Wait: activityWait})
			if err != nil {
				return
			}
			if len(page.Items) > 0 {
				break
			}
		}
	}
}

// activityWait is how long one question for changes waits.
const activityWait = 30 * time.Second

// Stop ends the engine, cleanly, if a tray has begun it, and waits until it has
// ended. Run must have returned.
func (l *Link) Stop(ctx context.Context) error {
	l.mu.Lock()
	own, p := l.news.Own, l.proc
	l.mu.Unlock()
	if p != nil {
		select {
		case <-p.Done():
			p = nil
		default:
		}
	}
	if !own && p == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, stopTime)
	defer cancel()
	err := l.client.Stop(ctx)
	l.client.Close()
	if p == nil {
		return l.awaitEnd(ctx, err)
	}
	if err != nil {
		p.Interrupt() // it has not got as far as to answer
	}
	select {
	case <-p.Done():
		return nil
	case <-ctx.Done():
	}
	p.Kill()
	return fmt.Errorf("the engine did not stop in time and was ended: %w", errors.Join(err, ctx.Err()))
}

// awaitEnd waits until nobody answers any more. The engine may be gone before its
// answer has come.
func (l *Link) awaitEnd(ctx context.Context, err error) error {
	var e *control.Error
	if errors.As(err, &e) && e.Kind == control.KindNotRunning {
		return nil
	}
	for err == nil && sleep(ctx, soon) == nil {
		if _, gone := l.client.Status(ctx, 0); gone != nil {
			break
		}
	}
	return err
}

// pause waits, and says whether the person has cut it short.
func (l *Link) pause(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	case <-l.again:
		return true
	}
	return false
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-t.C:
		return nil
	}
}

// backoff doubles, with a quarter of chance each way, so that trays that were all
// cut off at once do not come back at once.
type backoff struct{ last time.Duration }

func (b *backoff) next() time.Duration {
	b.last = min(max(backFirst, 2*b.last), backMost)
	return b.last*3/4 + rand.N(b.last/2)
}
