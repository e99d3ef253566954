package sim

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"hash"

	"pinion/engine"
	"pinion/engine/config"
	"pinion/engine/enginetest/memdisk"
	"pinion/engine/folder"
	"pinion/engine/tree"
	"pinion/platform/drive"
	"pinion/platform/watch"
)

var folderID = tree.FolderID{1, 2, 3}

const folderName = "world"

// world is some devices that share one folder.
type world struct {
	seed     uint64
	dir      string // for the indexes
	gates    gates
	devices  []*device
	links    map[[2]int]*link
	cut      map[[2]int]bool
	messages atomic.Int64
	batches  atomic.Int64 // that told something
	began    time.Time
	lives    int

	trace   hash.Hash64 // of all that happened
	strict  bool
	sly     bool
	verbose bool       // all is written down
	inWords bool       // what persons and the weather do is
	mu      sync.Mutex // guards text and stamps
	text    bytes.Buffer
	stamps  map[string]stamp

	contents map[string]*content
	faults   []string // laws that were broken

	stampFaults []string // guarded by mu
}

// device is one of them, whether it runs or not.
type device struct {
	w       *world
	n       int
	name    string
	id      tree.DeviceID
	disk    *memdisk.Disk
	skew    atomic.Int64
	life    *life         // nil: it does not run
	last    chan struct{} // closed when nothing runs of the life before
	index   string
	backups []string
	editors []*memdisk.Editor
	mended  bool // what could not be read can be since, and was not looked at again for it
}

// life is a device from its start to its end.
type life struct {
	d      *device
	engine *engine.Engine
	cancel context.CancelFunc
	died   chan struct{} // closed by a crash
	over   chan struct{} // closed when nothing of it runs
}

func (l *life) dead() bool {
	select {
	case <-l.died:
		return true
	default:
		return false
	}
}

// seeded gives random bytes; of a mutex, since engines read from several goroutines.
type seeded struct {
	mu sync.Mutex
	r  *rand.ChaCha8
}

func (s *seeded) Read(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.r.Read(p)
}

func newSeeded(seed uint64, words ...uint64) io.Reader {
	return &seeded{r: rand.NewChaCha8(key(seed, words...))}
}

// key makes a key of some numbers.
func key(seed uint64, words ...uint64) [32]byte {
	b := binary.LittleEndian.AppendUint64(nil, seed)
	for _, w := range words {
		b = binary.LittleEndian.AppendUint64(b, w)
	}
	return sha256.Sum256(b)
}

func newWorld(seed uint64, dir string, o Options) *world {
	return &world{
		seed: seed, dir: dir, links: map[[2]int]*link{}, cut: map[[2]int]bool{}, trace: fnv.New64a(), verbose: o.Verbose, strict: o.Strict, sly: o.Sly, inWords: o.Words || o.Verbose,
		stamps: map[string]stamp{}, contents: map[string]*content{}, began: time.Now(),
	}
}

// names of the devices.
var names = [...]string{"laptop", "pi", "attic", "desk", "shed"}

// add makes a device with an empty disk.
func (w *world) add(o memdisk.Options) error {
	n := len(w.devices)
	d := &device{w: w, n: n, name: names[n], id: sha256.Sum256([]byte(names[n]))}
	o.Now = d.now
	d.disk = memdisk.New("/"+d.name, o)
	marker, err := folder.MarkerText(folderID, d.id, d.now())
	if err != nil {
		return err
	}
	for _, dir := range []string{tree.Private, tree.Private + "/tmp", tree.Private + "/archive"} {
		if err := d.disk.Mkdir(dir); err != nil {
			return err
		}
	}
	if err := d.disk.Write(tree.Private+"/folder.toml", marker); err != nil {
		return err
	}
	d.disk.Flush()
	d.index, d.last = d.newHome(), make(chan struct{})
	close(d.last)
	w.devices = append(w.devices, d)
	return nil
}

func (d *device) now() time.Time { return time.Now().Add(time.Duration(d.skew.Load())) }

// space is what the device's system says of the room on its disk. Every other
// system does not know that the disk is full until it is written to.
func (d *device) space() drive.Space {
	s := drive.Space{Free: 1 << 40, Total: 1 << 41}
	if d.n%2 == 0 {
		s.Free = uint64(d.disk.Free())
	}
	return s
}

// newHome names a directory for an index.
func (d *device) newHome() string {
	d.w.lives++
	return filepath.Join(d.w.dir, fmt.Sprintf("%d-%s", d.w.lives, d.name))
}

func (d *device) indexFile(home string) string {
	return filepath.Join(home, "folders", folderID.String()+".db")
}

