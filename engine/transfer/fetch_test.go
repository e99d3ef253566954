package transfer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

func TestManySmallFromTwoPeers(t *testing.T) {
	a, b := newFake(1), newFake(2)
	p := newPlace(t).start(a, b)
	want := map[tree.Path]thing{}
	var jobs []Job
	for i := range 2000 {
		c := thingOf(noise(uint64(i), i%5000))
		path := fmt.Sprintf("d/%d", i)
		from := []*fake{a, b}[i%2]
		from.things[c.id] = c
		want[tree.Path(path)] = c
		jobs = append(jobs, c.job(path, from))
	}
	if n := p.Submit(jobs); n != len(jobs) {
		t.Fatalf("%d of %d jobs taken in", n, len(jobs))
	}
	for range jobs {
		r := p.next()
		c := want[r.Job.Entry.Path]
		if r.Err != nil {
			t.Fatal(r.Err)
		}
		if err := p.holdsThing(r, c); err != nil {
			t.Fatal(err)
		}
		delete(want, r.Job.Entry.Path)
	}
	if len(want) > 0 {
		t.Fatalf("%d not answered", len(want))
	}
	if a.calls > 100 || b.calls > 100 {
		t.Errorf("%d and %d requests for 1000 files each", a.calls, b.calls)
	}
	if g := p.Progress(); g.Jobs != 0 || g.BytesTotal != 0 {
		t.Errorf("left over: %+v", g)
	}
}

func TestEmptyNeedsNobody(t *testing.T) {
	p := newPlace(t).start()
	c := thingOf(nil)
	p.Submit([]Job{c.job("empty")})
	p.want(c)
	bad := c.job("bad")
	bad.Entry.Content = thingOf([]byte("x")).id
	p.Submit([]Job{bad})
	if r := p.next(); r.Err == nil {
		t.Error("an empty file with another id was staged")
	}
}

func TestTwinsAreFetchedOnce(t *testing.T) {
	for _, size := range []int{1000, 1 << 20} {
		c := thingOf(noise(1, size))
		a := newFake(1, c)
		p := newPlace(t).start(a)
		p.Submit([]Job{c.job("one", a), c.job("two", a), c.job("three", a), c.job("three", a)})
		staged := map[string]bool{}
		for range 3 {
			staged[p.want(c).Staged] = true
		}
		if len(staged) != 3 || a.sent() != int64(size) {
			t.Errorf("size %d: %d stages, %d bytes sent", size, len(staged), a.sent())
		}
		p.stop()
	}
}

func TestBigFromThreeAtOnce(t *testing.T) {
	c := thingOf(noise(2, 40<<20))
	peers := []*fake{newFake(1, c), newFake(2, c), newFake(3, c)}
	// Nobody goes on until all three were asked.
	var waiting atomic.Int32
	all := make(chan struct{})
	for _, s := range peers {
		first := true
		s.before = func(ctx context.Context, _ tree.Want, _ int64) error {
			s.mu.Lock()
			mine := first
			first = false
			s.mu.Unlock()
			if mine && waiting.Add(1) == 3 {
				close(all)
			}
			select {
			case <-all:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		}
	}
	p := newPlace(t).start(peers...)
	p.Submit([]Job{c.job("film", peers...)})
	r := p.want(c)
	var total int64
	for _, s := range peers {
		if s.sent() == 0 {
			t.Errorf("%s sent nothing", s.dev.Short())
		}
		total += s.sent()
	}
	if over := total - r.Job.Entry.Size; over > r.Job.Entry.Size/5 {
		t.Errorf("%d bytes were sent twice", over)
	}
	for _, name := range p.staging() {
		if !strings.Contains(name, "-") {
			t.Errorf("%s was left behind", name)
		}
	}
}

func TestStalledIsReplaced(t *testing.T) {
	for _, size := range []int{5000, 6 << 20} {
		synctest.Test(t, func(t *testing.T) {
			c := thingOf(noise(3, size))
			a, b := newFake(1, c), newFake(2, c)
			a.piece = 1000
			a.before = func(ctx context.Context, _ tree.Want, off int64) error {
				if off < 3000 {
					return nil
				}
				<-ctx.Done()
				return ctx.Err()
			}
			p := newPlace(t).start(a)
			p.Submit([]Job{c.job("x", a)})
			synctest.Wait()
			p.AddSource(c.id, b.dev)
			p.PeerUp(b)
			p.want(c)
			p.stop()
		})
	}
}

func TestSlowIsHelpedAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := thingOf(noise(4, 8<<20))
		slow, quick := newFake(1, c), newFake(2, c)
		slow.before = func(ctx context.Context, _ tree.Want, _ int64) error { return sleep(ctx, 20*time.Second) }
		quick.before = func(ctx context.Context, _ tree.Want, _ int64) error { return sleep(ctx, 10*time.Millisecond) }
		p := newPlace(t).start(slow)
		began := time.Now()
		p.Submit([]Job{c.job("x", slow, quick)})
		synctest.Wait()
		p.PeerUp(quick)
		p.want(c)
		if took := time.Since(began); took > time.Minute {
			t.Errorf("took %v beside a quick peer", took)
		}
		p.stop()
	})
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(d):
		return nil
	}
}

