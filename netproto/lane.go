package netproto

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// lanes are the bulk streams on which we ask, opened when first needed.
type lanes struct {
	mu     sync.Mutex
	closed bool          // guarded by mu
	open   map[int]*lane // guarded by mu; by slot
}

// slots of a kind: big contents get two, so that one that is slow to be taken
// does not hold up another. What is quickly answered has a lane of its own, which
// a long batch of small contents, of another folder perhaps, does not hold up.
func slots(kind wire.LaneKind, quick bool) []int {
	switch {
	case kind == wire.Lists:
		return []int{0}
	case kind == wire.Small && quick:
		return []int{4}
	case kind == wire.Small:
		return []int{1}
	}
	return []int{2, 3}
}

func urgency(kind wire.LaneKind) int8 {
	switch kind {
	case wire.Lists:
		return urgencyLists
	case wire.Small:
		return urgencySmall
	}
	return urgencyBig
}

// ask is one request on a lane and who waits for its answer.
type ask interface {
	// take gets a frame of the answer, in order, and says whether it was the
	// last. An error is the peer's fault and ends the session. It may block: that
	// is back pressure.
	take(t wire.Type, payload []byte) (last bool, err error)
	// over is called once, with why no answer comes (any more), or nil.
	over(err error)
	// wanted says whether somebody still waits.
	wanted() bool
}

// lane is a stream of requests and of their answers in the same order.
type lane struct {
	s     *Session
	kind  wire.LaneKind
	quick bool
	str   *quic.Stream
	depth chan struct{} // of length wire.MaxDepth: requests under way
	dead  chan struct{} // closed by kill

	writing sync.Mutex // held while a request is written, so that queue has their order

	mu      sync.Mutex
	queue   []ask              // guarded by mu: asked and not answered
	err     error              // guarded by mu: why it is dead
	strands map[uint64]*strand // guarded by mu; by number
	arrived chan struct{}      // guarded by mu: closed when there is another strand, or one connection less
	ended   int                // guarded by mu: how many connections have ended
	from    *strand            // guarded by mu: where the next frames are; nil: on the lane itself
	left    int                // guarded by mu: how many of them
}

// lane gives the lane of a kind with the fewest requests under way.
func (s *Session) lane(ctx context.Context, kind wire.LaneKind, quick bool) (*lane, error) {
	l := &s.lanes
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return nil, s.over(ErrClosed)
	}
	var best *lane
	for _, slot := range slots(kind, quick) {
		have := l.open[slot]
		if have == nil || have.isDead() {
			if best != nil && len(best.depth) == 0 {
				break
			}
			fresh, err := s.openLane(ctx, kind)
			if err != nil {
				return nil, err
			}
			fresh.quick = quick
			if l.open == nil {
				l.open = map[int]*lane{}
			}
			l.open[slot] = fresh
			return fresh, nil
		}
		if best == nil || len(have.depth) < len(best.depth) {
			best = have
		}
	}
	return best, nil
}

// close kills all lanes.
func (l *lanes) close() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	for _, lane := range l.open {
		lane.kill(ErrClosed)
	}
}

func (s *Session) openLane(ctx context.Context, kind wire.LaneKind) (*lane, error) {
	str, err := s.conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, fmt.Errorf("open a lane: %w", s.over(err))
	}
	str.SetPriority(urgencyControl, true)
	l := &lane{s: s, kind: kind, str: str, depth: make(chan struct{}, wire.MaxDepth), dead: make(chan struct{}), arrived: make(chan struct{})}
	head, err := wire.AppendLane(nil, kind)
	if err == nil {
		_, err = str.Write(head)
	}
	if err != nil {
		l.kill(err)
		return nil, fmt.Errorf("open a lane: %w", s.over(err))
	}
	s.wg.Go(l.read)
	return l, nil
}

func (l *lane) isDead() bool {
	select {
	case <-l.dead:
		return true
	default:
		return false
	}
}

// recall kills the lanes on which contents are under way.
func (l *lanes) recall() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lane := range l.open {
		if lane.kind != wire.Lists {
			lane.killIf(errRecalled, func() bool { return len(lane.queue) > 0 })
		}
	}
}

// errRecalled is why a lane ended when a lower limit was set.
var errRecalled = errors.New("a lower limit was set")

// kill ends the lane and all that wait on it.
func (l *lane) kill(err error) {
	l.killIf(err, func() bool { return true })
}

