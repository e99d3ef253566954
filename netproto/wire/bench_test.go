package wire

import (
	"fmt"
	"testing"

	"pinion/engine/tree"
)

// BenchmarkPieces writes and reads the pieces of 20,000 small contents.
func BenchmarkPieces(b *testing.B) {
	const files, size = 20_000, 5 << 10
	data := make([]byte, size)
	var frame []byte
	b.SetBytes(files * size)
	b.ReportAllocs()
	for b.Loop() {
		for i := range files {
			var err error
			if frame, err = AppendPiece(frame[:0], Piece{Index: i % MaxWants, Last: true, Data: data}); err != nil {
				b.Fatal(err)
			}
			if p, err := ParsePiece(frame[HeaderLen:]); err != nil || len(p.Data) != size {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkWants writes and reads requests for 20,000 small contents.
func BenchmarkWants(b *testing.B) {
	const files = 20_000
	var wants []tree.Want
	for i := range files {
		id := tree.ContentID{1, byte(i), byte(i >> 8)}
		wants = append(wants, tree.Want{Content: id, Path: tree.Path(fmt.Sprintf("src/cmd/pkg%03d/file_%05d.go", i/40, i)), Whole: true, Length: 5000})
	}
	var frame []byte
	b.ReportAllocs()
	for b.Loop() {
		for rest := wants; len(rest) > 0; {
			var n int
			var err error
			if frame, n, err = AppendFetchRequest(frame[:0], tree.FolderID{1}, rest); err != nil {
				b.Fatal(err)
			}
			if _, got, err := ParseFetchRequest(frame[HeaderLen:]); err != nil || len(got) != n {
				b.Fatal(err)
			}
			rest = rest[n:]
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/files, "ns/want")
}

// BenchmarkChunkList writes and reads the chunk list of a GiB, alone and as the
// difference to one in which a chunk was another.
func BenchmarkChunkList(b *testing.B) {
	const chunks = 16 << 10
	m := make(tree.Manifest, chunks)
	for i := range m {
		m[i] = tree.Chunk{ID: tree.ContentID{1, byte(i), byte(i >> 8), byte(i >> 16)}, Len: 64 << 10}
	}
	base := append(tree.Manifest(nil), m...)
	base[chunks/2].ID = tree.ContentID{1, 255, 255, 255}
	for name, base := range map[string]tree.Manifest{"whole": nil, "difference": base} {
		b.Run(name, func(b *testing.B) {
			var frames []byte
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if frames, err = AppendManifest(frames[:0], m, base); err != nil {
					b.Fatal(err)
				}
				for rest := frames; len(rest) > 0; {
					_, n, err := ParseHeader(rest)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := ParseManifestPart(rest[HeaderLen : HeaderLen+n]); err != nil {
						b.Fatal(err)
					}
					rest = rest[HeaderLen+n:]
				}
			}
			b.ReportMetric(float64(len(frames))/chunks, "bytes/chunk")
		})
	}
}
