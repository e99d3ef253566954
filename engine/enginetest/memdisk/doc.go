// Package memdisk is a file system in memory on which an engine can live, with a
// power switch: what was not flushed may be gone when it comes back.
//
// A Disk is a folder's directory. Disk.Open gives a folder.Disk, Disk.Watch a
// folder.Watcher; Write, Edit, Rename, Remove and the others are what a person does to it. Each call
// of an engine passes its Gate before it does anything.
//
// What a power cut leaves (Disk.Crash):
//   - of a file that was written since its last flush: any of its 4 KiB blocks as
//     they were or as they are, and any length between;
//   - of the directories: any of the operations since the last flush, except that
//     one cannot survive without those before it that concern the same names or
//     the same files. A rename is one operation: it never leaves both names or
//     neither.
//
// SyncDir keeps the operations on that directory, SyncFile a file's bytes, mode
// and time, SyncFS everything.
package memdisk
