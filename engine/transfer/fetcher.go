package transfer

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine/tree"
)

// Fetcher brings content into a folder's staging directory. All its methods but
// Run return at once and may be called at any time, from several goroutines.
type Fetcher struct {
	o        Options
	results  chan Result
	received atomic.Int64
	reused   atomic.Int64
	serial   atomic.Uint64 // of the last stage made
	life     string        // in the names of this run's stages; set before its goroutines start

	mu      sync.Mutex    // guards all below, and needs and peers
	changed chan struct{} // closed and made anew whenever somebody may have something to do
	run     context.Context
	group   *sync.WaitGroup // of the run's goroutines; grows only while run is set
	flow    context.Context // ends when no more bytes shall come
	stop    context.CancelFunc
	paused  bool
	jobs    int
	needs   map[tree.ContentID]*need
	peers   map[tree.DeviceID]*peer
	fresh   [2][]*need // small, by class; may hold some that have moved on
	ready   [2][]*need
	big     []*need                     // ready ones
	active  []*need                     // big and running, those to be served first in front
	older   map[tree.ContentID][]string // finished stages of earlier runs
	aheads  []*ahead                    // at most maxAhead
}

// peer is a session. Guarded by Fetcher.mu.
type peer struct {
	dev  tree.DeviceID
	src  Source
	end  context.CancelFunc // of its lanes; nil when there are none
	bad  bool               // it lied too often
	lies int
	rest retry
	rate float64 // bytes a second, of late; 0: not known
	take int64   // bytes in its next run
}

// NewFetcher makes a Fetcher, which does nothing until Run.
func NewFetcher(o Options) *Fetcher {
	o.Limits = o.Limits.withDefaults()
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.After == nil {
		o.After = time.After
	}
	if o.Rand == nil {
		o.Rand = rand.Reader
	}
	return &Fetcher{
		o: o, results: make(chan Result, 64), changed: make(chan struct{}),
		needs: map[tree.ContentID]*need{}, peers: map[tree.DeviceID]*peer{},
	}
}

// Results gives what became of the jobs. Who doesn't read it stops the Fetcher.
func (f *Fetcher) Results() <-chan Result { return f.results }

// Run fetches until ctx ends, and returns when all of its goroutines have. What
// was under way is kept on the disk, with a note of what is there.
func (f *Fetcher) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var group sync.WaitGroup
	if err := f.begin(ctx, &group); err != nil {
		return fmt.Errorf("begin fetching: %w", err)
	}
	for range 2 {
		group.Go(func() { f.lookAround(ctx) })
	}
	group.Go(func() { f.dispatch(ctx) })
	<-ctx.Done()
	f.mu.Lock()
	f.run = nil
	for _, p := range f.peers {
		p.end = nil
	}
	f.mu.Unlock()
	group.Wait()
	return nil
}

func (f *Fetcher) begin(ctx context.Context, group *sync.WaitGroup) error {
	if err := f.o.FS.MakeStaging(); err != nil {
		return err
	}
	var life [4]byte
	if _, err := io.ReadFull(f.o.Rand, life[:]); err != nil {
		return err
	}
	older, err := f.finishedStages()
	if err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.run != nil {
		return errors.New("it runs already")
	}
	f.life, f.older = hex.EncodeToString(life[:]), older
	f.run, f.group = ctx, group
	f.openFlow()
	for _, p := range f.peers {
		f.startPeer(p)
	}
	f.wake()
	return nil
}

// wake tells all that wait that something has changed. Called with f.mu held.
func (f *Fetcher) wake() {
	close(f.changed)
	f.changed = make(chan struct{})
}

// openFlow lets bytes come (again), unless paused. Called with f.mu held.
func (f *Fetcher) openFlow() {
	if f.run == nil || f.paused {
		return
	}
	f.flow, f.stop = context.WithCancel(f.run)
}

// Pause stops asking peers, and what is coming from them. What is here already
// is still used.
func (f *Fetcher) Pause() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.paused = true
	if f.stop != nil {
		f.stop()
	}
	f.wake()
}

// Resume ends a Pause.
func (f *Fetcher) Resume() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.paused {
		f.paused = false
		f.openFlow()
		f.wake()
	}
}

// Submit takes in jobs, in order, until Limits.Queue is full, and says how many.
// A job with the path and content of one that is there already only adds to it.
func (f *Fetcher) Submit(jobs []Job) (accepted int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.wake()
	for _, j := range jobs {
		if f.jobs >= f.o.Limits.Queue {
			break
		}
		accepted++
		f.submit(j)
	}
	return accepted
}

func (f *Fetcher) submit(j Job) {
	id := j.Entry.Content
	n := f.needs[id]
	if n == nil {
		n = &need{content: id, size: j.Entry.Size, stage: ready, urgent: j.Urgent}
		f.needs[id] = n
		if n.small() {
			n.stage = fresh
			f.fresh[n.class()] = append(f.fresh[n.class()], n)
		} else {
			f.big = append(f.big, n)
		}
	}
	for _, dev := range j.Sources {
		n.announced(dev)
	}
	n.final = n.final || j.Final
	if j.Urgent && !n.urgent {
		n.urgent = true
		switch {
		case n.small() && n.stage == ready:
			f.ready[0] = append(f.ready[0], n)
		case n.stage == fresh:
			f.fresh[0] = append(f.fresh[0], n)
		}
	}
	if i := slices.IndexFunc(n.jobs, func(k Job) bool { return k.Entry.Path == j.Entry.Path }); i >= 0 {
		n.jobs[i] = j
		return
	}
	n.jobs = append(n.jobs, j)
	f.jobs++
}

