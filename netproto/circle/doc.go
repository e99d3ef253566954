// Package circle is the roster of a person's devices: a set of signed
// statements, and the one rule that says who is a member. (pure)
//
// # Statements
//
// Each is canonical CBOR with integer keys, at most 4 KiB, carries its signer's
// public key and a signature over all the rest of it, and so proves itself.
//
//	Endorse  signer says: this public key is one of us      (Epoch, As)
//	Remove   signer says: this device is one of us no more  (Epoch)
//	About    a device says its own name and addresses       (Seq)
//	Nick     signer names a device                          (Seq)
//
// A signer has one place for each kind and subject. What is newer takes the
// place: for Endorse the higher (As, Epoch), for the others the higher Epoch or
// Seq; the lower bytes where that is equal. A circle is thus a map whose every
// place only grows, so that merging is commutative, associative and idempotent,
// and all who exchanged everything hold the same, whatever the order.
//
// # Who is a member
//
// A pure function of the set and of self, the device that asks:
//
//	ever       = self and all that endorsements lead to from it, removed or not
//	removed(d) = the highest Epoch of a Remove of d signed by one of ever; else 0
//	members    = self and all that counting endorsements lead to from it
//
// An endorsement counts if its Epoch > removed(subject) and its As >
// removed(signer). So epochs number a device's lives: in its first it is
// endorsed with epoch 1 and signs with As 1. A Remove names the highest epoch
// that it knows and ends all lives up to it, together with all that the device
// endorsed in them. Only a new invitation begins the next life, with
// removed(d)+1; members that sign a device on their own account (Cosign) never
// go beyond the life that it is in.
//
// Removal wins: a Remove counts for ever, also when its signer is removed
// later, and two devices that remove each other are both gone for the rest.
// Failing closed costs an invitation; failing open would cost the data. What a
// stolen device can do is therefore: until a member hears of its removal, remove
// others in that member's eyes.
//
// Joining merges circles (Join): both sides endorse each other and hold the
// union. A device that returns from a removal brings only those along whom it
// endorsed after it knew. Every member that finds another one adds its own
// endorsement (Cosign), so that removing who invited orphans nobody.
//
// # What it never does
//
// It does no I/O, reads no clock, draws no randomness, and keeps at most
// MaxStatements: beyond that, what has no say in who is a member goes first, and
// what removes somebody goes last. It holds no lock: one goroutine owns a
// Circle.
package circle
