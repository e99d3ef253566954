// Package transfer brings the content that a folder needs into its staging
// directory (Fetcher), and gives peers what they ask for (Server).
//
// # What comes out
//
// A Job asks for one entry's content. Its Result names a file in .pinion/tmp
// that holds exactly those bytes, checked against the ContentID, and which from
// then on belongs to whoever took the Result. It is not flushed: whoever gives
// it a name flushes it first, in groups. Contents are checked before they are
// written, so that bytes which a peer made up are never on the disk.
//
// # How
//
// Content of one chunk (up to chunk.SmallMax) is looked for here, then asked for
// in batches, several under way for each peer. Larger content goes through a
// part file:
//
//	<id>.chunks   the chunk list, on disk before the first chunk
//	<id>.part     the bytes; what is not there yet is a hole
//	<id>.have     written at an orderly stop: which chunks are there, and the
//	              part's size and mtime, without which it counts for nothing
//
// First what is here already: the part itself (every chunk is read and checked,
// unless the note above holds), the same content elsewhere in the folder or the
// archive (shared blocks where the file system can), chunks of the version that
// it replaces. Then the rest from all peers that announced it at once: each
// takes a run of chunks, sized by how fast it was; when no run is left, the rest
// of the slowest is asked for a second time elsewhere.
//
// Big content never holds up small content (they use different lanes), a huge
// file leaves room for larger ones beside it, and a job that nobody connected
// can serve waits without holding a place.
//
// # Promises
//
// Memory depends on Limits and the number of peers: a few chunks for each lane,
// and the chunk lists of the few big contents that are under way. A peer that is
// silent for StallAfter loses what it was asked for; one that sends other bytes
// than were asked for is not asked for that content again in its session, and
// for nothing any more after a few such contents. Nothing of a peer's word is
// used unchecked. Run returns when every goroutine has ended.
//
// It never writes outside .pinion/tmp, never opens a file for writing that it
// handed out, and never removes a finished stage that does not hold what its
// name says.
package transfer
