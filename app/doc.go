// Pinion keeps folders the same on devices that one person owns. This is the
// program: the engine (pinion --daemon) and all that a person types.
//
// main maps an error to an exit code, run does the rest; each subcommand, or
// small family of them, has a file of its name. daemon.go makes the engine's
// object graph by hand, network.go plugs netproto into it. A command talks to a
// running engine through its control socket, HOME/control.sock, and decides
// nothing itself. What is drawn on a terminal is made by the pure package
// app/show; the demonstration is app/demo.
//
// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 engine not running, 4 timed
// out. An error is one sentence on stderr, with what to do.
package main
