package index

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pinion/engine/tree"
)

// damaged makes an index with 2,000 rows, ends it, and spoils the file.
func damaged(t *testing.T, spoil func([]byte) []byte) (string, *world) {
	t.Helper()
	w, name := newWorld(), filepath.Join(t.TempDir(), "index.db")
	ix := w.open(t, name)
	fill(t, ix, inOrder(2000), []tree.Replica{ix.Self()})
	if err := ix.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(name)
	if err == nil {
		err = os.WriteFile(name, spoil(b), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return name, w
}

func TestDamageIsSeenAtOpening(t *testing.T) {
	for what, spoil := range map[string]func([]byte) []byte{
		"garbage header": func(b []byte) []byte { copy(b, strings.Repeat("garbage!", 16)); return b },
		"garbage":        func(b []byte) []byte { return []byte(strings.Repeat("no database ", 1000)) },
		"truncated":      func(b []byte) []byte { return b[:len(b)/2] },
		"cut page":       func(b []byte) []byte { return b[:5000] },
		"schema":         func(b []byte) []byte { clear(b[100:4096]); return b },
	} {
		name, w := damaged(t, spoil)
		if _, err := Open(context.Background(), name, w.options()); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v instead of ErrDamaged", what, err)
			continue
		}
		to, err := SetAside(name, w.now)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(to); err != nil {
			t.Error(err)
		}
		if ix := w.open(t, name); ix.Position().Seq != 0 {
			t.Errorf("%s: the new index is not new", what)
		}
	}
}

func TestBitFlipsAreSeenAfterAnUncleanEnd(t *testing.T) {
	name, w := damaged(t, func(b []byte) []byte {
		for page := 4096 * 20; page < len(b); page += 4096 * 20 {
			clear(b[page : page+64])
		}
		return b
	})
	// What is left of a WAL whose process died.
	if err := os.WriteFile(name+"-wal", []byte("torn"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), name, w.options()); !errors.Is(err, ErrDamaged) {
		t.Errorf("%v instead of ErrDamaged", err)
	}
}

// Whatever is flipped, reading gives rows or ErrDamaged, and nothing worse.
func TestFlippedBitsGiveRowsOrErrDamaged(t *testing.T) {
	flips := rand.New(rand.NewPCG(5, 6))
	seen := 0
	for range 40 {
		name, w := damaged(t, func(b []byte) []byte {
			for range 200 {
				b[4096+flips.IntN(len(b)-4096)] ^= 1 << flips.IntN(8)
			}
			return b
		})
		ctx := context.Background()
		ix, err := Open(ctx, name, w.options())
		check := func(err error) {
			if err == nil {
				return
			}
			if seen++; !errors.Is(err, ErrDamaged) {
				t.Errorf("%v instead of ErrDamaged", err)
			}
		}
		check(err)
		if err != nil {
			continue
		}
		n := 0
		check(ix.Walk(ctx, "", "", func(tree.Record) (bool, error) { n++; return true, nil }))
		_, err = ix.Since(ctx, 0, 5000)
		check(err)
		for i := range 50 {
			_, _, err = ix.Get(ctx, samplePath(i*40))
			check(err)
			_, err = ix.ByContent(ctx, content(i), 5)
			check(err)
		}
		_, err = ix.Commit(ctx, Update{Changes: []Change{rec(file("new", 1, ix.Self().ID, 1))}})
		check(err)
		if err := ix.Close(); err != nil && !errors.Is(err, ErrDamaged) {
			t.Log(err)
		}
	}
	if seen == 0 {
		t.Error("no flip did any harm: the test looks at nothing")
	}
}

func TestANewerFileIsNotDamaged(t *testing.T) {
	w, name := newWorld(), filepath.Join(t.TempDir(), "index.db")
	if err := w.open(t, name).Close(); err != nil {
		t.Fatal(err)
	}
	c, err := dial(name)
	if err == nil {
		err = errors.Join(c.script("PRAGMA user_version = 99"), c.Close())
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(context.Background(), name, w.options()); err == nil || errors.Is(err, ErrDamaged) {
		t.Errorf("%v", err)
	}
}

// A disk that became read-only, or fails, is told apart from a peer's fault.
func TestADiskThatFailsIsNamed(t *testing.T) {
	ix, _ := fresh(t)
	if err := ix.w.script("PRAGMA query_only = 1"); err != nil {
		t.Fatal(err)
	}
	_, err := ix.Commit(context.Background(), Update{Changes: []Change{rec(file("a", 1, ix.Self().ID, 1))}})
	if !errors.Is(err, ErrDisk) || errors.Is(err, ErrDamaged) {
		t.Errorf("a disk that can't be written gives %v", err)
	}
	if err := ix.w.script("PRAGMA query_only = 0"); err != nil {
		t.Fatal(err)
	}
	commit(t, ix, rec(file("a", 1, ix.Self().ID, 1)))
}
