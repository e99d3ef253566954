// Package tree is Pinion's vocabulary: what a path, an entry, a version, a
// content id and a device are. It imports nothing of ours, does no I/O, reads
// no clock, and all other rooms may import it.
//
// Values of this package are plain data. Those that come from a peer are
// checked where they are decoded (Path by ParsePath, the rest by the wire), so
// that a value that exists is a value that is allowed.
package tree
