package main

import (
	"bytes"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/netproto/hostile"
	"pinion/netproto/wire"
)

// TestHostile: whatever a member sends, nothing outside the folder is touched, no
// file is lost, its session ends with a named error or what it wants is held, and
// the others go on. The heavy ones are played by make hostile.
func TestHostile(t *testing.T) {
	if testing.Short() {
		t.Skip("real engines take their time")
	}
	x := besiege(t, false)
	storm(t, x, quickAttacks(), 0)
}

func quickAttacks() []attack {
	var all []attack
	all = append(all, badPaths()...)
	all = append(all, badRows()...)
	all = append(all, oddNames()...)
	all = append(all, badAnswers()...)
	all = append(all, badOrder()...)
	all = append(all, badRequests()...)
	all = append(all, badTrees()...)
	return append(all, massDeletion())
}

// badPaths: names that no folder has.
func badPaths() []attack {
	var all []attack
	for _, p := range []struct{ name, path, words string }{
		{"a path that climbs", "../../secret", "component .."},
		{"a path that climbs within", "keep/../../secret", "component .."},
		{"an absolute path", "/etc/pinion-was-here", "empty component"},
		{"an empty path", "", "is empty"},
		{"a dot", "./a", "component ."},
		{"our own directory", ".pinion/folder.toml", "Pinion's own"},
		{"our own directory, shouted", ".PINION/folder.toml", "Pinion's own"},
		{"our own directory, as HFS folds it", ".pin\u200dion/x", "Pinion's own"},
		{"our own directory, with NTFS's tail", ".pinion . ./x", "Pinion's own"},
		{"our own directory, as a stream", ".pinion::$INDEX_ALLOCATION/x", "Pinion's own"},
		{"our own directory, in full width", ".ｐｉｎｉｏｎ/x", "Pinion's own"},
		{"our own directory, its short name", "PINION~1/folder.toml", "Pinion's own"},
		{"a zero byte", "a\x00b", "zero byte"},
		{"Unicode form NFD", "cafe\u0301", "NFC"},
		{"no Unicode at all", "a\xff\xfe", "UTF-8"},
		{"a name of 300 bytes", strings.Repeat("n", 300), "longer than 255"},
		{"a path of 5,000 bytes", strings.Repeat("d/", 2500), "out of range"},
		{"257 levels", strings.Repeat("d/", 256) + "f", "256 levels"},
	} {
		all = append(all, refused(p.name, p.words, func(x *siege) [][]byte {
			e := x.file("x", "planted")
			e.Path = tree.Path(p.path)
			return [][]byte{x.batch(e).Frame()}
		}))
	}
	return append(all,
		refused("a conflict copy of what is outside", "component ..", func(x *siege) [][]byte {
			e := x.file("c", "planted")
			e.Conflict = &tree.Conflict{Of: "../secret"}
			return [][]byte{x.batch(e).Frame()}
		}),
		refused("moved to the outside", "component ..", func(x *siege) [][]byte {
			e := x.file("c", "planted")
			e.Deleted, e.MovedTo = true, "../../secret"
			return [][]byte{x.batch(e).Frame()}
		}),
	)
}

