package pairing

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"

	"pinion/netproto/circle"
)

// MaxMessage bounds each message, in bytes.
const MaxMessage = 16 << 10

// maxRoom is what one message may hold of statements: MaxMessage less all else.
const maxRoom = MaxMessage - 512

type messageKind uint8

const (
	hello messageKind = iota + 1
	welcome
	done
	more
	ack
	refuse
)

// message is any of them; which fields a kind has is in check.
type message struct {
	Kind       messageKind `cbor:"1,keyasint"`
	ID         []byte      `cbor:"2,keyasint,omitempty"` // hello
	Name       string      `cbor:"3,keyasint,omitempty"` // hello, welcome; may be empty
	Proof      []byte      `cbor:"4,keyasint,omitempty"` // hello, welcome
	Statements [][]byte    `cbor:"5,keyasint,omitempty"` // welcome, done, more
	Follows    bool        `cbor:"6,keyasint,omitempty"` // welcome, done, more: a More comes after it
	Code       Code        `cbor:"7,keyasint,omitempty"` // refuse
}

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
		MaxArrayElements:  256,
		MaxMapPairs:       16,
	}.DecMode()
	if err != nil {
		return codec{}, fmt.Errorf("set up decoder: %w", err)
	}
	return codec{enc, dec}, nil
}

func (c codec) encode(m message) ([]byte, error) {
	b, err := c.enc.Marshal(m)
	if err != nil {
		return nil, fmt.Errorf("encode message: %w", err)
	}
	if len(b) > MaxMessage {
		return nil, fmt.Errorf("encode message: %d bytes", len(b))
	}
	return b, nil
}

func (c codec) decode(b []byte) (m message, err error) {
	if len(b) > MaxMessage {
		return m, fmt.Errorf("decode message: %d bytes", len(b))
	}
	if err := c.dec.Unmarshal(b, &m); err != nil {
		return message{}, fmt.Errorf("decode message: %w", err)
	}
	if err := m.check(); err != nil {
		return message{}, fmt.Errorf("decode message: %w", err)
	}
	again, err := c.enc.Marshal(m)
	if err != nil || !bytes.Equal(again, b) {
		return message{}, errors.New("decode message: not in canonical form")
	}
	return m, nil
}

func (m message) check() error {
	has := func(id, name, proof, statements, code bool) bool {
		return (len(m.ID) == len(inviteID{})) == id && (id || m.ID == nil) &&
			(name || m.Name == "") &&
			(len(m.Proof) == 32) == proof && (proof || m.Proof == nil) &&
			(statements || m.Statements == nil && !m.Follows) &&
			(m.Code != 0) == code
	}
	ok := false
	switch m.Kind {
	case hello:
		ok = has(true, true, true, false, false)
	case welcome:
		ok = has(false, true, true, true, false)
	case done, more:
		ok = has(false, false, false, true, false)
	case ack:
		ok = has(false, false, false, false, false)
	case refuse:
		ok = has(false, false, false, false, true)
	}
	if !ok {
		return errors.New("its fields are not those of its kind")
	}
	for _, s := range m.Statements {
		if len(s) == 0 || len(s) > circle.MaxStatement {
			return errors.New("a statement has no length that one may have")
		}
	}
	if m.Name != "" {
		return circle.CheckName(m.Name)
	}
	return nil
}

// spread puts statements into m and as many More as it takes.
func (c codec) spread(m message, statements [][]byte) (out [][]byte, err error) {
	for {
		room, n := maxRoom, 0
		for n < len(statements) && n < 256 {
			if room -= len(statements[n]) + 3; room < 0 {
				break
			}
			n++
		}
		m.Statements, statements = statements[:n:n], statements[n:]
		if n == 0 {
			m.Statements = nil
		}
		m.Follows = len(statements) > 0
		if n == 0 && m.Follows {
			return nil, errors.New("encode message: a statement is too long")
		}
		b, err := c.encode(m)
		if err != nil {
			return nil, err
		}
		out = append(out, b)
		if !m.Follows {
			return out, nil
		}
		m = message{Kind: more}
	}
}
