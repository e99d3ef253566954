package netproto

import (
	"crypto/rand"
	"io"
	"net"
	"syscall"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/platform/udp"

	"github.com/quic-go/quic-go"
)

// raw is how a bare QUIC stream is set up: what our own streams can cost at least.
type raw struct {
	plain       bool // packets are taken from the socket one by one
	write, read int  // bytes in each call
	window      int  // MiB; 0: ours
	packet      int  // bytes of the first packets; 0: the library's choice, and discovery
	noDiscovery bool
}

// BenchmarkRawStream sends bytes over loopback, both ends in one process: cpu-s/GiB
// is of both together. BenchmarkFetchBigNoise is the same through all that is ours.
func BenchmarkRawStream(b *testing.B) {
	ours := raw{write: 128 << 10, read: 256 << 10}
	with := func(change func(*raw)) raw {
		r := ours
		change(&r)
		return r
	}
	for _, v := range []struct {
		name string
		raw
	}{
		{"joined", ours},
		{"plain", with(func(r *raw) { r.plain = true })},
		{"write16K", with(func(r *raw) { r.write = 16 << 10 })},
		{"write1M", with(func(r *raw) { r.write = 1 << 20 })},
		{"read16K", with(func(r *raw) { r.read = 16 << 10 })},
		{"window1M", with(func(r *raw) { r.window = 1 })},
		{"window32M", with(func(r *raw) { r.window = 32 })},
		{"packet1452", with(func(r *raw) { r.packet = 1452 })},
		{"packet1280", with(func(r *raw) { r.packet, r.noDiscovery = 1280, true })},
	} {
		b.Run(v.name, func(b *testing.B) { benchmarkRaw(b, v.raw) })
	}
}

const rawSize = 256 << 20

func benchmarkRaw(b *testing.B, r raw) {
	from, to := rawEnd(b, r), rawEnd(b, r)
	ours, theirs := newIdentity(b), newIdentity(b)
	cfg := (&Node{cfg: Config{StreamWindow: 6 << 20, ConnWindow: 16 << 20, Timing: Timing{Idle: time.Minute, Dial: time.Minute}}}).quicConfig()
	if r.window > 0 {
		cfg.MaxStreamReceiveWindow, cfg.MaxConnectionReceiveWindow = uint64(r.window)<<20, uint64(r.window)<<21
	}
	cfg.InitialPacketSize, cfg.DisablePathMTUDiscovery = uint16(r.packet), r.noDiscovery
	ln, err := to.Listen(theirs.ServerTLS(func(tree.DeviceID, string) error { return nil }, alpnMember), cfg)
	if err != nil {
		b.Fatal(err)
	}
	defer ln.Close()
	out, err := from.Dial(b.Context(), to.Conn.LocalAddr(), ours.ClientTLS(theirs.Device(), alpnMember), cfg)
	if err != nil {
		b.Fatal(err)
	}
	in, err := ln.Accept(b.Context())
	if err != nil {
		b.Fatal(err)
	}
	data := make([]byte, r.write)
	_, _ = rand.Read(data)
	b.SetBytes(rawSize)
	b.ReportAllocs()
	before, sent := spent(b), out.ConnectionStats()
	for b.Loop() {
		go func() { // ends with the stream
			str, err := out.OpenUniStreamSync(b.Context())
			for left := rawSize; err == nil && left > 0; {
				var n int
				n, err = str.Write(data[:min(left, len(data))])
				left -= n
			}
			if err == nil {
				_ = str.Close()
			}
		}()
		str, err := in.AcceptUniStream(b.Context())
		if err != nil {
			b.Fatal(err)
		}
		if n, err := io.CopyBuffer(struct{ io.Writer }{io.Discard}, struct{ io.Reader }{str}, make([]byte, r.read)); n != rawSize || err != nil {
			b.Fatal(n, err)
		}
	}
	gib := float64(b.N) * rawSize / (1 << 30)
	stats := out.ConnectionStats()
	b.ReportMetric((spent(b)-before)/gib, "cpu-s/GiB")
	b.ReportMetric(float64(stats.PacketsReceived-sent.PacketsReceived)/float64(stats.PacketsSent-sent.PacketsSent), "acks/packet")
	b.ReportMetric(float64(stats.PacketsLost-sent.PacketsLost)/gib, "lost/GiB")
}

func rawEnd(b *testing.B, r raw) *quic.Transport {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		b.Fatal(err)
	}
	var socket net.PacketConn = conn
	if !r.plain {
		socket = udp.Offload(conn)
	}
	tr := &quic.Transport{Conn: socket}
	b.Cleanup(func() { tr.Close(); socket.Close() })
	return tr
}

// spent is the processor time of this process, in seconds.
func spent(b testing.TB) float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}
