package wire

import "pinion/engine/tree"

// CapGifts in Hello.Caps says that a device takes contents ahead of their rows.
const CapGifts = 1 << 6

// MaxGift is how long a content may be that is sent ahead, in bytes.
const MaxGift = 16 << 10

// AppendGift appends a content that is sent ahead of its row.
func AppendGift(dst []byte, id tree.ContentID, data []byte) ([]byte, error) {
	if len(data) == 0 || len(data) > MaxGift || id.IsZero() {
		return dst, bad("a gift of %d bytes", len(data))
	}
	start := len(dst)
	dst = append(begin(dst, TypeGift), id[:]...)
	return end(appendBytes(dst, data), start)
}

// ParseGift reads a Gift; data is part of payload.
func ParseGift(payload []byte) (id tree.ContentID, data []byte, err error) {
	c := cursor{b: payload}
	id, data = c.content("a gift's id"), c.bytes(MaxGift, "a gift")
	if err := c.done(); err != nil {
		return id, nil, err
	}
	if len(data) == 0 {
		return id, nil, bad("an empty gift")
	}
	return id, data, nil
}
