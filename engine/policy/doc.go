// Package policy says whether bytes may move now, which, and how fast: from what
// a person has chosen, the time, and what is known of power and network.
//
// # What is decided
//
// A pause by hand goes before everything. Then each of the causes below asks for
// a pause or for small files only, and the strictest is done; of two that ask for
// the same, the one that stands first here is named.
//
//	schedule  a window of the week is open that says so
//	metered   the connection is paid for by the byte
//	battery   the machine runs on battery, with less charge than BatteryBelow
//	slow      what could move has moved slower than SlowBelow for a while
//
// Limits are those that were set; where windows with limits are open, the least
// of theirs for the directions that they name.
//
// # What it promises
//
// A cause takes effect at once and ends only when it has not held for a while
// (see the lingers), so that a link or a plug that comes and goes does not make
// the pause do so. A slow link is tried again after a quarter of an hour, since
// while only small files move nothing shows that it has become fast.
//
// Who resumes by hand waives the causes that hold at that moment, each until it
// has ended; of the schedule, until another window opens or one closes.
//
// Windows follow the clock on the wall: one from 22:00 to 6:00 is seven or nine
// hours long in the nights in which the clock is changed. A time of day that does
// not exist on a day is the one an hour beside it.
//
// It does no I/O and reads no clock: what it has to remember is handed in and
// out again.
package policy
