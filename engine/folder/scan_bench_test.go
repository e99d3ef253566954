package folder

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"pinion/engine/ignore"
	"pinion/engine/index"
	"pinion/engine/noise"
	"pinion/engine/scan"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// bench is a folder on the disk with many small files, its index and a scanner.
type bench struct {
	dir     string
	ix      *index.Index
	scanner *scan.Scanner
}

func newBench(b *testing.B, files int) *bench {
	b.Helper()
	fail := func(err error) {
		if err != nil {
			b.Fatal(err)
		}
	}
	w := &bench{dir: b.TempDir()}
	fail(os.MkdirAll(filepath.Join(w.dir, tree.Private, "tmp"), 0o755))
	for i := range files {
		dir := filepath.Join(w.dir, fmt.Sprintf("d%03d/s%02d", i/2000, i/100%20))
		if i%100 == 0 {
			fail(os.MkdirAll(dir, 0o755))
		}
		fail(os.WriteFile(filepath.Join(dir, fmt.Sprintf("file-%03d.txt", i%100)), fmt.Appendf(nil, "this is the text of file %d\n", i), 0o644))
	}
	root, err := rootfs.Open(w.dir)
	fail(err)
	b.Cleanup(func() { root.Close() })
	caps, err := root.Probe()
	fail(err)
	w.ix, err = index.Open(context.Background(), filepath.Join(w.dir, tree.Private, "index.db"), index.Options{Now: time.Now, Rand: zeros{}, Device: tree.DeviceID{1}})
	fail(err)
	b.Cleanup(func() { w.ix.Close() })
	rules, _ := ignore.Parse("")
	w.scanner = scan.New(scan.Options{
		FS: scan.Disk(root), Index: w.ix, Caps: caps, Attrs: rootfs.Notes | rootfs.ACLs, Hash: newHasher().hash, Sealed: noise.Sealed,
		Ignored: rules.Match, Now: time.Now,
	})
	return w
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); p[0] = 1; return len(p), nil }

// take writes what a scan tells into the index.
func (w *bench) take(changes []scan.Change) error {
	self, clock := w.ix.Self(), w.ix.Tick()
	var u index.Update
	for _, ch := range changes {
		e := ch.Now
		e.Version, e.Author = tree.Version{}.Bump(self.ID, clock), self.ID
		u.Changes = append(u.Changes, index.Change{Record: tree.Record{Entry: e, Disk: ch.Disk}, If: ch.BasedOn, Manifest: ch.Manifest})
	}
	_, err := w.ix.Commit(context.Background(), u)
	return err
}

// BenchmarkFullScan is a look at everything where nothing has changed, in the real
// index and on the real disk; find on the same tree is the measure.
func BenchmarkFullScan(b *testing.B) {
	const files = 100_000
	w := newBench(b, files)
	ctx := context.Background()
	time.Sleep(50 * time.Millisecond) // no file is young
	if _, err := w.scanner.Full(ctx, w.take); err != nil {
		b.Fatal(err)
	}
	_, nofind := exec.LookPath("find")
	ours, find := time.Hour, time.Hour // the best of each, because machines are busy
	for b.Loop() {
		began := time.Now()
		s, err := w.scanner.Full(ctx, func(changes []scan.Change) error { return fmt.Errorf("told %d changes", len(changes)) })
		if err != nil || s.Files != files {
			b.Fatal(s.Files, err)
		}
		ours = min(ours, time.Since(began))
		b.StopTimer()
		if nofind == nil {
			began = time.Now()
			if err := exec.Command("find", w.dir, "-printf", "%p %s %T@ %m %i\n").Run(); err != nil {
				b.Fatal(err)
			}
			find = min(find, time.Since(began))
		}
		b.StartTimer()
	}
	if nofind == nil {
		b.ReportMetric(float64(ours)/float64(find), "find-times")
		b.ReportMetric(find.Seconds()*1000, "find-ms")
		b.ReportMetric(ours.Seconds()*1000, "best-ms")
	}
}

// BenchmarkFirstScan is a look at files that nobody knows.
func BenchmarkFirstScan(b *testing.B) {
	const files = 10_000
	for b.Loop() {
		b.StopTimer()
		w := newBench(b, files)
		b.StartTimer()
		if _, err := w.scanner.Full(context.Background(), w.take); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*files), "us/file")
}

// BenchmarkEcho is the look at files whose events come back though they are as the
// index says.
func BenchmarkEcho(b *testing.B) {
	const files = 20_000
	w := newBench(b, files)
	ctx := context.Background()
	time.Sleep(50 * time.Millisecond)
	var paths []string
	if _, err := w.scanner.Full(ctx, func(changes []scan.Change) error {
		for _, ch := range changes {
			if ch.Now.Kind == tree.File {
				paths = append(paths, string(ch.Path))
			}
		}
		return w.take(changes)
	}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		for i := 0; i < len(paths); i += 1000 {
			if _, err := w.scanner.Paths(ctx, paths[i:i+1000], nil, func(changes []scan.Change) error { return fmt.Errorf("told %d changes", len(changes)) }); err != nil {
				b.Fatal(err)
			}
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N*files), "us/file")
}
