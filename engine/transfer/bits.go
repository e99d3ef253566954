package transfer

import "encoding/binary"

// bits is a set of small numbers.
type bits []uint64

func newBits(n int) bits      { return make(bits, (n+63)/64) }
func (b bits) has(i int) bool { return b[i/64]&(1<<(i%64)) != 0 }
func (b bits) set(i int)      { b[i/64] |= 1 << (i % 64) }
func (b bits) unset(i int)    { b[i/64] &^= 1 << (i % 64) }
func (b bits) append(dst []byte) []byte {
	for _, w := range b {
		dst = binary.LittleEndian.AppendUint64(dst, w)
	}
	return dst
}

// read fills b from what append gave.
func (b bits) read(src []byte) bool {
	if len(src) != 8*len(b) {
		return false
	}
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(src[8*i:])
	}
	return true
}
