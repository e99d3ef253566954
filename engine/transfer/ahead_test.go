package transfer

import (
	"bytes"
	"context"
	"errors"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// giver is a device that gives what its Server does.
type giver struct {
	*Server
	dev   tree.DeviceID
	sent  atomic.Int64
	spoil bool // the first byte of each piece
}

func (g *giver) Device() tree.DeviceID { return g.dev }

func (g *giver) Manifest(ctx context.Context, _ tree.FolderID, id, base tree.ContentID, _ int64) (tree.Manifest, error) {
	return g.Server.Manifest(ctx, id, base)
}

func (g *giver) Fetch(ctx context.Context, folder tree.FolderID, wants []tree.Want, sink func(int, int64, []byte) error, done func(int, error)) error {
	return g.Serve(ctx, folder, wants, giving{g, sink, done})
}

type giving struct {
	*giver
	sink func(int, int64, []byte) error
	done func(int, error)
}

func (g giving) Piece(i int, off int64, data []byte) error {
	g.sent.Add(int64(len(data)))
	if g.spoil {
		data = bytes.Clone(data)
		data[0] ^= 1
	}
	return g.sink(i, off, data)
}

func (g giving) Done(i int, gone bool) error {
	if gone {
		g.done(i, ErrGone)
	} else {
		g.done(i, nil)
	}
	return nil
}

// reading is a file that one device is reading while another takes it.
type reading struct {
	t        *testing.T
	content  thing
	from, to *place
	giver    *giver
	word     tree.Coming
	took     func(tree.Chunk)
	over     func()
	at       int
}

const aheadSize = 48 << 20

// read begins to read content at one device, before its index knows of it.
func read(t *testing.T, content thing, base tree.ContentID) *reading {
	t.Helper()
	r := &reading{t: t, content: content, from: newPlace(t), to: newPlace(t)}
	if err := os.WriteFile(r.from.file("big"), content.data, 0o644); err != nil {
		t.Fatal(err)
	}
	stat, err := r.from.fs.Lstat("big")
	if err != nil {
		t.Fatal(err)
	}
	var now Reading
	r.giver = &giver{Server: NewServer(ServerOptions{FS: r.from.fs, Index: r.from.index, Reading: &now}), dev: tree.DeviceID{1}}
	var ok bool
	if r.took, r.over, ok = now.Begin(tree.FolderID{1}, "big", stat, base); !ok {
		t.Fatal("another file is being read")
	}
	if _, _, ok := now.Begin(tree.FolderID{1}, "other", stat, base); ok {
		t.Error("two files at once")
	}
	r.word = now.Word()
	return r
}

// sections has so many sections read.
func (r *reading) sections(n int) {
	for _, c := range r.content.m[r.at:][:n*sectionChunks] {
		r.took(c)
	}
	r.at += n * sectionChunks
}

// finish has the rest read, told, and asked for.
func (r *reading) finish() {
	for _, c := range r.content.m[r.at:] {
		r.took(c)
	}
	r.over()
	r.from.put("big", r.content)
	r.to.Coming(r.giver.dev, tree.Coming{})
	j := r.content.job("big")
	j.Sources = []tree.DeviceID{r.giver.dev}
	r.to.Submit([]Job{j})
}

// came waits until so much has come from the other device.
func (r *reading) came(bytes int64) {
	r.t.Helper()
	for end := time.Now().Add(time.Minute); r.to.Progress().Received < bytes; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			r.t.Fatalf("%d bytes came of %d that are known", r.to.Progress().Received, bytes)
		}
	}
}

// start has the one that takes run, connected with the other.
func (r *reading) start() *reading {
	r.to.start().runs()
	r.to.PeerUp(r.giver)
	return r
}

// runs waits until p's fetcher does.
func (p *place) runs() *place {
	for begun := false; !begun; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		begun = p.run != nil
		p.mu.Unlock()
	}
	return p
}

func lengthOf(m tree.Manifest) (n int64) {
	for _, c := range m {
		n += int64(c.Len)
	}
	return n
}

