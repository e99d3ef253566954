package transfer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// interrupted starts fetching c and stops when most of it is there.
func interrupted(t *testing.T, p *place, c thing, upTo int64) {
	t.Helper()
	a := newFake(1, c)
	a.before = func(ctx context.Context, _ tree.Want, _ int64) error {
		if a.sent() < upTo {
			return nil
		}
		<-ctx.Done()
		return ctx.Err()
	}
	p.start(a)
	p.Submit([]Job{c.job("x", a)})
	for a.sent() < upTo {
		runtime.Gosched()
	}
	p.stop()
}

func TestResumeAfterAStop(t *testing.T) {
	c := thingOf(noise(1, 20<<20))
	p := newPlace(t)
	interrupted(t, p, c, 14<<20)
	if _, err := os.Stat(p.file(haveName(c.id))); err != nil {
		t.Error("no note of what is there:", err)
	}
	a := newFake(1, c)
	p.start(a)
	p.Submit([]Job{c.job("x", a)})
	r := p.want(c)
	if p.fs.read != 0 {
		t.Errorf("%d bytes were read that the note vouched for", p.fs.read)
	}
	if a.lists != 0 {
		t.Error("the chunk list was asked for again")
	}
	if a.sent() > 6<<20+8*100<<10 || r.Reused < 13<<20 {
		t.Errorf("%d bytes asked for, %d reused", a.sent(), r.Reused)
	}
	if _, err := os.Stat(p.file(haveName(c.id))); err == nil {
		t.Error("the note outlived the stop")
	}
}

// A kill leaves no note; the part is read, and what is wrong in it is fetched.
func TestResumeAfterAKill(t *testing.T) {
	c := thingOf(noise(2, 20<<20))
	p := newPlace(t)
	interrupted(t, p, c, 14<<20)
	if err := os.Remove(p.file(haveName(c.id))); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(p.file(partName(c.id)), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	have := make([]byte, len(c.data))
	if _, err := f.ReadAt(have, 0); err != nil {
		t.Fatal(err)
	}
	lacking, spoilt, at := int64(0), 0, int64(0)
	for i, ch := range c.m {
		there := bytes.Equal(have[at:at+int64(ch.Len)], c.data[at:at+int64(ch.Len)])
		if there && i%10 == 0 {
			f.WriteAt([]byte("rotten"), at+100)
			there = false
			spoilt++
		}
		if !there {
			lacking += int64(ch.Len)
		}
		at += int64(ch.Len)
	}
	f.Close()
	a := newFake(1, c)
	p.start(a)
	p.Submit([]Job{c.job("x", a)})
	p.want(c)
	if spoilt == 0 || a.sent() != lacking {
		t.Errorf("%d bytes asked for, %d were lacking (%d chunks spoilt)", a.sent(), lacking, spoilt)
	}
}

// A note counts for nothing when the part is not as it says.
func TestNoteOfAnotherPartIsNotTrusted(t *testing.T) {
	c := thingOf(noise(3, 8<<20))
	p := newPlace(t)
	interrupted(t, p, c, 6<<20)
	part := p.file(partName(c.id))
	if err := os.WriteFile(part, make([]byte, len(c.data)), 0o600); err != nil {
		t.Fatal(err)
	}
	later := time.Now().Add(time.Second)
	if err := os.Chtimes(part, later, later); err != nil {
		t.Fatal(err)
	}
	a := newFake(1, c)
	p.start(a)
	p.Submit([]Job{c.job("x", a)})
	p.want(c)
}

func TestTornNotesAndLists(t *testing.T) {
	c := thingOf(noise(4, 4<<20))
	for _, name := range []string{haveName(c.id), listName(c.id)} {
		for _, damage := range []func([]byte) []byte{
			func(b []byte) []byte { return b[:len(b)/2] },
			func(b []byte) []byte { return nil },
			func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
			func(b []byte) []byte { return make([]byte, len(b)) },
			func(b []byte) []byte { return append(b, b...) },
		} {
			p := newPlace(t)
			interrupted(t, p, c, 3<<20)
			b, err := os.ReadFile(p.file(name))
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(p.file(name), damage(b), 0o600); err != nil {
				t.Fatal(err)
			}
			a := newFake(1, c)
			p.start(a)
			p.Submit([]Job{c.job("x", a)})
			p.want(c)
			p.stop()
		}
	}
}

func TestFinishedStageOfAnEarlierRun(t *testing.T) {
	c := thingOf(noise(5, 4<<20))
	a := newFake(1, c)
	p := newPlace(t).start(a)
	p.Submit([]Job{c.job("x", a)})
	first := p.want(c)
	p.stop()
	p.start(a)
	p.Submit([]Job{c.job("x", a)})
	if r := p.want(c); a.sent() != int64(len(c.data)) || r.Staged == first.Staged {
		t.Errorf("%d bytes sent, %s", a.sent(), r.Staged)
	}
}

func TestOneByteInFront(t *testing.T) {
	data := noise(6, 64<<20)
	old, fresh := thingOf(data), thingOf(append([]byte{'!'}, data...))
	a := newFake(1, fresh)
	p := newPlace(t)
	p.put("film", old)
	p.start(a)
	p.Submit([]Job{fresh.job("film", a)})
	r := p.want(fresh)
	if a.sent() > 2*256<<10 {
		t.Errorf("%d bytes asked for", a.sent())
	}
	if r.Received != a.sent() || r.Received+r.Reused != int64(len(fresh.data)) {
		t.Errorf("%+v", r)
	}
}

func TestChunksOfBaseAndNear(t *testing.T) {
	data := noise(7, 4<<20)
	old, fresh := thingOf(data), thingOf(append(bytes.Clone(data), "more"...))
	for name, job := range map[string]func(j *Job){
		"base": func(j *Job) { j.Entry.Base = old.id },
		"near": func(j *Job) { j.Near = "elsewhere" },
	} {
		a := newFake(1, fresh)
		p := newPlace(t)
		p.put("elsewhere", old)
		p.start(a)
		j := fresh.job("film", a)
		job(&j)
		p.Submit([]Job{j})
		p.want(fresh)
		if a.sent() > 300<<10 {
			t.Errorf("%s: %d bytes asked for", name, a.sent())
		}
		p.stop()
	}
}

// However long it takes to look around here, nobody is asked before.
func TestPeersAreAskedLast(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		data := noise(17, 4<<20)
		old, fresh := thingOf(data), thingOf(append(bytes.Clone(data), "more"...))
		a := newFake(1, fresh)
		p := newPlace(t)
		p.put("film", old)
		p.fs.onOpen = func(path string) {
			if path == "film" {
				time.Sleep(time.Minute)
			}
		}
		p.start(a)
		p.Submit([]Job{fresh.job("film", a)})
		p.want(fresh)
		if a.sent() > 300<<10 {
			t.Errorf("%d bytes asked for", a.sent())
		}
		p.stop()
	})
}

