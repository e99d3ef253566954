package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// errParked says that a content waits for somebody who has it.
var errParked = errors.New("nobody who has it is connected")

// band is a class of sizes of which only so many are under way at once, so that
// huge files leave room for others.
func band(size int64) int {
	switch {
	case size <= 4<<20:
		return 0
	case size <= 1<<30:
		return 1
	}
	return 2
}

// dispatch begins big contents as there is room for them.
func (f *Fetcher) dispatch(ctx context.Context) {
	for {
		f.mu.Lock()
		now := f.o.Now()
		if f.run == nil {
			f.mu.Unlock()
			return
		}
		n, until := f.pick(now)
		changed := f.changed
		if n != nil {
			f.start(ctx, n)
		}
		f.mu.Unlock()
		if n != nil {
			continue
		}
		var wait time.Duration
		if !until.IsZero() {
			wait = max(until.Sub(now), time.Millisecond)
		}
		if f.wait(ctx, changed, wait) != nil {
			return
		}
	}
}

// pick takes the big content to begin next: urgent, then small. One that waits
// for a peer is begun once, for what can be done without. Called with f.mu held.
func (f *Fetcher) pick(now time.Time) (*need, time.Time) {
	limits := [...]int{4 * f.o.Limits.Jobs, f.o.Limits.Jobs, 1}
	for _, n := range f.active {
		limits[band(n.size)]--
	}
	best, again := -1, time.Time{}
	for i, n := range f.big {
		room := limits[band(n.size)]
		if n.urgent {
			room += 2
		}
		if room <= 0 || best >= 0 && !before(n, f.big[best]) {
			continue
		}
		look, until := f.outlook(n, now)
		if look == later && (again.IsZero() || until.Before(again)) {
			again = until
		}
		if !n.looked || look != nobody && look != later {
			best = i
		}
	}
	if best < 0 {
		return nil, again
	}
	n := f.big[best]
	f.big = slices.Delete(f.big, best, best+1)
	return n, time.Time{}
}

// before says whether a is to be served before b.
func before(a, b *need) bool {
	if a.urgent != b.urgent {
		return a.urgent
	}
	return a.size < b.size
}

// start begins n. Called with f.mu held.
func (f *Fetcher) start(ctx context.Context, n *need) {
	ctx, n.cancel = context.WithCancel(ctx)
	n.stage = running
	at, _ := slices.BinarySearchFunc(f.active, n, func(a, b *need) int {
		if before(a, b) {
			return -1
		}
		return 1
	})
	f.active = slices.Insert(f.active, at, n)
	f.group.Go(func() {
		err := f.runBig(ctx, n)
		n.cancel()
		f.endBig(n, err)
	})
}

// endBig puts away a need whose runner has ended with err.
func (f *Fetcher) endBig(n *need, err error) {
	f.mu.Lock()
	run := f.run
	f.active = slices.DeleteFunc(f.active, func(m *need) bool { return m == n })
	var jobs []Job
	switch {
	case n.stage == over:
	case len(n.jobs) == 0:
		f.close(n)
	case err == nil, errors.Is(err, errParked), errors.Is(err, context.Canceled):
		// Parked, stopped, or asked for again while it was being finished.
		n.stage = ready
		f.big = append(f.big, n)
	default:
		jobs = f.close(n)
	}
	f.wake()
	f.mu.Unlock()
	if run == nil {
		return
	}
	for _, j := range jobs {
		f.deliver(Result{Job: j, Err: err})
	}
}

// runBig brings one content: what is here already, then the rest from peers.
func (f *Fetcher) runBig(ctx context.Context, n *need) error {
	if n.size > chunk.MaxFile {
		return chunk.ErrTooLarge
	}
	if staged, m := f.adopt(ctx, n); staged != "" {
		return f.hand(ctx, n, staged, m)
	}
	m, err := f.manifest(ctx, n)
	if err != nil {
		return err
	}
	p, err := f.openPart(ctx, n, m)
	if err != nil {
		return err
	}
	f.mu.Lock()
	n.kept, n.part = nil, p
	f.mu.Unlock()
	err = f.fill(ctx, n, p)
	f.mu.Lock()
	n.part, n.offered = nil, false
	f.mu.Unlock()
	if err == nil {
		return f.finish(ctx, n, p)
	}
	return f.setAside(ctx, n, p, err)
}

