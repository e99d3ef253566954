package udp

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

const (
	// maxJoined is more than what the kernel joins: the longest IP packet.
	maxJoined = 64 << 10
	// maxControl has room for the size of the packets, a mark and a destination
	// of either version of IP.
	maxControl = 256
	// maxSenders is for how many senders an address is kept, which else would be
	// made anew for each packet.
	maxSenders = 8
)

// Conn is a UDP socket whose packets come joined. It has no method that would
// hand on a joined one.
type Conn struct {
	conn *net.UDPConn

	mu      sync.Mutex // guards all below
	buf     []byte
	control [maxControl]byte
	got     joined
	senders [maxSenders]*net.UDPAddr
	known   [maxSenders]netip.AddrPort
	oldest  int
}

// joined is what is left of one read.
type joined struct {
	data    []byte // in buf
	size    int    // of each packet but the last
	control []byte // in control, without the size
	from    *net.UDPAddr
	flags   int
	empty   bool // a packet of no bytes is there
}

// Offload gives conn with its packets joined by the system, or conn itself where
// that can't be had. Nobody may read from conn any more.
func Offload(conn *net.UDPConn) net.PacketConn { return offload(conn, enable) }

func offload(conn *net.UDPConn, enable func(fd int) bool) net.PacketConn {
	raw, err := conn.SyscallConn()
	if err != nil {
		return conn
	}
	on := false
	if err := raw.Control(func(fd uintptr) { on = enable(int(fd)) }); err != nil || !on {
		return conn
	}
	return &Conn{conn: conn, buf: make([]byte, maxJoined)}
}

// enable has the kernel join packets, and says whether it really will.
func enable(fd int) bool {
	if unix.SetsockoptInt(fd, unix.SOL_UDP, unix.UDP_GRO, 1) != nil {
		return false
	}
	on, err := unix.GetsockoptInt(fd, unix.SOL_UDP, unix.UDP_GRO)
	return err == nil && on != 0
}

// ReadBatch waits for packets and gives as many as ms has room for and are at
// hand, in order. flags has to be 0.
func (c *Conn) ReadBatch(ms []ipv4.Message, flags int) (int, error) {
	if flags != 0 {
		return 0, fmt.Errorf("read packets: flags: %w", errors.ErrUnsupported)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.got.more() {
		if err := c.read(); err != nil {
			return 0, err
		}
	}
	n := 0
	for n < len(ms) && c.got.more() {
		c.got.next(&ms[n])
		n++
	}
	return n, nil
}

// read waits for what the system has joined.
func (c *Conn) read() error {
	n, nn, flags, from, err := c.conn.ReadMsgUDPAddrPort(c.buf, c.control[:])
	if err != nil {
		return err
	}
	c.got = joined{data: c.buf[:n], size: n, from: c.sender(from), flags: flags, empty: n == 0}
	return c.got.split(c.control[:nn])
}

// sender is from in the form in which packets are handed on.
func (c *Conn) sender(from netip.AddrPort) *net.UDPAddr {
	for i := range c.known {
		if c.known[i] == from && c.senders[i] != nil {
			return c.senders[i]
		}
	}
	addr := net.UDPAddrFromAddrPort(from)
	c.known[c.oldest], c.senders[c.oldest] = from, addr
	c.oldest = (c.oldest + 1) % maxSenders
	return addr
}

// split takes the size of the packets out of the control data. What is left
// holds for each of them.
func (j *joined) split(control []byte) error {
	for at := 0; at < len(control); {
		head, body, rest, err := unix.ParseOneSocketControlMessage(control[at:])
		if err != nil {
			return fmt.Errorf("read packets: control data: %w", err)
		}
		if head.Level == unix.SOL_UDP && head.Type == unix.UDP_GRO && len(body) >= 4 {
			if size := int(binary.NativeEndian.Uint32(body)); size > 0 {
				j.size = size
			}
			control = append(control[:at], rest...)
			continue
		}
		at = len(control) - len(rest)
	}
	j.control = control
	return nil
}

func (j *joined) more() bool { return len(j.data) > 0 || j.empty }

// next moves a packet to m.
func (j *joined) next(m *ipv4.Message) {
	packet := j.data[:min(j.size, len(j.data))]
	j.data, j.empty = j.data[len(packet):], false
	m.Addr, m.Flags = j.from, j.flags
	if len(j.data) > 0 {
		m.Flags &^= unix.MSG_TRUNC // only the last can have lost its end
	}
	m.N = 0
	for _, b := range m.Buffers {
		m.N += copy(b, packet[m.N:])
	}
	if m.N < len(packet) {
		m.Flags |= unix.MSG_TRUNC
	}
	m.NN = 0
	if len(j.control) <= len(m.OOB) {
		m.NN = copy(m.OOB, j.control)
	} else {
		m.Flags |= unix.MSG_CTRUNC
	}
}

// ReadMsgUDP reads one packet.
func (c *Conn) ReadMsgUDP(b, oob []byte) (n, nn, flags int, addr *net.UDPAddr, err error) {
	ms := [1]ipv4.Message{{Buffers: [][]byte{b}, OOB: oob}}
	if _, err = c.ReadBatch(ms[:], 0); err != nil {
		return 0, 0, 0, nil, err
	}
	addr, _ = ms[0].Addr.(*net.UDPAddr)
	return ms[0].N, ms[0].NN, ms[0].Flags, addr, nil
}

// ReadFrom reads one packet.
func (c *Conn) ReadFrom(b []byte) (int, net.Addr, error) {
	n, _, _, addr, err := c.ReadMsgUDP(b, nil)
	if err != nil {
		return 0, nil, err
	}
	return n, addr, nil
}

func (c *Conn) WriteMsgUDP(b, oob []byte, addr *net.UDPAddr) (n, nn int, err error) {
	return c.conn.WriteMsgUDP(b, oob, addr)
}

func (c *Conn) WriteTo(b []byte, addr net.Addr) (int, error) { return c.conn.WriteTo(b, addr) }
func (c *Conn) Close() error                                 { return c.conn.Close() }
func (c *Conn) LocalAddr() net.Addr                          { return c.conn.LocalAddr() }
func (c *Conn) SetDeadline(t time.Time) error                { return c.conn.SetDeadline(t) }
func (c *Conn) SetReadDeadline(t time.Time) error            { return c.conn.SetReadDeadline(t) }
func (c *Conn) SetWriteDeadline(t time.Time) error           { return c.conn.SetWriteDeadline(t) }
func (c *Conn) SetReadBuffer(bytes int) error                { return c.conn.SetReadBuffer(bytes) }
func (c *Conn) SetWriteBuffer(bytes int) error               { return c.conn.SetWriteBuffer(bytes) }
func (c *Conn) SyscallConn() (syscall.RawConn, error)        { return c.conn.SyscallConn() }