// saveIndex copies the index as a power cut at this moment would leave it.
func (d *device) saveIndex() (home string, err error) {
	home = d.newHome()
	if err := os.MkdirAll(filepath.Join(home, "folders"), 0o700); err != nil {
		return "", err
	}
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(d.indexFile(d.index) + suffix)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(d.indexFile(home)+suffix, b, 0o600); err != nil {
			return "", err
		}
	}
	return home, nil
}

// start lets a device run that does not.
func (w *world) start(d *device) error {
	if err := os.MkdirAll(filepath.Join(d.index, "folders"), 0o700); err != nil {
		return err
	}
	w.lives++
	l := &life{d: d, died: make(chan struct{}), over: make(chan struct{})}
	gate := memdisk.Gate{
		Pass: func(op, path string) error { return w.gates.wait(context.Background(), l, d.name, op, path) },
		Alive: func() error {
			if l.dead() {
				return errDead
			}
			return nil
		},
	}
	disk := d.disk
	log := slog.New(slog.DiscardHandler)
	if w.verbose {
		log = slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug})).With("device", d.name)
	}
	l.engine = engine.New(engine.Options{
		Home: d.index, Device: d.id, Version: "sim", Network: network{d}, Now: d.now, Rand: newSeeded(w.seed, 1, uint64(d.n), uint64(w.lives)), Log: log,
		Config: config.Config{Name: d.name, Folders: []config.Folder{{ID: folderID, Name: folderName, Path: "/" + d.name, State: "home"}}},
		Limits: folder.Limits{CacheKiB: 256, Units: 64, GroupFiles: 8, Along: 1},
		Machine: folder.Machine{
			OpenDisk: func(string) (folder.Disk, error) { return disk.Open(gate), nil },
			Watch:    func(string, watch.Options) (folder.Watcher, error) { return disk.Watch(gate), nil },
			Space:    func(string) (drive.Space, error) { return d.space(), nil },
		},
	})
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	d.life, d.last = l, l.over
	l.engine.Start(ctx)
	go func() {
		defer close(l.over)
		_ = l.engine.Run(ctx) // ends with ctx only
	}()
	for _, o := range w.devices {
		w.connect(d, o)
	}
	return nil
}

func pair(a, b *device) [2]int { return [2]int{min(a.n, b.n), max(a.n, b.n)} }

// connect makes a link between two devices if both run and nothing keeps them apart.
func (w *world) connect(a, b *device) {
	p := pair(a, b)
	if a == b || w.cut[p] || w.links[p] != nil || a.life == nil || b.life == nil {
		return
	}
	if a.n > b.n {
		a, b = b, a
	}
	l := newLink(w, a.life, b.life)
	w.links[p] = l
	go l.run()
}

func (w *world) disconnect(a, b *device) {
	p := pair(a, b)
	if l := w.links[p]; l != nil {
		l.cancel(nil)
		delete(w.links, p)
	}
}

// reconnect makes the links again that broke by themselves. It gives why.
func (w *world) reconnect() {
	for i, a := range w.devices {
		for _, b := range w.devices[:i] {
			l := w.links[pair(a, b)]
			if l == nil {
				w.connect(a, b)
				continue
			}
			select {
			case <-l.over:
				w.fault("a session of %s and %s broke: %v", b.name, a.name, context.Cause(l.ctx))
				delete(w.links, pair(a, b))
				w.connect(a, b)
			default:
			}
		}
	}
}

// leave ends a life as SIGTERM does; over is closed later.
func (w *world) leave(d *device) *life {
	l := d.life
	if l == nil {
		return nil
	}
	d.life = nil
	l.cancel()
	for _, o := range w.devices {
		w.disconnect(d, o)
	}
	return l
}

// crash ends a life at this instant: with the power, or only the process.
func (w *world) crash(d *device, power bool, r *rand.Rand) error {
	if d.life == nil {
		return nil
	}
	home, err := d.saveIndex()
	if err != nil {
		return err
	}
	d.index = home
	close(d.life.died)
	w.leave(d)
	if power {
		before := w.instances(d)
		d.disk = d.disk.Crash(r)
		d.editors = nil
		w.afterPowerCut(d, before)
	}
	return nil
}

// Write takes what engines log.
func (w *world) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.text.Write(p)
}

// log notes what happens, in words.
func (w *world) log(format string, args ...any) {
	if w.inWords {
		fmt.Fprintf(w, "%10.3f %s\n", time.Since(w.began).Seconds(), fmt.Sprintf(format, args...))
	}
}

// mark adds to the trace by which two runs of a seed are compared.
func (w *world) mark(what string) {
	io.WriteString(w.trace, what)
	binary.Write(w.trace, binary.LittleEndian, int64(time.Since(w.began)))
	if w.verbose {
		w.log("%s", what)
	}
}

func (w *world) fault(format string, args ...any) {
	f := fmt.Sprintf(format, args...)
	w.log("FAULT %s", f)
	if len(w.faults) < 20 {
		w.faults = append(w.faults, f)
	}
}
