package engine_test

import (
	"flag"
	"os"
	"testing"
)

// TestMain lets more stories run side by side than there are processors: they
// wait more than they work.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("test.parallel"); f != nil {
		_ = f.Value.Set("8") // an int: it can't fail
	}
	os.Exit(m.Run())
}
