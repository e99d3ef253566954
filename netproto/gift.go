package netproto

import (
	"context"
	"fmt"
	"sync"
	"time"

	"pinion/engine/tree"
	"pinion/netproto/wire"
)

const (
	// giftRows is up to how many rows a batch has whose contents are sent ahead.
	giftRows = 16
	// giftBytes is how many bytes go ahead of a batch.
	giftBytes = 32 << 10
	// giftsKept bounds what is kept of a peer's gifts, and giftsLast for how long.
	giftsKept = 256 << 10
	giftsLast = 30 * time.Second
)

// gifts are contents that the peer has sent ahead of their rows.
type gifts struct {
	mu    sync.Mutex
	list  []gift // guarded by mu: oldest first
	bytes int    // guarded by mu
}

type gift struct {
	id   tree.ContentID
	data []byte
	at   time.Time
}

// put keeps a copy of data, in place of the oldest if there is no room.
func (g *gifts) put(now time.Time, id tree.ContentID, data []byte) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.list, g.bytes = append(g.list, gift{id, append([]byte(nil), data...), now}), g.bytes+len(data)
	for len(g.list) > 0 && (g.bytes > giftsKept || now.Sub(g.list[0].at) > giftsLast) {
		g.bytes -= len(g.list[0].data)
		g.list[0] = gift{}
		g.list = g.list[1:]
	}
}

// take gives a content and forgets it.
func (g *gifts) take(id tree.ContentID) []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	for i, have := range g.list {
		if have.id == id {
			g.list = append(g.list[:i:i], g.list[i+1:]...)
			g.bytes -= len(have.data)
			return have.data
		}
	}
	return nil
}

// takeGifts answers wants, from where the call is, as far as they are here
// already.
func (s *Session) takeGifts(wants []tree.Want, p *place) error {
	for p.want < len(wants) && p.came == 0 {
		i, w := p.want, wants[p.want]
		if !w.Whole || w.Length <= 0 || w.Length > wire.MaxGift {
			return nil
		}
		data := s.gifts.take(w.Content)
		if data == nil {
			return nil
		}
		if err := p.sink(i, 0, data); err != nil {
			return err
		}
		p.want++
		p.done(i, nil)
	}
	return nil
}

// givable says whether the content of a row may be wanted at once by who hears of
// it: this device has just written it.
func givable(e *tree.Entry, from tree.ReplicaID, moved map[tree.Path]bool) bool {
	return e.Kind == tree.File && !e.Deleted && e.Size > 0 && e.Size <= wire.MaxGift &&
		e.Author == from && e.Content != e.Base && e.Conflict == nil && !moved[e.Path]
}

// appendGifts appends the contents that go ahead of a batch.
func (s *Session) appendGifts(ctx context.Context, dst []byte, folder tree.FolderID, b tree.Batch) []byte {
	if s.hello.Caps&wire.CapGifts == 0 || len(b.Entries) == 0 || len(b.Entries) > giftRows {
		return dst
	}
	moved := map[tree.Path]bool{}
	for _, e := range b.Entries {
		if e.MovedTo != "" {
			moved[e.MovedTo] = true
		}
	}
	var wants []tree.Want
	var sum int64
	for i := range b.Entries {
		e := &b.Entries[i]
		if sum+e.Size <= giftBytes && givable(e, b.Upto.Replica, moved) {
			wants, sum = append(wants, tree.Want{Content: e.Content, Path: e.Path, Whole: true, Length: e.Size}), sum+e.Size
		}
	}
	if len(wants) == 0 {
		return dst
	}
	w := &wrapping{wants: wants}
	if err := s.node.cfg.Handler.Serve(ctx, s, folder, wants, w); err != nil {
		return dst
	}
	if packed, ok := s.node.packer.AppendPacked(nil, w.frames); ok && !s.node.cfg.NoCompression {
		return append(dst, packed...)
	}
	return append(dst, w.frames...)
}

// wrapping makes gifts of what is served.
type wrapping struct {
	wants  []tree.Want
	buf    []byte
	frames []byte
}

func (w *wrapping) Piece(i int, off int64, data []byte) error {
	if i < len(w.wants) && off == int64(len(w.buf)) && len(w.buf)+len(data) <= wire.MaxGift {
		w.buf = append(w.buf, data...)
	}
	return nil
}

func (w *wrapping) Done(i int, gone bool) (err error) {
	if !gone && i < len(w.wants) && int64(len(w.buf)) == w.wants[i].Length {
		w.frames, err = wire.AppendGift(w.frames, w.wants[i].Content, w.buf)
	}
	w.buf = w.buf[:0]
	return err
}

// takeGift keeps what came ahead of a batch.
func (s *Session) takeGift(payload []byte) error {
	id, data, err := wire.ParseGift(payload)
	if err == nil {
		s.gifts.put(s.node.cfg.Now(), id, data)
	}
	return err
}

// takePackedGifts keeps what came packed.
func (s *Session) takePackedGifts(payload []byte) error {
	frames, err := s.node.packer.Unpack(nil, payload)
	for err == nil && len(frames) > 0 {
		var t wire.Type
		var one []byte
		if t, one, frames, err = wire.Split(frames); err == nil && t != wire.TypeGift {
			err = failure(wire.OutOfOrder, fmt.Errorf("type %d ahead of a batch", t))
		}
		if err == nil {
			err = s.takeGift(one)
		}
	}
	return err
}
