package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
	"pinion/netproto/hostile"
	"pinion/netproto/wire"
)

// mostGrowth is how much the victim's memory may grow by one attack.
const mostGrowth = 100 << 20

// TestHostileHeavy plays all attacks against a victim in a process of its own,
// with a save across after each, and shows what each cost. It takes minutes:
// make hostile.
func TestHostileHeavy(t *testing.T) {
	if os.Getenv("PINION_HOSTILE") == "" {
		t.Skip("make hostile plays it")
	}
	only := os.Getenv("PINION_HOSTILE_ONLY")
	pick := func(list []attack) (some []attack) {
		for _, a := range list {
			if strings.Contains(a.name, only) {
				some = append(some, a)
			}
		}
		return some
	}
	fmt.Printf("%-46s %9s %9s %8s  %s\n", "what is sent", "peak", "growth", "CPU", "what happened")
	n := 0
	for _, part := range [][]attack{quickAttacks(), heavyAttacks()} {
		if list := pick(part); len(list) > 0 {
			t.Run("folder", func(t *testing.T) { n += len(storm(t, besiege(t, true), list, mostGrowth)) })
		}
	}
	if list := pick(storeAttacks()); len(list) > 0 {
		t.Run("store", func(t *testing.T) {
			store := filepath.Join(t.TempDir(), "store")
			n += len(storm(t, besiege(t, true, "--store", store), list, 0))
		})
	}
	fmt.Printf("%d attacks\n", n)
}

