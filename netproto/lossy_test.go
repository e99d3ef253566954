package netproto

import (
	"math/rand/v2"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pinion/engine/tree"

	"github.com/quic-go/quic-go/testutils/simnet"
)

// way is one direction of a link: packets leave it at a rate, from a queue that
// drops what does not fit, and some are lost later.
type way struct {
	rate  float64 // bytes a second
	queue int     // bytes
	loss  float64
	delay time.Duration

	free time.Time // when all that is queued has left
	rnd  *rand.Rand
}

// pass says when a packet arrives, or that it does not.
func (w *way) pass(now time.Time, n int) (time.Duration, bool) {
	if w.free.Before(now) {
		w.free = now
	}
	if w.free.Sub(now).Seconds()*w.rate+float64(n) > float64(w.queue) {
		return 0, false
	}
	w.free = w.free.Add(time.Duration(float64(n) / w.rate * float64(time.Second)))
	if w.rnd.Float64() < w.loss {
		return 0, false
	}
	return w.free.Sub(now) + w.delay, true
}

// bottleneck is a router whose only link is narrow.
type bottleneck struct {
	simnet.PerfectRouter
	mu   sync.Mutex
	ways map[string]*way // by who sends
	seen func(p simnet.Packet) bool
}

func (b *bottleneck) SendPacket(p simnet.Packet) error {
	b.mu.Lock()
	w := b.ways[p.From.(*net.UDPAddr).IP.String()]
	after, ok := w.pass(time.Now(), len(p.Data)+perPacket)
	b.mu.Unlock()
	if ok {
		p.Data = append([]byte(nil), p.Data...)
		time.AfterFunc(after, func() { _ = b.PerfectRouter.SendPacket(p) })
	}
	return nil
}

// overLink runs a test between two nodes, of which the second serves, in virtual
// time. The link has the same properties both ways.
func overLink(t *testing.T, like way, test func(t *testing.T, l *linked)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		router := &bottleneck{ways: map[string]*way{}}
		network := &simnet.Simnet{Router: router}
		endpoint := func(last byte) *simnet.SimConn {
			ip := net.IPv4(10, 0, 0, last).To4()
			w := like
			w.rnd = rand.New(rand.NewPCG(uint64(last), 7))
			router.ways[ip.String()] = &w
			return network.NewEndpoint(&net.UDPAddr{IP: ip, Port: 27464}, simnet.NodeBiDiLinkSettings{
				Uplink: simnet.LinkSettings{MTU: 1500}, Downlink: simnet.LinkSettings{MTU: 1500}})
		}
		ca, cb := endpoint(1), endpoint(2)
		if err := network.Start(); err != nil {
			t.Fatal(err)
		}
		r := newRecorder()
		r.onServe = serveAll(32 << 10)
		l := &linked{router: router}
		l.a = launch(t, func(c *Config) { c.PacketConn, c.Timing, c.NoCompression = ca, Timing{}, true }, nil)
		l.b = launch(t, func(c *Config) { c.PacketConn, c.Timing, c.NoCompression = cb, Timing{}, true }, r)
		l.a.SetPeers([]Peer{l.b.peer()})
		l.b.SetPeers([]Peer{l.a.peer()})
		l.ab, l.ba = together(t, l.a, l.b)
		test(t, l)
		for _, s := range []*station{l.a, l.b} {
			if err := s.stop(); err != nil {
				t.Error(err)
			}
		}
		time.Sleep(time.Minute) // what is under way arrives nowhere
		if err := network.Close(); err != nil {
			t.Error(err)
		}
	})
}

type linked struct {
	router *bottleneck
	a, b   *station
	ab, ba *Session
}

// film fetches n MiB, by two calls at a time as the engine does, and gives the rate
// in bytes a second and the most connections beside the first.
func (l *linked) film(t *testing.T, n int) (rate float64, most int) {
	t.Helper()
	stop := make(chan struct{})
	var watching, fetching sync.WaitGroup
	watching.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-time.After(20 * time.Millisecond):
			}
			ours, _ := l.ba.more.list()
			most = max(most, len(ours))
		}
	})
	began := time.Now()
	runs := make(chan int, n)
	for i := range n {
		runs <- i
	}
	close(runs)
	for range 2 {
		fetching.Go(func() {
			for i := range runs {
				want := bigWants(1, 1<<20)
				want[0].Offset = int64(i) << 20
				if err := take(t, l.ab, want); err != nil {
					t.Errorf("run %d: %v", i, err)
				}
			}
		})
	}
	fetching.Wait()
	rate = float64(n<<20) / time.Since(began).Seconds()
	close(stop)
	watching.Wait()
	return rate, most
}

