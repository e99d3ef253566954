// Package udp makes the receiving of many UDP packets cheap where the system can:
// packets of one sender that came one after the other are taken from it in one
// piece, with one system call, and handed on one by one.
//
// Linux: UDP_GRO, from 5.12 on, where it can be read back whether it holds. The
// kernel joins only packets of one sender with the same length (the last may be
// shorter) and the same ECN mark, so each gets the control data of the whole.
// Elsewhere, and where it is refused, a socket stays what it was.
//
// Sending is left as it is: who sends several packets at once (UDP_SEGMENT) says
// so in the control data of each call.
package udp
