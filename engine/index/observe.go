package index

import (
	"context"
	"errors"
	"fmt"
	"time"

	"pinion/engine/tree"
)

// ErrRolledBack is returned when a peer tells of a writing of ours that we
// never did: this index is an older copy. The remedy is Forked.
var ErrRolledBack = errors.New("a peer knows more of our own changes than this index: it is an older copy")

// ErrWide is why an entry is left out whose version, with what is known of its
// path, names so many replicas that another writing of it might have no room.
var ErrWide = errors.New("its version names more replicas than a circle can have")

// spareStamps are left free in the versions that are taken from peers, for the
// writings that follow.
const spareStamps = 128

// Classes of urgency, the upper bits of a remote row's rank.
const (
	urgentClass = iota // what somebody waits for
	smallClass
	goneClass
	middleClass
	bigClass
)

const (
	classShift  = 56
	urgentSize  = 1 << 20          // no bigger file is urgent
	smallSize   = 128 << 10        //
	middleSize  = 8 << 20          //
	recent      = 10 * time.Minute // a file written since is urgent
	fewArrivals = 1000             // what comes while fewer paths are pending is urgent
)

// remoteRow is a row of the remote table.
type remoteRow struct {
	rank   int64
	device int64
	entry  tree.Entry // without its path
}

// Observe records what a peer told of its index, in one transaction with the
// position up to which it told. Both may be lost together in a power cut, and are told
// again then. Kept is only what our own rows do not cover;
// news is how many entries that were. An entry that can't be kept for what it is
// (ErrWide, ErrUnknownReplica) is left out and the rest is taken: whoever tells of
// it may have it from somebody else.
func (ix *Index) Observe(ctx context.Context, from tree.DeviceID, b tree.Batch) (news int, err error) {
	var refused []refusal
	defer func() {
		for _, r := range refused {
			if err == nil && ix.o.Refused != nil {
				ix.o.Refused(from, r.path, r.why)
			}
		}
	}()
	err = ix.writeUnflushed(ctx, "record what a peer told", func(tx *txn) error {
		dev, err := tx.device(from)
		if err != nil {
			return err
		}
		for _, r := range b.Replicas {
			if err := tx.toldReplica(r); err != nil {
				return err
			}
		}
		self, _ := ix.names.replica(tx.head.Self)
		now := ix.o.Now()
		for i := range b.Entries {
			e := &b.Entries[i]
			if e.Version.Counter(self) > tx.head.High {
				return ErrRolledBack
			}
			kept, err := tx.observe(dev, e, now)
			if errors.Is(err, ErrWide) || errors.Is(err, ErrUnknownReplica) {
				if len(refused) < mostRefused {
					refused = append(refused, refusal{e.Path, err})
				}
				continue
			}
			if err != nil {
				return fmt.Errorf("%q: %w", e.Path, err)
			}
			if kept {
				news++
			}
		}
		return tx.setHave(dev, b.Upto)
	})
	if err != nil {
		return 0, err
	}
	return news, nil
}

// mostRefused bounds what Refused is told of one batch.
const mostRefused = 16

type refusal struct {
	path tree.Path
	why  error
}

// room says whether a told entry can be kept beside what is known of its path:
// its replicas are known, and what all of it comes to leaves room for more.
func (tx *txn) room(e *tree.Entry, ours *tree.Entry, others []remoteRow) error {
	for _, s := range e.Version {
		if _, err := tx.ix.names.local(s.Replica); err != nil {
			return err
		}
	}
	if _, err := tx.ix.names.local(e.Author); e.Author != 0 && err != nil {
		return err
	}
	all := e.Version.Join(ours.Version)
	for _, r := range others {
		all = all.Join(r.entry.Version)
	}
	if len(all) > tree.MaxStamps-spareStamps && len(all) > len(ours.Version) {
		return ErrWide
	}
	return nil
}

func (tx *txn) observe(dev int64, e *tree.Entry, now time.Time) (kept bool, err error) {
	if err := checkEntry(e); err != nil {
		return false, err
	}
	key := pathKey(e.Path)
	ours, have, err := tx.ours(key)
	if err != nil {
		return false, err
	}
	if have {
		*e = e.Inherit(ours)
	}
	before, err := tx.remotes(key)
	if err != nil {
		return false, err
	}
	if err := tx.room(e, &ours, before); err != nil {
		return false, err
	}
	after := make([]remoteRow, 0, len(before)+1)
	for _, r := range before {
		if r.device != dev {
			after = append(after, r)
			continue
		}
		if identical(&r.entry, e) {
			return false, nil // told before, and its place in the queue stays
		}
		if err := tx.dropRemote(r.rank); err != nil {
			return false, err
		}
	}
	if !have || !covers(&ours, e) {
		after, kept = append(after, remoteRow{device: dev, entry: *e}), true
	}
	if kept {
		if err := tx.insertRemote(dev, key, e, now); err != nil {
			return false, err
		}
	}
	tx.head.Counts.pending(before, after)
	return kept, nil
}

