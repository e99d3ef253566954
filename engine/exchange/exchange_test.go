package exchange_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"testing"
	"testing/synctest"

	"pinion/engine/exchange"
	"pinion/engine/tree"
)

var (
	folder     = tree.FolderID{1}
	errOlder   = errors.New("an older copy")
	pat, quinn = tree.DeviceID{1}, tree.DeviceID{2}
)

// index is an exchange.Index in memory.
type index struct {
	mu       sync.Mutex
	at       tree.Position
	rows     []tree.Record
	have     map[tree.DeviceID]tree.Position
	observed []tree.Batch
	cleared  []tree.DeviceID
	lives    int
	older    bool // the next Observe finds that this index was rolled back
	foreign  bool // SendFrom knows no position but zero
	echoes   map[uint64]tree.DeviceID
	stood    map[tree.Path]tree.Entry
}

func newIndex(replica tree.ReplicaID) *index {
	return &index{at: tree.Position{Replica: replica, Epoch: 1}, have: map[tree.DeviceID]tree.Position{}}
}

// write adds rows.
func (x *index) write(paths ...tree.Path) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, p := range paths {
		x.at.Seq++
		e := tree.Entry{Path: p, Kind: tree.Dir, Author: x.at.Replica, Version: tree.Version{{Replica: x.at.Replica, N: x.at.Seq}}}
		x.rows = append(x.rows, tree.Record{Entry: e, Seq: x.at.Seq})
	}
}

func (x *index) Position() tree.Position {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.at
}

func (x *index) SendFrom(p tree.Position) (uint64, bool) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.foreign || p.Replica != x.at.Replica || p.Epoch != x.at.Epoch || p.Seq > x.at.Seq {
		return 0, false
	}
	return p.Seq, true
}

func (x *index) Forked(context.Context) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.lives++
	x.at.Replica += 100
	x.foreign, x.older = false, false
	return nil
}

func (x *index) Since(_ context.Context, seq uint64, limit int) ([]tree.Record, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	var out []tree.Record
	for _, r := range x.rows {
		if r.Seq > seq && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (x *index) Replica(id tree.ReplicaID) (tree.Replica, bool) {
	return tree.Replica{ID: id, Name: "somebody"}, true
}

func (x *index) ToldUpTo(dev tree.DeviceID, after uint64) uint64 {
	x.mu.Lock()
	defer x.mu.Unlock()
	for {
		if of, ok := x.echoes[after+1]; !ok || of != dev {
			return after
		}
		after++
	}
}

func (x *index) Moved(_ context.Context, _ tree.DeviceID, m tree.Moved) (come, gone tree.Entry, ok bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	come, gone, ok = m.Entries(x.stood[m.From])
	return come, gone, ok, nil
}

func (x *index) Observe(_ context.Context, from tree.DeviceID, b tree.Batch) (int, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.older {
		return 0, fmt.Errorf("observe: %w", errOlder)
	}
	x.observed = append(x.observed, b)
	x.have[from] = b.Upto
	return len(b.Entries), nil
}

func (x *index) Have(_ context.Context, dev tree.DeviceID) (tree.Position, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.have[dev], nil
}

func (x *index) ClearRemote(_ context.Context, dev tree.DeviceID) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.cleared = append(x.cleared, dev)
	return nil
}

// peer is an exchange.Peer that writes down what it is told.
type peer struct {
	dev   tree.DeviceID
	moves bool

	mu      sync.Mutex
	states  []tree.FolderState
	batches []tree.Batch
	block   chan struct{} // not nil: SendBatch waits
}

func (p *peer) Device() tree.DeviceID { return p.dev }

func (p *peer) Moves() bool { return p.moves }

func (p *peer) SendState(s tree.FolderState) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.states = append(p.states, s)
}

