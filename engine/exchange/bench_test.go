package exchange_test

import (
	"context"
	"fmt"
	"testing"

	"pinion/engine/exchange"
	"pinion/engine/tree"
)

const benchRows = 20_000

// ordered is an index whose rows are found at once, and that forgets what it is told.
type ordered struct{ *index }

func (x ordered) Since(_ context.Context, seq uint64, limit int) ([]tree.Record, error) {
	rows := x.rows[seq:]
	return rows[:min(limit, len(rows))], nil
}

func (x ordered) Observe(_ context.Context, from tree.DeviceID, b tree.Batch) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.have[from] = b.Upto
	return len(b.Entries), nil
}

// counting is a peer that counts what it is told.
type counting struct {
	peer
	rows int
	all  chan struct{}
}

func (p *counting) SendBatch(_ context.Context, _ tree.FolderID, b tree.Batch) error {
	if p.rows += len(b.Entries); p.rows == benchRows {
		close(p.all)
	}
	return nil
}

func benchIndex() ordered {
	x := newIndex(7)
	for i := range benchRows {
		x.write(tree.Path(fmt.Sprintf("d%03d/file-%05d", i/40, i)))
	}
	return ordered{x}
}

// BenchmarkTell tells a peer that knows nothing 20,000 rows.
func BenchmarkTell(b *testing.B) {
	x := benchIndex()
	b.ReportAllocs()
	for b.Loop() {
		e := newExchange(x.index, func(o *exchange.Options) { o.Index = x })
		p := &counting{peer: peer{dev: pat}, all: make(chan struct{})}
		if err := e.Up(b.Context(), p); err != nil {
			b.Fatal(err)
		}
		e.Heard(pat, tree.FolderState{Folder: folder, Life: 1})
		<-p.all
		e.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}

// BenchmarkHear records 20,000 rows of a peer, less what the index does with them.
func BenchmarkHear(b *testing.B) {
	rows := benchIndex().rows
	var batches []tree.Batch
	for i := 0; i < len(rows); i += exchange.BatchRows {
		batch := tree.Batch{After: uint64(i), Upto: tree.Position{Replica: 7, Epoch: 1, Seq: uint64(i + exchange.BatchRows)}}
		for _, r := range rows[i : i+exchange.BatchRows] {
			batch.Entries = append(batch.Entries, r.Entry)
		}
		batches = append(batches, batch)
	}
	b.ReportAllocs()
	for b.Loop() {
		x := ordered{newIndex(8)}
		e := newExchange(x.index, func(o *exchange.Options) { o.Index = x })
		if err := e.Up(b.Context(), &peer{dev: pat}); err != nil {
			b.Fatal(err)
		}
		for _, batch := range batches {
			if err := e.Batch(b.Context(), pat, batch); err != nil {
				b.Fatal(err)
			}
		}
		e.Close()
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/benchRows, "ns/row")
}
