package hostile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"sync"

	"pinion/engine/tree"
	"pinion/netproto/identity"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// ALPN is the protocol's name between members.
const ALPN = "pinion/1"

// Request is what a victim asks for on a lane: a chunk list or wants.
type Request struct {
	Manifest *wire.ManifestRequest
	Wants    []tree.Want
	N        int // requests before it on this lane
}

// Rogue is a session with a victim.
type Rogue struct {
	Conn    *quic.Conn
	Control *quic.Stream
	// Answer answers a request; nil: nothing is answered, or even read. It is
	// set before Enter and called from one goroutine for each lane.
	Answer func(w io.Writer, q Request) error
	// Deaf: what the victim tells is left lying.
	Deaf bool

	mu     sync.Mutex
	states map[tree.FolderID]tree.FolderState // guarded by mu: what the victim said last
	pongs  int                                // guarded by mu
	news   chan struct{}                      // of length 1
	asked  int                                // guarded by mu: requests that came
	known  map[tree.Path]tree.Entry           // guarded by mu: what the victim told of its index
	packer *wire.Packer
}

// Dial connects to the victim and opens the control stream, on which nothing is
// said yet.
func Dial(ctx context.Context, id *identity.Identity, victim tree.DeviceID, addr string) (*Rogue, error) {
	conn, err := quic.DialAddr(ctx, addr, id.ClientTLS(victim, ALPN), &quic.Config{
		MaxIncomingStreams: 100, MaxIncomingUniStreams: 1000, KeepAlivePeriod: 0,
	})
	if err != nil {
		return nil, fmt.Errorf("dial the victim: %w", err)
	}
	control, err := conn.OpenStreamSync(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the control stream: %w", err)
	}
	packer, err := wire.NewPacker()
	if err != nil {
		return nil, err
	}
	return &Rogue{
		Conn: conn, Control: control, packer: packer, news: make(chan struct{}, 1),
		states: map[tree.FolderID]tree.FolderState{}, known: map[tree.Path]tree.Entry{},
	}, nil
}

// Close ends the session.
func (r *Rogue) Close() { _ = r.Conn.CloseWithError(0, "") }

// Hello says hello as a member does, and begins to listen.
func (r *Rogue) Hello() error {
	b, err := wire.AppendHello(nil, wire.Hello{Version: 1, Name: "rogue", Software: "rogue 1"})
	if err != nil {
		return err
	}
	if _, err := r.Control.Write(b); err != nil {
		return fmt.Errorf("say hello: %w", err)
	}
	if !r.Deaf {
		go r.listen()
		go r.drain()
	}
	go r.serve()
	return nil
}

// Enter says hello, offers the folder and waits until the victim exchanges it.
func (r *Rogue) Enter(ctx context.Context, folder tree.FolderID, at tree.Position) error {
	if err := r.Hello(); err != nil {
		return err
	}
	b, err := wire.AppendOffers(nil, []tree.Offer{{Folder: folder, Name: "docs"}})
	if err == nil {
		b, err = wire.AppendState(b, tree.FolderState{Folder: folder, At: at, Life: 1})
	}
	if err != nil {
		return err
	}
	if _, err := r.Control.Write(b); err != nil {
		return fmt.Errorf("enter the folder: %w", err)
	}
	if r.Deaf {
		return nil
	}
	return r.Await(ctx, func() bool { _, ok := r.states[folder]; return ok })
}

