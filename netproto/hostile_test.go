package netproto

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/identity"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// rogue is a member that speaks QUIC and TLS well, and nothing else.
type rogue struct {
	t       *testing.T
	conn    *quic.Conn
	control *quic.Stream
}

func dialRogue(t *testing.T, id *identity.Identity, to *station) *rogue {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	conn, err := quic.DialAddr(ctx, to.Addr().String(), id.ClientTLS(to.Device(), alpnMember), &quic.Config{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.CloseWithError(0, "") })
	control, err := conn.OpenStreamSync(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return &rogue{t, conn, control}
}

// must gives what an append function gave.
func must(t *testing.T) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

func (r *rogue) say(w io.Writer, b []byte) {
	r.t.Helper()
	if _, err := w.Write(b); err != nil {
		r.t.Errorf("say: %v", err)
	}
}

func (r *rogue) hello() {
	r.t.Helper()
	r.say(r.control, must(r.t)(wire.AppendHello(nil, wire.Hello{Version: 1, Name: "rogue"})))
}

func (r *rogue) uni(b []byte) {
	r.t.Helper()
	str, err := r.conn.OpenUniStream()
	if err != nil {
		r.t.Fatal(err)
	}
	r.say(str, b)
}

func (r *rogue) bidi(b []byte) *quic.Stream {
	r.t.Helper()
	str, err := r.conn.OpenStream()
	if err != nil {
		r.t.Fatal(err)
	}
	r.say(str, b)
	return str
}

// answer waits for the lane that its victim opens and answers its first request.
func (r *rogue) answer(b []byte) {
	r.t.Helper()
	str, err := r.conn.AcceptStream(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	in := wire.NewReader(str, 0)
	for range 2 { // Lane and the request
		if _, _, err := in.Next(); err != nil {
			r.t.Fatal(err)
		}
	}
	r.say(str, b)
}

func frame(t wire.Type, payload ...byte) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(len(payload))), byte(t)), payload...)
}

