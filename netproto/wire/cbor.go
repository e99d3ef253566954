package wire

import (
	"fmt"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"
)

// MaxText is how long a name from a peer may be, in bytes.
const MaxText = 128

// The modes are made anew for each message: these messages are rare, and a
// package without state needs no care.
func encMode() (cbor.EncMode, error) {
	o := cbor.CoreDetEncOptions()
	o.IndefLength = cbor.IndefLengthForbidden
	o.TagsMd = cbor.TagsForbidden
	return o.EncMode()
}

func decMode() (cbor.DecMode, error) {
	return cbor.DecOptions{
		DupMapKey:        cbor.DupMapKeyEnforcedAPF,
		IndefLength:      cbor.IndefLengthForbidden,
		TagsMd:           cbor.TagsForbidden,
		MaxNestedLevels:  4,
		MaxArrayElements: MaxStatements,
		MaxMapPairs:      64,
		NaN:              cbor.NaNDecodeForbidden,
		Inf:              cbor.InfDecodeForbidden,
	}.DecMode()
}

// appendCBOR appends a frame with v as its payload.
func appendCBOR(dst []byte, t Type, v any) ([]byte, error) {
	mode, err := encMode()
	if err != nil {
		return dst, fmt.Errorf("set up CBOR: %w", err)
	}
	payload, err := mode.Marshal(v)
	if err != nil {
		return dst, fmt.Errorf("encode type %d: %w", t, err)
	}
	return appendFrame(dst, t, payload)
}

func parseCBOR(payload []byte, v any) error {
	mode, err := decMode()
	if err != nil {
		return fmt.Errorf("set up CBOR: %w", err)
	}
	if err := mode.Unmarshal(payload, v); err != nil {
		return bad("%v", err)
	}
	return nil
}

// checkText says whether a name may be shown to a person.
func checkText(what, s string) error {
	if len(s) > MaxText {
		return bad("%s is longer than %d bytes", what, MaxText)
	}
	if !utf8.ValidString(s) {
		return bad("%s is not UTF-8", what)
	}
	for _, r := range s {
		if unicode.IsControl(r) {
			return bad("%s has a control character", what)
		}
	}
	return nil
}

// fixed copies b into an id of exactly its length.
func fixed(dst, b []byte, what string) error {
	if len(b) != len(dst) {
		return bad("%s has %d bytes instead of %d", what, len(b), len(dst))
	}
	copy(dst, b)
	return nil
}