func TestAheadOfItsID(t *testing.T) {
	r := read(t, thingOf(noise(71, aheadSize)), tree.ContentID{})
	r.start()
	r.to.Coming(r.giver.dev, r.word)
	r.to.Coming(r.giver.dev, r.word) // it is told with every state
	for range 2 {
		r.sections(1)
		r.came(lengthOf(r.content.m[:r.at]))
	}
	r.finish()
	if got := r.to.want(r.content); got.Received != aheadSize || got.Reused != 0 {
		t.Errorf("%d bytes came and %d were here", got.Received, got.Reused)
	}
	if sent := r.giver.sent.Load(); sent != aheadSize {
		t.Errorf("%d bytes were sent of %d", sent, aheadSize)
	}
	if left := r.to.staging(); len(left) != 1 {
		t.Errorf("beside the stage there is %v", left)
	}
}

func TestAheadUsesTheOldVersion(t *testing.T) {
	data := noise(72, aheadSize)
	old := thingOf(data)
	r := read(t, thingOf(slices.Concat(data[:1000], []byte("!"), data[1000:])), old.id)
	r.to.put("big", old)
	r.start()
	r.to.Coming(r.giver.dev, r.word)
	r.sections(2)
	for end := time.Now().Add(time.Minute); r.giver.sent.Load() == 0; time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("nothing came ahead")
		}
	}
	r.finish()
	got := r.to.want(r.content)
	if got.Received != r.giver.sent.Load() || got.Received > 1<<20 {
		t.Errorf("%d bytes count as received of %d sent, for one byte that is new", got.Received, r.giver.sent.Load())
	}
}

// What turns out to be another file than was begun counts for nothing.
func TestAheadOfSomethingElse(t *testing.T) {
	r := read(t, thingOf(noise(73, aheadSize)), tree.ContentID{})
	r.start()
	r.to.Coming(r.giver.dev, r.word)
	r.sections(1)
	r.came(lengthOf(r.content.m[:r.at]))
	other := bytes.Clone(r.content.data)
	other[100] ^= 1
	r.content = thingOf(other)
	r.finish()
	r.to.want(r.content)
	if left := r.to.staging(); len(left) != 1 {
		t.Errorf("beside the stage there is %v", left)
	}
}

func TestAheadFromALiar(t *testing.T) {
	r := read(t, thingOf(noise(74, aheadSize)), tree.ContentID{})
	r.giver.spoil = true
	bad := make(chan error, 64)
	r.to.opts.Bad = func(_ tree.DeviceID, err error) { bad <- err }
	r.start()
	r.to.Coming(r.giver.dev, r.word)
	r.sections(1)
	if err := <-bad; !errors.Is(err, ErrLied) {
		t.Errorf("wrong bytes were called %v", err)
	}
	r.giver.spoil = false
	r.finish()
	r.to.want(r.content)
}

func TestAheadAndNobodyWantsIt(t *testing.T) {
	for name, end := range map[string]func(r *reading, rest chan<- time.Time){
		"after a while": func(r *reading, rest chan<- time.Time) { rest <- time.Time{} },
		"at the end":    func(r *reading, _ chan<- time.Time) { r.to.stop() },
	} {
		t.Run(name, func(t *testing.T) {
			r := read(t, thingOf(noise(75, aheadSize)), tree.ContentID{})
			rest := make(chan time.Time)
			r.to.opts.After = func(d time.Duration) <-chan time.Time {
				if d == aheadKept {
					return rest
				}
				return time.After(d)
			}
			r.start()
			r.to.Coming(r.giver.dev, r.word)
			r.sections(1)
			r.came(lengthOf(r.content.m[:r.at]))
			r.over()
			r.to.Coming(r.giver.dev, tree.Coming{})
			end(r, rest)
			for until := time.Now().Add(time.Minute); len(r.to.staging()) > 0; time.Sleep(time.Millisecond) {
				if time.Now().After(until) {
					t.Fatalf("%v stays", r.to.staging())
				}
			}
		})
	}
}