// killIf kills the lane if it is alive and cond, called under mu, agrees.
func (l *lane) killIf(err error, cond func() bool) {
	l.mu.Lock()
	if l.err != nil || !cond() {
		l.mu.Unlock()
		return
	}
	l.err = err
	waiting := l.queue
	l.queue = nil
	for _, x := range l.strands {
		x.cancel()
	}
	close(l.dead)
	l.mu.Unlock()
	l.str.CancelRead(quic.StreamErrorCode(wire.Closed))
	l.str.CancelWrite(quic.StreamErrorCode(wire.Closed))
	for _, a := range waiting {
		a.over(err)
	}
}

// submit writes a request. It waits while too many are under way. If it fails,
// the request is not in the queue.
func (l *lane) submit(ctx context.Context, frame []byte, a ask) error {
	select {
	case l.depth <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	case <-l.dead:
		return l.why()
	}
	l.writing.Lock()
	defer l.writing.Unlock()
	l.mu.Lock()
	if l.err != nil {
		l.mu.Unlock()
		return l.why()
	}
	l.queue = append(l.queue, a)
	if len(l.queue) == 1 {
		l.setDeadline()
	}
	l.mu.Unlock()
	// It fits into the window, so that this does not wait for the peer. If it
	// fails, kill tells a.
	if _, err := l.str.Write(frame); err != nil {
		l.kill(err)
	}
	return nil
}

func (l *lane) why() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.s.over(l.err)
}

// setDeadline lets the reader wait for Stall while an answer is due. The caller
// holds mu.
func (l *lane) setDeadline() {
	var t time.Time
	if len(l.queue) > 0 {
		t = l.s.node.cfg.Now().Add(l.s.node.cfg.Timing.Stall)
	}
	if l.from != nil {
		_ = l.from.str.SetReadDeadline(t)
		return
	}
	_ = l.str.SetReadDeadline(t)
}

// trim ends the lane if nobody waits for any of the answers under way.
func (l *lane) trim() {
	l.killIf(errTrimmed, func() bool {
		return len(l.queue) > 0 && !slices.ContainsFunc(l.queue, ask.wanted)
	})
}

// errTrimmed is why a lane ended whose answers nobody wanted any more.
var errTrimmed = errors.New("the answers are no longer wanted")

// submit writes a request on l, or if that was trimmed meanwhile on a new lane,
// which it gives. If it fails, a.over was or will be called.
func (s *Session) submit(ctx context.Context, l *lane, frame []byte, a ask) (*lane, error) {
	for {
		err := l.submit(ctx, frame, a)
		if err == nil {
			return l, nil
		}
		if !errors.Is(err, errTrimmed) {
			a.over(err)
			return l, err
		}
		fresh, err := s.lane(ctx, l.kind, l.quick)
		if err != nil {
			a.over(err)
			return l, err
		}
		l = fresh
	}
}

// read hands the answers on until the lane ends.
func (l *lane) read() {
	r := wire.NewReader(l.str, 256<<10)
	var unpacked []byte
	for {
		t, payload, err := l.next(r)
		if err == nil && t == wire.TypeAside {
			if err = l.turn(payload); err == nil {
				continue
			}
		}
		if err == nil && l.kind == wire.Lists {
			err = l.s.passDown(l.s.ctx) // how long a list is, is not known before it is there
		}
		if err == nil {
			if err = l.take(t, payload, &unpacked); err != nil && !l.isDead() {
				l.s.fail(err)
			}
		} else if _, fault := errors.AsType[*Error](err); fault || errors.Is(err, wire.ErrBad) {
			l.s.fail(err)
		}
		if err != nil {
			l.kill(err)
			return
		}
	}
}

// next gives the next frame, or ErrStalled if one is due and nothing came for
// too long, neither here nor on streams that go before.
func (l *lane) next(r *wire.Reader) (wire.Type, []byte, error) {
	l.mu.Lock()
	l.setDeadline()
	from := l.from
	l.mu.Unlock()
	if from == nil {
		t, payload, err := l.await(r)
		if reset, ok := errors.AsType[*quic.StreamError](err); ok && reset.ErrorCode == quic.StreamErrorCode(wire.Torn) {
			err = errTorn
		}
		return t, payload, err
	}
	t, payload, err := l.await(from.r)
	switch {
	case err == nil && t == wire.TypeAside:
		err = failure(wire.OutOfOrder, errors.New("an aside on a strand"))
	case err != nil && !errors.Is(err, wire.ErrBad) && !errors.Is(err, ErrStalled):
		err = errTorn
	}
	l.turned()
	return t, payload, err
}

