package netproto

import (
	"context"
	"crypto/rand"
	"errors"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/identity"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// strange is a member that has a session and opens further connections by hand.
type strange struct {
	*rogue
	id     *identity.Identity
	victim *station
	name   [wire.MoreLen]byte
}

func newStrange(t *testing.T, caps uint64) *strange {
	t.Helper()
	r := newRecorder()
	r.onServe = serveAll(1000)
	victim, id := launch(t, nil, r), newIdentity(t)
	victim.SetPeers([]Peer{{Device: id.Device()}})
	x := &strange{rogue: dialRogue(t, id, victim), id: id, victim: victim}
	x.say(x.control, must(t)(wire.AppendHello(nil, wire.Hello{Version: 1, Name: "rogue", Caps: caps})))
	victim.wait(t, "its session", func() bool { return victim.sessions[id.Device()] != nil })
	state := x.conn.ConnectionState().TLS
	b, err := state.ExportKeyingMaterial("pinion more", nil, wire.MoreLen)
	if err != nil {
		t.Fatal(err)
	}
	x.name = [wire.MoreLen]byte(b)
	return x
}

// dialMoreTo opens a connection and says something on it.
func dialMoreTo(t *testing.T, id *identity.Identity, to *station, say []byte) *quic.Conn {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := quic.DialAddr(ctx, to.Addr().String(), id.ClientTLS(to.Device(), alpnMore), &quic.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	str, err := conn.OpenStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := str.Write(say); err != nil {
		t.Fatal(err)
	}
	// The answer, or the end of the connection.
	_, _, _ = wire.NewReader(str, 0).Next()
	return conn
}

func endsWith(t *testing.T, conn *quic.Conn, code wire.Code) {
	t.Helper()
	select {
	case <-conn.Context().Done():
	case <-time.After(patience):
		t.Fatal("the connection is still there")
	}
	app, ok := errors.AsType[*quic.ApplicationError](context.Cause(conn.Context()))
	if !ok || wire.Code(app.ErrorCode) != code || !app.Remote {
		t.Errorf("it was told %v, not %d", context.Cause(conn.Context()), code)
	}
}

// TestFurtherConnectionsAreChecked: one that is for no session, says something else
// or is one too many is refused with a named error, and the session goes on.
func TestFurtherConnectionsAreChecked(t *testing.T) {
	noLeak(t)
	more := func(name [wire.MoreLen]byte) []byte { return must(t)(wire.AppendMore(nil, name)) }
	x := newStrange(t, wire.CapMore)
	var random [wire.MoreLen]byte
	_, _ = rand.Read(random[:])
	for _, c := range []struct {
		name string
		code wire.Code
		say  []byte
	}{
		{"another session's name", wire.OutOfOrder, more(random)},
		{"Hello", wire.OutOfOrder, must(t)(wire.AppendHello(nil, wire.Hello{Version: 1, Name: "x"}))},
		{"garbage", wire.BadMessage, frame(99, 1, 2)},
		{"half a name", wire.BadMessage, frame(wire.TypeMore, 1, 2, 3)},
	} {
		t.Run(c.name, func(t *testing.T) { endsWith(t, dialMoreTo(t, x.id, x.victim, c.say), c.code) })
	}
	for range maxMore {
		if conn := dialMoreTo(t, x.id, x.victim, more(x.name)); conn.Context().Err() != nil {
			t.Errorf("refused: %v", context.Cause(conn.Context()))
		}
	}
	endsWith(t, dialMoreTo(t, x.id, x.victim, more(x.name)), wire.Limit)
	if !agreed(x.victim, x.victim.sessions[x.id.Device()]) {
		t.Error("the session ended")
	}
}

// TestFurtherConnectionNeedsASession: before Hello, from a device whose Hello did not
// say that it knows of them, and from one that is no member at all.
func TestFurtherConnectionNeedsASession(t *testing.T) {
	noLeak(t)
	victim, id := launch(t, nil, nil), newIdentity(t)
	victim.SetPeers([]Peer{{Device: id.Device()}})
	endsWith(t, dialMoreTo(t, id, victim, must(t)(wire.AppendMore(nil, [wire.MoreLen]byte{}))), wire.OutOfOrder)

	old := newStrange(t, 0)
	endsWith(t, dialMoreTo(t, old.id, old.victim, must(t)(wire.AppendMore(nil, old.name))), wire.OutOfOrder)

	stranger := newIdentity(t)
	conn, err := quic.DialAddr(t.Context(), victim.Addr().String(), stranger.ClientTLS(victim.Device(), alpnMore), &quic.Config{})
	if err == nil {
		_, err = conn.AcceptStream(t.Context())
	}
	if te, ok := errors.AsType[*quic.TransportError](err); !ok || te.ErrorCode != alertBadCertificate {
		t.Errorf("a stranger got %v", err)
	}
}

// TestBadStrandsEndTheSession, and with it all of its connections.
func TestBadStrandsEndTheSession(t *testing.T) {
	noLeak(t)
	strand := func(t *testing.T, lane, number uint64) []byte {
		return must(t)(wire.AppendStrand(nil, wire.Strand{Lane: lane, Number: number}))
	}
	aside := func(t *testing.T, number uint64, n int) []byte {
		return must(t)(wire.AppendAside(nil, wire.Aside{Strand: number, Count: n}))
	}
	for _, c := range []struct {
		name   string
		code   wire.Code
		strand func(t *testing.T, lane uint64) [][]byte
		lane   func(t *testing.T) []byte
	}{
		{"no head", wire.OutOfOrder, func(t *testing.T, _ uint64) [][]byte { return [][]byte{aside(t, 0, 1)} }, nil},
		{"garbage", wire.BadMessage, func(*testing.T, uint64) [][]byte { return [][]byte{frame(77)} }, nil},
		{"twice", wire.BadMessage, func(t *testing.T, l uint64) [][]byte { return [][]byte{strand(t, l, 3), strand(t, l, 3)} }, nil},
		{"too many", wire.BadMessage, func(t *testing.T, l uint64) (all [][]byte) {
			for i := range uint64(maxStrands + 1) {
				all = append(all, strand(t, l, i))
			}
			return all
		}, nil},
		{"an aside on a strand", wire.OutOfOrder, func(t *testing.T, l uint64) [][]byte {
			return [][]byte{append(strand(t, l, 0), aside(t, 0, 1)...)}
		}, func(t *testing.T) []byte { return aside(t, 0, 1) }},
		{"a want that is not answered in order", wire.BadMessage, func(t *testing.T, l uint64) [][]byte {
			return [][]byte{append(strand(t, l, 0), must(t)(wire.AppendPiece(nil, wire.Piece{Index: 7, Last: true}))...)}
		}, func(t *testing.T) []byte { return aside(t, 0, 1) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newStrange(t, wire.CapMore)
			s := x.victim.sessions[x.id.Device()]
			fetched := make(chan error, 1)
			go func() {
				fetched <- s.Fetch(t.Context(), tree.FolderID{1}, smallWants(3, 100), func(int, int64, []byte) error { return nil }, func(int, error) {})
			}()
			lane, err := x.conn.AcceptStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			conn := dialMoreTo(t, x.id, x.victim, must(t)(wire.AppendMore(nil, x.name)))
			for i, b := range c.strand(t, uint64(lane.StreamID())) {
				if i == 10 { // more than that are not taken on one
					conn = dialMoreTo(t, x.id, x.victim, must(t)(wire.AppendMore(nil, x.name)))
				}
				str, err := conn.OpenStreamSync(t.Context())
				if err != nil {
					break // it is over already
				}
				_, _ = str.Write(b)
			}
			if c.lane != nil {
				x.say(lane, c.lane(t))
			}
			endsWith(t, x.conn, c.code)
			<-conn.Context().Done()
			if err := <-fetched; err == nil {
				t.Error("what was fetched from it came")
			}
		})
	}
}

// TestGiftsSpareTheRequest: the content of a small row is there before anybody asks,
// is given once, and only what this device wrote itself goes ahead.
func TestGiftsSpareTheRequest(t *testing.T) {
	noLeak(t)
	r := newRecorder()
	served := make(chan int, 100)
	r.onServe = func(ctx context.Context, wants []tree.Want, w PieceWriter) error {
		served <- len(wants)
		return serveAll(1000)(ctx, wants, w)
	}
	a, b := launch(t, nil, nil), launch(t, nil, r)
	ab, ba := meet(t, a, b)
	row := func(name string, n byte, author tree.ReplicaID, size int64) tree.Entry {
		e := entry(name)
		e.Kind, e.Mode = tree.File, 0o644
		e.Content, e.Size, e.Author, e.Version = tree.ContentID{tree.HashBLAKE3, n}, size, author, tree.Version{{Replica: author, N: 1}}
		return e
	}
	from := tree.ReplicaID(7)
	batch := tree.Batch{
		Replicas: []tree.Replica{{ID: 7}, {ID: 8}}, Upto: tree.Position{Replica: from, Epoch: 1, Seq: 3},
		Entries: []tree.Entry{row("mine", 1, from, 5000), row("theirs", 2, 8, 5000), row("large", 3, from, wire.MaxGift+1)},
	}
	if err := ba.SendBatch(t.Context(), tree.FolderID{1}, batch); err != nil {
		t.Fatal(err)
	}
	a.wait(t, "the batch", func() bool { return len(a.batches[tree.FolderID{1}]) == 1 })
	if n := <-served; n != 1 {
		t.Errorf("%d contents went ahead", n)
	}
	wants := make([]tree.Want, 3)
	for i, e := range batch.Entries {
		wants[i] = tree.Want{Content: e.Content, Path: e.Path, Whole: true, Length: e.Size}
	}
	if err := take(t, ab, wants[:1]); err != nil {
		t.Error(err)
	}
	select {
	case n := <-served:
		t.Errorf("%d wants were asked for", n)
	default:
	}
	if err := take(t, ab, wants); err != nil {
		t.Error(err)
	}
	if n := <-served; n != 3 {
		t.Errorf("%d wants were asked for, 3 have to be", n)
	}
	if ab.gifts.bytes != 0 || len(ab.gifts.list) != 0 {
		t.Errorf("%d bytes are kept", ab.gifts.bytes)
	}
}

// TestGiftsAreBounded: whatever a peer sends ahead, little of it is kept.
func TestGiftsAreBounded(t *testing.T) {
	noLeak(t)
	x := newStrange(t, wire.CapGifts)
	s := x.victim.sessions[x.id.Device()]
	b := must(t)(wire.AppendIndexHeader(nil, tree.FolderID{1}))
	for i := range 200 {
		b = must(t)(wire.AppendGift(b, tree.ContentID{tree.HashBLAKE3, byte(i)}, make([]byte, wire.MaxGift)))
	}
	b = append(b, must(t)(wire.NewBatchEncoder(x.victim.packer).Append(nil, tree.Batch{Upto: tree.Position{Replica: 1, Epoch: 1, Seq: 1}}))...)
	x.uni(b)
	x.victim.wait(t, "the batch", func() bool { return len(x.victim.batches[tree.FolderID{1}]) == 1 })
	s.gifts.mu.Lock()
	defer s.gifts.mu.Unlock()
	if s.gifts.bytes > giftsKept || len(s.gifts.list)*wire.MaxGift != s.gifts.bytes || s.gifts.bytes == 0 {
		t.Errorf("%d bytes in %d gifts are kept", s.gifts.bytes, len(s.gifts.list))
	}
	if _, err := x.conn.AcceptUniStream(cancelled(t)); x.conn.Context().Err() != nil {
		t.Errorf("the session ended: %v", err)
	}
}

func cancelled(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestTinyFilesGoAside: answers without any bytes are frames of a few bytes each, and
// many to a unit.
func TestTinyFilesGoAside(t *testing.T) {
	overLink(t, wan(), func(t *testing.T, l *linked) {
		l.film(t, 4)
		if ours, _ := l.ba.more.list(); len(ours) == 0 {
			t.Fatal("there are no more connections")
		}
		for range 2 {
			if err := take(t, l.ab, smallWants(10000, 0)); err != nil {
				t.Error(err)
			}
		}
	})
}

// TestTornLaneIsAskedAgain for what did not come, and for nothing else.
func TestTornLaneIsAskedAgain(t *testing.T) {
	noLeak(t)
	x := newStrange(t, wire.CapMore)
	s := x.victim.sessions[x.id.Device()]
	const size = 600 << 10
	want := tree.Want{Content: tree.ContentID{tree.HashBLAKE3, 5}, Count: 3, Length: size}
	for range 2 {
		came, ended := make(chan int64, 100), 0
		fetched := make(chan error, 1)
		go func() {
			fetched <- s.Fetch(t.Context(), tree.FolderID{1}, []tree.Want{want}, func(_ int, off int64, data []byte) error {
				came <- off + int64(len(data))
				return nil
			}, func(_ int, err error) {
				if ended++; err != nil {
					t.Error(err)
				}
			})
		}()
		for off := int64(0); off < size; {
			lane, err := x.conn.AcceptStream(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			in := wire.NewReader(lane, 0)
			var wants []tree.Want
			for range 2 { // Lane and the request
				_, payload, err := in.Next()
				if err != nil {
					t.Fatal(err)
				}
				_, wants, _ = wire.ParseFetchRequest(payload)
			}
			if len(wants) != 1 || wants[0].Offset != off || wants[0].Length != size-off {
				t.Fatalf("at %d it asks for %+v", off, wants)
			}
			n := min(size-off, 100<<10)
			for sent := int64(0); sent < n; {
				k := min(n-sent, wire.MaxPiece)
				x.say(lane, must(t)(wire.AppendPiece(nil, wire.Piece{Offset: off, Data: make([]byte, k)})))
				sent, off = sent+k, off+k
			}
			for at := int64(0); at < off; {
				at = <-came
			}
			lane.CancelWrite(quic.StreamErrorCode(wire.Torn))
		}
		if err := <-fetched; err != nil || ended != 1 {
			t.Errorf("ended %d times: %v", ended, err)
		}
	}
}
