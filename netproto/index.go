package netproto

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/wire"

	"github.com/quic-go/quic-go"
)

// indexesOut are the streams on which our indexes are told.
type indexesOut struct {
	mu   sync.Mutex
	open map[tree.FolderID]*indexOut // guarded by mu
}

// indexOut is one of them.
type indexOut struct {
	mu     sync.Mutex // held while a batch is written
	stream *quic.SendStream
	enc    *wire.BatchEncoder
	buf    []byte
}

// SendBatch tells the peer rows of the index of folder, after those of the
// calls before. It returns when they are on their way, and waits while the
// peer is slow. After an error (other than wire.ErrTooLarge: send fewer) it is
// not known what arrived; the peer's Have tells.
func (s *Session) SendBatch(ctx context.Context, folder tree.FolderID, b tree.Batch) error {
	s.sending.mu.Lock()
	out := s.sending.open[folder]
	if out == nil {
		out = &indexOut{}
		s.sending.open[folder] = out
	}
	s.sending.mu.Unlock()

	out.mu.Lock()
	defer out.mu.Unlock()
	if err := s.openIndex(ctx, out, folder); err != nil {
		return fmt.Errorf("open an index stream: %w", s.over(err))
	}
	frame, err := out.enc.Append(out.buf[:0], b)
	if errors.Is(err, wire.ErrDictionary) {
		// The peer reads this stream to its end before it begins with the next.
		_ = out.stream.Close()
		out.stream = nil
		if err := s.openIndex(ctx, out, folder); err != nil {
			return fmt.Errorf("open an index stream: %w", s.over(err))
		}
		frame, err = out.enc.Append(out.buf[:0], b)
	}
	if err != nil {
		return fmt.Errorf("tell the index: %w", err)
	}
	if out.buf = frame; cap(out.buf) > 64<<10 {
		out.buf = nil
	}
	stream := out.stream
	if ahead := s.appendGifts(ctx, nil, folder, b); len(ahead) > 0 {
		frame = append(ahead, frame...)
	}
	ended := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		_ = stream.SetWriteDeadline(s.node.cfg.Now().Add(-time.Second))
		close(ended)
	})
	err = s.write(ctx, stream, frame, urgent)
	if !stop() {
		// The deadline came while or after the last byte was taken: it is not meant
		// for who tells next.
		<-ended
		_ = stream.SetWriteDeadline(time.Time{})
	}
	if err != nil {
		// What was begun can't be ended: the next batch goes to a new stream.
		stream.CancelWrite(quic.StreamErrorCode(wire.Closed))
		out.stream = nil
		if ctx.Err() != nil {
			err = ctx.Err()
		}
		return fmt.Errorf("tell the index: %w", s.over(err))
	}
	return nil
}

// Moves says whether the peer understands tree.Batch.Moved.
func (s *Session) Moves() bool { return s.hello.Caps&wire.CapMoved != 0 }

