package index

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"pinion/engine/tree"
)

// clockSkip is by how many seconds the clock is put forward at opening when the
// system's clock is behind what the index has seen: the index may be an older
// copy, and the time since may have been lived through already.
const clockSkip = 3600

// maxEpochs is how many openings are remembered; a peer that was away for more
// is sent everything.
const maxEpochs = 1000

// history is the epochs of our present replica, oldest first. Never modified in
// place.
type history []epoch

type epoch struct {
	id    uint64
	first uint64 // the first Seq that was written in it
}

// known says whether a peer that was told up to seq in an epoch was told what
// this file holds.
func (h history) known(id, seq, newest uint64) bool {
	for i, e := range h {
		if e.id != id {
			continue
		}
		if i+1 < len(h) {
			newest = h[i+1].first - 1
		}
		return seq >= e.first-1 && seq <= newest
	}
	return false
}

func (ix *Index) random() (uint64, error) {
	for {
		var b [8]byte
		if _, err := io.ReadFull(ix.o.Rand, b[:]); err != nil {
			return 0, fmt.Errorf("draw a random number: %w", err)
		}
		if n := binary.LittleEndian.Uint64(b[:]); n != 0 {
			return n, nil
		}
	}
}

func (ix *Index) loadHistory() error {
	self, _ := ix.names.replica(ix.head.Self)
	return ix.w.query(func(r *row) error {
		e := epoch{id: uint64(r.int(0)), first: uint64(r.int(1))}
		if e.first == 0 || e.first > ix.head.Seq+1 || len(ix.hist) > 0 && e.first < ix.hist[len(ix.hist)-1].first {
			return fmt.Errorf("%w: the list of epochs", ErrDamaged)
		}
		ix.hist = append(ix.hist, e)
		return nil
	}, "SELECT epoch, first FROM epoch WHERE replica = ? ORDER BY id", uint64(self))
}

// begin writes this opening's epoch, once, before its first row.
func (tx *txn) begin() error {
	if tx.begun {
		return nil
	}
	tx.begun = true
	e := epoch{id: tx.ix.epoch, first: tx.head.Seq + 1}
	tx.hist = append(slices.Clone(tx.hist[max(0, len(tx.hist)-maxEpochs+1):]), e)
	self, _ := tx.ix.names.replica(tx.head.Self)
	if _, err := tx.c.exec("INSERT INTO epoch (replica, epoch, first) VALUES (?, ?, ?)", uint64(self), e.id, e.first); err != nil {
		return err
	}
	_, err := tx.c.exec("DELETE FROM epoch WHERE id <= (SELECT max(id) FROM epoch) - ?", maxEpochs)
	return err
}

// Position is our own newest. Only Commit and NewIncarnation move it.
func (ix *Index) Position() tree.Position {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	self, _ := ix.names.replica(ix.head.Self)
	p := tree.Position{Replica: self, Seq: ix.head.Seq}
	if n := len(ix.hist); n > 0 {
		p.Epoch = ix.hist[n-1].id
	}
	return p
}

// SendFrom gives the Seq after which a peer that remembers p is to be told. Not
// known: p is not in this file's history (another replica, or the file is an
// older copy), and everything is to be sent. If p then names our own replica,
// the peer has seen a future of ours that is lost: see Forked.
func (ix *Index) SendFrom(p tree.Position) (seq uint64, known bool) {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	if self, _ := ix.names.replica(ix.head.Self); p.Replica != self || !ix.hist.known(p.Epoch, p.Seq, ix.head.Seq) {
		return 0, false
	}
	ix.met.Store(true)
	return p.Seq, true
}

// Self is our own replica.
func (ix *Index) Self() tree.Replica {
	ix.mu.Lock()
	local := ix.head.Self
	ix.mu.Unlock()
	id, _ := ix.names.replica(local)
	r, _ := ix.Replica(id)
	return r
}

