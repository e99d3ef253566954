package engine_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"pinion/engine/enginetest"
)

// behindItsBack changes a file's bytes under the size and time that it has, as a
// power cut can.
func behindItsBack(t *testing.T, w *enginetest.World, dev, path, old, text string) {
	t.Helper()
	file := w.Path(dev, path)
	st, err := os.Stat(file)
	must(t, err)
	b, err := os.ReadFile(file)
	must(t, err)
	must(t, os.WriteFile(file, []byte(strings.Replace(string(b), old, text, 1)), st.Mode()))
	must(t, os.Chtimes(file, st.ModTime(), st.ModTime()))
}

// What is served is compared with what it should be: a device that holds other
// bytes than its index says reads them anew, and they count as its change. The
// others keep what was recorded.
func TestBytesThatChangedBehindTheTimesBackAreNoticedWhenTheyAreAskedFor(t *testing.T) {
	w := two(t)
	w.Write("laptop", "docs/first.txt", "first")
	shared(w, "laptop", "pi1")
	w.Cut("laptop", "pi1")
	w.WriteAt("laptop", "docs/small.txt", "what was written", time.Hour)
	w.Await("laptop to have read it", func() bool { return w.State("laptop", "docs").Files == 2 })
	w.Stop("laptop")
	behindItsBack(t, w, "laptop", "docs/small.txt", "written", "wr!tten")
	w.Start("laptop")
	w.Restore("laptop", "pi1")
	w.AwaitFile("pi1", "docs/small.txt", "what was wr!tten")
	w.Settle()
	w.Same("docs")
}
