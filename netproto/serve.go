package netproto

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// acceptLanes serves each lane that the peer opens. QUIC's stream limit bounds
// their number.
func (s *Session) acceptLanes() {
	for {
		str, err := s.conn.AcceptStream(s.ctx)
		if err != nil {
			s.fail(err)
			return
		}
		s.wg.Go(func() {
			err := s.serveLane(str)
			str.CancelRead(quic.StreamErrorCode(wire.Closed))
			str.CancelWrite(quic.StreamErrorCode(wire.Closed))
			s.fail(err)
		})
	}
}

// serveLane answers one lane's requests, one after the other, until the peer
// ends it.
func (s *Session) serveLane(str *quic.Stream) error {
	ctx, cancel := context.WithCancel(s.ctx)
	defer cancel()
	stop := context.AfterFunc(str.Context(), cancel) // the peer does not read any more
	defer stop()
	in := incoming{s, str, wire.NewReader(str, 0)}
	kind, err := s.readLane(in)
	if err != nil {
		return err
	}
	str.SetPriority(urgency(kind), true)
	w := &answers{out: paced{ctx, s, str, classOf(kind)}, unit: func() int { return answerBuffer }, packer: s.node.packer, pack: !s.node.cfg.NoCompression, now: s.node.cfg.Now}
	if kind != wire.Lists {
		out := newSpread(ctx, s, str, kind)
		defer out.close()
		defer cancel()
		w.out, w.unit = out, out.unit
	}
	for {
		t, payload, err := in.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		switch {
		case t == wire.TypeManifestRequest && kind == wire.Lists:
			err = s.serveManifest(ctx, payload, w)
		case t == wire.TypeKeptRequest && kind == wire.Lists:
			err = s.serveKept(ctx, payload, w)
		case t == wire.TypeFetchRequest && kind != wire.Lists:
			err = s.serveFetch(ctx, payload, w)
		default:
			err = failure(wire.OutOfOrder, fmt.Errorf("type %d on a lane of kind %d", t, kind))
		}
		if err == nil {
			err = w.flush()
		}
		if err != nil {
			return err
		}
		w.rest()
	}
}

func (s *Session) readLane(in incoming) (wire.LaneKind, error) {
	if err := in.stream.SetReadDeadline(s.node.cfg.Now().Add(s.node.cfg.Timing.Patience)); err != nil {
		return 0, err
	}
	if err := in.r.Await(); err != nil {
		return 0, tooSlow(err)
	}
	t, payload, err := in.next()
	if err != nil {
		return 0, tooSlow(err)
	}
	if t != wire.TypeLane {
		return 0, failure(wire.OutOfOrder, fmt.Errorf("type %d at the head of a lane", t))
	}
	kind, err := wire.ParseLane(payload)
	if err != nil {
		return 0, err
	}
	return kind, in.stream.SetReadDeadline(time.Time{})
}

func (s *Session) serveManifest(ctx context.Context, payload []byte, w *answers) error {
	req, err := wire.ParseManifestRequest(payload)
	if err != nil {
		return err
	}
	select {
	case s.listing <- struct{}{}:
		defer func() { <-s.listing }()
	case <-ctx.Done():
		return nil // nobody reads the answer any more
	}
	h := s.node.cfg.Handler
	list, err := h.Manifest(ctx, s, req.Folder, req.Content)
	if err != nil {
		s.unserved(err)
		w.buf, err = wire.AppendManifestPart(w.buf, wire.ManifestPart{Last: true, Gone: true})
		return err
	}
	var base tree.Manifest
	if !req.Base.IsZero() {
		if base, err = h.Manifest(ctx, s, req.Folder, req.Base); err != nil {
			base = nil
		}
	}
	frames, err := wire.AppendManifest(nil, list, base)
	if err != nil {
		s.unserved(err)
		w.buf, err = wire.AppendManifestPart(w.buf, wire.ManifestPart{Last: true, Gone: true})
		return err
	}
	if err := w.flush(); err != nil {
		return err
	}
	_, err = w.out.Write(frames) // ids are noise: they don't pack
	return err
}

func (s *Session) serveFetch(ctx context.Context, payload []byte, w *answers) error {
	folder, wants, err := wire.ParseFetchRequest(payload)
	if err != nil {
		return err
	}
	w.begin(wants)
	if err := s.node.cfg.Handler.Serve(ctx, s, folder, wants, w); err != nil && w.err == nil {
		s.unserved(err)
	}
	for w.err == nil && !w.progress.Done() {
		if err := w.Done(w.at, true); err != nil {
			break
		}
	}
	return w.err
}

