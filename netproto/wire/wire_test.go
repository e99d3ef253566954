package wire

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pinion/engine/tree"

	"pgregory.net/rapid"
)

func packer(t testing.TB) *Packer {
	t.Helper()
	p, err := NewPacker()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func id(n byte) tree.ContentID {
	c := tree.ContentID{tree.HashBLAKE3}
	for i := 1; i < len(c); i++ {
		c[i] = n + byte(i*37)
	}
	return c
}

func file(path string, n byte) tree.Entry {
	return tree.Entry{
		Path: tree.Path(path), Kind: tree.File, Size: 1234, MTime: 1_700_000_000_123_456_789, Mode: 0o644, Content: id(n),
		Version: tree.Version{{Replica: 7, N: 1_700_000_000}}, Author: 7,
	}
}

func batchOfAllKinds() tree.Batch {
	gone := file("a/gone", 3)
	gone.Deleted, gone.MovedTo = true, "a/there"
	copyOf := file("a/f (conflict x)", 4)
	copyOf.Conflict = &tree.Conflict{Of: "a/f", Base: id(9)}
	copyOf.Base = id(9)
	copyOf.Version = tree.Version{{Replica: 3, N: 5}, {Replica: 7, N: 1 << 63}}
	empty := file("z", 5)
	empty.Size, empty.MTime, empty.Mode = 0, -1, 0
	noted := file("a/noted", 6)
	noted.Attrs, _ = tree.PackAttrs([]tree.Attr{{Name: "user.xdg.tags", Value: "holiday"}, {Name: "acl.access", Value: "user::rw-,group::r--,other::---"}})
	bare := file("b", 7)
	bare.Attrs = tree.NoAttrs
	return tree.Batch{
		Entries: []tree.Entry{
			{Path: "a", Kind: tree.Dir, Mode: 0o755, Version: tree.Version{{Replica: 7, N: 1}}, Author: 7},
			file("a/f", 1), file("a/ff", 2), gone, copyOf, noted, bare,
			{Path: "a/l", Kind: tree.Symlink, MTime: 5, Target: "../\xff", Version: tree.Version{{Replica: 8, N: 1}}, Author: 8},
			{Path: "t", Deleted: true, Version: tree.Version{{Replica: 8, N: 2}}, Author: 8},
			empty,
		},
		Replicas: []tree.Replica{{ID: 7, Device: tree.DeviceID{1}, Name: "laptop"}, {ID: 8, Device: tree.DeviceID{2}, Name: "pi"}},
		After:    400,
		Upto:     tree.Position{Replica: 7, Epoch: 1 << 60, Seq: 900},
	}
}

// message is a row of the table of all messages.
type message struct {
	name   string
	append func(dst []byte) ([]byte, error)
	parse  func(payload []byte) (any, error)
	want   any
}

func parser[T any](f func([]byte) (T, error)) func([]byte) (any, error) {
	return func(b []byte) (any, error) { v, err := f(b); return v, err }
}

type fetchRequest struct {
	Folder tree.FolderID
	Wants  []tree.Want
}

func parseFetch(b []byte) (any, error) {
	f, w, err := ParseFetchRequest(b)
	return fetchRequest{f, w}, err
}

func messages(t testing.TB) []message {
	p := packer(t)
	hello := Hello{Version: 1, Name: "Pat's laptop", Software: "pinion 0.1", Caps: 5}
	statements := [][]byte{{1, 2, 3}, bytes.Repeat([]byte{7}, MaxStatement)}
	list := []tree.Offer{{Folder: tree.FolderID{1}, Name: "docs"}, {Folder: tree.FolderID{2}, Name: "Ärzte"}}
	st := tree.FolderState{
		Folder: tree.FolderID{1}, At: tree.Position{Replica: 1 << 63, Epoch: 2, Seq: 3}, Have: tree.Position{Seq: 9},
		Busy: true, Files: 1, Bytes: 2, NeedFiles: 3, NeedBytes: 1 << 62,
		HeldFiles: 42, HeldKind: tree.HeldDeleted | tree.HeldOfOthers, TakenBack: 1 << 60,
		DiskFree: 1 << 40, DiskTotal: 1<<63 - 1, Small: 1 << 20,
		Coming: tree.Coming{ID: id(1), Size: 1 << 40, Base: id(2)},
	}
	ask := ManifestRequest{Folder: tree.FolderID{4}, Content: id(1), Base: id(2)}
	part := ManifestPart{Last: true, At: 3, Count: 4, Chunks: tree.Manifest{{ID: id(1), Len: 1}, {ID: id(2), Len: MaxChunk}}}
	wants := []tree.Want{
		{Content: id(1), Path: "a/b", Whole: true, Length: 77},
		{Content: id(2), First: 3, Count: 4, Offset: 5, Length: 6},
		{Content: id(3), Path: "a/c", Whole: true},
	}
	piece := Piece{Index: 255, Last: true, Offset: 1 << 40, Data: []byte("data")}
	many := batchOfAllKinds()
	for i := range 200 {
		many.Entries = append(many.Entries, file(fmt.Sprintf("dir/sub/%04d", i), byte(i)))
	}
	parseBatch := func(b []byte) (any, error) { return NewBatchDecoder(p).Parse(b) }
	return []message{
		{"Hello", func(d []byte) ([]byte, error) { return AppendHello(d, hello) }, parser(ParseHello), hello},
		{"Roster", func(d []byte) ([]byte, error) { return AppendRoster(d, statements) }, parser(ParseRoster), statements},
		{"Offers", func(d []byte) ([]byte, error) { return AppendOffers(d, list) }, parser(ParseOffers), list},
		{"State", func(d []byte) ([]byte, error) { return AppendState(d, st) }, parser(ParseState), st},
		{"Ping", func(d []byte) ([]byte, error) { return AppendPing(d, 1<<63+1), nil }, parser(ParsePing), uint64(1<<63 + 1)},
		{"Pong", func(d []byte) ([]byte, error) { return AppendPong(d, 7), nil }, parser(ParsePing), uint64(7)},
		{"IndexHeader", func(d []byte) ([]byte, error) { return AppendIndexHeader(d, tree.FolderID{3}) }, parser(ParseIndexHeader), tree.FolderID{3}},
		{"Batch", func(d []byte) ([]byte, error) { return NewBatchEncoder(p).Append(d, batchOfAllKinds()) }, parseBatch, batchOfAllKinds()},
		{"Batch packed", func(d []byte) ([]byte, error) { return NewBatchEncoder(p).Append(d, many) }, parseBatch, many},
		{"Lane", func(d []byte) ([]byte, error) { return AppendLane(d, Big) }, parser(ParseLane), Big},
		{"ManifestRequest", func(d []byte) ([]byte, error) { return AppendManifestRequest(d, ask) }, parser(ParseManifestRequest), ask},
		{"ManifestPart", func(d []byte) ([]byte, error) { return AppendManifestPart(d, part) }, parser(ParseManifestPart), part},
		{"FetchRequest", func(d []byte) ([]byte, error) {
			d, n, err := AppendFetchRequest(d, tree.FolderID{5}, wants)
			if n != len(wants) {
				t.Errorf("%d wants fit", n)
			}
			return d, err
		}, parseFetch, fetchRequest{tree.FolderID{5}, wants}},
		{"Piece", func(d []byte) ([]byte, error) { return AppendPiece(d, piece) }, parser(ParsePiece), piece},
		{"Gift", func(d []byte) ([]byte, error) { return AppendGift(d, id(4), []byte("hello")) }, parseGift, gift{id(4), "hello"}},
		{"Aside", func(d []byte) ([]byte, error) { return AppendAside(d, Aside{Strand: 1 << 40, Count: MaxAside}) }, parser(ParseAside), Aside{1 << 40, MaxAside}},
		{"Strand", func(d []byte) ([]byte, error) { return AppendStrand(d, Strand{Lane: 1<<62 - 1, Number: 1<<63 - 1}) }, parser(ParseStrand), Strand{1<<62 - 1, 1<<63 - 1}},
		{"More", func(d []byte) ([]byte, error) { return AppendMore(d, [MoreLen]byte{1, 15: 9}) }, parser(ParseMore), [MoreLen]byte{1, 15: 9}},
		{"KeptRequest", func(d []byte) ([]byte, error) { return AppendKeptRequest(d, keptQuestion()) }, parser(ParseKeptRequest), keptQuestion()},
		{"KeptPart", func(d []byte) ([]byte, error) { d, _, err := AppendKeptPart(d, keptAnswer()); return d, err }, parser(ParseKeptPart), keptAnswer()},
	}
}

type gift struct {
	ID   tree.ContentID
	Data string
}

func parseGift(b []byte) (any, error) {
	id, data, err := ParseGift(b)
	return gift{id, string(data)}, err
}

// TestFramesAreCounted, as an Aside has to say how many there are.
func TestFramesAreCounted(t *testing.T) {
	var b []byte
	for n := range 5 {
		if got := Frames(b); got != n {
			t.Errorf("%d frames of %d", got, n)
		}
		b = AppendPing(b, uint64(n))
	}
	if _, err := AppendAside(nil, Aside{Count: MaxAside + 1}); err == nil {
		t.Error("an aside of too many frames")
	}
}

func TestRoundTrip(t *testing.T) {
	for _, m := range messages(t) {
		t.Run(m.name, func(t *testing.T) {
			b, err := m.append([]byte("before"))
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.HasPrefix(b, []byte("before")) {
				t.Fatal("what stood before was changed")
			}
			typ, payload, err := NewReader(iotest.OneByteReader(bytes.NewReader(b[6:])), 0).Next()
			if err != nil {
				t.Fatal(err)
			}
			if int(typ) != int(b[10]) || len(payload) != len(b)-6-HeaderLen {
				t.Fatalf("type %d, %d bytes", typ, len(payload))
			}
			got, err := m.parse(payload)
			if err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(got, m.want) {
				t.Errorf("got  %+v\nwant %+v", got, m.want)
			}
		})
	}
}

// TestCutAtEveryByte: neither a shorter payload nor one with a byte more is
// taken for a message. A Piece is the exception: its data ends where the frame
// does.
func TestCutAtEveryByte(t *testing.T) {
	for _, m := range messages(t) {
		if m.name == "Piece" {
			continue
		}
		t.Run(m.name, func(t *testing.T) {
			frame, err := m.append(nil)
			if err != nil {
				t.Fatal(err)
			}
			payload := frame[HeaderLen:]
			for n := range payload {
				if got, err := m.parse(payload[:n:n]); !errors.Is(err, ErrBad) {
					t.Fatalf("%d of %d bytes gave %+v, %v", n, len(payload), got, err)
				}
			}
			if _, err := m.parse(append(bytes.Clone(payload), 0)); !errors.Is(err, ErrBad) {
				t.Errorf("a byte more gave %v", err)
			}
		})
	}
}

func TestReaderEndsInAFrame(t *testing.T) {
	b, err := AppendLane(nil, Big)
	if err != nil {
		t.Fatal(err)
	}
	for n := range b {
		_, _, err := NewReader(bytes.NewReader(b[:n]), 0).Next()
		want := io.ErrUnexpectedEOF
		if n == 0 {
			want = io.EOF
		}
		if err != want {
			t.Errorf("%d bytes: %v", n, err)
		}
	}
}

// TestReaderTrustsNoLength: a frame that claims its cap costs what came of it.
func TestReaderTrustsNoLength(t *testing.T) {
	head := []byte{0, 0x40, 0, 0, byte(TypeBatch)}
	r := NewReader(bytes.NewReader(append(head, make([]byte, 100)...)), 0)
	if _, _, err := r.Next(); err != io.ErrUnexpectedEOF {
		t.Fatal(err)
	}
	if len(r.buf) > 2*leastBuffer {
		t.Errorf("%d bytes were allocated for 105", len(r.buf))
	}
	for _, h := range [][]byte{{0, 0, 4, 1, byte(TypeHello)}, {0xff, 0xff, 0xff, 0xff, byte(TypeBatch)}, {0, 0, 0, 0, 0}, {0, 0, 0, 1, 250}} {
		if _, _, err := NewReader(bytes.NewReader(h), 0).Next(); !errors.Is(err, ErrBad) {
			t.Errorf("% x: %v", h, err)
		}
	}
}

// TestReaderCutsAnyStream: however the bytes arrive, the frames are the same.
func TestReaderCutsAnyStream(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		sizes := rapid.SliceOfN(rapid.IntRange(1, 20_000), 1, 12).Draw(t, "sizes")
		var all []byte
		for i, n := range sizes {
			var err error
			if all, err = AppendPiece(all, Piece{Index: i, Data: bytes.Repeat([]byte{byte(i)}, n)}); err != nil {
				t.Fatal(err)
			}
		}
		steps := rapid.SliceOfN(rapid.IntRange(1, 9000), 1, 20).Draw(t, "steps")
		r := NewReader(&stuttering{b: all, steps: steps}, rapid.SampledFrom([]int{0, 4 << 10, 256 << 10}).Draw(t, "keep"))
		for i, n := range sizes {
			typ, payload, err := r.Next()
			for errors.Is(err, errPasses) {
				typ, payload, err = r.Next()
			}
			if err != nil || typ != TypePiece {
				t.Fatalf("frame %d: %d, %v", i, typ, err)
			}
			p, err := ParsePiece(payload)
			if err != nil || p.Index != i || len(p.Data) != n || p.Data[0] != byte(i) || p.Data[n-1] != byte(i) {
				t.Fatalf("frame %d: %d bytes of %d, %v", i, len(p.Data), p.Index, err)
			}
		}
		if _, _, err := r.Next(); err != io.EOF && !errors.Is(err, errPasses) {
			t.Fatal(err)
		}
	})
}

