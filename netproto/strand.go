package netproto

import (
	"errors"
	"fmt"
	"time"

	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// maxStrands is how many strands a lane may have at a time.
const maxStrands = 16

// strand is a stream of a further connection on which answers of a lane come.
type strand struct {
	str *quic.Stream
	r   *wire.Reader
}

// cancel ends it in both directions.
func (x *strand) cancel() {
	x.str.CancelRead(quic.StreamErrorCode(wire.Closed))
	x.str.CancelWrite(quic.StreamErrorCode(wire.Closed))
}

// errTorn is why a lane ended of which a connection broke. Its wants are asked
// for again.
var errTorn = errors.New("a connection of the session broke")

// takeStrand reads a strand's head and gives it to its lane.
func (s *Session) takeStrand(str *quic.Stream) error {
	x := &strand{str: str, r: wire.NewReader(str, 0)}
	if err := str.SetReadDeadline(s.node.cfg.Now().Add(s.node.cfg.Timing.Patience)); err != nil {
		return err
	}
	t, payload, err := x.r.Next()
	if err != nil {
		return tooSlow(err)
	}
	if t != wire.TypeStrand {
		return failure(wire.OutOfOrder, fmt.Errorf("type %d at the head of a strand", t))
	}
	head, err := wire.ParseStrand(payload)
	if err != nil {
		return err
	}
	if err := str.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	l := s.lanes.find(head.Lane)
	if l == nil {
		x.cancel() // of a lane that has ended
		return nil
	}
	return l.attach(head.Number, x)
}

func (l *lanes) find(id uint64) *lane {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lane := range l.open {
		if uint64(lane.str.StreamID()) == id {
			return lane
		}
	}
	return nil
}

// moreEnded tells lanes that a further connection has ended: what is waited for
// may have been on it.
func (l *lanes) moreEnded() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, lane := range l.open {
		lane.mu.Lock()
		lane.ended++
		close(lane.arrived)
		lane.arrived = make(chan struct{})
		lane.mu.Unlock()
	}
}

func (l *lane) attach(number uint64, x *strand) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.err != nil:
		x.cancel()
		return nil
	case l.strands[number] != nil:
		return fmt.Errorf("%w: strand %d a second time", wire.ErrBad, number)
	case len(l.strands) >= maxStrands:
		return fmt.Errorf("%w: more than %d strands", wire.ErrBad, maxStrands)
	case l.kind == wire.Lists:
		return fmt.Errorf("%w: a strand of a lane of lists", wire.ErrBad)
	}
	if l.strands == nil {
		l.strands = map[uint64]*strand{}
	}
	l.strands[number] = x
	close(l.arrived)
	l.arrived = make(chan struct{})
	return nil
}

// strand waits for the strand of a number. It need not come: its connection may
// have ended before.
func (l *lane) strand(number uint64) (*strand, error) {
	t := time.NewTimer(l.s.node.cfg.Timing.Stall / 8)
	defer t.Stop()
	ended := -1
	for {
		l.mu.Lock()
		x, arrived, now := l.strands[number], l.arrived, l.ended
		l.mu.Unlock()
		if x != nil {
			return x, nil
		}
		if ended < 0 {
			ended = now
		} else if ended != now {
			return nil, errTorn
		}
		select {
		case <-arrived:
		case <-l.dead:
			return nil, l.why()
		case <-l.s.ctx.Done():
			return nil, l.s.over(ErrClosed)
		case <-t.C:
			return nil, errTorn
		}
	}
}

// turn follows an Aside: what comes next is read from there.
func (l *lane) turn(payload []byte) error {
	a, err := wire.ParseAside(payload)
	if err != nil {
		return err
	}
	if l.kind == wire.Lists {
		return failure(wire.OutOfOrder, errors.New("an aside on a lane of lists"))
	}
	x, err := l.strand(a.Strand)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if a.Count == 0 {
		delete(l.strands, a.Strand)
		x.str.CancelRead(quic.StreamErrorCode(wire.Closed))
		_ = x.str.Close() // which tells the peer that all has come
		return nil
	}
	l.from, l.left = x, a.Count
	_ = l.str.SetReadDeadline(time.Time{})
	l.setDeadline()
	return nil
}

// turned notes that a frame came from a strand.
func (l *lane) turned() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.left--; l.left == 0 {
		_ = l.from.str.SetReadDeadline(time.Time{})
		l.from = nil
	}
}
