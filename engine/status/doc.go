// Package status is what the engine says about itself: an immutable State and
// the Board on which the newest one hangs. Who watches gets the full state
// first, then each newer one; nothing is lost by being slow, only the states in
// between. The JSON form of State is documented and does not change meaning.
//
// The package does no I/O and reads no clock.
package status
