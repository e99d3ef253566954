// Package identity is who a device is: an Ed25519 key kept in its home, the
// certificate that shows the key to peers, and the TLS settings that pin a
// peer's key inside the handshake.
//
// It promises that the key is on the disk, whole, before it is used; that a key
// file that exists is never replaced, however damaged; that the certificate is
// a pure function of the key, so that it is the same after each start; and that
// a handshake ends well only with the device that was expected (dialling) or
// allowed (listening), in TLS 1.3, with a certificate from both sides.
//
// It knows no certificate authority, no session tickets and no early data: each
// connection proves both keys anew. It never sends the private key anywhere and
// never signs bytes without a domain in front of them, so that a signature made
// for one purpose means nothing for another. What is signed is
//
//	domain || 0x00 || message
package identity
