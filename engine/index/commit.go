package index

import (
	"context"
	"fmt"

	"pinion/engine/tree"
)

// Change is what Commit does to one path.
type Change struct {
	Record   tree.Record   // its Seq is assigned by Commit
	If       uint64        // the Seq that the row must have now; 0: there must be none
	Manifest tree.Manifest // of Record.Content; kept if it has more than one chunk
	Forget   bool          // drop the row without a trace; of Record only Path counts
	Quiet    bool          // only Record.Disk is news: the row keeps its Seq, and peers are not told
}

// Update is what one Commit does.
type Update struct {
	Changes  []Change
	Archived []Archived
	Activity []Activity
}

// Commit carries out an update in one transaction that is on the disk when it
// returns. A change whose If no longer holds is left out and its path reported;
// the others get ascending Seqs in the order given, which are written into
// u.Changes. Of each path, what the new version covers ceases to be pending, and
// it is no longer held as missing.
func (ix *Index) Commit(ctx context.Context, u Update) (refused []tree.Path, err error) {
	seqs := make([]uint64, len(u.Changes))
	err = ix.write(ctx, "commit to the index", func(tx *txn) error {
		for i := range u.Changes {
			seq, ok, err := tx.change(&u.Changes[i])
			if err != nil {
				return fmt.Errorf("%q: %w", u.Changes[i].Record.Path, err)
			}
			if seqs[i] = seq; !ok {
				refused = append(refused, u.Changes[i].Record.Path)
			}
		}
		if err := tx.archive(u.Archived); err != nil {
			return err
		}
		return tx.activity(u.Activity)
	})
	if err != nil {
		return nil, err
	}
	for i, seq := range seqs {
		if seq != 0 {
			u.Changes[i].Record.Seq = seq
		}
	}
	return refused, nil
}

// change carries out one change. Not ok: the row has moved on.
func (tx *txn) change(c *Change) (seq uint64, ok bool, err error) {
	rec := &c.Record
	if err := checkRecord(c); err != nil {
		return 0, false, err
	}
	key := pathKey(rec.Path)
	if c.Quiet {
		ok, err = tx.refresh(key, c.If, rec)
		return 0, ok, err
	}
	if c.If != 0 {
		if !c.Forget {
			if err := tx.descend(key, c.If, &rec.Entry); err != nil {
				return 0, false, err
			}
		}
		if ok, err := tx.drop(key, c.If); !ok || err != nil {
			return 0, false, err
		}
	}
	if c.Forget {
		return 0, c.If != 0, nil
	}
	if err := tx.begin(); err != nil {
		return 0, false, err
	}
	if ok, err := tx.insert(key, rec); !ok || err != nil {
		return 0, false, err
	}
	if len(c.Manifest) > 1 {
		if err := tx.keepManifest(rec.Content, c.Manifest); err != nil {
			return 0, false, err
		}
	}
	if tx.head.Counts.PendingPaths > 0 {
		if err := tx.settle(key, &rec.Entry); err != nil {
			return 0, false, err
		}
	}
	if tx.head.Missing > 0 {
		if err := tx.found(key); err != nil {
			return 0, false, err
		}
	}
	return tx.head.Seq, true, nil
}

func checkRecord(c *Change) error {
	r := &c.Record
	switch {
	case r.Path == "":
		return fmt.Errorf("the folder itself has no row")
	case c.Forget:
		return nil
	}
	return checkEntry(&r.Entry)
}

// checkEntry refuses what could not be stored or read back.
func checkEntry(e *tree.Entry) error {
	switch {
	case e.Path == "" || len(e.Path) > tree.MaxPath || e.Path[0] == '/' || e.Path[len(e.Path)-1] == '/':
		return fmt.Errorf("its path is none")
	case e.Kind < tree.File || e.Kind > tree.Symlink:
		return fmt.Errorf("its kind %d is none", e.Kind)
	case len(e.Version) == 0 || !e.Version.Valid():
		return fmt.Errorf("its version is none")
	case len(e.Attrs) > tree.MaxAttrBytes:
		return fmt.Errorf("its attributes are out of bounds")
	case e.Size < 0 || len(e.Target) > tree.MaxTarget || len(e.MovedTo) > tree.MaxPath:
		return fmt.Errorf("its size, target or destination is out of bounds")
	case e.Conflict != nil && (e.Conflict.Of == "" || len(e.Conflict.Of) > tree.MaxPath):
		return fmt.Errorf("it is a conflict copy of nothing")
	}
	return nil
}

