package netproto

import (
	"context"
	"crypto/ed25519"
	"errors"
	"fmt"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/identity"
	"pinion/netproto/pairing"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// Joined says who has joined whom.
type Joined struct {
	Device tree.DeviceID // the other device
	Name   string        // what it calls itself; may be empty
	Addr   string        // where it was reached, or came from
}

var (
	errNoJoining  = errors.New("this device does not take part in pairing")
	errNotRunning = errors.New("the node does not run")
)

// Invite opens an invitation that names addrs as where this device may be found.
func (n *Node) Invite(addrs []string) (pairing.Invitation, error) {
	if n.cfg.Roster == nil {
		return pairing.Invitation{}, errNoJoining
	}
	n.deskMu.Lock()
	defer n.deskMu.Unlock()
	n.randMu.Lock()
	defer n.randMu.Unlock()
	return n.desk.Invite(n.cfg.Now(), n.cfg.Rand, addrs)
}

// Withdraw closes all open invitations.
func (n *Node) Withdraw() {
	n.deskMu.Lock()
	defer n.deskMu.Unlock()
	n.desk.Withdraw(n.cfg.Now())
}

// expects says, inside the handshake, whether a device may try to join.
func (n *Node) expects(device tree.DeviceID) error {
	n.deskMu.Lock()
	defer n.deskMu.Unlock()
	if n.cfg.Roster == nil || device == n.self || !n.desk.Expecting(n.cfg.Now()) {
		return identity.ErrNotDevice
	}
	return nil
}

// Join joins the circle of the device that made an invitation: at addr, or if
// that is empty at the invitation's addresses. A *pairing.Refusal in the error
// says what either side objected to. Run has to be under way, or about to be.
func (n *Node) Join(ctx context.Context, inv pairing.Invitation, addr string) (Joined, error) {
	if n.cfg.Roster == nil {
		return Joined{}, errNoJoining
	}
	addrs := inv.Addrs
	if addr != "" {
		addrs = []string{addr}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	select {
	case <-n.begun:
	case <-ctx.Done():
		return Joined{}, ctx.Err()
	case <-time.After(n.cfg.Timing.Hello):
	}
	if !n.hold() {
		return Joined{}, fmt.Errorf("join: %w", errNotRunning)
	}
	defer n.wg.Done()
	stop := context.AfterFunc(n.ctx, cancel)
	defer stop()
	conn, at, err := n.dialAny(ctx, addrs, n.cfg.Identity.ClientTLS(inv.Device, alpnJoin))
	if err != nil {
		return Joined{}, fmt.Errorf("join: reach the device that invited: %w", err)
	}
	name, err := n.joinOver(ctx, conn, inv)
	if err != nil {
		_ = conn.CloseWithError(quic.ApplicationErrorCode(wire.JoinRefused), "")
		if e, ok := errors.AsType[*Error](dialError(at, err)); ok && e.Code == wire.Removed {
			err = errors.New("the device that invited takes no invitation now: run `pinion invite` there for a new one")
		}
		return Joined{}, fmt.Errorf("join: %w", err)
	}
	return Joined{inv.Device, name, at}, conn.CloseWithError(quic.ApplicationErrorCode(wire.Closed), "")
}

// hold makes Run wait for one more wg.Done, if it is under way.
func (n *Node) hold() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.running {
		n.wg.Add(1)
	}
	return n.running
}

// side is what the exchange needs to know of a connection.
func (n *Node) side(conn *quic.Conn) (pairing.Side, error) {
	state := conn.ConnectionState().TLS
	if _, err := identity.PeerOf(state); err != nil {
		return pairing.Side{}, err
	}
	key, ok := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
	if !ok {
		return pairing.Side{}, identity.ErrNotDevice
	}
	exporter, err := state.ExportKeyingMaterial(pairing.ExporterLabel, nil, pairing.ExporterLen)
	if err != nil {
		return pairing.Side{}, fmt.Errorf("bind to the connection: %w", err)
	}
	return pairing.Side{Self: n.self, Name: n.cfg.Name, Peer: key, Exporter: exporter, Roster: n.cfg.Roster}, nil
}

// joinOver is the joining end of the exchange.
func (n *Node) joinOver(ctx context.Context, conn *quic.Conn, inv pairing.Invitation) (name string, err error) {
	side, err := n.side(conn)
	if err != nil {
		return "", err
	}
	j, send, err := pairing.NewJoiner(inv, side)
	if err != nil {
		return "", err
	}
	str, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return "", err
	}
	x := exchange{n: n, str: str, r: wire.NewReader(str, 0)}
	stop := context.AfterFunc(ctx, x.expire)
	defer stop()
	if err := x.send(send); err != nil {
		return "", err
	}
	err = x.run(j.Receive)
	return j.PeerName(), err
}

