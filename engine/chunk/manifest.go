package chunk

import (
	"encoding/binary"
	"errors"
	"fmt"

	"pinion/engine/tree"
)

// ErrManifest is what Verify and Unpack say of a chunk list that can't be right.
var ErrManifest = errors.New("not a chunk list")

// MaxChunks is how many chunks a file of this size can have.
func MaxChunks(size int64) int64 {
	switch {
	case size <= 0:
		return 0
	case size <= SmallMax:
		return 1
	}
	least := int64(classOf(size).least)
	return (min(size, MaxFile) + least - 1) / least
}

// Verify checks a chunk list that somebody else gave as that of a file with
// this id and size: the lengths are those of the size class, they sum up, and
// the list has the id. It says nothing of the bytes.
func Verify(m tree.Manifest, id tree.ContentID, size int64) error {
	if size < 0 || size > MaxFile || int64(len(m)) > MaxChunks(size) {
		return fmt.Errorf("%w: %d chunks for %d bytes", ErrManifest, len(m), size)
	}
	least, most := Bounds(size)
	var sum int64
	for i, c := range m {
		if int(c.Len) > most || c.Len == 0 || (int(c.Len) < least && i < len(m)-1) {
			return fmt.Errorf("%w: chunk %d has %d bytes", ErrManifest, i, c.Len)
		}
		if c.ID[0] != tree.HashBLAKE3 {
			return fmt.Errorf("%w: chunk %d has no id", ErrManifest, i)
		}
		sum += int64(c.Len)
	}
	if sum != size {
		return fmt.Errorf("%w: %d bytes instead of %d", ErrManifest, sum, size)
	}
	if ID(m) != id {
		return fmt.Errorf("%w: it has another id", ErrManifest)
	}
	return nil
}

// The packed form: a byte for the form itself, the hash's tag, then for each
// chunk its length (little-endian uint32) and its 32-byte sum.
const (
	packForm = 1
	packHead = 2
	packRow  = 4 + 32
)

// Pack appends m in the form in which staging keeps it on disk.
func Pack(dst []byte, m tree.Manifest) []byte {
	dst = append(dst, packForm, tree.HashBLAKE3)
	for _, c := range m {
		dst = binary.LittleEndian.AppendUint32(dst, c.Len)
		dst = append(dst, c.ID[1:]...)
	}
	return dst
}

// PackedSize is how many bytes Pack appends for n chunks.
func PackedSize(n int64) int64 { return packHead + n*packRow }

// Unpack reads what Pack gave. The caller bounds the length of b (PackedSize of
// MaxChunks) before reading it, and calls Verify.
func Unpack(b []byte) (tree.Manifest, error) {
	if len(b) < packHead || b[0] != packForm || b[1] != tree.HashBLAKE3 || (len(b)-packHead)%packRow != 0 {
		return nil, ErrManifest
	}
	b = b[packHead:]
	m := make(tree.Manifest, len(b)/packRow)
	for i := range m {
		row := b[i*packRow:]
		m[i].Len = binary.LittleEndian.Uint32(row)
		m[i].ID[0] = tree.HashBLAKE3
		copy(m[i].ID[1:], row[4:packRow])
		if m[i].Len == 0 {
			return nil, fmt.Errorf("%w: chunk %d is empty", ErrManifest, i)
		}
	}
	return m, nil
}
