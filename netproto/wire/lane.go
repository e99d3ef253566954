package wire

// LaneKind says what a lane carries and how urgent its answers are.
type LaneKind uint8

const (
	Lists LaneKind = iota + 1
	Small
	Big
)

type lane struct {
	Kind LaneKind `cbor:"1,keyasint"`
}

// AppendLane appends the first frame of a lane.
func AppendLane(dst []byte, kind LaneKind) ([]byte, error) {
	return appendCBOR(dst, TypeLane, lane{kind})
}

// ParseLane reads a Lane.
func ParseLane(payload []byte) (LaneKind, error) {
	var m lane
	if err := parseCBOR(payload, &m); err != nil {
		return 0, err
	}
	if m.Kind < Lists || m.Kind > Big {
		return 0, bad("a lane of kind %d", m.Kind)
	}
	return m.Kind, nil
}
