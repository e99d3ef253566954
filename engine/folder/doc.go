// Package folder is the cycle of one folder, the only room that knows every
// stage:
//
//	hint -> scan -> index -> exchange -> (peers) -> reconcile -> plan -> transfer -> apply -> index -> status
//
// Folder.Run keeps the folder open for as long as its disk is there, and waits
// for the disk when it is not. While it is open, one goroutine (cycle.loop)
// owns all state; scans, transfers and groups of applies run beside it and hand
// their results back. Only the loop commits to the index.
//
// What is to be done is never remembered here: it is what peers have told and
// the index does not cover (index.Pending). What is held in memory is bounded
// by Limits, not by the folder.
//
// Files: folder.go (Run, open, missing), marker.go, loop.go (the cycle),
// notice.go, record.go and left.go (hints and scans into the index), missing.go
// (the guard on what is lost here and elsewhere), suspect.go (what was overwritten
// with what looks encrypted), doubt.go (what may hold other bytes than was read),
// takeback.go and holds.go (a person's no; what is said), work.go (pending paths
// into units), carry.go (units through transfer and apply into the index), late.go
// (what was displaced and may still be written to), relocate.go (a directory that
// goes elsewhere as a whole), coming.go (a large file that is still being read),
// peers.go, state.go (what it says of itself), tidy.go, space.go (room on the
// disk, and what waits for it), expire.go and adopt.go (what of the archive goes,
// and what its list lacks), kept.go (what is kept, and bringing it back), ask.go
// (what a person can ask).
package folder