func TestLiarIsFoundOut(t *testing.T) {
	for _, size := range []int{5000, 3 << 20} {
		c := thingOf(noise(5, size))
		liar, honest := newFake(1, c), newFake(2, c)
		liar.spoil = func(_ tree.Want, off int64, data []byte) { data[len(data)/2] ^= 1 }
		p := newPlace(t)
		var told atomic.Int32
		p.opts.Bad = func(dev tree.DeviceID, err error) {
			if dev != liar.dev || !errors.Is(err, ErrLied) {
				t.Errorf("%v: %v", dev, err)
			}
			told.Add(1)
		}
		p.start(liar)
		p.Submit([]Job{c.job("x", liar)})
		r := p.next()
		if !errors.Is(r.Err, ErrLied) || told.Load() == 0 {
			t.Fatalf("%v, told %d times", r.Err, told.Load())
		}
		p.Submit([]Job{c.job("x", liar, honest)})
		p.PeerUp(honest)
		for {
			if r = p.next(); r.Err == nil {
				break
			}
			p.Submit([]Job{c.job("x", liar, honest)})
		}
		if err := p.holdsThing(r, c); err != nil {
			t.Fatal(err)
		}
		p.stop()
	}
}

// What a liar sends is never on the disk, under any name.
func TestWrongBytesAreNotWritten(t *testing.T) {
	c := thingOf(noise(6, 2<<20))
	mark := []byte("these bytes were made up by the peer")
	liar := newFake(1, c)
	liar.spoil = func(_ tree.Want, _ int64, data []byte) { copy(data, mark) }
	p := newPlace(t).start(liar)
	p.Submit([]Job{c.job("x", liar)})
	p.next()
	p.stop()
	for _, name := range p.staging() {
		data, err := os.ReadFile(p.file(Staging + "/" + name))
		if err != nil || bytes.Contains(data, mark) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestHabitualLiarIsAskedNothingMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		liar := newFake(1)
		liar.spoil = func(_ tree.Want, _ int64, data []byte) { data[0] ^= 1 }
		var jobs []Job
		for i := range 50 {
			c := thingOf(noise(uint64(i), 100_000))
			liar.things[c.id] = c
			jobs = append(jobs, c.job(fmt.Sprint(i), liar))
		}
		p := newPlace(t)
		p.opts.Limits.BatchFiles = 1
		p.start(liar)
		p.Submit(jobs)
		for range 3 {
			if r := p.next(); !errors.Is(r.Err, ErrLied) {
				t.Fatal(r.Err)
			}
		}
		synctest.Wait()
		if liar.calls > 3+2 {
			t.Errorf("asked %d times", liar.calls)
		}
		p.stop()
	})
}

