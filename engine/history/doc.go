// Package history judges what several devices keep of a folder: it joins their
// lists into one, and chooses the version that a person means.
//
// It is pure: devices' lists come in as values in the order of tree.KeptPage, and
// a moment is a number that the caller gives. It promises
//
//   - that the same content which several devices put away is one Edition with
//     several keepers, put away when the first of them did;
//   - that the result does not depend on the order in which devices are named;
//   - that of one path at most MaxVersions of a device are held in memory, and of
//     a folder one path at a time.
//
// It never decides what stands now: the caller's index knows that.
//
// Files: join.go (lists into one), choose.go (which version), sight.go (what a
// person sees of a path at a moment), expire.go (what may be let go).
package history