func heavyAttacks() []attack {
	return append([]attack{
		deep(),
		{name: "a name of 4 MB, 20 times", do: func(x *siege) string {
			said := ""
			for range 20 {
				x.enter()
				e := x.file("n", "n")
				e.Path = tree.Path(strings.Repeat("n", 4<<20-4096))
				x.tell(x.batch(e).Frame())
				said = x.thrownOut("out of range")
			}
			return said
		}},
		{name: "a chunk list without end, of 4 GiB", do: func(x *siege) string {
			x.enter(func(r *hostile.Rogue) {
				r.Answer = func(w io.Writer, q hostile.Request) error {
					if q.Manifest == nil {
						return goneAlways(w, q)
					}
					part := hostile.Frame(wire.TypeManifestPart, hostile.Part(0, 0, 0, slicesRepeat(tree.Chunk{ID: chunk.Sum(nil), Len: 1 << 20}, 16<<10)))
					for {
						if _, err := w.Write(part); err != nil {
							return err
						}
					}
				}
			})
			e := x.file("endless", "")
			e.Size, e.Content = 4<<30, tree.ContentID{tree.HashBLAKE3, 9}
			x.tell(x.batch(e).Frame())
			return x.thrownOut("too many chunks")
		}},
		{name: "a chunk list without end, of 1 MiB", do: func(x *siege) string {
			x.enter(func(r *hostile.Rogue) {
				r.Answer = func(w io.Writer, q hostile.Request) error {
					if q.Manifest == nil {
						return goneAlways(w, q)
					}
					part := hostile.Frame(wire.TypeManifestPart, hostile.Part(0, 0, 0, slicesRepeat(tree.Chunk{ID: chunk.Sum(nil), Len: 1 << 20}, 16<<10)))
					for {
						if _, err := w.Write(part); err != nil {
							return err
						}
					}
				}
			})
			e := x.file("endless-small", "")
			e.Size, e.Content = 1<<20, tree.ContentID{tree.HashBLAKE3, 10}
			x.tell(x.batch(e).Frame())
			return x.thrownOut("too many chunks")
		}},
		flood("a flood of States, each a new life", func(x *siege, i int) []byte {
			b, _ := wire.AppendState(nil, tree.FolderState{Folder: x.folder, Life: uint64(i + 2)})
			return b
		}),
		flood("a flood of States of folders nobody has", func(_ *siege, i int) []byte {
			b, _ := wire.AppendState(nil, tree.FolderState{Folder: tree.FolderID{1, byte(i), byte(i >> 8), byte(i >> 16)}, Life: 1})
			return b
		}),
		flood("a flood of Offers", func(x *siege, i int) []byte {
			var list []tree.Offer
			for j := range 256 {
				list = append(list, tree.Offer{Folder: tree.FolderID{2, byte(i), byte(i >> 8), byte(j), 1}, Name: fmt.Sprint("folder ", i, j)})
			}
			b, _ := wire.AppendOffers(nil, list)
			return b
		}),
		flood("a flood of Pings", func(_ *siege, i int) []byte { return wire.AppendPing(nil, uint64(i)) }),
		flood("a flood of statements of the roster", func(_ *siege, i int) []byte {
			list := make([][]byte, 200)
			for j := range list {
				list[j] = append(binary.LittleEndian.AppendUint64(nil, uint64(i)), bytes.Repeat([]byte{byte(j)}, 4000)...)
			}
			b, _ := wire.AppendRoster(nil, list)
			return b
		}),
		{name: "all lanes, asking for much and reading nothing", do: func(x *siege) string {
			x.enter()
			big := bigContent(x)
			wants := make([]tree.Want, 256)
			for i := range wants {
				wants[i] = tree.Want{Content: big.Content, Path: big.Path, Count: 1, Length: big.Size}
			}
			b, _, err := wire.AppendFetchRequest(nil, x.folder, wants)
			if err != nil {
				x.t.Fatal(err)
			}
			n := 0
			for ; n < 100; n++ {
				str, err := x.r.Lane(wire.Big)
				if err != nil {
					break
				}
				go func() { _, _ = str.Write(bytes.Repeat(b, 50)) }()
			}
			time.Sleep(3 * time.Second)
			return fmt.Sprintf("%d lanes; back pressure", n)
		}},
		{name: "all lanes, asking for chunk lists, reading nothing", do: func(x *siege) string {
			x.enter()
			b, err := wire.AppendManifestRequest(nil, wire.ManifestRequest{Folder: x.folder, Content: bigContent(x).Content})
			if err != nil {
				x.t.Fatal(err)
			}
			n := 0
			for ; n < 100; n++ {
				str, err := x.r.Lane(wire.Lists)
				if err != nil {
					break
				}
				go func() { _, _ = str.Write(bytes.Repeat(b, 5000)) }()
			}
			time.Sleep(3 * time.Second)
			return fmt.Sprintf("%d lanes; back pressure", n)
		}},
		{name: "deaf while 2,000 files come", do: func(x *siege) string {
			x.enter(func(r *hostile.Rogue) { r.Deaf = true })
			for i := range 2000 {
				if err := writeOver(filepath.Join(x.honest.dir, fmt.Sprintf("much-%04d", i)), fmt.Sprint("much ", i)); err != nil {
					x.t.Fatal(err)
				}
			}
			patiently(x, "all have come", func() bool {
				list, _ := filepath.Glob(filepath.Join(x.victim.dir, "much-*"))
				return len(list) == 2000
			})
			return "the others do not wait for it"
		}},
		{name: "20,000 versions of 800 stamps", do: func(x *siege) string {
			x.enter(func(r *hostile.Rogue) { r.Answer = goneAlways })
			var told []tree.Replica
			v := tree.Version{{Replica: x.self, N: 1}}
			for i := range tree.ReplicaID(800) {
				told = append(told, tree.Replica{ID: 4<<50 + i, Device: x.key.Device()})
				v = append(v, tree.Stamp{Replica: 4<<50 + i, N: 1 << 60})
			}
			v = sorted(v)
			str, err := x.r.Index(x.folder)
			if err != nil {
				x.t.Fatal(err)
			}
			for i := range 20000 / 500 {
				rows := make([]tree.Entry, 500)
				for j := range rows {
					rows[j] = x.file(fmt.Sprint("stamps/", i, "-", j), "")
					rows[j].Size, rows[j].Content, rows[j].Version = 100, tree.ContentID{tree.HashBLAKE3, 8, byte(i), byte(j), byte(j >> 8)}, v
				}
				b := x.batch(rows...)
				if i == 0 {
					b.Replicas = append(b.Replicas, told...)
				}
				// A stream's dictionary is told once: each batch on one of its own.
				if _, err := str.Write(b.Frame()); err != nil {
					return x.thrownOut("")
				}
				_ = str.Close()
				if str, err = x.r.Index(x.folder); err != nil {
					return x.thrownOut("")
				}
			}
			patiently(x, "all are recorded", func() bool { return x.r.State(x.folder).Have.Seq == x.seq })
			return "pending; nobody has them"
		}},
		{name: "80,000 replicas", do: func(x *siege) string {
			x.enter()
			for i := range 20 {
				b := x.batch(x.file(fmt.Sprint("replicas/", i), "one"))
				for j := range tree.ReplicaID(4000) {
					b.Replicas = append(b.Replicas, tree.Replica{ID: 5<<50 + tree.ReplicaID(i)*4000 + j, Device: x.key.Device(), Name: strings.Repeat("n", 128)})
				}
				x.tell(b.Frame())
			}
			x.arrives("replicas/19", "one")
			return "known up to a bound"
		}},
		{name: "300 versions of one file at once", do: func(x *siege) string {
			x.enter()
			for i := range 300 {
				e := x.file("torn", fmt.Sprint("version ", i))
				e.Version = tree.Version{{Replica: x.self + tree.ReplicaID(i) + 1, N: 1}}
				e.Author = e.Version[0].Replica
				b := x.batch(e)
				b.Replicas = append(b.Replicas, tree.Replica{ID: e.Author, Device: x.key.Device(), Name: "rogue"})
				x.tell(b.Frame())
			}
			patiently(x, "all are recorded", func() bool { return x.r.State(x.folder).Have.Seq == x.seq })
			return fmt.Sprintf("%d conflicts", x.victim.status(x.t).Folders[0].Conflicts)
		}},
		{name: "300 sessions, one after the other", do: func(x *siege) string {
			for range 300 {
				x.enter()
			}
			return "each takes the place of the last"
		}},
		{name: "half a message, and silence", do: func(x *siege) string {
			x.enter()
			x.say(hostile.Claim(wire.TypeRoster, 1000))
			return x.thrownOut("did not come")
		}},
		{name: "a byte every two seconds, for 40 s", do: func(x *siege) string {
			x.enter()
			x.say(hostile.Claim(wire.TypeRoster, 1000))
			for range 20 {
				x.say([]byte{0})
				time.Sleep(2 * time.Second)
			}
			if err := x.r.End(); err != nil {
				return fmt.Sprint("ended: ", err)
			}
			return "it is let; it holds up its own session alone"
		}},
	}, muchPending()...)
}

