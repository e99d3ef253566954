package main

import (
	"strings"
	"testing"

	"pinion/engine/control"
	"pinion/engine/status"
)

// TestNotesGoBeside: who could not be asked is said on stderr, with and without
// --json, and never in the answer's way.
func TestNotesGoBeside(t *testing.T) {
	b := newBench(t, status.State{})
	b.fake.notes = []string{"pi2 is not connected\x1b; what only it keeps is not listed"}
	b.fake.kept = []control.Kept{{Folder: "docs", Path: "a", Time: noon(), MTime: noon(), Reason: "deleted"}}
	const note = "note: pi2 is not connected\\x1b; what only it keeps is not listed\n"
	for line, out := range map[string]string{
		"history --json":   `[{"folder":"docs","path":"a","time":"2026-11-21T12:00:00Z","size":0,"device":"","reason":"deleted","content":"","mtime":"2026-11-21T12:00:00Z","kept_by":[]}]`,
		"history":          "a in docs",
		"restore a --json": `{"files":2,"bytes":2048,"path":"a","notes":["pi2 is not connected\u001b; what only it keeps is not listed"]}`,
		"restore a":        "restored 2 files (2.0 kB) at a",
	} {
		got := b.run(strings.Fields(line)...)
		if first, _, _ := strings.Cut(got.out, "\n"); first != out || got.err != note || got.code != 0 {
			t.Errorf("%s: %+v", line, got)
		}
	}
}