func (p *peer) SendBatch(ctx context.Context, _ tree.FolderID, b tree.Batch) error {
	p.mu.Lock()
	block := p.block
	p.mu.Unlock()
	if block != nil {
		select {
		case <-block:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.batches = append(p.batches, b)
	return nil
}

// paths lists what p was told, in order.
func (p *peer) paths() (out []tree.Path) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, b := range p.batches {
		for _, e := range b.Entries {
			out = append(out, e.Path)
		}
	}
	return out
}

func (p *peer) said() []tree.FolderState {
	p.mu.Lock()
	defer p.mu.Unlock()
	return append([]tree.FolderState(nil), p.states...)
}

func (p *peer) last() tree.FolderState {
	s := p.said()
	return s[len(s)-1]
}

func newExchange(x *index, change ...func(*exchange.Options)) *exchange.Exchange {
	o := exchange.Options{
		Folder: folder, Index: x, Rand: rand.Reader, RolledBack: errOlder, News: func() {}, Log: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&o)
	}
	return exchange.New(o)
}

func want(t *testing.T, p *peer, paths ...tree.Path) {
	t.Helper()
	synctest.Wait()
	if got := p.paths(); fmt.Sprint(got) != fmt.Sprint(paths) {
		t.Errorf("it was told %v, not %v", got, paths)
	}
}

func up(t *testing.T, e *exchange.Exchange, p *peer) {
	t.Helper()
	if err := e.Up(t.Context(), p); err != nil {
		t.Fatal(err)
	}
}

func TestPeerIsToldEachRowOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a", "b")
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		want(t, p) // nothing before it has said where it stands
		e.Heard(pat, tree.FolderState{Folder: folder, Life: 1})
		want(t, p, "a", "b")
		x.write("c")
		e.Moved()
		want(t, p, "a", "b", "c")
		e.Moved()
		want(t, p, "a", "b", "c")
		if b := p.batches[1]; b.After != 2 || b.Upto != x.at {
			t.Errorf("the second batch goes from %d to %+v", b.After, b.Upto)
		}
		if n := len(p.batches[0].Replicas) + len(p.batches[1].Replicas); n != 1 {
			t.Errorf("a replica was named %d times in one session", n)
		}
	})
}

func TestPeerThatKnowsSomeIsToldTheRest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a", "b", "c")
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{Have: tree.Position{Replica: 7, Epoch: 1, Seq: 2}})
		want(t, p, "c")
	})
}

// What a device has told itself is not told back to it, but for what was written
// before the telling began.
func TestPeerIsNotToldItsOwnWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.echoes = map[uint64]tree.DeviceID{2: pat, 3: pat, 4: pat, 5: quinn}
		x.write("a", "b")
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{Folder: folder, Life: 1})
		want(t, p, "a", "b")
		x.write("c", "d", "e")
		e.Moved()
		want(t, p, "a", "b", "e")
		if b := p.batches[len(p.batches)-1]; b.After != 2 || b.Upto != x.at {
			t.Errorf("it goes from %d to %+v", b.After, b.Upto)
		}
		x.echoes[6] = pat
		x.write("f")
		e.Moved()
		want(t, p, "a", "b", "e")
		if b := p.batches[len(p.batches)-1]; b.After != 5 || b.Upto != x.at || len(b.Entries) != 0 {
			t.Errorf("how far it is: from %d to %+v", b.After, b.Upto)
		}
		e.Heard(pat, tree.FolderState{Folder: folder, Life: 2}) // it has begun anew
		want(t, p, "a", "b", "e", "a", "b", "c", "d", "e", "f")
	})
}

// moved writes the rows of files that went elsewhere.
func (x *index) moved(n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for i := range n {
		v := tree.Version{{Replica: x.at.Replica, N: x.at.Seq + 1}}
		come := tree.Entry{Path: tree.Path(fmt.Sprintf("new/%02d", i)), Kind: tree.File, Size: 5, Content: tree.ContentID{1, byte(i)}, Version: v, Author: x.at.Replica}
		gone := come
		gone.Path, gone.Deleted, gone.MovedTo = tree.Path(fmt.Sprintf("old/%02d", i)), true, come.Path
		x.rows = append(x.rows, tree.Record{Entry: come, Seq: x.at.Seq + 1}, tree.Record{Entry: gone, Seq: x.at.Seq + 2})
		x.at.Seq += 2
	}
}

