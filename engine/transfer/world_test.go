package transfer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"syscall"
	"testing"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
)

// noise gives n bytes that look random and are the same for the same seed.
func noise(seed uint64, n int) []byte {
	b := make([]byte, (n+7)/8*8)
	for i := 0; i < len(b); i += 8 {
		seed += 0x9e3779b97f4a7c15
		z := seed
		z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9
		z = (z ^ (z >> 27)) * 0x94d049bb133111eb
		binary.LittleEndian.PutUint64(b[i:], z^(z>>31))
	}
	return b[:n]
}

// thing is a content with its list.
type thing struct {
	data []byte
	m    tree.Manifest
	id   tree.ContentID
}

func thingOf(data []byte) thing {
	m, id, _, err := chunk.Of(bytes.NewReader(data), int64(len(data)))
	if err != nil {
		panic(err)
	}
	return thing{data, m, id}
}

func (c thing) job(path string, from ...*fake) Job {
	j := Job{Entry: tree.Entry{Path: tree.Path(path), Kind: tree.File, Size: int64(len(c.data)), Content: c.id}}
	for _, s := range from {
		j.Sources = append(j.Sources, s.dev)
	}
	return j
}

// fake is a peer in memory. Its fields are set before it is used.
type fake struct {
	dev    tree.DeviceID
	things map[tree.ContentID]thing
	piece  int // bytes in a piece
	// before is called before each piece; it may block, and its error ends the
	// answer (ErrGone: of this want).
	before func(ctx context.Context, w tree.Want, off int64) error
	// spoil may change a piece that is about to be sent.
	spoil func(w tree.Want, off int64, data []byte)

	mu    sync.Mutex
	bytes int64
	lists int
	calls int
	asked []tree.Want
}

func newFake(n byte, things ...thing) *fake {
	s := &fake{dev: tree.DeviceID{n}, things: map[tree.ContentID]thing{}, piece: 100_000}
	for _, c := range things {
		s.things[c.id] = c
	}
	return s
}

func (s *fake) Device() tree.DeviceID { return s.dev }

func (s *fake) Manifest(ctx context.Context, _ tree.FolderID, id, base tree.ContentID, _ int64) (tree.Manifest, error) {
	s.mu.Lock()
	s.lists++
	s.mu.Unlock()
	c, ok := s.things[id]
	if !ok {
		return nil, ErrGone
	}
	return slices.Clone(c.m), ctx.Err()
}

func (s *fake) Fetch(ctx context.Context, _ tree.FolderID, wants []tree.Want, sink func(int, int64, []byte) error, done func(int, error)) error {
	s.mu.Lock()
	s.calls++
	s.asked = append(s.asked, wants...)
	s.mu.Unlock()
	for i, w := range wants {
		err := s.answer(ctx, i, w, sink)
		if err != nil && !errors.Is(err, ErrGone) {
			return err
		}
		done(i, err)
	}
	return nil
}

func (s *fake) answer(ctx context.Context, i int, w tree.Want, sink func(int, int64, []byte) error) error {
	c, ok := s.things[w.Content]
	if !ok {
		return ErrGone
	}
	from, to := w.Offset, w.Offset+w.Length
	if w.Whole {
		from, to = 0, int64(len(c.data))
	}
	for off := from; off < to; {
		if err := ctx.Err(); err != nil {
			return err
		}
		if s.before != nil {
			if err := s.before(ctx, w, off); err != nil {
				return err
			}
		}
		data := bytes.Clone(c.data[off:min(off+int64(s.piece), to)])
		if s.spoil != nil {
			s.spoil(w, off, data)
		}
		s.mu.Lock()
		s.bytes += int64(len(data))
		s.mu.Unlock()
		if err := sink(i, off, data); err != nil {
			return err
		}
		off += int64(len(data))
		clear(data) // a piece is only lent
	}
	return nil
}

func (s *fake) sent() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bytes
}

// facts is an index in memory.
type facts struct {
	mu    sync.Mutex
	rows  map[tree.Path]tree.Record
	lists map[tree.ContentID]tree.Manifest
}

func (x *facts) Get(_ context.Context, p tree.Path) (tree.Record, bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	r, ok := x.rows[p]
	return r, ok, nil
}

func (x *facts) ByContent(_ context.Context, id tree.ContentID, limit int) (out []tree.Record, _ error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.rows {
		if r.Content == id && len(out) < limit {
			out = append(out, r)
		}
	}
	return out, nil
}

func (x *facts) Manifest(_ context.Context, id tree.ContentID) (tree.Manifest, bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	m, ok := x.lists[id]
	return m, ok, nil
}

// place is a folder on a real disk with a fetcher.
type place struct {
	t     testing.TB
	dir   string
	fs    *brittle
	index *facts
	opts  Options
	*Fetcher
	stop func()
}