// So many big contents are under way at once, and an urgent one beside them.
func TestHowManyAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newFake(1)
		a.before = func(ctx context.Context, _ tree.Want, _ int64) error {
			<-ctx.Done()
			return ctx.Err()
		}
		var jobs []Job
		for i := range 12 {
			for _, size := range []int{5 << 20, 300_000} {
				c := thingOf(noise(uint64(i), size))
				a.things[c.id] = c
				jobs = append(jobs, c.job(fmt.Sprint(size, i), a))
			}
		}
		p := newPlace(t).start(a)
		active := func() map[int64]int {
			synctest.Wait()
			out := map[int64]int{}
			for _, x := range p.Progress().Active {
				out[x.Size]++
			}
			return out
		}
		p.Submit(jobs)
		if got := active(); got[5<<20] != 2 || got[300_000] != 8 {
			t.Errorf("%v", got)
		}
		c := thingOf(noise(99, 6<<20))
		a.things[c.id] = c
		urgent := c.job("urgent", a)
		urgent.Urgent = true
		p.Submit([]Job{urgent})
		if got := active(); got[6<<20] != 1 {
			t.Errorf("%v", got)
		}
		p.stop()
	})
}

func TestGone(t *testing.T) {
	for _, size := range []int{5000, 3 << 20} {
		c := thingOf(noise(7, size))
		a, b := newFake(1), newFake(2)
		p := newPlace(t).start(a, b)
		p.Submit([]Job{c.job("x", a, b)})
		if r := p.next(); !errors.Is(r.Err, ErrGone) {
			t.Errorf("size %d: %v", size, r.Err)
		}
		p.stop()
	}
}

func TestWaitsForASource(t *testing.T) {
	for _, size := range []int{5000, 3 << 20} {
		c := thingOf(noise(8, size))
		a := newFake(1, c)
		p := newPlace(t).start()
		p.Submit([]Job{c.job("x", a)})
		select {
		case r := <-p.Results():
			t.Fatalf("%+v", r)
		case <-time.After(20 * time.Millisecond):
		}
		p.PeerUp(a)
		p.want(c)
		p.stop()
	}
}

func TestCutAndBack(t *testing.T) {
	c := thingOf(noise(9, 6<<20))
	a := newFake(1, c)
	var cut atomic.Bool
	a.before = func(_ context.Context, _ tree.Want, off int64) error {
		if off > 2<<20 && !cut.Load() {
			return errors.New("the link was cut")
		}
		return nil
	}
	p := newPlace(t).start(a)
	p.Submit([]Job{c.job("x", a)})
	for a.sent() < 2<<20 {
		runtime.Gosched()
	}
	p.PeerDown(a.dev)
	cut.Store(true)
	before := a.sent()
	p.PeerUp(a)
	p.want(c)
	if again := a.sent() - int64(len(c.data)); again > 2<<20 {
		t.Errorf("%d bytes sent again after %d", again, before)
	}
}

// What came whole is handed on even if the session ended with it: its job is
// over, and nobody would ever ask for it again.
func TestResultOutlivesItsSession(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPlace(t).start()
		for i := range 40 {
			c := thingOf(noise(uint64(100+i), 500))
			a := newFake(1, c)
			a.before = func(context.Context, tree.Want, int64) error {
				p.PeerDown(a.dev)
				return nil
			}
			p.PeerUp(a)
			p.Submit([]Job{c.job("x", a)})
			p.want(c)
		}
	})
}

