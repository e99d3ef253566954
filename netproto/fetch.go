package netproto

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"

	"pinion/engine/tree"
	"pinion/netproto/wire"
)

// smallWant is up to how many bytes a want goes by the lane of small ones.
const smallWant = 256 << 10

// Up to so many wants of so many bytes together are quickly answered.
const (
	quickWants = 16
	quickBytes = 64 << 10
)

// Fetch asks the peer for wants, any number of them, and streams the answers in
// their order: sink gets successive pieces of want i, off being where they stand
// in the content; done(i, nil) ends it, done(i, ErrGone) says that the peer has
// not got it, and that what was given of it is void. They are called one at a
// time, and never after Fetch returned; blocking in them is back pressure. Wants
// whose done was not called when Fetch fails were not answered. An error of sink
// ends Fetch with that error. ErrStalled: the peer stopped answering.
func (s *Session) Fetch(ctx context.Context, folder tree.FolderID, wants []tree.Want,
	sink func(i int, off int64, data []byte) error, done func(i int, err error)) error {
	p := &place{sink: sink, done: done}
	for tries := 0; ; tries++ {
		if err := s.takeGifts(wants, p); err != nil || p.want == len(wants) {
			return err
		}
		want, came := p.want, p.came
		err := s.ask(ctx, folder, wants[want:], p)
		if !errors.Is(err, errTorn) || tries == maxTorn {
			return err
		}
		if p.want > want || p.came > came {
			tries = 0
		}
		if i := p.want; i < len(wants) && !wants[i].Whole && p.came == wants[i].Length {
			p.first = 0 // only its end is missing
			p.end(i, nil)
		}
	}
}

// maxTorn is how often a call of Fetch asks again in vain because a connection
// broke.
const maxTorn = 4

// place is how far a call of Fetch is, so that it can go on there.
type place struct {
	sink func(i int, off int64, data []byte) error
	done func(i int, err error)

	want  int   // the one that is being answered
	came  int64 // bytes of it, from where it begins
	first int   // where those that were asked for last begin
	skip  int64 // bytes of the first that come once more
}

func (p *place) take(i int, off int64, data []byte) error {
	if i == 0 && p.skip > 0 {
		n := min(p.skip, int64(len(data)))
		p.skip -= n
		if data, off = data[n:], off+n; len(data) == 0 {
			return nil
		}
	}
	p.came += int64(len(data))
	return p.sink(p.first+i, off, data)
}

func (p *place) end(i int, err error) {
	p.want, p.came, p.skip = p.first+i+1, 0, 0
	p.done(p.first+i, err)
}

// ask is Fetch without a second try.
func (s *Session) ask(ctx context.Context, folder tree.FolderID, wants []tree.Want, p *place) error {
	c := &fetchCall{sink: p.take, done: p.end, end: make(chan struct{})}
	if p.first, p.skip = p.want, p.came; !wants[0].Whole {
		c.from, p.skip = p.came, 0
	}
	l, err := s.fetch(ctx, folder, wants, c)
	if err == nil {
		select {
		case <-c.end:
		case <-ctx.Done():
			err = ctx.Err()
		}
	}
	if err = c.leave(err); err == nil {
		return nil
	}
	if l != nil {
		l.trim()
	}
	return fmt.Errorf("fetch: %w", s.over(err))
}