var errPasses = errors.New("deadline")

// stuttering gives its bytes in steps, with an error that passes between them.
type stuttering struct {
	b     []byte
	steps []int
	i     int
}

func (s *stuttering) Read(p []byte) (int, error) {
	if s.i++; s.i%3 == 0 {
		return 0, errPasses
	}
	n := copy(p[:min(len(p), s.steps[s.i%len(s.steps)])], s.b)
	s.b = s.b[n:]
	if n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

// The fullest state fits, since a peer refuses a longer one.
func TestTheFullestState(t *testing.T) {
	most := int64(1<<63 - 1)
	at := tree.Position{Replica: 1<<64 - 1, Epoch: 1<<64 - 1, Seq: 1<<64 - 1}
	s := tree.FolderState{
		Folder: tree.FolderID{1}, Life: 1<<64 - 1, At: at, Have: at, Busy: true, Files: most, Bytes: most, NeedFiles: most, NeedBytes: most, NoRoom: most,
		Confirmed: most, HeldFiles: most, HeldKind: 255, TakenBack: most, Digest: 1<<64 - 1, Clock: most, DiskFree: most, DiskTotal: most, Small: most,
		Coming: tree.Coming{ID: id(1), Size: most, Base: id(2)},
	}
	frame, err := AppendState(nil, s)
	if err != nil {
		t.Fatal(err)
	}
	_, payload, err := NewReader(bytes.NewReader(frame), 0).Next()
	if err != nil {
		t.Fatalf("%d bytes: %v", len(frame), err)
	}
	if got, err := ParseState(payload); err != nil || got != s {
		t.Errorf("%+v, %v", got, err)
	}
	for _, n := range []int{1, 32, 34} {
		raw, err := appendCBOR(nil, TypeState, state{Folder: s.Folder[:], Reading: make([]byte, n)})
		if err != nil {
			t.Fatal(err)
		}
		if _, payload, err = NewReader(bytes.NewReader(raw), 0).Next(); err != nil {
			t.Fatal(err)
		}
		if _, err := ParseState(payload); !errors.Is(err, ErrBad) {
			t.Errorf("an id of %d bytes: %v", n, err)
		}
	}
}

// TestStatesThatMayNotBe: each is refused when it is sent, and when a peer sends it.
func TestStatesThatMayNotBe(t *testing.T) {
	for name, change := range map[string]func(*tree.FolderState){
		"no folder":            func(s *tree.FolderState) { s.Folder = tree.FolderID{} },
		"negative need":        func(s *tree.FolderState) { s.NeedBytes = -1 },
		"negative free":        func(s *tree.FolderState) { s.DiskFree, s.DiskTotal = -1, 5 },
		"negative disk":        func(s *tree.FolderState) { s.DiskTotal = -5 },
		"more free than total": func(s *tree.FolderState) { s.DiskFree, s.DiskTotal = 6, 5 },
		"negative small":       func(s *tree.FolderState) { s.Small = -1 },
		"negative reading":     func(s *tree.FolderState) { s.Coming.Size = -1 },
		"free of nothing":      func(s *tree.FolderState) { s.DiskFree = 1 },
	} {
		s := tree.FolderState{Folder: tree.FolderID{1}}
		change(&s)
		if _, err := AppendState(nil, s); !errors.Is(err, ErrBad) {
			t.Errorf("%s was sent: %v", name, err)
		}
		raw, err := appendCBOR(nil, TypeState, state{Folder: s.Folder[:], NeedBytes: s.NeedBytes, DiskFree: s.DiskFree, DiskTotal: s.DiskTotal, Small: s.Small, ReadSize: s.Coming.Size})
		if err != nil {
			t.Fatal(err)
		}
		_, payload, err := NewReader(bytes.NewReader(raw), 0).Next()
		if err != nil {
			t.Fatal(err)
		}
		if name == "no folder" {
			continue // has another length
		}
		if got, err := ParseState(payload); !errors.Is(err, ErrBad) {
			t.Errorf("%s was taken: %+v, %v", name, got, err)
		}
	}
}

func TestEntriesThatMayNotBe(t *testing.T) {
	change := func(f func(*tree.Entry)) tree.Entry { e := file("f", 1); f(&e); return e }
	for name, e := range map[string]tree.Entry{
		"no path":              change(func(e *tree.Entry) { e.Path = "" }),
		"no kind":              change(func(e *tree.Entry) { e.Kind = 0 }),
		"kind 4":               change(func(e *tree.Entry) { e.Kind = 4; e.Content = tree.ContentID{}; e.Size = 0 }),
		"negative size":        change(func(e *tree.Entry) { e.Size = -1 }),
		"huge size":            change(func(e *tree.Entry) { e.Size = MaxSize }),
		"setuid":               change(func(e *tree.Entry) { e.Mode = 0o4755 }),
		"file without content": change(func(e *tree.Entry) { e.Content = tree.ContentID{} }),
		"file with target":     change(func(e *tree.Entry) { e.Target = "x" }),
		"directory with size":  {Path: "d", Kind: tree.Dir, Size: 1, Version: tree.Version{{Replica: 1, N: 1}}, Author: 1},
		"directory with mtime": {Path: "d", Kind: tree.Dir, MTime: 1, Version: tree.Version{{Replica: 1, N: 1}}, Author: 1},
		"symlink to nothing":   {Path: "l", Kind: tree.Symlink, Version: tree.Version{{Replica: 1, N: 1}}, Author: 1},
		"symlink with mode":    {Path: "l", Kind: tree.Symlink, Target: "t", Mode: 1, Version: tree.Version{{Replica: 1, N: 1}}, Author: 1},
		"symlink with zero":    {Path: "l", Kind: tree.Symlink, Target: "t\x00", Version: tree.Version{{Replica: 1, N: 1}}, Author: 1},
		"long target":          {Path: "l", Kind: tree.Symlink, Target: strings.Repeat("t", 4097), Version: tree.Version{{Replica: 1, N: 1}}, Author: 1},
		"no version":           change(func(e *tree.Entry) { e.Version = nil }),
		"unsorted version":     change(func(e *tree.Entry) { e.Version = tree.Version{{Replica: 7, N: 1}, {Replica: 6, N: 1}} }),
		"zero counter":         change(func(e *tree.Entry) { e.Version = tree.Version{{Replica: 7, N: 0}} }),
		"author not in it":     change(func(e *tree.Entry) { e.Author = 6 }),
		"moved and there":      change(func(e *tree.Entry) { e.MovedTo = "x" }),
		"conflict of nothing":  change(func(e *tree.Entry) { e.Conflict = &tree.Conflict{} }),
		"deleted attributes":   change(func(e *tree.Entry) { e.Deleted, e.Attrs = true, tree.NoAttrs }),
		"attributes unparsed":  change(func(e *tree.Entry) { e.Attrs = "\x01\x06user.b\x00\x06user.a\x00" }),
		"attribute of root":    change(func(e *tree.Entry) { e.Attrs = "\x01\x13security.capability\x01x" }),
		"symlink attributes":   {Path: "l", Kind: tree.Symlink, Target: "t", Attrs: tree.NoAttrs, Version: tree.Version{{Replica: 1, N: 1}}, Author: 1},
		"deleted conflict":     change(func(e *tree.Entry) { e.Deleted = true; e.Conflict = &tree.Conflict{Of: "x"} }),
	} {
		if err := CheckEntry(e); !errors.Is(err, ErrBad) {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := NewBatchEncoder(packer(t)).Append(nil, tree.Batch{Entries: []tree.Entry{e}}); err == nil {
			t.Errorf("%s was sent", name)
		}
		if name == "negative size" {
			continue // has no bytes
		}
		// A peer that does not check sends it all the same.
		body := []byte{0, 1}
		body = append(append(binary.LittleEndian.AppendUint64(body, 7), 0), 1)
		body = appendEntry(body, &e, &running{}, func(tree.ReplicaID) uint64 { return 0 })
		body = append(body, make([]byte, 17)...)
		if got, err := NewBatchDecoder(packer(t)).Parse(body); !errors.Is(err, ErrBad) && name != "author not in it" && name != "unsorted version" {
			t.Errorf("%s was taken: %+v, %v", name, got.Entries, err)
		}
	}
}

// A device that does not know of attributes is told what it understands.
func TestAPlainPeerIsToldNothingOfAttributes(t *testing.T) {
	want := batchOfAllKinds()
	e := NewBatchEncoder(packer(t))
	e.Plain = true
	frame, err := e.Append(nil, want)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.ContainsFunc(want.Entries, func(e tree.Entry) bool { return e.Attrs != "" }) {
		t.Fatal("the batch was changed")
	}
	got, err := NewBatchDecoder(packer(t)).Parse(frame[HeaderLen:])
	if err != nil {
		t.Fatal(err)
	}
	for i := range want.Entries {
		want.Entries[i].Attrs = ""
	}
	if !reflect.DeepEqual(got.Entries, want.Entries) {
		t.Errorf("%+v", got.Entries)
	}
}

func TestPathsThatMayNotBe(t *testing.T) {
	for _, p := range []string{"../x", "/x", "a//b", ".pinion/x", "a\x00", "e\u0301", "\xff", ".PINION", strings.Repeat("a/", 300) + "a"} {
		e := file(p, 1)
		b, err := NewBatchEncoder(packer(t)).Append(nil, tree.Batch{Entries: []tree.Entry{e}})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := NewBatchDecoder(packer(t)).Parse(b[HeaderLen:]); !errors.Is(err, ErrBad) {
			t.Errorf("%q: %v", p, err)
		}
		req, _, err := AppendFetchRequest(nil, tree.FolderID{}, []tree.Want{{Content: id(1), Path: tree.Path(p), Whole: true}})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := ParseFetchRequest(req[HeaderLen:]); !errors.Is(err, ErrBad) {
			t.Errorf("want of %q: %v", p, err)
		}
		if _, err := AppendOffers(nil, []tree.Offer{{Folder: tree.FolderID{1}, Name: p}}); err == nil {
			t.Errorf("offer of %q", p)
		}
	}
}

// TestDictionary: replicas are told once per stream, and a batch that was too
// large leaves no trace.
func TestDictionary(t *testing.T) {
	p := packer(t)
	e, d := NewBatchEncoder(p), NewBatchDecoder(p)
	var huge tree.Batch
	for i := range MaxBatch {
		f := file(fmt.Sprintf("%04d/%s", i, strings.Repeat(string(rune('a'+i%26))+strings.Repeat("x", 200)+"/", 19)+"f"), 1)
		f.Version = tree.Version{{Replica: 99, N: 1}}
		f.Author = 99
		f.Conflict = &tree.Conflict{Of: f.Path}
		huge.Entries = append(huge.Entries, f)
	}
	if b, err := e.Append(nil, huge); !errors.Is(err, ErrTooLarge) || len(b) > 0 {
		t.Fatalf("%d bytes, %v", len(b), err)
	}
	var sizes []int
	for range 3 {
		b, err := e.Append(nil, tree.Batch{Entries: []tree.Entry{file("f", 1)}})
		if err != nil {
			t.Fatal(err)
		}
		got, err := d.Parse(b[HeaderLen:])
		if err != nil || got.Entries[0].Author != 7 || len(got.Replicas) != 0 {
			t.Fatalf("%+v, %v", got, err)
		}
		sizes = append(sizes, len(b))
	}
	if sizes[0] != sizes[1]+9 || sizes[1] != sizes[2] {
		t.Errorf("sizes %v", sizes)
	}
	if _, err := e.Append(nil, tree.Batch{Entries: make([]tree.Entry, MaxBatch+1)}); !errors.Is(err, ErrTooLarge) {
		t.Errorf("too many entries: %v", err)
	}
}

func TestManifestAsDifference(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chunk := rapid.Custom(func(t *rapid.T) tree.Chunk {
			return tree.Chunk{ID: id(rapid.ByteRange(0, 3).Draw(t, "id")), Len: uint32(rapid.IntRange(1, 3).Draw(t, "len"))}
		})
		base := tree.Manifest(rapid.SliceOfN(chunk, 0, 8).Draw(t, "base"))
		m := tree.Manifest(rapid.SliceOfN(chunk, 0, 8).Draw(t, "list"))
		if rapid.Bool().Draw(t, "no base") {
			base = nil
		}
		frames, err := AppendManifest(nil, m, base)
		if err != nil {
			t.Fatal(err)
		}
		var got tree.Manifest
		for last := false; !last; {
			_, payload, rest, err := Split(frames)
			if err != nil {
				t.Fatal(err)
			}
			p, err := ParseManifestPart(payload)
			if err != nil || p.Last != (len(rest) == 0) {
				t.Fatal(err, p)
			}
			got = append(append(got, base[p.At:p.At+p.Count]...), p.Chunks...)
			frames, last = rest, p.Last
		}
		if len(got) != len(m) || (len(m) > 0 && !reflect.DeepEqual(got, m)) {
			t.Fatalf("got %v, want %v", got, m)
		}
	})
}