// serveJoin is the inviting end.
func (n *Node) serveJoin(ctx context.Context, conn *quic.Conn) {
	joined, err := n.answerJoin(ctx, conn)
	if err != nil {
		n.cfg.Log.Info("a device did not join", "from", conn.RemoteAddr(), "err", err)
		_ = conn.CloseWithError(quic.ApplicationErrorCode(wire.JoinRefused), "")
		return
	}
	if n.cfg.Joined != nil {
		n.cfg.Joined(joined)
	}
	// The joiner closes when it has the last message.
	t := time.NewTimer(n.cfg.Timing.Hello)
	defer t.Stop()
	select {
	case <-conn.Context().Done():
	case <-ctx.Done():
	case <-t.C:
	}
	_ = conn.CloseWithError(quic.ApplicationErrorCode(wire.Closed), "")
}

func (n *Node) answerJoin(ctx context.Context, conn *quic.Conn) (Joined, error) {
	side, err := n.side(conn)
	if err != nil {
		return Joined{}, err
	}
	n.deskMu.Lock()
	i, err := n.desk.Answer(side)
	n.deskMu.Unlock()
	if err != nil {
		return Joined{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, n.cfg.Timing.Hello)
	defer cancel()
	str, err := conn.AcceptStream(ctx)
	if err != nil {
		return Joined{}, late(ctx, err)
	}
	x := exchange{n: n, str: str, r: wire.NewReader(str, 0)}
	stop := context.AfterFunc(n.ctx, x.expire)
	defer stop()
	err = x.run(func(b []byte) ([][]byte, bool, error) {
		n.deskMu.Lock()
		defer n.deskMu.Unlock()
		return i.Receive(n.cfg.Now(), b)
	})
	if err != nil {
		return Joined{}, err
	}
	return Joined{identity.DeviceOfKey(side.Peer), i.PeerName(), conn.RemoteAddr().String()}, nil
}

// exchange carries the messages of a state machine of netproto/pairing.
type exchange struct {
	n   *Node
	str *quic.Stream
	r   *wire.Reader
}

func (x exchange) expire() { _ = x.str.SetDeadline(x.n.cfg.Now().Add(-time.Second)) }

func (x exchange) send(messages [][]byte) (err error) {
	var frames []byte
	for _, m := range messages {
		if frames, err = wire.AppendJoin(frames, m); err != nil {
			return err
		}
	}
	if len(frames) > 0 {
		_, err = x.str.Write(frames)
	}
	return err
}

// run feeds receive until it says that the exchange is over.
func (x exchange) run(receive func([]byte) (send [][]byte, finished bool, err error)) error {
	for {
		if err := x.str.SetReadDeadline(x.n.cfg.Now().Add(x.n.cfg.Timing.Hello)); err != nil {
			return err
		}
		t, b, err := x.r.Next()
		if err != nil {
			return tooSlow(err)
		}
		if t != wire.TypeJoin {
			return failure(wire.OutOfOrder, fmt.Errorf("type %d in the join exchange", t))
		}
		out, finished, refused := receive(b)
		if err := x.send(out); err != nil && refused == nil {
			return err
		}
		if refused != nil {
			// What was sent last says why; give it time to arrive.
			_ = x.str.Close()
			x.linger()
			return refused
		}
		if finished {
			return x.str.Close()
		}
	}
}

// linger waits until the peer has ended its side, or not for long.
func (x exchange) linger() {
	_ = x.str.SetReadDeadline(x.n.cfg.Now().Add(time.Second))
	for {
		if _, _, err := x.r.Next(); err != nil {
			return
		}
	}
}
