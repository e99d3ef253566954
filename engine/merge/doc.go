// Package merge joins what two people made of one text, line by line, when the
// text that both began with is known.
//
// It is pure: bytes in, bytes out. The same three texts give the same result on
// every device, so that devices that merge at once agree.
//
// A line is what ends in "\n"; its ending, its encoding and a missing last "\n"
// are part of it and are kept as they are. What only one side changed is taken
// from that side, what both changed alike is taken once. Where both changed the
// same lines, or lines that touch, they collide: then there is no result, and it
// is said which lines.
//
// It never guesses, never writes marks of a conflict into a text, and refuses
// what is no text or too large (see Refused).
package merge
