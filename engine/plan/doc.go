// Package plan holds what is to be done to a folder as values (Action), and
// makes a safe sequence of them: parents before children, copies before what
// relies on them, deletions last and deepest first; a deletion and a creation
// of the same content become one move; a mass deletion, or a mass change into
// what looks encrypted, is held.
//
// The guard's rule. A file is lost when it is deleted (a move is no deletion), or
// when its content gives way to one that looks encrypted although it did not
// before and its name is not that of an encrypted format:
//
//	before       after                        lost
//	text         noise                        yes
//	jpeg, zip    noise                        yes: what made it has dropped the format's magic number
//	jpeg         jpeg with other tags         no
//	text         zip, jpeg, pdf, zstd         no
//	text         other text, base64           no
//	noise        noise                        no: a vault's file, a container
//	.gpg, .c9r   noise                        no
//	nothing      noise                        no: a new file takes nothing away, nor one that had under 24 bytes
//	a            nothing, and a.locked noise  yes: a was deleted, and did not move
//
// What was lost within ten minutes, and what is about to be, counts together. From
// 25 files and a third of the folder on it is held.
//
// It is pure: no I/O, no clock, no goroutines. It never decides what should
// stand at a path (engine/reconcile does) and never touches a disk
// (engine/apply does).
package plan
