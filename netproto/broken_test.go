package netproto

import (
	"context"
	"testing"

	"pinion/engine/tree"
)

// Who gives up telling an index, at whatever moment, leaves the next one a stream
// that can be written to.
func TestTellingGoesOnAfterAnotherGaveUp(t *testing.T) {
	noLeak(t)
	a, b := launch(t, nil, nil), launch(t, nil, nil)
	ab, _ := meet(t, a, b)
	folder := tree.FolderID{1}
	const rounds = 300
	for seq := range uint64(rounds) {
		ctx, cancel := context.WithCancel(t.Context())
		if seq%2 == 0 {
			cancel()
		} else {
			go cancel()
		}
		_ = ab.SendBatch(ctx, folder, tree.Batch{Entries: []tree.Entry{entry("x")}}) // it may have been told, or not
		if err := ab.SendBatch(t.Context(), folder, tree.Batch{Upto: tree.Position{Replica: 1, Seq: seq + 1}}); err != nil {
			t.Fatalf("in round %d: %v", seq, err)
		}
		cancel()
	}
	b.wait(t, "the last batch", func() bool {
		got := b.batches[folder]
		return len(got) > 0 && got[len(got)-1].Upto.Seq == rounds
	})
}
