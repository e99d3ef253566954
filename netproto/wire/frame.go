package wire

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// Type says what a frame's payload is.
type Type byte

const (
	TypeHello  Type = 1
	TypeRoster Type = 2
	TypeOffers Type = 3
	TypeState  Type = 4
	TypePing   Type = 5
	TypePong   Type = 6

	TypeIndexHeader Type = 16
	TypeBatch       Type = 17
	TypeGift        Type = 18

	TypeLane            Type = 32
	TypeManifestRequest Type = 33
	TypeManifestPart    Type = 34
	TypeFetchRequest    Type = 35
	TypePiece           Type = 36
	TypePacked          Type = 37
	TypeKeptRequest     Type = 38
	TypeKeptPart        Type = 39
	TypeAside           Type = 40
	TypeStrand          Type = 41
	TypeMore            Type = 42

	TypeJoin Type = 48
)

// Max is the cap of a payload in bytes; -1 for an unknown type.
func (t Type) Max() int {
	switch t {
	case TypeHello:
		return 1 << 10
	case TypeRoster:
		return 1 << 20
	case TypeOffers:
		return 256 << 10
	case TypeState:
		return 384
	case TypeManifestRequest:
		return 256
	case TypePing, TypePong:
		return 8
	case TypeIndexHeader:
		return 64
	case TypeBatch:
		return MaxBatchBytes + 16
	case TypeLane, TypeMore:
		return 16
	case TypeAside, TypeStrand:
		return 24
	case TypeGift:
		return MaxGift + 1<<10
	case TypeManifestPart:
		return 640 << 10
	case TypeKeptRequest:
		return 9 << 10
	case TypeKeptPart:
		return 256 << 10
	case TypeFetchRequest:
		return MaxRequestBytes
	case TypePiece:
		return MaxPiece + 1<<10
	case TypePacked:
		return MaxPacked
	case TypeJoin:
		return 16 << 10
	}
	return -1
}

var (
	// ErrBad is wrapped by every error about bytes that break the SPEC.
	ErrBad = errors.New("bad message")
	// ErrTooLarge is wrapped by errors of Append about a message over its cap.
	ErrTooLarge = errors.New("message too large")
)

func bad(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrBad, fmt.Sprintf(format, args...))
}

// HeaderLen is how many bytes stand before each payload.
const HeaderLen = 5

// ParseHeader reads a frame's first HeaderLen bytes.
func ParseHeader(b []byte) (t Type, length int, err error) {
	t = Type(b[4])
	n := binary.BigEndian.Uint32(b)
	limit := t.Max()
	if limit < 0 {
		return 0, 0, bad("type %d is unknown", t)
	}
	if n > uint32(limit) {
		return 0, 0, bad("type %d with %d bytes, %d are allowed", t, n, limit)
	}
	return t, int(n), nil
}

// begin appends a header whose length end fills in.
func begin(dst []byte, t Type) []byte { return append(dst, 0, 0, 0, 0, byte(t)) }

// end completes the frame that begins at start. Over the cap, dst is given back
// as it was before.
func end(dst []byte, start int) ([]byte, error) {
	t, n := Type(dst[start+4]), len(dst)-start-HeaderLen
	if n > t.Max() {
		return dst[:start], fmt.Errorf("%w: type %d with %d bytes, %d are allowed", ErrTooLarge, t, n, t.Max())
	}
	binary.BigEndian.PutUint32(dst[start:], uint32(n))
	return dst, nil
}

// appendFrame appends a frame around a payload.
func appendFrame(dst []byte, t Type, payload []byte) ([]byte, error) {
	start := len(dst)
	return end(append(begin(dst, t), payload...), start)
}

// Reader cuts a stream of bytes into frames. After an error of the underlying
// reader that passes (a deadline), Next may be called again and goes on where it
// was.
type Reader struct {
	r          io.Reader
	keep       int
	buf        []byte
	start, end int
	got        int64
}

// NewReader makes a Reader that keeps a buffer of up to keep bytes while nothing
// is under way.
func NewReader(r io.Reader, keep int) *Reader { return &Reader{r: r, keep: keep} }

// Received is how many bytes were read so far.
func (r *Reader) Received() int64 { return r.got }

// Await waits until something has come.
func (r *Reader) Await() error { return r.fill(1) }

// Idle says whether nothing of the next frame has come yet.
func (r *Reader) Idle() bool { return r.start == r.end }

// Ready says whether the next frame is there already, so that Next won't wait.
func (r *Reader) Ready() bool {
	if r.end-r.start < HeaderLen {
		return false
	}
	n := binary.BigEndian.Uint32(r.buf[r.start:])
	return int64(r.end-r.start) >= HeaderLen+int64(n)
}

// Head waits until the next frame's head is there, and says what it is of. Next
// gives the whole.
func (r *Reader) Head() (Type, int, error) {
	if err := r.fill(HeaderLen); err != nil {
		return 0, 0, err
	}
	return ParseHeader(r.buf[r.start : r.start+HeaderLen])
}

// Next gives the next frame. The payload is valid until the next call. At the
// end between two frames the error is io.EOF, within one io.ErrUnexpectedEOF.
func (r *Reader) Next() (Type, []byte, error) {
	t, n, err := r.Head()
	if err != nil {
		return 0, nil, err
	}
	if err := r.fill(HeaderLen + n); err != nil {
		return 0, nil, err
	}
	payload := r.buf[r.start+HeaderLen : r.start+HeaderLen+n]
	r.start += HeaderLen + n
	return t, payload, nil
}

const leastBuffer = 2 << 10

// fill reads until n bytes of the frame under way are in the buffer.
func (r *Reader) fill(n int) error {
	for r.end-r.start < n {
		r.room(n)
		k, err := r.r.Read(r.buf[r.end:])
		r.end += k
		r.got += int64(k)
		if err != nil && r.end-r.start < n {
			if err == io.EOF && r.end > r.start {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
	}
	return nil
}

// room makes place for at least one more byte of a frame of n bytes. The buffer
// doubles as bytes come, so a claimed length costs nothing by itself.
func (r *Reader) room(n int) {
	have := r.end - r.start
	switch {
	case have == 0 && len(r.buf) > max(r.keep, leastBuffer):
		r.buf, r.start, r.end = nil, 0, 0
	case have == 0:
		r.start, r.end = 0, 0
	}
	if r.start > 0 && (r.end == len(r.buf) || len(r.buf)-r.start < n) {
		copy(r.buf, r.buf[r.start:r.end])
		r.start, r.end = 0, have
	}
	if r.end < len(r.buf) {
		return
	}
	size := max(2*len(r.buf), leastBuffer)
	if have == 0 && r.keep > leastBuffer {
		size = max(size, min(r.keep, 64<<10))
	}
	grown := make([]byte, size)
	copy(grown, r.buf)
	r.buf = grown
}