// NewIncarnation draws a new replica for what this index writes from now on.
// What it wrote before stays and counts as another's. Peers are sent everything
// again.
func (ix *Index) NewIncarnation(ctx context.Context) error {
	return ix.write(ctx, "draw a new replica", (*txn).newIncarnation)
}

func (tx *txn) newIncarnation() error {
	ix := tx.ix
	id, err := ix.random()
	if err != nil {
		return err
	}
	if ix.epoch, err = ix.random(); err != nil {
		return err
	}
	if _, err := ix.names.local(tree.ReplicaID(id)); err == nil {
		return fmt.Errorf("the random source repeats itself")
	}
	tx.head.Self, err = tx.addReplica(tree.Replica{ID: tree.ReplicaID(id), Device: ix.o.Device, Name: ix.o.DeviceName})
	if err != nil {
		return err
	}
	tx.head.High, tx.hist, tx.begun = 0, nil, false
	return tx.begin()
}

// Forked is called when a peer remembers more of our history than this file
// does: the file is an older copy. It draws a new replica, and what was written
// here since a peer last knew our history is stamped with that one instead, on top
// of what the copy knew: it then stands beside what was lost of our writings,
// and does not overrule it.
func (ix *Index) Forked(ctx context.Context) error {
	return ix.write(ctx, "stamp anew what an older copy of the index wrote", func(tx *txn) error {
		first, last, high := tx.head.Fork, tx.head.Seq, tx.head.ForkHigh
		old, _ := ix.names.replica(tx.head.Self)
		if err := tx.newIncarnation(); err != nil {
			return err
		}
		tx.head.Fork, tx.head.ForkHigh = 0, 0
		if first == 0 {
			return nil
		}
		self, _ := ix.names.replica(tx.head.Self)
		for after := first - 1; after < last; {
			rows, err := tx.written(after, last)
			if err != nil || len(rows) == 0 {
				return err
			}
			for i := range rows {
				after = rows[i].Seq
				if err := tx.restamp(&rows[i], old, self, high); err != nil {
					return err
				}
			}
		}
		return nil
	})
}

// keepMet writes down that a peer has known our history, which else waits for
// the next commit.
func (ix *Index) keepMet(ctx context.Context) error {
	ix.mu.Lock()
	due := ix.met.Load() && ix.head.Fork != 0
	ix.mu.Unlock()
	if !due {
		return nil
	}
	return ix.write(ctx, "note that a peer knows our history", func(tx *txn) error { return nil })
}

// restamp gives a row's writing by old, beyond high, to self.
func (tx *txn) restamp(rec *tree.Record, old, self tree.ReplicaID, high uint64) error {
	n := rec.Version.Counter(old)
	if n <= high {
		return nil
	}
	key := pathKey(rec.Path)
	if _, err := tx.drop(key, rec.Seq); err != nil {
		return err
	}
	version := make(tree.Version, 0, len(rec.Version)+1)
	for _, s := range rec.Version {
		if s.Replica == old {
			s.N = high
		}
		if s.N > 0 {
			version = append(version, s)
		}
	}
	rec.Version = version.Bump(self, n)
	if rec.Author == old {
		rec.Author = self
	}
	_, err := tx.insert(key, rec)
	return err
}

// written gives a page of the rows of a stretch of our history.
func (tx *txn) written(after, upto uint64) (rows []tree.Record, err error) {
	err = tx.c.query(func(r *row) error {
		rec, err := tx.ix.record(r, 0)
		rows = append(rows, rec)
		return err
	}, "SELECT "+columns+" FROM entry WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", after, upto, batch)
	return rows, err
}

func (ix *Index) now() uint64 { return uint64(max(1, ix.o.Now().Unix())) }

// Clock is the counter clock: seconds since 1970, never going back, not even
// when the system's clock does or the index is reopened.
func (ix *Index) Clock() uint64 {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.last = max(ix.last, ix.now())
	return ix.last
}

// Tick is Clock, but never the same value twice: for a batch of writings.
func (ix *Index) Tick() uint64 {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.last = max(ix.last+1, ix.now())
	return ix.last
}
