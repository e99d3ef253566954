package netproto

import (
	"context"
	"io"
	"sync"
	"time"

	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// spread writes the answers of one lane: straight to the lane, or, while the
// session has further connections, each frame to whichever can take it. One
// goroutine calls Write.
type spread struct {
	s   *Session
	ctx context.Context // of the lane
	str *quic.Stream
	c   class
	wg  sync.WaitGroup

	near    bool   // a connection takes much at a time
	version int    // of the session's connections, when it was looked last
	number  uint64 // of the next strand

	mu      sync.Mutex
	free    chan struct{} // of length 1: something may have changed
	strands []*weft       // guarded by mu
	pending []byte        // guarded by mu: what is to be written to the lane itself
	writing bool          // guarded by mu: somebody does that
	err     error         // guarded by mu: the first
}

// weft is a strand that we write.
type weft struct {
	on     *further
	str    *quic.Stream
	number uint64
	work   chan struct{} // of length 1; closed at the end
	buf    []byte        // the frames to be written; the writer's while busy
	busy   bool          // guarded by spread.mu
}

func newSpread(ctx context.Context, s *Session, str *quic.Stream, kind wire.LaneKind) *spread {
	return &spread{s: s, ctx: ctx, str: str, c: classOf(kind), near: s.RTT() < 2*nearest, free: make(chan struct{}, 1)}
}

func (w *spread) Write(frames []byte) (int, error) {
	w.s.restraint.begin()
	defer w.s.restraint.end()
	if w.s.restraint.start() {
		w.s.wg.Go(w.s.conduct)
	}
	w.adopt()
	w.mu.Lock()
	straight := len(w.strands) == 0 && !w.writing
	err := w.err
	w.mu.Unlock()
	if err == nil && straight {
		err = w.s.send(w.ctx, w.str, frames, w.c)
	} else if err == nil {
		err = w.assign(frames)
	}
	if err != nil && w.ctx.Err() != nil && w.s.ctx.Err() == nil {
		err = errUnread
	}
	return len(frames), err
}

// unit is at how many bytes a frame should end.
func (w *spread) unit() int {
	w.mu.Lock()
	straight := len(w.strands) == 0
	w.mu.Unlock()
	if straight && (w.near || w.s.restraint.paces()) {
		return answerBuffer // there will hardly be more connections
	}
	return w.s.restraint.unit()
}

// assign gives frames to a connection, waiting for one that can take them.
func (w *spread) assign(frames []byte) error {
	for {
		w.mu.Lock()
		if w.err != nil {
			defer w.mu.Unlock()
			return w.err
		}
		if x := w.idle(); x != nil {
			defer w.mu.Unlock()
			return w.give(x, frames)
		}
		if !w.writing {
			defer w.mu.Unlock()
			w.pending = append(w.pending, frames...)
			w.flow()
			return nil
		}
		w.mu.Unlock()
		select {
		case <-w.free:
		case <-w.ctx.Done():
			return w.ctx.Err()
		}
	}
}

// idle is a strand that can take something. Called with mu held.
func (w *spread) idle() *weft {
	if len(w.pending) > mostUnit {
		return nil // the lane itself does not get on; without it nothing does
	}
	for _, x := range w.strands {
		if !x.busy {
			return x
		}
	}
	return nil
}

// give hands frames to a strand. Called with mu held.
func (w *spread) give(x *weft, frames []byte) error {
	var err error
	if w.pending, err = wire.AppendAside(w.pending, wire.Aside{Strand: x.number, Count: wire.Frames(frames)}); err != nil {
		return err
	}
	w.flow()
	x.buf, x.busy = append(x.buf[:0], frames...), true
	x.work <- struct{}{}
	return nil
}

// flow has what is pending written to the lane. Called with mu held.
func (w *spread) flow() {
	if !w.writing {
		w.writing = true
		w.wg.Go(w.drain)
	}
}

// drain writes what is pending until nothing is.
func (w *spread) drain() {
	w.s.restraint.begin()
	defer w.s.restraint.end()
	stop := context.AfterFunc(w.ctx, func() { w.str.CancelWrite(quic.StreamErrorCode(wire.Closed)) })
	defer stop()
	var buf []byte
	for {
		w.mu.Lock()
		if len(w.pending) == 0 || w.err != nil {
			w.writing = false
			w.mu.Unlock()
			w.wake()
			return
		}
		buf, w.pending = w.pending, buf[:0]
		w.mu.Unlock()
		if err := w.s.send(w.ctx, w.str, buf, w.c); err != nil {
			w.fail(err)
		}
	}
}

func (w *spread) wake() {
	select {
	case w.free <- struct{}{}:
	default:
	}
}

func (w *spread) fail(err error) {
	w.mu.Lock()
	if w.err == nil {
		w.err = err
	}
	w.mu.Unlock()
	w.wake()
}

// adopt begins to use connections that are new, and to leave those that go.
func (w *spread) adopt() {
	version := w.s.more.version()
	if version == w.version {
		return
	}
	var list []*further
	list, w.version = w.s.more.list()
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, f := range list {
		if !w.has(f) {
			w.begin(f)
		}
	}
}

func (w *spread) has(f *further) bool {
	for _, x := range w.strands {
		if x.on == f {
			return true
		}
	}
	return false
}

// begin opens a strand. Called with mu held.
func (w *spread) begin(f *further) {
	str, err := f.conn.OpenStream()
	if err != nil {
		return // it is about to end, or full
	}
	head, err := wire.AppendStrand(nil, wire.Strand{Lane: uint64(w.str.StreamID()), Number: w.number})
	if err == nil {
		_, err = str.Write(head)
	}
	if err != nil || !w.s.more.join(f) {
		str.CancelWrite(quic.StreamErrorCode(wire.Closed))
		return
	}
	str.SetPriority(urgencyOf(w.c), true)
	x := &weft{on: f, str: str, number: w.number, work: make(chan struct{}, 1)}
	w.number++
	w.strands = append(w.strands, x)
	w.wg.Go(func() { w.weave(x) })
}

func urgencyOf(c class) int8 {
	if c == urgent {
		return urgencySmall
	}
	return urgencyBig
}

// weave writes what is given to a strand, until that ends.
func (w *spread) weave(x *weft) {
	defer x.on.strands.Done()
	stop := context.AfterFunc(w.ctx, func() {
		x.str.CancelWrite(quic.StreamErrorCode(wire.Closed))
		x.str.CancelRead(quic.StreamErrorCode(wire.Closed))
	})
	defer stop()
	for {
		select {
		case <-w.ctx.Done():
			return
		case <-x.work:
			w.s.restraint.begin()
			err := w.s.send(w.ctx, x.str, x.buf, w.c)
			w.s.restraint.end()
			if err != nil {
				w.tear(err)
				return
			}
			w.mu.Lock()
			x.busy = false
			w.mu.Unlock()
			w.wake()
		case <-x.on.leaving:
			w.last(x)
			return
		}
	}
}

// last writes what a strand still has, says that it is at its end, and waits until
// the peer has read all of it.
func (w *spread) last(x *weft) {
	w.mu.Lock()
	for i, y := range w.strands {
		if x == y {
			w.strands = append(w.strands[:i:i], w.strands[i+1:]...)
		}
	}
	w.mu.Unlock()
	var err error
	select {
	case <-x.work:
		err = w.s.send(w.ctx, x.str, x.buf, w.c)
	default:
	}
	w.mu.Lock()
	if err == nil {
		w.pending, err = wire.AppendAside(w.pending, wire.Aside{Strand: x.number})
	}
	w.flow()
	w.mu.Unlock()
	if err == nil {
		err = x.str.Close()
	}
	if err == nil {
		if _, err = x.str.Read(make([]byte, 1)); err == io.EOF {
			return
		}
	}
	w.tear(err)
}

// tear ends the lane because a strand broke: what was on it has to be asked for
// again.
func (w *spread) tear(err error) {
	if w.ctx.Err() == nil {
		w.s.node.cfg.Log.Debug("a strand broke", "device", w.s.device.Short(), "err", err)
		w.str.CancelWrite(quic.StreamErrorCode(wire.Torn))
		w.str.CancelRead(quic.StreamErrorCode(wire.Torn))
		w.fail(errUnread)
	}
}

// close ends all strands, with the lane, whose context has ended.
func (w *spread) close() { w.wg.Wait() }

// conductEvery is how often the connections are looked at while there is bulk, and
// conductFar how often where round trips are long.
const (
	conductEvery = 20 * time.Millisecond
	conductFar   = 50 * time.Millisecond
)

// conduct governs the session's bulk until it rests.
func (s *Session) conduct() {
	tick := time.NewTicker(conductEvery)
	defer tick.Stop()
	c := &s.conductor
	c.begin(s.node.cfg.Now(), s.conn.ConnectionStats().MinRTT)
	s.restraint.set(c.rate)
	if c.base > 5*far {
		tick.Reset(conductFar)
	}
	var seen map[*quic.Conn]uint64
	var busy time.Duration
	last := s.node.cfg.Now()
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-tick.C:
		}
		now := s.node.cfg.Now()
		var r reading
		r, seen = s.reading(seen)
		if r.busy != busy {
			busy, last = r.busy, now
		}
		if now.Sub(last) > restAfter {
			s.want(0)
			c.rest(now)
			if s.restraint.rest() {
				return
			}
			last = now
		}
		if !c.step(now, r) {
			continue
		}
		s.restraint.set(c.rate)
		if s.hello.Caps&wire.CapMore != 0 {
			s.want(c.more)
		}
	}
}

