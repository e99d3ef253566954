package engine_test

import (
	"math/rand/v2"
	"os"
	"slices"
	"testing"
)

// A file that is large enough to be sent while it is still being read comes whole,
// once, and anew as what has changed of it.
func TestLargeFileAndAnEditOfIt(t *testing.T) {
	w := shared(two(t), "laptop", "pi1")
	data := make([]byte, 80<<20)
	for r, i := rand.New(rand.NewPCG(3, 4)), 0; i < len(data); i += 8 {
		v := r.Uint64()
		for k := range 8 {
			data[i+k] = byte(v >> (8 * k))
		}
	}
	w.Write("laptop", "docs/film", string(data))
	w.Settle()
	w.Has("docs/film", string(data), "laptop", "pi1")
	first := w.Served("laptop")
	if first < int64(len(data)) || first > int64(len(data))+32<<20 {
		t.Errorf("%d bytes were served of a file of %d", first, len(data))
	}
	data = slices.Insert(data, 1000, '!')
	w.Write("laptop", "docs/film", string(data))
	w.Settle()
	w.Has("docs/film", string(data), "laptop", "pi1")
	if more := w.Served("laptop") - first; more == 0 || more > 1<<20 {
		t.Errorf("%d bytes were served for one that was inserted", more)
	}
	left, err := os.ReadDir(w.Path("pi1", "docs/.pinion/tmp"))
	if err != nil || len(left) > 0 {
		t.Errorf("%v stays, %v", left, err)
	}
}
