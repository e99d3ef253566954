package index

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"pinion/engine/tree"
)

// Counts says how much there is. All of it is kept up with every commit.
type Counts struct {
	Files, Dirs, Bytes int64 // that stand here
	Tombstones         int64
	Conflicts          int64 // conflict copies that stand here
	PendingPaths       int64 // paths of which a peer has told what we do not cover
	NeedFiles          int64 // those of them at which some peer has a file
	NeedBytes          int64 // of the biggest such file at each
}

// head is what may change with every commit.
type head struct {
	Seq      uint64 // of the newest row
	Self     uint64 // small id of our replica
	Clock    uint64 // no counter of ours was ever higher
	High     uint64 // no counter of our present replica was ever higher
	Arrivals uint64 // how many remote rows ever came
	Fork     uint64 // the first Seq written since a peer last knew our history; 0: one does
	ForkHigh uint64 // High at that moment
	Digest   uint64 // of what stands here
	Missing  int64
	Counts   Counts
}

// headForm is the first number of the stored head. Form 1 has no fork and no
// digest.
const headForm = 2

func (h *head) numbers() []*int64 {
	c := &h.Counts
	return []*int64{&h.Missing, &c.Files, &c.Dirs, &c.Bytes, &c.Tombstones, &c.Conflicts, &c.PendingPaths, &c.NeedFiles, &c.NeedBytes}
}

func (h *head) pack() []byte {
	b := []byte{headForm}
	for _, n := range []uint64{h.Seq, h.Self, h.Clock, h.High, h.Arrivals, h.Fork, h.ForkHigh, h.Digest} {
		b = binary.AppendUvarint(b, n)
	}
	for _, n := range h.numbers() {
		b = binary.AppendVarint(b, *n)
	}
	return b
}

func unpackHead(b []byte) (h head, form uint64, err error) {
	r := &reader{b: b}
	if form = r.uint(); form < 1 || form > headForm {
		r.fail(errors.New("the head's form"))
	}
	for _, p := range []*uint64{&h.Seq, &h.Self, &h.Clock, &h.High, &h.Arrivals} {
		*p = r.uint()
	}
	if form > 1 {
		h.Fork, h.ForkHigh, h.Digest = r.uint(), r.uint(), r.uint()
	}
	for _, p := range h.numbers() {
		*p = r.int()
	}
	if r.err == nil && len(r.b) != 0 {
		r.fail(errors.New("the head goes on after its end"))
	}
	if r.err != nil {
		return head{}, 0, fmt.Errorf("%w: %w", ErrDamaged, r.err)
	}
	return h, form, nil
}

// txn is a write transaction.
type txn struct {
	ix    *Index
	c     *conn
	head  head
	hist  history
	begun bool
	have  map[int64]tree.Position // devices' positions that change

	echoes []echo // rows that are exactly what a device told
}

// write runs fn in a transaction. When it returns nil, the transaction is on
// the disk, with all before it; else nothing has happened.
func (ix *Index) write(ctx context.Context, verb string, fn func(*txn) error) error {
	return ix.outside(ctx, verb, func(*conn) error {
		if err := ix.flushing(true); err != nil {
			return err
		}
		return ix.transact(fn)
	})
}

// writeUnflushed is write for what can be had again: a power cut may take it back,
// the last such transactions together, unless a write came after it.
func (ix *Index) writeUnflushed(ctx context.Context, verb string, fn func(*txn) error) error {
	return ix.outside(ctx, verb, func(*conn) error {
		if err := ix.flushing(false); err != nil {
			return err
		}
		return ix.transact(fn)
	})
}

// flushing says whether the next transaction is flushed. Those before it are, with
// it: they stand in the same file in their order.
func (ix *Index) flushing(on bool) error {
	if ix.unflushed == !on {
		return nil
	}
	mode := "PRAGMA synchronous = NORMAL"
	if on {
		mode = "PRAGMA synchronous = FULL"
	}
	if err := ix.w.script(mode); err != nil {
		return err
	}
	ix.unflushed = !on
	return nil
}

