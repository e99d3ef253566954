package index

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"pinion/engine/tree"
)

func TestPositionMovesWithCommitsOnly(t *testing.T) {
	ix, _ := fresh(t)
	ctx, before := context.Background(), ix.Position()
	observe(t, ix, peer(2), file("a", 1, 2, 1))
	if err := errors.Join(ix.HoldMissing(ctx, []tree.Path{"m"}), ix.SetMeta(ctx, "k", nil)); err != nil {
		t.Fatal(err)
	}
	if ix.Position() != before {
		t.Errorf("%v, then %v", before, ix.Position())
	}
	commit(t, ix, rec(file("b", 1, ix.Self().ID, 1)))
	want := tree.Position{Replica: ix.Self().ID, Epoch: before.Epoch, Seq: 1}
	if ix.Position() != want {
		t.Errorf("%v instead of %v", ix.Position(), want)
	}
}

func TestSendFromGoesOnAcrossOpenings(t *testing.T) {
	w, name := newWorld(), filepath.Join(t.TempDir(), "index.db")
	var told []tree.Position
	for i := range 3 {
		ix := w.open(t, name)
		told = append(told, ix.Position())
		commit(t, ix, rec(file(samplePath(i), 1, ix.Self().ID, 1)))
		told = append(told, ix.Position())
		for _, p := range told {
			if seq, known := ix.SendFrom(p); !known || seq != p.Seq {
				t.Errorf("opening %d: %v is not known", i, p)
			}
		}
		p := ix.Position()
		p.Seq++
		if _, known := ix.SendFrom(p); known {
			t.Errorf("the future %v is known", p)
		}
		if err := ix.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if told[1].Epoch == told[3].Epoch {
		t.Error("two openings share an epoch")
	}
}

// An older copy of the file is put back: the power cut that a disk lied about,
// or a backup.
func TestRolledBackIndexIsRecognised(t *testing.T) {
	w, dir := newWorld(), t.TempDir()
	name, old := filepath.Join(dir, "index.db"), filepath.Join(dir, "old.db")
	ctx := context.Background()
	ix := w.open(t, name)
	self := ix.Self()
	commit(t, ix, rec(file("a", 1, self.ID, ix.Tick())))
	early := ix.Position()
	if err := copyIndex(name, old); err != nil {
		t.Fatal(err)
	}
	lost := file("b", 2, self.ID, ix.Tick())
	commit(t, ix, rec(lost), rec(file("c", 2, self.ID, 1)))
	told := ix.Position()

	back := w.open(t, old)
	if back.Self() != self {
		t.Fatal("a copy is another replica")
	}
	if _, known := back.SendFrom(told); known {
		t.Error("the lost future is known before the first commit")
	}
	for _, p := range []tree.Path{"d", "e", "f"} {
		commit(t, back, rec(file(p, 3, self.ID, 1)))
	}
	if back.Position().Seq < told.Seq {
		t.Fatal("the test must go beyond what was told")
	}
	if _, known := back.SendFrom(told); known {
		t.Error("the lost future is known")
	}
	if _, known := back.SendFrom(early); !known {
		t.Error("what both lives share is not known")
	}
	b := tree.Batch{Entries: []tree.Entry{file("x", 9, 2, 1), lost}, Replicas: []tree.Replica{peer(2)}, Upto: tree.Position{Replica: 2, Epoch: 1, Seq: 7}}
	if _, err := back.Observe(ctx, device(2), b); !errors.Is(err, ErrRolledBack) {
		t.Fatalf("%v instead of ErrRolledBack", err)
	}
	if c := back.Counts(); c.PendingPaths != 0 || ok(back.Have(ctx, device(2)))(t) != (tree.Position{}) {
		t.Error("half of a refused batch is recorded")
	}
	if err := back.Forked(ctx); err != nil {
		t.Fatal(err)
	}
	if n := ok(back.Observe(ctx, device(2), b))(t); n != 2 {
		t.Errorf("%d news", n)
	}
	if back.Self().ID == self.ID || back.Self().Device != self.Device {
		t.Errorf("%v after %v", back.Self(), self)
	}
	if _, known := back.SendFrom(early); known {
		t.Error("another replica's position is known")
	}
	if seq, known := back.SendFrom(back.Position()); !known || seq != 4 {
		t.Errorf("after a new incarnation: %d %v", seq, known)
	}
	if err := back.Close(); err != nil {
		t.Fatal(err)
	}
	if again := w.open(t, old); again.Self().ID == self.ID {
		t.Error("the new incarnation is forgotten")
	}
}

// What an older copy of the file wrote before it met anybody stands beside what
// was lost, and on top of what both lives share.
func TestForkedWritingsStandBesideTheLostOnes(t *testing.T) {
	w, dir := newWorld(), t.TempDir()
	name, old := filepath.Join(dir, "index.db"), filepath.Join(dir, "old.db")
	ctx := context.Background()
	ix := w.open(t, name)
	self := ix.Self().ID
	shared, other := file("a", 1, self, ix.Tick()), file("b", 1, self, ix.Tick())
	changes := []Change{rec(shared), rec(other), rec(file("quiet", 1, self, ix.Tick()))}
	commit(t, ix, changes...)
	if _, known := ix.SendFrom(ix.Position()); !known {
		t.Fatal("our own position is not known")
	}
	if _, err := ix.Maintain(ctx, MaintainOptions{}); err != nil {
		t.Fatal(err)
	}
	if err := copyIndex(name, old); err != nil {
		t.Fatal(err)
	}
	lost := shared
	lost.Version = shared.Version.Bump(self, ix.Tick())

	w.now = w.now.Add(time.Hour)
	back := w.open(t, old)
	for range 2 { // the writings of several openings without a peer are restamped
		for i, e := range []tree.Entry{shared, other} {
			e.Version = e.Version.Bump(self, back.Tick())
			c := Change{Record: tree.Record{Entry: e}, If: changes[i].Record.Seq}
			if r, had, err := back.Get(ctx, e.Path); had && err == nil {
				c.If = r.Seq
			}
			commit(t, back, c)
		}
		if err := back.Close(); err != nil {
			t.Fatal(err)
		}
		back = w.open(t, old)
	}
	if err := back.Forked(ctx); err != nil {
		t.Fatal(err)
	}
	again := back.Self().ID
	for _, c := range []struct {
		path tree.Path
		with tree.Version
		want tree.Order
	}{{"a", lost.Version, tree.Concurrent}, {"a", shared.Version, tree.After}, {"b", other.Version, tree.After}} {
		r, _, err := back.Get(ctx, c.path)
		if err != nil || r.Version.Compare(c.with) != c.want || r.Author != again {
			t.Errorf("%s: %v by %v is %v of %v, not %v (%v)", c.path, r.Version, r.Author, r.Version.Compare(c.with), c.with, c.want, err)
		}
	}
	if r, _, err := back.Get(ctx, "quiet"); err != nil || r.Author != self || r.Version.Counter(again) != 0 {
		t.Errorf("what was not written since is stamped anew: %+v, %v", r, err)
	}
	if n := len(ok(back.Since(ctx, 0, 10))(t)); n != 3 {
		t.Errorf("%d rows instead of 3", n)
	}
}

func TestDigestOfAnIndexOfAnEarlierVersion(t *testing.T) {
	w, name := newWorld(), filepath.Join(t.TempDir(), "index.db")
	ix := w.open(t, name)
	commit(t, ix, rec(file("a", 1, ix.Self().ID, 1)), rec(file("b/c", 2, ix.Self().ID, 1)))
	want := ix.Digest()
	if want == 0 {
		t.Fatal("a digest of nothing")
	}
	err := ix.write(context.Background(), "set the clock back", func(tx *txn) error {
		h := tx.head
		b := []byte{1}
		for _, n := range []uint64{h.Seq, h.Self, h.Clock, h.High, h.Arrivals} {
			b = binary.AppendUvarint(b, n)
		}
		for _, n := range h.numbers() {
			b = binary.AppendVarint(b, *n)
		}
		return tx.set("head", b)
	})
	if err := errors.Join(err, ix.Close()); err != nil {
		t.Fatal(err)
	}
	if got := w.open(t, name).Digest(); got != want {
		t.Errorf("%x instead of %x", got, want)
	}
}

func TestAClonedDiskIsAnotherReplica(t *testing.T) {
	w, name := newWorld(), filepath.Join(t.TempDir(), "index.db")
	ix := w.open(t, name)
	self := ix.Self()
	commit(t, ix, rec(file("a", 1, self.ID, 1)))
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	o := w.options()
	o.Device, o.DeviceName = device(9), "clone"
	clone := ok(Open(context.Background(), name, o))(t)
	defer clone.Close()
	if clone.Self().ID == self.ID || clone.Self().Name != "clone" {
		t.Errorf("%v", clone.Self())
	}
	if was, found := clone.Replica(self.ID); !found || was != self {
		t.Errorf("%v %v", was, found)
	}
}

func TestClockNeverGoesBack(t *testing.T) {
	w, name := newWorld(), filepath.Join(t.TempDir(), "index.db")
	ix := w.open(t, name)
	now := uint64(w.now.Unix())
	if a, b, c := ix.Clock(), ix.Tick(), ix.Tick(); a != now || b != now+1 || c != now+2 || ix.Clock() != c {
		t.Errorf("%d %d %d", a, b, c)
	}
	w.now = w.now.Add(-time.Hour)
	if ix.Clock() < now+2 {
		t.Error("it went back with the system's clock")
	}
	// A counter that ran ahead of the clock by being bumped counts, too.
	commit(t, ix, rec(file("a", 1, ix.Self().ID, now+50)))
	if got := ix.Clock(); got != now+50 {
		t.Errorf("%d", got)
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	ix = w.open(t, name)
	if got := ix.Tick(); got <= now+50+3599 {
		t.Errorf("behind a wrong clock it starts only %d s after what was told", got-now-50)
	}
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(10 * time.Hour)
	if got := w.open(t, name).Clock(); got != uint64(w.now.Unix()) {
		t.Errorf("with a right clock it is %d off", int64(got)-w.now.Unix())
	}
}

func TestReplicasNeverChange(t *testing.T) {
	ix, _ := fresh(t)
	ctx := context.Background()
	observe(t, ix, peer(2))
	other := peer(2)
	other.Name = "mallory"
	// Whoever says so may have heard it from somebody else: its batch is taken.
	if _, err := ix.Observe(ctx, device(3), tree.Batch{Replicas: []tree.Replica{other, peer(4)}}); err != nil {
		t.Error(err)
	}
	if _, err := ix.Observe(ctx, device(2), tree.Batch{Replicas: []tree.Replica{{ID: 5}}}); err == nil {
		t.Error("a replica of nobody")
	}
	if got := ok(ix.Replicas(ctx))(t); !slices.Equal(got, []tree.Replica{ix.Self(), peer(2), peer(4)}) {
		t.Errorf("%v", got)
	}
}

// Whatever moment the process dies at, the copy opens and is one of the states
// that were committed, counts included.
func TestAnyMomentIsACommittedState(t *testing.T) {
	w, dir := newWorld(), t.TempDir()
	name := filepath.Join(dir, "index.db")
	ix := w.open(t, name)
	observe(t, ix, peer(2))
	stop, copied := make(chan struct{}), make(chan []string)
	go func() {
		var names []string
		defer func() { copied <- names }()
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			// The WAL first: frames that come while the file is copied are
			// missing, never pages of the future without their frames.
			to := filepath.Join(dir, "crash"+string(rune('a'+i%26)))
			wal, err1 := os.ReadFile(name + "-wal")
			if before, err := os.ReadFile(name); err == nil && err1 == nil {
				after, err := os.ReadFile(name + "-wal")
				if err != nil || !bytes.HasPrefix(after, wal) || len(names) > 12 {
					continue // a checkpoint went on meanwhile: no moment of a kill
				}
				_ = os.WriteFile(to, before, 0o600)
				_ = os.WriteFile(to+"-wal", wal, 0o600)
				names = append(names, to)
			}
		}
	}()
	for i := range 60 {
		e := file(samplePath(i), i, 2, 1)
		observe(t, ix, peer(2), e, file(samplePath(1000+i), 1, 2, 1))
		commit(t, ix, rec(e))
	}
	close(stop)
	names := <-copied
	if len(names) == 0 {
		t.Skip("no copy was made between two checkpoints")
	}
	for _, n := range names {
		again := w.open(t, n)
		rows := ok(again.Since(context.Background(), 0, 1000))(t)
		c := again.Counts()
		told := len(pendingPaths(t, again))
		if int(c.Files) != len(rows) || int(c.PendingPaths) != told || again.Position().Seq != uint64(len(rows)) || told < len(rows) || told > len(rows)+2 {
			t.Errorf("%+v with %d rows and %d pending at %v", c, len(rows), told, again.Position())
		}
	}
	t.Logf("%d copies", len(names))
}

func TestReadsGoOnDuringCommits(t *testing.T) {
	ix, _ := fresh(t)
	ctx := context.Background()
	observe(t, ix, peer(2))
	observe(t, ix, peer(3))
	var all sync.WaitGroup
	for g := range 4 {
		all.Go(func() {
			for i := range 50 {
				p := samplePath(g*50 + i)
				if _, err := ix.Observe(ctx, device(2), tree.Batch{Entries: []tree.Entry{file(p, i, 2, 1)}}); err != nil {
					t.Error(err)
				}
				if _, err := ix.Commit(ctx, Update{Changes: []Change{rec(file(p, i, 2, 1))}}); err != nil {
					t.Error(err)
				}
				got, found, err := ix.Get(ctx, p)
				if err != nil || !found || got.Content != content(i) {
					t.Error(got, found, err)
				}
				_, _, err = ix.Pending(ctx, PendingQuery{Limit: 10})
				_ = ix.Walk(ctx, "", "", func(tree.Record) (bool, error) { _ = ix.Clock(); return true, nil })
				_, err2 := ix.Have(ctx, device(2))
				_, _ = ix.SendFrom(ix.Position())
				_ = ix.Counts()
				if err != nil || err2 != nil {
					t.Error(err, err2)
				}
			}
		})
	}
	all.Wait()
	if c := ix.Counts(); c.Files != 200 || c.PendingPaths != 0 {
		t.Errorf("%+v", c)
	}
}