func TestLongManifestInParts(t *testing.T) {
	m := make(tree.Manifest, 2*partChunks+1)
	for i := range m {
		m[i] = tree.Chunk{ID: id(byte(i)), Len: uint32(i + 1)}
	}
	frames, err := AppendManifest(nil, m, nil)
	if err != nil {
		t.Fatal(err)
	}
	var got tree.Manifest
	parts := 0
	for last := false; !last; parts++ {
		var payload []byte
		if _, payload, frames, err = Split(frames); err != nil {
			t.Fatal(err)
		}
		p, err := ParseManifestPart(payload)
		if err != nil {
			t.Fatal(err)
		}
		got, last = append(got, p.Chunks...), p.Last
	}
	if parts != 3 || !reflect.DeepEqual(got, m) {
		t.Errorf("%d parts, %d chunks", parts, len(got))
	}
}

func TestRequestIsCutToItsCap(t *testing.T) {
	var wants []tree.Want
	for i := range 400 {
		long := strings.Repeat(fmt.Sprintf("%c%s/", 'a'+i%26, strings.Repeat("y", 250)), 4) + "f"
		wants = append(wants, tree.Want{Content: id(byte(i)), Path: tree.Path(long), Whole: true, Length: 5})
	}
	var got []tree.Want
	for rest := wants; len(rest) > 0; {
		b, n, err := AppendFetchRequest(nil, tree.FolderID{1}, rest)
		if err != nil || n == 0 || len(b) > MaxRequestBytes+HeaderLen {
			t.Fatal(n, len(b), err)
		}
		_, some, err := ParseFetchRequest(b[HeaderLen:])
		if err != nil || len(some) != n {
			t.Fatal(err)
		}
		got, rest = append(got, some...), rest[n:]
	}
	if !reflect.DeepEqual(got, wants) {
		t.Error("other wants came out")
	}
}