// A hole is not taken for a chunk, be it of the length that zeros would make.
func TestHolesAreNotChunks(t *testing.T) {
	c := thingOf(append(noise(18, 4<<20), bytes.Repeat([]byte("pattern "), 128<<10)...))
	_, most := chunk.Bounds(int64(len(c.data)))
	if !slices.ContainsFunc(c.m, func(ch tree.Chunk) bool { return int(ch.Len) == most }) {
		t.Fatal("no chunk of the greatest length")
	}
	p := newPlace(t)
	interrupted(t, p, c, 2<<20)
	if err := os.Remove(p.file(haveName(c.id))); err != nil {
		t.Fatal(err)
	}
	a := newFake(1, c)
	p.start(a)
	p.Submit([]Job{c.job("x", a)})
	p.want(c)
}

// The file that should have the old chunks was edited and nobody has seen it yet.
func TestOldVersionHasChanged(t *testing.T) {
	data := noise(8, 4<<20)
	old, fresh := thingOf(data), thingOf(append(bytes.Clone(data), "more"...))
	a := newFake(1, fresh)
	p := newPlace(t)
	p.put("film", old)
	if err := os.WriteFile(p.file("film"), noise(9, 3<<20), 0o644); err != nil {
		t.Fatal(err)
	}
	p.start(a)
	p.Submit([]Job{fresh.job("film", a)})
	p.want(fresh)
}

func TestContentThatIsHereIsNotAskedFor(t *testing.T) {
	for _, size := range []int{3000, 200 << 10, 4 << 20} {
		c := thingOf(noise(10, size))
		a := newFake(1, c)
		p := newPlace(t)
		p.put("live", c)
		p.start(a)
		p.Submit([]Job{c.job("copy", a)})
		p.want(c)
		if a.calls+a.lists != 0 {
			t.Errorf("size %d: %d requests", size, a.calls+a.lists)
		}
		p.stop()

		p = newPlace(t)
		p.put(".pinion/archive/old", c)
		delete(p.index.rows, ".pinion/archive/old")
		p.opts.Archive = func(_ context.Context, id tree.ContentID) ([]string, error) {
			if id == c.id {
				return []string{".pinion/archive/none", ".pinion/archive/old"}, nil
			}
			return nil, nil
		}
		p.start(a)
		p.Submit([]Job{c.job("back", a)})
		p.want(c)
		if a.sent() != 0 {
			t.Errorf("size %d: %d bytes asked for although it is in the archive", size, a.sent())
		}
		p.stop()
	}
}

