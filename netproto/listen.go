package netproto

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"

	"pinion/netproto/identity"
	"pinion/platform/udp"

	"github.com/quic-go/quic-go"
)

const (
	initialStreamWindow = 512 << 10
	initialConnWindow   = 768 << 10
	// maxLanesIn leaves room, beside the control stream, for lanes that were
	// reset and whose end the peer has not heard of yet.
	maxLanesIn   = 12
	maxIndexesIn = 320
	wantedBuffer = 7 << 20
)

// listen opens the socket.
func listen(address string) (net.PacketConn, error) {
	addr, err := net.ResolveUDPAddr("udp", address)
	if err != nil {
		return nil, fmt.Errorf("listen on %q: %w; an address is HOST:PORT or :PORT", address, err)
	}
	conn, err := net.ListenUDP("udp", addr)
	switch {
	case err == nil:
		return udp.Offload(conn), nil
	case inUse(err):
		return nil, fmt.Errorf("%w: another program (or another pinion) listens on UDP %s; stop it or choose another port with --listen :PORT", ErrInUse, address)
	}
	return nil, fmt.Errorf("listen on UDP %s: %w", address, err)
}

func inUse(err error) bool {
	const windowsInUse = syscall.Errno(10048)
	return errors.Is(err, syscall.EADDRINUSE) || (runtime.GOOS == "windows" && errors.Is(err, windowsInUse))
}

// newTransport makes the one that listens and dials on conn. Its warning is what
// is wrong with the socket's buffers, or nil.
func newTransport(conn net.PacketConn, id *identity.Identity, verify func(net.Addr) bool) (*quic.Transport, error) {
	// The library would write to the standard logger what warning reports.
	if err := os.Setenv("QUIC_GO_DISABLE_RECEIVE_BUFFER_WARNING", "true"); err != nil {
		return nil, fmt.Errorf("set up QUIC: %w", err)
	}
	// A signature is a secret that only the key's holder can make again.
	reset := quic.StatelessResetKey(sha256.Sum256(id.Sign("pinion stateless reset", nil)))
	return &quic.Transport{Conn: conn, StatelessResetKey: &reset, VerifySourceAddress: verify}, nil
}

// bufferWarning says what a too small receive buffer means and how to cure it.
func bufferWarning(conn net.PacketConn) error {
	socket, ok := conn.(syscall.Conn)
	if !ok {
		return nil
	}
	size, known := receiveBuffer(socket)
	if !known || size >= wantedBuffer {
		return nil
	}
	return fmt.Errorf("the system lets a UDP socket buffer only %d KiB, which makes fast transfers slower; "+
		"sudo sysctl -w net.core.rmem_max=7500000 net.core.wmem_max=7500000 cures it", size/1024)
}

func (n *Node) quicConfig() *quic.Config {
	return &quic.Config{
		Versions:                       []quic.Version{quic.Version1},
		HandshakeIdleTimeout:           n.cfg.Timing.Dial / 2,
		MaxIdleTimeout:                 n.cfg.Timing.Idle,
		KeepAlivePeriod:                n.cfg.Timing.KeepAlive,
		InitialStreamReceiveWindow:     initialStreamWindow,
		InitialConnectionReceiveWindow: initialConnWindow,
		MaxStreamReceiveWindow:         uint64(n.cfg.StreamWindow),
		MaxConnectionReceiveWindow:     uint64(max(n.cfg.ConnWindow-maxMore*initialConnWindow, initialConnWindow)),
		AllowConnectionWindowIncrease:  n.narrow.mayGrow,
		MaxIncomingStreams:             maxLanesIn,
		MaxIncomingUniStreams:          maxIndexesIn,
	}
}