// Moved files are told by what a peer has, once it has said that it needs nothing.
func TestMovedFilesAreToldShort(t *testing.T) {
	for _, c := range []struct {
		name  string
		moves bool
		need  int64
		files int
		short bool
	}{
		{"to a peer that has all", true, 0, 20, true},
		{"to one that does not understand", false, 0, 20, false},
		{"to one that needs files", true, 1, 20, false},
		{"when there are few", true, 0, 3, false},
	} {
		synctest.Test(t, func(t *testing.T) {
			x := newIndex(7)
			e := newExchange(x, func(o *exchange.Options) { o.Short = 8 })
			defer e.Close()
			p := &peer{dev: pat, moves: c.moves}
			up(t, e, p)
			e.Heard(pat, tree.FolderState{Folder: folder, Life: 1, Have: x.Position(), NeedFiles: c.need})
			synctest.Wait()
			x.moved(c.files)
			e.Moved()
			synctest.Wait()
			last := p.batches[len(p.batches)-1]
			if got := len(last.Moved) == c.files && len(last.Entries) == 0; got != c.short || !c.short && len(last.Entries) != 2*c.files {
				t.Errorf("%s: %d moved, %d at length", c.name, len(last.Moved), len(last.Entries))
			}
		})
	}
}

// Who can't follow a short word records nothing of it, begins a new life, and is told
// at length by a peer that hears of that; what comes before is left aside.
func TestShortWordThatCannotBeFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		life := p.last().Life
		at := tree.Position{Replica: 9, Epoch: 1}
		batch := func(after, upto uint64, b tree.Batch) {
			t.Helper()
			b.After, b.Upto = after, at
			b.Upto.Seq = upto
			if err := e.Batch(t.Context(), pat, b); err != nil {
				t.Fatal(err)
			}
		}
		stood := tree.Entry{Path: "old", Kind: tree.File, Size: 3, Content: tree.ContentID{1, 5}}
		v := tree.Version{{Replica: 9, N: 1}}
		m := tree.Moved{From: "old", To: "new", Come: v, Gone: v, ComeBy: 9, GoneBy: 9, Sum: tree.MovedSum(stood)}
		batch(0, 2, tree.Batch{})
		batch(2, 4, tree.Batch{Moved: []tree.Moved{m}})
		if p.last().Life == life || p.last().Have.Seq != 2 || len(x.observed) != 1 {
			t.Fatalf("it says %+v", p.last())
		}
		batch(4, 6, tree.Batch{})
		if len(x.observed) != 1 {
			t.Error("what goes on after it is recorded")
		}
		x.stood = map[tree.Path]tree.Entry{"old": stood}
		batch(2, 6, tree.Batch{Moved: []tree.Moved{m}})
		batch(6, 7, tree.Batch{})
		if len(x.observed) != 3 || len(x.observed[1].Entries) != 2 || x.observed[1].Entries[1].MovedTo != "new" {
			t.Errorf("%+v", x.observed)
		}
	})
}

func TestManyRowsGoInBoundedBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		for i := range exchange.BatchRows*2 + 1 {
			x.write(tree.Path(fmt.Sprint(i)))
		}
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{})
		synctest.Wait()
		if len(p.batches) != 3 || len(p.batches[2].Entries) != 1 || p.batches[2].After != uint64(exchange.BatchRows*2) {
			t.Errorf("%d batches", len(p.batches))
		}
	})
}

func TestASlowPeerHoldsUpNobody(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a")
		e := newExchange(x)
		slow, quick := &peer{dev: pat, block: make(chan struct{})}, &peer{dev: quinn}
		up(t, e, slow)
		up(t, e, quick)
		e.Heard(pat, tree.FolderState{})
		e.Heard(quinn, tree.FolderState{})
		want(t, quick, "a")
		want(t, slow)
		e.Down(pat)
		e.Close() // returns although the slow one never took it
	})
}

func TestWithheldRowsCountAsTold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a", "secret", "b", "secret too")
		e := newExchange(x, func(o *exchange.Options) {
			o.Withhold = func(r tree.Record) bool { return len(r.Path) > 1 }
		})
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{})
		want(t, p, "a", "b")
		if upto := p.batches[len(p.batches)-1].Upto; upto != x.at {
			t.Errorf("told up to %+v, not %+v", upto, x.at)
		}
	})
}

