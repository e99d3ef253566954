package folder

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine/exchange"
	"pinion/engine/status"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// Mode says which way changes go.
type Mode string

const (
	TwoWay  Mode = "two-way"
	Send    Mode = "send"    // nothing of others is taken
	Receive Mode = "receive" // nothing of one's own is told
)

// Peer is a session with another device, as far as a folder needs it.
type Peer interface {
	exchange.Peer
	transfer.Source
}

// Limits bound what a folder costs. The zero value of a field means its default.
type Limits struct {
	Units      int           // paths being decided, fetched or applied at once; 3072
	GroupFiles int           // files in one durable group; 1024
	GroupBytes int64         // bytes in one durable group; 64 MiB
	CacheKiB   int           // the index's page cache; 4096
	Problems   int           // problems listed; 1000
	MaxInline  int64         // a changed file up to this size is read at once, larger ones beside; 8 MiB
	Stall      time.Duration // after which silence a peer is asked no more for what it was asked for; transfer's default
	Settle     time.Duration // how long many missing files must rest before they are judged; 1 s
	Archive    time.Duration // how long after the start the archive is looked through; 1 min
	Along      int           // how many files of one batch must have gone the same way for their directory to be taken for moved; 8
	Differs    time.Duration // how long a difference between devices that are level must stand, since what they say arrives a moment apart; 30 s
}

func (l Limits) withDefaults() Limits {
	def := Limits{Units: 3072, GroupFiles: 1024, GroupBytes: 64 << 20, CacheKiB: 4096, Problems: 1000, MaxInline: 8 << 20, Settle: time.Second, Along: 8, Differs: 30 * time.Second}
	if l.Units > 0 {
		def.Units = l.Units
	}
	if l.GroupFiles > 0 {
		def.GroupFiles = l.GroupFiles
	}
	if l.GroupBytes > 0 {
		def.GroupBytes = l.GroupBytes
	}
	if l.CacheKiB > 0 {
		def.CacheKiB = l.CacheKiB
	}
	if l.Problems > 0 {
		def.Problems = l.Problems
	}
	if l.MaxInline > 0 {
		def.MaxInline = l.MaxInline
	}
	if l.Settle > 0 {
		def.Settle = l.Settle
	}
	if def.Archive = time.Minute; l.Archive > 0 {
		def.Archive = l.Archive
	}
	if l.Differs > 0 {
		def.Differs = l.Differs
	}
	if l.Along > 0 {
		def.Along = l.Along
	}
	def.Stall = l.Stall
	return def
}

// Config is what a folder is told from outside.
type Config struct {
	ID         tree.FolderID
	Name       string
	Path       string // absolute
	Mode       Mode
	IndexFile  string // empty: in the folder's own directory
	Device     tree.DeviceID
	DeviceName string
	// NoAttributes: extended attributes and access control lists stay as they are
	// on this disk, and those of other devices in the index.
	NoAttributes bool
	Owner        bool          // owners are carried, too; only where the engine is root
	ScanEvery    time.Duration // the safety net; jittered by a quarter either way
	Merge        bool          // conflicts of text that merge cleanly are merged without asking
	Limits       Limits
	Machine      Machine
	Keep         time.Duration // how long what was replaced or deleted is kept; 0: 30 days, less: for ever
	KeepBytes    int64         // how much of it; 0: a quarter of the disk, less: no bound
	Reserve      int64         // how much of the disk is left free; 0: by the disk's size

	Now  func() time.Time
	Rand io.Reader
	Log  *slog.Logger
	// NameOf gives the name of a device of the circle.
	NameOf func(tree.DeviceID) string
	// Changed is called when what State gives may have changed, and when the
	// folder opens or closes for peers. It must not block.
	Changed func()
	// Members lists the other devices of the circle.
	Members func() []tree.DeviceID
}

// Folder is one folder on this device, whether its disk is there or not.
type Folder struct {
	cfg Config

	mu     sync.Mutex
	cycle  *cycle // nil while the folder is not open
	state  status.Folder
	paused *status.Pause
	small  small // what the loop was told last
	peers  map[tree.DeviceID]*link

	giving atomic.Int64 // small.most
}

// link is a peer that holds this folder, too, and has it open.
type link struct {
	peer Peer
	ctx  context.Context
	end  context.CancelFunc
}

// New makes a Folder; Run brings it to life.
func New(cfg Config) *Folder {
	cfg.Limits = cfg.Limits.withDefaults()
	if cfg.ScanEvery <= 0 {
		cfg.ScanEvery = time.Hour
	}
	if cfg.Mode == "" {
		cfg.Mode = TwoWay
	}
	f := &Folder{cfg: cfg, peers: map[tree.DeviceID]*link{}}
	f.state = status.Folder{
		ID: cfg.ID, Name: cfg.Name, Path: cfg.Path, Mode: string(cfg.Mode), State: status.Scanning,
		Problems: []status.Problem{}, Peers: []status.FolderPeer{}, Progress: status.Progress{ETA: -1},
	}
	return f
}

