// Package reconcile decides for one path what has to become of it, from what
// stands here and from what other devices have announced: which version keeps
// the name, what becomes a conflict copy, what has to wait.
//
// It is pure: no I/O, no clock, no randomness, no goroutines. The same inputs
// give the same decision on every device, whatever the order in which they
// come, and that is how devices that never speak to each other settle the same
// conflict alike.
//
// It promises that
//   - the version of an outcome covers all that it settles, and is their join:
//     no device writes a stamp of its own to settle a conflict. The exceptions,
//     named in Decision.Bump, are directories that are revived for what is in
//     them and edits that follow a move;
//   - an edit never gives way to a deletion, and content that nobody has
//     replaced knowingly stays live, under its name or as a conflict copy;
//   - conflict copies never nest and are named by what is in them alone.
//
// The one thing about a copy on which devices may differ is the content that both
// versions were made from (Lookup.Ancestor): who saw more of the past knows it.
// The copies then differ in their tag alone, which the total order settles; a
// known ancestor beats none.
//
// Equal versions with different content can come about (three devices that join
// in different orders while somebody sets an mtime back). They are settled by a
// fixed total order, so that they heal instead of going round. Whoever stores
// what peers announce must therefore keep a row whose version is equal but
// whose content is not (see Settled).
//
// Decide may be given any subset of what was announced, for instance only the
// rows of devices that can be reached now: what it does not see it does not
// settle.
package reconcile