// identical says whether a stored entry is the told one, the path aside.
func identical(a, b *tree.Entry) bool {
	return a.Version.Compare(b.Version) == tree.Equal && a.Deleted == b.Deleted && a.Kind == b.Kind && a.Content == b.Content &&
		a.Target == b.Target && a.Size == b.Size && a.Base == b.Base && a.Author == b.Author && a.MovedTo == b.MovedTo && a.SameMeta(*b)
}

// ours gives our own row's entry, without its path.
func (tx *txn) ours(key []byte) (e tree.Entry, found bool, err error) {
	err = tx.c.query(func(r *row) error {
		rec, err := tx.ix.record(r, 0)
		e, found = rec.Entry, true
		return err
	}, "SELECT "+columns+" FROM entry WHERE path = ?", key)
	return e, found, err
}

// remotes gives what is pending at a path.
func (tx *txn) remotes(key []byte) (rows []remoteRow, err error) {
	if tx.head.Counts.PendingPaths == 0 {
		return nil, nil
	}
	err = tx.c.query(func(r *row) error {
		e, err := tx.ix.remoteEntry(r, 2)
		rows = append(rows, remoteRow{rank: r.int(0), device: r.int(1), entry: e})
		return err
	}, "SELECT rank, dev, kind, meta FROM remote WHERE path = ? ORDER BY dev", key)
	return rows, err
}

func (tx *txn) dropRemote(rank int64) error {
	_, err := tx.c.exec("DELETE FROM remote WHERE rank = ?", rank)
	return err
}

func (tx *txn) insertRemote(dev int64, key []byte, e *tree.Entry, now time.Time) error {
	f, err := packRemote(tx.ix.buf, e, tx.ix.names.local)
	if err != nil {
		return err
	}
	tx.ix.buf = f
	tx.head.Arrivals++
	_, err = tx.c.exec("INSERT INTO remote VALUES (?, ?, ?, ?, ?)", tx.rank(e, now), key, dev, kindCode(e), f)
	return err
}

// packRemote gives the blob of an entry all of which stands in the blob.
func packRemote(buf []byte, e *tree.Entry, names func(tree.ReplicaID) (uint64, error)) ([]byte, error) {
	f, err := pack(buf, &tree.Record{Entry: *e}, names)
	if err != nil || f.c6 == nil {
		return f.meta, err
	}
	// The content's first 48 bits have no column here: they go to the end.
	return append(f.meta, e.Content[1:7]...), nil
}

// rank is a row's place in the order of urgency: the class, and within it the
// newest first where somebody waits, the oldest first elsewhere.
func (tx *txn) rank(e *tree.Entry, now time.Time) int64 {
	n := int64(tx.head.Arrivals)
	class := classOf(e, now, tx.head.Counts.PendingPaths < fewArrivals)
	if class == urgentClass {
		return 1<<classShift - n
	}
	return int64(class)<<classShift + n
}

func classOf(e *tree.Entry, now time.Time, quiet bool) int {
	age := now.Sub(time.Unix(0, e.MTime))
	young := !e.Deleted && age < recent && age > -recent
	switch {
	case !e.Deleted && e.Kind != tree.File:
		return urgentClass
	case (quiet || young) && (e.Deleted || e.Size <= urgentSize):
		return urgentClass
	case e.Deleted:
		return goneClass
	case e.Size <= smallSize:
		return smallClass
	case e.Size <= middleSize:
		return middleClass
	}
	return bigClass
}

// pending moves the counts from what was pending at a path to what is.
func (c *Counts) pending(before, after []remoteRow) {
	c.pendingAt(before, -1)
	c.pendingAt(after, 1)
}

func (c *Counts) pendingAt(rows []remoteRow, sign int64) {
	if len(rows) == 0 {
		return
	}
	c.PendingPaths += sign
	files, bytes := int64(0), int64(0)
	for _, r := range rows {
		if r.entry.Kind == tree.File && !r.entry.Deleted {
			files, bytes = 1, max(bytes, r.entry.Size)
		}
	}
	c.NeedFiles += sign * files
	c.NeedBytes += sign * bytes
}

// withdraw drops some of what is pending at a path.
func (tx *txn) withdraw(key []byte, which func(*remoteRow) bool) error {
	rows, err := tx.remotes(key)
	if err != nil || len(rows) == 0 {
		return err
	}
	var left []remoteRow
	for _, r := range rows {
		if !which(&r) {
			left = append(left, r)
		} else if err := tx.dropRemote(r.rank); err != nil {
			return err
		}
	}
	tx.head.Counts.pending(rows, left)
	return nil
}
