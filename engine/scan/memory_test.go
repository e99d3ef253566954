package scan

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// endless is a made-up tree of dirs directories with files files each, as a
// disk and as an index: none of it is in memory.
type endless struct {
	dirs, files int
	peak        uint64 // of the heap, sampled now and then
	asked       int
}

func (e *endless) sample() {
	if e.asked++; e.asked%20000 == 0 {
		var m runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&m)
		e.peak = max(e.peak, m.HeapAlloc)
	}
}

func dirName(i int) string  { return fmt.Sprintf("directory-%06d", i) }
func fileName(i int) string { return fmt.Sprintf("file-%06d", i) }

func (e *endless) OpenDir(path string) (Dir, error) { return endlessDir{e, path == ""}, nil }

type endlessDir struct {
	e   *endless
	top bool
}

func (d endlessDir) Info() (rootfs.Info, error) { return rootfs.Info{Kind: rootfs.Directory}, nil }
func (d endlessDir) Close() error               { return nil }
func (d endlessDir) Names() (names []string, err error) {
	if d.top {
		for i := range d.e.dirs {
			names = append(names, dirName(i))
		}
		return names, nil
	}
	for i := range d.e.files {
		names = append(names, fileName(i))
	}
	return names, nil
}

func (d endlessDir) Lstat(name string) (rootfs.Info, error) {
	d.e.sample()
	if d.top {
		return rootfs.Info{Name: name, Kind: rootfs.Directory}, nil
	}
	return rootfs.Info{Name: name, Kind: rootfs.Regular, Size: 1, MTime: 1}, nil
}

func (d endlessDir) OpenDir(string) (Dir, error) { return endlessDir{d.e, false}, nil }
func (d endlessDir) OpenFile(string) (fs.File, rootfs.Info, error) {
	return nil, rootfs.Info{}, fs.ErrInvalid
}
func (d endlessDir) Readlink(string) (string, error) { return "", fs.ErrInvalid }

func (e *endless) Position() tree.Position { return tree.Position{Seq: 1} }

func (e *endless) Get(context.Context, tree.Path) (tree.Record, bool, error) {
	return tree.Record{}, false, nil
}

func (e *endless) At(context.Context, []tree.Path) (map[tree.Path]tree.Record, error) {
	return nil, nil
}

func (e *endless) Walk(context.Context, tree.Path, tree.Path, func(tree.Record) (bool, error)) error {
	return nil
}

func (e *endless) Standing(_ context.Context, _ tree.Path, page func([]tree.Record) (bool, error)) error {
	fn, rest := paged(page)
	for i := range e.dirs {
		dir := tree.Path(dirName(i))
		more, err := fn(tree.Record{Entry: tree.Entry{Path: dir, Kind: tree.Dir}, Disk: tree.Stat{Kind: tree.Dir}, Seq: 1})
		for j := 0; j < e.files && more && err == nil; j++ {
			more, err = fn(tree.Record{Seq: 1,
				Entry: tree.Entry{Path: dir + "/" + tree.Path(fileName(j)), Kind: tree.File, Size: 1, MTime: 1},
				Disk:  tree.Stat{Kind: tree.File, Size: 1, MTime: 1}})
		}
		if !more || err != nil {
			return err
		}
	}
	return rest()
}

// paged makes pages of single rows.
func paged(page func([]tree.Record) (bool, error)) (fn func(tree.Record) (bool, error), rest func() error) {
	var list []tree.Record
	flush := func() (bool, error) {
		more, err := page(list)
		list = list[:0]
		return more, err
	}
	fn = func(rec tree.Record) (bool, error) {
		if list = append(list, rec); len(list) < 7 {
			return true, nil
		}
		return flush()
	}
	return fn, func() error {
		if len(list) == 0 {
			return nil
		}
		_, err := flush()
		return err
	}
}

func (e *endless) Children(context.Context, tree.Path, func(tree.Record) (bool, error)) error {
	return nil
}

func (e *endless) Fresh(context.Context, tree.Path) (bool, error) { return false, nil }

func (e *endless) ByInode(context.Context, uint64, int) ([]tree.Record, error) { return nil, nil }

func TestMemoryDoesNotGrowWithTheTree(t *testing.T) {
	peak := func(dirs int) uint64 {
		e := &endless{dirs: dirs, files: 500}
		s := New(Options{FS: e, Index: e})
		sum, err := s.Full(context.Background(), func(batch []Change) error {
			t.Errorf("told %d changes", len(batch))
			return nil
		})
		if err != nil || sum.Files != int64(dirs*500) {
			t.Fatal(sum, err)
		}
		return e.peak
	}
	small, big := peak(80), peak(800) // 40,000 and 400,000 files
	if grown := int64(big) - int64(small); grown > 2<<20 {
		t.Errorf("the heap's peak grew from %d to %d bytes", small, big)
	}
}

// BenchmarkFullUnchanged is a scan of 20,000 files that nobody touched, on the
// disk; find -printf on the same tree is the measure.
func BenchmarkFullUnchanged(b *testing.B) {
	w := newWorld(b)
	for i := range 200 {
		w.must(os.MkdirAll(w.path(fmt.Sprintf("d%d", i)), 0o755))
		for j := range 100 {
			w.must(os.WriteFile(w.path(fmt.Sprintf("d%d/file-%d", i, j)), []byte("x"), 0o644))
		}
	}
	if _, err := w.scanner.Full(context.Background(), w.model.commit); err != nil {
		b.Fatal(err)
	}
	list := make([]tree.Record, 0, len(w.model.rows))
	for _, p := range w.model.live() {
		list = append(list, w.model.rows[p])
	}
	w.with(func(o *Options) { o.Index = sorted{w.model, list} })
	_, err := exec.LookPath("find")
	ours, find := time.Hour, time.Hour // the best of each, because machines are busy
	for b.Loop() {
		began := time.Now()
		if _, err := w.scanner.Full(context.Background(), func(batch []Change) error { return fmt.Errorf("told %s", tell(batch)) }); err != nil {
			b.Fatal(err)
		}
		ours = min(ours, time.Since(began))
		if err != nil {
			continue
		}
		b.StopTimer()
		began = time.Now()
		out, err := exec.Command("find", w.dir, "-printf", "%s %T@ %m %i %p\n").Output()
		if err != nil || strings.Count(string(out), "\n") < 20000 {
			b.Fatal(err)
		}
		find = min(find, time.Since(began))
		b.StartTimer()
	}
	if err == nil {
		b.ReportMetric(float64(ours)/float64(find), "find-times")
	}
}

// sorted is a model whose walk costs nothing.
type sorted struct {
	*model
	list []tree.Record
}

func (s sorted) Standing(_ context.Context, _ tree.Path, fn func([]tree.Record) (bool, error)) error {
	for page := range slices.Chunk(s.list, 256) {
		if more, err := fn(page); !more || err != nil {
			return err
		}
	}
	return nil
}