func TestPauseAndResume(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		small, big, late := thingOf(noise(10, 90_000)), thingOf(noise(11, 4<<20)), thingOf(noise(23, 1<<20))
		a := newFake(1, small, big)
		a.before = func(ctx context.Context, _ tree.Want, _ int64) error { return sleep(ctx, time.Second) }
		p := newPlace(t).start(a)
		p.Submit([]Job{small.job("s", a), big.job("b", a)})
		synctest.Wait()
		p.Pause()
		synctest.Wait()
		sent := a.sent()
		a.things[late.id] = late
		p.Submit([]Job{late.job("l", a)})
		time.Sleep(time.Hour)
		if a.sent() != sent {
			t.Errorf("%d bytes came during the pause", a.sent()-sent)
		}
		p.Resume()
		seen := map[tree.ContentID]bool{}
		for range 3 {
			r := p.next()
			if r.Err != nil {
				t.Fatal(r.Err)
			}
			seen[r.Job.Entry.Content] = true
		}
		if len(seen) != 3 {
			t.Error("not all came")
		}
		p.stop()
	})
}

func TestDrop(t *testing.T) {
	small, big := thingOf(noise(12, 90_000)), thingOf(noise(13, 4<<20))
	a := newFake(1, small, big)
	release := make(chan struct{})
	a.before = func(ctx context.Context, _ tree.Want, _ int64) error {
		select {
		case <-release:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	p := newPlace(t).start(a)
	p.Submit([]Job{small.job("s", a), big.job("b", a)})
	for {
		a.mu.Lock()
		calls := a.calls
		a.mu.Unlock()
		if calls >= 2 {
			break
		}
		runtime.Gosched()
	}
	if n := p.Drop(func(Job) bool { return true }); n != 2 {
		t.Errorf("%d dropped", n)
	}
	p.Submit([]Job{big.job("again", a)})
	close(release)
	if r := p.want(big); r.Job.Entry.Path != "again" {
		t.Error(r.Job.Entry.Path)
	}
	if g := p.Progress(); g.Jobs != 0 {
		t.Errorf("left over: %+v", g)
	}
}

func TestSmallPassesBig(t *testing.T) {
	small := thingOf(noise(14, 10))
	a := newFake(1, small)
	hold := make(chan struct{})
	a.before = func(ctx context.Context, w tree.Want, _ int64) error {
		if w.Whole {
			return nil
		}
		select {
		case <-hold:
		case <-ctx.Done():
		}
		return ctx.Err()
	}
	p := newPlace(t).start(a)
	var jobs []Job
	var last thing
	for i := range 20 {
		last = thingOf(noise(uint64(100+i), 300_000+i))
		a.things[last.id] = last
		jobs = append(jobs, last.job(fmt.Sprint(i), a))
	}
	p.Submit(jobs)
	p.Submit([]Job{small.job("small", a)})
	p.want(small)
	close(hold)
	for range jobs {
		if r := p.next(); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
}

func TestDiskFull(t *testing.T) {
	small, big := thingOf(noise(15, 50_000)), thingOf(noise(16, 4<<20))
	a := newFake(1, small, big)
	p := newPlace(t).start(a)
	p.fs.limit(10_000)
	p.Submit([]Job{small.job("s", a)})
	if r := p.next(); !errors.Is(r.Err, syscall.ENOSPC) || r.Staged != "" {
		t.Errorf("%+v", r)
	}
	p.fs.limit(1 << 20)
	p.Submit([]Job{big.job("b", a)})
	if r := p.next(); !errors.Is(r.Err, syscall.ENOSPC) {
		t.Errorf("%+v", r)
	}
	sent := a.sent()
	p.fs.limit(1 << 40)
	p.Submit([]Job{big.job("b", a)})
	p.want(big)
	if again := a.sent() - sent; again > 4<<20-500_000 {
		t.Errorf("%d bytes were asked for again", again)
	}
}

func TestBadListsAreRefused(t *testing.T) {
	c := thingOf(noise(17, 2<<20))
	other := thingOf(noise(18, 2<<20))
	liar, honest := newFake(1), newFake(2, c)
	liar.things[c.id] = thing{c.data, other.m, c.id}
	p := newPlace(t).start(liar)
	p.Submit([]Job{c.job("x", liar)})
	if r := p.next(); !errors.Is(r.Err, ErrLied) {
		t.Fatal(r.Err)
	}
	p.PeerUp(honest)
	p.Submit([]Job{c.job("x", honest)})
	p.want(c)
	if liar.sent() != 0 {
		t.Error("chunks were asked for by a list that is not the content's")
	}
}

// The memory for a huge file is that of a few chunks and its list.
func TestMemoryStaysFlat(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 512 MiB")
	}
	const size = 512 << 20
	block := noise(19, 1<<20)
	at := func(off int64, p []byte) { // every MiB is another rotation of block
		for len(p) > 0 {
			mib, in := int(off>>20), int(off&(1<<20-1))
			from := (in + mib*4099) & (1<<20 - 1)
			n := copy(p[:min(len(p), 1<<20-in)], block[from:])
			p, off = p[n:], off+int64(n)
		}
	}
	m, id, _, err := chunk.Of(&synthetic{at: at, size: size}, size)
	if err != nil {
		t.Fatal(err)
	}
	src := &endless{fake: newFake(1), m: m, at: at}
	p := newPlace(t).start()
	p.PeerUp(src)
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	p.Submit([]Job{{Entry: tree.Entry{Path: "huge", Kind: tree.File, Size: size, Content: id}, Sources: []tree.DeviceID{src.dev}}})
	r := p.next()
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	runtime.ReadMemStats(&now)
	if got := now.TotalAlloc - before.TotalAlloc; got > 16<<20 {
		t.Errorf("%d KiB were allocated for %d MiB", got>>10, size>>20)
	}
}

type synthetic struct {
	at        func(int64, []byte)
	off, size int64
}

func (s *synthetic) Read(p []byte) (int, error) {
	n := min(int64(len(p)), s.size-s.off)
	if n == 0 {
		return 0, io.EOF
	}
	s.at(s.off, p[:n])
	s.off += n
	return int(n), nil
}

type endless struct {
	*fake
	m  tree.Manifest
	at func(int64, []byte)
}

func (s *endless) Manifest(context.Context, tree.FolderID, tree.ContentID, tree.ContentID, int64) (tree.Manifest, error) {
	return s.m, nil
}

func (s *endless) Fetch(ctx context.Context, _ tree.FolderID, wants []tree.Want, sink func(int, int64, []byte) error, done func(int, error)) error {
	buf := make([]byte, 128<<10)
	for i, w := range wants {
		for off := w.Offset; off < w.Offset+w.Length; {
			piece := buf[:min(int64(len(buf)), w.Offset+w.Length-off)]
			s.at(off, piece)
			if err := sink(i, off, piece); err != nil {
				return err
			}
			off += int64(len(piece))
		}
		done(i, nil)
	}
	return nil
}

// TestFinalDoesNotWait: what a person waits for is answered when nobody who is
// connected has it; another job for the like of it waits.
func TestFinalDoesNotWait(t *testing.T) {
	a := newFake(1)
	p := newPlace(t).start(a)
	away := newFake(2)
	small, big := thingOf(noise(1, 1000)), thingOf(noise(2, 1<<20))
	for _, c := range []thing{small, big} {
		j := c.job("f", away)
		j.Final = true
		p.Submit([]Job{j})
		if r := p.next(); !errors.Is(r.Err, ErrGone) {
			t.Errorf("%d bytes: %v", len(c.data), r.Err)
		}
	}
	p.Submit([]Job{small.job("f", away)})
	away.things[small.id] = small
	p.PeerUp(away)
	if r := p.next(); r.Err != nil {
		t.Error(r.Err)
	}
	// Of two who have it one says that it is gone: the other is asked.
	b := newFake(3)
	b.things[big.id] = big
	p.PeerUp(b)
	j := big.job("g", a, b)
	j.Final = true
	p.Submit([]Job{j})
	if r := p.next(); r.Err != nil {
		t.Error(r.Err)
	}
}
