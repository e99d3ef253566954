package transfer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

const (
	// maxAhead is how many files are fetched, or kept, ahead of their ids.
	maxAhead = 2
	// aheadKept is how long one is kept that nobody has asked for.
	aheadKept = time.Minute
	// aheadGrace is how long what is under way may take to end in good order.
	aheadGrace = 300 * time.Millisecond
	// The next list is asked for after so long, if it was not there.
	aheadFirst, aheadMost = 20 * time.Millisecond, 500 * time.Millisecond
)

// ahead is a file that a peer is still reading, so that its content has no id
// yet. Its chunks are fetched as they become known, each checked by its own id,
// into a part file that the job takes over once the id is there, as far as its
// chunk list agrees.
type ahead struct {
	word   tree.Coming
	dev    tree.DeviceID
	src    Source
	need   *need // stands for it where a peer is judged
	file   File
	cancel context.CancelFunc
	stop   chan struct{} // closed: begin no more
	idle   chan struct{} // closed when nothing is under way any more

	over bool           // no more lists will come; guarded by Fetcher.mu
	base tree.ContentID // whose list is here, which makes the others short; zero: none

	copied atomic.Int64 // bytes that were here

	listing chan struct{} // of length 1: held for what follows
	parts   []*part       // in order, without a gap; read by whoever has taken it, when it is idle
	end     int64         // of the last
}

// Coming says what large file a peer is reading now; zero: none any more.
func (f *Fetcher) Coming(dev tree.DeviceID, word tree.Coming) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range f.aheads {
		if a.dev == dev {
			if a.word == word {
				return
			}
			a.over = true
		}
	}
	p := f.peers[dev]
	if f.run == nil || f.paused || p == nil || p.bad || len(f.aheads) >= maxAhead || word.ID.IsZero() || word.Size < ReadingFrom || word.Size > chunk.MaxFile {
		return
	}
	ctx, cancel := context.WithCancel(f.run)
	a := &ahead{
		word: word, dev: dev, src: p.src, cancel: cancel, stop: make(chan struct{}), idle: make(chan struct{}), listing: make(chan struct{}, 1),
		need: &need{content: word.ID, size: word.Size, sources: []source{{dev: dev}}},
	}
	f.aheads = append(f.aheads, a)
	f.group.Go(func() {
		defer cancel()
		f.runAhead(ctx, a)
	})
}

// runAhead fetches what is known of a, and throws it away if nobody wants it.
func (f *Fetcher) runAhead(ctx context.Context, a *ahead) {
	err := f.fillAhead(ctx, a)
	if err != nil {
		f.o.Log.Debug("not fetched ahead", "device", a.dev.Short(), "err", err)
	}
	close(a.idle)
	if a.file != nil {
		select {
		case <-a.stop:
			return // somebody has taken it
		case <-ctx.Done():
		case <-f.o.After(aheadKept):
		}
	}
	if !f.takeAhead(a) {
		return
	}
	f.dropAhead(a)
}

// takeAhead takes a off the list. Only one caller gets true: a is then its own.
func (f *Fetcher) takeAhead(a *ahead) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	at := slices.Index(f.aheads, a)
	if at < 0 {
		return false
	}
	f.aheads = slices.Delete(f.aheads, at, at+1)
	close(a.stop)
	return true
}

// dropAhead removes what was fetched.
func (f *Fetcher) dropAhead(a *ahead) {
	if a.file == nil {
		return
	}
	if err := errors.Join(a.file.Close(), f.o.FS.Remove(partName(a.word.ID))); err != nil {
		f.o.Log.Debug("a part that nobody wants stays", "err", err)
	}
}

