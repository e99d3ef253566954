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