// drop removes the row of a path if it is the one with the given Seq.
func (tx *txn) drop(key []byte, seq uint64) (ok bool, err error) {
	var rec tree.Record
	err = tx.c.query(func(r *row) (err error) {
		if ok = string(r.blob(0)) == string(key); ok {
			rec, err = tx.ix.record(r, 0)
		}
		return err
	}, "SELECT "+columns+" FROM entry WHERE seq = ?", seq)
	if err != nil || !ok {
		return false, err
	}
	tx.head.Counts.entry(kindCode(&rec.Entry), rec.Size, -1)
	tx.head.Digest ^= standing(key, &rec.Entry)
	_, err = tx.c.exec("DELETE FROM entry WHERE seq = ?", seq)
	return true, err
}

// refresh writes a row's Disk where it stands.
func (tx *txn) refresh(key []byte, seq uint64, rec *tree.Record) (ok bool, err error) {
	f, err := pack(tx.ix.buf, rec, tx.ix.names.local)
	if err != nil {
		return false, err
	}
	tx.ix.buf = f.meta
	n, err := tx.c.exec("UPDATE entry SET inode = ?, meta = ? WHERE seq = ? AND path = ?", f.inode, f.meta, seq, key)
	return n == 1, err
}

// insert writes a row under the next Seq unless its path has one.
func (tx *txn) insert(key []byte, rec *tree.Record) (ok bool, err error) {
	f, err := pack(tx.ix.buf, rec, tx.ix.names.local)
	if err != nil {
		return false, err
	}
	tx.ix.buf = f.meta
	kind := kindCode(&rec.Entry)
	n, err := tx.c.exec("INSERT INTO entry VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (path) DO NOTHING",
		tx.head.Seq+1, key, kind, f.c6, f.b6, f.inode, f.meta)
	if err != nil || n == 0 {
		return false, err
	}
	tx.head.Seq++
	tx.head.Counts.entry(kind, rec.Size, 1)
	tx.head.Digest ^= standing(key, &rec.Entry)
	self, _ := tx.ix.names.replica(tx.head.Self)
	tx.head.High = max(tx.head.High, rec.Version.Counter(self))
	tx.head.Clock = max(tx.head.Clock, tx.head.High)
	return true, nil
}

// entry adds a row to the counts, or takes it away (sign -1).
func (c *Counts) entry(kind, size, sign int64) {
	if kind >= kindGone {
		c.Tombstones += sign
		return
	}
	switch tree.Kind(kind & kindMask) {
	case tree.File:
		c.Files += sign
		c.Bytes += sign * size
	case tree.Dir:
		c.Dirs += sign
	}
	if kind&kindConflict != 0 {
		c.Conflicts += sign
	}
}

// settle drops what a new row of ours covers from what is pending at its path.
func (tx *txn) settle(key []byte, e *tree.Entry) error {
	rows, err := tx.remotes(key)
	if err != nil || len(rows) == 0 {
		return err
	}
	left := rows[:0:0]
	for _, r := range rows {
		if !covers(e, &r.entry) {
			left = append(left, r)
			continue
		}
		if e.Attrs == "" && identical(&r.entry, e) { // with attributes it may have been told without them
			tx.echoes = append(tx.echoes, echo{r.device, tx.head.Seq})
		}
		if err := tx.dropRemote(r.rank); err != nil {
			return err
		}
	}
	tx.head.Counts.pending(rows, left)
	return nil
}

// covers says whether our row makes a told one needless (as reconcile.Settled).
// Equal versions with something different can come about; they are kept, so that
// they get mended.
func covers(ours, theirs *tree.Entry) bool {
	switch ours.Version.Compare(theirs.Version) {
	case tree.After:
		return true
	case tree.Equal:
		return ours.SameContent(*theirs) && (!ours.Exists() || ours.SameMeta(*theirs))
	}
	return false
}

// Manifest gives the chunk list of a content of more than one chunk that an
// entry's Content or Base, an archived file or a pending entry names.
func (ix *Index) Manifest(ctx context.Context, content tree.ContentID) (m tree.Manifest, found bool, err error) {
	err = ix.read(ctx, "read a chunk list", func(c *conn) error {
		return c.query(func(r *row) (err error) {
			found = true
			m, err = unpackManifest(r.blob(0))
			return err
		}, "SELECT chunks FROM manifest WHERE content = ?", content[:])
	})
	return m, found && err == nil, err
}

func (tx *txn) keepManifest(content tree.ContentID, m tree.Manifest) error {
	b, err := packManifest(m)
	if err != nil {
		return err
	}
	_, err = tx.c.exec("INSERT INTO manifest (content, chunks) VALUES (?, ?) ON CONFLICT (content) DO NOTHING", content[:], b)
	return err
}
