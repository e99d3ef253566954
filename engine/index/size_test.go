package index

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"pinion/engine/tree"
)

// samplePath gives paths of about 40 bytes, in the order of a walk.
func samplePath(i int) tree.Path {
	return tree.Path(fmt.Sprintf("documents-%02d/project-%03d/chapter%04d.txt", i/5000, i/50%100, i))
}

// sample is a file of the synced state with three devices: each has touched it.
func sample(i int, writers []tree.Replica) tree.Record {
	h := rand.New(rand.NewPCG(uint64(i), 1))
	e := tree.Entry{Path: samplePath(i), Kind: tree.File, Size: h.Int64N(1 << 20), MTime: 1_700_000_000_000_000_000 + h.Int64N(1e17), Mode: 0o644, Content: content(i)}
	for _, w := range writers {
		e.Version = e.Version.Bump(w.ID, 1_790_000_000+uint64(h.Int64N(1e7)))
		e.Author = w.ID
	}
	d := tree.Stat{Kind: tree.File, Size: e.Size, MTime: e.MTime, Mode: e.Mode, Inode: 9_000_000 + uint64(i), CTime: 1_800_000_000_000_000_000 + h.Int64N(1e17), Looked: 3}
	return tree.Record{Entry: e, Disk: d}
}

// fill commits n files in batches of 1,000, in the given order of indexes.
func fill(t testing.TB, ix *Index, order []int, writers []tree.Replica) {
	t.Helper()
	for len(order) > 0 {
		n := min(1000, len(order))
		changes := make([]Change, n)
		for i, j := range order[:n] {
			changes[i].Record = sample(j, writers)
		}
		commit(t, ix, changes...)
		order = order[n:]
	}
}

func inOrder(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

func shuffled(n int) []int { return rand.New(rand.NewPCG(1, 2)).Perm(n) }

// perFile is the size of the file and its WAL after maintenance.
func perFile(t testing.TB, ix *Index, name string, n int) float64 {
	t.Helper()
	ok(ix.Maintain(context.Background(), MaintainOptions{}))(t)
	var total int64
	for _, suffix := range []string{"", "-wal"} {
		if st, err := os.Stat(name + suffix); err == nil {
			total += st.Size()
		}
	}
	return float64(total) / float64(n)
}

// The synced state must not cost more than 250 bytes a file, whether the rows
// were made by a scan, came in any order, or went through the remote table.
func TestBytesPerFile(t *testing.T) {
	sizes := []int{20_000, 100_000}
	if testing.Short() {
		sizes = sizes[:1]
	}
	for _, n := range sizes {
		for _, how := range []string{"scanned", "any order", "received"} {
			w, name := newWorld(), filepath.Join(t.TempDir(), "index.db")
			ix := w.open(t, name)
			three := []tree.Replica{peer(2), peer(3), ix.Self()}
			observe(t, ix, peer(2))
			observe(t, ix, peer(3))
			order := inOrder(n)
			switch how {
			case "any order":
				order = shuffled(n)
			case "received":
				receive(t, ix, order, three)
			}
			fill(t, ix, order, three)
			got := perFile(t, ix, name, n)
			t.Logf("%d files, %s, 3 stamps each, paths of %d bytes: %.1f bytes a file", n, how, len(samplePath(0)), got)
			if got > 250 {
				t.Errorf("%d files, %s: %.1f bytes a file are more than 250", n, how, got)
			}
			if c := ix.Counts(); c.Files != int64(n) || c.PendingPaths != 0 {
				t.Errorf("%+v", c)
			}
		}
	}
}

// receive has two peers tell all files, so that all of them are pending twice.
func receive(t testing.TB, ix *Index, order []int, writers []tree.Replica) {
	t.Helper()
	for len(order) > 0 {
		n := min(1000, len(order))
		entries := make([]tree.Entry, n)
		for i, j := range order[:n] {
			entries[i] = sample(j, writers[:2]).Entry
		}
		observe(t, ix, peer(2), entries...)
		observe(t, ix, peer(3), entries...)
		order = order[n:]
	}
}