// fill gets every chunk into the part.
func (f *Fetcher) fill(ctx context.Context, n *need, p *part) error {
	if !n.reusedAll {
		if err := f.reuse(ctx, n, p); err != nil {
			return err
		}
	}
	f.mu.Lock()
	if n.looked, n.offered = true, true; !n.reusedAll {
		n.reusedAll, n.reused = true, p.progress()-n.early
	}
	f.wake()
	f.mu.Unlock()
	for {
		f.mu.Lock()
		now := f.o.Now()
		look, until := f.outlook(n, now)
		changed := f.changed
		f.mu.Unlock()
		select {
		case <-p.ended:
			p.mu.Lock()
			defer p.mu.Unlock()
			return p.failed
		default:
		}
		var alarm <-chan time.Time
		switch look {
		case nobody:
			return errParked
		case gone:
			return ErrGone
		case lied:
			return ErrLied
		case later:
			alarm = f.o.After(max(until.Sub(now), time.Millisecond))
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-p.ended:
		case <-changed:
		case <-alarm:
		}
	}
}

// manifest finds the chunk list: the index's, the one beside the part, a peer's.
func (f *Fetcher) manifest(ctx context.Context, n *need) (tree.Manifest, error) {
	m, ok, err := f.o.Index.Manifest(ctx, n.content)
	if err != nil {
		return nil, fmt.Errorf("look up the chunk list: %w", err)
	}
	if ok && chunk.Verify(m, n.content, n.size) == nil {
		return m, nil
	}
	if m = f.readList(n); m != nil {
		return m, nil
	}
	if n.size <= int64(mostOf(n.size)) {
		// It may be one chunk, and here.
		one := tree.Manifest{{ID: n.content, Len: uint32(n.size)}}
		if rows, err := f.o.Index.ByContent(ctx, n.content, 1); err == nil && len(rows) > 0 && rows[0].Size == n.size {
			return one, nil
		}
	}
	return f.askManifest(ctx, n)
}

func mostOf(size int64) int {
	_, most := chunk.Bounds(size)
	return most
}

// askManifest asks one peer after the other for the chunk list.
func (f *Fetcher) askManifest(ctx context.Context, n *need) (tree.Manifest, error) {
	for {
		f.mu.Lock()
		n.looked = true
		now := f.o.Now()
		look, until := f.outlook(n, now)
		p := f.anyOf(n, now)
		base, changed := tree.ContentID{}, f.changed
		if len(n.jobs) > 0 {
			base = n.jobs[0].Entry.Base
		}
		f.mu.Unlock()
		switch look {
		case nobody:
			return nil, errParked
		case gone:
			return nil, ErrGone
		case lied:
			return nil, ErrLied
		case later:
			if err := f.wait(ctx, changed, max(until.Sub(now), time.Millisecond)); err != nil {
				return nil, err
			}
			continue
		}
		if m := f.askOne(ctx, n, p, base); m != nil {
			return m, nil
		}
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
	}
}

// anyOf is a peer that can be asked for n now: the quickest. Called with f.mu held.
func (f *Fetcher) anyOf(n *need, now time.Time) (best *peer) {
	for _, s := range n.sources {
		p := f.peers[s.dev]
		if p == nil || p.bad || p.rest.until.After(now) {
			continue
		}
		if ok, _ := f.may(n, p, now); ok && (best == nil || p.rate > best.rate) {
			best = p
		}
	}
	return best
}

