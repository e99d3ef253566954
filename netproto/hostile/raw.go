package hostile

import (
	"encoding/binary"

	"pinion/engine/tree"
	"pinion/netproto/wire"
)

// Frame is a frame of any type with any payload.
func Frame(t wire.Type, payload []byte) []byte {
	return append(Claim(t, uint32(len(payload))), payload...)
}

// Claim is the head of a frame that says that n bytes follow.
func Claim(t wire.Type, n uint32) []byte {
	return append(binary.BigEndian.AppendUint32(nil, n), byte(t))
}

// Batch is what a Batch frame says, unchecked.
type Batch struct {
	Replicas []tree.Replica
	Entries  []tree.Entry // any path, any version, any field
	Count    uint64       // entries that it claims to have, if not their number
	After    uint64
	Upto     tree.Position
}

// Flags of an entry (SPEC.md, section 5).
const (
	deleted = 1 << (iota + 2)
	hasSize
	hasMTime
	hasMode
	hasContent
	hasBase
	hasTarget
	hasConflict
	hasConflictBase
	hasMovedTo
)

// Payload is the batch as it stands, in coding 0. Every replica that an entry
// names is told, by its bare id if Replicas has no record of it.
func (b Batch) Payload() []byte {
	place := map[tree.ReplicaID]uint64{}
	var told []byte
	tell := func(r tree.Replica) {
		if _, ok := place[r.ID]; ok {
			return
		}
		place[r.ID] = uint64(len(place))
		told = binary.LittleEndian.AppendUint64(told, uint64(r.ID))
		if r.Device.IsZero() {
			told = append(told, 0)
			return
		}
		told = text(append(append(told, 1), r.Device[:]...), r.Name)
	}
	for _, r := range b.Replicas {
		tell(r)
	}
	for _, e := range b.Entries {
		for _, s := range e.Version {
			tell(tree.Replica{ID: s.Replica})
		}
		tell(tree.Replica{ID: e.Author})
	}
	out := append(binary.AppendUvarint([]byte{0}, uint64(len(place))), told...)
	out = binary.AppendUvarint(out, max(b.Count, uint64(len(b.Entries))))
	var last struct {
		mtime int64
		n     uint64
	}
	for _, e := range b.Entries {
		out = entry(out, e, &last.mtime, &last.n, place)
	}
	out = binary.AppendUvarint(out, b.After)
	out = binary.LittleEndian.AppendUint64(out, uint64(b.Upto.Replica))
	out = binary.LittleEndian.AppendUint64(out, b.Upto.Epoch)
	return binary.AppendUvarint(out, b.Upto.Seq)
}

// Frame is the batch in its frame.
func (b Batch) Frame() []byte { return Frame(wire.TypeBatch, b.Payload()) }

func entry(out []byte, e tree.Entry, mtime *int64, n *uint64, place map[tree.ReplicaID]uint64) []byte {
	flags := flagsOf(e)
	out = binary.LittleEndian.AppendUint16(out, flags)
	out = text(binary.AppendUvarint(out, 0), string(e.Path))
	if flags&hasSize != 0 {
		out = binary.AppendUvarint(out, uint64(e.Size))
	}
	if flags&hasMTime != 0 {
		out = signed(out, e.MTime-*mtime)
		*mtime = e.MTime
	}
	if flags&hasMode != 0 {
		out = binary.AppendUvarint(out, uint64(e.Mode))
	}
	if flags&hasContent != 0 {
		out = append(out, e.Content[:]...)
	}
	if flags&hasBase != 0 {
		out = append(out, e.Base[:]...)
	}
	if flags&hasTarget != 0 {
		out = text(out, e.Target)
	}
	out = binary.AppendUvarint(out, uint64(len(e.Version)))
	for _, s := range e.Version {
		out = signed(binary.AppendUvarint(out, place[s.Replica]), int64(s.N-*n))
		*n = s.N
	}
	out = binary.AppendUvarint(out, place[e.Author])
	if flags&hasConflict != 0 {
		out = text(out, string(e.Conflict.Of))
	}
	if flags&hasConflictBase != 0 {
		out = append(out, e.Conflict.Base[:]...)
	}
	if flags&hasMovedTo != 0 {
		out = text(out, string(e.MovedTo))
	}
	return out
}

func flagsOf(e tree.Entry) (flags uint16) {
	flags = uint16(e.Kind) & 3
	for _, f := range []struct {
		bit uint16
		on  bool
	}{
		{deleted, e.Deleted},
		{hasSize, e.Size != 0},
		{hasMTime, e.MTime != 0},
		{hasMode, e.Mode != 0},
		{hasContent, !e.Content.IsZero()},
		{hasBase, !e.Base.IsZero()},
		{hasTarget, e.Target != ""},
		{hasConflict, e.Conflict != nil},
		{hasConflictBase, e.Conflict != nil && !e.Conflict.Base.IsZero()},
		{hasMovedTo, e.MovedTo != ""},
	} {
		if f.on {
			flags |= f.bit
		}
	}
	return flags
}

func text(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

func signed(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v)<<1^uint64(v>>63))
}

// Piece is the payload of a Piece frame.
func Piece(want uint64, flags byte, offset uint64, data []byte) []byte {
	out := append(binary.AppendUvarint(nil, want), flags)
	return append(binary.AppendUvarint(out, offset), data...)
}

// Part is the payload of a ManifestPart frame.
func Part(flags byte, at, count uint64, chunks tree.Manifest) []byte {
	out := binary.AppendUvarint(binary.AppendUvarint([]byte{flags}, at), count)
	out = binary.AppendUvarint(out, uint64(len(chunks)))
	for _, c := range chunks {
		out = append(binary.AppendUvarint(out, uint64(c.Len)), c.ID[:]...)
	}
	return out
}

// Flags of a Piece and of a ManifestPart.
const (
	Last = 1
	Gone = 2
)

// Bomb is a zstd frame of some KiB that holds n blocks of 128 KiB of zeros and
// does not say so.
func Bomb(n int) []byte {
	b := []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58} // no content size, window 2 MiB
	for i := range n {
		head := uint32(128<<10)<<3 | 1<<1 // a block of one byte, repeated
		if i == n-1 {
			head |= 1
		}
		b = append(b, byte(head), byte(head>>8), byte(head>>16), 0)
	}
	return b
}
