//go:build desktoptest

// Package desktoptest proves the desktop program from outside: the real binary in
// a real session, with real engines.
//
// A Desk is a session of its own: an X server, a message bus, a window manager, a
// panel that hosts status icons, and a daemon for notifications. A test is a
// story that a person lives through at it. What the person sees is found in
// three ways, none of which asks the program for help:
//
//   - the icon, its tooltip and its menu are what the program says on the bus as a
//     StatusNotifierItem with a DBusMenu (icon.go). Menu items are looked up by
//     their words before each click, since their ids change;
//   - notifications are what arrives at the daemon: ours, which can answer as a
//     person does, or a real one with the bus being listened to (notices.go);
//   - what stands in a window is found by its words (words.go): the words are drawn
//     with the same font, small and large, regular and bold, and looked for in
//     the picture of the screen. What is found is readable by a person, and is
//     clicked in its middle with a real pointer (hand.go). No layout is known here.
//
// Then the disks and the engines are asked whether it is so.
//
// PINION_EXE names the binary (built with the tag desktop), PINION_SHOTS the
// directory that the pictures of the screen go to. .ci/test-desktop sets both.
package desktoptest
