package udp

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"slices"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/net/ipv4"
	"golang.org/x/sys/unix"
)

// joining opens a socket whose packets come joined.
func joining(t testing.TB, network string) *Conn {
	t.Helper()
	at := &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)}
	if network == "udp6" {
		at.IP = net.IPv6loopback
	}
	plain, err := net.ListenUDP(network, at)
	if err != nil {
		t.Skipf("no %s here: %v", network, err)
	}
	t.Cleanup(func() { plain.Close() })
	c, ok := Offload(plain).(*Conn)
	if !ok {
		t.Skip("this kernel does not join packets")
	}
	if err := c.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// ask switches an option of the socket on.
func (c *Conn) ask(t testing.TB, level, option int) {
	t.Helper()
	raw, err := c.SyscallConn()
	if err == nil {
		err = errors.Join(raw.Control(func(fd uintptr) { err = unix.SetsockoptInt(int(fd), level, option, 1) }), err)
	}
	if err != nil {
		t.Skip(err)
	}
}

// sender is a socket that sends to c.
type sender struct {
	*net.UDPConn
	to *net.UDPAddr
}

func from(t testing.TB, c *Conn) sender {
	t.Helper()
	to := c.LocalAddr().(*net.UDPAddr)
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: to.IP})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	return sender{conn, to}
}

// control is a control message with a value of so many bytes.
func control(level, kind int32, value uint32, size int) []byte {
	b := make([]byte, unix.CmsgSpace(size))
	head := (*unix.Cmsghdr)(unsafe.Pointer(&b[0]))
	head.Level, head.Type = level, kind
	head.SetLen(unix.CmsgLen(size))
	var v [4]byte
	binary.NativeEndian.PutUint32(v[:], value)
	if size == 2 {
		binary.NativeEndian.PutUint16(v[:], uint16(value))
	}
	copy(b[unix.CmsgLen(0):], v[:size])
	return b
}

// burst sends data as packets of so many bytes, in one call.
func (s sender) burst(t testing.TB, data []byte, size int, marks ...byte) {
	t.Helper()
	oob := control(unix.SOL_UDP, unix.UDP_SEGMENT, uint32(size), 2)
	oob = append(oob, slices.Concat(marks)...)
	if _, _, err := s.WriteMsgUDP(data, oob, s.to); err != nil {
		t.Skipf("this kernel does not send bursts: %v", err)
	}
}

func pattern(n int, salt byte) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i*7) ^ byte(i>>8) ^ salt
	}
	return b
}

func messages(n, size int) []ipv4.Message {
	ms := make([]ipv4.Message, n)
	for i := range ms {
		ms[i] = ipv4.Message{Buffers: [][]byte{make([]byte, size)}, OOB: make([]byte, 128)}
	}
	return ms
}

// collect reads until so many packets are there.
func collect(t testing.TB, c *Conn, n int) (packets [][]byte, got []ipv4.Message) {
	t.Helper()
	for len(packets) < n {
		ms := messages(8, 1500)
		k, err := c.ReadBatch(ms, 0)
		if err != nil {
			t.Fatalf("after %d of %d packets: %v", len(packets), n, err)
		}
		for _, m := range ms[:k] {
			packets, got = append(packets, m.Buffers[0][:m.N]), append(got, m)
		}
	}
	return packets, got
}

func TestJoinedPacketsComeOneByOne(t *testing.T) {
	for _, network := range []string{"udp4", "udp6"} {
		t.Run(network, func(t *testing.T) {
			c := joining(t, network)
			s := from(t, c)
			data := pattern(10*1200+77, 1) // the last one is shorter
			s.burst(t, data, 1200)
			packets, got := collect(t, c, 11)
			for i, p := range packets {
				want := data[i*1200 : min((i+1)*1200, len(data))]
				if !bytes.Equal(p, want) {
					t.Errorf("packet %d: %d bytes, want %d", i, len(p), len(want))
				}
				if got[i].Addr.String() != s.LocalAddr().String() {
					t.Errorf("packet %d is from %v, want %v", i, got[i].Addr, s.LocalAddr())
				}
				if got[i].Flags&unix.MSG_TRUNC != 0 {
					t.Errorf("packet %d has lost something", i)
				}
			}
		})
	}
}

