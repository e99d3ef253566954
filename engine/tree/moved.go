package tree

import (
	"crypto/sha256"
	"encoding/binary"
)

// Moved tells of a file that stands elsewhere now, to who has what stood: all but
// names and versions is that of the receiver's own row at From, of which the sum is
// told.
type Moved struct {
	From, To   Path
	Gone, Come Version // of the tombstone at From, and of what stands at To
	GoneBy     ReplicaID
	ComeBy     ReplicaID
	Sum        uint64 // MovedSum of what stood at From
}

// MovedSum is 48 bits of a digest of what goes along with a file.
func MovedSum(e Entry) uint64 {
	b := make([]byte, 0, 128)
	b = append(b, byte(e.Kind))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.Size))
	b = binary.LittleEndian.AppendUint64(b, uint64(e.MTime))
	b = binary.LittleEndian.AppendUint32(b, e.Mode)
	b = append(append(b, e.Content[:]...), e.Base[:]...)
	b = append(b, e.Attrs...)
	sum := sha256.Sum256(b)
	return binary.LittleEndian.Uint64(sum[:]) & (1<<48 - 1)
}

// MovedOf makes one word of two, of a file that came and of its tombstone where it
// was, if both follow from what stood.
func MovedOf(come, gone Entry) (m Moved, ok bool) {
	if !come.Exists() || come.Kind != File || come.Attrs != "" || come.Conflict != nil ||
		!gone.Deleted || gone.Kind != File || gone.MovedTo != come.Path || gone.Target != "" || !gone.Base.IsZero() ||
		gone.Size != come.Size || gone.MTime != come.MTime || gone.Mode != come.Mode || gone.Content != come.Content {
		return m, false
	}
	return Moved{From: gone.Path, To: come.Path, Gone: gone.Version, Come: come.Version, GoneBy: gone.Author, ComeBy: come.Author, Sum: MovedSum(come)}, true
}

// Entries are the two, given what stood at From.
func (m Moved) Entries(stood Entry) (come, gone Entry, ok bool) {
	if !stood.Exists() || stood.Kind != File || stood.Attrs != "" || MovedSum(stood) != m.Sum {
		return come, gone, false
	}
	come = stood
	come.Path, come.Version, come.Author, come.Conflict = m.To, m.Come, m.ComeBy, nil
	gone = stood
	gone.Path, gone.Version, gone.Author, gone.Conflict = m.From, m.Gone, m.GoneBy, nil
	gone.Deleted, gone.MovedTo, gone.Base = true, m.To, ContentID{}
	return come, gone, true
}
