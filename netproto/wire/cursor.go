package wire

import (
	"encoding/binary"

	"pinion/engine/tree"
)

// cursor takes packed fields off a payload. After the first that is wrong all
// others are zero, and err says why.
type cursor struct {
	b   []byte
	err error
}

func (c *cursor) fail(what string) {
	if c.err == nil {
		c.err = bad("%s", what)
	}
	c.b = nil
}

func (c *cursor) take(n uint64, what string) []byte {
	if c.err != nil || n > uint64(len(c.b)) {
		c.fail(what + " is cut short")
		return nil
	}
	out := c.b[:n:n]
	c.b = c.b[n:]
	return out
}

func (c *cursor) byte(what string) byte {
	if b := c.take(1, what); b != nil {
		return b[0]
	}
	return 0
}

func (c *cursor) u64(what string) uint64 {
	if b := c.take(8, what); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (c *cursor) uv(what string) uint64 {
	if c.err != nil {
		return 0
	}
	v, n := binary.Uvarint(c.b)
	if n <= 0 {
		c.fail(what + " is no number")
		return 0
	}
	c.b = c.b[n:]
	return v
}

func (c *cursor) sv(what string) int64 {
	v := c.uv(what)
	return int64(v>>1) ^ -int64(v&1)
}

// uvMax is a number of at most limit.
func (c *cursor) uvMax(limit uint64, what string) uint64 {
	v := c.uv(what)
	if v > limit {
		c.fail(what + " is out of range")
		return 0
	}
	return v
}

func (c *cursor) bytes(limit uint64, what string) []byte {
	return c.take(c.uvMax(limit, what), what)
}

func (c *cursor) content(what string) (id tree.ContentID) {
	b := c.take(uint64(len(id)), what)
	if b == nil {
		return id
	}
	if b[0] != tree.HashBLAKE3 {
		c.fail(what + " has an unknown hash")
		return id
	}
	copy(id[:], b)
	return id
}

func (c *cursor) path(s string, what string) tree.Path {
	if c.err != nil {
		return ""
	}
	p, err := tree.ParsePath(s)
	if err != nil {
		c.err = bad("%s: %v", what, err)
		c.b = nil
	}
	return p
}

// done is the error of the whole payload, which must be used up.
func (c *cursor) done() error {
	if c.err == nil && len(c.b) > 0 {
		c.fail("bytes are left over")
	}
	return c.err
}

func appendBytes[T ~string | ~[]byte](dst []byte, b T) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

func appendSigned(dst []byte, v int64) []byte {
	return binary.AppendUvarint(dst, uint64(v)<<1^uint64(v>>63))
}

// sharedPrefix is how many leading bytes two paths have in common.
func sharedPrefix(a, b string) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	return n
}

// appendPath appends a path as its difference to the one before it.
func appendPath(dst []byte, before, p string) []byte {
	n := sharedPrefix(before, p)
	return appendBytes(binary.AppendUvarint(dst, uint64(n)), p[n:])
}

// pathAfter reads what appendPath wrote, unchecked but for its length.
func (c *cursor) pathAfter(before, what string) string {
	n := c.uvMax(uint64(len(before)), what)
	rest := c.bytes(tree.MaxPath, what)
	if c.err != nil {
		return ""
	}
	if n+uint64(len(rest)) > tree.MaxPath {
		c.fail(what + " is too long")
		return ""
	}
	return before[:n] + string(rest)
}