// badRows: rows that can't be, and frames that lie about themselves.
func badRows() []attack {
	row := func(name, words string, change func(*tree.Entry)) attack {
		return refused(name, words, func(x *siege) [][]byte {
			e := x.file("row", "content")
			change(&e)
			return [][]byte{x.batch(e).Frame()}
		})
	}
	long := func(n int) tree.Version {
		v := make(tree.Version, n)
		for i := range v {
			v[i] = tree.Stamp{Replica: tree.ReplicaID(i + 1), N: 1}
		}
		return v
	}
	return []attack{
		row("a version of 4,000 stamps", "number of stamps", func(e *tree.Entry) { e.Version, e.Author = long(4000), 1 }),
		row("a version without stamps", "version", func(e *tree.Entry) { e.Version = nil }),
		row("a stamp of zero", "version", func(e *tree.Entry) { e.Version[0].N = 0 }),
		row("stamps out of order", "version", func(e *tree.Entry) {
			e.Version = tree.Version{{Replica: 9, N: 1}, {Replica: 5, N: 1}}
			e.Author = 9
		}),
		row("an author who wrote nothing", "author", func(e *tree.Entry) { e.Author = 77 }),
		row("no kind", "of no kind", func(e *tree.Entry) { e.Kind = 0 }),
		row("a size of 2^60", "size", func(e *tree.Entry) { e.Size = 1 << 60 }),
		row("setuid", "mode", func(e *tree.Entry) { e.Mode = 0o4755 }),
		row("a directory with content", "directory", func(e *tree.Entry) { e.Kind = tree.Dir }),
		row("a symlink to nowhere", "target", func(e *tree.Entry) { *e = link(*e, ""); e.Target = "" }),
		row("a symlink with a zero byte", "target", func(e *tree.Entry) { *e = link(*e, "a\x00b") }),
		row("an unknown hash", "hash", func(e *tree.Entry) { e.Content[0] = 9 }),
		refused("a name that claims 100 MB", "out of range", func(x *siege) [][]byte {
			b := []byte{0, 0, 1, 1, 0, 0}
			b = append(b, 0x80, 0x84, 0xaf, 0x5f) // 200,000,000
			return [][]byte{hostile.Frame(wire.TypeBatch, append(b, "short"...))}
		}),
		refused("a batch that claims a million entries", "number of entries", func(x *siege) [][]byte {
			b := x.batch(x.file("a", "b"))
			b.Count = 1e6
			return [][]byte{b.Frame()}
		}),
		refused("1,001 entries", "number of entries", func(x *siege) [][]byte {
			list := make([]tree.Entry, 1001)
			for i := range list {
				list[i] = x.file(fmt.Sprint("n", i), "")
			}
			return [][]byte{x.batch(list...).Frame()}
		}),
		refused("a frame that claims 100 MB", "are allowed", func(*siege) [][]byte { return [][]byte{hostile.Claim(wire.TypeBatch, 100<<20)} }),
		refused("an unknown type", "unknown", func(*siege) [][]byte { return [][]byte{hostile.Frame(99, []byte("?"))} }),
		refused("a State among rows", "not allowed", func(*siege) [][]byte { return [][]byte{hostile.Frame(wire.TypeState, nil)} }),
		refused("a bomb of zeros as a batch", "zstd", func(*siege) [][]byte {
			return [][]byte{hostile.Frame(wire.TypeBatch, append([]byte{1, 0x80, 0x80, 0x80, 0x02}, hostile.Bomb(4096)...))} // 4 MiB, it says; 512 MiB it holds
		}),
		refused("a bomb that says what it is", "decoded length", func(*siege) [][]byte {
			return [][]byte{hostile.Frame(wire.TypeBatch, append([]byte{1, 0x80, 0x80, 0x80, 0x80, 0x02}, hostile.Bomb(4096)...))}
		}),
		{name: "half a batch and the end", do: func(x *siege) string {
			x.enter()
			str, err := x.r.Index(x.folder)
			if err != nil {
				x.t.Fatal(err)
			}
			b := x.batch(x.file("half", "half")).Frame()
			_, _ = str.Write(b[:len(b)/2])
			_ = str.Close()
			return x.thrownOut("broke the protocol")
		}},
	}
}

func link(e tree.Entry, target string) tree.Entry {
	e.Kind, e.Size, e.Mode, e.Content, e.Target = tree.Symlink, 0, 0, tree.ContentID{}, target
	return e
}

// oddNames: names that some system can't hold. They are files like any other
// where it can.
func oddNames() []attack {
	return []attack{{name: "names of devices, twins, trailing dots", do: func(x *siege) string {
		if runtime.GOOS != "linux" {
			return "Linux only"
		}
		x.enter()
		names := []string{"odd/CON", "odd/nul.txt", "odd/aux.", "odd/COM1 ", "odd/a:b", `odd/back\slash`, "odd/twin", "odd/TWIN", "odd/Twin", "odd/-rf", "odd/new\nline", "odd/\u202egpj.exe"}
		var rows []tree.Entry
		for _, n := range names {
			rows = append(rows, x.file(n, "content of "+n))
		}
		x.tell(x.batch(rows...).Frame())
		for _, n := range names {
			x.arrives(n, "content of "+n)
		}
		return "taken as they are, on both devices"
	}}}
}

