package netproto

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"pinion/netproto/identity"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// more are the connections of a session beside its first (SPEC.md, section 12).
type more struct {
	mu      sync.Mutex
	ours    []*further              // guarded by mu: those that we opened, to answer on
	parting map[*further]struct{}   // guarded by mu: those of them on which nothing new goes
	opening int                     // guarded by mu
	theirs  map[*quic.Conn]struct{} // guarded by mu
	past    traffic                 // guarded by mu: of those that are no more
	sent    int64                   // guarded by mu: bytes, of ours that are no more
	lost    int64                   // guarded by mu: packets of these
	changed int                     // guarded by mu: counts changes of ours
	failed  time.Time               // guarded by mu: when one could not be opened, or broke
}

// further is one that we opened.
type further struct {
	conn    *quic.Conn
	strands sync.WaitGroup // that are not at their end
	leaving chan struct{}  // closed when nothing new goes on it
}

// traffic is what passed on a connection.
type traffic struct{ up, down, packetsUp, packetsDown uint64 }

func (t *traffic) add(stats quic.ConnectionStats) {
	t.up += stats.BytesSent
	t.down += stats.BytesReceived
	t.packetsUp += stats.PacketsSent
	t.packetsDown += stats.PacketsReceived
}

// traffic is what passed on all connections of the session.
func (s *Session) traffic() traffic {
	m := &s.more
	m.mu.Lock()
	defer m.mu.Unlock()
	t := m.past
	t.add(s.conn.ConnectionStats())
	for _, f := range m.ours {
		t.add(f.conn.ConnectionStats())
	}
	for f := range m.parting {
		t.add(f.conn.ConnectionStats())
	}
	for conn := range m.theirs {
		t.add(conn.ConnectionStats())
	}
	return t
}

// moreName is what only the two ends of the session's first connection know.
func (s *Session) moreName() (name [wire.MoreLen]byte, err error) {
	state := s.conn.ConnectionState().TLS
	b, err := state.ExportKeyingMaterial("pinion more", nil, wire.MoreLen)
	if err != nil {
		return name, fmt.Errorf("bind to the connection: %w", err)
	}
	return [wire.MoreLen]byte(b), nil
}

// moreConfig is what a further connection is opened with. The peer says no more
// than a word on it.
func (n *Node) moreConfig() *quic.Config {
	c := n.quicConfig()
	c.MaxIdleTimeout, c.KeepAlivePeriod = n.cfg.Timing.Idle*4/9, n.cfg.Timing.KeepAlive/3
	c.InitialConnectionReceiveWindow, c.MaxConnectionReceiveWindow = wordWindow, wordWindow
	c.InitialStreamReceiveWindow, c.MaxStreamReceiveWindow = wordWindow, wordWindow
	c.MaxIncomingStreams, c.MaxIncomingUniStreams = -1, -1
	return c
}

// narrow are further connections that peers have opened: their windows stay as
// they are at the beginning.
type narrow struct {
	mu    sync.Mutex
	conns map[*quic.Conn]struct{} // guarded by mu
}

func (w *narrow) set(conn *quic.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.conns[conn] = struct{}{}
}

func (w *narrow) unset(conn *quic.Conn) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.conns, conn)
}

func (w *narrow) mayGrow(conn *quic.Conn, _ uint64) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, there := w.conns[conn]
	return !there
}

// wordWindow is how many bytes may wait to be read where hardly any come.
const wordWindow = 4 << 10

// list gives those of ours on which something may go, and their version.
func (m *more) list() ([]*further, int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.ours), m.changed
}

// join counts a strand in, if f is still used.
func (m *more) join(f *further) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Contains(m.ours, f) {
		return false
	}
	f.strands.Add(1)
	return true
}

func (m *more) version() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.changed
}

// want opens connections, or closes them, until there are n.
func (s *Session) want(n int) {
	m := &s.more
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.ours)+m.opening < n && s.node.cfg.Now().Sub(m.failed) > afterFailure {
		m.opening++
		s.wg.Go(s.openMore)
	}
	for len(m.ours) > n {
		f := m.ours[len(m.ours)-1]
		m.drop(f)
		s.wg.Go(func() { f.leave(s.ctx) })
	}
}

// afterFailure is how long no connection is opened after one that came to nothing.
const afterFailure = 5 * time.Second

// drop takes f off those that are used. Called with mu held.
func (m *more) drop(f *further) {
	if i := slices.Index(m.ours, f); i >= 0 {
		m.ours = slices.Delete(slices.Clone(m.ours), i, i+1)
		m.changed++
		if m.parting == nil {
			m.parting = map[*further]struct{}{}
		}
		m.parting[f] = struct{}{}
		close(f.leaving)
	}
}

// bury takes off a connection that has ended.
func (m *more) bury(f *further, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if slices.Contains(m.ours, f) {
		m.failed = now // it was not closed by us
	}
	m.drop(f)
	delete(m.parting, f)
	stats := f.conn.ConnectionStats()
	m.past.add(stats)
	m.sent += int64(stats.BytesSent)
	m.lost += int64(stats.PacketsLost)
}

// leave closes the connection once everything on it has arrived.
func (f *further) leave(ctx context.Context) {
	empty := make(chan struct{})
	go func() { // ends with the connection at the latest
		f.strands.Wait()
		close(empty)
	}()
	t := time.NewTimer(30 * time.Second)
	defer t.Stop()
	select {
	case <-empty:
	case <-ctx.Done():
	case <-t.C:
	}
	_ = f.conn.CloseWithError(quic.ApplicationErrorCode(wire.Closed), "")
}

