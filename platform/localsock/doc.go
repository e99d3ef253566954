// Package localsock is how programs of one person on one machine find each
// other: a unix socket that only its owner can open, and a lock on a file.
//
// Listen takes over the socket of a program that died, and never that of one
// that lives (ErrInUse). The socket has mode 0600 from the first instant at which
// it has its name. Beside the socket "x" stands its lock "x.lock", which stays
// when the listener is closed: a lock file that is removed can be held by two.
//
// A socket's address holds about 100 bytes. On Linux a longer path is reached
// through its open directory (/proc/self/fd), so that the socket is where it was
// asked for. Elsewhere it is made at a short path that follows from the long one
// alone: /tmp/pinion-UID/HASH, in a directory of mode 0700 that is checked to be
// ours; on Windows in the temporary directory.
package localsock
