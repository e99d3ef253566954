package folder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine/apply"
	"pinion/engine/chunk"
	"pinion/engine/crash"
	"pinion/engine/exchange"
	"pinion/engine/ignore"
	"pinion/engine/index"
	"pinion/engine/noise"
	"pinion/engine/reconcile"
	"pinion/engine/scan"
	"pinion/engine/status"
	"pinion/engine/transfer"
	"pinion/engine/tree"
	"pinion/platform/rootfs"
	"pinion/platform/watch"
)

// cycle is an open folder. What has no lock is owned by the loop.
type cycle struct {
	f    *Folder
	log  *slog.Logger
	lim  Limits
	root Disk
	caps rootfs.Capabilities

	attrs apply.Attributes

	index    *index.Index
	watcher  Watcher
	scanner  *scan.Scanner
	fetcher  *transfer.Fetcher
	server   *transfer.Server
	reading  *transfer.Reading
	coming   coming
	applier  *apply.Applier
	exchange *exchange.Exchange

	asked   chan func()   // questions from outside, answered in the loop
	woken   chan struct{} // of length 1: pending rows may have changed
	done    chan struct{} // closed when the loop has ended
	broken  chan error    // of length 1: the index can't be written
	stopped atomic.Bool   // since broken was told

	confirmedAt atomic.Int64 // tree.FolderState.Confirmed
	takenBackAt atomic.Int64 // tree.FolderState.TakenBack

	ignored      atomic.Pointer[ignore.Matcher]
	emptyAllowed atomic.Bool  // a person said that all was deleted on purpose
	scanned      atomic.Int64 // files seen by the scan under way

	// owned by the loop from here on
	paused    *status.Pause
	small     small
	smallOf   map[tree.DeviceID]int64       // what peers said of theirs
	comingOf  map[tree.DeviceID]tree.Coming // what they said that they are reading
	notice    notice
	work      work
	names     names
	carry     carry
	missing   missing
	suspicion suspicion
	taking    taking
	problems  problems
	saying    saying
	space     space
	keeper    keeper
	dressing  dressing
	accord    accord
	merging   merging
	moves     relocations
	tags      map[tree.Path]*tree.Conflict // files found on disk that are conflict copies
}

// open opens the folder's rooms, or says why not (wrapping ErrMissing where its
// disk or marker is not there). Nothing is written before the marker was seen.
func open(ctx context.Context, f *Folder) (_ *cycle, err error) {
	if err := f.checkMarker(); err != nil {
		return nil, err
	}
	c := &cycle{
		f: f, log: f.cfg.Log.With("folder", f.cfg.Name), lim: f.cfg.Limits,
		asked: make(chan func()), woken: make(chan struct{}, 1), done: make(chan struct{}), broken: make(chan error, 1),
	}
	c.bind()
	c.moves = newRelocations(c)
	defer func() {
		if err != nil {
			c.close()
		}
	}()
	if c.root, err = f.cfg.Machine.openDisk(f.cfg.Path); err != nil {
		return nil, fmt.Errorf("open the folder: %w", err)
	}
	if err := c.makePrivate(); err != nil {
		return nil, err
	}
	if c.caps, err = c.root.Probe(); err != nil {
		return nil, fmt.Errorf("find out what the disk can do: %w", err)
	}
	if err := c.openIndex(ctx); err != nil {
		return nil, err
	}
	if err := c.notice.loadIgnore(); err != nil {
		return nil, err
	}
	c.attrs = c.dressing.attributes()
	c.applier = apply.New(c.root.Apply(), c.caps, apply.Options{
		Now: f.cfg.Now, Log: c.log, Junk: ignore.Junk, Device: f.cfg.DeviceName, Content: contentOf, Attributes: c.attrs, Original: reconcile.Original,
	})
	if err := c.carry.recover(ctx); err != nil {
		return nil, err
	}
	if err := c.doubtYoung(ctx); err != nil {
		return nil, err
	}
	c.openStages()
	c.watcher, err = f.cfg.Machine.watch(f.cfg.Path, watch.Options{Skip: c.notice.skipWatch})
	if err != nil {
		return nil, fmt.Errorf("watch the folder: %w", err)
	}
	return c, nil
}

