// Package history is the page on which a person looks back: a folder as it stood
// at a moment, what was changed, deleted or moved since, the versions that are
// kept of a file and by whom, and the way to have any of it back.
//
// It shows what the engine says, a page of names at a time, first what this device
// knows by itself, then what the others add. Nothing here changes a file but by
// the engine's Restore, and whatever that replaces is in the archive and can be
// had back at once (Undo) or later. A copy that is opened is a copy: written to a
// directory of its own, read-only, and never run.
//
// Files: page.go (the page), listing.go (what is asked for and held), row.go (one
// name), moment.go (moments in a person's words, pure), words.go (sentences,
// pure), strip.go (the days), side.go (a file's versions), restore.go, copies.go.
package history
