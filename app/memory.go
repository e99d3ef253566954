package main

import (
	"os"
	"runtime/debug"
)

// tuneMemory trades a little CPU for memory, since a Pi has little of it, unless
// the person has set GOGC himself.
func tuneMemory() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}

// giveBack gives the memory that much work has left behind to the system at once.
// By itself the runtime gives it back minutes later, and in part.
func giveBack() { debug.FreeOSMemory() }
