package netproto

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

type deviceID = tree.DeviceID

// Urgencies of streams (RFC 9218): less is first, equals share.
const (
	urgencyControl = 0
	urgencyLists   = 2
	urgencySmall   = 3
	urgencyIndex   = 3
	urgencyBig     = 5
)

// Session is a connection with one peer, from Hello to its end.
type Session struct {
	node    *Node
	conn    *quic.Conn
	device  tree.DeviceID
	dialled bool // by us
	local   bool // in the local network
	hello   wire.Hello

	ctx    context.Context // ends with the session; its cause says why
	cancel context.CancelCauseFunc
	peer   *peer         // set when registered
	after  chan struct{} // an earlier session with the peer: its end comes first
	ended  chan struct{} // closed when the Handler knows of the end
	wg     sync.WaitGroup

	control   *quic.Stream
	controlIn *wire.Reader // owned by readControl once the session runs
	answer    []byte       // our Hello, if it was not said yet
	out       *outbox
	pongs     chan uint64 // of length 1

	sending indexesOut
	taking  indexesIn
	lanes   lanes

	more      more
	restraint restraint
	conductor conductor // owned by conduct, of which one runs at a time
	gifts     gifts

	listing  chan struct{}   // of length 1: held while a chunk list is answered, since it is whole in memory
	progress [8]atomic.Int64 // bytes of answers that came, by urgency
}

func newSession(n *Node, conn *quic.Conn, control *quic.Stream, device tree.DeviceID, dialled bool) *Session {
	s := &Session{
		node: n, conn: conn, device: device, dialled: dialled, local: isLocal(conn.RemoteAddr()),
		ended:   make(chan struct{}),
		control: control, controlIn: wire.NewReader(control, 0),
		out:   newOutbox(),
		pongs: make(chan uint64, 1),
	}
	s.ctx, s.cancel = context.WithCancelCause(conn.Context())
	s.sending.open = map[tree.FolderID]*indexOut{}
	s.taking.last = map[tree.FolderID]chan struct{}{}
	s.taking.room = make(chan struct{}, maxDecoding)
	s.listing = make(chan struct{}, 1)
	s.restraint.now = n.cfg.Now
	return s
}

// Device is the peer.
func (s *Session) Device() tree.DeviceID { return s.device }

// Name is what the peer calls itself.
func (s *Session) Name() string { return s.hello.Name }

// Software is what the peer says that it runs.
func (s *Session) Software() string { return s.hello.Software }

// RemoteAddr is where the peer is.
func (s *Session) RemoteAddr() net.Addr { return s.conn.RemoteAddr() }

// RTT is the smoothed round trip time.
func (s *Session) RTT() time.Duration { return s.conn.ConnectionStats().SmoothedRTT }

// Done is closed when the session is over, or about to be.
func (s *Session) Done() <-chan struct{} { return s.ctx.Done() }

// Close ends the session and does not wait. err is why: an *Error as it is, nil
// in good order, anything else as a fault of this device.
func (s *Session) Close(err error) {
	if err == nil {
		err = &Error{Code: wire.Closed}
	}
	s.cancel(sessionError(err))
}

// over is the error of a call that the end of the session cut short.
func (s *Session) over(err error) error {
	if s.ctx.Err() != nil {
		return sessionError(context.Cause(s.ctx))
	}
	return err
}

// run serves the session and gives why it ended.
func (s *Session) run() *Error {
	stop := context.AfterFunc(s.node.ctx, func() { s.cancel(context.Cause(s.node.ctx)) })
	defer stop()
	s.node.limits.join(s)
	defer s.node.limits.leave(s)
	s.wg.Go(s.writeControl)
	s.wg.Go(s.readControl)
	s.wg.Go(s.acceptIndexes)
	s.wg.Go(s.acceptLanes)
	<-s.ctx.Done()
	err := sessionError(context.Cause(s.ctx))
	_ = s.conn.CloseWithError(quic.ApplicationErrorCode(err.Code), closing(err))
	s.lanes.close()
	s.wg.Wait()
	return err
}