func deep() attack {
	return attack{name: "255 levels, 20 times", do: func(x *siege) string {
		x.enter()
		var rows []tree.Entry
		for i := range 20 {
			rows = append(rows, x.file(fmt.Sprintf("deep%d/", i)+strings.Repeat("d/", 254)+"f", "deep"))
		}
		x.tell(x.batch(rows...).Frame())
		patiently(x, "the last has come", func() bool { return x.count("deep19") == 1 })
		return "taken"
	}}
}

// muchPending leaves a million rows behind that go on waiting: what follows has
// to get past them.
func muchPending() []attack {
	return []attack{
		{name: "a million entries of which nothing can be had", do: func(x *siege) string {
			x.enter(func(r *hostile.Rogue) { r.Answer = goneAlways })
			str, err := x.r.Index(x.folder)
			if err != nil {
				x.t.Fatal(err)
			}
			for i := range 1000 {
				rows := make([]tree.Entry, 1000)
				for j := range rows {
					rows[j] = x.file(fmt.Sprintf("million/%03d/%03d", i, j), "")
					rows[j].Size, rows[j].Content = 100, tree.ContentID{tree.HashBLAKE3, 7, byte(i), byte(i >> 8), byte(j), byte(j >> 8)}
				}
				x.mu.Lock()
				clear(x.contents)
				x.mu.Unlock()
				if _, err := str.Write(x.batch(rows...).Frame()); err != nil {
					x.t.Fatalf("after %d: %v, %v", i*1000, err, x.r.End())
				}
				if i == 500 {
					x.crosses()
				}
			}
			_ = str.Close()
			patiently(x, "all are recorded", func() bool { return x.r.State(x.folder).Have.Seq == x.seq })
			return "pending; nobody has them"
		}},
		{name: "320 batches of 4 MiB, each told but for its end", do: func(x *siege) string {
			x.enter()
			half := make([]byte, 4<<20-1)
			ctx, cancel := context.WithTimeout(x.ctx, 10*time.Second)
			defer cancel()
			for i := range 319 {
				str, err := x.r.Index(tree.FolderID{0xee, byte(i), byte(i >> 8)})
				if err != nil {
					break
				}
				go func() {
					_, _ = str.Write(hostile.Claim(wire.TypeBatch, uint32(len(half))+1))
					_, _ = str.Write(half)
				}()
			}
			<-ctx.Done()
			return "read as far as there is room"
		}},
	}
}