// CloseIndex ends the stream on which folder's index is told, if there is one. A
// later SendBatch opens a new one.
func (s *Session) CloseIndex(folder tree.FolderID) {
	s.sending.mu.Lock()
	out := s.sending.open[folder]
	delete(s.sending.open, folder)
	s.sending.mu.Unlock()
	if out == nil {
		return
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	if out.stream != nil {
		_ = out.stream.Close()
		out.stream = nil
	}
}

func (s *Session) openIndex(ctx context.Context, out *indexOut, folder tree.FolderID) error {
	if out.stream != nil {
		return nil
	}
	stream, err := s.conn.OpenUniStreamSync(ctx)
	if err != nil {
		return err
	}
	stream.SetPriority(urgencyIndex, true)
	head, err := wire.AppendIndexHeader(nil, folder)
	if err == nil {
		_, err = stream.Write(head)
	}
	if err != nil {
		stream.CancelWrite(quic.StreamErrorCode(wire.Closed))
		return err
	}
	out.stream, out.enc = stream, wire.NewBatchEncoder(s.node.packer)
	out.enc.Plain = s.hello.Caps&wire.CapAttrs == 0
	return nil
}

// maxDecoding is how many Batches of a session may be under way at a time: half
// read, or held decoded.
const maxDecoding = 4

// indexesIn are the streams on which the peer tells its indexes.
type indexesIn struct {
	mu   sync.Mutex
	last map[tree.FolderID]chan struct{} // guarded by mu; closed when the newest stream of the folder is read to its end
	room chan struct{}                   // of length maxDecoding
}

// enter makes done the end of the newest stream of folder, and gives that of
// the one before.
func (in *indexesIn) enter(folder tree.FolderID, done chan struct{}) (before chan struct{}) {
	in.mu.Lock()
	defer in.mu.Unlock()
	before = in.last[folder]
	in.last[folder] = done
	return before
}

func (in *indexesIn) leave(folder tree.FolderID, done chan struct{}) {
	in.mu.Lock()
	defer in.mu.Unlock()
	close(done)
	if in.last[folder] == done {
		delete(in.last, folder)
	}
}

func (s *Session) acceptIndexes() {
	for {
		stream, err := s.conn.AcceptUniStream(s.ctx)
		if err != nil {
			s.fail(err)
			return
		}
		// Headers are read in the order of the streams, so that two streams of
		// one folder can't change places.
		in := incoming{s, stream, wire.NewReader(stream, 4<<10)}
		folder, err := s.readIndexHeader(in)
		if err != nil {
			s.fail(err)
			stream.CancelRead(quic.StreamErrorCode(wire.Closed))
			if s.ctx.Err() != nil {
				return
			}
			continue
		}
		done := make(chan struct{})
		before := s.taking.enter(folder, done)
		s.wg.Go(func() {
			defer s.taking.leave(folder, done)
			defer stream.CancelRead(quic.StreamErrorCode(wire.Closed))
			if before != nil {
				select {
				case <-before:
				case <-s.ctx.Done():
					return
				}
			}
			s.fail(s.readIndex(in, folder))
		})
	}
}

func (s *Session) readIndexHeader(in incoming) (folder tree.FolderID, err error) {
	if err := in.stream.SetReadDeadline(s.node.cfg.Now().Add(s.node.cfg.Timing.Patience)); err != nil {
		return folder, err
	}
	if err := in.r.Await(); err != nil {
		return folder, tooSlow(err)
	}
	t, payload, err := in.next()
	if err != nil {
		return folder, tooSlow(err)
	}
	if t != wire.TypeIndexHeader {
		return folder, failure(wire.OutOfOrder, fmt.Errorf("type %d at the head of an index stream", t))
	}
	if folder, err = wire.ParseIndexHeader(payload); err != nil {
		return folder, err
	}
	return folder, in.stream.SetReadDeadline(time.Time{})
}

// readIndex hands one index's batches on, in order.
func (s *Session) readIndex(in incoming, folder tree.FolderID) error {
	dec := wire.NewBatchDecoder(s.node.packer)
	for {
		err := in.head()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := s.takeBatch(in, dec, folder); err != nil {
			return err
		}
	}
}

// takeBatch reads the rest of a batch whose head is there, and hands it on. Only
// so many of a session do that at a time: what is half read takes memory, too,
// and a peer may hold as many streams half told as it likes.
func (s *Session) takeBatch(in incoming, dec *wire.BatchDecoder, folder tree.FolderID) error {
	select {
	case s.taking.room <- struct{}{}:
		defer func() { <-s.taking.room }()
	case <-s.ctx.Done():
		return s.ctx.Err()
	}
	if err := s.passDown(s.ctx); err != nil {
		return err
	}
	t, payload, err := in.next()
	if err != nil {
		return err
	}
	switch t {
	case wire.TypeGift:
		return s.takeGift(payload)
	case wire.TypePacked:
		return s.takePackedGifts(payload)
	}
	if t != wire.TypeBatch {
		return failure(wire.OutOfOrder, fmt.Errorf("type %d on an index stream", t))
	}
	b, err := dec.Parse(payload)
	if err != nil {
		return err
	}
	return s.node.cfg.Handler.Batch(s.ctx, s, folder, b)
}