// What all this is for: the kernel really hands over many packets at once.
func TestTheKernelJoins(t *testing.T) {
	c := joining(t, "udp4")
	from(t, c).burst(t, pattern(20*1000, 2), 1000)
	ms := messages(1, 1500)
	if _, err := c.ReadBatch(ms, 0); err != nil {
		t.Fatal(err)
	}
	if left := len(c.got.data); left != 19*1000 {
		t.Errorf("after the first of 20 packets %d bytes are at hand without another system call, want 19,000", left)
	}
}

func TestSeveralSenders(t *testing.T) {
	c := joining(t, "udp4")
	const each = 5
	want := map[string][]byte{}
	for i := range maxSenders + 3 {
		s := from(t, c)
		data := pattern(each*800, byte(i))
		want[s.LocalAddr().String()] = data
		s.burst(t, data, 800)
	}
	packets, got := collect(t, c, each*len(want))
	for i, p := range packets {
		from := got[i].Addr.String()
		if !bytes.HasPrefix(want[from], p) {
			t.Fatalf("packet %d is not what %s sent next", i, from)
		}
		want[from] = want[from][len(p):]
	}
}

// Each packet has the mark and the destination that it came with.
func TestControlData(t *testing.T) {
	tests := []struct {
		network                   string
		level, mark, to, info, at int
		size                      int
	}{
		{"udp4", unix.IPPROTO_IP, unix.IP_TOS, unix.IP_PKTINFO, unix.IP_RECVTOS, unix.IP_PKTINFO, 1},
		{"udp6", unix.IPPROTO_IPV6, unix.IPV6_TCLASS, unix.IPV6_PKTINFO, unix.IPV6_RECVTCLASS, unix.IPV6_RECVPKTINFO, 4},
	}
	for _, tt := range tests {
		t.Run(tt.network, func(t *testing.T) {
			c := joining(t, tt.network)
			c.ask(t, tt.level, tt.info)
			c.ask(t, tt.level, tt.at)
			s := from(t, c)
			marks := []uint32{2, 2, 3, 1}
			for i, mark := range marks {
				s.burst(t, pattern(4*500, byte(i)), 500, control(int32(tt.level), int32(tt.mark), mark, 4)...)
			}
			packets, got := collect(t, c, 4*len(marks))
			for i := range packets {
				mark, to := -1, false
				for data := got[i].OOB[:got[i].NN]; len(data) > 0; {
					head, body, rest, err := unix.ParseOneSocketControlMessage(data)
					if err != nil {
						t.Fatal(err)
					}
					switch {
					case head.Level == unix.SOL_UDP:
						t.Error("the size of joined packets is handed on")
					case int(head.Level) == tt.level && int(head.Type) == tt.mark && len(body) == tt.size:
						mark = int(body[0])
					case int(head.Level) == tt.level && int(head.Type) == tt.to:
						to = true
					}
					data = rest
				}
				if mark != int(marks[i/4]) || !to {
					t.Errorf("packet %d has mark %d, want %d; destination told: %v", i, mark, marks[i/4], to)
				}
			}
		})
	}
}

func TestTooLittleRoom(t *testing.T) {
	c := joining(t, "udp4")
	c.ask(t, unix.IPPROTO_IP, unix.IP_PKTINFO)
	data := pattern(3*900, 5)
	from(t, c).burst(t, data, 900)
	ms := messages(3, 100)
	ms[1].OOB = nil
	if n, err := c.ReadBatch(ms, 0); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	for i, m := range ms {
		if m.N != 100 || m.Flags&unix.MSG_TRUNC == 0 || !bytes.Equal(m.Buffers[0], data[i*900:i*900+100]) {
			t.Errorf("packet %d: %d bytes, flags %x", i, m.N, m.Flags)
		}
		if cut := m.Flags&unix.MSG_CTRUNC != 0; cut != (i == 1) || cut != (m.NN == 0) {
			t.Errorf("packet %d: %d bytes of control data, flags %x", i, m.NN, m.Flags)
		}
	}
}

