package netproto

import (
	"context"
	"sync/atomic"

	"pinion/engine/tree"
	"pinion/netproto/wire"
)

// asking is what a call of Fetch has still to ask for. Under a limit that goes in
// portions, which may be less than a want: what comes at a time is then little
// beside the limit.
type asking struct {
	wants []tree.Want
	at    int
	off   int64 // bytes of wants[at] that were asked for
}

// origin is where a part of a want is from.
type origin struct {
	want int
	last bool // the want ends with it
}

func (a *asking) over() bool { return a.at >= len(a.wants) }

// next is what is asked for next, of most bytes (0: of any number), and the
// request's beginnings. Contents that are asked for as a whole are not parted.
func (a *asking) next(most int64) ([]tree.Want, *fetchAsk) {
	if most == 0 && a.off == 0 {
		return a.wants[a.at:], &fetchAsk{first: a.at}
	}
	r := &fetchAsk{}
	if most > 0 {
		r.ahead = &ahead{}
	} else {
		most = 1 << 62
	}
	var group []tree.Want
	off := a.off
	for i := a.at; i < len(a.wants) && len(group) < wire.MaxWants && (most > 0 || len(group) == 0); i++ {
		w := a.wants[i]
		left := w.Length - off
		if w.Whole && len(group) > 0 && left > most {
			break
		}
		if !w.Whole && (off > 0 || left > most) {
			// About where that is: the peer looks there if it doubts its file.
			w.First, w.Count = w.First+uint32(int64(w.Count)*off/w.Length), 1
			w.Offset, w.Length = w.Offset+off, min(left, most)
		}
		group, r.of = append(group, w), append(r.of, origin{i, w.Whole || w.Length == left})
		most -= w.Length
		off = 0
	}
	return group, r
}

// asked moves on behind a group.
func (a *asking) asked(group []tree.Want) {
	for _, w := range group {
		a.off += w.Length
		if whole := a.wants[a.at]; whole.Whole || a.off >= whole.Length {
			a.at, a.off = a.at+1, 0
		}
	}
}

func lengthOf(wants []tree.Want) (sum int64) {
	for _, w := range wants {
		sum += w.Length
	}
	return sum
}

// ahead is what a request took of the limit for what has not come yet.
type ahead struct {
	down *bucket
	life int
	left atomic.Int64
}

func (h *ahead) reserve(ctx context.Context, s *Session, n int64, c class) error {
	l := s.node.limits
	if !l.limited(s) {
		return nil
	}
	t, err := l.down.take(ctx, n, c)
	if err == nil {
		h.down, h.life = l.down, t.life
		h.left.Store(t.n)
	}
	return err
}

// came gives back what has come: as packets it is counted already.
func (h *ahead) came(n int64) {
	if h == nil {
		return
	}
	for {
		old := h.left.Load()
		n = min(n, old)
		if n == 0 {
			return
		}
		if h.left.CompareAndSwap(old, old-n) {
			h.down.back(ticket{h.life, n})
			return
		}
	}
}

// back gives back what will not come.
func (h *ahead) back() {
	if h != nil {
		h.came(h.left.Load())
	}
}