// badAnswers: content that is not what was announced.
func badAnswers() []attack {
	lie := func(name, words string, answer func(x *siege, w io.Writer, q hostile.Request) error) attack {
		return attack{name: name, do: func(x *siege) string {
			x.enter(func(r *hostile.Rogue) {
				r.Answer = func(w io.Writer, q hostile.Request) error { return answer(x, w, q) }
			})
			path := "lies/" + strings.ReplaceAll(name, " ", "-")
			x.tell(x.batch(x.file(path, strings.Repeat(name, 100))).Frame())
			defer x.absent(path)
			if words == "" {
				x.problem(path + ": a device sent other bytes")
				return "held: " + "a device sent other bytes than were asked for"
			}
			return x.thrownOut(words)
		}}
	}
	piece := func(w io.Writer, want uint64, flags byte, off uint64, data []byte) error {
		_, err := w.Write(hostile.Frame(wire.TypePiece, hostile.Piece(want, flags, off, data)))
		return err
	}
	big := func(name, words string, list func(size int64) tree.Manifest) attack {
		return attack{name: name, do: func(x *siege) string {
			x.enter(func(r *hostile.Rogue) {
				r.Answer = func(w io.Writer, q hostile.Request) error {
					if q.Manifest == nil {
						return x.honestly(w, q)
					}
					_, err := w.Write(hostile.Frame(wire.TypeManifestPart, hostile.Part(hostile.Last, 0, 0, list(1<<20))))
					return err
				}
			})
			e := x.file("lies/"+strings.ReplaceAll(name, " ", "-"), name)
			e.Size = 1 << 20
			x.tell(x.batch(e).Frame())
			defer x.absent(string(e.Path))
			if words == "" {
				x.problem(string(e.Path) + ": a device sent other bytes")
				return "held: a device sent other bytes than were asked for"
			}
			return x.thrownOut(words)
		}}
	}
	return []attack{
		lie("another content", "", func(x *siege, w io.Writer, q hostile.Request) error {
			for i, want := range q.Wants {
				if err := piece(w, uint64(i), hostile.Last, 0, bytes.Repeat([]byte{'!'}, int(want.Length))); err != nil {
					return err
				}
			}
			return nil
		}),
		lie("less than announced", "", func(_ *siege, w io.Writer, q hostile.Request) error {
			for i := range q.Wants {
				if err := piece(w, uint64(i), hostile.Last, 0, []byte("short")); err != nil {
					return err
				}
			}
			return nil
		}),
		lie("more than announced", "more than the", func(_ *siege, w io.Writer, q hostile.Request) error {
			return piece(w, 0, 0, 0, make([]byte, 100<<10))
		}),
		lie("bytes of another place", "a piece at", func(_ *siege, w io.Writer, q hostile.Request) error { return piece(w, 0, 0, 1<<40, []byte("x")) }),
		lie("an answer to another want", "a piece of want", func(_ *siege, w io.Writer, q hostile.Request) error { return piece(w, 200, hostile.Last, 0, nil) }),
		lie("a bomb as an answer", "zstd", func(_ *siege, w io.Writer, q hostile.Request) error {
			_, err := w.Write(hostile.Frame(wire.TypePacked, append([]byte{0x80, 0x80, 0x20}, hostile.Bomb(4096)...)))
			return err
		}),
		lie("a packed frame in a packed frame", "in a packed frame", func(_ *siege, w io.Writer, q hostile.Request) error {
			inner := append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0x20, 5, 0x29, 0, 0}, hostile.Claim(wire.TypePacked, 0)...) // one raw block of 5 bytes
			_, err := w.Write(hostile.Frame(wire.TypePacked, append([]byte{5}, inner...)))
			return err
		}),
		big("a list of zero-length chunks", "an empty chunk", func(int64) tree.Manifest {
			return slicesRepeat(tree.Chunk{ID: chunk.Sum(nil)}, 10000)
		}),
		big("chunks that lie about their length", "", func(size int64) tree.Manifest {
			return tree.Manifest{{ID: chunk.Sum([]byte("a")), Len: 256 << 10}, {ID: chunk.Sum([]byte("b")), Len: 1}}
		}),
		big("chunks that do not give the content", "", func(size int64) tree.Manifest {
			return slicesRepeat(tree.Chunk{ID: chunk.Sum([]byte("a")), Len: 64 << 10}, int(size>>16))
		}),
		big("a chunk of 4 GiB", "out of range", func(int64) tree.Manifest { return tree.Manifest{{ID: chunk.Sum(nil), Len: 1<<32 - 1}} }),
	}
}

func slicesRepeat(c tree.Chunk, n int) tree.Manifest {
	m := make(tree.Manifest, n)
	for i := range m {
		m[i] = c
	}
	return m
}