// Await waits until cond, which is called under a lock, holds.
func (r *Rogue) Await(ctx context.Context, cond func() bool) error {
	for {
		r.mu.Lock()
		ok := cond()
		r.mu.Unlock()
		if ok {
			return nil
		}
		select {
		case <-r.news:
		case <-r.Conn.Context().Done():
			return r.End()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// State is what the victim said last of a folder.
func (r *Rogue) State(folder tree.FolderID) tree.FolderState {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.states[folder]
}

// Asked is how many requests came.
func (r *Rogue) Asked() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.asked
}

// Pongs is how many answers to pings came. It is for Await.
func (r *Rogue) Pongs() int { return r.pongs }

// End is why the session is over.
func (r *Rogue) End() error { return context.Cause(r.Conn.Context()) }

// Told is the code and the words with which the victim ended the session.
func (r *Rogue) Told() (code wire.Code, words string, ended bool) {
	app, ok := errors.AsType[*quic.ApplicationError](r.End())
	if !ok {
		return 0, fmt.Sprint(r.End()), r.End() != nil
	}
	return wire.Code(app.ErrorCode), app.ErrorMessage, true
}

// Index opens an index stream of a folder.
func (r *Rogue) Index(folder tree.FolderID) (*quic.SendStream, error) {
	str, err := r.Conn.OpenUniStream()
	if err != nil {
		return nil, fmt.Errorf("open an index stream: %w", err)
	}
	b, err := wire.AppendIndexHeader(nil, folder)
	if err == nil {
		_, err = str.Write(b)
	}
	return str, err
}

// Lane opens a lane of a kind.
func (r *Rogue) Lane(kind wire.LaneKind) (*quic.Stream, error) {
	str, err := r.Conn.OpenStream()
	if err != nil {
		return nil, fmt.Errorf("open a lane: %w", err)
	}
	b, err := wire.AppendLane(nil, kind)
	if err == nil {
		_, err = str.Write(b)
	}
	return str, err
}

func (r *Rogue) note(fn func()) {
	r.mu.Lock()
	fn()
	r.mu.Unlock()
	select {
	case r.news <- struct{}{}:
	default:
	}
}

// listen reads the control stream.
func (r *Rogue) listen() {
	in := wire.NewReader(r.Control, 0)
	for {
		t, payload, err := in.Next()
		if err != nil {
			return
		}
		switch t {
		case wire.TypeState:
			if s, err := wire.ParseState(payload); err == nil {
				r.note(func() { r.states[s.Folder] = s })
			}
		case wire.TypePong:
			r.note(func() { r.pongs++ })
		}
	}
}

// drain reads the victim's index streams.
func (r *Rogue) drain() {
	for {
		str, err := r.Conn.AcceptUniStream(r.Conn.Context())
		if err != nil {
			return
		}
		go r.learn(wire.NewReader(str, 0))
	}
}

func (r *Rogue) learn(in *wire.Reader) {
	dec := wire.NewBatchDecoder(r.packer)
	for {
		t, payload, err := in.Next()
		if err != nil {
			return
		}
		if t != wire.TypeBatch {
			continue
		}
		b, err := dec.Parse(payload)
		if err != nil {
			return
		}
		r.note(func() {
			for _, e := range b.Entries {
				if len(r.known) < 10000 {
					r.known[e.Path] = e
				}
			}
		})
	}
}

// Known is what the victim told of its index, up to 10,000 rows.
func (r *Rogue) Known() map[tree.Path]tree.Entry {
	r.mu.Lock()
	defer r.mu.Unlock()
	return maps.Clone(r.known)
}

// serve takes the victim's lanes.
func (r *Rogue) serve() {
	for {
		str, err := r.Conn.AcceptStream(r.Conn.Context())
		if err != nil {
			return
		}
		if r.Answer != nil {
			go r.lane(str)
		}
	}
}

func (r *Rogue) lane(str *quic.Stream) {
	in := wire.NewReader(str, 0)
	for n := 0; ; {
		t, payload, err := in.Next()
		if err != nil {
			return
		}
		q := Request{N: n}
		switch t {
		case wire.TypeManifestRequest:
			m, err := wire.ParseManifestRequest(payload)
			if err != nil {
				return
			}
			q.Manifest = &m
		case wire.TypeFetchRequest:
			if _, q.Wants, err = wire.ParseFetchRequest(payload); err != nil {
				return
			}
		default:
			continue
		}
		n++
		r.note(func() { r.asked++ })
		if r.Answer(str, q) != nil {
			return
		}
	}
}