// outside lends the writer's connection to fn, without a transaction.
func (ix *Index) outside(ctx context.Context, verb string, fn func(*conn) error) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	select {
	case <-ctx.Done():
		return fmt.Errorf("%s: %w", verb, ctx.Err())
	case <-ix.done:
		return fmt.Errorf("%s: %w", verb, ErrClosed)
	case <-ix.writing:
	}
	defer func() { ix.writing <- struct{}{} }()
	if err := fn(ix.w); err != nil {
		return fmt.Errorf("%s: %w", verb, err)
	}
	return nil
}

func (ix *Index) transact(fn func(*txn) error) error {
	if _, err := ix.w.exec("BEGIN IMMEDIATE"); err != nil {
		return err
	}
	tx := &txn{ix: ix, c: ix.w, head: ix.head, hist: ix.hist, begun: ix.begun, have: map[int64]tree.Position{}}
	if ix.met.Load() {
		tx.head.Fork, tx.head.ForkHigh = 0, 0
	}
	replicas, devices := len(ix.names.replicas), len(ix.names.devices)
	err := fn(tx)
	if err == nil && tx.head != ix.head {
		err = tx.set("head", tx.head.pack())
	}
	if err == nil {
		_, err = ix.w.exec("COMMIT")
	}
	if err != nil {
		_, _ = ix.w.exec("ROLLBACK") // fails where SQLite has rolled back already
		ix.names.cut(replicas, devices)
		return err
	}
	ix.begun = tx.begun
	ix.names.mu.Lock()
	for dev, pos := range tx.have {
		ix.names.have[dev-1] = pos
	}
	ix.names.mu.Unlock()
	ix.mu.Lock()
	defer ix.mu.Unlock()
	ix.head, ix.hist = tx.head, tx.hist
	ix.echoes.add(tx.echoes)
	ix.last = max(ix.last, tx.head.Clock)
	return nil
}

func (tx *txn) set(key string, value []byte) error {
	_, err := tx.c.exec("INSERT INTO meta VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)
	return err
}

// load reads what is kept in memory, and makes our replica if there is none.
func (ix *Index) load(ctx context.Context) error {
	var err error
	if ix.epoch, err = ix.random(); err != nil {
		return err
	}
	if err := ix.names.load(ix.w); err != nil {
		return err
	}
	form := uint64(0)
	err = ix.w.query(func(r *row) error {
		ix.head, form, err = unpackHead(r.blob(0))
		return err
	}, "SELECT value FROM meta WHERE key = 'head'")
	if err != nil {
		return err
	}
	found := form > 0
	if form == 1 {
		if ix.head.Digest, err = ix.digest(); err != nil {
			return err
		}
	}
	if ix.head.Fork == 0 {
		ix.head.Fork, ix.head.ForkHigh = ix.head.Seq+1, ix.head.High
	}
	if _, ok := ix.names.replica(ix.head.Self); found && !ok {
		return fmt.Errorf("%w: our own replica is not in it", ErrDamaged)
	}
	if err := ix.loadHistory(); err != nil {
		return err
	}
	ix.last = ix.head.Clock
	if now := ix.now(); found && now < ix.last {
		ix.last += clockSkip
	}
	// A disk that was cloned for another device must not write on as this one.
	if !found || ix.Self().Device != ix.o.Device {
		return ix.NewIncarnation(ctx)
	}
	return nil
}

// Counts says how much there is.
func (ix *Index) Counts() Counts {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.head.Counts
}

// MaxMeta is how long a value for SetMeta may be, in bytes.
const MaxMeta = 1 << 20

// Meta gives what SetMeta stored under key.
func (ix *Index) Meta(ctx context.Context, key string) (value []byte, found bool, err error) {
	err = ix.read(ctx, "read a setting", func(c *conn) error {
		return c.query(func(r *row) error {
			value, found = r.blob(0), true
			return nil
		}, "SELECT value FROM meta WHERE key = ?", "user/"+key)
	})
	return value, found, err
}

// SetMeta stores a value under a key; nil removes it.
func (ix *Index) SetMeta(ctx context.Context, key string, value []byte) error {
	if len(value) > MaxMeta {
		return fmt.Errorf("store a setting: %d bytes are too many", len(value))
	}
	return ix.write(ctx, "store a setting", func(tx *txn) error {
		if value == nil {
			_, err := tx.c.exec("DELETE FROM meta WHERE key = ?", "user/"+key)
			return err
		}
		return tx.set("user/"+key, slices.Clone(value))
	})
}
