package transfer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"testing"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// sheet records what a server sends.
type sheet struct {
	got   map[int][]byte
	start map[int]int64
	gone  map[int]bool
	ends  []int
	piece func() // called at each piece
	fail  error
}

func newSheet() *sheet {
	return &sheet{got: map[int][]byte{}, start: map[int]int64{}, gone: map[int]bool{}}
}

func (s *sheet) Piece(i int, off int64, data []byte) error {
	if len(data) > PieceSize || len(data) == 0 {
		return errors.New("a piece of the wrong length")
	}
	if _, begun := s.start[i]; !begun {
		s.start[i] = off
	}
	if off != s.start[i]+int64(len(s.got[i])) {
		return errors.New("a gap")
	}
	s.got[i] = append(s.got[i], data...)
	if s.piece != nil {
		s.piece()
	}
	return s.fail
}

func (s *sheet) Done(i int, gone bool) error {
	s.gone[i] = gone
	s.ends = append(s.ends, i)
	return nil
}

func serving(t *testing.T, things map[string]thing) (*place, *Server) {
	p := newPlace(t)
	for path, c := range things {
		p.put(path, c)
	}
	return p, NewServer(ServerOptions{FS: p.fs, Index: p.index})
}

func TestServe(t *testing.T) {
	small, big, empty := thingOf(noise(1, 1000)), thingOf(noise(2, 3<<20)), thingOf(nil)
	_, s := serving(t, map[string]thing{"d/small": small, "big": big, "empty": empty})
	w := newSheet()
	err := s.Serve(context.Background(), tree.FolderID{}, []tree.Want{
		{Content: small.id, Whole: true},
		{Content: small.id, Whole: true, Path: "nowhere"},
		{Content: big.id, Path: "big", Offset: 70_001, Length: 1 << 20},
		{Content: big.id, Offset: 3<<20 - 1, Length: 1},
		{Content: thingOf([]byte("?")).id, Whole: true},
		{Content: big.id, Offset: 3 << 20, Length: 1},
		{Content: big.id, Offset: -1, Length: 1},
		{Content: big.id, Offset: 1, Length: 1<<63 - 1},
		{Content: big.id, Offset: 5, Length: -1},
		{Whole: true},
		{Content: empty.id, Whole: true},
	}, w)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][]byte{small.data, small.data, big.data[70_001 : 70_001+1<<20], big.data[3<<20-1:]} {
		if w.gone[i] || !bytes.Equal(w.got[i], want) {
			t.Errorf("want %d: gone %v, %d bytes", i, w.gone[i], len(w.got[i]))
		}
	}
	for i := 4; i < 10; i++ {
		if !w.gone[i] || len(w.got[i]) > 0 {
			t.Errorf("want %d was answered", i)
		}
	}
	if w.gone[10] || len(w.ends) != 11 {
		t.Error("the empty file, or the number of ends", w.ends)
	}
}

// TestServeSmallOnly: what is too big now is gone, also in the middle of a piece
// of work, and is given again later.
func TestServeSmallOnly(t *testing.T) {
	small, big := thingOf(noise(1, 1000)), thingOf(noise(2, 1<<20))
	_, s := serving(t, map[string]thing{"small": small, "big": big})
	most := int64(0)
	s.o.Most = func() int64 { return most }
	wants := []tree.Want{{Content: big.id, Length: 1 << 20}, {Content: small.id, Whole: true}, {Content: big.id, Offset: 5, Length: 10}}
	for _, c := range []struct{ before, after int64 }{{0, 0}, {1000, 1000}, {0, 1000}, {999, 999}, {1 << 20, 1 << 20}} {
		w := newSheet()
		most = c.before
		w.piece = func() { most = c.after }
		if err := s.Serve(context.Background(), tree.FolderID{}, wants, w); err != nil {
			t.Fatal(err)
		}
		for i, size := range []int64{1 << 20, 1000, 1 << 20} {
			limit := c.after
			if gone := limit > 0 && size > limit; w.gone[i] != gone {
				t.Errorf("%+v: want %d is gone: %v", c, i, w.gone[i])
			}
		}
	}
}

func TestServeChangedFiles(t *testing.T) {
	c := thingOf(noise(3, 1<<20))
	for name, change := range map[string]func(file string){
		"rewritten": func(file string) { os.WriteFile(file, noise(4, 1<<20), 0o644) },
		"longer": func(file string) {
			f, _ := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
			f.Write([]byte("x"))
			f.Close()
		},
		"shorter": func(file string) { os.Truncate(file, 1000) },
	} {
		// Before it is asked for.
		p, s := serving(t, map[string]thing{"f": c})
		change(p.file("f"))
		w := newSheet()
		if err := s.Serve(context.Background(), tree.FolderID{}, []tree.Want{{Content: c.id, Length: 1 << 20}}, w); err != nil || !w.gone[0] || len(w.got[0]) > 0 {
			t.Errorf("%s before: %v, gone %v, %d bytes", name, err, w.gone[0], len(w.got[0]))
		}
		// While it is read.
		p, s = serving(t, map[string]thing{"f": c})
		w = newSheet()
		w.piece = func() {
			if len(w.got[0]) == PieceSize {
				change(p.file("f"))
			}
		}
		if err := s.Serve(context.Background(), tree.FolderID{}, []tree.Want{{Content: c.id, Length: 1 << 20}}, w); err != nil || !w.gone[0] {
			t.Errorf("%s while read: %v, gone %v", name, err, w.gone[0])
		}
		if !bytes.Equal(w.got[0], c.data[:len(w.got[0])]) {
			t.Errorf("%s: other bytes were sent", name)
		}
	}
}

