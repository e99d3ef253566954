package transfer

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"testing"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// BenchmarkSmall is a first sync of 20,000 files of 5 KiB from a peer that costs
// nothing.
func BenchmarkSmall(b *testing.B) {
	const files = 20_000
	s := newFake(1)
	s.piece = 128 << 10
	jobs := make([]Job, files)
	for i := range jobs {
		c := thingOf(noise(uint64(i), 5<<10))
		s.things[c.id] = c
		jobs[i] = c.job(fmt.Sprint("d/", i), s)
	}
	b.SetBytes(files * 5 << 10)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p := newPlace(b).start(s)
		b.StartTimer()
		queue := jobs
		for done := 0; done < files; {
			queue = queue[p.Submit(queue):]
			r := <-p.Results()
			if r.Err != nil {
				b.Fatal(r.Err)
			}
			done++
		}
		b.StopTimer()
		p.stop()
		os.RemoveAll(p.dir)
		b.StartTimer()
	}
	b.ReportMetric(float64(files)*float64(b.N)/b.Elapsed().Seconds(), "files/s")
}

// BenchmarkBig is 1 GiB from a peer that makes it up in no time.
func BenchmarkBig(b *testing.B) {
	const size = 1 << 30
	block := noise(19, 1<<20)
	at := func(off int64, p []byte) {
		for len(p) > 0 {
			mib, in := int(off>>20), int(off&(1<<20-1))
			from := (in + mib*4099) & (1<<20 - 1)
			n := copy(p[:min(len(p), 1<<20-in)], block[from:])
			p, off = p[n:], off+int64(n)
		}
	}
	m, id, _, err := chunk.Of(&synthetic{at: at, size: size}, size)
	if err != nil {
		b.Fatal(err)
	}
	src := &endless{fake: newFake(1), m: m, at: at}
	b.SetBytes(size)
	b.ReportAllocs()
	for b.Loop() {
		b.StopTimer()
		p := newPlace(b).start()
		p.PeerUp(src)
		b.StartTimer()
		p.Submit([]Job{{Entry: tree.Entry{Path: "huge", Kind: tree.File, Size: size, Content: id}, Sources: []tree.DeviceID{src.dev}}})
		if r := <-p.Results(); r.Err != nil {
			b.Fatal(r.Err)
		}
		b.StopTimer()
		p.stop()
		os.RemoveAll(p.dir)
		b.StartTimer()
	}
}

type nowhere struct{}

func (nowhere) Piece(int, int64, []byte) error { return nil }
func (nowhere) Done(int, bool) error           { return nil }

// BenchmarkServe is the serving side: 200 small files, and 64 MiB of a large one.
func BenchmarkServe(b *testing.B) {
	p := newPlace(b)
	var wants []tree.Want
	for i := range 200 {
		c := thingOf(noise(uint64(i), 5<<10))
		p.put(fmt.Sprint("d/", i), c)
		wants = append(wants, tree.Want{Content: c.id, Path: tree.Path(fmt.Sprint("d/", i)), Whole: true})
	}
	big := thingOf(bytes.Repeat(noise(1, 1<<20), 64))
	p.put("big", big)
	s := NewServer(ServerOptions{FS: p.fs, Index: p.index})
	for name, wants := range map[string][]tree.Want{"small": wants, "big": {{Content: big.id, Length: 64 << 20}}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if err := s.Serve(context.Background(), tree.FolderID{}, wants, nowhere{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