// fail ends the session because of the peer or of ourselves. A stream that the
// peer reset, or that broke because the session is ending, is no reason.
func (s *Session) fail(err error) {
	if err == nil || s.ctx.Err() != nil {
		return
	}
	if _, reset := errors.AsType[*quic.StreamError](err); reset {
		return
	}
	s.cancel(sessionError(err))
}

// readControl handles what comes on the control stream, in order.
func (s *Session) readControl() {
	in := incoming{s, s.control, s.controlIn}
	for {
		t, payload, err := in.next()
		if err == nil {
			err = s.handleControl(t, payload)
		}
		if err != nil {
			if _, reset := errors.AsType[*quic.StreamError](err); reset {
				err = failure(wire.OutOfOrder, errors.New("the control stream was reset"))
			}
			s.fail(err)
			return
		}
	}
}

func (s *Session) handleControl(t wire.Type, payload []byte) error {
	h := s.node.cfg.Handler
	switch t {
	case wire.TypeRoster:
		statements, err := wire.ParseRoster(payload)
		if err != nil {
			return err
		}
		return h.Roster(s, statements)
	case wire.TypeOffers:
		offers, err := wire.ParseOffers(payload)
		if err != nil {
			return err
		}
		return h.Offers(s, offers)
	case wire.TypeState:
		state, err := wire.ParseState(payload)
		if err != nil {
			return err
		}
		return h.State(s, state)
	case wire.TypePing:
		n, err := wire.ParsePing(payload)
		if err == nil {
			s.out.pong(n)
		}
		return err
	case wire.TypePong:
		n, err := wire.ParsePing(payload)
		if err == nil {
			select {
			case s.pongs <- n:
			default:
			}
		}
		return err
	}
	return failure(wire.OutOfOrder, fmt.Errorf("type %d on the control stream", t))
}

// probe asks the peer whether it is still there and ends the session if it does
// not say so in time.
func (s *Session) probe() {
	if !s.out.ping() {
		return // one is under way
	}
	patience := s.node.cfg.Timing.Probe
	t := time.NewTimer(patience)
	go func() { // ends by itself within patience
		defer t.Stop()
		select {
		case <-s.pongs:
			s.out.ponged()
		case <-s.ctx.Done():
		case <-t.C:
			s.Close(failure(wire.Slow, fmt.Errorf("no answer to a ping within %s", patience)))
		}
	}()
}

// incoming reads frames of a stream that may rest between two of them, but not
// within one.
type incoming struct {
	s      *Session
	stream interface{ SetReadDeadline(time.Time) error }
	r      *wire.Reader
}

func (in incoming) next() (t wire.Type, payload []byte, err error) {
	if in.r.Ready() {
		return in.r.Next()
	}
	if err := in.r.Await(); err != nil {
		return 0, nil, err
	}
	if in.r.Ready() {
		return in.r.Next()
	}
	err = in.patiently(func() error {
		t, payload, err = in.r.Next()
		return err
	})
	return t, payload, err
}

// head waits for the head of the next frame, which next then gives.
func (in incoming) head() error {
	if err := in.r.Await(); err != nil {
		return err
	}
	return in.patiently(func() error {
		_, _, err := in.r.Head()
		return err
	})
}

// patiently reads the rest of what has begun, as long as it goes on coming.
func (in incoming) patiently(read func() error) error {
	patience := in.s.node.cfg.Timing.Patience
	for {
		before := in.r.Received()
		if err := in.stream.SetReadDeadline(in.s.node.cfg.Now().Add(patience)); err != nil {
			return err
		}
		err := read()
		if errors.Is(err, os.ErrDeadlineExceeded) {
			if in.r.Received() == before {
				return failure(wire.Slow, errors.New("the rest of a message did not come"))
			}
			continue
		}
		if err != nil {
			return err
		}
		return in.stream.SetReadDeadline(time.Time{})
	}
}