// unserved logs why something is not given.
func (s *Session) unserved(err error) {
	var gone interface{ Gone() bool }
	if !(errors.As(err, &gone) && gone.Gone()) && s.ctx.Err() == nil {
		s.node.cfg.Log.Info("not served", "device", s.device.Short(), "err", err)
	}
}

const (
	// answerBuffer is at how many bytes of frames they are sent.
	answerBuffer = 128 << 10
	// maxSkip is how many buffers go unpacked after packing did not pay.
	maxSkip = 64
)

// answers buffers, packs and writes the answers of one lane. It is the
// PieceWriter of the request being served.
type answers struct {
	out    io.Writer
	unit   func() int // at how many bytes of frames they are sent
	packer *wire.Packer
	pack   bool
	now    func() time.Time

	buf, packed []byte
	skip, miss  int // buffers to leave unpacked; how many the next failure costs
	cost        packingCost

	at       int // the want that is answered now
	progress *wire.Progress
	err      error // the first, of writing or of a rule that was broken
}

// packingCost is what packing and writing took lately, in nanoseconds a byte.
type packingCost struct {
	pack, write float64
	ratio       float64 // of the last try: packed to unpacked; 1 if it did not pay
}

// pays says whether packing takes less time than the writing that it saves.
func (c packingCost) pays() bool { return c.pack < (1-c.ratio)*c.write }

// note lets old be forgotten by a quarter for each new figure.
func note(old *float64, took time.Duration, bytes int) {
	if v := float64(took) / float64(max(bytes, 1)); *old == 0 {
		*old = v
	} else {
		*old += (v - *old) / 4
	}
}

func (w *answers) begin(wants []tree.Want) { w.at, w.progress = 0, wire.NewProgress(wants) }

// rest lets go of memory between requests.
func (w *answers) rest() {
	if cap(w.buf) > 2*answerBuffer+4<<10 {
		w.buf = nil
	}
}

func (w *answers) Piece(i int, off int64, data []byte) error {
	for len(data) > 0 {
		n := min(len(data), wire.MaxPiece, w.unit())
		if err := w.put(wire.Piece{Index: i, Offset: off, Data: data[:n]}); err != nil {
			return err
		}
		data, off = data[n:], off+int64(n)
	}
	return w.err
}

func (w *answers) Done(i int, gone bool) error {
	return w.put(wire.Piece{Index: i, Last: true, Gone: gone})
}

// put holds the handler to the rules that the peer will check.
func (w *answers) put(p wire.Piece) error {
	if w.err != nil {
		return w.err
	}
	if err := w.progress.Take(p); err != nil {
		w.err = failure(wire.Internal, fmt.Errorf("an answer that was not asked for: %w", err))
		return w.err
	}
	if p.Last {
		w.at++
	}
	if w.buf, w.err = wire.AppendPiece(w.buf, p); w.err == nil && len(w.buf) >= w.unit() {
		w.err = w.flush()
	}
	return w.err
}

// flush writes what is buffered, packed if that pays: in bytes, and in time,
// since a slow processor on a fast link is better off without.
func (w *answers) flush() error {
	if len(w.buf) == 0 {
		return nil
	}
	frames := w.buf
	w.buf = w.buf[:0]
	tried := w.pack && (w.skip == 0 || w.cost.pays())
	if w.skip > 0 {
		w.skip--
	}
	if tried {
		frames = w.tryPacking(frames)
	}
	began := w.now()
	_, err := w.out.Write(frames)
	note(&w.cost.write, w.now().Sub(began), len(frames))
	switch {
	case !tried:
	case w.cost.pays():
		w.skip, w.miss = 0, 0
	default:
		w.miss = min(max(1, 2*w.miss), maxSkip)
		w.skip = w.miss
	}
	return err
}

func (w *answers) tryPacking(frames []byte) []byte {
	began := w.now()
	var ok bool
	w.packed, ok = w.packer.AppendPacked(w.packed[:0], frames)
	note(&w.cost.pack, w.now().Sub(began), len(frames))
	if w.cost.ratio = 1; !ok {
		return frames
	}
	w.cost.ratio = float64(len(w.packed)) / float64(len(frames))
	return w.packed
}
