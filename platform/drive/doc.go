// Package drive says on what a directory lies: which mount, which file system,
// how much room there is, whether it is across a network, whether it can be
// unplugged. It only looks.
//
// Linux: statx and /proc/self/mountinfo, statfs, and /sys for what is removable.
// macOS: statfs; removable is what the system marks so. Windows: the volume's
// information. Removable is a best effort everywhere: it is for words to a
// person, never for a decision about their files.
package drive