// newPlace makes a folder. Its fetcher is made by start.
func newPlace(t testing.TB) *place {
	dir := t.TempDir()
	root, err := rootfs.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { root.Close() })
	p := &place{t: t, dir: dir, fs: &brittle{FS: Disk(root)}, index: &facts{rows: map[tree.Path]tree.Record{}, lists: map[tree.ContentID]tree.Manifest{}}}
	p.opts = Options{FS: p.fs, Index: p.index}
	return p
}

// start makes a new fetcher and runs it until end, or the test's end.
func (p *place) start(peers ...*fake) *place {
	p.t.Helper()
	p.Fetcher = NewFetcher(p.opts)
	for _, s := range peers {
		p.PeerUp(s)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			p.t.Error("run:", err)
		}
	})
	p.t.Cleanup(p.stop)
	return p
}

// put writes a file of the folder and tells the index.
func (p *place) put(path string, c thing) {
	p.t.Helper()
	name := filepath.Join(p.dir, path)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		p.t.Fatal(err)
	}
	if err := os.WriteFile(name, c.data, 0o644); err != nil {
		p.t.Fatal(err)
	}
	stat, err := p.fs.Lstat(path)
	if err != nil {
		p.t.Fatal(err)
	}
	e := c.job(path).Entry
	p.index.mu.Lock()
	defer p.index.mu.Unlock()
	p.index.rows[e.Path] = tree.Record{Entry: e, Disk: stat, Seq: 1}
	if len(c.m) > 1 {
		p.index.lists[c.id] = c.m
	}
}

// next waits for one result.
func (p *place) next() Result {
	p.t.Helper()
	select {
	case r := <-p.Results():
		return r
	case <-time.After(10 * time.Minute):
		p.t.Fatalf("no result; %+v", p.Progress())
		panic("unreachable")
	}
}

// want waits for a result that is c.
func (p *place) want(c thing) Result {
	p.t.Helper()
	r := p.next()
	if r.Err != nil {
		p.t.Fatalf("%s: %v", r.Job.Entry.Path, r.Err)
	}
	if err := p.holdsThing(r, c); err != nil {
		p.t.Fatal(err)
	}
	return r
}

func (p *place) holdsThing(r Result, c thing) error {
	data, err := os.ReadFile(filepath.Join(p.dir, r.Staged))
	if err != nil {
		return err
	}
	if !bytes.Equal(data, c.data) {
		return fmt.Errorf("%s: staged something else (%d bytes for %d)", r.Job.Entry.Path, len(data), len(c.data))
	}
	if (r.Manifest == nil) != (len(c.m) < 2) || r.Manifest != nil && chunk.ID(r.Manifest) != c.id {
		return fmt.Errorf("%s: wrong chunk list", r.Job.Entry.Path)
	}
	return nil
}

func (p *place) file(name string) string { return filepath.Join(p.dir, name) }

// staging lists what is in the staging directory.
func (p *place) staging() []string {
	names, err := p.fs.Names(Staging)
	if err != nil {
		p.t.Fatal(err)
	}
	return names
}

// brittle is a disk that fails on demand.
type brittle struct {
	FS
	mu   sync.Mutex
	room int64 // bytes that can still be written; negative: any
	full bool  // room counts
	read int64 // bytes read from part files

	onOpen func(path string) // called before a file is opened for reading
}

func (b *brittle) Open(path string) (File, tree.Stat, error) {
	if b.onOpen != nil {
		b.onOpen(path)
	}
	return b.FS.Open(path)
}

func (b *brittle) limit(room int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.full, b.room = true, room
}

func (b *brittle) Create(path string) (File, error) {
	f, err := b.FS.Create(path)
	if err != nil {
		return nil, err
	}
	return brittleFile{f, b}, nil
}

func (b *brittle) OpenRW(path string) (File, error) {
	f, err := b.FS.OpenRW(path)
	if err != nil {
		return nil, err
	}
	return brittleFile{f, b}, nil
}

func (b *brittle) Reflink(dst, src File) error {
	if w, ok := dst.(brittleFile); ok {
		dst = w.File
	}
	return b.FS.Reflink(dst, src)
}

type brittleFile struct {
	File
	b *brittle
}

func (f brittleFile) ReadAt(p []byte, off int64) (int, error) {
	f.b.mu.Lock()
	f.b.read += int64(len(p))
	f.b.mu.Unlock()
	return f.File.ReadAt(p, off)
}

func (f brittleFile) WriteAt(p []byte, off int64) (int, error) {
	f.b.mu.Lock()
	f.b.room -= int64(len(p))
	full := f.b.full && f.b.room < 0
	f.b.mu.Unlock()
	if full {
		return 0, &os.PathError{Op: "write", Path: "part", Err: syscall.ENOSPC}
	}
	return f.File.WriteAt(p, off)
}
