package netproto

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"slices"
	"sync"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/identity"
	"pinion/netproto/pairing"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
	"golang.org/x/time/rate"
)

// The protocol's names in the handshake.
const (
	alpnMember = "pinion/1"
	alpnMore   = "pinion-more/1"
	alpnJoin   = "pinion-join/1"
)

// Node is this device among its peers. New opens the socket, Run does the work.
type Node struct {
	cfg       Config
	self      tree.DeviceID
	transport *quic.Transport
	packer    *wire.Packer
	limits    *limiter
	narrow    narrow
	warning   error

	ctx  context.Context // ends when Run does
	stop context.CancelCauseFunc
	wg   sync.WaitGroup // everything that Run waits for

	mu      sync.Mutex
	running bool                    // guarded by mu
	begun   chan struct{}           // closed when Run has begun
	peers   map[tree.DeviceID]*peer // guarded by mu

	deskMu sync.Mutex    // held for each step of the join exchange
	desk   *pairing.Desk // guarded by deskMu

	randMu sync.Mutex
}

// peer is a member and what connects us with it. The Node's mu guards it.
type peer struct {
	device tree.DeviceID
	ctx    context.Context // ends when it is no longer a member
	cancel context.CancelFunc
	wake   chan struct{} // of length 1: look again now
	kicked bool          // and forget about earlier failures

	addrs    []string
	good     string   // the address that worked last
	session  *Session // nil while not connected
	outbound bool     // we wait for the answer to our Hello

	hello   wire.Hello // of the newest session
	addr    string
	since   time.Time
	lastErr error // why the last session ended; nil if that was in order
	dialErr error // why the last attempt failed; nil since we are connected
}

// trouble is what a person should know.
func (p *peer) trouble() error {
	if p.dialErr != nil && (p.lastErr == nil || !errors.Is(p.dialErr, errNoAddress)) {
		return p.dialErr
	}
	return p.lastErr
}

func (p *peer) poke() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

// New opens the socket. A Node whose Run is not called leaves it open.
func New(cfg Config) (*Node, error) {
	if err := cfg.defaults(); err != nil {
		return nil, err
	}
	packer, err := wire.NewPacker()
	if err != nil {
		return nil, err
	}
	n := &Node{cfg: cfg, self: cfg.Identity.Device(), packer: packer, limits: newLimiter(cfg.Now), begun: make(chan struct{}), peers: map[tree.DeviceID]*peer{}}
	n.narrow.conns = map[*quic.Conn]struct{}{}
	n.desk = pairing.NewDesk(n.self)
	n.ctx, n.stop = context.WithCancelCause(context.Background())
	if n.cfg.PacketConn == nil {
		if n.cfg.PacketConn, err = listen(cfg.Listen); err != nil {
			return nil, err
		}
	}
	attempts := rate.NewLimiter(20, 40)
	underLoad := func(net.Addr) bool { return !attempts.AllowN(n.cfg.Now(), 1) }
	if n.transport, err = newTransport(n.cfg.PacketConn, cfg.Identity, underLoad); err != nil {
		return nil, errors.Join(err, n.cfg.PacketConn.Close())
	}
	return n, nil
}

// Addr is where the Node listens.
func (n *Node) Addr() net.Addr { return n.cfg.PacketConn.LocalAddr() }

// Device is this device's id.
func (n *Node) Device() tree.DeviceID { return n.self }

// Warning is what a person should know about the socket, or nil. It is known
// once Run has begun.
func (n *Node) Warning() error {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.warning
}

