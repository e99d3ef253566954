package netproto

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/identity"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// patience is how long a test waits for what has to happen.
const patience = 30 * time.Second

// recorder is a Handler that notes what it is told and answers as it is told to.
type recorder struct {
	mu       sync.Mutex
	changed  chan struct{} // closed and renewed at each change
	sessions map[tree.DeviceID]*Session
	ups      int
	ends     []error
	rosters  [][][]byte
	offers   [][]tree.Offer
	states   []tree.FolderState
	batches  map[tree.FolderID][]tree.Batch

	onBatch    func(ctx context.Context, folder tree.FolderID, b tree.Batch) error
	onManifest func(content tree.ContentID) (tree.Manifest, error)
	onServe    func(ctx context.Context, wants []tree.Want, w PieceWriter) error
}

func newRecorder() *recorder {
	return &recorder{changed: make(chan struct{}), sessions: map[tree.DeviceID]*Session{}, batches: map[tree.FolderID][]tree.Batch{}}
}

func (r *recorder) note(f func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f()
	close(r.changed)
	r.changed = make(chan struct{})
}

// wait waits until cond, called under mu, holds.
func (r *recorder) wait(t testing.TB, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(patience)
	for {
		r.mu.Lock()
		ok, changed := cond(), r.changed
		r.mu.Unlock()
		if ok {
			return
		}
		select {
		case <-changed:
		case <-deadline:
			t.Fatalf("%s did not happen", what)
		}
	}
}

func (r *recorder) Connected(s *Session) {
	r.note(func() { r.sessions[s.Device()] = s; r.ups++ })
}

func (r *recorder) Disconnected(s *Session, err error) {
	r.note(func() {
		r.ends = append(r.ends, err)
		if r.sessions[s.Device()] == s {
			delete(r.sessions, s.Device())
		}
	})
}

func (r *recorder) Roster(_ *Session, st [][]byte) error {
	r.note(func() { r.rosters = append(r.rosters, st) })
	return nil
}

func (r *recorder) Offers(_ *Session, o []tree.Offer) error {
	r.note(func() { r.offers = append(r.offers, o) })
	return nil
}

func (r *recorder) State(_ *Session, s tree.FolderState) error {
	r.note(func() { r.states = append(r.states, s) })
	return nil
}

func (r *recorder) Batch(ctx context.Context, _ *Session, folder tree.FolderID, b tree.Batch) error {
	if r.onBatch != nil {
		if err := r.onBatch(ctx, folder, b); err != nil {
			return err
		}
	}
	r.note(func() { r.batches[folder] = append(r.batches[folder], b) })
	return nil
}

func (r *recorder) Manifest(_ context.Context, _ *Session, _ tree.FolderID, content tree.ContentID) (tree.Manifest, error) {
	if r.onManifest == nil {
		return nil, ErrGone
	}
	return r.onManifest(content)
}

func (r *recorder) Serve(ctx context.Context, _ *Session, _ tree.FolderID, wants []tree.Want, w PieceWriter) error {
	if r.onServe == nil {
		return nil
	}
	return r.onServe(ctx, wants, w)
}

// station is a Node that runs, with its Handler.
type station struct {
	*Node
	*recorder
	stop func() error
}

