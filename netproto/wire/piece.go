package wire

import (
	"encoding/binary"

	"pinion/engine/tree"
)

// MaxPiece is how many bytes of data a Piece may have.
const MaxPiece = 128 << 10

// Piece is some bytes of one want of a request, or its end.
type Piece struct {
	Index  int // of the want in its request
	Last   bool
	Gone   bool // the want can't be answered (any more)
	Offset int64
	Data   []byte
}

const (
	pieceLast = 1 << iota
	pieceGone
)

func (p Piece) check() error {
	switch {
	case p.Index < 0 || p.Index >= MaxWants:
		return bad("a piece of want %d", p.Index)
	case p.Gone && (!p.Last || len(p.Data) > 0):
		return bad("a piece that is gone and there")
	case !p.Last && len(p.Data) == 0:
		return bad("an empty piece")
	case len(p.Data) > MaxPiece:
		return bad("a piece of %d bytes", len(p.Data))
	case p.Offset < 0 || p.Offset >= 2*MaxSize:
		return bad("a piece at %d", p.Offset)
	}
	return nil
}

// AppendPiece appends a Piece frame.
func AppendPiece(dst []byte, p Piece) ([]byte, error) {
	if err := p.check(); err != nil {
		return dst, err
	}
	start := len(dst)
	var flags byte
	if p.Last {
		flags |= pieceLast
	}
	if p.Gone {
		flags |= pieceGone
	}
	dst = append(binary.AppendUvarint(begin(dst, TypePiece), uint64(p.Index)), flags)
	dst = binary.AppendUvarint(dst, uint64(p.Offset))
	return end(append(dst, p.Data...), start)
}

// ParsePiece reads a Piece. Data is a part of payload.
func ParsePiece(payload []byte) (p Piece, err error) {
	c := cursor{b: payload}
	p.Index = int(c.uvMax(MaxWants-1, "a piece's want"))
	flags := c.byte("the flags")
	if flags&^(pieceLast|pieceGone) != 0 {
		c.fail("a piece with unknown flags")
	}
	p.Last, p.Gone = flags&pieceLast != 0, flags&pieceGone != 0
	p.Offset = int64(c.uvMax(uint64(2*MaxSize-1), "an offset"))
	if c.err != nil {
		return Piece{}, c.err
	}
	p.Data = c.b
	return p, p.check()
}

// Progress checks the Pieces of one request against its wants.
type Progress struct {
	wants []tree.Want
	at    int   // the want whose pieces come now
	got   int64 // bytes of it that came
}

// NewProgress begins with the first want.
func NewProgress(wants []tree.Want) *Progress { return &Progress{wants: wants} }

// Take says whether p may come now.
func (g *Progress) Take(p Piece) error {
	if p.Index != g.at || g.at >= len(g.wants) {
		return bad("a piece of want %d instead of %d", p.Index, g.at)
	}
	w := g.wants[g.at]
	limit := w.Length
	if w.Whole && limit == 0 {
		limit = MaxWhole
	}
	if len(p.Data) > 0 && p.Offset != w.Offset+g.got {
		return bad("a piece at %d instead of %d", p.Offset, w.Offset+g.got)
	}
	g.got += int64(len(p.Data))
	if g.got > limit {
		return bad("more than the %d bytes that were wanted", limit)
	}
	if !p.Last {
		return nil
	}
	if !p.Gone && !w.Whole && g.got != w.Length {
		return bad("%d bytes of the %d that were wanted", g.got, w.Length)
	}
	g.at, g.got = g.at+1, 0
	return nil
}

// Done says whether all wants are ended.
func (g *Progress) Done() bool { return g.at >= len(g.wants) }
