// Package hostile is a member of a circle gone bad, for tests: it has a key that
// counts, so it gets a session, and then sends what it should not.
//
// Its encoder follows SPEC.md's layout and checks nothing. Rogue holds the
// session: it answers what it is asked for with whatever a test hands it, reads
// what it is told (or leaves it lying), and remembers with which code and words
// it was thrown out.
//
// Nothing but tests imports it.
package hostile
