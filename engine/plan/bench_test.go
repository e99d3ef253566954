package plan

import (
	"fmt"
	"slices"
	"testing"

	"pinion/engine/tree"
)

// benchActions are 20,000 files in 500 directories: new
// ones, or ones that have gone to another directory. With same
// all have one content.
func benchActions(moved, same bool) (out []Action) {
	const files, each = 20_000, 40
	for i := range files {
		dir := i / each
		entry := tree.Entry{Path: tree.Path(fmt.Sprintf("new/d%03d/file-%05d", dir, i)), Kind: tree.File, Size: 10, Content: id(fmt.Sprint(i))}
		if same {
			entry.Content = id("the same")
		}
		if i%each == 0 {
			out = append(out, Action{Op: Make, Entry: tree.Entry{Path: entry.Path.Dir(), Kind: tree.Dir}})
		}
		out = append(out, Action{Op: Put, Entry: entry})
		if moved {
			was := entry
			was.Path = tree.Path(fmt.Sprintf("old/d%03d/file-%05d", dir, i))
			gone := was
			gone.Deleted = true
			out = append(out, Action{Op: Delete, Entry: gone, Was: tree.Record{Entry: was, Seq: 1}})
		}
	}
	return out
}

func BenchmarkOrder(b *testing.B) {
	actions := pointers(benchActions(false, false))
	b.ReportAllocs()
	for b.Loop() {
		Order(slices.Clone(actions))
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(actions)), "ns/action")
}

func BenchmarkPairMoves(b *testing.B) {
	for _, c := range []struct {
		name        string
		moved, same bool
	}{{"new", false, false}, {"moved", true, false}, {"moved/same", true, true}} {
		b.Run(c.name, func(b *testing.B) {
			actions := benchActions(c.moved, c.same)
			if c.same {
				actions = actions[:4096] // each is compared with each; a pass has no more
			}
			b.ReportAllocs()
			for b.Loop() {
				if out, _ := PairMoves(actions, never); c.moved && len(out) > len(actions)*2/3 {
					b.Fatal("moves are missing")
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(actions)), "ns/action")
		})
	}
}
