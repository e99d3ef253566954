// Package noise says whether bytes look encrypted: they can't be told from
// random ones, and they do not begin as any known format does.
//
// Compressed formats (pictures, films, archives, documents) come close to random
// bytes, too, but each of them begins with a magic number; what a program made
// that encrypts other people's files does not. Not recognised are: an encryption
// that leaves the first kilobytes, or writes a known format's beginning; one
// whose output is text (base64); and files under 24 bytes, of which nothing can
// be said.
//
// It is pure and looks at the first bytes only (Head), so that it costs a few
// hundred nanoseconds for what is not noise and some microseconds for what is.
package noise