// wan is a link that loses packets by itself.
func wan() way {
	return way{rate: 20e6 / 8, queue: 256 << 10, loss: 0.005, delay: 30 * time.Millisecond}
}

func TestLossOpensMore(t *testing.T) {
	overLink(t, wan(), func(t *testing.T, l *linked) {
		rate, most := l.film(t, 16)
		t.Logf("%.1f Mbit/s, %d more connections", rate*8/1e6, most)
		if rate < 0.65*20e6/8 {
			t.Errorf("%.1f Mbit/s of 20", rate*8/1e6)
		}
		if most == 0 {
			t.Error("no more connections were opened")
		}
		time.Sleep(time.Minute)
		ours, _ := l.ba.more.list()
		l.ab.more.mu.Lock()
		theirs := len(l.ab.more.theirs)
		l.ab.more.mu.Unlock()
		if len(ours) > 0 || theirs > 0 {
			t.Errorf("%d and %d connections are left after a minute of rest", len(ours), theirs)
		}
	})
}

func TestCleanLinkOpensNoMore(t *testing.T) {
	link := wan()
	link.loss = 0
	overLink(t, link, func(t *testing.T, l *linked) {
		rate, most := l.film(t, 16)
		t.Logf("%.1f Mbit/s, %d more connections", rate*8/1e6, most)
		if most > 0 {
			t.Errorf("%d more connections on a link that loses nothing by itself", most)
		}
		if rate < 0.8*20e6/8 {
			t.Errorf("%.1f Mbit/s of 20", rate*8/1e6)
		}
	})
}

// TestWordsPassBulk: while a transfer fills the link, a word gets through in about
// half a round trip.
func TestWordsPassBulk(t *testing.T) {
	for name, link := range map[string]way{
		"wan":  wan(),
		"slow": {rate: 256e3 / 8, queue: 32 << 10, loss: 0.01, delay: 75 * time.Millisecond},
		"down": {rate: 2e6 / 8, queue: 32 << 10, loss: 0.01, delay: 75 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			overLink(t, link, func(t *testing.T, l *linked) {
				var worst, sum time.Duration
				done := make(chan struct{})
				var rate float64
				var most int
				go func() {
					defer close(done)
					rate, most = l.film(t, max(1, int(link.rate*20)>>20))
				}()
				time.Sleep(8 * time.Second) // the rate is found
				n := 0
				for i := range 24 {
					select {
					case <-done:
					default:
						sent := time.Now()
						l.ba.SendState(tree.FolderState{Folder: tree.FolderID{1}, Files: int64(i + 1)})
						l.a.wait(t, "a state", func() bool { s := l.a.states; return len(s) > 0 && s[len(s)-1].Files == int64(i+1) })
						took := time.Since(sent)
						worst, sum, n = max(worst, took), sum+took, n+1
						time.Sleep(310 * time.Millisecond)
					}
				}
				<-done
				mean := sum / time.Duration(max(n, 1))
				t.Logf("%d states: mean %v, worst %v; %.2f of the link, %d more", n, mean, worst, rate/link.rate, most)
				if mean > 5*link.delay || n < 5 {
					t.Errorf("%d words took %v, a round trip is %v", n, mean, 2*link.delay)
				}
				if rate < 0.75*link.rate {
					t.Errorf("%.2f of the link", rate/link.rate)
				}
			})
		})
	}
}

// TestDyingConnectionLosesNothing: further connections are torn down, at either
// end, in the middle of a transfer. All comes, as it is, and is asked for again
// where that is needed.
func TestDyingConnectionLosesNothing(t *testing.T) {
	overLink(t, wan(), func(t *testing.T, l *linked) {
		stop := make(chan struct{})
		var harm sync.WaitGroup
		torn := 0
		harm.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(700 * time.Millisecond):
				}
				if ours, _ := l.ba.more.list(); len(ours) > 0 && i%2 == 0 {
					_ = ours[0].conn.CloseWithError(0, "")
					torn++
				}
				l.ab.more.mu.Lock()
				for conn := range l.ab.more.theirs {
					if i%2 == 1 {
						_ = conn.CloseWithError(0, "")
						torn++
						break
					}
				}
				l.ab.more.mu.Unlock()
			}
		})
		if err := take(t, l.ab, smallWants(1000, 5000)); err != nil {
			t.Error(err)
		}
		rate, _ := l.film(t, 12)
		close(stop)
		harm.Wait()
		t.Logf("%d connections were torn, %.1f Mbit/s", torn, rate*8/1e6)
		if torn < 3 {
			t.Errorf("%d connections were torn: that shows nothing", torn)
		}
		if !agreed(l.a, l.ab) || !agreed(l.b, l.ba) {
			t.Error("the session ended")
		}
	})
}

