// Package discover is where devices may be found: the addresses that are worth
// a try, in which order, and the local network's own way of telling.
//
// Pure parts: Book (candidate addresses per device), ListenAddrs (what this
// device tells others about itself), Pace (when to look again). The rest is
// small: Interfaces reads the system's list, MDNS announces and asks on the
// local network, Seek asks for as long as somebody is missing.
//
// It promises bounds on all that is kept, and silence when nobody is missing: a
// query goes out at the start, after a network change, and then at growing
// intervals, only while Wanted names somebody.
//
// On the local network a device announces the service _pinion._udp with, in TXT
// records,
//
//	v=1
//	s=SALT     8 random bytes in hex, new at each start
//	h=HASH     SHA-256("pinion lan 1" || 0x00 || salt || device id), first 16 bytes in hex
//	a=ADDRESS  HOST:PORT, up to 4 times
//
// so that only who knows the device id recognises it, and nobody can follow it
// from network to network. What is heard is a hint and nothing else: the
// handshake proves who answers. Nothing secret is ever announced.
package discover
