package index

import "pinion/engine/tree"

// echo is a row of ours that a device had told before, exactly so.
type echo struct {
	device int64
	seq    uint64
}

// echoes are the places in our history of rows that devices told us, since the
// index was opened. Those of a device that tells much stand one after the other,
// so that few spans are many rows; the oldest are forgotten.
type echoes struct{ spans map[int64][]echoSpan }

type echoSpan struct{ first, last uint64 }

const maxEchoSpans = 128

func (x *echoes) add(list []echo) {
	if x.spans == nil && len(list) > 0 {
		x.spans = map[int64][]echoSpan{}
	}
	for _, e := range list {
		spans := x.spans[e.device]
		if n := len(spans); n > 0 && spans[n-1].last+1 == e.seq {
			spans[n-1].last = e.seq
			continue
		}
		if len(spans) == maxEchoSpans {
			spans = append(spans[:0], spans[maxEchoSpans/2:]...)
		}
		x.spans[e.device] = append(spans, echoSpan{e.seq, e.seq})
	}
}

// ToldUpTo gives the place up to which each row after the given one is exactly what
// a device has told; after itself if the next row is not, as far as that is
// remembered: since the index was opened, and not for ever.
func (ix *Index) ToldUpTo(dev tree.DeviceID, after uint64) uint64 {
	number, ok := ix.names.number(dev)
	if !ok {
		return after
	}
	ix.mu.Lock()
	defer ix.mu.Unlock()
	for _, s := range ix.echoes.spans[number] { // ascending
		if s.first <= after+1 && after < s.last {
			after = s.last
		}
	}
	return after
}
