package netproto

import (
	"bytes"
	"context"
	"errors"

	"pinion/netproto/identity"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// maxGreeting is how many accepted connections may be without a Hello.
const maxGreeting = 64

// accept takes the connections whose handshake succeeded.
func (n *Node) accept(ctx context.Context, ln *quic.Listener) {
	room := make(chan struct{}, maxGreeting)
	for {
		conn, err := ln.Accept(ctx)
		if err != nil {
			return
		}
		select {
		case room <- struct{}{}:
		default:
			_ = abandon(conn, &Error{Code: wire.Limit})
			continue
		}
		n.wg.Go(func() {
			s, further := n.accepted(ctx, conn)
			<-room
			switch {
			case s == nil:
			case further:
				n.runMore(s, conn)
			default:
				n.run(s)
			}
		})
	}
}

// accepted makes a registered session of a connection, or a further connection
// of a session, or closes it.
func (n *Node) accepted(ctx context.Context, conn *quic.Conn) (s *Session, further bool) {
	var err error
	switch conn.ConnectionState().TLS.NegotiatedProtocol {
	case alpnJoin:
		n.serveJoin(ctx, conn)
		return nil, false
	case alpnMore:
		further = true
		n.narrow.set(conn)
		if s, err = n.adopt(ctx, conn); err != nil {
			n.narrow.unset(conn)
		}
	default:
		if s, err = n.greeted(ctx, conn); err == nil {
			err = n.register(s)
		}
	}
	if err != nil {
		e := sessionError(err)
		n.cfg.Log.Debug("connection not kept", "from", conn.RemoteAddr(), "err", e)
		_ = conn.CloseWithError(quic.ApplicationErrorCode(e.Code), closing(e))
		return nil, false
	}
	return s, further
}

// greeted waits for the dialler's Hello.
func (n *Node) greeted(ctx context.Context, conn *quic.Conn) (*Session, error) {
	device, err := identity.PeerOf(conn.ConnectionState().TLS)
	if err != nil {
		return nil, &Error{Code: wire.Removed, Err: err}
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timing.Hello)
	defer cancel()
	control, err := conn.AcceptStream(ctx)
	if err != nil {
		return nil, late(ctx, err)
	}
	return n.hello(ctx, device, conn, control, false)
}

// register makes s, which its peer dialled, the session with that peer, unless
// another connection has to be kept (SPEC.md, section 2).
func (n *Node) register(s *Session) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	p := n.peers[s.device]
	if p == nil {
		return &Error{Code: wire.Removed}
	}
	if bytes.Compare(n.self[:], s.device[:]) < 0 {
		if p.outbound {
			return errDropped
		}
		if p.session != nil && p.session.dialled {
			p.session.probe()
			return errDropped
		}
	}
	n.install(p, s)
	return nil
}

// install makes s the session with p, in place of an older one. The caller holds
// mu.
func (n *Node) install(p *peer, s *Session) {
	if old := p.session; old != nil {
		s.after = old.ended
		old.Close(errDropped)
	}
	p.session, p.hello, p.addr, p.since = s, s.hello, s.conn.RemoteAddr().String(), n.cfg.Now()
	s.peer, p.dialErr = p, nil
	p.poke()
}

// run serves a registered session until it is over.
func (n *Node) run(s *Session) {
	if s.after != nil {
		<-s.after
	}
	n.cfg.Log.Debug("connected", "device", s.device.Short(), "addr", s.conn.RemoteAddr())
	n.cfg.Handler.Connected(s)
	err := s.run()
	n.mu.Lock()
	if p := s.peer; p.session == s {
		if p.lastErr = err; orderly(err) {
			p.lastErr = nil
		}
	}
	n.mu.Unlock()
	n.cfg.Handler.Disconnected(s, err)
	close(s.ended)

	n.mu.Lock()
	defer n.mu.Unlock()
	if p := s.peer; p.session == s {
		p.session, p.since = nil, n.cfg.Now()
		p.poke()
	}
	n.cfg.Log.Debug("disconnected", "device", s.device.Short(), "err", errors.Unwrap(err), "code", err.Code)
}
