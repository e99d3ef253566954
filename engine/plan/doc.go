// Package plan holds what is to be done to a folder as values (Action), and
// makes a safe sequence of them: parents before children, copies before what
// relies on them, deletions last and deepest first; a deletion and a creation
// of the same content become one move; mass deletions are held.
//
// It is pure: no I/O, no clock, no goroutines. It never decides what should
// stand at a path (engine/reconcile does) and never touches a disk
// (engine/apply does).
package plan
