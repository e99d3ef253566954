// Package apply carries a plan out on the disk. It is the room that must never
// lose a person's file.
//
// A group of actions is made durable together. What Group does, in order:
//
//	look       each path that is to change is lstat-ed: it is what the index says, nobody writes it, else it is left alone
//	dress      staged files get their mode and mtime, so that a name appears complete
//	intend     a note of what is about to be displaced, and where from (only if something will be)
//	flush      one SyncFS: staged content and the note are durable before any name changes
//	rename     create  by rename without replacing
//	           replace by exchange, then a look at what came out
//	           delete  by taking out, then a look at what came out
//	           move    by rename without replacing, with a look before and after
//	           what came out and is what the index said goes to the archive (or becomes the conflict copy that the plan wants);
//	           what came out and is not, goes back, or gets a conflict's name beside its path when its place was taken again
//	flush      one SyncFS: names are durable
//	confirm    a fresh lstat of each path, for the index
//	forget     the note is removed
//
// Where a file system cannot exchange, what stands is taken out first and the
// new is put in its place: a gap that the note explains. Recover, which must
// run before any scan, closes such gaps, so that none is taken for a deletion.
//
// What it promises:
//   - No path of a person is ever renamed over, opened for writing, or unlinked. The only things
//     that are unlinked are Pinion's own notes, links and directories, and directories that are empty.
//   - Whatever a person wrote, at whatever moment, is afterwards live, beside its path under a
//     conflict's name, or in the archive.
//   - After a crash between any two system calls a live name holds its old or its new content, whole.
//   - An outcome says Done only for what is durable, with the lstat of what was put there: an edit
//     made since shows as a difference from it.
//   - What goes wrong with one path is data in its Outcome; only a dead root ends a group.
//
// What displaced files hold is looked at again later (Recheck): an editor that
// had one open may have gone on writing into it. The list of those is kept on
// disk in notes beside the intents, bounded in number and age.
//
// Things on their way in or out lie in .pinion/apply, which is apply's alone,
// and never in .pinion/tmp, so that whoever tidies the staging area cannot take
// a person's file with it.
package apply
