package index

import (
	"context"
	"encoding/binary"
	"fmt"

	"pinion/engine/tree"
)

// Bounds of what is remembered of files that changed: earlier versions of each,
// and of all.
const (
	maxLineage = 32
	maxAncient = 20_000
)

// descend remembers what a file's row said before its content changed, so that
// the version that two later ones have in common can be told. With the file its
// past is forgotten.
func (tx *txn) descend(key []byte, seq uint64, now *tree.Entry) error {
	if now.Deleted || now.Kind != tree.File {
		_, err := tx.c.exec("DELETE FROM lineage WHERE path = ?", key)
		return err
	}
	var old tree.Record
	err := tx.c.query(func(r *row) (err error) {
		old, err = tx.ix.record(r, 0)
		return err
	}, "SELECT "+columns+" FROM entry WHERE seq = ? AND path = ? AND c6 IS NOT NULL", seq, key)
	if err != nil || old.Content.IsZero() || old.Content == now.Content {
		return err
	}
	version, err := packVersion(old.Version, tx.ix.names.local)
	if err != nil {
		return err
	}
	if _, err := tx.c.exec("INSERT INTO lineage (path, version, content) VALUES (?, ?, ?)", key, version, old.Content[1:]); err != nil {
		return err
	}
	_, err = tx.c.exec("DELETE FROM lineage WHERE path = ? AND id <= (SELECT id FROM lineage WHERE path = ? ORDER BY id DESC LIMIT 1 OFFSET ?)", key, key, maxLineage)
	if err != nil {
		return err
	}
	_, err = tx.c.exec("DELETE FROM lineage WHERE id <= (SELECT max(id) FROM lineage) - ?", maxAncient)
	return err
}

// Ancestor gives the newest content that stood at a path here in a version that
// both a and b know all of: what both were made from. Zero when none is known.
func (ix *Index) Ancestor(ctx context.Context, p tree.Path, a, b tree.Version) (found tree.ContentID, err error) {
	err = ix.read(ctx, "look up what two versions have in common", func(c *conn) error {
		return c.query(func(r *row) error {
			rd := &reader{b: r.blob(0)}
			v := rd.version(ix.names.replica)
			content := (&reader{b: r.blob(1)}).content(0, 0)
			if rd.err != nil {
				return fmt.Errorf("%w: %w", ErrDamaged, rd.err)
			}
			if found.IsZero() && len(v) > 0 && a.Covers(v) && b.Covers(v) {
				found = content
			}
			return nil
		}, "SELECT version, content FROM lineage WHERE path = ? ORDER BY id DESC", pathKey(p))
	})
	return found, err
}

func packVersion(v tree.Version, names func(tree.ReplicaID) (uint64, error)) ([]byte, error) {
	b := binary.AppendUvarint(nil, uint64(len(v)))
	for _, s := range v {
		id, err := names(s.Replica)
		if err != nil {
			return nil, err
		}
		b = binary.AppendUvarint(binary.AppendUvarint(b, id), s.N)
	}
	return b, nil
}
