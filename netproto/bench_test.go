package netproto

import (
	"context"
	"math/rand/v2"
	"testing"

	"pinion/engine/tree"
)

// benchmarkFetch lets one device fetch wants from another over loopback. The
// bytes are noise or text; what it costs to make and to keep them is left out.
func benchmarkFetch(b *testing.B, wants []tree.Want, text bool) {
	data := make([]byte, 0, 8<<20)
	r := rand.New(rand.NewPCG(1, 2))
	words := []string{"func ", "return ", "if err != nil {\n", "}\n", "context.Context", "range ", "string", " := ", "a", "(", ")", "path", "\t"}
	for len(data) < cap(data)-64 {
		if text {
			data = append(data, words[r.IntN(len(words))]...)
		} else {
			data = append(data, byte(r.Uint32()))
		}
	}
	h := newRecorder()
	h.onServe = func(_ context.Context, wants []tree.Want, w PieceWriter) error {
		for i, want := range wants {
			for off := want.Offset; off < want.Offset+want.Length; {
				n := min(128<<10, want.Offset+want.Length-off)
				at := (int64(i)*5000 + off) % int64(len(data)-128<<10)
				if err := w.Piece(i, off, data[at:at+n]); err != nil {
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
	a, c := launch(b, nil, nil), launch(b, nil, h)
	s, _ := meet(b, a, c)
	var total int64
	for _, w := range wants {
		total += w.Length
	}
	b.SetBytes(total)
	b.ReportAllocs()
	before := s.conn.ConnectionStats().BytesReceived
	for b.Loop() {
		err := s.Fetch(b.Context(), tree.FolderID{}, wants, func(int, int64, []byte) error { return nil }, func(int, error) {})
		if err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(s.conn.ConnectionStats().BytesReceived-before)/float64(b.N)/1e6, "wireMB/op")
}

func smallOnes() []tree.Want {
	wants := smallWants(20_000, 5<<10)
	for i := range wants {
		wants[i].Content[32] = 0
	}
	return wants
}

func BenchmarkFetchSmallNoise(b *testing.B) { benchmarkFetch(b, smallOnes(), false) }
func BenchmarkFetchSmallText(b *testing.B)  { benchmarkFetch(b, smallOnes(), true) }
func BenchmarkFetchBigNoise(b *testing.B)   { benchmarkFetch(b, bigWants(64, 4<<20), false) }
func BenchmarkFetchBigText(b *testing.B)    { benchmarkFetch(b, bigWants(64, 4<<20), true) }
