// Package pairing is how a device joins a circle: invitations, the link that
// carries one, and the exchange between who invited and who joins. (pure state
// machine)
//
// # The link
//
//	pinion://join/ + base32 without padding, in lower case, of
//
//	version (1)  device id (32)  secret (16)  expires, unix seconds (4)
//	count (1)  addresses  checksum (4: of SHA-256 of all before)
//
// Numbers are big-endian. An address is its kind in one byte (1 IPv4, 2 IPv6,
// 3 host name with its length before it, plus 16 if a port follows), its bytes,
// and the port (2) unless it is 27464. The checksum is at the
// end in every version, so that a typing error is never taken for a
// newer version. Upper case is read as well, and makes a smaller QR code.
//
// # The exchange
//
// Over a TLS 1.3 connection on which the joiner has pinned the inviter's device
// id, each message at most MaxMessage, CBOR with integer keys:
//
//	joiner  -> Hello    id of the invitation, name, proof
//	inviter -> Welcome  name, proof, statements     (More … while there are more)
//	joiner  -> Done     statements                  (More … likewise)
//	inviter -> Ack
//	either  -> Refuse   code; ends it
//
//	id    = SHA-256("pinion invitation" || 0x00 || secret), first 16 bytes
//	proof = HMAC-SHA256(secret, role || 0x00 || exporter || joiner's id || inviter's id)
//	role  = "joiner" in Hello, "inviter" in Welcome
//
// exporter is 32 bytes of TLS keying material with the label "pinion join": a
// proof is worth nothing on another connection. The secret itself never crosses
// the wire.
//
// # What it promises
//
// An invitation is good for 15 minutes by the inviter's clock and for one
// device, which may try again until it has joined; three wrong proofs burn it.
// At most eight are open; a further one takes the place of the oldest.
//
// The inviter endorses before it says Welcome, the joiner before it says Done,
// each durably (Roster). A crash or a cut before Welcome arrived leaves the
// joiner as it was: at worst the inviter lists a device that never came, and the
// person invites again. After that both are members in each other's eyes, and
// the rest of the roster travels in their first session.
//
// It does no I/O, reads no clock and starts no goroutine. It never logs or
// prints a secret. Nothing here is safe for use by several goroutines at once.
package pairing