func TestProgress(t *testing.T) {
	wants := []tree.Want{{Content: id(1), Whole: true, Length: 10}, {Content: id(2), Count: 1, Offset: 100, Length: 5}, {Content: id(3), Whole: true}}
	ok := []Piece{
		{Index: 0, Data: make([]byte, 4)}, {Index: 0, Offset: 4, Data: make([]byte, 6), Last: true},
		{Index: 1, Offset: 100, Data: make([]byte, 5)}, {Index: 1, Last: true}, {Index: 2, Last: true, Gone: true},
	}
	g := NewProgress(wants)
	for i, p := range ok {
		if g.Done() {
			t.Fatalf("done before piece %d", i)
		}
		if err := g.Take(p); err != nil {
			t.Fatalf("piece %d: %v", i, err)
		}
	}
	if !g.Done() {
		t.Error("not done")
	}
	for i, c := range []struct{ after, bad Piece }{
		{ok[0], Piece{Index: 1, Offset: 100, Data: []byte{1}}},
		{ok[0], Piece{Index: 0, Offset: 5, Data: []byte{1}}},
		{ok[0], Piece{Index: 0, Offset: 4, Data: make([]byte, 7)}},
		{Piece{Last: true, Gone: true}, Piece{Index: 1, Last: true}},
		{Piece{Last: true, Gone: true}, Piece{Index: 1, Offset: 0, Data: []byte{1}}},
		{Piece{Last: true, Gone: true}, Piece{Index: 0, Offset: 0, Data: []byte{1}}},
	} {
		g := NewProgress(wants)
		if err := g.Take(c.after); err != nil {
			t.Fatal(i, err)
		}
		if err := g.Take(c.bad); !errors.Is(err, ErrBad) {
			t.Errorf("case %d: %v", i, err)
		}
	}
}