func TestAheadIsBounded(t *testing.T) {
	p := newPlace(t).start().runs()
	src := newFake(1)
	p.PeerUp(src)
	for i := range byte(5) {
		p.Coming(src.dev, tree.Coming{ID: tree.ContentID{tree.HashBLAKE3, i + 1}, Size: aheadSize})
	}
	p.mu.Lock()
	n := len(p.aheads)
	p.mu.Unlock()
	if n > maxAhead {
		t.Errorf("%d files at once", n)
	}
	for _, w := range []tree.Coming{{Size: aheadSize}, {ID: tree.ContentID{1}, Size: ReadingFrom - 1}, {ID: tree.ContentID{1}, Size: chunk.MaxFile + 1}} {
		q := newPlace(t).start().runs()
		q.PeerUp(src)
		if q.Coming(src.dev, w); len(q.aheads) > 0 {
			t.Errorf("%+v is fetched", w)
		}
	}
}

// A section is a peer's word.
func TestAheadSections(t *testing.T) {
	good := make(tree.Manifest, sectionChunks)
	for i := range good {
		good[i] = tree.Chunk{ID: chunk.Sum([]byte{byte(i)}), Len: 64 << 10}
	}
	spoilt := func(fn func(tree.Manifest) tree.Manifest) tree.Manifest { return fn(slices.Clone(good)) }
	for name, m := range map[string]tree.Manifest{
		"nothing":  nil,
		"too few":  good[1:],
		"too many": append(slices.Clone(good), good[0]),
		"short":    spoilt(func(m tree.Manifest) tree.Manifest { m[3].Len = 1; return m }),
		"long":     spoilt(func(m tree.Manifest) tree.Manifest { m[3].Len = 1 << 30; return m }),
		"no id":    spoilt(func(m tree.Manifest) tree.Manifest { m[3].ID = tree.ContentID{}; return m }),
	} {
		a := &ahead{word: tree.Coming{Size: ReadingFrom}}
		if p, err := a.add(m, newPart); err == nil || p != nil || !strings.Contains(err.Error(), "section") {
			t.Errorf("%s: %v", name, err)
		}
	}
	a := &ahead{word: tree.Coming{Size: ReadingFrom}}
	for i := range 3 {
		p, err := a.add(good, newPart)
		if wrong := i == 2; (err != nil) != wrong {
			t.Fatalf("section %d of 16 MiB in a file of 32 MiB: %v", i, err)
		}
		if err == nil && p.at[0] != int64(i)<<24 {
			t.Errorf("section %d begins at %d", i, p.at[0])
		}
	}
}

// What is read is read a quarter faster than it is given, where that takes a rest.
func TestReadingRestsForWhatIsGiven(t *testing.T) {
	const ms = time.Millisecond
	for _, x := range []struct {
		name         string
		took, rested time.Duration
		given        int64
		want         time.Duration
	}{
		{"nobody asks", 10 * ms, 0, 0, 0},
		{"a slow link", 10 * ms, 0, lap / 8, 0},
		{"a fast one", 10 * ms, 0, lap / 2, 6 * ms},
		{"a fast one, after a rest", 16 * ms, 6 * ms, lap * 4 / 5, 6 * ms},
		{"more is given than read", 10 * ms, 0, lap, 0},
		{"three times as long is the most", 10 * ms, 0, lap/8 + 1, 30 * ms},
		{"a slow disk", 400 * ms, 0, lap / 2, 240 * ms},
		{"a slower one", 4000 * ms, 0, lap / 2, 250 * ms},
	} {
		if got := restAfter(x.took, x.rested, lap, x.given); got != x.want {
			t.Errorf("%s: %v, not %v", x.name, got, x.want)
		}
	}
}

// Only bytes of the file that is being read count as given.
func TestWhatIsGivenOfAFileThatIsRead(t *testing.T) {
	var r Reading
	took, over, ok := r.Begin(tree.FolderID{1}, "big", tree.Stat{Size: 2 * ReadingFrom}, tree.ContentID{})
	if !ok {
		t.Fatal("not begun")
	}
	defer over()
	r.gave(tree.ContentID{9}, lap)
	r.gave(r.Word().ID, lap/2)
	if r.given != lap/2 {
		t.Errorf("%d given", r.given)
	}
	took(tree.Chunk{Len: lap})
	if r.given != 0 || r.read != 0 {
		t.Errorf("after a lap %d read and %d given", r.read, r.given)
	}
	var none *Reading
	none.gave(tree.ContentID{9}, 1)
}