// TestRogues: whatever a member sends, its session ends with the right name, and
// that of an honest member goes on.
func TestRogues(t *testing.T) {
	noLeak(t)
	folder := tree.FolderID{1}
	lane := func(t *testing.T, kind wire.LaneKind) []byte { return must(t)(wire.AppendLane(nil, kind)) }
	index := func(t *testing.T) []byte { return must(t)(wire.AppendIndexHeader(nil, folder)) }
	piece := func(t *testing.T, p wire.Piece) []byte { return must(t)(wire.AppendPiece(nil, p)) }
	climbing := entry("../../etc/passwd")
	for _, c := range []struct {
		name  string
		code  wire.Code
		quiet bool // it gets no session at all
		do    func(t *testing.T, r *rogue)
	}{
		{"garbage instead of Hello", wire.BadMessage, true, func(_ *testing.T, r *rogue) { r.say(r.control, bytes.Repeat([]byte{0xee}, 500)) }},
		{"silence", wire.Slow, true, func(_ *testing.T, r *rogue) { r.say(r.control, []byte{0}) }},
		{"a state before Hello", wire.OutOfOrder, true, func(t *testing.T, r *rogue) {
			r.say(r.control, must(t)(wire.AppendState(nil, tree.FolderState{Folder: folder})))
		}},
		{"version 0", wire.BadMessage, true, func(_ *testing.T, r *rogue) { r.say(r.control, frame(wire.TypeHello, 0xa1, 1, 0)) }},
		{"a second Hello", wire.OutOfOrder, false, func(_ *testing.T, r *rogue) { r.hello(); r.hello() }},
		{"an unknown type", wire.BadMessage, false, func(_ *testing.T, r *rogue) { r.hello(); r.say(r.control, frame(99, 1, 2, 3)) }},
		{"a length over the cap", wire.BadMessage, false, func(_ *testing.T, r *rogue) {
			r.hello()
			r.say(r.control, []byte{0xff, 0xff, 0xff, 0xff, byte(wire.TypeRoster)})
		}},
		{"CBOR that nests", wire.BadMessage, false, func(_ *testing.T, r *rogue) {
			r.hello()
			r.say(r.control, frame(wire.TypeOffers, bytes.Repeat([]byte{0x81}, 5000)...))
		}},
		{"CBOR that claims", wire.BadMessage, false, func(_ *testing.T, r *rogue) {
			r.hello()
			r.say(r.control, frame(wire.TypeRoster, 0xa1, 1, 0x9b, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
		}},
		{"half a message", wire.Slow, false, func(_ *testing.T, r *rogue) {
			r.hello()
			r.say(r.control, frame(wire.TypePing, 1, 2, 3, 4, 5, 6, 7, 8)[:9])
		}},
		{"the end of control", wire.Closed, false, func(_ *testing.T, r *rogue) { r.hello(); _ = r.control.Close() }},
		{"control reset", wire.OutOfOrder, false, func(_ *testing.T, r *rogue) {
			r.hello()
			_, _, _ = wire.NewReader(r.control, 0).Next() // the session stands
			r.control.CancelWrite(7)
		}},
		{"an index without header", wire.OutOfOrder, false, func(_ *testing.T, r *rogue) { r.hello(); r.uni(frame(wire.TypeBatch, 0, 0)) }},
		{"an index that never begins", wire.Slow, false, func(_ *testing.T, r *rogue) { r.hello(); r.uni([]byte{0}) }},
		{"a batch of garbage", wire.BadMessage, false, func(t *testing.T, r *rogue) {
			r.hello()
			r.uni(append(index(t), frame(wire.TypeBatch, bytes.Repeat([]byte{0}, 300)...)...))
		}},
		{"a path that climbs", wire.BadMessage, false, func(t *testing.T, r *rogue) {
			r.hello()
			p, err := wire.NewPacker()
			if err != nil {
				t.Fatal(err)
			}
			r.uni(must(t)(wire.NewBatchEncoder(p).Append(index(t), tree.Batch{Entries: []tree.Entry{climbing}})))
		}},
		{"half a batch and the end", wire.BadMessage, false, func(t *testing.T, r *rogue) {
			r.hello()
			str, err := r.conn.OpenUniStream()
			if err != nil {
				t.Fatal(err)
			}
			r.say(str, append(index(t), frame(wire.TypeBatch, 0, 0, 0)[:6]...))
			_ = str.Close()
		}},
		{"a lane without header", wire.OutOfOrder, false, func(_ *testing.T, r *rogue) { r.hello(); r.bidi(frame(wire.TypeFetchRequest)) }},
		{"a lane of no kind", wire.BadMessage, false, func(_ *testing.T, r *rogue) { r.hello(); r.bidi(frame(wire.TypeLane, 0xa1, 1, 9)) }},
		{"an answer as a request", wire.OutOfOrder, false, func(t *testing.T, r *rogue) {
			r.hello()
			r.bidi(append(lane(t, wire.Big), piece(t, wire.Piece{Data: []byte{1}})...))
		}},
		{"a request on the wrong lane", wire.OutOfOrder, false, func(t *testing.T, r *rogue) {
			r.hello()
			r.bidi(must(t)(wire.AppendManifestRequest(lane(t, wire.Small), wire.ManifestRequest{Content: tree.ContentID{1, 1}})))
		}},
		{"a request of garbage", wire.BadMessage, false, func(t *testing.T, r *rogue) {
			r.hello()
			r.bidi(append(lane(t, wire.Big), frame(wire.TypeFetchRequest, bytes.Repeat([]byte{0xff}, 1000)...)...))
		}},
		{"an answer to the wrong want", wire.BadMessage, false, func(t *testing.T, r *rogue) {
			r.hello()
			r.answer(piece(t, wire.Piece{Index: 3, Data: []byte{1}}))
		}},
		{"more than was asked for", wire.BadMessage, false, func(t *testing.T, r *rogue) {
			r.hello()
			r.answer(piece(t, wire.Piece{Data: make([]byte, 5000)}))
		}},
		{"answers without end", wire.OutOfOrder, false, func(t *testing.T, r *rogue) {
			r.hello()
			var b []byte
			for i := range 11 {
				b = append(b, piece(t, wire.Piece{Index: i % 10, Last: true, Gone: true})...)
			}
			r.answer(b)
		}},
		{"a bomb", wire.BadMessage, false, func(_ *testing.T, r *rogue) {
			r.hello()
			// 8 MiB of zeros that say to be 512 KiB.
			r.answer(frame(wire.TypePacked, append(binary.AppendUvarint(nil, wire.MaxPacked), zeros()...)...))
		}},
		{"a ping among the answers", wire.OutOfOrder, false, func(_ *testing.T, r *rogue) { r.hello(); r.answer(wire.AppendPing(nil, 1)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			victim := launch(t, func(cfg *Config) {
				cfg.Timing.Patience, cfg.Timing.Hello = 300*time.Millisecond, 300*time.Millisecond
			}, nil)
			honest := launch(t, nil, nil)
			id := newIdentity(t)
			victim.SetPeers([]Peer{honest.peer(), {Device: id.Device()}})
			honest.SetPeers([]Peer{{Device: victim.Device()}})
			session, _ := together(t, victim, honest)

			r := dialRogue(t, id, victim)
			go func() { // what it is asked for, if it comes so far
				var s *Session
				for s == nil && t.Context().Err() == nil {
					time.Sleep(time.Millisecond)
					victim.recorder.mu.Lock()
					s = victim.sessions[id.Device()]
					victim.recorder.mu.Unlock()
				}
				if s != nil {
					wants := smallWants(10, 100)
					_ = s.Fetch(t.Context(), folder, wants, func(int, int64, []byte) error { return nil }, func(int, error) {})
				}
			}()
			c.do(t, r)
			select {
			case <-r.conn.Context().Done():
			case <-time.After(patience):
				t.Fatal("its connection is still there")
			}
			app, ok := errors.AsType[*quic.ApplicationError](context.Cause(r.conn.Context()))
			if !ok || wire.Code(app.ErrorCode) != c.code {
				t.Errorf("it was told %v, not %d", context.Cause(r.conn.Context()), c.code)
			}
			if c.quiet {
				if victim.ups != 1 {
					t.Error("it got a session")
				}
			} else {
				victim.wait(t, "the end of its session", func() bool { return len(victim.ends) == 1 })
				if e, ok := errors.AsType[*Error](victim.ends[0]); !ok || e.Code != c.code {
					t.Errorf("the handler was told %v", victim.ends[0])
				}
				for _, i := range victim.Sessions() {
					if i.Device == id.Device() && c.code != wire.Closed && i.LastError == nil {
						t.Error("Sessions does not say why")
					}
				}
			}
			victim.SendProbe(session, 5)
			honest.wait(t, "word to the honest one", func() bool { return len(honest.states) > 0 })
			if !agreed(victim, session) {
				t.Error("the honest one's session ended")
			}
		})
	}
}

// zeros is a zstd frame of 8 MiB of zeros: 64 RLE blocks of 128 KiB.
func zeros() []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58} // no content size, window 2 MiB
	for i := range 64 {
		head := uint32(128<<10)<<3 | 1<<1
		if i == 63 {
			head |= 1
		}
		b = append(b, byte(head), byte(head>>8), byte(head>>16), 0)
	}
	return b
}

// TestHalfToldBatchesAreBounded: however many streams a peer begins a batch on,
// only so many are read beyond what QUIC's window holds.
func TestHalfToldBatchesAreBounded(t *testing.T) {
	noLeak(t)
	victim, id := launch(t, nil, nil), newIdentity(t)
	victim.SetPeers([]Peer{{Device: id.Device()}})
	rogue := dialRogue(t, id, victim)
	rogue.hello()
	var whole atomic.Int64
	var all sync.WaitGroup
	for i := range 20 {
		str, err := rogue.conn.OpenUniStream()
		if err != nil {
			t.Fatal(err)
		}
		rogue.say(str, must(t)(wire.AppendIndexHeader(nil, tree.FolderID{1, byte(i)})))
		_ = str.SetWriteDeadline(time.Now().Add(time.Second))
		all.Go(func() {
			half := binary.BigEndian.AppendUint32(nil, wire.MaxBatchBytes)
			if n, _ := str.Write(append(append(half, byte(wire.TypeBatch)), make([]byte, 3<<20)...)); n > 3<<20 {
				whole.Add(1)
			}
		})
	}
	all.Wait()
	if n := whole.Load(); n > maxDecoding {
		t.Errorf("%d batches are half read, at %d there is no more room", n, maxDecoding)
	}
}

// TestLanesAreBounded: a peer can't have more lanes than the limit, and one that
// opens and drops them without end is served as before.
func TestLanesAreBounded(t *testing.T) {
	r := newRecorder()
	r.onServe = serveAll(1000)
	victim, id := launch(t, nil, r), newIdentity(t)
	victim.SetPeers([]Peer{{Device: id.Device()}})
	rogue := dialRogue(t, id, victim)
	rogue.hello()
	head := must(t)(wire.AppendLane(nil, wire.Small))
	var open []*quic.Stream
	for len(open) < 100 {
		str, err := rogue.conn.OpenStream()
		if err != nil {
			break
		}
		rogue.say(str, head)
		open = append(open, str)
	}
	if len(open) > maxLanesIn {
		t.Errorf("it opened %d lanes", len(open))
	}
	for _, str := range open {
		str.CancelWrite(0)
		str.CancelRead(0)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 50 {
		str, err := rogue.conn.OpenStreamSync(ctx)
		if err != nil {
			t.Fatal(err)
		}
		rogue.say(str, head)
		str.CancelWrite(0)
		str.CancelRead(0)
	}
}