func TestRepeatedChunksAreFetchedOnce(t *testing.T) {
	data := append(make([]byte, 32<<20), noise(11, 1<<20)...)
	data = append(data, make([]byte, 16<<20)...)
	c := thingOf(data)
	a := newFake(1, c)
	p := newPlace(t).start(a)
	p.Submit([]Job{c.job("sparse", a)})
	p.want(c)
	if a.sent() > 3<<20 {
		t.Errorf("%d bytes asked for", a.sent())
	}
}

func TestSweep(t *testing.T) {
	wanted, unwanted, other := thingOf(noise(12, 4<<20)), thingOf(noise(13, 4<<20)), thingOf(noise(14, 100))
	p := newPlace(t)
	interrupted(t, p, wanted, 3<<20)
	interrupted(t, p, unwanted, 3<<20)
	p.start(newFake(1, other))
	p.Submit([]Job{other.job("o", newFake(1))})
	stale := p.want(other).Staged
	p.stop()
	strange := Staging + "/" + unwanted.id.String() + "-00000000-7"
	alien := Staging + "/not-ours"
	for _, name := range []string{strange, alien} {
		if err := os.WriteFile(p.file(name), []byte("somebody's"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	p.opts.Now = func() time.Time { return time.Now().Add(2 * time.Hour) }
	a := newFake(1, other)
	p.start(a)
	p.Submit([]Job{other.job("o", a)})
	current := p.want(other).Staged
	got, err := p.Sweep(context.Background(), func(id tree.ContentID) bool { return id == wanted.id })
	if err != nil {
		t.Fatal(err)
	}
	if len(got.Strange) != 1 || got.Strange[0] != strange {
		t.Errorf("strange: %v", got.Strange)
	}
	for name, there := range map[string]bool{
		partName(wanted.id): true, listName(wanted.id): true, haveName(wanted.id): true,
		partName(unwanted.id): false, listName(unwanted.id): false, haveName(unwanted.id): false,
		stale: false, current: true, strange: true, alien: true,
	} {
		if _, err := os.Stat(p.file(name)); (err == nil) != there {
			t.Errorf("%s: %v", filepath.Base(name), err)
		}
	}
}

func TestStageNames(t *testing.T) {
	id := chunk.Empty()
	for name, want := range map[string]bool{
		id.String() + ".part":         true,
		id.String() + "-0a0b0c0d-12":  true,
		id.String():                   false,
		id.String() + ".partly":       false,
		strings.Repeat("z", 66) + "-": false,
		"x":                           false,
	} {
		if _, _, ok := parseName(name); ok != want {
			t.Errorf("%q: %v", name, ok)
		}
	}
}

func FuzzNote(f *testing.F) {
	f.Add((&kept{size: 5, mtime: 6, have: bits{7, 8}}).append(nil), 100)
	f.Fuzz(func(t *testing.T, b []byte, n int) {
		if n < 0 || n > 1<<16 {
			return
		}
		if k := readNote(b, n); k != nil && !bytes.Equal(k.append(nil), b) {
			t.Fatal("two notes for one")
		}
	})
}

func TestErrorsOfTheIndexComeThrough(t *testing.T) {
	broken := errors.New("index is damaged")
	p := newPlace(t)
	p.opts.Archive = func(context.Context, tree.ContentID) ([]string, error) { return nil, broken }
	small, big := thingOf(noise(15, 10)), thingOf(noise(16, 1<<20))
	a := newFake(1, small, big)
	p.start(a)
	p.Submit([]Job{small.job("s", a), big.job("b", a)})
	for range 2 {
		if r := p.next(); !errors.Is(r.Err, broken) {
			t.Error(r.Err)
		}
	}
}

// What could not be placed is fetched once, however often it is tried.
func TestStageThatWasGivenBackIsUsedAgain(t *testing.T) {
	for _, c := range []thing{thingOf(noise(1, 900)), thingOf(noise(2, 3<<20))} {
		p, a := newPlace(t), newFake(1, c)
		p.start(a)
		for range 5 {
			p.Submit([]Job{c.job("x", a)})
			r := p.want(c)
			p.GiveBack(c.id, r.Staged)
		}
		if got := a.sent(); got > int64(len(c.data)) {
			t.Errorf("%d bytes were asked for of a content of %d", got, len(c.data))
		}
		if left := p.staging(); len(left) != 1 {
			t.Errorf("there are %d stages: %v", len(left), left)
		}
		if err := os.WriteFile(p.file(p.lastGivenBack(c.id)), []byte("something else"), 0o600); err != nil {
			t.Fatal(err)
		}
		p.Submit([]Job{c.job("x", a)})
		p.want(c)
	}
}

func (p *place) lastGivenBack(id tree.ContentID) string { return p.olderStages(id)[0] }
