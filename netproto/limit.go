package netproto

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"sync"
	"time"

	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// Limits bound what goes to all peers together, and what comes from them, in
// bytes a second as they pass on the line; 0 is no bound. They are kept within a
// few percent over ten seconds.
type Limits struct {
	Up, Down int64
	FreeLAN  bool // they don't hold for peers in the local network
}

// mostRate keeps arithmetic within its bounds: faster is no limit.
const mostRate = 1 << 36

// perPacket is what UDP and IP add to each packet, in bytes.
const perPacket = 28

// limiter holds a Node's sessions to its Limits.
type limiter struct {
	up, down *bucket

	mu       sync.Mutex
	free     bool // in the local network
	sessions map[*Session]*meter
}

// meter is what was counted of a session already.
type meter struct{ up, down int64 }

func newLimiter(now func() time.Time) *limiter {
	l := &limiter{sessions: map[*Session]*meter{}}
	l.up = newBucket(now, func() int64 { up, _ := l.passed(true, false); return up })
	l.down = newBucket(now, func() int64 { _, down := l.passed(false, true); return down })
	return l
}

// SetLimits makes these the limits. It may be called at any time.
func (n *Node) SetLimits(want Limits) {
	rate := func(r int64) int64 {
		if r < 0 || r > mostRate {
			return 0
		}
		return r
	}
	l := n.limits
	l.mu.Lock()
	l.free = want.FreeLAN
	l.mu.Unlock()
	l.up.setRate(rate(want.Up))
	before := l.down.limit()
	l.down.setRate(rate(want.Down))
	if after := l.down.limit(); after > 0 && (before == 0 || after < before) {
		l.recall()
	}
}

// recall gives up what was asked for at a higher rate: all of it would come at
// once. It is asked for again.
func (l *limiter) recall() {
	l.mu.Lock()
	var held []*Session
	for s := range l.sessions {
		if l.holds(s) {
			held = append(held, s)
		}
	}
	l.mu.Unlock()
	for _, s := range held {
		s.lanes.recall()
	}
}

// stop lets everybody go.
func (l *limiter) stop() {
	l.up.stop()
	l.down.stop()
}

func (l *limiter) join(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	m := &meter{}
	m.read(s)
	l.sessions[s] = m
}

func (l *limiter) leave(s *Session) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.sessions, s)
}

// holds says whether the limits hold for a session. Called with l.mu held.
func (l *limiter) holds(s *Session) bool { return !l.free || !s.local }

func (l *limiter) limited(s *Session) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.holds(s)
}

// passed is what passed on limited sessions since it was asked last.
func (l *limiter) passed(wantUp, wantDown bool) (up, down int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for s, m := range l.sessions {
		old := *m
		m.read(s)
		if l.holds(s) {
			up, down = up+m.up-old.up, down+m.down-old.down
		}
		if !wantUp {
			m.up = old.up
		}
		if !wantDown {
			m.down = old.down
		}
	}
	return up, down
}

func (m *meter) read(s *Session) {
	t := s.traffic()
	m.up = int64(t.up + perPacket*t.packetsUp)
	m.down = int64(t.down + perPacket*t.packetsDown)
}

// unwaited is up to how many bytes are sent without waiting: they are counted.
const unwaited = 2 << 10

// write sends p on a stream of the session, within the limit.
func (s *Session) write(ctx context.Context, out io.Writer, p []byte, c class) error {
	l := s.node.limits
	for len(p) > 0 {
		n := len(p)
		rate := l.up.limit()
		if rate == 0 || n <= unwaited || !l.limited(s) {
			_, err := out.Write(p)
			return err
		}
		n = min(n, int(min(max(rate/20, 1<<10), 64<<10)))
		t, err := l.up.take(ctx, int64(n), c)
		if errors.Is(err, errAnew) {
			continue
		}
		if err != nil {
			return err
		}
		_, err = out.Write(p[:n])
		l.up.back(t)
		if err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}

// paced is a stream whose writes keep to the limit.
type paced struct {
	ctx context.Context
	s   *Session
	out io.Writer
	c   class
}

func (p paced) Write(b []byte) (int, error) {
	err := p.s.write(p.ctx, p.out, b, p.c)
	if err != nil && p.ctx.Err() != nil && p.s.ctx.Err() == nil {
		err = errUnread
	}
	return len(b), err
}

// errUnread is why nothing more is sent on a lane whose answers nobody reads: like
// a stream that the peer reset it is no reason for the session to end.
var errUnread = &quic.StreamError{ErrorCode: quic.StreamErrorCode(wire.Closed), Remote: true}

func classOf(kind wire.LaneKind) class {
	if kind == wire.Big {
		return bulk
	}
	return urgent
}

// portion is how many bytes are asked for at a time; 0: any number.
func (s *Session) portion() int64 {
	l := s.node.limits
	rate := l.down.limit()
	if rate == 0 || !l.limited(s) {
		return 0
	}
	return min(max(rate/10, 4<<10), 1<<20)
}

// passDown waits while more came than may: for what comes unasked.
func (s *Session) passDown(ctx context.Context) error {
	l := s.node.limits
	if !l.limited(s) {
		return nil
	}
	for {
		if err := l.down.pass(ctx); !errors.Is(err, errAnew) {
			return err
		}
	}
}

// isLocal says whether a peer's address is in the local network: this machine,
// the link, or the network of one of this machine's interfaces that many share.
func isLocal(addr net.Addr) bool {
	udp, ok := addr.(*net.UDPAddr)
	if !ok {
		return false
	}
	ip := udp.AddrPort().Addr().Unmap()
	if ip.IsLoopback() || ip.IsLinkLocalUnicast() {
		return true
	}
	interfaces, err := net.Interfaces()
	if err != nil {
		return false
	}
	for _, i := range interfaces {
		if i.Flags&net.FlagPointToPoint != 0 {
			continue // a tunnel: its network is not near
		}
		addrs, err := i.Addrs()
		if err != nil {
			continue
		}
		for _, a := range addrs {
			if inNetwork(ip, a) {
				return true
			}
		}
	}
	return false
}

// inNetwork says whether ip is in the network of an interface's address.
func inNetwork(ip netip.Addr, a net.Addr) bool {
	p, err := netip.ParsePrefix(a.String())
	if err != nil {
		return false
	}
	p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits())
	return p.Bits() >= 8 && p.Contains(ip)
}
