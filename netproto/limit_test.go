package netproto

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"pinion/engine/tree"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go/testutils/simnet"
)

// TestAskingCoversAll: whatever a limit parts wants into, in whatever sizes, each
// byte is asked for once, in order, and each want ends with its last part.
func TestAskingCoversAll(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var wants []tree.Want
		for i := range rapid.IntRange(1, 20).Draw(t, "wants") {
			w := tree.Want{Content: tree.ContentID{1, byte(i)}, Length: rapid.Int64Range(1, 100_000).Draw(t, "length")}
			if w.Whole = rapid.Bool().Draw(t, "whole"); !w.Whole {
				w.First, w.Count, w.Offset = uint32(10*i), uint32(1+w.Length/50_000), int64(1000*i)
			}
			wants = append(wants, w)
		}
		var got []int64 // bytes asked for, by want
		ended := make([]bool, len(wants))
		got = make([]int64, len(wants))
		for rest := (asking{wants: wants}); !rest.over(); {
			most := rapid.SampledFrom([]int64{0, 1, 4096, 50_000}).Draw(t, "most")
			group, a := rest.next(most)
			n := rapid.IntRange(1, min(len(group), wire.MaxWants)).Draw(t, "fit")
			if (a.ahead != nil) != (most > 0) {
				t.Fatalf("most %d, ahead %v", most, a.ahead)
			}
			sum := int64(0)
			for k, w := range group[:n] {
				if err := wire.CheckWant(w); err != nil {
					t.Fatalf("%+v: %v", w, err)
				}
				from := origin{a.first + k, true}
				if a.of != nil {
					from = a.of[k]
				}
				i := from.want
				switch {
				case w.Whole != wants[i].Whole || w.Content != wants[i].Content || ended[i] || i > 0 && !ended[i-1]:
					t.Fatalf("%+v is asked for as want %d", w, i)
				case !w.Whole && w.Offset != wants[i].Offset+got[i]:
					t.Fatalf("want %d goes on at %d after %d bytes", i, w.Offset, got[i])
				case !w.Whole && (w.First < wants[i].First || w.First+w.Count > wants[i].First+wants[i].Count):
					t.Fatalf("chunks %d+%d of %d+%d", w.First, w.Count, wants[i].First, wants[i].Count)
				}
				got[i] += w.Length
				sum += w.Length
				if ended[i] = got[i] == wants[i].Length; from.last != ended[i] {
					t.Fatalf("want %d ends: %v after %d of %d bytes", i, from.last, got[i], wants[i].Length)
				}
			}
			if most > 0 && n > 1 && sum > most {
				t.Fatalf("%d bytes in a portion of %d", sum, most)
			}
			rest.asked(group[:n])
		}
		for i := range wants {
			if !ended[i] {
				t.Fatalf("want %d is not over", i)
			}
		}
	})
}

// film is a want of a big content.
func film(content byte, length int64) []tree.Want {
	return []tree.Want{{Content: tree.ContentID{1, content}, Offset: 12345, Length: length, First: 3, Count: 100}}
}

// near runs a Node and its peers in virtual time, 20 ms away from each other.
type near struct {
	hub   *station
	conn  *simnet.SimConn
	peers []*station
}

func newNear(t *testing.T, n int) *near {
	t.Helper()
	network := &simnet.Simnet{Router: &simnet.PerfectRouter{}}
	link := simnet.NodeBiDiLinkSettings{Latency: 20 * time.Millisecond}
	var conns []*simnet.SimConn
	for i := range n + 1 {
		conns = append(conns, network.NewEndpoint(&net.UDPAddr{IP: net.IPv4(198, 51, 100, byte(i+1)).To4(), Port: 27464}, link))
	}
	if err := network.Start(); err != nil {
		t.Fatal(err)
	}
	w := &near{conn: conns[0]}
	var all []*station
	for i := range n + 1 {
		r := newRecorder()
		r.onServe = serveAll(64 << 10)
		all = append(all, launch(t, func(c *Config) { c.PacketConn, c.Timing, c.NoCompression = conns[i], Timing{}, true }, r))
	}
	w.hub, w.peers = all[0], all[1:]
	var others []Peer
	for _, p := range w.peers {
		others = append(others, p.peer())
		p.SetPeers([]Peer{w.hub.peer()})
	}
	w.hub.SetPeers(others)
	for _, p := range w.peers {
		together(t, w.hub, p)
	}
	t.Cleanup(func() {
		for _, s := range all {
			if err := s.stop(); err != nil {
				t.Error(err)
			}
		}
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
	return w
}

func session(from, to *station) *Session {
	from.recorder.mu.Lock()
	defer from.recorder.mu.Unlock()
	return from.sessions[to.Device()]
}

// TestLimitsHold: what a Node's socket sends and gets in ten seconds is within
// 5 % of its limit, with one peer and with two, though everybody asks for more.
func TestLimitsHold(t *testing.T) {
	for _, rate := range []int64{50 << 10, 200 << 10, 1 << 20} {
		for _, peers := range []int{1, 2} {
			for _, way := range []string{"up", "down"} {
				t.Run(fmt.Sprintf("%s %d with %d", way, rate, peers), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) { limitHolds(t, rate, peers, way) })
				})
			}
		}
	}
}