// badOrder: a history that can't be.
func badOrder() []attack {
	return []attack{
		{name: "a batch replayed 50 times", do: func(x *siege) string {
			x.enter()
			b := x.batch(x.file("replay", "once")).Frame()
			x.tell(bytes.Repeat(b, 50))
			x.arrives("replay", "once")
			return "taken once"
		}},
		{name: "batches in reverse", do: func(x *siege) string {
			x.enter()
			a, b := x.batch(x.file("reverse/a", "a")), x.batch(x.file("reverse/b", "b"))
			x.tell(b.Frame(), a.Frame())
			x.arrives("reverse/a", "a")
			return "the first is left aside and asked for again"
		}},
		{name: "a position that goes backwards", do: func(x *siege) string {
			x.enter()
			a, b := x.batch(x.file("back/a", "a")), x.batch(x.file("back/b", "b"))
			c := x.batch(x.file("back/c", "c"))
			c.After, c.Upto.Seq = 0, 0
			x.tell(a.Frame(), b.Frame(), c.Frame())
			x.arrives("back/c", "c")
			return "its own loss: told again from there"
		}},
		{name: "a position of 2^64-1", do: func(x *siege) string {
			x.enter()
			a := x.batch(x.file("end", "end"))
			a.Upto.Seq, a.Upto.Epoch = 1<<64-1, 1<<64-1
			x.tell(a.Frame())
			x.arrives("end", "end")
			return "taken: it concerns its own rows only"
		}},
		{name: "the position of the victim's own replica", do: func(x *siege) string {
			x.enter()
			a := x.batch(x.file("own", "own"))
			a.Upto = x.r.State(x.folder).At
			x.tell(a.Frame())
			x.arrives("own", "own")
			return "taken: it concerns its own rows only"
		}},
		{name: "counters far in the future", do: func(x *siege) string {
			x.enter()
			e, f := x.file("future", "2^63"), x.file("future2", "2^64-1")
			e.Version[0].N, f.Version[0].N = 1<<63, 1<<64-1
			x.tell(x.batch(e, f).Frame())
			x.arrives("future", "2^63")
			x.arrives("future2", "2^64-1")
			// What has the highest counter can be written again, all the same.
			x.write("future2", "written again")
			return "taken; the files can be written again"
		}},
		{name: "our own counters, higher than we know", do: func(x *siege) string {
			x.enter()
			self := x.r.State(x.folder).At.Replica
			e := x.file("ours", "a lie")
			e.Version = sorted(tree.Version{{Replica: self, N: 1 << 62}, {Replica: x.self, N: 1}})
			x.tell(x.batch(e).Frame())
			x.arrives("ours", "a lie")
			x.write("ours", "the truth")
			return "the index began a new life"
		}},
		{name: "a new life of ours with each batch", do: func(x *siege) string {
			x.enter()
			for i := 0; x.r.End() == nil; i++ {
				self := x.r.State(x.folder).At.Replica
				e := x.file(fmt.Sprint("lives/", i), "")
				e.Version = sorted(tree.Version{{Replica: self, N: 1 << 62}, {Replica: x.self, N: 1}})
				x.tell(x.batch(e).Frame())
				x.victim.until(x.t, "it says that it lives anew", func() bool { return x.r.End() != nil || x.r.State(x.folder).At.Replica != self })
			}
			return x.thrownOut("future")
		}},
		{name: "a replica of an honest device, as its own", do: func(x *siege) string {
			// Told before the honest device tells of itself: on a folder that is new
			// to it, the next story plays that.
			x.enter()
			b := x.batch(x.file("stolen", "stolen"))
			for _, e := range x.r.Known() {
				for _, s := range e.Version {
					b.Replicas = append(b.Replicas, tree.Replica{ID: s.Replica, Device: x.key.Device(), Name: "mine now"})
				}
				break
			}
			x.tell(b.Frame())
			x.arrives("stolen", "stolen")
			return "what was said first stands"
		}},
		{name: "versions that join to more than any may have", do: func(x *siege) string {
			x.enter()
			wide := func(base tree.ReplicaID, e tree.Entry) tree.Entry {
				e.Version = tree.Version{{Replica: x.self, N: 1}}
				for i := range tree.ReplicaID(600) {
					e.Version = append(e.Version, tree.Stamp{Replica: base + i, N: 1})
				}
				e.Version = sorted(e.Version)
				return e
			}
			e := wide(1<<50, x.file("wide", "one"))
			b := x.batch(e)
			for _, st := range e.Version {
				b.Replicas = append(b.Replicas, tree.Replica{ID: st.Replica, Device: x.key.Device()})
			}
			x.tell(b.Frame())
			x.arrives("wide", "one")
			e = wide(2<<50, x.file("wide", "two"))
			b = x.batch(e)
			for _, st := range e.Version {
				b.Replicas = append(b.Replicas, tree.Replica{ID: st.Replica, Device: x.key.Device()})
			}
			x.tell(b.Frame())
			x.problem("wide")
			return "see the saves"
		}},
	}
}