func TestPacking(t *testing.T) {
	p := packer(t)
	text, err := AppendPiece(nil, Piece{Data: bytes.Repeat([]byte("hello "), 10_000)})
	if err != nil {
		t.Fatal(err)
	}
	frame, ok := p.AppendPacked([]byte("x"), text)
	if !ok || len(frame) > len(text)/10 {
		t.Fatalf("%d bytes became %d, %v", len(text), len(frame), ok)
	}
	got, err := p.Unpack(nil, frame[1+HeaderLen:])
	if err != nil || !bytes.Equal(got, text) {
		t.Fatal(err)
	}
	noise := make([]byte, 50_000)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	if b, ok := p.AppendPacked([]byte("x"), noise); ok || string(b) != "x" {
		t.Error("noise was packed")
	}
	// A bomb: a megabyte of zeros said to be small, or said to be what it is.
	bomb := p.enc.EncodeAll(make([]byte, 3<<20), nil)
	for _, n := range []uint64{100, MaxPacked, 3 << 20} {
		if out, err := p.Unpack(nil, append(binary.AppendUvarint(nil, n), bomb...)); !errors.Is(err, ErrBad) {
			t.Errorf("a bomb said to have %d bytes gave %d, %v", n, len(out), err)
		}
	}
	if _, _, _, err := Split(AppendPing(nil, 1)); !errors.Is(err, ErrBad) {
		t.Errorf("a ping in a packed frame: %v", err)
	}
}

