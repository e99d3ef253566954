package wire

import (
	"bytes"
	"encoding/binary"
	"reflect"
	"testing"

	"pinion/engine/tree"
)

// FuzzBatch: every entry of a batch that is taken keeps section 6 and could be
// sent on as it is.
func FuzzBatch(f *testing.F) {
	p := packer(f)
	id := tree.ContentID{tree.HashBLAKE3, 7}
	stamp := tree.Version{{Replica: 3, N: 5}}
	for _, e := range []tree.Entry{
		{Path: "a/b", Kind: tree.File, Size: 5, MTime: 1e18, Mode: 0o644, Content: id, Base: id, Version: stamp, Author: 3, Conflict: &tree.Conflict{Of: "a/c", Base: id}},
		{Path: "a", Kind: tree.Dir, Mode: 0o755, Version: stamp, Author: 3},
		{Path: "l", Kind: tree.Symlink, Target: "../x", MTime: -1, Version: stamp, Author: 3},
		{Path: "gone", Kind: tree.File, Deleted: true, MovedTo: "there", Version: stamp, Author: 3},
	} {
		b, err := NewBatchEncoder(p).Append(nil, tree.Batch{
			Entries: []tree.Entry{e}, Replicas: []tree.Replica{{ID: 3, Device: tree.DeviceID{1}, Name: "pi"}}, After: 7, Upto: tree.Position{Replica: 3, Epoch: 1, Seq: 8},
		})
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b[HeaderLen:])
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > 0 {
			payload = append([]byte{payload[0] & codingMoved}, payload[1:]...) // FuzzUnpack is about the other coding
		}
		b, err := NewBatchDecoder(p).Parse(payload)
		if err != nil {
			return
		}
		if len(b.Entries) > MaxBatch || len(b.Replicas) > MaxReplicas {
			t.Fatalf("%d entries, %d replicas", len(b.Entries), len(b.Replicas))
		}
		for _, e := range b.Entries {
			paths := []tree.Path{e.Path, e.MovedTo}
			if e.Conflict != nil {
				paths = append(paths, e.Conflict.Of)
			}
			for _, path := range paths {
				if _, err := tree.ParsePath(string(path)); path != "" && err != nil {
					t.Errorf("%v", err)
				}
			}
			if err := CheckEntry(e); err != nil {
				t.Errorf("%v", err)
			}
		}
		frame, err := NewBatchEncoder(p).Append(nil, b)
		if err != nil {
			return // a replica told twice fills the dictionary twice
		}
		again, err := NewBatchDecoder(p).Parse(frame[HeaderLen:])
		if err != nil || !reflect.DeepEqual(b, again) {
			t.Errorf("%v\n%+v\n%+v", err, b, again)
		}
	})
}

// FuzzUnpack: what unpacks has the length that it claims, within the cap; what
// was packed comes out as it was.
func FuzzUnpack(f *testing.F) {
	p := packer(f)
	piece, err := AppendPiece(nil, Piece{Data: bytes.Repeat([]byte("again "), 200)})
	if err != nil {
		f.Fatal(err)
	}
	packed, ok := p.AppendPacked(nil, piece)
	if !ok {
		f.Fatal("it does not pack")
	}
	f.Add(packed[HeaderLen:])
	f.Add(append(binary.AppendUvarint(nil, 1<<19), 0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58, 0x02, 0x00, 0x10, 0))
	f.Add([]byte{5, 0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7}) // a frame to be skipped
	f.Fuzz(func(t *testing.T, payload []byte) {
		frames, err := p.Unpack(nil, payload)
		if err == nil {
			if n, _ := binary.Uvarint(payload); uint64(len(frames)) != n || n > MaxPacked {
				t.Fatalf("%d bytes instead of %d", len(frames), n)
			}
			for len(frames) > 0 {
				typ, part, rest, err := Split(frames)
				if err != nil {
					break
				}
				if len(part) > typ.Max() || len(rest) >= len(frames) {
					t.Fatalf("type %d with %d bytes", typ, len(part))
				}
				frames = rest
			}
		}
		if b, ok := p.AppendPacked(nil, payload); ok {
			if out, err := p.Unpack(nil, b[HeaderLen:]); err != nil || !bytes.Equal(out, payload) {
				t.Errorf("%v: %d bytes became %d", err, len(payload), len(out))
			}
		}
	})
}