// Run listens and keeps connected until ctx ends; then it tells all peers,
// closes the socket and returns when nothing of the Node runs any more. It can
// be called once.
func (n *Node) Run(ctx context.Context) error {
	ln, err := n.transport.Listen(n.cfg.Identity.ServerTLS(n.allow, alpnMember, alpnMore, alpnJoin), n.quicConfig())
	if err != nil {
		return errors.Join(fmt.Errorf("listen: %w", err), n.cfg.PacketConn.Close())
	}
	n.mu.Lock()
	n.running = true
	close(n.begun)
	n.warning = bufferWarning(n.cfg.PacketConn)
	for _, p := range n.peers {
		n.start(p)
	}
	n.mu.Unlock()
	n.wg.Go(func() { n.accept(n.ctx, ln) })

	<-ctx.Done()
	n.mu.Lock()
	n.running = false // nothing new is added to wg
	n.mu.Unlock()
	n.stop(&Error{Code: wire.Stopping})
	n.wg.Wait()
	n.limits.stop()
	return errors.Join(ln.Close(), n.transport.Close(), n.cfg.PacketConn.Close())
}

// allow decides, inside the handshake, who gets a connection.
func (n *Node) allow(device tree.DeviceID, alpn string) error {
	if alpn == alpnJoin {
		return n.expects(device)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	if alpn != alpnMember && alpn != alpnMore || n.peers[device] == nil {
		return identity.ErrNotDevice
	}
	return nil
}

// SetPeers says who the members are and where they may be. A new one is dialled,
// one that is no longer there is disconnected at once.
func (n *Node) SetPeers(list []Peer) {
	n.mu.Lock()
	defer n.mu.Unlock()
	keep := map[tree.DeviceID]bool{}
	for _, want := range list {
		if want.Device == n.self || want.Device.IsZero() {
			continue
		}
		keep[want.Device] = true
		addrs := slices.Clone(want.Addrs[:min(len(want.Addrs), MaxAddrs)])
		p := n.peers[want.Device]
		if p == nil {
			p = &peer{device: want.Device, wake: make(chan struct{}, 1), addrs: addrs, since: n.cfg.Now()}
			p.ctx, p.cancel = context.WithCancel(n.ctx)
			n.peers[want.Device] = p
			if n.running {
				n.start(p)
			}
		} else if !slices.Equal(p.addrs, addrs) {
			p.addrs, p.kicked = addrs, true
			p.poke()
		}
	}
	for device, p := range n.peers {
		if !keep[device] {
			delete(n.peers, device)
			p.cancel()
			if p.session != nil {
				p.session.Close(&Error{Code: wire.Removed})
			}
		}
	}
}

// start runs a peer's loop. The caller holds mu.
func (n *Node) start(p *peer) { n.wg.Go(func() { n.keep(p) }) }

// Kick says that the network may have changed, or that the machine was asleep:
// peers that are not connected are dialled now, the others have to show that
// they are still there.
func (n *Node) Kick() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, p := range n.peers {
		p.kicked = true
		p.poke()
		if p.session != nil {
			p.session.probe()
		}
	}
}

// Sessions says how it stands with each peer, by device.
func (n *Node) Sessions() []Info {
	n.mu.Lock()
	defer n.mu.Unlock()
	list := make([]Info, 0, len(n.peers))
	for _, p := range n.peers {
		i := Info{
			Device: p.device, Name: p.hello.Name, Software: p.hello.Software,
			Addr: p.addr, Since: p.since, LastError: p.trouble(),
		}
		if p.session != nil {
			t := p.session.traffic()
			i.Connected, i.RTT = true, p.session.RTT()
			i.BytesIn, i.BytesOut = t.down, t.up
		}
		list = append(list, i)
	}
	slices.SortFunc(list, func(a, b Info) int { return bytes.Compare(a.Device[:], b.Device[:]) })
	return list
}

// jitter is a random duration of d/2 to d.
func (n *Node) jitter(d time.Duration) time.Duration {
	var b [8]byte
	n.randMu.Lock()
	_, err := io.ReadFull(n.cfg.Rand, b[:])
	n.randMu.Unlock()
	if err != nil || d < 2 {
		return d
	}
	return d/2 + time.Duration(binary.LittleEndian.Uint64(b[:])%uint64(d/2))
}
