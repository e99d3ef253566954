package engine_test

import (
	"testing"

	"pinion/engine/status"
)

// Each of the two waits for what the other has yet to tell: the one keeps the
// directory for what was edited in it, the other has to decide that edit first.
func TestFileForADirectoryMeetsAnEditInIt(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a/g", "base")
	w.Write("laptop", "docs/other", "else") // so that the folder is never empty, which would be held
	shared(w, "laptop", "pi1", "pi2")
	w.Alone("laptop")
	w.Write("laptop", "docs/a/g", "the laptop's")
	w.Write("pi1", "docs/a/g", "the Pi's")
	w.Rest()
	w.Delete("pi1", "docs/a")
	w.Write("pi1", "docs/a", "a file now")
	w.Rest()
	w.Together("laptop")
	w.Settle()
	w.Has("docs/a/g", "the laptop's", "laptop", "pi1", "pi2")
	wantTexts(t, w, "docs", "the laptop's", "a file now", "else")
}

// The edit that is to follow the move stands nowhere any more, and what took it
// away waits for a person: neither waits for the other.
func TestEditThatFollowsAMoveIsGone(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/k", "base")
	shared(w, "laptop", "pi1", "pi2")
	w.Alone("pi1")
	w.Move("laptop", "docs/k", "docs/j")
	w.Write("pi1", "docs/k", "edited")
	w.Rest()
	w.Delete("pi1", "docs/k")
	w.AwaitState("pi1", "docs", status.Held)
	w.Together("pi1")
	w.AwaitFile("pi1", "docs/j", "base")
	w.Confirm("pi1", "docs")
	w.Settle()
	wantTexts(t, w, "docs", "base")
}
