package index

import (
	"context"
	"testing"

	"pinion/engine/tree"
)

// rows reports a rate that can be compared between batch sizes.
func rows(b *testing.B, n int) { b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s") }

const benchBatch = 1000

func benchChanges(from int, writers []tree.Replica) []Change {
	out := make([]Change, benchBatch)
	for i := range out {
		out[i].Record = sample(from+i, writers)
	}
	return out
}

func BenchmarkCommitNew(b *testing.B) {
	ix, _ := fresh(b)
	n := 0
	for b.Loop() {
		b.StopTimer()
		changes := benchChanges(n, []tree.Replica{ix.Self()})
		b.StartTimer()
		commit(b, ix, changes...)
		n += benchBatch
	}
	rows(b, n)
}

func BenchmarkCommitUpdate(b *testing.B) {
	ix, _ := fresh(b)
	self := []tree.Replica{ix.Self()}
	changes := make([][]Change, 20)
	for i := range changes {
		changes[i] = benchChanges(i*benchBatch, self)
		commit(b, ix, changes[i]...)
	}
	n := 0
	for b.Loop() {
		batch := changes[n/benchBatch%len(changes)]
		for i := range batch {
			batch[i].If = batch[i].Record.Seq
		}
		commit(b, ix, batch...)
		n += benchBatch
	}
	rows(b, n)
}

func BenchmarkObserveNew(b *testing.B) {
	ix, _ := fresh(b)
	n := 0
	for b.Loop() {
		b.StopTimer()
		entries := make([]tree.Entry, benchBatch)
		for i := range entries {
			entries[i] = sample(n+i, []tree.Replica{peer(2)}).Entry
		}
		b.StartTimer()
		observe(b, ix, peer(2), entries...)
		n += benchBatch
	}
	rows(b, n)
}

func BenchmarkObserveCovered(b *testing.B) {
	ix, entries := filled(b, 20_000)
	n := 0
	for b.Loop() {
		at := n % len(entries)
		observe(b, ix, peer(2), entries[at:at+benchBatch]...)
		n += benchBatch
	}
	rows(b, n)
}

func BenchmarkCommitReceived(b *testing.B) {
	ix, _ := fresh(b)
	observe(b, ix, peer(2))
	n := 0
	for b.Loop() {
		b.StopTimer()
		changes := benchChanges(n, []tree.Replica{peer(2)})
		entries := make([]tree.Entry, benchBatch)
		for i := range entries {
			entries[i] = changes[i].Record.Entry
		}
		observe(b, ix, peer(2), entries...)
		b.StartTimer()
		commit(b, ix, changes...)
		n += benchBatch
	}
	rows(b, n)
}

// filled gives an index with n rows, and their entries.
func filled(b *testing.B, n int) (*Index, []tree.Entry) {
	ix, _ := fresh(b)
	observe(b, ix, peer(2))
	fill(b, ix, inOrder(n), []tree.Replica{peer(2)})
	entries := make([]tree.Entry, n)
	for i := range entries {
		entries[i] = sample(i, []tree.Replica{peer(2)}).Entry
	}
	return ix, entries
}

func BenchmarkGet(b *testing.B) {
	ix, entries := filled(b, 20_000)
	n := 0
	for b.Loop() {
		if _, found, err := ix.Get(context.Background(), entries[n*7919%len(entries)].Path); !found || err != nil {
			b.Fatal(found, err)
		}
		n++
	}
	rows(b, n)
}

func BenchmarkAt(b *testing.B) {
	ix, entries := filled(b, 20_000)
	paths := make([]tree.Path, len(entries))
	for i, e := range entries {
		paths[i] = e.Path
	}
	n := 0
	for b.Loop() {
		from := n % len(paths)
		got, err := ix.At(context.Background(), paths[from:from+200])
		if err != nil || len(got) != 200 {
			b.Fatal(len(got), err)
		}
		n += 200
	}
	rows(b, n)
}

func BenchmarkWalk(b *testing.B) {
	ix, _ := filled(b, 20_000)
	n := 0
	for b.Loop() {
		err := ix.Walk(context.Background(), "", "", func(tree.Record) (bool, error) { n++; return true, nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	rows(b, n)
}

func BenchmarkStanding(b *testing.B) {
	ix, _ := filled(b, 20_000)
	n := 0
	for b.Loop() {
		err := ix.Standing(context.Background(), "", func(rows []tree.Record) (bool, error) { n += len(rows); return true, nil })
		if err != nil {
			b.Fatal(err)
		}
	}
	rows(b, n)
}

func BenchmarkSince(b *testing.B) {
	ix, _ := filled(b, 20_000)
	n, seq := 0, uint64(0)
	for b.Loop() {
		got, err := ix.Since(context.Background(), seq, 1000)
		if err != nil {
			b.Fatal(err)
		}
		if n, seq = n+len(got), seq+1000; seq == 20_000 {
			seq = 0
		}
	}
	rows(b, n)
}

func BenchmarkPending(b *testing.B) {
	ix, _ := fresh(b)
	observe(b, ix, peer(2))
	observe(b, ix, peer(3))
	receive(b, ix, inOrder(20_000), []tree.Replica{peer(2), peer(3)})
	n, at := 0, Cursor(0)
	for b.Loop() {
		got, next, err := ix.Pending(context.Background(), PendingQuery{Limit: 1000, After: at})
		if err != nil {
			b.Fatal(err)
		}
		n, at = n+len(got), next
	}
	rows(b, n)
}