func TestCodesHaveSentences(t *testing.T) {
	for c := Closed; c <= JoinRefused; c++ {
		if strings.Contains(c.String(), "error") {
			t.Errorf("%d: %s", c, c)
		}
	}
	if Code(99).String() != "of error 99" {
		t.Error(Code(99).String())
	}
}

// FuzzFrames feeds a stream of frames to every decoder there is. Whatever is
// taken has to come out the same after it was written again.
func FuzzFrames(f *testing.F) {
	for _, m := range messages(f) {
		b, err := m.append(nil)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	p := packer(f)
	f.Fuzz(func(t *testing.T, data []byte) {
		r, d := NewReader(bytes.NewReader(data), 0), NewBatchDecoder(p)
		for {
			typ, payload, err := r.Next()
			if err != nil {
				return
			}
			if err := again(p, d, typ, payload); err != nil {
				t.Fatalf("type %d: %v", typ, err)
			}
		}
	})
}

// again parses a payload, and if it is taken writes and parses it once more.
func again(p *Packer, d *BatchDecoder, typ Type, payload []byte) error {
	var first, second any
	var frame []byte
	var err, err2 error
	reparse := func(parse func([]byte) (any, error)) { second, err2 = parse(frame[HeaderLen:]) }
	switch typ {
	case TypeHello:
		var v Hello
		if v, err = ParseHello(payload); err == nil {
			if frame, err2 = AppendHello(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseHello))
			}
		}
	case TypeRoster:
		var v [][]byte
		if v, err = ParseRoster(payload); err == nil && len(v) > 0 {
			if frame, err2 = AppendRoster(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseRoster))
			}
		}
	case TypeOffers:
		var v []tree.Offer
		if v, err = ParseOffers(payload); err == nil {
			if frame, err2 = AppendOffers(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseOffers))
			}
		}
	case TypeState:
		var v tree.FolderState
		if v, err = ParseState(payload); err == nil {
			if frame, err2 = AppendState(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseState))
			}
		}
	case TypeBatch:
		var v tree.Batch
		if v, err = d.Parse(payload); err == nil {
			if frame, err2 = NewBatchEncoder(p).Append(nil, v); err2 == nil {
				first = v.Entries
				reparse(func(b []byte) (any, error) { v, err := NewBatchDecoder(p).Parse(b); return v.Entries, err })
			}
		}
	case TypeManifestRequest:
		var v ManifestRequest
		if v, err = ParseManifestRequest(payload); err == nil {
			if frame, err2 = AppendManifestRequest(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseManifestRequest))
			}
		}
	case TypeManifestPart:
		var v ManifestPart
		if v, err = ParseManifestPart(payload); err == nil {
			if frame, err2 = AppendManifestPart(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseManifestPart))
			}
		}
	case TypeFetchRequest:
		var v any
		if v, err = parseFetch(payload); err == nil {
			req := v.(fetchRequest)
			var n int
			if frame, n, err2 = AppendFetchRequest(nil, req.Folder, req.Wants); err2 == nil && n == len(req.Wants) {
				first = v
				reparse(parseFetch)
			}
		}
	case TypePiece:
		var v Piece
		if v, err = ParsePiece(payload); err == nil {
			if frame, err2 = AppendPiece(nil, v); err2 == nil {
				first = v
				reparse(parser(ParsePiece))
			}
		}
	case TypeKeptRequest:
		var v KeptRequest
		if v, err = ParseKeptRequest(payload); err == nil {
			if frame, err2 = AppendKeptRequest(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseKeptRequest))
			}
		}
	case TypeKeptPart:
		var v KeptPart
		if v, err = ParseKeptPart(payload); err == nil {
			if frame, _, err2 = AppendKeptPart(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseKeptPart))
			}
		}
	case TypePacked:
		var frames []byte
		if frames, err = p.Unpack(nil, payload); err == nil {
			for len(frames) > 0 && err == nil {
				_, _, frames, err = Split(frames)
			}
		}
	case TypeIndexHeader:
		_, err = ParseIndexHeader(payload)
	case TypeGift:
		var v any
		if v, err = parseGift(payload); err == nil {
			if frame, err2 = AppendGift(nil, v.(gift).ID, []byte(v.(gift).Data)); err2 == nil {
				first = v
				reparse(parseGift)
			}
		}
	case TypeAside:
		var v Aside
		if v, err = ParseAside(payload); err == nil {
			if frame, err2 = AppendAside(nil, v); err2 == nil {
				first = v
				reparse(parser(ParseAside))
			}
		}
	case TypeStrand:
		_, err = ParseStrand(payload)
	case TypeMore:
		_, err = ParseMore(payload)
	case TypeLane:
		_, err = ParseLane(payload)
	case TypePing, TypePong:
		_, err = ParsePing(payload)
	}
	switch {
	case err != nil && !errors.Is(err, ErrBad):
		return fmt.Errorf("an error without a name: %w", err)
	case err2 != nil:
		return fmt.Errorf("taken, but not written again: %w", err2)
	case !reflect.DeepEqual(first, second):
		return fmt.Errorf("%+v became %+v", first, second)
	}
	return nil
}