// TestLimitOverAllConnections: what a person allows holds for all of a session's
// connections together.
func TestLimitOverAllConnections(t *testing.T) {
	overLink(t, wan(), func(t *testing.T, l *linked) {
		const limit = 1 << 20
		l.film(t, 16)
		if ours, _ := l.ba.more.list(); len(ours) == 0 {
			t.Fatal("there are no more connections")
		}
		l.b.SetLimits(Limits{Up: limit})
		if rate, _ := l.film(t, 12); rate > limit || rate < 0.8*limit {
			t.Errorf("%.0f bytes a second, %d are allowed", rate, limit)
		}
		time.Sleep(10 * time.Second)
		l.b.SetLimits(Limits{Up: limit / 4})
		if rate, _ := l.film(t, 3); rate > limit/4 || rate < 0.7*limit/4 {
			t.Errorf("%.0f bytes a second, %d are allowed", rate, limit/4)
		}
	})
}

// TestConductor: what is concluded from what the connections say.
func TestConductor(t *testing.T) {
	// drive has a session send as fast as it may, over a way whose queue is as long as
	// it says, for a time.
	type way struct {
		speed float64
		rtt   time.Duration
		lost  int64 // packets a second
		busy  bool
	}
	now := time.Unix(0, 0)
	drive := func(c *conductor, last *reading, d time.Duration, like func(c *conductor) way) (most int) {
		for end := now.Add(d); now.Before(end); now = now.Add(conductEvery) {
			w := like(c)
			if last.waited = c.rate > 0 && c.rate < w.speed; last.waited {
				w.speed = c.rate
			}
			last.sent += int64(w.speed * conductEvery.Seconds())
			last.lost += w.lost
			last.rtt, last.smooth, last.cwnd, last.more = w.rtt, w.rtt, int64(1e6*w.rtt.Seconds())*int64(1+c.more), c.more
			if w.busy {
				last.busy += conductEvery
			}
			c.step(now, *last)
			most = max(most, c.more)
		}
		return most
	}
	base := 40 * time.Millisecond
	fresh := func() (*conductor, *reading) {
		c := &conductor{}
		c.begin(now, base)
		return c, &reading{}
	}
	t.Run("a queue that is full is no reason", func(t *testing.T) {
		c, r := fresh()
		if n := drive(c, r, 20*time.Second, func(*conductor) way { return way{1e6, base + 100*time.Millisecond, 1, true} }); n > 0 {
			t.Errorf("%d more", n)
		}
		if c.rate == 0 {
			t.Error("it is not restrained")
		}
	})
	t.Run("nor is nothing to send", func(t *testing.T) {
		c, r := fresh()
		if n := drive(c, r, 20*time.Second, func(*conductor) way { return way{1e6, base, 1, false} }); n > 0 {
			t.Errorf("%d more", n)
		}
	})
	t.Run("nor is no loss", func(t *testing.T) {
		c, r := fresh()
		if n := drive(c, r, 20*time.Second, func(*conductor) way { return way{1e6, base, 0, true} }); n > 0 {
			t.Errorf("%d more", n)
		}
	})
	t.Run("nor a person's limit", func(t *testing.T) {
		c, r := fresh()
		r.limit = 1e6
		if n := drive(c, r, 20*time.Second, func(*conductor) way { return way{1e6, base, 1, true} }); n > 0 {
			t.Errorf("%d more", n)
		}
	})
	t.Run("loss is, while it helps", func(t *testing.T) {
		c, r := fresh()
		drive(c, r, 20*time.Second, func(c *conductor) way { return way{1e6 * float64(1+c.more), base, 1, true} })
		if c.more != maxMore {
			t.Errorf("%d more", c.more)
		}
		drive(c, r, 8*time.Second, func(*conductor) way { return way{1e6, base + 200*time.Millisecond, 1, true} })
		if c.more == maxMore {
			t.Error("a full queue closes none")
		}
	})
	t.Run("what does not help is closed, and tried less and less", func(t *testing.T) {
		c, r := fresh()
		with := 0
		const seconds = 300
		for range seconds {
			drive(c, r, time.Second, func(*conductor) way { return way{1e6, base, 1, true} })
			if c.more > 0 {
				with++
			}
		}
		if with == 0 || with > seconds/20 {
			t.Errorf("%d of %d s with more connections", with, seconds)
		}
	})
	t.Run("a way that has become longer", func(t *testing.T) {
		c, r := fresh()
		drive(c, r, 60*time.Second, func(*conductor) way { return way{1e6, base + 200*time.Millisecond, 0, true} })
		if c.base < base+150*time.Millisecond {
			t.Errorf("it is still held to be %v long", c.base)
		}
	})
}