// openMore opens one, from the same socket to the same address, and looks after
// it until it ends.
func (s *Session) openMore() {
	f, err := s.dialMore()
	m := &s.more
	m.mu.Lock()
	m.opening--
	if err == nil {
		m.ours = append(slices.Clip(m.ours), f)
		m.changed++
	} else {
		m.failed = s.node.cfg.Now()
	}
	m.mu.Unlock()
	if err != nil {
		s.node.cfg.Log.Debug("no further connection", "device", s.device.Short(), "err", err)
		return
	}
	select {
	case <-f.conn.Context().Done():
	case <-s.ctx.Done():
		_ = f.conn.CloseWithError(quic.ApplicationErrorCode(wire.Closed), "")
	}
	m.bury(f, s.node.cfg.Now())
}

func (s *Session) dialMore() (*further, error) {
	n := s.node
	name, err := s.moreName()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(s.ctx, n.cfg.Timing.Dial)
	defer cancel()
	conn, err := n.transport.Dial(ctx, s.conn.RemoteAddr(), n.cfg.Identity.ClientTLS(s.device, alpnMore), n.moreConfig())
	if err != nil {
		return nil, fmt.Errorf("dial: %w", err)
	}
	if err := greetMore(ctx, n.cfg.Now, conn, name); err != nil {
		return nil, abandon(conn, sessionError(err))
	}
	return &further{conn: conn, leaving: make(chan struct{})}, nil
}

// greetMore says which session the connection is for, and waits for the answer.
func greetMore(ctx context.Context, now func() time.Time, conn *quic.Conn, name [wire.MoreLen]byte) error {
	str, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return err
	}
	stop := context.AfterFunc(ctx, func() { _ = str.SetDeadline(now().Add(-time.Second)) })
	defer stop()
	frame, err := wire.AppendMore(nil, name)
	if err != nil {
		return err
	}
	if _, err := str.Write(frame); err != nil {
		return err
	}
	return readMore(str, name)
}

func readMore(str *quic.Stream, name [wire.MoreLen]byte) error {
	t, payload, err := wire.NewReader(str, 0).Next()
	if err != nil {
		return tooSlow(err)
	}
	if t != wire.TypeMore {
		return failure(wire.OutOfOrder, fmt.Errorf("type %d at the head of a further connection", t))
	}
	said, err := wire.ParseMore(payload)
	if err != nil {
		return err
	}
	if said != name {
		return errNoSession
	}
	return nil
}

var errNoSession = failure(wire.OutOfOrder, errors.New("there is no such session"))

// runMore serves a connection that a peer has opened for its session with us, until
// one of the two ends.
func (n *Node) runMore(s *Session, conn *quic.Conn) {
	e := sessionError(s.serveMore(conn))
	n.cfg.Log.Debug("a further connection ended", "device", s.device.Short(), "err", e)
	_ = conn.CloseWithError(quic.ApplicationErrorCode(e.Code), closing(e))
	n.narrow.unset(conn)
}

// adopt finds the session that a connection is for.
func (n *Node) adopt(ctx context.Context, conn *quic.Conn) (*Session, error) {
	device, err := identity.PeerOf(conn.ConnectionState().TLS)
	if err != nil {
		return nil, &Error{Code: wire.Removed, Err: err}
	}
	n.mu.Lock()
	var s *Session
	if p := n.peers[device]; p != nil {
		s = p.session
	}
	n.mu.Unlock()
	if s == nil || s.hello.Caps&wire.CapMore == 0 {
		return nil, errNoSession
	}
	name, err := s.moreName()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timing.Hello)
	defer cancel()
	str, err := conn.AcceptStream(ctx)
	if err != nil {
		return nil, late(ctx, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = str.SetDeadline(n.cfg.Now().Add(-time.Second)) })
	defer stop()
	if err := readMore(str, name); err != nil {
		return nil, err
	}
	if err := s.more.enter(conn); err != nil {
		return nil, err
	}
	frame, err := wire.AppendMore(nil, name)
	if err == nil {
		_, err = str.Write(frame)
	}
	if err != nil {
		s.more.exit(conn)
		return nil, late(ctx, err)
	}
	return s, nil
}

func (m *more) enter(conn *quic.Conn) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.theirs) >= maxMore {
		return &Error{Code: wire.Limit}
	}
	if m.theirs == nil {
		m.theirs = map[*quic.Conn]struct{}{}
	}
	m.theirs[conn] = struct{}{}
	return nil
}

func (m *more) exit(conn *quic.Conn) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, there := m.theirs[conn]; there {
		delete(m.theirs, conn)
		m.past.add(conn.ConnectionStats())
	}
}

// serveMore takes the strands that the peer opens, until the connection or the
// session ends.
func (s *Session) serveMore(conn *quic.Conn) error {
	defer s.lanes.moreEnded()
	defer s.more.exit(conn)
	for {
		str, err := conn.AcceptStream(s.ctx)
		if err != nil {
			return s.over(err)
		}
		if err := s.takeStrand(str); err != nil {
			if _, fault := errors.AsType[*Error](err); fault || errors.Is(err, wire.ErrBad) {
				s.fail(err)
				return s.over(err)
			}
		}
	}
}
