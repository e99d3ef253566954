package circle

import (
	"bytes"
	"cmp"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/fxamacker/cbor/v2"

	"pinion/engine/tree"
)

// Limits. A set that is bigger or a statement that is longer is refused before
// it costs anything.
const (
	MaxStatements = 4096
	MaxStatement  = 4 << 10 // bytes
	MaxName       = 64      // bytes of a device's name
	MaxAddrs      = 16      // addresses of one device

	// maxCount bounds epochs and sequence numbers, so that there is always a
	// next one to compute with.
	maxCount = 1 << 53
)

// Domain is what roster signatures are made for. Signed is
// Domain || 0x00 || the statement without its signature.
const Domain = "pinion roster 1"

// Signer is a device's own key.
type Signer interface {
	Device() tree.DeviceID
	PublicKey() ed25519.PublicKey
	// Sign signs domain || 0x00 || message.
	Sign(domain string, message []byte) []byte
}

type kind uint8

const (
	endorse kind = iota + 1
	remove
	about
	nick
)

// body is a statement as it is encoded; which fields a kind has is in check.
type body struct {
	Kind    kind     `cbor:"1,keyasint"`
	Signer  []byte   `cbor:"2,keyasint"`           // public key
	Key     []byte   `cbor:"3,keyasint,omitempty"` // endorse: the subject's public key
	Subject []byte   `cbor:"4,keyasint,omitempty"` // remove, nick: the subject's id
	Count   uint64   `cbor:"5,keyasint"`           // Epoch or Seq
	As      uint64   `cbor:"6,keyasint,omitempty"` // endorse: the life of the signer that signs
	Name    string   `cbor:"7,keyasint,omitempty"` // about, nick
	Addrs   []string `cbor:"8,keyasint,omitempty"` // about
	Sig     []byte   `cbor:"9,keyasint,omitempty"`
}

// place is where a statement belongs: of the statements of one place only the
// newest is kept.
type place struct {
	kind            kind
	signer, subject tree.DeviceID
}

// statement is a checked one.
type statement struct {
	place
	body
	raw []byte
	sum [32]byte // of raw
}

// newer orders the statements of one place.
func (s statement) newer(t statement) bool {
	return cmp.Or(cmp.Compare(s.As, t.As), cmp.Compare(s.Count, t.Count), bytes.Compare(t.raw, s.raw)) > 0
}

var errForged = errors.New("its signature is wrong")

type codec struct {
	enc cbor.EncMode
	dec cbor.DecMode
}

func newCodec() (codec, error) {
	enc, err := cbor.CoreDetEncOptions().EncMode()
	if err != nil {
		return codec{}, fmt.Errorf("set up encoder: %w", err)
	}
	dec, err := cbor.DecOptions{
		DupMapKey:         cbor.DupMapKeyEnforcedAPF,
		IndefLength:       cbor.IndefLengthForbidden,
		TagsMd:            cbor.TagsForbidden,
		ExtraReturnErrors: cbor.ExtraDecErrorUnknownField,
		MaxNestedLevels:   4,
		MaxArrayElements:  MaxAddrs,
		MaxMapPairs:       16,
	}.DecMode()
	if err != nil {
		return codec{}, fmt.Errorf("set up decoder: %w", err)
	}
	return codec{enc, dec}, nil
}

// sign makes a statement of b.
func (c codec) sign(by Signer, b body) (statement, error) {
	b.Signer, b.Sig = by.PublicKey(), nil
	message, err := c.enc.Marshal(b)
	if err != nil {
		return statement{}, fmt.Errorf("encode statement: %w", err)
	}
	b.Sig = by.Sign(Domain, message)
	raw, err := c.enc.Marshal(b)
	if err != nil {
		return statement{}, fmt.Errorf("encode statement: %w", err)
	}
	return c.decode(raw)
}

// decode reads a statement without looking at its signature. There is exactly
// one encoding of each.
func (c codec) decode(raw []byte) (statement, error) {
	if len(raw) > MaxStatement {
		return statement{}, fmt.Errorf("statement of %d bytes", len(raw))
	}
	s := statement{raw: bytes.Clone(raw), sum: sha256.Sum256(raw)}
	if err := c.dec.Unmarshal(raw, &s.body); err != nil {
		return statement{}, fmt.Errorf("decode statement: %w", err)
	}
	if err := s.check(); err != nil {
		return statement{}, fmt.Errorf("decode statement: %w", err)
	}
	again, err := c.enc.Marshal(s.body)
	if err != nil || !bytes.Equal(again, raw) {
		return statement{}, errors.New("decode statement: not in canonical form")
	}
	s.place = place{kind: s.Kind, signer: deviceOf(s.Signer), subject: s.subjectID()}
	return s, nil
}

// verify checks the signature.
func (c codec) verify(s statement) error {
	b := s.body
	b.Sig = nil
	message, err := c.enc.Marshal(b)
	if err != nil {
		return err
	}
	signed := append(append([]byte(Domain), 0), message...)
	if !ed25519.Verify(s.Signer, signed, s.Sig) {
		return fmt.Errorf("statement of %s: %w", s.signer.Short(), errForged)
	}
	return nil
}

func (b body) subjectID() (d tree.DeviceID) {
	switch b.Kind {
	case endorse:
		return deviceOf(b.Key)
	case about:
		return deviceOf(b.Signer)
	}
	copy(d[:], b.Subject)
	return d
}

func deviceOf(key []byte) tree.DeviceID { return sha256.Sum256(key) }

func (b body) check() error {
	if len(b.Signer) != ed25519.PublicKeySize || len(b.Sig) != ed25519.SignatureSize {
		return errors.New("a key or signature has the wrong length")
	}
	if b.Count == 0 || b.Count > maxCount || b.As > maxCount {
		return errors.New("a count is out of bounds")
	}
	has := func(key, subject, as, name, addrs bool) bool {
		return (len(b.Key) == ed25519.PublicKeySize) == key && (key || len(b.Key) == 0) &&
			(len(b.Subject) == len(tree.DeviceID{})) == subject && (subject || len(b.Subject) == 0) &&
			(b.As != 0) == as && (name || b.Name == "") && (addrs || b.Addrs == nil)
	}
	ok := false
	switch b.Kind {
	case endorse:
		ok = has(true, false, true, false, false)
	case remove:
		ok = has(false, true, false, false, false)
	case about:
		ok = has(false, false, false, true, true)
	case nick:
		ok = has(false, true, false, true, false)
	}
	if !ok {
		return errors.New("its fields are not those of its kind")
	}
	if b.Name != "" {
		if err := CheckName(b.Name); err != nil {
			return err
		}
	}
	if len(b.Addrs) > MaxAddrs {
		return errors.New("too many addresses")
	}
	for _, a := range b.Addrs {
		if _, _, err := SplitAddr(a); err != nil {
			return err
		}
	}
	return nil
}

// CheckName says what is wrong with a device's name: it is shown to people and
// becomes part of file names.
func CheckName(name string) error {
	switch {
	case name == "" || strings.TrimSpace(name) != name:
		return errors.New("a device's name may not be empty or begin or end with a space")
	case len(name) > MaxName:
		return fmt.Errorf("a device's name has at most %d bytes", MaxName)
	case !utf8.ValidString(name):
		return errors.New("a device's name has to be UTF-8")
	}
	for _, r := range name {
		if !unicode.IsPrint(r) {
			return errors.New("a device's name has only printable characters")
		}
	}
	return nil
}
