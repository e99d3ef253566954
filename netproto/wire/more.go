package wire

import (
	"encoding/binary"
)

// CapMore in Hello.Caps says that a device takes further connections of a session.
const CapMore = 1 << 5

const (
	// MoreLen is how many bytes name a session.
	MoreLen = 16
	// MaxAside is how many frames an Aside may speak of.
	MaxAside = 1 << 16
)

// AppendMore appends the first frame of a further connection.
func AppendMore(dst []byte, session [MoreLen]byte) ([]byte, error) {
	return appendFrame(dst, TypeMore, session[:])
}

// ParseMore reads a More.
func ParseMore(payload []byte) (session [MoreLen]byte, err error) {
	if len(payload) != MoreLen {
		return session, bad("a session's name of %d bytes", len(payload))
	}
	return [MoreLen]byte(payload), nil
}

// Strand says which lane a stream of a further connection belongs to.
type Strand struct {
	Lane   uint64 // the id of its QUIC stream
	Number uint64 // of the strand, in the lane
}

// AppendStrand appends the first frame of a strand.
func AppendStrand(dst []byte, s Strand) ([]byte, error) {
	start := len(dst)
	dst = binary.AppendUvarint(begin(dst, TypeStrand), s.Lane)
	return end(binary.AppendUvarint(dst, s.Number), start)
}

// ParseStrand reads a Strand.
func ParseStrand(payload []byte) (Strand, error) {
	c := cursor{b: payload}
	s := Strand{Lane: c.uv("a lane"), Number: c.uv("a strand")}
	return s, c.done()
}

// Aside says on which strand the next frames of a lane are.
type Aside struct {
	Strand uint64
	Count  int // 0: the strand is at its end
}

// AppendAside appends an Aside frame.
func AppendAside(dst []byte, a Aside) ([]byte, error) {
	if a.Count < 0 || a.Count > MaxAside {
		return dst, bad("an aside of %d frames", a.Count)
	}
	start := len(dst)
	dst = binary.AppendUvarint(begin(dst, TypeAside), a.Strand)
	return end(binary.AppendUvarint(dst, uint64(a.Count)), start)
}

// ParseAside reads an Aside.
func ParseAside(payload []byte) (Aside, error) {
	c := cursor{b: payload}
	a := Aside{Strand: c.uv("a strand"), Count: int(c.uvMax(MaxAside, "a number of frames"))}
	return a, c.done()
}

// Frames counts the whole frames in b, which Append functions made.
func Frames(b []byte) (n int) {
	for len(b) >= HeaderLen {
		b = b[min(len(b), HeaderLen+int(binary.BigEndian.Uint32(b))):]
		n++
	}
	return n
}
