package enginetest

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pinion/engine"
	"pinion/engine/config"
	"pinion/engine/folder"
	"pinion/engine/tree"
)

// World is some devices that belong to one person.
type World struct {
	t        testing.TB
	dir      string
	messages atomic.Int64 // that went through the network
	trail    *trail

	mu      sync.Mutex
	devices map[string]*Device
	order   []string
	links   map[pair]*link
	cut     map[pair]bool
	broken  []error // why sessions ended that nobody cut
	ending  bool
	wg      sync.WaitGroup // of what mends broken sessions
}

// Device is one of them, whether its engine runs or not.
type Device struct {
	Name string
	ID   tree.DeviceID
	Home string
	Dir  string // its folders are below
	// Tune may change what its engine is made of, at its next start.
	Tune func(*engine.Options)

	w      *World
	gate   gate
	served atomic.Int64

	// guarded by w.mu
	name   string // as the circle knows it
	engine *engine.Engine
	end    context.CancelFunc
	over   chan struct{}
}

type pair [2]string

func pairOf(a, b string) pair {
	if b < a {
		a, b = b, a
	}
	return pair{a, b}
}

// New makes a world of running devices, all connected with each other.
func New(t testing.TB, names ...string) *World {
	t.Helper()
	w := &World{
		t: t, dir: t.TempDir(), trail: &trail{}, devices: map[string]*Device{}, links: map[pair]*link{}, cut: map[pair]bool{},
	}
	for _, name := range names {
		d := &Device{Name: name, ID: sha256.Sum256([]byte(name)), Home: filepath.Join(w.dir, name, ".home"), Dir: filepath.Join(w.dir, name), w: w, name: name}
		w.devices[name] = d
		w.order = append(w.order, name)
		if err := os.MkdirAll(d.Home, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(w.close)
	for _, name := range names {
		w.Start(name)
	}
	return w
}

func (w *World) close() {
	w.mu.Lock()
	w.ending = true
	w.mu.Unlock()
	for _, name := range w.order {
		if w.running(name) {
			w.Stop(name)
		}
	}
	w.wg.Wait()
	if w.t.Failed() {
		w.t.Logf("what the engines logged:\n%s", w.trail.String())
	}
}

func (w *World) device(name string) *Device {
	w.t.Helper()
	d := w.devices[name]
	if d == nil {
		w.t.Fatalf("there is no device %q in this world", name)
	}
	return d
}

func (w *World) running(name string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.devices[name].engine != nil
}

// Device gives a device by its name.
func (w *World) Device(name string) *Device { return w.device(name) }

// Start starts the engines of devices from what they have on disk, and connects
// them.
func (w *World) Start(names ...string) {
	w.t.Helper()
	for _, name := range names {
		w.start(w.device(name))
	}
	for _, name := range names {
		w.connectAll(name)
	}
}

func (w *World) start(d *Device) {
	w.t.Helper()
	cfg, err := config.Load(d.Home)
	if errors.Is(err, fs.ErrNotExist) {
		cfg.Name, err = d.Name, config.Save(d.Home, config.Config{Name: d.Name})
	}
	if err != nil {
		w.t.Fatal(err)
	}
	log := slog.New(slog.NewTextHandler(w.trail, &slog.HandlerOptions{Level: slog.LevelDebug})).With("device", d.Name)
	o := engine.Options{
		Home: d.Home, Config: cfg, Device: d.ID, Version: "test", Network: &network{d}, Now: time.Now, Rand: rand.Reader, Log: log,
		Limits: folder.Limits{Settle: 200 * time.Millisecond, Stall: 3 * time.Second, Differs: 400 * time.Millisecond, CacheKiB: 512},
	}
	if d.Tune != nil {
		d.Tune(&o)
	}
	e := engine.New(o)
	ctx, cancel := context.WithCancel(context.Background())
	over := make(chan struct{})
	w.mu.Lock()
	if d.engine != nil {
		w.mu.Unlock()
		cancel()
		w.t.Fatalf("%s runs already", d.Name)
	}
	d.engine, d.end, d.over = e, cancel, over
	w.mu.Unlock()
	e.Start(ctx)
	go func() {
		defer close(over)
		_ = e.Run(ctx) // ends with ctx only
	}()
}

// Stop stops the engines of devices, as SIGTERM would.
func (w *World) Stop(names ...string) {
	w.t.Helper()
	for _, name := range names {
		d := w.device(name)
		w.mu.Lock()
		end, over := d.end, d.over
		d.engine = nil
		w.mu.Unlock()
		end()
		for _, other := range w.order {
			w.disconnect(pairOf(name, other))
		}
		select {
		case <-over:
		case <-time.After(patience):
			w.t.Errorf("%s does not stop", name)
			return
		}
	}
}

// Cut ends the connection of two devices, and keeps them apart.
func (w *World) Cut(a, b string) {
	w.mu.Lock()
	w.cut[pairOf(a, b)] = true
	w.mu.Unlock()
	w.disconnect(pairOf(a, b))
}

// Restore lets two devices connect again.
func (w *World) Restore(a, b string) {
	w.mu.Lock()
	delete(w.cut, pairOf(a, b))
	w.mu.Unlock()
	w.connect(a, b)
}

// Alone cuts a device off from all others; Together ends that.
func (w *World) Alone(name string) {
	for _, other := range w.order {
		if other != name {
			w.Cut(name, other)
		}
	}
}

func (w *World) Together(name string) {
	for _, other := range w.order {
		if other != name {
			w.Restore(name, other)
		}
	}
}

// Stall has a device stop in the middle of what it serves, once it has sent so
// many bytes more. Flow ends that.
func (w *World) Stall(name string, after int64) { w.device(name).gate.shut(after) }
func (w *World) Flow(name string)               { w.device(name).gate.open() }

// AwaitStalled waits until somebody is kept waiting by Stall.
func (w *World) AwaitStalled(name string) {
	w.t.Helper()
	w.Await(name+" to be stalled in the middle of a transfer", func() bool { return w.device(name).gate.waiting.Load() > 0 })
}

// Served is how many bytes of content a device has sent.
func (w *World) Served(name string) int64 { return w.device(name).served.Load() }

// Messages is how many messages, other than content, went through the network.
func (w *World) Messages() int64 { return w.messages.Load() }

// Broken lists why sessions ended that nobody had cut.
func (w *World) Broken() []error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.broken)
}

// trail keeps the end of what the engines log.
type trail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

const maxTrail = 256 << 10

func (l *trail) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.buf.Len() > 2*maxTrail {
		l.buf.Next(l.buf.Len() - maxTrail)
	}
	return l.buf.Write(p)
}

func (l *trail) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// SetStore makes a directory the store of a device that does not run.
func (w *World) SetStore(dev, dir string) {
	w.t.Helper()
	w.Configure(dev, func(c *config.Config) { c.Store = dir })
}

// Configure edits the configuration of a device that does not run.
func (w *World) Configure(dev string, change func(*config.Config)) {
	w.t.Helper()
	d := w.device(dev)
	cfg, err := config.Load(d.Home)
	w.must(err)
	change(&cfg)
	w.must(config.Save(d.Home, cfg))
}

// MakeStore makes a directory of a device that does not run its store.
func (w *World) MakeStore(dev, path string) {
	w.t.Helper()
	dir := w.Path(dev, path)
	w.must(engine.OpenStore(dir, false))
	w.SetStore(dev, dir)
}
