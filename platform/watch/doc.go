// Package watch tells which paths of a folder may have changed.
//
// What it gives are hints, never truths: a scan decides what a hint means. It
// promises that after Ready every change below the root is covered by a hint
// that is handed out after the change: by its path, by a directory that holds
// it, by a subtree, or by All; unless Warning says that the system would not
// let it watch everything, in which case scanning must stand in. The first full
// scan therefore starts after Ready.
//
// What each system guarantees, and what this package makes of it:
//
//   - Linux (fsnotify, inotify): one watch per directory. A directory is
//     watched first and listed after, so that what is made early in a new
//     directory is not missed; a directory that moves is dropped and added
//     again. Events are in order, and a full kernel queue is reported: then all
//     watches are made anew (a lost rename would leave them with wrong names)
//     and All is handed out. Mounts over, under and off the root are noticed
//     through the mount table. Limits: fs.inotify.max_user_watches and
//     max_user_instances.
//   - macOS and Windows (rjeczalik/notify): the tree is watched natively.
//     Events are unordered and are dropped silently when the channel is full:
//     a channel that was nearly full counts as one that overflowed.
//   - Elsewhere: nothing is watched, and Warning says so.
//
// At rest nothing wakes up: there are no ticks. Memory is bounded by
// Options.Limit and, on Linux, by the number of directories.
//
// The package never reads a file's content and never writes anything.
package watch
