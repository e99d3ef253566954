package wire

import "encoding/binary"

// AppendPing appends a Ping frame; AppendPong answers it with the same number.
func AppendPing(dst []byte, n uint64) []byte { return appendNumber(dst, TypePing, n) }

// AppendPong appends a Pong frame.
func AppendPong(dst []byte, n uint64) []byte { return appendNumber(dst, TypePong, n) }

func appendNumber(dst []byte, t Type, n uint64) []byte {
	return binary.LittleEndian.AppendUint64(append(dst, 0, 0, 0, 8, byte(t)), n)
}

// ParsePing reads a Ping or a Pong.
func ParsePing(payload []byte) (uint64, error) {
	if len(payload) != 8 {
		return 0, bad("a ping of %d bytes", len(payload))
	}
	return binary.LittleEndian.Uint64(payload), nil
}