// AddSource says that dev has a content (too, or again).
func (f *Fetcher) AddSource(content tree.ContentID, dev tree.DeviceID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if n := f.needs[content]; n != nil {
		n.announced(dev)
		f.wake()
	}
}

// Drop takes back the jobs of which fn says so; there is no Result of them,
// unless it is on its way already. fn must not call the Fetcher.
func (f *Fetcher) Drop(fn func(Job) bool) (dropped int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for id, n := range f.needs {
		dropped += n.drop(fn)
		if len(n.jobs) > 0 {
			continue
		}
		switch {
		case !n.small() && n.stage == running:
			n.cancel() // its runner takes it out
		default:
			n.stage = over
			delete(f.needs, id)
		}
	}
	f.jobs -= dropped
	f.big = slices.DeleteFunc(f.big, func(n *need) bool { return n.stage == over })
	f.wake()
	return dropped
}

// PeerUp says that a device can be asked, in a new session that takes the place
// of an earlier one.
func (f *Fetcher) PeerUp(src Source) {
	f.mu.Lock()
	defer f.mu.Unlock()
	dev := src.Device()
	f.endPeer(dev)
	p := &peer{dev: dev, src: src, take: 1 << 20}
	f.peers[dev] = p
	for _, n := range f.needs {
		if s := n.source(dev); s != nil {
			s.retry, s.lied = retry{}, false
		}
	}
	f.startPeer(p)
	f.wake()
}

// PeerDown says that the session with a device has ended.
func (f *Fetcher) PeerDown(dev tree.DeviceID) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.endPeer(dev)
	f.wake()
}

func (f *Fetcher) endPeer(dev tree.DeviceID) {
	if p := f.peers[dev]; p != nil {
		if p.end != nil {
			p.end()
		}
		delete(f.peers, dev)
	}
}

// startPeer starts a peer's lanes, if the Fetcher runs. Called with f.mu held.
func (f *Fetcher) startPeer(p *peer) {
	if f.run == nil {
		return
	}
	ctx, end := context.WithCancel(f.run)
	p.end = end
	for range f.o.Limits.SmallLanes {
		f.group.Go(func() { f.smallLane(ctx, p) })
	}
	for range f.o.Limits.BigLanes {
		f.group.Go(func() { f.bigLane(ctx, p) })
	}
}

// Progress says how far the jobs at hand are.
func (f *Fetcher) Progress() Progress {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := Progress{Jobs: f.jobs, Received: f.received.Load(), Reused: f.reused.Load()}
	var small []Active
	for _, n := range f.needs {
		out.BytesTotal += n.size * int64(len(n.jobs))
		if n.kept != nil {
			out.BytesDone += n.kept.done
		}
		if n.stage == running && n.small() && len(n.jobs) > 0 {
			small = first(small, Active{Path: n.jobs[0].Entry.Path, Size: n.size, From: []tree.DeviceID{n.asked}})
		}
	}
	for _, n := range f.active {
		if n.part == nil || len(n.jobs) == 0 {
			continue
		}
		done := n.part.progress()
		out.BytesDone += done
		out.Active = append(out.Active, Active{Path: n.jobs[0].Entry.Path, Size: n.size, Done: done, From: n.part.from()})
	}
	out.Active = append(out.Active, small...)
	return out
}

// first puts a into the list of those whose paths come first.
func first(list []Active, a Active) []Active {
	at, _ := slices.BinarySearchFunc(list, a, func(x, y Active) int { return strings.Compare(string(x.Path), string(y.Path)) })
	if at == mostSmall {
		return list
	}
	return slices.Insert(list[:min(len(list), mostSmall-1)], at, a)
}

// deliver hands on a result, whatever has become of the peer that it came from:
// its job is over. When the run ends first, the stage stays and is found at the
// next start. Called without f.mu held.
func (f *Fetcher) deliver(r Result) {
	f.mu.Lock()
	run := f.run
	f.mu.Unlock()
	if run == nil {
		return
	}
	select {
	case f.results <- r:
	case <-run.Done():
	}
}

// close takes a need out and gives its jobs. Called with f.mu held.
func (f *Fetcher) close(n *need) []Job {
	jobs := n.jobs
	n.jobs, n.stage = nil, over
	f.jobs -= len(jobs)
	if f.needs[n.content] == n {
		delete(f.needs, n.content)
	}
	return jobs
}

// wait blocks until something has changed or, if wait is positive, that long.
func (f *Fetcher) wait(ctx context.Context, changed <-chan struct{}, wait time.Duration) error {
	var alarm <-chan time.Time
	if wait > 0 {
		alarm = f.o.After(wait)
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-alarm:
	}
	return nil
}

// lied notes that a peer sent something else than content n. Called without
// f.mu held.
func (f *Fetcher) lied(n *need, p *peer, what error) {
	f.mu.Lock()
	if s := n.source(p.dev); s != nil {
		s.lied = true
	}
	if p.lies++; p.lies >= f.o.Limits.Lies {
		p.bad = true
	}
	f.wake()
	f.mu.Unlock()
	err := fmt.Errorf("%w (content %s): %w", ErrLied, n.content, what)
	f.o.Log.Warn("wrong bytes", "device", p.dev.Short(), "err", err)
	if f.o.Bad != nil {
		f.o.Bad(p.dev, err)
	}
}