// fetch writes the requests, waiting for room.
func (s *Session) fetch(ctx context.Context, folder tree.FolderID, wants []tree.Want, c *fetchCall) (*lane, error) {
	kind := wire.Small
	for _, w := range wants {
		if w.Length > smallWant {
			kind = wire.Big
			break
		}
	}
	l, err := s.lane(ctx, kind, len(wants) <= quickWants && lengthOf(wants) <= quickBytes)
	if err != nil {
		return nil, err
	}
	c.open(1) // so that it does not end before all is asked
	defer c.ended()
	for rest := (asking{wants: wants, off: c.from}); !rest.over(); {
		group, a := rest.next(s.portion())
		frame, n, err := wire.AppendFetchRequest(nil, folder, group)
		if err != nil {
			return l, err
		}
		a.call, a.progress = c, wire.NewProgress(group[:n])
		if a.ahead != nil {
			err := a.ahead.reserve(ctx, s, lengthOf(group[:n]), classOf(kind))
			if errors.Is(err, errAnew) {
				continue
			}
			if err != nil || c.moot.Load() {
				a.ahead.back()
				return l, err
			}
		}
		rest.asked(group[:n])
		c.open(1)
		if l, err = s.submit(ctx, l, frame, a); err != nil {
			return l, err
		}
	}
	return l, nil
}

// fetchCall is one call of Fetch: the requests that it made, and its caller.
type fetchCall struct {
	sink func(i int, off int64, data []byte) error
	done func(i int, err error)
	end  chan struct{} // closed when nothing is under way any more, or all is lost
	from int64         // bytes of the first want that are not asked for

	moot atomic.Bool // nobody waits any more

	mu     sync.Mutex // held while sink or done runs
	count  int        // guarded by mu: what is under way
	closed bool       // guarded by mu: end is closed
	err    error      // guarded by mu: the first
	next   int        // guarded by mu: wants before this one are done
}

func (c *fetchCall) open(n int) {
	c.mu.Lock()
	c.count += n
	c.mu.Unlock()
}

func (c *fetchCall) ended() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.count--
	if (c.count == 0 || c.err != nil) && !c.closed {
		c.closed = true
		close(c.end)
	}
}

// fail notes why the call can't succeed. The caller holds mu.
func (c *fetchCall) fail(err error) {
	if c.err == nil {
		c.err = err
	}
	c.moot.Store(true)
	if !c.closed {
		c.closed = true
		close(c.end)
	}
}

// leave returns when neither sink nor done runs, and they never will again. It
// gives the call's error, of which err is one.
func (c *fetchCall) leave(err error) error {
	c.moot.Store(true)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		c.err = err
	}
	return c.err
}

// fetchAsk is one request of a call.
type fetchAsk struct {
	call     *fetchCall
	first    int // the index of its first want in the call
	progress *wire.Progress
	of       []origin // where its wants are from; nil: they are the call's own
	ahead    *ahead   // what it took of the limit; nil: there was none
}

func (a *fetchAsk) wanted() bool { return !a.call.moot.Load() }

func (a *fetchAsk) over(err error) {
	a.ahead.back()
	if err != nil {
		a.call.mu.Lock()
		a.call.fail(err)
		a.call.mu.Unlock()
	}
	a.call.ended()
}

func (a *fetchAsk) take(t wire.Type, payload []byte) (last bool, err error) {
	if t != wire.TypePiece {
		return false, failure(wire.OutOfOrder, fmt.Errorf("type %d instead of a piece", t))
	}
	p, err := wire.ParsePiece(payload)
	if err == nil {
		err = a.progress.Take(p)
	}
	if err != nil {
		return false, err
	}
	a.ahead.came(int64(len(p.Data)))
	i := a.first + p.Index
	if a.of != nil {
		from := a.of[p.Index]
		i, p.Last = from.want, p.Last && (from.last || p.Gone)
	}
	a.call.give(i, p)
	return a.progress.Done(), nil
}

// give hands a piece to the caller, if it is still there.
func (c *fetchCall) give(i int, p wire.Piece) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.moot.Load() || i < c.next {
		return // or gone before
	}
	if len(p.Data) > 0 {
		if err := c.sink(i, p.Offset, p.Data); err != nil {
			c.fail(err)
			return
		}
	}
	switch {
	case p.Gone:
		c.next = i + 1
		c.done(i, ErrGone)
	case p.Last:
		c.next = i + 1
		c.done(i, nil)
	}
}