func (l *lane) await(r *wire.Reader) (wire.Type, []byte, error) {
	for {
		before, ahead := r.Received(), l.ahead()
		t, payload, err := r.Next()
		l.s.progress[urgency(l.kind)].Add(r.Received() - before)
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			return t, payload, err
		}
		l.mu.Lock()
		due := len(l.queue) > 0
		l.setDeadline()
		l.mu.Unlock()
		if due && r.Received() == before && l.ahead() == ahead {
			return 0, nil, ErrStalled
		}
	}
}

// ahead counts what came of answers that are more urgent.
func (l *lane) ahead() (n int64) {
	for u := range urgency(l.kind) {
		n += l.s.progress[u].Load()
	}
	return n
}

// take hands a frame to the request that it answers.
func (l *lane) take(t wire.Type, payload []byte, unpacked *[]byte) error {
	if t != wire.TypePacked {
		return l.answer(t, payload)
	}
	frames, err := l.s.node.packer.Unpack(*unpacked, payload)
	if err != nil {
		return err
	}
	*unpacked = frames
	for len(frames) > 0 {
		t, payload, rest, err := wire.Split(frames)
		if err != nil {
			return err
		}
		if err := l.answer(t, payload); err != nil {
			return err
		}
		frames = rest
	}
	return nil
}

func (l *lane) answer(t wire.Type, payload []byte) error {
	l.mu.Lock()
	if len(l.queue) == 0 {
		err := l.err
		l.mu.Unlock()
		if err != nil {
			return err
		}
		return failure(wire.OutOfOrder, errors.New("an answer that nobody asked for"))
	}
	a := l.queue[0]
	l.mu.Unlock()
	last, err := a.take(t, payload)
	if err != nil || !last {
		return err
	}
	l.mu.Lock()
	if err := l.err; err != nil { // and a was told
		l.mu.Unlock()
		return err
	}
	l.queue = l.queue[1:]
	<-l.depth
	l.mu.Unlock()
	a.over(nil)
	return nil
}

// Manifest asks the peer for the chunk list of a content. base names a content
// whose list is here, so that the difference may do; zero if there is none. The
// list is a claim until its id was computed from it. A list of more than most
// chunks ends the session. ErrGone: the peer has not got it.
func (s *Session) Manifest(ctx context.Context, folder tree.FolderID, content, base tree.ContentID, most int64) (tree.Manifest, error) {
	a := &listAsk{end: make(chan error, 1), most: min(most, wire.MaxChunks)}
	if !base.IsZero() {
		var err error
		if a.base, err = s.node.cfg.Handler.Manifest(ctx, s, folder, base); err != nil {
			base = tree.ContentID{}
		}
	}
	frame, err := wire.AppendManifestRequest(nil, wire.ManifestRequest{Folder: folder, Content: content, Base: base})
	if err != nil {
		return nil, fmt.Errorf("ask for a chunk list: %w", err)
	}
	l, err := s.lane(ctx, wire.Lists, false)
	if err == nil {
		l, err = s.submit(ctx, l, frame, a)
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a chunk list: %w", err)
	}
	select {
	case err = <-a.end:
	case <-ctx.Done():
		err = ctx.Err()
		a.left.Store(true)
		l.trim()
	}
	if err != nil {
		return nil, fmt.Errorf("ask for a chunk list: %w", s.over(err))
	}
	if a.gone {
		return nil, ErrGone
	}
	return a.list, nil
}

// listAsk waits for a chunk list. Its fields but left are the lane's
// until end has something.
type listAsk struct {
	base tree.Manifest
	end  chan error // of length 1

	most int64 // chunks that it may have
	list tree.Manifest
	told int64 // chunks so far
	gone bool

	left atomic.Bool
}

func (a *listAsk) wanted() bool   { return !a.left.Load() }
func (a *listAsk) over(err error) { a.end <- err }

func (a *listAsk) take(t wire.Type, payload []byte) (last bool, err error) {
	if t != wire.TypeManifestPart {
		return false, failure(wire.OutOfOrder, fmt.Errorf("type %d instead of a chunk list", t))
	}
	p, err := wire.ParseManifestPart(payload)
	if err != nil {
		return false, err
	}
	if uint64(p.At)+uint64(p.Count) > uint64(len(a.base)) {
		return false, fmt.Errorf("%w: a difference to a list of %d chunks", wire.ErrBad, len(a.base))
	}
	a.gone = a.gone || p.Gone
	a.told += int64(p.Count) + int64(len(p.Chunks))
	if a.told > a.most || !p.Last && p.Count == 0 && len(p.Chunks) == 0 {
		return false, fmt.Errorf("%w: a list of too many chunks", wire.ErrBad)
	}
	if a.wanted() {
		a.list = append(append(a.list, a.base[p.At:p.At+p.Count]...), p.Chunks...)
	}
	return p.Last, nil
}