func TestPlainReadsGiveOnePacket(t *testing.T) {
	c := joining(t, "udp4")
	s := from(t, c)
	data := pattern(2*700+1, 6)
	s.burst(t, data, 700)
	if _, err := s.WriteTo(nil, s.to); err != nil { // an empty one is one, too
		t.Fatal(err)
	}
	b := make([]byte, 2000)
	for i, want := range [][]byte{data[:700], data[700:1400], data[1400:], {}} {
		n, addr, err := c.ReadFrom(b)
		if err != nil || !bytes.Equal(b[:n], want) || addr.String() != s.LocalAddr().String() {
			t.Errorf("read %d: %d bytes of %v, %v; want %d", i, n, addr, err, len(want))
		}
	}
	if _, err := c.WriteTo([]byte("back"), s.LocalAddr()); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Read(b); err != nil || string(b[:n]) != "back" {
		t.Errorf("what was sent back: %q, %v", b[:n], err)
	}
	if _, err := c.ReadBatch(messages(1, 10), unix.MSG_PEEK); !errors.Is(err, errors.ErrUnsupported) {
		t.Errorf("a look without taking gave %v", err)
	}
}

func TestCloseEndsReading(t *testing.T) {
	c := joining(t, "udp4")
	s := from(t, c)
	if err := s.Close(); err != nil { // the other side is no concern of a socket
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() {
		_, err := c.ReadBatch(messages(1, 10), 0)
		ended <- err
	}()
	if err := c.SetReadDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	var timeout net.Error
	if err := <-ended; !errors.As(err, &timeout) || !timeout.Timeout() {
		t.Errorf("at the deadline reading ends with %v", err)
	}
	if err := errors.Join(c.SetReadDeadline(time.Time{}), c.Close()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.ReadBatch(messages(1, 10), 0); !errors.Is(err, net.ErrClosed) {
		t.Errorf("after Close reading ends with %v", err)
	}
}

func TestFallback(t *testing.T) {
	plain, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	if got := offload(plain, func(int) bool { return false }); got != net.PacketConn(plain) {
		t.Errorf("refused, it is a %T", got)
	}
	if err := plain.Close(); err != nil {
		t.Fatal(err)
	}
	if got := Offload(plain); got != net.PacketConn(plain) {
		t.Errorf("closed, it is a %T", got)
	}
}

func TestNoAllocationForAPacket(t *testing.T) {
	c := joining(t, "udp4")
	s := from(t, c)
	data, ms := pattern(40*1000, 7), messages(8, 1500)
	read := func() (packets int) {
		for packets < 40 {
			n, err := c.ReadBatch(ms, 0)
			if err != nil {
				t.Fatal(err)
			}
			packets += n
		}
		return packets
	}
	s.burst(t, data, 1000)
	read()
	send := testing.AllocsPerRun(2, func() { s.burst(t, data, 1000) })
	for range 3 { // one to begin with
		read()
	}
	both := testing.AllocsPerRun(20, func() { s.burst(t, data, 1000); read() })
	if both > send {
		t.Errorf("reading 40 packets allocates %v times", both-send)
	}
}

func BenchmarkRead(b *testing.B) {
	c := joining(b, "udp4")
	s := from(b, c)
	data, ms := pattern(14*1452, 8), messages(8, 1452)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		s.burst(b, data, 1452)
		for n := 0; n < 14; {
			k, err := c.ReadBatch(ms, 0)
			if err != nil {
				b.Fatal(err)
			}
			n += k
		}
	}
}