func benchmarkBatch() tree.Batch {
	b := tree.Batch{Upto: tree.Position{Replica: 7, Epoch: 3, Seq: 1000}}
	r := rand.New(rand.NewPCG(1, 2))
	for i := range MaxBatch {
		e := file(fmt.Sprintf("src/cmd/compile/internal/pkg%02d/file_%04d.go", i/40, i), 0)
		for j := 1; j < len(e.Content); j++ {
			e.Content[j] = byte(r.Uint32())
		}
		e.Size = int64(r.IntN(100_000))
		e.MTime += int64(r.IntN(1e9))
		b.Entries = append(b.Entries, e)
	}
	return b
}

func BenchmarkBatchAppend(b *testing.B) {
	batch, e := benchmarkBatch(), NewBatchEncoder(packer(b))
	var dst []byte
	var err error
	for b.Loop() {
		if dst, err = e.Append(dst[:0], batch); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(len(dst))/MaxBatch, "bytes/entry")
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxBatch, "ns/entry")
}

func BenchmarkBatchParse(b *testing.B) {
	p := packer(b)
	frame, err := NewBatchEncoder(p).Append(nil, benchmarkBatch())
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := NewBatchDecoder(p).Parse(frame[HeaderLen:]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/MaxBatch, "ns/entry")
}
