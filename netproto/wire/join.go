package wire

// AppendJoin appends a frame of the join exchange, whose bytes are
// netproto/pairing's.
func AppendJoin(dst, message []byte) ([]byte, error) { return appendFrame(dst, TypeJoin, message) }