// A folder that is closed and opened again in the middle of a session has lost
// what was under way.
func TestNewLifeOfAPeerIsToldFromWhereItStands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a", "b")
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{Life: 1})
		want(t, p, "a", "b")
		said := len(p.said())
		e.Heard(pat, tree.FolderState{Life: 2, Have: tree.Position{Replica: 7, Epoch: 1, Seq: 1}})
		want(t, p, "a", "b", "b")
		if last := p.batches[len(p.batches)-1]; len(last.Replicas) != 1 {
			t.Errorf("a new life is told rows without being told whose they are: %+v", last.Replicas)
		}
		if len(p.said()) == said {
			t.Error("a new life has not heard our state")
		}
		said = len(p.said())
		e.Heard(pat, tree.FolderState{Life: 2, Have: x.at})
		want(t, p, "a", "b", "b")
		if len(p.said()) != said {
			t.Error("the same life was answered twice")
		}
	})
}

func TestEachBeginningIsALifeOfItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		first := p.last().Life
		e.Say(tree.FolderState{Files: 3})
		if p.last().Life != first || p.last().Files != 3 {
			t.Errorf("the same life says %+v", p.last())
		}
		up(t, e, p)
		if p.last().Life == first {
			t.Error("another beginning has the same number")
		}
	})
}

func TestWordsBeforeUpAreNotLost(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a")
		e := newExchange(x)
		defer e.Close()
		e.Heard(pat, tree.FolderState{Life: 1})
		p := &peer{dev: pat}
		up(t, e, p)
		want(t, p, "a")
		e.Down(pat)
		e.Heard(pat, tree.FolderState{Life: 1})
		e.Down(pat)
		q := &peer{dev: pat}
		up(t, e, q)
		want(t, q) // what was said in an earlier session is forgotten
	})
}

func TestSayTellsOnlyNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Say(tree.FolderState{Files: 1})
		said := len(p.said())
		e.Say(tree.FolderState{Files: 1})
		e.Acknowledge()
		if len(p.said()) != said {
			t.Error("the same was said twice")
		}
	})
}

func TestBatchesAreRecordedAndAcknowledged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		news := 0
		var announced []tree.Entry
		e := newExchange(x, func(o *exchange.Options) {
			o.News = func() { news++ }
			o.Announced = func(_ tree.DeviceID, list []tree.Entry) { announced = append(announced, list...) }
		})
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{At: tree.Position{Replica: 3, Epoch: 1, Seq: 2}})
		if s := e.Peers()[0]; s.Recorded || !s.Known {
			t.Errorf("before the rows came: %+v", s)
		}
		upto := tree.Position{Replica: 3, Epoch: 1, Seq: 2}
		if err := e.Batch(t.Context(), pat, tree.Batch{Entries: []tree.Entry{{Path: "x"}}, Upto: upto}); err != nil {
			t.Fatal(err)
		}
		e.Acknowledge()
		if p.last().Have != upto || len(x.observed) != 1 || news == 0 || len(announced) != 1 {
			t.Errorf("acknowledged %+v, %d batches, %d news, %d announced", p.last().Have, len(x.observed), news, len(announced))
		}
		if s := e.Peers()[0]; !s.Recorded || !s.Told {
			t.Errorf("after the rows came: %+v", s)
		}
	})
}