// bind lets the parts of the cycle know the whole.
func (c *cycle) bind() {
	c.notice.c, c.work.c, c.names.c, c.carry.c = c, c, c, c
	c.missing.c, c.suspicion.c, c.taking.c = c, c, c
	c.space.c, c.keeper.c, c.dressing.c, c.merging.c = c, c, c, c
	c.saying.c, c.accord.c = c, c
}

// makePrivate makes what is missing of the folder's own directory.
func (c *cycle) makePrivate() error {
	for _, d := range []string{"", "/tmp", "/archive"} {
		if err := c.root.Mkdir(tree.Private+d, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
			return fmt.Errorf("make the folder's own directory: %w", err)
		}
	}
	return nil
}

// openIndex opens the index. A damaged one is set aside and a new one begun: all
// that it held is found again by scanning and from the peers, and since the new
// one has no history nothing can seem to be deleted.
func (c *cycle) openIndex(ctx context.Context) error {
	file := c.f.cfg.IndexFile
	if file == "" {
		file = filepath.Join(c.f.cfg.Path, tree.Private, "index.db")
	}
	o := index.Options{Now: c.f.cfg.Now, Rand: c.f.cfg.Rand, Device: c.f.cfg.Device, DeviceName: c.f.cfg.DeviceName, CacheKiB: c.lim.CacheKiB, Refused: c.refused}
	crash.At("index.open.before")
	x, err := index.Open(ctx, file, o)
	crash.At("index.open.after")
	if errors.Is(err, index.ErrDamaged) {
		aside, aerr := index.SetAside(file, c.f.cfg.Now())
		if aerr != nil {
			return fmt.Errorf("set the damaged index aside: %w", aerr)
		}
		c.log.Warn("the index was damaged; it was set aside and is made anew by scanning", "file", aside, "err", err)
		c.problems.note(c.f.cfg.Now(), tree.Private+"/index.db", "was damaged and is being rebuilt; nothing is deleted for it. The old one is kept as "+aside)
		x, err = index.Open(ctx, file, o)
	}
	if err != nil {
		return fmt.Errorf("open the index: %w", err)
	}
	c.index = x
	c.missing.loadConfirmed(ctx)
	if err := c.dressing.tellAttributes(ctx); err != nil {
		return err
	}
	return c.tellWithheld(ctx)
}

// openStages makes the stages that need no opening of their own.
func (c *cycle) openStages() {
	cfg := c.f.cfg
	hasher, disk := newHasher(), c.root.Transfer()
	c.reading = &transfer.Reading{}
	c.scanner = c.newScanner(hasher, func(p scan.Progress) { c.scanned.Store(p.Files) })
	c.fetcher = transfer.NewFetcher(transfer.Options{
		Folder: cfg.ID, FS: disk, Index: c.index, Archive: c.archiveFiles, Log: c.log, Now: cfg.Now, Rand: cfg.Rand,
		Limits: transfer.Limits{StallAfter: c.lim.Stall}, Known: c.index.KnownContents, Sealed: noise.Sealed,
	})
	c.server = transfer.NewServer(transfer.ServerOptions{FS: disk, Index: c.index, Archive: c.archiveFiles, Doubt: c.doubt, Most: c.f.giving.Load, Reading: c.reading})
	c.exchange = exchange.New(exchange.Options{
		Folder: cfg.ID, Index: crashExchange(c.index), Rand: cfg.Rand, RolledBack: index.ErrRolledBack, Withhold: c.withhold(), News: c.wake, Announced: c.announced, Short: c.lim.Along, Now: cfg.Now, Log: c.log,
	})
}

func (c *cycle) newScanner(h *hasher, progress func(scan.Progress)) *scan.Scanner {
	return scan.New(scan.Options{
		FS: c.root.Scan(), Index: c.index, Name: c.root.Name(), Caps: c.caps, Attrs: c.attrs.Kinds, Hash: h.hash,
		Large:     c.hashLarge(h),
		LargeFrom: transfer.ReadingFrom,
		Check:     c.f.checkMarker,
		Sealed:    noise.Sealed,
		Ignored:   func(p string, dir bool) bool { return c.ignored.Load().Match(p, dir) },
		Emptied:   func() bool { return c.emptyAllowed.Load() },
		MaxInline: c.lim.MaxInline,
		Progress:  progress,
		Now:       c.f.cfg.Now,
	})
}

