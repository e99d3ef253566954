package transfer

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"
)

var (
	errPaused    = errors.New("paused")
	errNotNeeded = errors.New("it has come from elsewhere")
	errShort     = errors.New("the answer ended early")
)

// isGone says whether a source's error means that it has not got the content.
func isGone(err error) bool {
	var g interface{ Gone() bool }
	return errors.Is(err, ErrGone) || errors.As(err, &g) && g.Gone()
}

// pulse is when a source last gave something. While what it gave is being
// worked on, its silence is not its fault.
type pulse struct {
	now  func() time.Time
	last atomic.Int64 // nanoseconds; 0 while at work
}

func (p *pulse) working() { p.last.Store(0) }
func (p *pulse) waiting() { p.last.Store(p.now().UnixNano()) }

// request runs one exchange with a peer. It ends with ErrStalled when nothing
// came for StallAfter, with errPaused at a Pause, and with the cause that cancel
// was given.
func (f *Fetcher) request(ctx context.Context, started func(cancel context.CancelCauseFunc), call func(context.Context, *pulse) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	f.mu.Lock()
	flow := f.flow
	f.mu.Unlock()
	defer context.AfterFunc(flow, func() { cancel(errPaused) })()
	if started != nil {
		started(cancel)
	}
	beat := &pulse{now: f.o.Now}
	beat.waiting()
	var watch sync.WaitGroup
	ended := make(chan struct{})
	watch.Go(func() { f.watch(beat, ended, cancel) })
	err := call(ctx, beat)
	close(ended)
	watch.Wait()
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return err
}

func (f *Fetcher) watch(beat *pulse, ended <-chan struct{}, cancel context.CancelCauseFunc) {
	most := f.o.Limits.StallAfter
	wait := most
	for {
		select {
		case <-ended:
			return
		case <-f.o.After(wait):
		}
		last := beat.last.Load()
		if last == 0 {
			wait = most
			continue
		}
		if wait = most - f.o.Now().Sub(time.Unix(0, last)); wait <= 0 {
			cancel(ErrStalled)
			return
		}
	}
}

// innocent says whether a request ended for a reason that is not the peer's.
func innocent(ctx context.Context, err error) bool {
	return ctx.Err() != nil || errors.Is(err, errPaused) || errors.Is(err, errNotNeeded)
}