// A file that holds other bytes under its size and time is not given a second
// time, a small one not even once; and who keeps the index is told.
func TestServeDoubts(t *testing.T) {
	small, big := thingOf(noise(5, 1000)), thingOf(noise(6, 3<<20))
	p, s := serving(t, map[string]thing{"small": small, "big": big})
	var told []tree.Path
	s.o.Doubt = func(_ context.Context, p tree.Path) { told = append(told, p) }
	m := p.index.lists[big.id]
	last := uint32(len(m) - 1)
	run := tree.Want{Content: big.id, First: last, Count: 1, Offset: 3<<20 - int64(m[last].Len), Length: int64(m[last].Len)}
	for _, name := range []string{"small", "big"} {
		st, _ := os.Stat(p.file(name))
		b, _ := os.ReadFile(p.file(name))
		b[len(b)-1] ^= 1
		os.WriteFile(p.file(name), b, 0o644)
		os.Chtimes(p.file(name), st.ModTime(), st.ModTime())
	}
	for i, gone := range []bool{false, true} {
		w := newSheet()
		if err := s.Serve(context.Background(), tree.FolderID{}, []tree.Want{run, {Content: small.id, Whole: true}}, w); err != nil || w.gone[0] != gone || !w.gone[1] {
			t.Errorf("time %d: %v, gone %v", i, err, w.gone)
		}
	}
	if !slices.Equal(told, []tree.Path{"small", "big", "small"}) {
		t.Error("told of", told)
	}
}

// TestServeTheListOfAnArchivedContent: that of one chunk is kept by nobody, and
// is made anew; that of a file which is not what it was is not.
func TestServeTheListOfAnArchivedContent(t *testing.T) {
	c := thingOf(noise(9, 200<<10))
	p, s := serving(t, map[string]thing{".pinion/archive/a": c})
	delete(p.index.rows, ".pinion/archive/a")
	delete(p.index.lists, c.id)
	s.o.Archive = func(context.Context, tree.ContentID) ([]string, error) { return []string{".pinion/archive/a"}, nil }
	m, err := s.Manifest(context.Background(), c.id, tree.ContentID{})
	if err != nil || chunk.Verify(m, c.id, int64(len(c.data))) != nil {
		t.Error(m, err)
	}
	if err := os.WriteFile(p.dir+"/.pinion/archive/a", noise(10, 200<<10), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Manifest(context.Background(), c.id, tree.ContentID{}); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
}

// Replaced as a whole, the old file is still there for who reads it.
func TestServeFromTheArchive(t *testing.T) {
	c := thingOf(noise(5, 1<<20))
	p, s := serving(t, map[string]thing{".pinion/archive/a": c})
	delete(p.index.rows, ".pinion/archive/a")
	s.o.Archive = func(context.Context, tree.ContentID) ([]string, error) { return []string{".pinion/archive/a"}, nil }
	w := newSheet()
	if err := s.Serve(context.Background(), tree.FolderID{}, []tree.Want{{Content: c.id, Offset: 10, Length: 1000}}, w); err != nil || !bytes.Equal(w.got[0], c.data[10:1010]) {
		t.Error(err)
	}
}

func TestServeEnds(t *testing.T) {
	c := thingOf(noise(6, 1<<20))
	_, s := serving(t, map[string]thing{"f": c})
	want := []tree.Want{{Content: c.id, Length: 1 << 20}}
	w := newSheet()
	w.fail = errors.New("the link was cut")
	if err := s.Serve(context.Background(), tree.FolderID{}, want, w); !errors.Is(err, w.fail) {
		t.Error(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := s.Serve(ctx, tree.FolderID{}, want, newSheet()); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if err := s.Serve(context.Background(), tree.FolderID{}, make([]tree.Want, MaxWants+1), newSheet()); err == nil {
		t.Error("too many wants were taken")
	}
}

func TestServeManifest(t *testing.T) {
	big, one := thingOf(noise(7, 1<<20)), thingOf(noise(8, 5000))
	_, s := serving(t, map[string]thing{"big": big, "one": one})
	for _, c := range []thing{big, one} {
		m, err := s.Manifest(context.Background(), c.id, tree.ContentID{})
		if err != nil || chunk.Verify(m, c.id, int64(len(c.data))) != nil {
			t.Error(m, err)
		}
	}
	if _, err := s.Manifest(context.Background(), thingOf([]byte("?")).id, tree.ContentID{}); !errors.Is(err, ErrGone) {
		t.Error(err)
	}
}
