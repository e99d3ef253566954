package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"io/fs"
	mathrand "math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/status"
	"pinion/engine/tree"
	"pinion/netproto/circle"
	"pinion/netproto/hostile"
	"pinion/netproto/identity"
	"pinion/netproto/wire"
)

// fort is a device: a real engine and its home.
type fort struct {
	name, root, dir, addr string
	id                    *identity.Identity
	engine                *control.Client
	pid                   int // of its process
}

// siege is a circle of a victim, an honest device that shares a folder with it,
// and a third whose key is in bad hands.
type siege struct {
	t      *testing.T
	ctx    context.Context
	victim *fort
	honest *fort
	key    *identity.Identity
	folder tree.FolderID
	saves  int
	before map[string]string // what must never change
	self   tree.ReplicaID    // the rogue's
	seq    uint64
	rows   int

	r        *hostile.Rogue
	mu       sync.Mutex // guards contents: lanes answer while the story goes on
	contents map[tree.ContentID][]byte
}

const hostilePatience = time.Minute

func newFort(t *testing.T, root, name string) *fort {
	t.Helper()
	h := &fort{name: name, root: filepath.Join(root, name)}
	h.dir = filepath.Join(h.root, "docs")
	if err := os.MkdirAll(h.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(h.home(), 0o700); err != nil {
		t.Fatal(err)
	}
	var err error
	if h.id, _, err = identity.Open(h.home(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	conn, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	h.addr = conn.LocalAddr().String()
	_ = conn.Close() // the engine takes it
	return h
}

func (h *fort) home() string { return filepath.Join(h.root, "home") }

// pairUp writes the circle of all into the homes of houses, as pairing would.
func pairUp(t *testing.T, houses []*fort, rogue *identity.Identity) {
	t.Helper()
	ids := []*identity.Identity{rogue}
	for _, h := range houses {
		ids = append(ids, h.id)
	}
	var all [][]byte
	for i, id := range ids {
		c, err := circle.New(id.Device())
		if err != nil {
			t.Fatal(err)
		}
		for _, other := range ids {
			if other != id {
				if err := c.Endorse(id, other.PublicKey()); err != nil {
					t.Fatal(err)
				}
			}
		}
		name, addrs := "rogue", []string(nil)
		if i > 0 {
			name, addrs = houses[i-1].name, []string{houses[i-1].addr}
		}
		if _, err := c.SetAbout(id, name, addrs, 1); err != nil {
			t.Fatal(err)
		}
		all = append(all, c.Statements()...)
	}
	for _, h := range houses {
		c, err := circle.New(h.id.Device())
		if err != nil {
			t.Fatal(err)
		}
		if _, rejected := c.Merge(all); len(rejected) > 0 {
			t.Fatal(rejected)
		}
		b, err := c.Bytes()
		if err == nil {
			err = os.WriteFile(filepath.Join(h.home(), "circle"), b, 0o600)
		}
		no := false
		if err == nil {
			err = config.Save(h.home(), config.Config{Name: h.name, LAN: &no})
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// start runs the engine: in this process, or in one of its own whose memory can
// be looked at.
func (h *fort) start(t *testing.T, child bool, flags ...string) {
	t.Helper()
	if child {
		args := append([]string{"--daemon", "--home", h.home(), "--listen", h.addr, "--log-level", "warn"}, flags...)
		cmd := exec.Command("pinion", args...)
		cmd.Stderr = &logWriter{t: t, name: h.name}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		h.pid = cmd.Process.Pid
		t.Cleanup(func() {
			_ = cmd.Process.Signal(os.Interrupt)
			if err := cmd.Wait(); err != nil {
				t.Errorf("%s ended with %v", h.name, err)
			}
		})
	} else {
		ctx, cancel := context.WithCancel(context.Background())
		ended := make(chan error, 1)
		go func() {
			ended <- runDaemon(ctx, daemonOptions{Home: h.home(), Listen: h.addr, LogLevel: "error"}, io.Discard, &logWriter{t: t, name: h.name})
		}()
		t.Cleanup(func() {
			cancel()
			if err := <-ended; err != nil {
				t.Errorf("%s ended with %v", h.name, err)
			}
		})
	}
	socket := filepath.Join(h.home(), controlSocket)
	h.engine = control.Dial(h.home(), func(ctx context.Context) (net.Conn, error) { return dialEngine(ctx, socket) })
	t.Cleanup(h.engine.Close)
	h.until(t, "its engine runs", func() bool { _, err := h.engine.Status(t.Context(), 0); return err == nil })
}

// logWriter hands an engine's warnings to the test's log, up to some.
type logWriter struct {
	t    *testing.T
	name string
	n    int
}

func (w *logWriter) Write(b []byte) (int, error) {
	if w.n += len(b); w.n < 64<<10 && os.Getenv("PINION_HOSTILE_LOG") != "" {
		fmt.Fprintf(os.Stderr, "%s: %s", w.name, b)
	}
	return len(b), nil
}

func (h *fort) until(t *testing.T, what string, cond func() bool) {
	t.Helper()
	for end := time.Now().Add(hostilePatience); !cond(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			s, err := h.engine.Status(t.Context(), 0)
			t.Fatalf("%s: never so: %s\n%+v %v", h.name, what, s.Folders, err)
		}
	}
}

func (h *fort) status(t *testing.T) status.State {
	t.Helper()
	s, err := h.engine.Status(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// precious is how many files stand in the folder before the siege begins.
const precious = 60

func besiege(t *testing.T, child bool, flags ...string) *siege {
	t.Helper()
	root := t.TempDir()
	x := &siege{t: t, ctx: t.Context(), victim: newFort(t, root, "victim"), honest: newFort(t, root, "honest")}
	var err error
	if x.key, err = identity.New(rand.Reader); err != nil {
		t.Fatal(err)
	}
	pairUp(t, []*fort{x.victim, x.honest}, x.key)
	for i := range precious {
		name := filepath.Join(x.victim.dir, "keep", fmt.Sprintf("%02d.txt", i))
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, fmt.Appendf(nil, "precious %d", i), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(x.victim.root, "secret"), []byte("not yours"), 0o600); err != nil {
		t.Fatal(err)
	}
	if child {
		if err := os.WriteFile(filepath.Join(x.victim.dir, "big.bin"), noise(bigSize), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	x.victim.start(t, child, flags...)
	x.honest.start(t, child)
	f, err := x.victim.engine.AddFolder(t.Context(), control.AddFolder{Path: x.victim.dir})
	if err != nil {
		t.Fatal(err)
	}
	x.folder = f.ID
	x.honest.until(t, "the folder is offered", func() bool { return len(x.honest.status(t).Offers) == 1 })
	if _, err := x.honest.engine.Accept(t.Context(), control.Accept{Folder: f.ID.String(), Path: x.honest.dir}); err != nil {
		t.Fatal(err)
	}
	x.honest.until(t, "it has all", func() bool {
		list, _ := os.ReadDir(filepath.Join(x.honest.dir, "keep"))
		return len(list) == precious
	})
	x.before = x.photograph()
	return x
}

// bigSize is the size of a file whose content does not pack.
const bigSize = 32 << 20

func noise(n int) []byte {
	b := make([]byte, n)
	_, _ = mathrand.NewChaCha8([32]byte{7}).Read(b) // never fails
	return b
}

// photograph reads what no peer may touch: all beside the folder, our own
// directory's marker, and the files that were there before.
func (x *siege) photograph() map[string]string {
	x.t.Helper()
	seen := map[string]string{}
	read := func(name string) {
		b, err := os.ReadFile(name)
		if err != nil {
			x.t.Fatal(err)
		}
		seen[name] = string(b)
	}
	for _, h := range []*fort{x.victim, x.honest} {
		read(filepath.Join(h.dir, ".pinion", "folder.toml"))
		read(filepath.Join(h.home(), "device.key"))
		for i := range precious {
			read(filepath.Join(h.dir, "keep", fmt.Sprintf("%02d.txt", i)))
		}
		list, err := os.ReadDir(h.root)
		if err != nil {
			x.t.Fatal(err)
		}
		for _, e := range list {
			seen[filepath.Join(h.root, e.Name())] += "stands"
		}
	}
	read(filepath.Join(x.victim.root, "secret"))
	up := filepath.Dir(x.victim.root)
	list, err := os.ReadDir(up)
	if err != nil {
		x.t.Fatal(err)
	}
	for _, e := range list {
		seen[filepath.Join(up, e.Name())] += "stands"
	}
	return seen
}

// unharmed fails if anything that was there is gone or other, or anything came
// to stand beside the folder.
func (x *siege) unharmed() {
	x.t.Helper()
	now := x.photograph()
	for name, text := range x.before {
		if now[name] != text {
			x.t.Errorf("%s was %q and is %q", name, text, now[name])
		}
	}
	for name := range now {
		if _, had := x.before[name]; !had {
			x.t.Errorf("%s has come", name)
		}
	}
}

// crosses has a save go from the victim to the honest device and another back.
func (x *siege) crosses() {
	x.t.Helper()
	x.saves++
	for _, way := range [][2]*fort{{x.victim, x.honest}, {x.honest, x.victim}} {
		name := fmt.Sprintf("save-by-%s.txt", way[0].name)
		text := fmt.Appendf(nil, "save %d by %s", x.saves, way[0].name)
		if err := os.WriteFile(filepath.Join(way[0].dir, name), text, 0o644); err != nil {
			x.t.Fatal(err)
		}
		way[1].until(x.t, name+" has crossed", func() bool {
			b, err := os.ReadFile(filepath.Join(way[1].dir, name))
			return err == nil && bytes.Equal(b, text)
		})
	}
}

// enter opens a session as a device of the circle and enters the folder; what is
// asked for is answered as an honest device would, unless r.Answer is replaced.
func (x *siege) enter(change ...func(*hostile.Rogue)) {
	x.t.Helper()
	x.dial()
	x.r.Answer = x.honestly
	for _, fn := range change {
		fn(x.r)
	}
	ctx, cancel := context.WithTimeout(x.ctx, hostilePatience)
	defer cancel()
	if err := x.r.Enter(ctx, x.folder, tree.Position{Replica: x.self, Epoch: 1}); err != nil {
		x.t.Fatalf("enter: %v", err)
	}
}

// dial connects, as a new replica whose history begins.
func (x *siege) dial() {
	x.t.Helper()
	ctx, cancel := context.WithTimeout(x.ctx, hostilePatience)
	defer cancel()
	var b [8]byte
	if _, err := rand.Read(b[:]); err != nil {
		x.t.Fatal(err)
	}
	x.self, x.seq = tree.ReplicaID(uint64(b[0])|uint64(b[1])<<8|uint64(b[2])<<16|uint64(b[3])<<24|1<<40), 0
	x.mu.Lock() // the last one may still be answering
	x.contents = map[tree.ContentID][]byte{}
	x.mu.Unlock()
	r, err := hostile.Dial(ctx, x.key, x.victim.id.Device(), x.victim.addr)
	if err != nil {
		x.t.Fatal(err)
	}
	x.r = r
}

// honestly answers a request from x.contents.
func (x *siege) honestly(w io.Writer, q hostile.Request) error {
	if q.Manifest != nil {
		_, err := w.Write(hostile.Frame(wire.TypeManifestPart, hostile.Part(hostile.Last|hostile.Gone, 0, 0, nil)))
		return err
	}
	for i, want := range q.Wants {
		x.mu.Lock()
		data, ok := x.contents[want.Content]
		x.mu.Unlock()
		flags := byte(hostile.Last)
		if !ok {
			flags |= hostile.Gone
		}
		for off := 0; off < len(data); off += wire.MaxPiece {
			piece := data[off:min(off+wire.MaxPiece, len(data))]
			if _, err := w.Write(hostile.Frame(wire.TypePiece, hostile.Piece(uint64(i), 0, uint64(off), piece))); err != nil {
				return err
			}
		}
		if _, err := w.Write(hostile.Frame(wire.TypePiece, hostile.Piece(uint64(i), flags, 0, nil))); err != nil {
			return err
		}
	}
	return nil
}

// file is a row that says that content stands at path; the content can be had.
func (x *siege) file(path, content string) tree.Entry {
	x.rows++
	id := chunk.Sum([]byte(content))
	x.mu.Lock()
	x.contents[id] = []byte(content)
	x.mu.Unlock()
	return tree.Entry{
		Path: tree.Path(path), Kind: tree.File, Size: int64(len(content)), MTime: int64(1e18) + int64(x.rows), Mode: 0o644, Content: id,
		Version: tree.Version{{Replica: x.self, N: uint64(x.rows)}}, Author: x.self,
	}
}

// batch is the next one of the rogue's history.
func (x *siege) batch(entries ...tree.Entry) hostile.Batch {
	b := hostile.Batch{
		Replicas: []tree.Replica{{ID: x.self, Device: x.key.Device(), Name: "rogue"}},
		Entries:  entries, After: x.seq, Upto: tree.Position{Replica: x.self, Epoch: 1, Seq: x.seq + uint64(len(entries))},
	}
	x.seq += uint64(len(entries))
	return b
}

// tell sends bytes on a new index stream. That the victim stops listening in the
// middle is to be expected.
func (x *siege) tell(frames ...[]byte) {
	x.t.Helper()
	str, err := x.r.Index(x.folder)
	if err != nil {
		if x.r.End() == nil {
			x.t.Fatal(err)
		}
		return
	}
	for _, f := range frames {
		if _, err := str.Write(f); err != nil {
			return
		}
	}
	_ = str.Close()
}

func (x *siege) say(b []byte) { _, _ = x.r.Control.Write(b) }

// arrives waits until a file stands in the victim's folder and in the honest
// device's.
func (x *siege) arrives(path, content string) {
	x.t.Helper()
	for _, h := range []*fort{x.victim, x.honest} {
		h.until(x.t, path+" has come", func() bool {
			b, err := os.ReadFile(filepath.Join(h.dir, filepath.FromSlash(path)))
			return err == nil && string(b) == content
		})
	}
}

// absent fails if anything stands at a path of the victim's folder.
func (x *siege) absent(path string) {
	x.t.Helper()
	if _, err := os.Lstat(filepath.Join(x.victim.dir, filepath.FromSlash(path))); err == nil {
		x.t.Errorf("%s stands there", path)
	}
}

// problem waits until the victim's status has a problem with these words.
func (x *siege) problem(words string) {
	x.t.Helper()
	x.victim.until(x.t, "a problem: "+words, func() bool {
		return slices.ContainsFunc(x.victim.status(x.t).Folders[0].Problems, func(p status.Problem) bool {
			return strings.Contains(p.Path+": "+p.Error, words)
		})
	})
}

// thrownOut waits for the end of the session and checks with which words it came.
func (x *siege) thrownOut(want string) string {
	x.t.Helper()
	select {
	case <-x.r.Conn.Context().Done():
	case <-time.After(2 * hostilePatience):
		x.t.Fatal("its session goes on")
	}
	code, words, _ := x.r.Told()
	got := fmt.Sprintf("%v: %s", code, words)
	if code == wire.Internal { // what failed there is its own affair; its person is told
		x.victim.until(x.t, "the victim says why", func() bool { return strings.Contains(x.reason(), want) })
		got = x.reason()
	}
	if !strings.Contains(got, want) {
		x.t.Errorf("it was told %q, and not %q", got, want)
	}
	return got
}

// reason is why the victim says that the rogue's session ended.
func (x *siege) reason() string {
	for _, d := range x.victim.status(x.t).Devices {
		if d.ID == x.key.Device() {
			return d.Error
		}
	}
	return ""
}

// attack is one thing that a rogue does. It says what became of it.
type attack struct {
	name  string
	heavy bool
	do    func(x *siege) string
}

// refused is an attack for which the session ends with the words.
func refused(name, words string, frames func(x *siege) [][]byte) attack {
	return attack{name: name, do: func(x *siege) string {
		x.enter()
		x.tell(frames(x)...)
		return x.thrownOut(words)
	}}
}

// storm plays attacks one after the other against one victim, and looks after
// each whether all is well. It gives a table.
func storm(t *testing.T, x *siege, attacks []attack, most int64) []string {
	var table []string
	for i, a := range attacks {
		t.Run(a.name, func(t *testing.T) {
			outer, outerCtx := x.t, x.ctx
			x.t, x.ctx = t, t.Context()
			defer func() { x.t, x.ctx = outer, outerCtx }()
			goroutines := runtime.NumGoroutine()
			began := measure(x.victim.pid)
			said := a.do(x)
			if most > 0 || i%12 == 0 || i == len(attacks)-1 { // a save takes a quarter of a second both ways
				x.crosses()
			}
			x.unharmed()
			if x.r != nil {
				x.r.Close()
			}
			if x.victim.pid == 0 {
				settled(t, goroutines)
			}
			peak := measure(x.victim.pid)
			grown := peak.peak - began.now
			if most > 0 && grown > most {
				t.Errorf("its memory grew by %d MiB", grown>>20)
			}
			table = append(table, fmt.Sprintf("%-46s %5d MiB %+5d MiB %6.1f s  %s", a.name, peak.peak>>20, grown>>20, (peak.cpu-began.cpu).Seconds(), said))
			if x.victim.pid != 0 {
				fmt.Println(table[len(table)-1])
			}
		})
	}
	return table
}

// settled waits until there are about as many goroutines as there were.
func settled(t *testing.T, before int) {
	t.Helper()
	for end := time.Now().Add(hostilePatience); runtime.NumGoroutine() > before+8; time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			buf := make([]byte, 1<<16)
			t.Fatalf("%d goroutines became %d\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
		}
	}
}

type usage struct {
	peak, now int64
	cpu       time.Duration
}

// measure reads what a process needed, and begins to measure its peak anew. It
// knows Linux only; elsewhere all is zero.
func measure(pid int) (u usage) {
	if pid == 0 || runtime.GOOS != "linux" {
		return u
	}
	proc := fmt.Sprintf("/proc/%d/", pid)
	b, err := os.ReadFile(proc + "status")
	if err != nil {
		return u
	}
	for line := range strings.Lines(string(b)) {
		f := strings.Fields(line)
		if len(f) == 3 && (f[0] == "VmHWM:" || f[0] == "VmRSS:") {
			n, _ := strconv.ParseInt(f[1], 10, 64)
			if f[0] == "VmHWM:" {
				u.peak = n << 10
			} else {
				u.now = n << 10
			}
		}
	}
	if b, err = os.ReadFile(proc + "stat"); err == nil {
		if f := strings.Fields(string(b[bytes.LastIndexByte(b, ')')+1:])); len(f) > 12 {
			user, _ := strconv.ParseInt(f[11], 10, 64)
			system, _ := strconv.ParseInt(f[12], 10, 64)
			u.cpu = time.Duration(user+system) * 10 * time.Millisecond
		}
	}
	_ = os.WriteFile(proc+"clear_refs", []byte("5"), 0) // the peak begins anew
	return u
}

// count is how many files stand below a directory of the victim's folder, our own
// directory aside.
func (x *siege) count(dir string) (n int) {
	_ = filepath.WalkDir(filepath.Join(x.victim.dir, dir), func(_ string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
		case d.IsDir() && d.Name() == ".pinion":
			return fs.SkipDir
		case d.Type().IsRegular():
			n++
		}
		return nil
	})
	return n
}

// sorted gives a version its form.
func sorted(v tree.Version) tree.Version {
	slices.SortFunc(v, func(a, b tree.Stamp) int { return cmp.Compare(a.Replica, b.Replica) })
	return v
}

// writeOver writes a file as an editor does.
func writeOver(path, text string) error { return os.WriteFile(path, []byte(text), 0o644) }

func newKey() (*identity.Identity, error) { return identity.New(rand.Reader) }
