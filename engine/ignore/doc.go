// Package ignore says which names in a folder are not synced: the rules of
// .pinionignore, in gitignore's syntax, after a list of defaults that they may
// take back. Pinion's own directory at the root is always ignored.
//
// It is pure: text in, answers out. It reads no file and no clock. A Matcher is
// never modified once made and may be used by many goroutines.
//
// The matching is done here, with a table for what most rules are (a name, or
// *.ext): go-git's gitignore, which this was meant to use, answers otherwise
// than git does where a rule is taken back below an ignored directory and for
// "**/a/b", matches by the rules of the system that it runs on (two devices
// would disagree about a backslash), tries each pattern on each component
// of each path, and brings a configuration parser and a file system along.
package ignore