// ID, Name and Path are those of the Config.
func (f *Folder) ID() tree.FolderID { return f.cfg.ID }
func (f *Folder) Name() string      { return f.cfg.Name }
func (f *Folder) Path() string      { return f.cfg.Path }

// State is what the folder last said of itself.
func (f *Folder) State() status.Folder {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state
}

// Open says whether the folder takes part in the exchange with peers now: its
// disk is there and it is not paused.
func (f *Folder) Open() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cycle != nil && f.paused == nil
}

// recheck is how often a missing folder is looked for.
const recheck = 5 * time.Second

// Run keeps the folder open while its disk is there. It returns nil when ctx
// ends, and never for another reason.
func (f *Folder) Run(ctx context.Context) error {
	wait := recheck
	for {
		err := f.runOnce(ctx)
		if ctx.Err() != nil {
			return nil
		}
		state, reason, ready := status.Error, err.Error(), func() bool { return false }
		switch {
		case errors.Is(err, ErrMissing):
			state, wait, ready = status.Missing, recheck, func() bool { return f.checkMarker() == nil }
		case isFull(err):
			state, wait, ready = status.Full, longest, f.roomy
			reason = f.fullReason()
		default:
			wait = min(2*wait, longest)
		}
		f.cfg.Log.Warn("folder is not open", "folder", f.cfg.Name, "err", err)
		f.say(func(s *status.Folder) {
			s.State, s.Reason = state, reason
			s.Peers, s.Moving, s.Progress = []status.FolderPeer{}, nil, status.Progress{ETA: -1}
		})
		f.await(ctx, wait, ready, state == status.Missing)
	}
}

// longest is how long it takes at most until a folder is tried again.
const longest = 5 * time.Minute

// await waits, and looks meanwhile whether the folder is ready to be tried again;
// a missing one is not tried before.
func (f *Folder) await(ctx context.Context, wait time.Duration, ready func() bool, missing bool) {
	tick := time.NewTicker(min(wait, recheck))
	defer tick.Stop()
	end := time.NewTimer(wait)
	defer end.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if ready() {
				return
			}
		case <-end.C:
			if !missing {
				return
			}
			end.Reset(wait)
		}
	}
}

// runOnce opens the folder and runs its cycle until ctx ends or the disk fails.
func (f *Folder) runOnce(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	c, err := open(ctx, f)
	if err != nil {
		return err
	}
	defer c.close()
	f.attach(ctx, c)
	defer f.detach()
	return c.run(ctx)
}

// attach lets peers in.
func (f *Folder) attach(ctx context.Context, c *cycle) {
	f.mu.Lock()
	f.cycle, c.paused, c.small = c, f.paused, f.small // its loop does not run yet; a word since it was opened would be lost
	links := make([]*link, 0, len(f.peers))
	for _, l := range f.peers {
		links = append(links, l)
	}
	f.mu.Unlock()
	for _, l := range links {
		c.peerUp(ctx, l)
	}
	f.cfg.Changed()
}

func (f *Folder) detach() {
	f.mu.Lock()
	f.cycle = nil
	f.mu.Unlock()
	f.cfg.Changed()
}

// say changes the folder's word on itself.
func (f *Folder) say(change func(*status.Folder)) {
	f.mu.Lock()
	change(&f.state)
	f.mu.Unlock()
	f.cfg.Changed()
}

// current is the open cycle, or nil.
func (f *Folder) current() *cycle {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cycle
}

// Rest lets go of memory that serves only while there is much to do.
func (f *Folder) Rest(ctx context.Context) {
	if c := f.current(); c != nil {
		if err := c.index.Rest(ctx); err != nil && ctx.Err() == nil {
			c.log.Debug("rest", "err", err) // the folder may have been closed meanwhile
		}
	}
}

// SetPaused pauses (with a reason and perhaps an end, for show) or, with nil,
// resumes. While paused no bytes move; the disk is still watched.
func (f *Folder) SetPaused(p *status.Pause) {
	f.mu.Lock()
	f.paused = p
	c := f.cycle
	f.mu.Unlock()
	if c != nil {
		c.ask(func() { c.paused, c.saying.changed = p, true })
	}
	f.say(func(s *status.Folder) {
		switch {
		case p != nil:
			s.State, s.Reason = status.Paused, p.Reason
		case s.State == status.Paused:
			s.State, s.Reason = status.Syncing, ""
		}
	})
}
