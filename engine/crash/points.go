package crash

// Points are all moments that have a name: what changes a folder's disk, the
// index, or a file in the home directory, before and after; and writes that end
// in the middle.
var Points = []string{
	"apply.note.before", "apply.note.after",
	"apply.mkdir.before", "apply.mkdir.after",
	"apply.symlink.before", "apply.symlink.after",
	"apply.remove.before", "apply.remove.after",
	"apply.rmdir.before", "apply.rmdir.after",
	"apply.rename.before", "apply.rename.after",
	"apply.exchange.before", "apply.exchange.after",
	"apply.mode.before", "apply.mode.after",
	"apply.mtime.before", "apply.mtime.after",
	"apply.syncfs.before", "apply.syncfs.after",
	"apply.syncfile.before", "apply.syncfile.after",
	"apply.syncdir.before", "apply.syncdir.after",

	"transfer.create.before", "transfer.create.after",
	"transfer.write.before", "transfer.write.half", "transfer.write.after",
	"transfer.new.before", "transfer.new.after",
	"transfer.truncate.before", "transfer.truncate.after",
	"transfer.sync.before", "transfer.sync.after",
	"transfer.rename.before", "transfer.rename.after",
	"transfer.remove.before", "transfer.remove.after",
	"transfer.reflink.before", "transfer.reflink.after",
	"transfer.syncdir.before", "transfer.syncdir.after",

	"index.open.before", "index.open.after",
	"index.commit.before", "index.commit.after",
	"index.observe.before", "index.observe.after",
	"index.missing.before", "index.missing.after",

	"file.create", "file.half", "file.written", "file.flushed", "file.renamed", // a small file: config, marker, roster
}