func limitHolds(t *testing.T, rate int64, peers int, way string) {
	w := newNear(t, peers)
	limits := Limits{Up: rate}
	if way == "down" {
		limits = Limits{Down: rate}
	}
	w.hub.SetLimits(limits)
	ctx, cancel := context.WithCancel(t.Context())
	var asks sync.WaitGroup
	for _, p := range w.peers {
		from, to := p, w.hub
		if way == "down" {
			from, to = w.hub, p
		}
		for k := range 2 {
			asks.Go(func() {
				for ctx.Err() == nil {
					_ = session(from, to).Fetch(ctx, tree.FolderID{1}, film(byte(k), 3*rate), func(int, int64, []byte) error { return nil }, func(int, error) {})
				}
			})
		}
	}
	time.Sleep(3 * time.Second)
	count := func() float64 {
		s := w.conn.Stats()
		if way == "down" {
			return float64(s.BytesRcvd) + perPacket*float64(s.PacketsRcvd)
		}
		return float64(s.BytesSent) + perPacket*float64(s.PacketsSent)
	}
	for range 2 {
		before := count()
		time.Sleep(10 * time.Second)
		if got := (count() - before) / 10 / float64(rate); got < 0.95 || got > 1.05 {
			t.Errorf("%.3f of the limit", got)
		}
	}
	cancel()
	asks.Wait()
}

// TestPartedContentComesWhole: under a limit, and while it is changed and lifted,
// contents come as they are, and small ones past big ones.
func TestPartedContentComesWhole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNear(t, 1)
		w.hub.SetLimits(Limits{Down: 100 << 10})
		s := session(w.hub, w.peers[0])
		gone := film(4, 300_000)
		gone[0].Content[32] = 1
		wants := slices.Concat(film(1, 700_000), film(2, 300), gone, []tree.Want{{Content: tree.ContentID{1, 3}, Whole: true, Length: 50_000}}, film(5, 400_000))
		done := make(chan error, 1)
		go func() { done <- take(t, s, wants) }()
		time.Sleep(2 * time.Second)
		began := time.Now()
		if err := take(t, s, []tree.Want{{Content: tree.ContentID{1, 9}, Whole: true, Length: 3000}}); err != nil {
			t.Error(err)
		}
		if waited := time.Since(began); waited > time.Second {
			t.Errorf("a letter waited for %v behind a film", waited)
		}
		w.hub.SetLimits(Limits{Down: 200 << 10}) // a higher one: what was asked for goes on
		time.Sleep(time.Second)
		if len(done) > 0 {
			t.Error("all came, faster than the limit")
		}
		w.hub.SetLimits(Limits{})
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

// TestGivenUpWhileItWaits: who gives up what a limited device has yet to send ends
// nothing but that.
func TestGivenUpWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNear(t, 1)
		w.peers[0].SetLimits(Limits{Up: 20 << 10})
		s := session(w.hub, w.peers[0])
		for _, most := range []int64{0, 30 << 10} {
			w.hub.SetLimits(Limits{Down: most})
			ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
			err := s.Fetch(ctx, tree.FolderID{1}, film(1, 1<<20), func(int, int64, []byte) error { return nil }, func(int, error) {})
			cancel()
			if !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("it ended with %v", err)
			}
			if err := take(t, s, film(2, 30<<10)); err != nil {
				t.Error(err)
			}
		}
		if !agreed(w.hub, s) || len(w.hub.ends) > 0 {
			t.Errorf("the session did not last: %v", w.hub.ends)
		}
	})
}

// TestLowerLimitCutsOff: what was asked for before a limit was set does not all
// come all the same, and can be asked for again.
func TestLowerLimitCutsOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newNear(t, 1)
		w.hub.SetLimits(Limits{Down: 4 << 20})
		s := session(w.hub, w.peers[0])
		done := make(chan error, 1)
		go func() { done <- take(t, s, film(1, 50<<20)) }()
		time.Sleep(2 * time.Second)
		w.hub.SetLimits(Limits{Down: 50 << 10})
		before := w.conn.Stats().BytesRcvd
		if err := <-done; !errors.Is(err, errRecalled) {
			t.Errorf("it ended with %v", err)
		}
		if err := take(t, s, film(1, 400<<10)); err != nil {
			t.Error(err)
		}
		if n := w.conn.Stats().BytesRcvd - before; n > 1<<20 {
			t.Errorf("%d bytes came after the limit was set", n)
		}
	})
}

func TestIsLocal(t *testing.T) {
	for text, want := range map[string]bool{"127.0.0.1": true, "::1": true, "169.254.3.4": true, "fe80::1": true, "198.51.100.7": false, "2001:db8::1": false} {
		if got := isLocal(&net.UDPAddr{IP: net.ParseIP(text), Port: 1}); got != want {
			t.Errorf("%s: %v", text, got)
		}
	}
	_, lan, _ := net.ParseCIDR("192.168.7.5/24")
	_, wide, _ := net.ParseCIDR("10.0.0.1/4")
	for _, c := range []struct {
		ip   string
		of   net.Addr
		want bool
	}{{"192.168.7.200", lan, true}, {"192.168.8.1", lan, false}, {"10.0.0.2", wide, false}} {
		if got := inNetwork(netip.MustParseAddr(c.ip), c.of); got != c.want {
			t.Errorf("%s in %v: %v", c.ip, c.of, got)
		}
	}
}
