package reconcile

import (
	"fmt"
	"testing"

	"pinion/engine/tree"
)

// BenchmarkDecide decides 20,000 paths: a first sync, an edit of all, the same
// conflict everywhere, and files that both sides had.
func BenchmarkDecide(b *testing.B) {
	const files = 20_000
	for _, c := range []struct {
		name   string
		local  *tree.Entry
		remote tree.Entry
		acts   int
	}{
		{"new", nil, file(1, v(2, 1)), 1},
		{"edited", ptr(file(1, v(1, 1))), based(file(2, v(1, 1, 2, 2)), 1), 1},
		{"conflict", ptr(file(1, v(1, 1))), file(2, v(2, 1)), 1},
		{"equal", ptr(file(1, v(1, 1))), file(1, v(2, 1)), 1},
		{"deleted", ptr(file(1, v(1, 1))), gone(file(1, v(1, 1)), v(1, 1, 2, 2)), 1},
	} {
		b.Run(c.name, func(b *testing.B) {
			inputs := make([]Input, files)
			for i := range inputs {
				p := tree.Path(fmt.Sprintf("d/file-%05d.txt", i))
				inputs[i] = Input{Path: p, Lookup: around{}, Remotes: []Remote{{tree.DeviceID{2}, at(c.remote, p)}}}
				if c.local != nil {
					inputs[i].HasLocal, inputs[i].Local = true, tree.Record{Entry: at(*c.local, p), Seq: 5}
				}
			}
			b.ReportAllocs()
			for b.Loop() {
				for _, in := range inputs {
					if d := Decide(in); len(d.Actions) != c.acts {
						b.Fatal(told(d))
					}
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/files, "ns/path")
		})
	}
}
