package index

import (
	"crypto/sha256"
	"encoding/binary"

	"pinion/engine/tree"
)

// Digest sums up what stands here: it is equal on devices that hold the same
// names, kinds, contents and targets, whatever way they came to that. It is
// kept up with every commit.
func (ix *Index) Digest() uint64 {
	ix.mu.Lock()
	defer ix.mu.Unlock()
	return ix.head.Digest
}

// standing is an entry's share of the digest: nothing for a tombstone. The whole
// is the exclusive or of the shares.
func standing(key []byte, e *tree.Entry) uint64 {
	if !e.Exists() {
		return 0
	}
	b := make([]byte, 0, 256)
	b = append(b, byte(e.Kind))
	b = append(b, e.Content[:]...)
	b = append(binary.AppendUvarint(b, uint64(len(key))), key...)
	b = append(b, e.Target...)
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:])
}

// digest reads all that stands here, for an index that an earlier version of the
// program wrote.
func (ix *Index) digest() (d uint64, err error) {
	err = ix.w.query(func(r *row) error {
		rec, err := ix.record(r, 0)
		d ^= standing(r.blob(0), &rec.Entry)
		return err
	}, "SELECT "+columns+" FROM entry WHERE kind < 16")
	return d, err
}
