package wire

import (
	"encoding/binary"
	"fmt"

	"github.com/klauspost/compress/zstd"
)

const (
	// MaxPacked is the cap of a Packed frame, packed and unpacked.
	MaxPacked = 512 << 10
	// worthPacking is the size below which packing is not tried.
	worthPacking = 512
)

// Packer compresses and decompresses. It may be used by several goroutines at
// once; two of each kind work at a time, the others wait.
type Packer struct {
	enc *zstd.Encoder
	dec *zstd.Decoder
}

// NewPacker makes a Packer.
func NewPacker() (*Packer, error) {
	enc, err := zstd.NewWriter(nil,
		zstd.WithEncoderLevel(zstd.SpeedFastest),
		zstd.WithEncoderConcurrency(2),
		zstd.WithLowerEncoderMem(true),
		zstd.WithWindowSize(512<<10),
		zstd.WithEncoderCRC(false)) // QUIC and the content ids check already
	if err != nil {
		return nil, fmt.Errorf("set up zstd: %w", err)
	}
	dec, err := zstd.NewReader(nil,
		zstd.WithDecoderConcurrency(2),
		zstd.WithDecoderLowmem(true),
		zstd.WithDecoderMaxWindow(MaxBatchBytes),
		zstd.WithDecoderMaxMemory(MaxBatchBytes),
		zstd.WithDecodeAllCapLimit(true))
	if err != nil {
		return nil, fmt.Errorf("set up zstd: %w", err)
	}
	return &Packer{enc, dec}, nil
}

// pack appends uv(length) and the zstd frame of src; false, and dst as it was,
// if that is not at least a tenth smaller.
func (p *Packer) pack(dst, src []byte) ([]byte, bool) {
	if len(src) < worthPacking {
		return dst, false
	}
	start := len(dst)
	dst = p.enc.EncodeAll(src, binary.AppendUvarint(dst, uint64(len(src))))
	if len(dst)-start > len(src)-len(src)/10 {
		return dst[:start], false
	}
	return dst, true
}

// unpack reads what pack wrote into buf, which grows to the decoded length of at
// most limit.
func (p *Packer) unpack(buf, packed []byte, limit int) ([]byte, error) {
	c := cursor{b: packed}
	n := int(c.uvMax(uint64(limit), "the decoded length"))
	if c.err != nil {
		return nil, c.err
	}
	if cap(buf) < n {
		buf = make([]byte, 0, n)
	}
	out, err := p.dec.DecodeAll(c.b, buf[:0:n])
	if err != nil {
		return nil, bad("zstd: %v", err)
	}
	if len(out) != n {
		return nil, bad("%d decoded bytes instead of %d", len(out), n)
	}
	return buf[:n], nil // out, which the limit keeps in buf, with all of its room
}

// AppendPacked appends a Packed frame that stands for frames; false, and dst as
// it was, if that does not pay.
func (p *Packer) AppendPacked(dst, frames []byte) ([]byte, bool) {
	if len(frames) > MaxPacked {
		return dst, false
	}
	start := len(dst)
	dst, ok := p.pack(begin(dst, TypePacked), frames)
	if !ok {
		return dst[:start], false
	}
	if dst, err := end(dst, start); err == nil {
		return dst, true
	}
	return dst[:start], false
}

// Unpack gives the frames that a Packed frame stands for, in buf if it is large
// enough. Each is Piece, ManifestPart or KeptPart; Split takes them off.
func (p *Packer) Unpack(buf, payload []byte) ([]byte, error) {
	return p.unpack(buf, payload, MaxPacked)
}

// Split takes the first frame off unpacked frames.
func Split(frames []byte) (t Type, payload, rest []byte, err error) {
	if len(frames) < HeaderLen {
		return 0, nil, nil, bad("a packed frame is cut short")
	}
	t, n, err := ParseHeader(frames)
	if err != nil {
		return 0, nil, nil, err
	}
	if t != TypePiece && t != TypeManifestPart && t != TypeKeptPart && t != TypeGift {
		return 0, nil, nil, bad("type %d in a packed frame", t)
	}
	if len(frames)-HeaderLen < n {
		return 0, nil, nil, bad("a packed frame is cut short")
	}
	return t, frames[HeaderLen : HeaderLen+n], frames[HeaderLen+n:], nil
}
