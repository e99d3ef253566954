package index

import (
	"context"
	"testing"

	"modernc.org/libc"
	sqlite3 "modernc.org/sqlite/lib"

	"pinion/engine/tree"
)

// cached is how many bytes the page caches of all connections hold.
func cached(t *testing.T, ix *Index) (sum int) {
	t.Helper()
	of := func(c *conn) error {
		out := libc.Xmalloc(c.tls, 8) // two of C's ints
		defer libc.Xfree(c.tls, out)
		rc := sqlite3.Xsqlite3_db_status(c.tls, c.db, sqlite3.SQLITE_DBSTATUS_CACHE_USED, out, out+4, 0)
		if rc != sqlite3.SQLITE_OK {
			return c.fail(rc)
		}
		sum += int(*(*int32)(pointer(out)))
		return nil
	}
	if err := ix.outside(context.Background(), "look", of); err != nil {
		t.Fatal(err)
	}
	for range readers {
		if err := ix.read(context.Background(), "look", of); err != nil {
			t.Fatal(err)
		}
	}
	return sum
}

func TestRestLetsGoOfTheCaches(t *testing.T) {
	ix, _ := fresh(t)
	fill(t, ix, inOrder(5000), []tree.Replica{ix.Self()})
	for i := range 4 * readers { // each reader has read something
		if _, found, err := ix.Get(context.Background(), samplePath(i*600)); err != nil || !found {
			t.Fatal(found, err)
		}
	}
	before := cached(t, ix)
	if err := ix.Rest(context.Background()); err != nil {
		t.Fatal(err)
	}
	if after := cached(t, ix); after > before/8 {
		t.Errorf("%d bytes in the caches, %d before", after, before)
	}
	if _, found, err := ix.Get(context.Background(), samplePath(17)); err != nil || !found {
		t.Error("a row is not found after a rest", err)
	}
}
