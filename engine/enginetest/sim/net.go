package sim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"pinion/engine"
	"pinion/engine/tree"
)

// network is a device's engine.Network.
type network struct{ d *device }

var errNone = errors.New("there is none in this world")

func (n network) Invite(context.Context) (string, time.Time, error) { return "", time.Time{}, errNone }
func (n network) Join(context.Context, string, string) (tree.DeviceID, string, error) {
	return tree.DeviceID{}, "", errNone
}
func (n network) OwnName() string                                     { return n.d.name }
func (n network) Remove(context.Context, tree.DeviceID) error         { return errNone }
func (n network) Rename(context.Context, tree.DeviceID, string) error { return errNone }
func (n network) SetAddresses(map[tree.DeviceID][]string)             {}
func (n network) Sessions() []engine.SessionInfo                      { return nil }
func (n network) Listening() string                                   { return "" }
func (n network) Notes() []string                                     { return nil }

func (n network) Members() []engine.Member {
	var out []engine.Member
	for _, o := range n.d.w.devices {
		if o != n.d {
			out = append(out, engine.Member{ID: o.id, Name: o.name})
		}
	}
	return out
}

// link is a connection of two lives. Of offers and states only the newest need
// arrive; a folder's batches come in order; an engine hears of the end once
// nothing of the link arrives any more. Each message is a step of its own.
type link struct {
	w      *world
	a, b   *session
	ctx    context.Context
	cancel context.CancelCauseFunc
	over   chan struct{}

	mu     sync.Mutex
	closed bool
	wg     sync.WaitGroup
}

func (l *link) spawn(fn func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.wg.Go(fn)
	}
}

// session is one end: the engine.Session of from's engine.
type session struct {
	link     *link
	from, to *life
	peer     *session
	more     chan struct{}

	mu      sync.Mutex
	offers  *[]tree.Offer
	states  map[tree.FolderID]tree.FolderState
	batches chan tree.Batch
}

func newLink(w *world, a, b *life) *link {
	l := &link{w: w, over: make(chan struct{})}
	l.ctx, l.cancel = context.WithCancelCause(context.Background())
	end := func(from, to *life) *session {
		return &session{link: l, from: from, to: to, more: make(chan struct{}, 1), states: map[tree.FolderID]tree.FolderState{}}
	}
	l.a, l.b = end(a, b), end(b, a)
	l.a.peer, l.b.peer = l.b, l.a
	return l
}

func (l *link) run() {
	defer close(l.over)
	l.a.from.engine.Connected(l.a)
	l.b.from.engine.Connected(l.b)
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
	l.a.from.engine.Disconnected(l.a, why)
	l.b.from.engine.Disconnected(l.b, why)
}

func (s *session) Device() tree.DeviceID { return s.to.d.id }

func (s *session) wake() {
	select {
	case s.more <- struct{}{}:
	default:
	}
}

func (s *session) SendOffers(offers []tree.Offer) {
	list := slices.Clone(offers)
	s.mu.Lock()
	s.offers = &list
	s.mu.Unlock()
	s.wake()
}

func (s *session) SendState(st tree.FolderState) {
	s.mu.Lock()
	s.states[st.Folder] = st
	s.mu.Unlock()
	s.wake()
}

// step waits for this message's turn.
func (s *session) step(ctx context.Context, op, what string) error {
	return s.link.w.gates.wait(ctx, nil, s.from.d.name+"->"+s.to.d.name, op, what)
}

func (s *session) deliver() {
	for {
		select {
		case <-s.link.ctx.Done():
			return
		case <-s.more:
		}
		if s.step(s.link.ctx, "state", "") != nil {
			return
		}
		s.mu.Lock()
		offers := s.offers
		st, told := s.states[folderID]
		s.offers = nil
		clear(s.states)
		s.mu.Unlock()
		s.link.w.messages.Add(1)
		if offers != nil {
			s.to.engine.Offers(s.peer, *offers)
		}
		if told {
			if s.link.w.verbose {
				s.link.w.log("%s -> %s: state %+v", s.from.d.name, s.to.d.name, st)
			}
			s.to.engine.State(s.peer, st)
		}
	}
}

func (s *session) Moves() bool { return true }

func (s *session) SendBatch(ctx context.Context, _ tree.FolderID, b tree.Batch) error {
	s.mu.Lock()
	if s.batches == nil {
		q := make(chan tree.Batch, 2)
		s.batches = q
		s.link.spawn(func() { s.deliverBatches(q) })
	}
	q := s.batches
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

func (s *session) deliverBatches(q <-chan tree.Batch) {
	for {
		var b tree.Batch
		select {
		case <-s.link.ctx.Done():
			return
		case b = <-q:
		}
		if s.step(s.link.ctx, "batch", fmt.Sprint(b.After)) != nil {
			return
		}
		s.link.w.told(s.from.d, b)
		if err := s.to.engine.Batch(s.link.ctx, s.peer, folderID, b); err != nil {
			s.link.cancel(fmt.Errorf("%s refused a batch of %s: %w", s.to.d.name, s.from.d.name, err))
		}
	}
}

// goneError is what a peer is told for content that is not to be had.
type goneError struct{}

func (goneError) Error() string { return "the peer has not got it" }
func (goneError) Gone() bool    { return true }

func (s *session) bound(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancel(ctx)
	stop := context.AfterFunc(s.link.ctx, cancel)
	return ctx, func() { stop(); cancel() }
}

func (s *session) Manifest(ctx context.Context, id tree.FolderID, content, base tree.ContentID, _ int64) (tree.Manifest, error) {
	ctx, done := s.bound(ctx)
	defer done()
	if err := s.step(ctx, "manifest", content.String()); err != nil {
		return nil, err
	}
	m, err := s.to.engine.Manifest(ctx, id, content, base)
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
	if err := s.step(ctx, "kept", ""); err != nil {
		return tree.KeptPage{}, err
	}
	return s.to.engine.Kept(ctx, id, q)
}

func (s *session) Fetch(ctx context.Context, id tree.FolderID, wants []tree.Want,
	sink func(i int, off int64, data []byte) error, done func(i int, err error)) error {
	ctx, end := s.bound(ctx)
	defer end()
	if err := s.step(ctx, "fetch", wants[0].Content.String()); err != nil {
		return err
	}
	w := &answers{ctx: ctx, s: s, sink: sink, done: done, ended: make([]bool, len(wants))}
	_ = s.to.engine.Serve(ctx, id, wants, w) // what it has not ended is gone, whatever it returns
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
	s     *session
	sink  func(i int, off int64, data []byte) error
	done  func(i int, err error)
	ended []bool
	err   error
}

func (a *answers) Piece(i int, off int64, data []byte) error {
	if err := a.s.step(a.ctx, "piece", fmt.Sprint(i, off)); err != nil {
		return err
	}
	a.s.link.w.messages.Add(1)
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
