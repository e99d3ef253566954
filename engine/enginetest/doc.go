// Package enginetest is a small world of devices for tests: real engines with
// real folders on disk, in one process, connected by a network in memory that
// can be cut, mended, stalled and listened to.
//
// World is an alphabet: each call is one thing that a person or the weather
// does, and a test is a story told in it. Paths are FOLDER/REST, below the
// device's own directory. What goes wrong ends the test with a sentence, the
// state of all engines and what they logged.
//
// Nothing here asserts on the clock: waits poll and end with a generous
// deadline.
//
// Files: world.go (devices, their life), steps.go (what happens on disks),
// asks.go (what a person asks of an engine), waits.go (waiting and comparing),
// network.go (the circle), link.go (a connection).
package enginetest
