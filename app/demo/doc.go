// Package demo shows Pinion at work on one machine: it starts real engines as
// child processes with homes in a temporary directory, pairs them through an
// invitation, syncs a copy of a tree between them, and then edits, renames,
// deletes and makes a conflict, verifying each step on all devices.
//
// It promises that the person's own directory is only read, that no child
// outlives it, and that it fails if a single file, permission or mtime differs.
package demo
