// Package scan compares a folder on disk with its index and tells the
// differences.
//
// Full merges a depth-first walk of the disk with a walk of the index, in one
// order, so that memory does not grow with the tree: what is held is one
// directory's names for each level, a batch of changes, and a bounded list of
// what is missing. Paths looks only where it is told to.
//
// Promises:
//
//   - A path is told as missing only when its directory could be opened and
//     listed, when it is still not there as the batch goes out, and when the
//     folder's marker stood right before that. What can't be read, what lies on
//     another file system, and what an ignore rule newly matches is never
//     missing. A root that is empty while the index holds files is an error.
//   - A content is told only when the file's lstat was the same before it was
//     opened and after the last byte was read. A file that is being written is
//     told as unstable, to be looked at again.
//   - A file whose mtime is so young that another write could get the same one
//     is told with a Disk that matches nothing, and as unstable: it is looked
//     at again.
//   - What is missing comes after everything else, so that a moved file still
//     has its row in the index when its new name is found, and is not read.
//
// It never writes: neither to the disk nor to the index. Each Change carries the
// Seq of the row that it was compared with.
package scan
