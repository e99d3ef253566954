// Package wire turns the messages of netproto/SPEC.md into bytes and back: one
// message per file, each with an Append function that writes a whole frame and
// a Parse function that takes a payload.
//
// What Parse returns obeys the rules of the SPEC and of engine/tree; anything
// else is an error that wraps ErrBad. Memory grows with the bytes that are
// there, never with a number that they claim. Append refuses what the other
// side would refuse, so that a fault of our own is found where it is made.
//
// The package is pure: no I/O but on a reader that is handed in, no clock, no
// goroutine, no state but what a value holds.
package wire
