package netproto

import (
	"net"
	"testing"
	"testing/synctest"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go/testutils/simnet"
)

// TestAtRestNothingIsSent: ten minutes of a session without anything to say, in
// virtual time, cost the keep-alives that SPEC.md speaks of. It also shows that
// a Node lives on the clock it is given.
func TestAtRestNothingIsSent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		network := &simnet.Simnet{Router: &simnet.PerfectRouter{}}
		link := simnet.NodeBiDiLinkSettings{Latency: 30 * time.Millisecond}
		endpoint := func(last byte) *simnet.SimConn {
			return network.NewEndpoint(&net.UDPAddr{IP: net.IPv4(10, 0, 0, last).To4(), Port: 27464}, link)
		}
		ca, cb := endpoint(1), endpoint(2)
		if err := network.Start(); err != nil {
			t.Fatal(err)
		}
		r := newRecorder()
		r.onServe = serveAll(1000)
		a := launch(t, func(c *Config) { c.PacketConn, c.Timing = ca, Timing{} }, nil)
		b := launch(t, func(c *Config) { c.PacketConn, c.Timing = cb, Timing{} }, r)
		a.SetPeers([]Peer{b.peer()})
		b.SetPeers([]Peer{a.peer()})
		ab, _ := together(t, a, b)
		if err := take(t, ab, smallWants(100, 1000)); err != nil {
			t.Error(err)
		}
		ab.SendState(tree.FolderState{Folder: tree.FolderID{1}})
		time.Sleep(time.Minute) // path MTU discovery and the last acknowledgements
		before := ca.Stats().BytesSent + cb.Stats().BytesSent
		time.Sleep(10 * time.Minute)
		if used := ca.Stats().BytesSent + cb.Stats().BytesSent - before; used == 0 || used > 40*120 {
			t.Errorf("ten minutes took %d bytes", used)
		} else {
			t.Logf("ten minutes took %d bytes", used)
		}
		if !agreed(a, ab) {
			t.Error("the session did not last")
		}
		if err := a.stop(); err != nil {
			t.Error(err)
		}
		b.wait(t, "the end", func() bool { return len(b.ends) == 1 })
		if e, ok := b.ends[0].(*Error); !ok || e.Code != wire.Stopping {
			t.Errorf("it ended with %v", b.ends[0])
		}
		if err := b.stop(); err != nil {
			t.Error(err)
		}
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
}
