package scan

import (
	"context"
	"fmt"
	"io"
	"os"
	"testing"

	"pinion/engine/tree"
)

// BenchmarkFullNew is the first scan of 20,000 small files, with a hash that costs
// nothing (chunk has its own benchmarks) and an index that does nothing.
func BenchmarkFullNew(b *testing.B) {
	const files, size = 20_000, 5 << 10
	w := newWorld(b)
	data := make([]byte, size)
	for i := range files {
		if i%40 == 0 {
			w.must(os.MkdirAll(w.path(fmt.Sprintf("d%03d", i/40)), 0o755))
		}
		copy(data, fmt.Sprint(i))
		w.must(os.WriteFile(w.path(fmt.Sprintf("d%03d/file-%05d", i/40, i)), data, 0o644))
	}
	hash := func(_ context.Context, r io.Reader, size int64) (tree.Manifest, tree.ContentID, error) {
		n, err := io.Copy(io.Discard, r)
		if err == nil && n != size {
			err = io.ErrUnexpectedEOF
		}
		return nil, tree.ContentID{1}, err
	}
	b.SetBytes(files * size)
	b.ReportAllocs()
	for b.Loop() {
		w.with(func(o *Options) {
			o.Index = sorted{newModel(), nil}
			o.Hash = hash
		})
		found := 0
		sum, err := w.scanner.Full(context.Background(), func(batch []Change) error { found += len(batch); return nil })
		if err != nil || sum.Files != files || found < files {
			b.Fatal(sum, found, err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/files, "us/file")
}