// askOne asks p for the chunk list; nil if it didn't give one.
func (f *Fetcher) askOne(ctx context.Context, n *need, p *peer, base tree.ContentID) tree.Manifest {
	var m tree.Manifest
	err := f.request(ctx, nil, func(ctx context.Context, beat *pulse) (err error) {
		// The list comes as one, so its length is the measure of patience.
		patience := time.Duration(chunk.PackedSize(n.size/int64(mostOf(n.size)))/4096) * time.Second
		beat.last.Store(f.o.Now().Add(patience).UnixNano())
		m, err = p.src.Manifest(ctx, f.o.Folder, n.content, base, chunk.MaxChunks(n.size))
		return err
	})
	if err == nil {
		if err := chunk.Verify(m, n.content, n.size); err != nil {
			f.lied(n, p, err)
			return nil
		}
		return m
	}
	if !isGone(err) && innocent(ctx, err) {
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if s := n.source(p.dev); s != nil && isGone(err) {
		s.gone = true
	} else {
		f.o.Log.Debug("no chunk list", "device", p.dev.Short(), "err", err)
		n.failed(p.dev, f.o.Now())
	}
	f.wake()
	return nil
}

// openPart opens the part file, or makes it, and finds out what is in it. The
// list is on the disk before any chunk is.
func (f *Fetcher) openPart(ctx context.Context, n *need, m tree.Manifest) (*part, error) {
	f.claim(n, m)
	file, err := f.o.FS.OpenRW(partName(n.content))
	if errors.Is(err, fs.ErrNotExist) {
		return f.newPartFile(ctx, n, m)
	}
	if err != nil {
		return nil, fmt.Errorf("open the part file: %w", err)
	}
	p := f.newPart(file, m)
	err = func() error {
		if err := setSize(file, n.size); err != nil {
			return err
		}
		if n.kept != nil && p.trust(n.kept) {
			return nil
		}
		if note := f.takeNote(n, len(m)); note != nil && p.trust(note) {
			return nil
		}
		return p.check(ctx)
	}()
	if err == nil {
		err = f.writeList(n, m)
	}
	if err != nil {
		return nil, errors.Join(err, p.shut())
	}
	return p, nil
}

// newPart is newPart on the folder's disk.
func (f *Fetcher) newPart(file File, m tree.Manifest) *part {
	p := newPart(file, m)
	if s, ok := f.o.FS.(Starter); ok {
		p.start = s.StartWriting
	}
	return p
}

func (f *Fetcher) newPartFile(ctx context.Context, n *need, m tree.Manifest) (*part, error) {
	if err := f.writeList(n, m); err != nil {
		return nil, err
	}
	file, err := f.o.FS.Create(partName(n.content))
	if err != nil {
		return nil, fmt.Errorf("make the part file: %w", err)
	}
	p := f.newPart(file, m)
	shared, err := f.share(ctx, n, file)
	if err == nil {
		err = setSize(file, n.size)
	}
	p.holes = !shared
	if err == nil && shared {
		err = p.check(ctx)
	}
	if err != nil {
		return nil, errors.Join(err, p.shut())
	}
	return p, nil
}

// setSize leaves a file alone that has its size: its mtime may vouch for it.
func setSize(file File, size int64) error {
	info, err := file.Stat()
	if err == nil && info.Size() != size {
		err = file.Truncate(size)
	}
	if err != nil {
		return fmt.Errorf("set the part file's size: %w", err)
	}
	return nil
}

// finish turns a part that is whole into a stage for each job.
func (f *Fetcher) finish(ctx context.Context, n *need, p *part) error {
	if err := p.shut(); err != nil {
		return err
	}
	staged := f.stageName(n.content)
	if err := f.o.FS.RenameNoReplace(partName(n.content), staged); err != nil {
		return fmt.Errorf("name the stage: %w", err)
	}
	f.removeNotes(n.content)
	return f.hand(ctx, n, staged, p.m)
}

// hand gives a finished stage to the job, and copies of it to its twins.
func (f *Fetcher) hand(ctx context.Context, n *need, staged string, m tree.Manifest) error {
	if len(m) < 2 {
		m = nil
	}
	f.mu.Lock()
	jobs := f.close(n)
	received := max(0, n.size-n.reused)
	f.mu.Unlock()
	f.reused.Add(n.reused)
	var out []Result
	for i, j := range jobs {
		r := Result{Job: j, Staged: staged, Manifest: m, Received: received, Reused: n.size - received}
		if i > 0 {
			r.Received, r.Reused = 0, n.size
			r.Staged, r.Err = f.copyStage(ctx, n.content, staged)
		}
		out = append(out, r)
	}
	for _, r := range out {
		f.deliver(r)
	}
	return nil
}

// setAside closes a part that is not whole. What is in it is noted in memory, and
// at an orderly stop on the disk.
func (f *Fetcher) setAside(ctx context.Context, n *need, p *part, why error) error {
	f.mu.Lock()
	stopping := f.run == nil || f.run.Err() != nil
	f.mu.Unlock()
	if stopping {
		// A note must never outlive bytes that it speaks of.
		if err := p.file.Sync(); err != nil {
			return errors.Join(why, err, p.shut())
		}
	}
	k, err := p.known()
	if err != nil {
		return errors.Join(why, err)
	}
	f.mu.Lock()
	n.kept = k
	f.mu.Unlock()
	if stopping {
		if err := f.writeFile(haveName(n.content), k.append(nil), true); err != nil {
			f.o.Log.Debug("no note of a part file", "err", err)
		}
	}
	return why
}