const keyWithheld = "withheld"

// tellWithheld has peers told everything again once a folder that only received
// does so no more: they take what was withheld for told.
func (c *cycle) tellWithheld(ctx context.Context) error {
	was, _, err := c.index.Meta(ctx, keyWithheld)
	now := c.f.cfg.Mode == Receive
	if err != nil || now == (len(was) > 0) {
		return err
	}
	if now {
		return c.index.SetMeta(ctx, keyWithheld, []byte{1})
	}
	if err := c.index.NewIncarnation(ctx); err != nil {
		return fmt.Errorf("have peers told everything again: %w", err)
	}
	return c.index.SetMeta(ctx, keyWithheld, []byte{})
}

// withhold says which rows are not told: in a folder that only receives, those
// that this device has written itself.
func (c *cycle) withhold() func(tree.Record) bool {
	if c.f.cfg.Mode != Receive {
		return nil
	}
	return func(r tree.Record) bool {
		by, ok := c.index.Replica(r.Author)
		return ok && by.Device == c.f.cfg.Device
	}
}

// close lets go of everything, in the order in which it could still be used.
func (c *cycle) close() {
	if c.exchange != nil {
		c.exchange.Close()
	}
	if c.watcher != nil {
		c.watcher.Close()
	}
	if c.index != nil {
		if err := c.index.Close(); err != nil {
			c.log.Warn("close the index", "err", err)
		}
	}
	if c.root != nil {
		c.root.Close()
	}
}

// wake makes the loop look at what is pending. It never blocks.
func (c *cycle) wake() {
	select {
	case c.woken <- struct{}{}:
	default:
	}
}

// ask has fn run in the loop and returns when it has. It says whether it did.
func (c *cycle) ask(fn func()) bool {
	ran := make(chan struct{})
	select {
	case c.asked <- func() { fn(); close(ran) }:
		<-ran
		return true
	case <-c.done:
		return false
	}
}

// run is the loop with all that runs beside it. It returns when ctx ends or the
// disk fails, after everything beside it has ended.
func (c *cycle) run(ctx context.Context) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var beside sync.WaitGroup
	defer beside.Wait()
	defer cancel(nil)
	defer close(c.done)

	hints := make(chan watch.Hints)
	beside.Go(func() { c.notice.takeHints(ctx, hints, cancel) })
	beside.Go(func() {
		if err := c.fetcher.Run(ctx); err != nil && ctx.Err() == nil {
			cancel(fmt.Errorf("fetch: %w", err))
		}
	})
	c.begin()
	c.space.measureArchive(ctx)
	err := c.loop(ctx, &beside, hints)
	if isFull(err) {
		c.space.makeRoom(ctx)
	}
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		err = cause
	}
	return err
}

// begin sets the state that the loop starts with: everything has to be looked at.
func (c *cycle) begin() {
	c.work = work{c: c, units: map[tree.Path]*unit{}, stalled: map[tree.Path]bool{}, later: map[tree.Path]wait{}, revive: map[tree.Path]revival{}, only: map[tree.DeviceID]int{}, more: true}
	c.carry = carry{c: c, results: make(chan applied, 1)}
	c.carry.lookLater(applied{}) // what an earlier run displaced
	c.space = space{c: c, results: make(chan expired, 1), expiry: time.Now().Add(c.lim.Archive)}
	c.problems.init(c.lim.Problems)
	c.notice.full = true
}

