package engine_test

import "testing"

// Each of the two waits for what the other has yet to tell: the one keeps the
// directory for what was edited in it, the other has to decide that edit first.
func TestFileForADirectoryMeetsAnEditInIt(t *testing.T) {
	w := three(t)
	w.Write("laptop", "docs/a/g", "base")
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
	wantTexts(t, w, "docs", "the laptop's", "a file now")
}
