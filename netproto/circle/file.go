package circle

import (
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"pinion/engine/tree"
)

// fileVersion is the form of the roster on disk.
const fileVersion = 1

// MaxFile bounds what Bytes gives, so that a reader knows when to stop.
const MaxFile = MaxStatements*(MaxStatement+4) + 64

type file struct {
	Version    uint64   `cbor:"1,keyasint"`
	Statements [][]byte `cbor:"2,keyasint"`
}

// Bytes is the circle for the disk: CBOR {1: version, 2: [statement…]}, the same
// for the same set.
func (c *Circle) Bytes() ([]byte, error) {
	b, err := c.codec.enc.Marshal(file{fileVersion, c.Statements()})
	if err != nil {
		return nil, fmt.Errorf("encode roster: %w", err)
	}
	return b, nil
}

// Load reads what Bytes gave. Statements that do not verify are left out and
// named; anything else that is wrong is an error.
func Load(self tree.DeviceID, b []byte) (c *Circle, rejected []error, err error) {
	if len(b) > MaxFile {
		return nil, nil, fmt.Errorf("decode roster: %d bytes", len(b))
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   4,
		MaxArrayElements:  MaxStatements,
		MaxMapPairs:       16,
	}.DecMode()
	if err != nil {
		return nil, nil, fmt.Errorf("set up decoder: %w", err)
	}
	var f file
	if err := dec.Unmarshal(b, &f); err != nil {
		return nil, nil, fmt.Errorf("decode roster: %w", err)
	}
	if f.Version != fileVersion {
		return nil, nil, fmt.Errorf("decode roster: its version is %d, this program knows %d", f.Version, fileVersion)
	}
	c, err = New(self)
	if err != nil {
		return nil, nil, err
	}
	_, rejected = c.Merge(f.Statements)
	return c, rejected, nil
}