// loop is the cycle. Each round starts what can be started, then waits for the
// first thing that happens.
func (c *cycle) loop(ctx context.Context, beside *sync.WaitGroup, hints <-chan watch.Hints) error {
	alarm := time.NewTimer(time.Hour)
	defer alarm.Stop()
	ready := c.watcher.Ready()
	for {
		c.names.checkAside(time.Now())
		c.notice.startScans(ctx, beside)
		if err := c.missing.judge(ctx); err != nil {
			return err
		}
		if err := c.moves.start(ctx, beside); err != nil {
			return err
		}
		if err := c.work.takeWork(ctx); err != nil {
			return err
		}
		c.taking.startTakingBack(ctx, beside)
		c.carry.startGroup(ctx, beside)
		next := min(c.saying.sayState(ctx), c.accord.compareDigests(time.Now()))
		next = min(next, c.merging.startMerging(ctx, beside))
		c.startTidying(ctx, beside)
		c.space.watchSpace(ctx, beside)
		alarm.Reset(min(next, c.nextAlarm()))

		select {
		case <-ctx.Done():
			return ctx.Err()
		case fn := <-c.asked:
			fn()
		case h := <-hints:
			c.notice.hinted(h)
		case b := <-c.notice.observed:
			b.answer <- c.notice.observe(ctx, b.lane, b.changes)
		case e := <-c.notice.ended:
			if err := c.notice.scanEnded(ctx, e); err != nil {
				return err
			}
		case r := <-c.fetcher.Results():
			c.carry.fetched(r)
			c.carry.drainFetched()
		case r := <-c.carry.results:
			if err := c.carry.carried(ctx, beside, r); err != nil {
				return err
			}
		case r := <-c.moves.results:
			if err := c.moves.relocated(r); err != nil {
				return err
			}
		case r := <-c.space.results:
			c.space.expiredOnce(ctx, r)
		case err := <-c.broken:
			return err
		case <-c.woken:
			c.work.told()
			c.saying.changed = true
			c.space.forgetWaiting()
		case <-ready:
			ready = nil
		case <-alarm.C:
		}
	}
}

// nextAlarm is how long the loop may sleep when nothing happens.
func (c *cycle) nextAlarm() time.Duration {
	now := time.Now()
	next := min(time.Hour, c.notice.next(now), c.missing.next(now), c.work.next(now), c.carry.next(now), c.space.next(now), c.moves.next(now), c.names.nextCheck(now))
	return max(next, time.Millisecond)
}

// archiveFiles finds archived files of a content.
func (c *cycle) archiveFiles(ctx context.Context, content tree.ContentID) ([]string, error) {
	rows, err := c.index.FindArchived(ctx, content, 4)
	if err != nil {
		return nil, err
	}
	files := make([]string, len(rows))
	for i, r := range rows {
		files[i] = r.File
	}
	return files, nil
}

// contentOf names the bytes of a file that is looked at once more.
func contentOf(r io.Reader, size int64) (tree.ContentID, error) {
	_, id, _, err := chunk.Of(r, size)
	return id, err
}

// hasher hashes one file at a time for each scan that runs.
type hasher struct{ free sync.Pool }

func newHasher() *hasher {
	return &hasher{free: sync.Pool{New: func() any { return new(chunk.Chunker) }}}
}

func (h *hasher) hash(ctx context.Context, r io.Reader, size int64) (tree.Manifest, tree.ContentID, error) {
	ch := h.free.Get().(*chunk.Chunker)
	defer h.free.Put(ch)
	m, id, _, err := ch.Of(contextReader{ctx, r}, size)
	return m, id, err
}

// each is hash for a large file, whose chunks are told as they are found.
func (h *hasher) each(ctx context.Context, r io.Reader, size int64, told func(tree.Chunk)) (tree.Manifest, tree.ContentID, error) {
	ch := h.free.Get().(*chunk.Chunker)
	defer h.free.Put(ch)
	var m tree.Manifest
	_, err := ch.Each(contextReader{ctx, r}, size, func(c tree.Chunk, _ []byte) error {
		m = append(m, c)
		told(c)
		return nil
	})
	if err != nil {
		return nil, tree.ContentID{}, err
	}
	return m, chunk.ID(m), nil
}

// contextReader ends reading when its context does.
type contextReader struct {
	ctx context.Context
	r   io.Reader
}

func (r contextReader) Read(p []byte) (int, error) {
	if err := r.ctx.Err(); err != nil {
		return 0, err
	}
	return r.r.Read(p)
}