func (f *Fetcher) fillAhead(ctx context.Context, a *ahead) error {
	name := partName(a.word.ID)
	if err := remove(f.o.FS, name); err != nil {
		return fmt.Errorf("make a part file ahead: %w", err)
	}
	file, err := f.o.FS.Create(name)
	if err != nil {
		return fmt.Errorf("make a part file ahead: %w", err)
	}
	a.file = file
	if err := setSize(file, a.word.Size); err != nil {
		return err
	}
	old := f.donor(ctx, a.word.Base)
	defer old.close()
	if old.file != nil {
		a.base = a.word.Base
	}
	var group sync.WaitGroup
	errs := make([]error, f.o.Limits.BigLanes)
	for i := range errs {
		group.Go(func() {
			var c catcher
			for errs[i] == nil {
				p, err := f.nextSection(ctx, a)
				if p == nil {
					errs[i] = err
					return
				}
				errs[i] = old.give(ctx, p)
				a.copied.Add(p.progress())
				if errs[i] == nil {
					errs[i] = f.fetchSection(ctx, a, p, &c)
				}
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// nextSection waits for the chunk list that follows; nil if there is none.
func (f *Fetcher) nextSection(ctx context.Context, a *ahead) (*part, error) {
	select {
	case a.listing <- struct{}{}:
		defer func() { <-a.listing }()
	case <-a.stop:
		return nil, nil
	}
	for wait := aheadFirst; ; wait = min(2*wait, aheadMost) {
		f.mu.Lock()
		over := a.over || f.paused
		f.mu.Unlock()
		select {
		case <-a.stop:
			return nil, nil
		default:
		}
		var m tree.Manifest
		err := f.request(ctx, nil, func(ctx context.Context, _ *pulse) (err error) {
			m, err = a.src.Manifest(ctx, f.o.Folder, section(a.word.ID, len(a.parts)), a.base, sectionChunks)
			return err
		})
		switch {
		case err == nil:
			return a.add(m, f.newPart)
		case !isGone(err):
			return nil, err
		case over:
			return nil, nil
		}
		select {
		case <-a.stop:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-f.o.After(wait):
		}
	}
}

// add makes a part of a list, which is a peer's word.
func (a *ahead) add(m tree.Manifest, newPart func(File, tree.Manifest) *part) (*part, error) {
	least, most := chunk.Bounds(a.word.Size)
	var size int64
	for _, c := range m {
		size += int64(c.Len)
		if int(c.Len) < least || int(c.Len) > most || c.ID[0] != tree.HashBLAKE3 {
			return nil, fmt.Errorf("%w: a section of a file that is being read", chunk.ErrManifest)
		}
	}
	if len(m) != sectionChunks || size > a.word.Size-a.end {
		return nil, fmt.Errorf("%w: a section of %d chunks", chunk.ErrManifest, len(m))
	}
	p := newPart(a.file, m)
	for i := range p.at {
		p.at[i] += a.end
	}
	p.holes = true
	a.parts, a.end = append(a.parts, p), a.end+size
	return p, nil
}

// fetchSection asks for what p lacks.
func (f *Fetcher) fetchSection(ctx context.Context, a *ahead, p *part, c *catcher) error {
	for {
		select {
		case <-a.stop:
			return nil
		default:
		}
		f.mu.Lock()
		peer := f.peers[a.dev]
		if peer == nil || peer.bad || peer.src != a.src || f.paused {
			f.mu.Unlock()
			return nil
		}
		r := p.take(peer, f.o.Now())
		f.mu.Unlock()
		if r == nil {
			return nil
		}
		r.need = a.need
		f.fetchRun(ctx, r, c)
		p.mu.Lock()
		left, failed := r.left, p.failed
		p.mu.Unlock()
		if failed != nil || left > 0 {
			return errors.Join(failed, ctx.Err(), errShort)
		}
	}
}

// claim makes the part of n's content out of what was fetched ahead of its id, if
// that is the beginning of m: renamed, and with a note of what is in it.
func (f *Fetcher) claim(n *need, m tree.Manifest) {
	f.mu.Lock()
	at := slices.IndexFunc(f.aheads, func(a *ahead) bool { return a.word.Size == n.size && n.source(a.dev) != nil })
	if at < 0 {
		f.mu.Unlock()
		return
	}
	a := f.aheads[at]
	f.mu.Unlock()
	if !f.takeAhead(a) {
		return
	}
	select {
	case <-a.idle:
	case <-f.o.After(aheadGrace):
		a.cancel()
		<-a.idle
	}
	k := a.match(m)
	if k == nil {
		f.dropAhead(a)
		return
	}
	info, err := a.file.Stat()
	if err == nil {
		err = f.o.FS.RenameNoReplace(partName(a.word.ID), partName(n.content))
	}
	if err != nil { // as when an earlier run began with it
		f.o.Log.Debug("what was fetched ahead is not used", "err", err)
		f.dropAhead(a)
		return
	}
	if err := a.file.Close(); err != nil {
		return // what is there is read and checked
	}
	k.size, k.mtime = info.Size(), info.ModTime().UnixNano()
	n.kept, n.early = k, k.done-a.copied.Load()
}

// match says what of m is there; nil if what was fetched is something else.
func (a *ahead) match(m tree.Manifest) *kept {
	k := &kept{have: newBits(len(m))}
	i := 0
	for _, p := range a.parts {
		for j, c := range p.m {
			if i == len(m) || m[i] != c {
				return nil
			}
			if p.has(j) {
				k.have.set(i)
				k.done += int64(c.Len)
			}
			i++
		}
	}
	if k.done == 0 {
		return nil
	}
	return k
}

// donor is a file here that holds chunks which are likely to be wanted.
type donor struct {
	file File
	at   map[tree.ContentID]int64 // where its chunks are
}

// donor opens one that should hold a content; an empty one if there is none.
func (f *Fetcher) donor(ctx context.Context, id tree.ContentID) (d donor) {
	if id.IsZero() {
		return d
	}
	m, ok, err := f.o.Index.Manifest(ctx, id)
	if err != nil || !ok {
		return d
	}
	places, err := f.places(ctx, id)
	if err != nil {
		return d
	}
	for _, name := range places {
		if file, _, err := f.o.FS.Open(name); err == nil {
			d.file, d.at = file, make(map[tree.ContentID]int64, len(m))
			at := int64(0)
			for _, c := range m {
				d.at[c.ID] = at
				at += int64(c.Len)
			}
			return d
		}
	}
	return d
}

func (d donor) close() {
	if d.file != nil {
		d.file.Close()
	}
}

// give copies into p what the file holds of it, checked as what a peer sends.
func (d donor) give(ctx context.Context, p *part) error {
	var buf []byte
	for i, c := range p.m {
		at, ok := d.at[c.ID]
		if !ok || p.has(i) {
			continue
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		buf = slices.Grow(buf[:0], int(c.Len))[:c.Len]
		if _, err := d.file.ReadAt(buf, at); err != nil && !errors.Is(err, io.EOF) {
			return nil // the peer has it
		}
		if err := p.put(i, buf, nil); err != nil && !errors.Is(err, errWrong) {
			return err
		}
	}
	return nil
}