func storeAttacks() []attack {
	return []attack{{name: "a store that is offered 2,560 folders", do: func(x *siege) string {
		x.dial()
		x.r.Answer = goneAlways
		if err := x.r.Hello(); err != nil {
			x.t.Fatal(err)
		}
		for i := range 10 {
			var list []tree.Offer
			for j := range 256 {
				list = append(list, tree.Offer{Folder: tree.FolderID{3, byte(i), byte(j), 1}, Name: fmt.Sprint("gift ", i*256+j)})
			}
			b, err := wire.AppendOffers(nil, list)
			if err != nil {
				x.t.Fatal(err)
			}
			x.say(b)
		}
		x.say(wire.AppendPing(nil, 1))
		patiently(x, "it has answered", func() bool { return x.r.Await(x.ctx, func() bool { return x.r.Pongs() > 0 }) == nil })
		s := x.victim.status(x.t)
		if len(s.Folders) > 1+64 {
			x.t.Errorf("it holds %d folders", len(s.Folders))
		}
		return fmt.Sprintf("%d folders; notes: %q", len(s.Folders), s.Notes)
	}}}
}

// flood sends as many messages as the victim takes in 5 seconds, and has a save
// cross meanwhile.
func flood(name string, message func(x *siege, i int) []byte) attack {
	return attack{name: name, do: func(x *siege) string {
		x.enter()
		stop, sent := make(chan struct{}), make(chan int)
		go func() {
			n := 0
			for {
				select {
				case <-stop:
					sent <- n
					return
				default:
				}
				if _, err := x.r.Control.Write(message(x, n)); err != nil {
					<-stop
					sent <- n
					return
				}
				n++
			}
		}()
		began := time.Now()
		for time.Since(began) < 5*time.Second {
			x.crosses()
		}
		close(stop)
		n := <-sent
		if x.r.End() != nil {
			return fmt.Sprintf("%d, then: %s", n, x.thrownOut(""))
		}
		return fmt.Sprintf("%d taken while %d saves crossed", n, x.saves)
	}}
}

func patiently(x *siege, what string, cond func() bool) {
	x.t.Helper()
	for range 30 {
		for end := time.Now().Add(hostilePatience); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
			if cond() {
				return
			}
			if x.r.End() != nil {
				x.t.Fatalf("%s: %v; %s", what, x.r.End(), x.reason())
			}
		}
	}
	x.t.Fatalf("never so: %s", what)
}

func bigContent(x *siege) tree.Entry {
	var e tree.Entry
	x.victim.until(x.t, "it tells of a big file", func() bool { e = x.r.Known()["big.bin"]; return e.Size == bigSize })
	return e
}

// goneAlways has nothing.
func goneAlways(w io.Writer, q hostile.Request) error {
	if q.Manifest != nil {
		_, err := w.Write(hostile.Frame(wire.TypeManifestPart, hostile.Part(hostile.Last|hostile.Gone, 0, 0, nil)))
		return err
	}
	var out []byte
	for i := range q.Wants {
		out = append(out, hostile.Frame(wire.TypePiece, hostile.Piece(uint64(i), hostile.Last|hostile.Gone, 0, nil))...)
	}
	_, err := w.Write(out)
	return err
}
