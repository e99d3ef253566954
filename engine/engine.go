package engine

import (
	"context"
	"io"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine/config"
	"pinion/engine/folder"
	"pinion/engine/policy"
	"pinion/engine/status"
	"pinion/engine/tree"
)

// Options are what an Engine is made of.
type Options struct {
	Home    string
	Config  config.Config
	Device  tree.DeviceID
	Version string
	Network Network
	Now     func() time.Time
	Rand    io.Reader
	Log     *slog.Logger
	Limits  folder.Limits
	Machine folder.Machine
	Notes   []string // sentences to show with the state
	// Throttle is told the limits that hold from now on; nil: there are none.
	Throttle func(policy.Limits)
	// Rested is called some seconds after much work has ended; nil: nobody wants to know.
	Rested func()
}

// Engine runs all folders of a device.
type Engine struct {
	o     Options
	log   *slog.Logger
	board status.Board
	dirty chan struct{} // of length 1: the state may have changed
	ctx   context.Context
	name  atomic.Pointer[string] // of this device; folders ask for it while e.mu is held

	mu        sync.Mutex
	cfg       config.Config
	running   map[tree.FolderID]*running
	sessions  map[tree.DeviceID]*member
	told      map[tree.DeviceID]told // what was last offered to whom
	storeNote string                 // why an offered folder was not taken
	ruling    ruling
	group     sync.WaitGroup

	restores restores
}

type running struct {
	*folder.Folder
	end  context.CancelFunc
	over chan struct{}
}

// member is a connected device.
type member struct {
	session Session
	offers  []tree.Offer
}

// New makes an Engine; Run brings it to life.
func New(o Options) *Engine {
	e := &Engine{
		o: o, log: o.Log, cfg: o.Config, dirty: make(chan struct{}, 1), ctx: context.Background(),
		running: map[tree.FolderID]*running{}, sessions: map[tree.DeviceID]*member{}, told: map[tree.DeviceID]told{},
	}
	e.ruling.facts.Charge = -1
	e.name.Store(&e.cfg.Name)
	return e
}

// Start opens the folders of the configuration. It is called once, before the
// network may call in; what it starts ends with ctx.
func (e *Engine) Start(ctx context.Context) {
	e.ctx = ctx
	e.govern()
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range e.cfg.Folders {
		e.startLocked(f)
	}
	e.applyAddressesLocked()
}

// Run shows the state until ctx ends, and returns when all folders are closed.
func (e *Engine) Run(ctx context.Context) error {
	e.changed()
	e.show(ctx)
	e.group.Wait()
	return nil
}

// startLocked starts one folder; e.mu is held.
func (e *Engine) startLocked(c config.Folder) *running {
	ctx, cancel := context.WithCancel(e.ctx)
	cfg := folder.Config{
		ID: c.ID, Name: c.Name, Path: c.Path, Mode: folder.Mode(c.Mode), Device: e.o.Device, DeviceName: e.cfg.Name,
		ScanEvery: time.Duration(c.ScanEvery), Merge: c.Merge == "auto", Limits: e.o.Limits, Machine: e.o.Machine,
		Keep: time.Duration(c.KeepDays) * 24 * time.Hour, KeepBytes: int64(c.KeepBytes), Reserve: int64(c.Reserve), Now: e.o.Now, Rand: e.o.Rand, Log: e.log,
		NoAttributes: c.Attributes != nil && !*c.Attributes, Owner: c.Owner,
		NameOf: e.nameOf, Changed: e.changed, Members: e.memberIDs,
	}
	if c.State == "home" {
		cfg.IndexFile = e.indexFile(c.ID)
	}
	r := &running{Folder: folder.New(cfg), end: cancel, over: make(chan struct{})}
	e.running[c.ID] = r
	r.SetSmall(e.smallLocked())
	r.SetPaused(e.pauseOfLocked(c))
	e.group.Go(func() {
		defer close(r.over)
		_ = r.Run(ctx) // ends with ctx only
	})
	return r
}

// indexFile is where the index of a folder lives that does not bear one itself.
func (e *Engine) indexFile(id tree.FolderID) string {
	return filepath.Join(e.o.Home, "folders", id.String()+".db")
}

// stop closes a folder and returns when nothing of it runs.
func (e *Engine) stop(r *running) {
	r.end()
	<-r.over
}

// folder gives the folder of an id, or nil.
func (e *Engine) folder(id tree.FolderID) *folder.Folder {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.running[id]; r != nil {
		return r.Folder
	}
	return nil
}

// listLocked lists the folders in the order of the configuration; e.mu is held.
func (e *Engine) listLocked() []*folder.Folder {
	out := make([]*folder.Folder, 0, len(e.cfg.Folders))
	for _, c := range e.cfg.Folders {
		if r := e.running[c.ID]; r != nil {
			out = append(out, r.Folder)
		}
	}
	return out
}

func (e *Engine) list() []*folder.Folder {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.listLocked()
}

// saveLocked writes the configuration; e.mu is held.
func (e *Engine) saveLocked() error { return config.Save(e.o.Home, e.cfg) }

// nameOf gives the name of a device of the circle, or the beginning of its id.
func (e *Engine) nameOf(dev tree.DeviceID) string {
	if dev == e.o.Device {
		return *e.name.Load()
	}
	for _, m := range e.o.Network.Members() {
		if m.ID == dev && m.Name != "" {
			return m.Name
		}
	}
	return dev.Short()
}

func (e *Engine) memberIDs() []tree.DeviceID {
	var out []tree.DeviceID
	for _, m := range e.o.Network.Members() {
		out = append(out, m.ID)
	}
	return out
}
