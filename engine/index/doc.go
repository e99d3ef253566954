// Package index is what a folder knows: what stands here, what other devices
// have told and we do not hold yet, what was archived. It is one SQLite file in
// the folder's own hidden directory, on the disk that it describes.
//
// It promises:
//   - A commit that returned survives a power cut (WAL, synchronous=FULL), and
//     it is all there or not at all, counters of the status page included.
//     What a peer told is flushed with the commit after it: before, a power cut takes
//     it back together with how far that peer had told, and it is told again.
//   - Observations are kept, work is not: what awaits is what the remote table
//     holds, that is, what peers announced and our own rows do not cover.
//   - One row per file however many devices there are. What a row
//     tells never changes: an update is a new row under a new Seq, so that Seq
//     order is history. Only what lstat gave is renewed in place (Change.Quiet).
//   - A version counter that was committed is never given again. An index that
//     was restored from an older copy is recognised, by ErrRolledBack and by
//     SendFrom, and begins a new life with Forked.
//   - Memory depends on Options.CacheKiB, not on the number of rows: whatever
//     lists rows reads them in pages and holds no read transaction while it
//     calls back. A listing that goes on during commits may therefore see a
//     later page in a later state; the rule of Change.If makes that harmless.
//   - What is read from the file is checked: a row that is not what this package
//     writes is ErrDamaged, never a panic. A damaged index costs a scan, not data.
//
// It never touches the person's files, never reads a clock or a random source
// that it was not handed, and starts no goroutine.
//
// # The file
//
// Paths are stored as bytes with "/" replaced by a zero byte, so that the byte
// order is tree.Path.Compare's. Kinds are tree.Kind plus 8 for a conflict copy,
// or plus 16 for a tombstone. Contents are indexed by their first 48 bits. The
// rest of an entry is one blob (codec.go); replicas in it are the small ids of
// the replica table. The primary key of remote is the order of urgency. The row
// "head" of meta holds what changes with every commit.
package index