// write changes a file by the victim's own hand; the honest device gets it.
func (x *siege) write(path, text string) {
	x.t.Helper()
	if err := writeOver(filepath.Join(x.victim.dir, path), text); err != nil {
		x.t.Fatal(err)
	}
	x.arrives(path, text)
}

// badRequests: what is asked of the victim.
func badRequests() []attack {
	ask := func(name, words string, frame func(x *siege) []byte) attack {
		return attack{name: name, do: func(x *siege) string {
			x.enter()
			kind := wire.Small
			b := frame(x)
			if wire.Type(b[4]) == wire.TypeManifestRequest {
				kind = wire.Lists
			}
			str, err := x.r.Lane(kind)
			if err != nil {
				x.t.Fatal(err)
			}
			_, _ = str.Write(b)
			if words != "" {
				return x.thrownOut(words)
			}
			in := wire.NewReader(str, 0)
			typ, payload, err := in.Next()
			if err != nil {
				x.t.Fatal(err)
			}
			switch typ {
			case wire.TypePiece:
				if p, err := wire.ParsePiece(payload); err != nil || !p.Gone {
					x.t.Errorf("it got %+v %v", p, err)
				}
			case wire.TypeManifestPart:
				if p, err := wire.ParseManifestPart(payload); err != nil || !p.Gone {
					x.t.Errorf("it got %+v %v", p, err)
				}
			}
			return "told that it is gone"
		}}
	}
	fetch := func(x *siege, folder tree.FolderID, wants ...tree.Want) []byte {
		b, _, err := wire.AppendFetchRequest(nil, folder, wants)
		if err != nil {
			x.t.Fatal(err)
		}
		return b
	}
	kept := chunk.Sum([]byte("precious 3"))
	return []attack{
		ask("content that is not here", "", func(x *siege) []byte {
			return fetch(x, x.folder, tree.Want{Content: chunk.Sum([]byte("not here")), Whole: true, Length: 8})
		}),
		ask("content of another folder", "", func(x *siege) []byte {
			return fetch(x, tree.FolderID{9, 9}, tree.Want{Content: kept, Whole: true, Length: 10})
		}),
		ask("bytes beyond the end", "", func(x *siege) []byte {
			return fetch(x, x.folder, tree.Want{Content: kept, Path: "keep/03.txt", Count: 1, Offset: 1 << 50, Length: 1 << 50})
		}),
		ask("another content by a path that is here", "", func(x *siege) []byte {
			return fetch(x, x.folder, tree.Want{Content: chunk.Sum([]byte("?")), Path: "keep/03.txt", Whole: true, Length: 10})
		}),
		ask("a path outside", "component ..", func(x *siege) []byte {
			return fetch(x, x.folder, tree.Want{Content: chunk.Sum([]byte("not yours")), Path: "../secret", Whole: true, Length: 9})
		}),
		ask("the marker", "Pinion's own", func(x *siege) []byte {
			return fetch(x, x.folder, tree.Want{Content: chunk.Sum([]byte("?")), Path: ".pinion/folder.toml", Whole: true, Length: 9})
		}),
		ask("the list of what is not here", "", func(x *siege) []byte {
			b, err := wire.AppendManifestRequest(nil, wire.ManifestRequest{Folder: x.folder, Content: chunk.Sum([]byte("not here"))})
			if err != nil {
				x.t.Fatal(err)
			}
			return b
		}),
		ask("a request of garbage", "broke the protocol", func(x *siege) []byte {
			return hostile.Frame(wire.TypeFetchRequest, bytes.Repeat([]byte{0xff}, 1000))
		}),
		{name: "a certificate of another device", do: func(x *siege) string {
			key, err := newKey()
			if err != nil {
				x.t.Fatal(err)
			}
			x.r = nil
			r, err := hostile.Dial(x.ctx, key, x.victim.id.Device(), x.victim.addr)
			if err == nil {
				_ = r.Hello()
				<-r.Conn.Context().Done() // TLS 1.3: the client learns of it after its own last word
				err = r.End()
			}
			if err == nil || !strings.Contains(err.Error(), "bad certificate") {
				x.t.Errorf("it was told %v", err)
			}
			return "no session: " + lastWords(err)
		}},
		{name: "offers of evil names", do: func(x *siege) string {
			x.dial()
			if err := x.r.Hello(); err != nil {
				x.t.Fatal(err)
			}
			x.say(hostile.Frame(wire.TypeOffers, offer("../../evil")))
			return x.thrownOut("folder's name")
		}},
		{name: "an offer of our own directory", do: func(x *siege) string {
			x.dial()
			if err := x.r.Hello(); err != nil {
				x.t.Fatal(err)
			}
			x.say(hostile.Frame(wire.TypeOffers, offer(".pinion")))
			return x.thrownOut("folder's name")
		}},
		{name: "a yes that no person said, for ever", do: func(x *siege) string {
			x.enter()
			b, err := wire.AppendState(nil, tree.FolderState{Folder: x.folder, Life: 1, Confirmed: 1<<63 - 1})
			if err != nil {
				x.t.Fatal(err)
			}
			x.say(append(b, wire.AppendPing(nil, 1)...))
			if err := x.r.Await(x.ctx, func() bool { return x.r.Pongs() > 0 }); err != nil {
				x.t.Fatal(err)
			}
			return "not believed"
		}},
	}
}