// restAfter is after what time without bulk the further connections are closed.
const restAfter = 4 * time.Second

// reading asks the connections. seen is how many packets each had received, and
// now has.
func (s *Session) reading(seen map[*quic.Conn]uint64) (t reading, now map[*quic.Conn]uint64) {
	m := &s.more
	m.mu.Lock()
	ours := m.ours // which is never changed in place
	t = reading{lost: m.lost, sent: m.sent, more: len(ours)}
	for f := range m.parting {
		stats := f.conn.ConnectionStats()
		t.sent += int64(stats.BytesSent)
		t.lost += int64(stats.PacketsLost)
	}
	m.mu.Unlock()
	now = make(map[*quic.Conn]uint64, 1+len(ours))
	add := func(conn *quic.Conn) {
		stats := conn.ConnectionStats()
		t.sent += int64(stats.BytesSent)
		t.lost += int64(stats.PacketsLost)
		t.cwnd += int64(stats.CongestionWindow)
		t.smooth = max(t.smooth, stats.SmoothedRTT)
		if seen[conn] != stats.PacketsReceived && stats.LatestRTT > 0 && (t.rtt == 0 || stats.LatestRTT < t.rtt) {
			t.rtt = stats.LatestRTT
		}
		now[conn] = stats.PacketsReceived
	}
	add(s.conn)
	for _, f := range ours {
		add(f.conn)
	}
	t.busy, t.waited = s.restraint.look()
	if s.node.limits.limited(s) {
		t.limit = s.node.limits.up.limit()
	}
	return t, now
}
