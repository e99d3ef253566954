// Package chunk cuts a file's bytes into content-defined chunks and names them.
//
// # The rule, which is part of the protocol
//
// A file of no bytes has no chunks. A file of up to SmallMax bytes is one
// chunk. A larger one is cut by FastCDC ("fastcdc-v1.0.0" of
// PlakarKorp/go-cdc-chunkers, unkeyed) with the parameters of its size class:
//
//	size          least   normal     most   mean on random data
//	<=  4 GiB    32 KiB   64 KiB  256 KiB   76 KiB
//	<= 64 GiB   128 KiB  256 KiB    1 MiB   4 times that
//	<=  1 TiB   512 KiB    1 MiB    4 MiB   16 times that
//	<=  8 TiB     2 MiB    4 MiB   16 MiB   64 times that
//
// so that a chunk list stays near 1/2000 of the file, and shrinks beyond 4 GiB.
// A chunk's id is the BLAKE3 of its bytes. A file's id is that of its only
// chunk, or the BLAKE3 of its chunk list (for each chunk its length as a
// little-endian uint32, then its 33-byte id), or the BLAKE3 of nothing.
//
// Two devices that cut the same bytes get the same list: golden vectors in the
// tests hold the rule still when the library below changes.
//
// # Promises
//
// Memory is bounded by the size class, whatever the file. No I/O but on the
// reader that is handed in, no clock, no goroutine. What a peer sends as a
// chunk list is checked by Verify before anything is sized by it.
package chunk