func TestMissedBatchIsAskedForAgain(t *testing.T) {
	for name, gap := range map[string]tree.Batch{
		"a gap":        {After: 5, Upto: tree.Position{Replica: 3, Epoch: 1, Seq: 6}},
		"another life": {After: 2, Upto: tree.Position{Replica: 9, Epoch: 1, Seq: 6}},
	} {
		synctest.Test(t, func(t *testing.T) {
			x := newIndex(7)
			have := tree.Position{Replica: 3, Epoch: 1, Seq: 4}
			x.have[pat] = have
			e := newExchange(x)
			defer e.Close()
			p := &peer{dev: pat}
			up(t, e, p)
			life := p.last().Life
			for range 3 { // one question is enough
				if err := e.Batch(t.Context(), pat, gap); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			if s := p.last(); s.Life == life || s.Have != have || len(p.states) != 2 {
				t.Errorf("%s: not asked for once: %+v after %d states", name, s, len(p.states))
			}
			if len(x.observed)+len(x.cleared) != 0 {
				t.Errorf("%s: a batch after a gap was recorded", name)
			}
			if err := e.Batch(t.Context(), pat, tree.Batch{After: 3, Upto: tree.Position{Replica: 3, Epoch: 1, Seq: 6}}); err != nil || len(x.observed) != 1 {
				t.Errorf("%s: what overlaps was refused: %v", name, err)
			}
		})
	}
}

func TestAnotherIndexOfAPeerTakesThePlaceOfTheFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.have[pat] = tree.Position{Replica: 3, Epoch: 1, Seq: 4}
		e := newExchange(x)
		defer e.Close()
		up(t, e, &peer{dev: pat})
		if err := e.Batch(t.Context(), pat, tree.Batch{Upto: tree.Position{Replica: 9, Epoch: 1, Seq: 1}}); err != nil {
			t.Fatal(err)
		}
		if len(x.cleared) != 1 || x.cleared[0] != pat {
			t.Errorf("what the first had told was dropped %d times", len(x.cleared))
		}
	})
}

func TestRolledBackIndexBeginsAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a")
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{Have: x.at})
		want(t, p)
		x.mu.Lock()
		x.older = true
		x.mu.Unlock()
		if err := e.Batch(t.Context(), pat, tree.Batch{Upto: tree.Position{Replica: 3, Seq: 1}}); err != nil {
			t.Fatal(err)
		}
		want(t, p, "a") // under its new name
		if x.lives != 1 || len(x.observed) != 1 {
			t.Errorf("%d new lives, %d batches recorded", x.lives, len(x.observed))
		}
	})
}

// Else a device gone bad could have everything told again without end, and a
// replica more remembered each time.
func TestThatAnIndexIsRolledBackIsBelievedSomeTimesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a")
		e := newExchange(x)
		defer e.Close()
		up(t, e, &peer{dev: pat})
		var err error
		n := 0
		for ; err == nil && n < 100; n++ {
			x.mu.Lock()
			x.older = true
			x.mu.Unlock()
			err = e.Batch(t.Context(), pat, tree.Batch{Upto: tree.Position{Replica: 3, Seq: 1}})
		}
		if !errors.Is(err, exchange.ErrForks) || x.lives > 5 {
			t.Errorf("%d lives, %v", x.lives, err)
		}
	})
}

// Versions of many replicas make long rows.
func TestLongVersionsGoInSmallerBatches(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		v := make(tree.Version, tree.MaxStamps)
		for i := range v {
			v[i] = tree.Stamp{Replica: tree.ReplicaID(i + 1), N: 1 << 63}
		}
		for i := range 400 {
			x.write(tree.Path(fmt.Sprintf("%03d", i)))
			x.rows[len(x.rows)-1].Version = v
		}
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{})
		synctest.Wait()
		if len(p.paths()) != 400 || len(p.batches) < 3 {
			t.Errorf("%d rows in %d batches", len(p.paths()), len(p.batches))
		}
	})
}

func TestPeerWithAForeignHistoryOfOursMakesUsBeginAnew(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		x := newIndex(7)
		x.write("a")
		e := newExchange(x)
		defer e.Close()
		p := &peer{dev: pat}
		up(t, e, p)
		e.Heard(pat, tree.FolderState{Have: tree.Position{Replica: 7, Epoch: 99, Seq: 5}})
		want(t, p, "a")
		if x.lives != 1 {
			t.Errorf("%d new lives", x.lives)
		}
	})
}

func TestBatchOfNobodyIsDropped(t *testing.T) {
	x := newIndex(7)
	e := newExchange(x)
	if err := e.Batch(t.Context(), pat, tree.Batch{}); err != nil || len(x.observed) != 0 {
		t.Errorf("%v, %d recorded", err, len(x.observed))
	}
}
