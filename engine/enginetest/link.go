package enginetest

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"pinion/engine"
	"pinion/engine/tree"
)

// link is a connection between two running engines. It behaves as netproto
// promises: of offers and of a folder's states only the newest need arrive, in
// that order; a folder's batches come one at a time and in order; an engine hears
// of a session's end once nothing of it arrives any more.
type link struct {
	met    bool // both ends have heard of it
	w      *World
	a, b   *session
	ctx    context.Context
	cancel context.CancelCauseFunc
	over   chan struct{}

	mu     sync.Mutex
	closed bool // nothing new is started any more
	wg     sync.WaitGroup
}

// spawn runs fn as a part of the link, unless that is over.
func (l *link) spawn(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.wg.Go(fn)
	}
}

// session is one end of a link: the engine.Session of local's engine.
type session struct {
	link          *link
	local, remote *Device
	from, to      *engine.Engine
	peer          *session
	more          chan struct{} // of length 1

	mu      sync.Mutex
	offers  *[]tree.Offer
	states  map[tree.FolderID]tree.FolderState
	order   []tree.FolderID
	batches map[tree.FolderID]chan tree.Batch
}

func newLink(w *World, a, b *Device) *link {
	l := &link{w: w, over: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	end := func(local, remote *Device) *session {
		return &session{
			link: l, local: local, remote: remote, from: local.engine, to: remote.engine, more: make(chan struct{}, 1),
			states: map[tree.FolderID]tree.FolderState{}, batches: map[tree.FolderID]chan tree.Batch{},
		}
	}
	l.a, l.b = end(a, b), end(b, a)
	l.a.peer, l.b.peer = l.b, l.a
	return l
}

// meet has both ends hear of the link.
func (l *link) meet() {
	l.met = true
	l.a.from.Connected(l.a)
	l.b.from.Connected(l.b)
}

// begin runs the link until it is cancelled. A cause other than nil is a fault.
func (l *link) begin() {
	go func() {
		defer close(l.over)
		if !l.met {
			l.meet()
		}
		l.spawn(l.a.deliver)
		l.spawn(l.b.deliver)
		<-l.ctx.Done()
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		l.wg.Wait()
		var why error
		if cause := context.Cause(l.ctx); !errors.Is(cause, context.Canceled) {
			why = cause
		}
		l.a.from.Disconnected(l.a, why)
		l.b.from.Disconnected(l.b, why)
		if why != nil {
			l.w.mend(l, why)
		}
	}()
}

func (s *session) Device() tree.DeviceID { return s.remote.ID }

func (s *session) wake() {
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *session) SendOffers(offers []tree.Offer) {
	list := append([]tree.Offer{}, offers...)
	s.mu.Lock()
	s.offers = &list
	s.mu.Unlock()
	s.wake()
}

func (s *session) SendState(st tree.FolderState) {
	s.mu.Lock()
	if _, there := s.states[st.Folder]; !there {
		s.order = append(s.order, st.Folder)
	}
	s.states[st.Folder] = st
	s.mu.Unlock()
	s.wake()
}

// deliver hands on what local says of its folders.
func (s *session) deliver() {
	for {
		select {
		case <-s.link.ctx.Done():
			return
		case <-s.more:
		}
		s.mu.Lock()
		offers, states := s.offers, make([]tree.FolderState, 0, len(s.order))
		for _, id := range s.order {
			states = append(states, s.states[id])
		}
		s.offers, s.order = nil, nil
		clear(s.states)
		s.mu.Unlock()
		if offers != nil {
			s.trace("offers", *offers)
			s.to.Offers(s.peer, *offers)
		}
		for _, st := range states {
			s.trace("state", st)
			s.to.State(s.peer, st)
		}
	}
}

// Moves says that the peer understands short words of moved files.
func (s *session) Moves() bool { return true }

func (s *session) SendBatch(ctx context.Context, id tree.FolderID, b tree.Batch) error {
	s.mu.Lock()
	q := s.batches[id]
	if q == nil {
		q = make(chan tree.Batch, 2)
		s.batches[id] = q
		s.link.spawn(func() { s.deliverBatches(id, q) })
	}
	s.mu.Unlock()
	select {
	case q <- b:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	case <-s.link.ctx.Done():
		return errors.New("the session is over")
	}
}

func (s *session) deliverBatches(id tree.FolderID, q chan tree.Batch) {
	for {
		select {
		case <-s.link.ctx.Done():
			return
		case b := <-q:
			s.trace("batch", fmt.Sprintf("of %d rows after %d up to %+v", len(b.Entries), b.After, b.Upto))
			if err := s.to.Batch(s.link.ctx, s.peer, id, b); err != nil {
				s.link.cancel(fmt.Errorf("%s refused a batch of %s: %w", s.remote.Name, s.local.Name, err))
			}
		}
	}
}

// trace counts a message, and notes it beside what the engines log.
func (s *session) trace(kind string, what any) {
	s.link.w.messages.Add(1)
	fmt.Fprintf(s.link.w.trail, "%s -> %s: %s %+v\n", s.local.Name, s.remote.Name, kind, what)
}

// goneError is what a peer is told for content that is not to be had.
type goneError struct{}

func (goneError) Error() string { return "the peer has not got it" }
func (goneError) Gone() bool    { return true }

// bound gives a context that ends with the session, too.
func (s *session) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.link.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

func (s *session) Manifest(ctx context.Context, id tree.FolderID, content, base tree.ContentID, _ int64) (tree.Manifest, error) {
	ctx, done := s.bound(ctx)
	defer done()
	m, err := s.to.Manifest(ctx, id, content, base)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, goneError{}
	}
	return m, nil
}

func (s *session) Kept(ctx context.Context, id tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error) {
	ctx, done := s.bound(ctx)
	defer done()
	page, err := s.to.Kept(ctx, id, q)
	if ctx.Err() != nil {
		return tree.KeptPage{}, ctx.Err()
	}
	return page, err
}

func (s *session) Fetch(ctx context.Context, id tree.FolderID, wants []tree.Want,
	sink func(i int, off int64, data []byte) error, done func(i int, err error)) error {
	ctx, end := s.bound(ctx)
	defer end()
	w := &answers{ctx: ctx, from: s.remote, sink: sink, done: done, ended: make([]bool, len(wants))}
	_ = s.to.Serve(ctx, id, wants, w) // what it has not ended is gone, whatever it returns
	if w.err != nil {
		return w.err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	for i, ended := range w.ended {
		if !ended {
			done(i, goneError{})
		}
	}
	return nil
}

// answers is what a device writes its answers to.
type answers struct {
	ctx   context.Context
	from  *Device
	sink  func(i int, off int64, data []byte) error
	done  func(i int, err error)
	ended []bool
	err   error
}

func (a *answers) Piece(i int, off int64, data []byte) error {
	if err := a.from.gate.pass(a.ctx, int64(len(data))); err != nil {
		return err
	}
	a.from.served.Add(int64(len(data)))
	a.err = a.sink(i, off, data)
	return a.err
}

func (a *answers) Done(i int, gone bool) error {
	if err := a.ctx.Err(); err != nil {
		return err
	}
	a.ended[i] = true
	if gone {
		a.done(i, goneError{})
	} else {
		a.done(i, nil)
	}
	return nil
}

var _ engine.Session = (*session)(nil)
