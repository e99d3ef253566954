package netproto

import (
	"fmt"
	"sync"

	"pinion/engine/tree"
	"pinion/netproto/wire"
)

// outbox is what waits to be written on the control stream: the newest of each
// kind, however slow the peer is.
type outbox struct {
	more chan struct{} // of length 1

	mu     sync.Mutex
	roster [][]byte
	offers *[]tree.Offer
	states map[tree.FolderID]tree.FolderState // at most wire.MaxFolders
	order  []tree.FolderID                    // of states: first asked, first sent
	pings  pinging
	pongN  *uint64
}

type pinging struct {
	n       uint64
	wanted  bool
	waiting bool // for the pong
}

func newOutbox() *outbox {
	return &outbox{more: make(chan struct{}, 1), states: map[tree.FolderID]tree.FolderState{}}
}

// put changes the outbox and wakes its writer.
func (o *outbox) put(change func()) {
	o.mu.Lock()
	change()
	o.mu.Unlock()
	select {
	case o.more <- struct{}{}:
	default:
	}
}

func (o *outbox) pong(n uint64) { o.put(func() { o.pongN = &n }) }

// ping says whether a new one was asked for.
func (o *outbox) ping() (fresh bool) {
	o.put(func() {
		if fresh = !o.pings.waiting; fresh {
			o.pings = pinging{n: o.pings.n + 1, wanted: true, waiting: true}
		}
	})
	return fresh
}

func (o *outbox) ponged() { o.put(func() { o.pings.waiting = false }) }

// SendRoster tells the peer circle's statements, in several messages if they are
// many. The newest call counts.
func (s *Session) SendRoster(statements [][]byte) {
	s.out.put(func() { s.out.roster = append([][]byte{}, statements...) })
}

// SendOffers tells the peer all folders that are held here. The newest call counts.
func (s *Session) SendOffers(offers []tree.Offer) {
	list := append([]tree.Offer{}, offers...)
	s.out.put(func() { s.out.offers = &list })
}

// SendState tells the peer how a folder is. Of several calls for one folder the
// newest counts.
func (s *Session) SendState(state tree.FolderState) {
	s.out.put(func() {
		if _, there := s.out.states[state.Folder]; !there {
			if len(s.out.order) >= wire.MaxFolders {
				return
			}
			s.out.order = append(s.out.order, state.Folder)
		}
		s.out.states[state.Folder] = state
	})
}

// take makes frames of what waits.
func (o *outbox) take(dst []byte) (_ []byte, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.pongN != nil {
		dst, o.pongN = wire.AppendPong(dst, *o.pongN), nil
	}
	if o.pings.wanted {
		dst, o.pings.wanted = wire.AppendPing(dst, o.pings.n), false
	}
	for len(o.roster) > 0 {
		n := wire.RosterRoom(o.roster)
		if dst, err = wire.AppendRoster(dst, o.roster[:n]); err != nil {
			return dst, fmt.Errorf("tell the roster: %w", err)
		}
		o.roster = o.roster[n:]
	}
	if o.offers != nil {
		if dst, err = wire.AppendOffers(dst, *o.offers); err != nil {
			return dst, fmt.Errorf("offer folders: %w", err)
		}
		o.offers = nil
	}
	for _, folder := range o.order {
		if dst, err = wire.AppendState(dst, o.states[folder]); err != nil {
			return dst, fmt.Errorf("tell the state of a folder: %w", err)
		}
	}
	o.order = o.order[:0]
	clear(o.states)
	return dst, nil
}

// writeControl writes what is in the outbox whenever there is something.
func (s *Session) writeControl() {
	frames := s.answer
	s.answer = nil
	for {
		if len(frames) > 0 {
			if _, err := s.control.Write(frames); err != nil {
				s.fail(err)
				return
			}
			if cap(frames) > 64<<10 {
				frames = nil
			}
		}
		select {
		case <-s.ctx.Done():
			return
		case <-s.out.more:
		}
		var err error
		if frames, err = s.out.take(frames[:0]); err != nil {
			s.fail(failure(wire.Internal, err))
			return
		}
	}
}
