package netproto

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// keep keeps us connected with p: dial, run the session, begin again. While
// there is a session that p dialled, it waits.
func (n *Node) keep(p *peer) {
	pause := n.cfg.Timing.RetryFirst
	for p.ctx.Err() == nil {
		if n.connected(p) {
			n.rest(p, 0)
			continue
		}
		began := n.cfg.Now()
		s, err := n.connect(p)
		if err == nil {
			began = n.cfg.Now()
			n.run(s)
		} else {
			n.failed(p, err)
		}
		if n.connected(p) {
			continue
		}
		if err == nil && n.cfg.Now().Sub(began) >= n.cfg.Timing.Lasting {
			pause = n.cfg.Timing.RetryFirst
		}
		if n.rest(p, n.jitter(pause)) {
			pause = n.cfg.Timing.RetryFirst
		} else {
			pause = min(2*pause, n.cfg.Timing.RetryMost)
		}
	}
}

func (n *Node) connected(p *peer) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return p.session != nil
}

// rest waits for d, or if that is 0 without end, or until p is poked. It says
// whether earlier failures are to be forgotten.
func (n *Node) rest(p *peer, d time.Duration) (kicked bool) {
	var after <-chan time.Time
	if d > 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		after = t.C
	}
	for {
		select {
		case <-p.ctx.Done():
			return false
		case <-after:
			return false
		case <-p.wake:
		}
		n.mu.Lock()
		kicked, p.kicked = p.kicked, false
		session := p.session != nil
		n.mu.Unlock()
		// A poke that says neither is left over from a session that ended.
		if kicked || session == (d > 0) {
			return kicked
		}
	}
}

func (n *Node) failed(p *peer, err error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if p.session == nil && p.ctx.Err() == nil {
		if e, ok := errors.AsType[*Error](err); ok && orderly(e) {
			return
		}
		p.dialErr = err
		n.cfg.Log.Debug("no connection", "device", p.device.Short(), "err", err)
	}
}

// errDropped says that a connection was dropped unused because there is a session.
var errDropped = &Error{Code: wire.Duplicate}

// connect dials p and says Hello. What it gives is registered.
func (n *Node) connect(p *peer) (*Session, error) {
	n.mu.Lock()
	addrs := slices.Clone(p.addrs)
	if i := slices.Index(addrs, p.good); i > 0 {
		addrs[0], addrs[i] = addrs[i], addrs[0]
	}
	n.mu.Unlock()
	conn, addr, err := n.dialAny(p.ctx, addrs, n.cfg.Identity.ClientTLS(p.device, alpnMember))
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	if p.session != nil || p.ctx.Err() != nil {
		n.mu.Unlock()
		return nil, abandon(conn, errDropped)
	}
	p.outbound = true
	n.mu.Unlock()
	s, err := n.greet(p, conn)
	n.mu.Lock()
	defer n.mu.Unlock()
	p.outbound = false
	if err != nil {
		e := sessionError(err)
		_ = abandon(conn, e)
		return nil, dialError(addr, err)
	}
	if p.session != nil || p.ctx.Err() != nil {
		return nil, abandon(conn, errDropped)
	}
	p.good = addr
	n.install(p, s)
	return s, nil
}

// abandon closes a connection that never became a session. It does not wait:
// the caller may hold mu, which the connection's own handshake asks for.
func abandon(conn *quic.Conn, e *Error) error {
	go func() { _ = conn.CloseWithError(quic.ApplicationErrorCode(e.Code), closing(e)) }()
	return e
}

// greet opens the control stream, says Hello and waits for the answer.
func (n *Node) greet(p *peer, conn *quic.Conn) (*Session, error) {
	ctx, cancel := context.WithTimeout(p.ctx, n.cfg.Timing.Hello)
	defer cancel()
	control, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, err
	}
	return n.hello(ctx, p.device, conn, control, true)
}