// lastWords are the last bytes of a long error.
func lastWords(err error) string {
	s := fmt.Sprint(err)
	return s[max(0, len(s)-60):]
}

// offer is the CBOR of one offer, whatever its name.
func offer(name string) []byte {
	b := []byte{0xa1, 1, 0x81, 0xa2, 1, 0x50}
	b = append(b, bytes.Repeat([]byte{7}, 16)...)
	b = append(b, 2, 0x60|byte(len(name)))
	return append(b, name...)
}

// badTrees: rows each of which may be, and that together lead elsewhere.
func badTrees() []attack {
	return []attack{
		{name: "a symlink out of the folder, then a child of it", do: func(x *siege) string {
			x.enter()
			x.tell(x.batch(link(x.file("way-out", ""), "../../")).Frame())
			x.victim.until(x.t, "the symlink", func() bool { return exists(filepath.Join(x.victim.dir, "way-out")) })
			x.tell(x.batch(x.file("way-out/planted", "planted"), x.file("way-out/victim/secret", "planted")).Frame())
			x.victim.until(x.t, "the way is closed", func() bool {
				s := x.victim.status(x.t).Folders[0]
				return s.Need.Files == 0 || len(s.Problems) > 0
			})
			return "the symlink stands, its children replace it or are held"
		}},
		{name: "children first, then their directory as a symlink", do: func(x *siege) string {
			x.enter()
			x.tell(x.batch(x.file("swap/a", "a"), x.file("swap/b", "b")).Frame())
			x.arrives("swap/a", "a")
			x.tell(x.batch(link(x.file("swap", ""), "/etc"), x.file("swap/passwd", "planted")).Frame())
			time.Sleep(100 * time.Millisecond)
			return "nothing is written through it"
		}},
		{name: "a directory and a file in turns", do: func(x *siege) string {
			x.enter()
			for i := range 40 {
				f, d := x.file("flip", fmt.Sprint("file ", i)), x.file("flip", "")
				d.Kind, d.Content, d.MTime, d.Mode, d.Size = tree.Dir, tree.ContentID{}, 0, 0o755, 0
				x.tell(x.batch(f).Frame())
				x.tell(x.batch(d, x.file("flip/inside", "inside")).Frame())
			}
			last := x.file("flip-end", "end")
			x.tell(x.batch(last).Frame())
			x.arrives("flip-end", "end")
			return "settled"
		}},
	}
}

// massDeletion deletes all that the victim has told of. It comes last: what it
// wants is held.
func massDeletion() attack {
	return attack{name: "deletion of everything", do: func(x *siege) string {
		x.enter()
		if err := x.r.Await(x.ctx, func() bool { return true }); err != nil {
			x.t.Fatal(err)
		}
		x.victim.until(x.t, "it was told of all", func() bool { return len(x.r.Known()) >= x.count("") })
		var rows []tree.Entry
		for _, e := range x.r.Known() {
			if e.Deleted {
				continue
			}
			e.Deleted, e.Author, e.Conflict = true, x.self, nil
			e.Version = e.Version.Bump(x.self, 1<<40)
			rows = append(rows, e)
		}
		x.tell(x.batch(rows...).Frame())
		held := ""
		x.victim.until(x.t, "it is held", func() bool {
			f := x.victim.status(x.t).Folders[0]
			held = f.Reason
			return f.State == status.Held
		})
		return "held: " + held
	}}
}
