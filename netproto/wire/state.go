package wire

import "pinion/engine/tree"

type state struct {
	Folder    []byte   `cbor:"1,keyasint"`
	At        position `cbor:"2,keyasint"`
	Have      position `cbor:"3,keyasint"`
	Busy      bool     `cbor:"4,keyasint"`
	Files     int64    `cbor:"5,keyasint"`
	Bytes     int64    `cbor:"6,keyasint"`
	NeedFiles int64    `cbor:"7,keyasint"`
	NeedBytes int64    `cbor:"8,keyasint"`
	Confirmed int64    `cbor:"9,keyasint,omitempty"`
	Life      uint64   `cbor:"10,keyasint,omitempty"`
	HeldFiles int64    `cbor:"11,keyasint,omitempty"`
	HeldKind  uint8    `cbor:"12,keyasint,omitempty"`
	TakenBack int64    `cbor:"13,keyasint,omitempty"`
	Digest    uint64   `cbor:"14,keyasint,omitempty"`
	Clock     int64    `cbor:"15,keyasint,omitempty"`
	NoRoom    int64    `cbor:"16,keyasint,omitempty"`
	DiskFree  int64    `cbor:"17,keyasint,omitempty"`
	DiskTotal int64    `cbor:"18,keyasint,omitempty"`
	Small     int64    `cbor:"19,keyasint,omitempty"`
	Reading   []byte   `cbor:"20,keyasint,omitempty"`
	ReadSize  int64    `cbor:"21,keyasint,omitempty"`
	ReadBase  []byte   `cbor:"22,keyasint,omitempty"`
}

type position struct {
	_       struct{} `cbor:",toarray"`
	Replica uint64
	Epoch   uint64
	Seq     uint64
}

func packPosition(p tree.Position) position {
	return position{Replica: uint64(p.Replica), Epoch: p.Epoch, Seq: p.Seq}
}

func (p position) tree() tree.Position {
	return tree.Position{Replica: tree.ReplicaID(p.Replica), Epoch: p.Epoch, Seq: p.Seq}
}

func checkState(s tree.FolderState) error {
	if s.Folder == (tree.FolderID{}) {
		return bad("a state without a folder id")
	}
	if s.Files < 0 || s.Bytes < 0 || s.NeedFiles < 0 || s.NeedBytes < 0 || s.Confirmed < 0 || s.Clock < 0 || s.NoRoom < 0 || s.HeldFiles < 0 || s.TakenBack < 0 || s.Small < 0 || s.Coming.Size < 0 {
		return bad("a state with a negative count")
	}
	if s.DiskFree < 0 || s.DiskFree > s.DiskTotal {
		return bad("a state with more free on a disk than it has")
	}
	return nil
}

// AppendState appends a State frame.
func AppendState(dst []byte, s tree.FolderState) ([]byte, error) {
	if err := checkState(s); err != nil {
		return dst, err
	}
	m := state{
		Folder: s.Folder[:], At: packPosition(s.At), Have: packPosition(s.Have), Busy: s.Busy,
		Files: s.Files, Bytes: s.Bytes, NeedFiles: s.NeedFiles, NeedBytes: s.NeedBytes, Confirmed: s.Confirmed, Life: s.Life, Digest: s.Digest, Clock: s.Clock, NoRoom: s.NoRoom,
		HeldFiles: s.HeldFiles, HeldKind: uint8(s.HeldKind), TakenBack: s.TakenBack,
		DiskFree: s.DiskFree, DiskTotal: s.DiskTotal, Small: s.Small, ReadSize: s.Coming.Size,
	}
	if !s.Coming.ID.IsZero() {
		m.Reading = s.Coming.ID[:]
	}
	if !s.Coming.Base.IsZero() {
		m.ReadBase = s.Coming.Base[:]
	}
	return appendCBOR(dst, TypeState, m)
}

// ParseState reads a State.
func ParseState(payload []byte) (tree.FolderState, error) {
	var m state
	if err := parseCBOR(payload, &m); err != nil {
		return tree.FolderState{}, err
	}
	s := tree.FolderState{
		At: m.At.tree(), Have: m.Have.tree(), Busy: m.Busy,
		Files: m.Files, Bytes: m.Bytes, NeedFiles: m.NeedFiles, NeedBytes: m.NeedBytes, Confirmed: m.Confirmed, Life: m.Life, Digest: m.Digest, Clock: m.Clock, NoRoom: m.NoRoom,
		HeldFiles: m.HeldFiles, HeldKind: tree.Held(m.HeldKind), TakenBack: m.TakenBack,
		DiskFree: m.DiskFree, DiskTotal: m.DiskTotal, Small: m.Small, Coming: tree.Coming{Size: m.ReadSize},
	}
	if err := fixed(s.Folder[:], m.Folder, "a folder id"); err != nil {
		return tree.FolderState{}, err
	}
	for _, id := range []struct{ to, from []byte }{{s.Coming.ID[:], m.Reading}, {s.Coming.Base[:], m.ReadBase}} {
		if len(id.from) == 0 {
			continue
		}
		if err := fixed(id.to, id.from, "a content id"); err != nil {
			return tree.FolderState{}, err
		}
	}
	return s, checkState(s)
}