// hello exchanges the first messages: the dialler speaks first.
func (n *Node) hello(ctx context.Context, peer deviceID, conn *quic.Conn, control *quic.Stream, dialled bool) (*Session, error) {
	stop := context.AfterFunc(ctx, func() { _ = control.SetDeadline(n.cfg.Now().Add(-time.Second)) })
	defer stop()
	control.SetPriority(urgencyControl, true)
	own, err := wire.AppendHello(nil, wire.Hello{Version: wire.Version, Name: n.cfg.Name, Software: n.cfg.Software, Caps: n.caps()})
	if err != nil {
		return nil, err
	}
	s := newSession(n, conn, control, peer, dialled)
	if dialled {
		if _, err := control.Write(own); err != nil {
			return nil, late(ctx, err)
		}
	}
	t, payload, err := s.controlIn.Next()
	if err != nil {
		return nil, late(ctx, err)
	}
	if t != wire.TypeHello {
		return nil, failure(wire.OutOfOrder, fmt.Errorf("type %d came before Hello", t))
	}
	if s.hello, err = wire.ParseHello(payload); err != nil {
		return nil, err
	}
	if !dialled {
		s.answer = own
	}
	return s, nil
}

// late makes a deadline that ctx brought about into an error for a person.
func late(ctx context.Context, err error) error {
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		return failure(wire.Slow, errors.New("the other device did not say hello"))
	}
	return err
}

var errNoAddress = errors.New("no address is known")

// attempt is one address that was dialled.
type attempt struct {
	conn *quic.Conn
	addr string
	err  error
}

// dialAny dials addresses, one more each time a step passes or one fails, and
// gives the first connection. The others end unused. The caller is one that Run
// waits for.
func (n *Node) dialAny(ctx context.Context, addrs []string, conf *tls.Config) (*quic.Conn, string, error) {
	if len(addrs) == 0 {
		return nil, "", errNoAddress
	}
	ctx, cancel := context.WithCancel(ctx)
	results := make(chan attempt, len(addrs))
	next := time.NewTimer(0)
	defer next.Stop()
	started, ended := 0, 0
	var errs []error
	// Those that are under way end in the background, and Run waits for them.
	defer func() {
		cancel()
		left := started - ended
		n.wg.Go(func() {
			for range left {
				if a := <-results; a.err == nil {
					_ = a.conn.CloseWithError(quic.ApplicationErrorCode(wire.Duplicate), "")
				}
			}
		})
	}()
	for {
		select {
		case <-ctx.Done():
			return nil, "", context.Cause(ctx)
		case <-next.C:
			if started < len(addrs) {
				addr := addrs[started]
				started++
				n.wg.Go(func() {
					conn, err := n.dial(ctx, addr, conf)
					results <- attempt{conn, addr, err}
				})
				next.Reset(n.cfg.Timing.Stagger)
			}
		case a := <-results:
			ended++
			if a.err == nil {
				return a.conn, a.addr, nil
			}
			if errs = append(errs, dialError(a.addr, a.err)); len(errs) == len(addrs) {
				return nil, "", errors.Join(errs...)
			}
			next.Reset(0)
		}
	}
}

func (n *Node) dial(ctx context.Context, addr string, conf *tls.Config) (*quic.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timing.Dial)
	defer cancel()
	udp, err := resolve(ctx, addr)
	if err != nil {
		return nil, err
	}
	return n.transport.Dial(ctx, udp, conf, n.quicConfig())
}

// resolve looks a HOST:PORT up, without the resolver if the host is an IP.
func resolve(ctx context.Context, addr string) (*net.UDPAddr, error) {
	if ap, err := netip.ParseAddrPort(addr); err == nil {
		return net.UDPAddrFromAddrPort(ap), nil
	}
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	num, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return nil, fmt.Errorf("port %q is no number", port)
	}
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
	if err != nil {
		return nil, err
	}
	if len(ips) == 0 {
		return nil, fmt.Errorf("%s has no address", host)
	}
	return net.UDPAddrFromAddrPort(netip.AddrPortFrom(ips[0], uint16(num))), nil
}