func newIdentity(t testing.TB) *identity.Identity {
	t.Helper()
	id, err := identity.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// quick are times that suit a test: what is waited for in vain is short.
func quick() Timing {
	return Timing{RetryFirst: 20 * time.Millisecond, RetryMost: 200 * time.Millisecond, Stagger: 50 * time.Millisecond, Dial: 4 * time.Second}
}

func launch(t testing.TB, change func(*Config), r *recorder) *station {
	t.Helper()
	if r == nil {
		r = newRecorder()
	}
	cfg := Config{Identity: newIdentity(t), Handler: r, Listen: "127.0.0.1:0", Name: "name", Software: "test 1", Timing: quick()}
	if testing.Verbose() {
		cfg.Log = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	if change != nil {
		change(&cfg)
	}
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- n.Run(ctx) }()
	for running := false; !running; time.Sleep(time.Millisecond) {
		n.mu.Lock()
		running = n.running
		n.mu.Unlock()
	}
	var once sync.Once
	s := &station{Node: n, recorder: r}
	s.stop = func() (err error) {
		once.Do(func() {
			cancel()
			select {
			case err = <-done:
			case <-time.After(patience):
				buf := make([]byte, 1<<20)
				t.Errorf("Run did not return:\n%s", buf[:runtime.Stack(buf, true)])
			}
		})
		return err
	}
	t.Cleanup(func() {
		if err := s.stop(); err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return s
}

func (s *station) peer() Peer { return Peer{Device: s.Device(), Addrs: []string{s.Addr().String()}} }

// meet makes a and b members of each other and gives their two ends.
func meet(t testing.TB, a, b *station) (ab, ba *Session) {
	t.Helper()
	a.SetPeers([]Peer{b.peer()})
	b.SetPeers([]Peer{{Device: a.Device()}})
	return together(t, a, b)
}

func together(t testing.TB, a, b *station) (ab, ba *Session) {
	t.Helper()
	a.wait(t, "connecting", func() bool { ab = a.sessions[b.Device()]; return ab != nil })
	b.wait(t, "connecting", func() bool { ba = b.sessions[a.Device()]; return ba != nil })
	return ab, ba
}

// noLeak fails the test if it leaves goroutines of this module or of QUIC.
func noLeak(t *testing.T) {
	t.Helper()
	t.Cleanup(func() {
		var left string
		for range 200 {
			buf := make([]byte, 1<<20)
			left = ""
			for g := range strings.SplitSeq(string(buf[:runtime.Stack(buf, true)]), "\n\n") {
				if (strings.Contains(g, "pinion/netproto.") || strings.Contains(g, "quic-go.")) && !strings.Contains(g, "testing.tRunner") {
					left += g + "\n\n"
				}
			}
			if left == "" {
				return
			}
			time.Sleep(20 * time.Millisecond)
		}
		t.Errorf("goroutines were left:\n%s", left)
	})
}

func TestTwoMeetAndTalk(t *testing.T) {
	noLeak(t)
	a, b := launch(t, func(c *Config) { c.Name = "laptop" }, nil), launch(t, func(c *Config) { c.Name = "pi" }, nil)
	ab, ba := meet(t, a, b)
	if ab.Name() != "pi" || ba.Name() != "laptop" || ab.Software() != "test 1" || ab.Device() != b.Device() {
		t.Errorf("%q %q %q", ab.Name(), ba.Name(), ab.Software())
	}
	ab.SendRoster([][]byte{{1}, {2, 3}})
	ab.SendOffers([]tree.Offer{{Folder: tree.FolderID{1}, Name: "docs"}})
	for i := range int64(1000) {
		ab.SendState(tree.FolderState{Folder: tree.FolderID{1}, Files: i})
	}
	b.wait(t, "the last state", func() bool { return len(b.states) > 0 && b.states[len(b.states)-1].Files == 999 })
	b.recorder.mu.Lock()
	if len(b.rosters) != 1 || len(b.offers) != 1 || b.offers[0][0].Name != "docs" {
		t.Errorf("%v %v", b.rosters, b.offers)
	}
	b.recorder.mu.Unlock()
	i := a.Sessions()[0]
	if !i.Connected || i.Name != "pi" || i.Addr != b.Addr().String() || i.BytesIn == 0 || i.BytesOut == 0 || i.RTT == 0 || i.LastError != nil {
		t.Errorf("%+v", i)
	}
	if err := b.stop(); err != nil {
		t.Error(err)
	}
	a.wait(t, "hearing of the end", func() bool { return len(a.ends) == 1 })
	if e, ok := errors.AsType[*Error](a.ends[0]); !ok || e.Code != wire.Stopping || !e.Remote {
		t.Errorf("it ended with %v", a.ends[0])
	}
	if !errors.Is(ab.SendBatch(t.Context(), tree.FolderID{1}, tree.Batch{}), ErrClosed) {
		t.Error("a session that is over takes batches")
	}
}

// TestBothDial: however many devices dial each other at once, each pair ends up
// with one session that both agree on, and keeps it.
func TestBothDial(t *testing.T) {
	noLeak(t)
	for range 3 {
		var all []*station
		for range 4 {
			all = append(all, launch(t, nil, nil))
		}
		var peers []Peer
		for _, s := range all {
			peers = append(peers, s.peer())
		}
		for _, s := range all {
			s.SetPeers(peers)
		}
		for i, a := range all {
			for _, b := range all[:i] {
				deadline := time.Now().Add(patience)
				for {
					ab, ba := together(t, a, b)
					a.SendProbe(ab, 7)
					if agreed(a, ab) && agreed(b, ba) && ab.dialled != ba.dialled &&
						ab.conn.RemoteAddr().String() == b.Addr().String() {
						break
					}
					if time.Now().After(deadline) {
						t.Fatal("two devices don't agree on a session")
					}
					time.Sleep(10 * time.Millisecond)
				}
			}
		}
		for _, s := range all {
			for _, i := range s.Sessions() {
				if i.LastError != nil {
					t.Errorf("a duplicate was taken for a fault: %v", i.LastError)
				}
			}
		}
		for _, s := range all {
			if err := s.stop(); err != nil {
				t.Error(err)
			}
		}
	}
}

// SendProbe is a state that changes nothing.
func (s *station) SendProbe(to *Session, n int64) {
	to.SendState(tree.FolderState{Folder: tree.FolderID{9}, Files: n})
}

func agreed(s *station, session *Session) bool {
	s.recorder.mu.Lock()
	defer s.recorder.mu.Unlock()
	return s.sessions[session.Device()] == session && session.ctx.Err() == nil
}

func TestStrangersAreRefusedInTheHandshake(t *testing.T) {
	noLeak(t)
	a := launch(t, nil, nil)
	stranger := launch(t, nil, nil)
	stranger.SetPeers([]Peer{a.peer()})
	deadline := time.Now().Add(patience)
	for {
		i := stranger.Sessions()[0]
		if e, ok := errors.AsType[*Error](i.LastError); ok && e.Code == wire.Removed {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("the stranger knows only of %v", i.LastError)
		}
		time.Sleep(5 * time.Millisecond)
	}
	a.recorder.mu.Lock()
	defer a.recorder.mu.Unlock()
	if a.ups != 0 || stranger.ups != 0 {
		t.Error("a stranger got a session")
	}
}

func TestAnotherDeviceAtTheAddress(t *testing.T) {
	a, b := launch(t, nil, nil), launch(t, nil, nil)
	b.SetPeers([]Peer{{Device: a.Device()}})
	a.SetPeers([]Peer{{Device: newIdentity(t).Device(), Addrs: []string{b.Addr().String()}}})
	deadline := time.Now().Add(patience)
	for !errors.Is(a.Sessions()[0].LastError, identity.ErrOtherDevice) {
		if time.Now().After(deadline) {
			t.Fatalf("got %v", a.Sessions()[0].LastError)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

func TestRemovalDisconnects(t *testing.T) {
	noLeak(t)
	a, b := launch(t, nil, nil), launch(t, nil, nil)
	meet(t, a, b)
	b.SetPeers(nil)
	a.wait(t, "the end", func() bool { return len(a.ends) > 0 })
	b.wait(t, "the end", func() bool { return len(b.ends) > 0 })
	if e, ok := errors.AsType[*Error](a.ends[0]); !ok || e.Code != wire.Removed || !e.Remote {
		t.Errorf("it ended with %v", a.ends[0])
	}
	deadline := time.Now().Add(patience)
	for {
		i := a.Sessions()[0]
		if te, ok := errors.AsType[*quic.TransportError](i.LastError); ok && te.Remote {
			break // refused in a handshake of its own
		}
		if time.Now().After(deadline) {
			t.Fatalf("last error: %v", i.LastError)
		}
		time.Sleep(5 * time.Millisecond)
	}
	b.SetPeers([]Peer{a.peer()})
	together(t, a, b)
}

// TestReconnects: after the other side was restarted at the same address, and
// tells nothing, the session is renewed by Kick.
func TestReconnects(t *testing.T) {
	a := launch(t, nil, nil)
	id := newIdentity(t)
	b := launch(t, func(c *Config) { c.Identity = id }, nil)
	first, _ := meet(t, a, b)
	addr := b.Addr().String()
	if err := b.stop(); err != nil {
		t.Fatal(err)
	}
	again := launch(t, func(c *Config) { c.Identity, c.Listen = id, addr }, nil)
	again.SetPeers([]Peer{{Device: a.Device()}})
	a.Kick()
	a.wait(t, "a new session", func() bool { s := a.sessions[b.Device()]; return s != nil && s != first })
	together(t, a, again)
}

// TestProbeFindsTheDead: a peer that vanished without a word is noticed by Kick
// long before the idle timeout.
func TestProbeFindsTheDead(t *testing.T) {
	hole := &blackHole{}
	a := launch(t, func(c *Config) { c.Timing.Probe = 200 * time.Millisecond }, nil)
	b := launch(t, func(c *Config) { c.PacketConn = hole.wrap(t) }, nil)
	meet(t, a, b)
	hole.swallow(true)
	a.Kick()
	a.wait(t, "noticing", func() bool { return len(a.ends) == 1 })
	if e, ok := errors.AsType[*Error](a.ends[0]); !ok || e.Code != wire.Slow {
		t.Errorf("it ended with %v", a.ends[0])
	}
	hole.swallow(false)
	together(t, a, b)
}

// blackHole is a socket that can be made to lose everything.
type blackHole struct {
	net.PacketConn
	mu   sync.Mutex
	lost bool
}

func (h *blackHole) wrap(t testing.TB) net.PacketConn {
	t.Helper()
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	h.PacketConn = conn
	return h
}

func (h *blackHole) swallow(on bool) { h.mu.Lock(); h.lost = on; h.mu.Unlock() }
func (h *blackHole) isLost() bool    { h.mu.Lock(); defer h.mu.Unlock(); return h.lost }

func (h *blackHole) ReadFrom(p []byte) (int, net.Addr, error) {
	for {
		n, addr, err := h.PacketConn.ReadFrom(p)
		if err != nil || !h.isLost() {
			return n, addr, err
		}
	}
}

func (h *blackHole) WriteTo(p []byte, addr net.Addr) (int, error) {
	if h.isLost() {
		return len(p), nil
	}
	return h.PacketConn.WriteTo(p, addr)
}

// TestAddressesAreTriedSideBySide: dead addresses in front of the good one cost
// a step each, not a timeout each.
func TestAddressesAreTriedSideBySide(t *testing.T) {
	a, b := launch(t, nil, nil), launch(t, nil, nil)
	dead := &blackHole{lost: true}
	hole := dead.wrap(t)
	defer hole.Close()
	b.SetPeers([]Peer{{Device: a.Device()}})
	a.SetPeers([]Peer{{Device: b.Device(), Addrs: []string{hole.LocalAddr().String(), "127.0.0.1:no", "256.0.0.1:1", b.Addr().String()}}})
	ab, _ := together(t, a, b)
	if ab.RemoteAddr().String() != b.Addr().String() {
		t.Error(ab.RemoteAddr())
	}
	a.Node.mu.Lock()
	defer a.Node.mu.Unlock()
	if got := a.peers[b.Device()].good; got != b.Addr().String() {
		t.Errorf("remembers %q", got)
	}
}

func TestAddressInUse(t *testing.T) {
	a := launch(t, nil, nil)
	_, err := New(Config{Identity: newIdentity(t), Handler: newRecorder(), Listen: a.Addr().String()})
	if !errors.Is(err, ErrInUse) || !strings.Contains(err.Error(), "--listen") {
		t.Errorf("got %v", err)
	}
	if _, err := New(Config{Identity: newIdentity(t), Handler: newRecorder(), Listen: "nonsense"}); err == nil {
		t.Error("nonsense was listened on")
	}
	if _, err := New(Config{}); err == nil {
		t.Error("a node of nothing")
	}
}

func entry(name string) tree.Entry {
	return tree.Entry{Path: tree.Path(name), Kind: tree.Dir, Mode: 0o755, Version: tree.Version{{Replica: 1, N: 1}}, Author: 1}
}

func TestBatchesComeInOrderAndHoldBack(t *testing.T) {
	noLeak(t)
	r := newRecorder()
	gate := make(chan struct{})
	slow, fast := tree.FolderID{1}, tree.FolderID{2}
	r.onBatch = func(ctx context.Context, folder tree.FolderID, _ tree.Batch) error {
		if folder != slow {
			return nil
		}
		select {
		case <-gate:
		case <-ctx.Done():
		}
		return nil
	}
	a, b := launch(t, nil, nil), launch(t, nil, r)
	ab, _ := meet(t, a, b)

	var sent int
	var mu sync.Mutex
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() {
		for seq := uint64(1); ; seq++ {
			batch := tree.Batch{Upto: tree.Position{Replica: 1, Seq: seq}}
			for i := range 200 {
				e := entry(fmt.Sprintf("%d-%d", seq, i))
				e.Kind, e.Content, e.Mode = tree.File, tree.ContentID{1: byte(i), 2: byte(seq), 3: byte(i * 7)}, 0o600
				if _, err := rand.Read(e.Content[1:]); err != nil {
					done <- err
					return
				}
				e.Content[0] = tree.HashBLAKE3
				batch.Entries = append(batch.Entries, e)
			}
			if err := ab.SendBatch(ctx, slow, batch); err != nil {
				done <- err
				return
			}
			mu.Lock()
			sent++
			mu.Unlock()
		}
	}()
	// The sender comes to a halt while another folder's stream goes on.
	for before := -1; ; time.Sleep(200 * time.Millisecond) {
		mu.Lock()
		now := sent
		mu.Unlock()
		if now > 0 && now == before {
			break
		}
		before = now
	}
	if err := ab.SendBatch(t.Context(), fast, tree.Batch{Entries: []tree.Entry{entry("x")}}); err != nil {
		t.Fatal(err)
	}
	b.wait(t, "the other folder's batch", func() bool { return len(b.batches[fast]) == 1 })
	cancel()
	if err := <-done; !errors.Is(err, context.Canceled) {
		t.Fatalf("the sender ended with %v", err)
	}
	// A new stream for the folder is read after the one that was broken off.
	if err := ab.SendBatch(t.Context(), slow, tree.Batch{Upto: tree.Position{Seq: 1 << 40}}); err != nil {
		t.Fatal(err)
	}
	close(gate)
	b.wait(t, "the last batch", func() bool {
		got := b.batches[slow]
		return len(got) > 0 && got[len(got)-1].Upto.Seq == 1<<40
	})
	b.recorder.mu.Lock()
	defer b.recorder.mu.Unlock()
	for i, got := range b.batches[slow][:len(b.batches[slow])-1] {
		if got.Upto.Seq != uint64(i+1) {
			t.Fatalf("batch %d says %d", i+1, got.Upto.Seq)
		}
	}
}

func TestHandlerErrorEndsTheSession(t *testing.T) {
	r := newRecorder()
	r.onBatch = func(context.Context, tree.FolderID, tree.Batch) error { return errors.New("disk of /home/pat is full") }
	a, b := launch(t, nil, nil), launch(t, nil, r)
	ab, _ := meet(t, a, b)
	if err := ab.SendBatch(t.Context(), tree.FolderID{1}, tree.Batch{}); err != nil {
		t.Fatal(err)
	}
	a.wait(t, "the end", func() bool { return len(a.ends) > 0 })
	b.wait(t, "the end", func() bool { return len(b.ends) > 0 })
	if e, ok := errors.AsType[*Error](a.ends[0]); !ok || e.Code != wire.Internal || !e.Remote || strings.Contains(e.Error(), "pat") {
		t.Errorf("the peer hears %v", a.ends[0])
	}
	if !strings.Contains(b.ends[0].Error(), "disk of /home/pat") {
		t.Errorf("this device knows %v", b.ends[0])
	}
}

// TestMoreReplicasThanAStreamMayName: the rest is told on another stream.
func TestMoreReplicasThanAStreamMayName(t *testing.T) {
	a, b := launch(t, nil, nil), launch(t, nil, nil)
	a.SetPeers([]Peer{b.peer()})
	b.SetPeers([]Peer{a.peer()})
	ab, _ := together(t, a, b)
	folder := tree.FolderID{4}
	for i := range 3 {
		batch := tree.Batch{After: uint64(i), Upto: tree.Position{Replica: 1, Epoch: 1, Seq: uint64(i + 1)}}
		for j := range tree.ReplicaID(wire.MaxReplicas - 10) {
			batch.Replicas = append(batch.Replicas, tree.Replica{ID: tree.ReplicaID(i)<<20 + j + 1, Device: tree.DeviceID{1}})
		}
		if err := ab.SendBatch(t.Context(), folder, batch); err != nil {
			t.Fatal(err)
		}
	}
	b.wait(t, "all of it", func() bool { return len(b.batches[folder]) == 3 })
	for i, got := range b.batches[folder] {
		if got.After != uint64(i) || len(got.Replicas) != wire.MaxReplicas-10 {
			t.Errorf("batch %d is after %d with %d replicas", i, got.After, len(got.Replicas))
		}
	}
}

func TestManifests(t *testing.T) {
	list := func(n int, salt byte) tree.Manifest {
		m := make(tree.Manifest, n)
		for i := range m {
			m[i] = tree.Chunk{ID: tree.ContentID{tree.HashBLAKE3, byte(i), byte(i >> 8), salt}, Len: uint32(i + 1)}
		}
		return m
	}
	id := func(n byte) tree.ContentID { return tree.ContentID{tree.HashBLAKE3, n} }
	old := list(50_000, 0)
	now := append(append(append(tree.Manifest{}, old[:20_000]...), list(2, 1)...), old[20_001:]...)
	known := map[tree.ContentID]tree.Manifest{id(1): old, id(2): now, id(3): {}}
	r := newRecorder()
	r.onManifest = func(c tree.ContentID) (tree.Manifest, error) {
		if m, ok := known[c]; ok {
			return m, nil
		}
		return nil, ErrGone
	}
	mine := newRecorder()
	mine.onManifest = func(c tree.ContentID) (tree.Manifest, error) {
		if c == id(1) {
			return old, nil
		}
		return nil, errors.New("not here")
	}
	a, b := launch(t, nil, mine), launch(t, nil, r)
	ab, _ := meet(t, a, b)
	for _, c := range []struct {
		name          string
		content, base tree.ContentID
		want          tree.Manifest
		limit         uint64 // of bytes on the wire
	}{
		{"as a difference", id(2), id(1), now, 20_000},
		{"in full", id(2), tree.ContentID{}, now, 1 << 30},
		{"base not here", id(1), id(9), old, 1 << 30},
		{"empty", id(3), tree.ContentID{}, tree.Manifest{}, 20_000},
	} {
		before := ab.conn.ConnectionStats().BytesReceived
		got, err := ab.Manifest(t.Context(), tree.FolderID{}, c.content, c.base, 1<<22)
		if err != nil || len(got) != len(c.want) {
			t.Fatalf("%s: %d chunks, %v", c.name, len(got), err)
		}
		for i := range got {
			if got[i] != c.want[i] {
				t.Fatalf("%s: chunk %d is %v", c.name, i, got[i])
			}
		}
		if used := ab.conn.ConnectionStats().BytesReceived - before; used > c.limit {
			t.Errorf("%s: took %d bytes", c.name, used)
		}
	}
	if _, err := ab.Manifest(t.Context(), tree.FolderID{}, id(9), tree.ContentID{}, 1<<22); !errors.Is(err, ErrGone) {
		t.Errorf("got %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := ab.Manifest(ctx, tree.FolderID{}, id(2), tree.ContentID{}, 1<<22); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	if _, err := ab.Manifest(t.Context(), tree.FolderID{}, id(2), id(1), int64(len(now))); err != nil {
		t.Errorf("a list of the length that it may have: %v", err)
	}
	if got, err := ab.Manifest(t.Context(), tree.FolderID{}, id(2), id(1), 1<<22); err != nil || len(got) != len(now) {
		t.Errorf("after one that was given up: %d chunks, %v", len(got), err)
	}
}

// content is what the test server gives for a want: bytes that follow from the
// content's id and the offset.
func content(id tree.ContentID, off int64, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		at := off + int64(i)
		b[i] = byte(at>>3) ^ id[1] ^ byte(at*int64(id[2]|1)>>8)
	}
	return b
}

// serveAll answers each want, in pieces of up to step bytes; ids with a 1 in the
// last byte are gone.
func serveAll(step int) func(context.Context, []tree.Want, PieceWriter) error {
	return func(_ context.Context, wants []tree.Want, w PieceWriter) error {
		for i, want := range wants {
			if want.Content[32] == 1 {
				if err := w.Done(i, true); err != nil {
					return err
				}
				continue
			}
			for off := want.Offset; off < want.Offset+want.Length; {
				n := min(int64(step), want.Offset+want.Length-off)
				if err := w.Piece(i, off, content(want.Content, off, int(n))); err != nil {
					return err
				}
				off += n
			}
			if err := w.Done(i, false); err != nil {
				return err
			}
		}
		return nil
	}
}

// take fetches wants and checks all that comes.
func take(t testing.TB, s *Session, wants []tree.Want) error {
	t.Helper()
	got, at := make([]int64, len(wants)), 0
	err := s.Fetch(t.Context(), tree.FolderID{1}, wants, func(i int, off int64, data []byte) error {
		if i != at || off != wants[i].Offset+got[i] || !bytes.Equal(data, content(wants[i].Content, off, len(data))) {
			t.Errorf("want %d: wrong bytes at %d", i, off)
		}
		got[i] += int64(len(data))
		return nil
	}, func(i int, err error) {
		if i != at {
			t.Errorf("want %d ended instead of %d", i, at)
		}
		at++
		if gone := wants[i].Content[32] == 1; gone != errors.Is(err, ErrGone) || (!gone && got[i] != wants[i].Length) {
			t.Errorf("want %d ended with %d bytes and %v", i, got[i], err)
		}
	})
	if err == nil && at != len(wants) {
		t.Errorf("%d of %d wants ended", at, len(wants))
	}
	return err
}

func smallWants(n int, size int64) []tree.Want {
	wants := make([]tree.Want, n)
	for i := range wants {
		wants[i] = tree.Want{
			Content: tree.ContentID{tree.HashBLAKE3, byte(i), byte(i >> 8)},
			Path:    tree.Path(fmt.Sprintf("some/where/file-%05d", i)), Whole: true, Length: size,
		}
		if i%97 == 5 && size > 0 {
			wants[i].Content[32] = 1
		}
	}
	return wants
}

func bigWants(n int, size int64) []tree.Want {
	wants := make([]tree.Want, n)
	for i := range wants {
		wants[i] = tree.Want{
			Content: tree.ContentID{tree.HashBLAKE3, byte(i)}, Path: "big",
			First: uint32(i), Count: 3, Offset: int64(i) * size, Length: size,
		}
	}
	return wants
}

func TestFetch(t *testing.T) {
	noLeak(t)
	for _, compress := range []bool{true, false} {
		r := newRecorder()
		r.onServe = serveAll(100_000)
		a, b := launch(t, nil, nil), launch(t, func(c *Config) { c.NoCompression = !compress }, r)
		ab, _ := meet(t, a, b)
		var wg sync.WaitGroup
		for range 3 {
			wg.Go(func() {
				if err := take(t, ab, smallWants(2000, 5000)); err != nil {
					t.Error(err)
				}
			})
			wg.Go(func() {
				if err := take(t, ab, bigWants(9, 1<<20+17)); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if err := take(t, ab, smallWants(3, 0)); err != nil {
			t.Errorf("empty contents: %v", err)
		}
		if err := ab.Fetch(t.Context(), tree.FolderID{}, nil, nil, nil); err != nil {
			t.Errorf("no wants: %v", err)
		}
		if err := ab.Fetch(t.Context(), tree.FolderID{}, []tree.Want{{}}, nil, nil); err == nil {
			t.Error("a want of nothing was asked for")
		}
	}
}

// TestUnansweredIsGone: a server that gives up in the middle costs nothing but
// what it did not give.
func TestUnansweredIsGone(t *testing.T) {
	r := newRecorder()
	r.onServe = func(_ context.Context, _ []tree.Want, w PieceWriter) error {
		if err := w.Piece(0, 0, []byte("half of it")); err != nil {
			return err
		}
		return errors.New("the disk fails")
	}
	a, b := launch(t, nil, nil), launch(t, nil, r)
	ab, _ := meet(t, a, b)
	gone := 0
	err := ab.Fetch(t.Context(), tree.FolderID{}, smallWants(300, 100), func(int, int64, []byte) error { return nil },
		func(_ int, err error) {
			if errors.Is(err, ErrGone) {
				gone++
			}
		})
	if err != nil || gone != 300 {
		t.Errorf("%d were gone, %v", gone, err)
	}
}

func TestFetchStalls(t *testing.T) {
	noLeak(t)
	r := newRecorder()
	release := make(chan struct{})
	r.onServe = func(ctx context.Context, wants []tree.Want, w PieceWriter) error {
		if wants[0].Length == 1 {
			return serveAll(10)(ctx, wants, w)
		}
		select {
		case <-ctx.Done():
		case <-release:
		}
		return ctx.Err()
	}
	a, b := launch(t, func(c *Config) { c.Timing.Stall = 100 * time.Millisecond }, nil), launch(t, nil, r)
	ab, _ := meet(t, a, b)
	if err := take(t, ab, smallWants(2, 2)); !errors.Is(err, ErrStalled) {
		t.Errorf("got %v", err)
	}
	if err := take(t, ab, smallWants(2, 1)); err != nil {
		t.Errorf("the next one: %v", err)
	}
	if !agreed(a, ab) {
		t.Error("the session ended")
	}
	close(release)
}

// TestFetchGivenUp: a caller that leaves, or whose sink fails, neither hears
// more nor disturbs the others.
func TestFetchGivenUp(t *testing.T) {
	noLeak(t)
	r := newRecorder()
	r.onServe = serveAll(1000)
	a, b := launch(t, nil, nil), launch(t, nil, r)
	ab, _ := meet(t, a, b)
	full := errors.New("disk full")
	var wg sync.WaitGroup
	for i := range 40 {
		wg.Go(func() {
			if i%4 == 3 {
				if err := take(t, ab, smallWants(200, 3000)); err != nil {
					t.Error(err)
				}
				return
			}
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			over, calls := false, 0
			err := ab.Fetch(ctx, tree.FolderID{}, smallWants(500, 2000), func(int, int64, []byte) error {
				if over {
					t.Error("called after the end")
				}
				if calls++; calls == 5*i {
					if i%2 == 0 {
						return full
					}
					cancel()
				}
				return nil
			}, func(int, error) {})
			over = true
			if i > 0 && !errors.Is(err, full) && !errors.Is(err, context.Canceled) {
				t.Errorf("fetch %d: %v", i, err)
			}
		})
	}
	wg.Wait()
	if err := take(t, ab, smallWants(100, 100)); err != nil {
		t.Error(err)
	}
}

func TestFetchEndsWithTheSession(t *testing.T) {
	noLeak(t)
	r := newRecorder()
	r.onServe = func(ctx context.Context, _ []tree.Want, _ PieceWriter) error { <-ctx.Done(); return ctx.Err() }
	a, b := launch(t, nil, nil), launch(t, nil, r)
	ab, _ := meet(t, a, b)
	done := make(chan error, 1)
	go func() { done <- take(t, ab, smallWants(10, 100)) }()
	deadline := time.Now().Add(patience)
	for ab.conn.ConnectionStats().BytesSent == 0 && time.Now().Before(deadline) {
		time.Sleep(time.Millisecond)
	}
	ab.Close(nil)
	select {
	case err := <-done:
		if !errors.Is(err, ErrClosed) {
			t.Errorf("got %v", err)
		}
	case <-time.After(patience):
		t.Fatal("it hangs")
	}
}
