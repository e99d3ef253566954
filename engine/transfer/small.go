package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// lookAtOnce is how many small contents are looked for here together.
const lookAtOnce = 64

// lookAround looks for small contents here before anybody is asked for them.
func (f *Fetcher) lookAround(ctx context.Context) {
	buf := make([]byte, chunk.SmallMax)
	for ctx.Err() == nil {
		f.mu.Lock()
		needs, changed := f.takeFresh(), f.changed
		f.mu.Unlock()
		if len(needs) == 0 {
			if f.wait(ctx, changed, 0) != nil {
				return
			}
			continue
		}
		for _, n := range f.notHere(ctx, needs) {
			f.lookFor(ctx, n, buf)
		}
	}
}

// notHere lines those up for the lanes that are nowhere here, and gives the others.
func (f *Fetcher) notHere(ctx context.Context, needs []*need) (left []*need) {
	if f.o.Known == nil {
		return needs
	}
	ids := make([]tree.ContentID, len(needs))
	for i, n := range needs {
		ids[i] = n.content
	}
	known, err := f.o.Known(ctx, ids)
	if err != nil {
		return needs // it is met again with each
	}
	for i, n := range needs {
		if known[i] || n.size <= 0 || len(f.olderStages(n.content)) > 0 {
			left = append(left, n)
			continue
		}
		f.again(ctx, n, nil)
	}
	return left
}

// lookFor looks for one small content here.
func (f *Fetcher) lookFor(ctx context.Context, n *need, buf []byte) {
	if staged, m := f.adopt(ctx, n); staged != "" {
		_ = f.hand(ctx, n, staged, m) // has no error of its own
		return
	}
	data, found, err := f.findSmall(ctx, n, buf)
	switch {
	case err != nil:
		f.failSmall(ctx, n, err)
	case found:
		f.reused.Add(n.size)
		n.reused = n.size
		f.finishSmall(f.o.FS, n, data)
	default:
		f.again(ctx, n, nil)
	}
}

// takeFresh takes the next contents that were not yet looked for, the urgent ones
// apart. Called with f.mu held.
func (f *Fetcher) takeFresh() (out []*need) {
	for class := range f.fresh {
		for len(f.fresh[class]) > 0 && len(out) < lookAtOnce {
			n := f.fresh[class][0]
			f.fresh[class][0] = nil
			f.fresh[class] = f.fresh[class][1:]
			if n.stage == fresh {
				n.stage = looking
				out = append(out, n)
			}
		}
		if len(out) > 0 {
			break
		}
	}
	return out
}

// makeReady lines a small need up for the lanes, unless it was dropped. Called
// with f.mu held.
func (f *Fetcher) makeReady(n *need) {
	if n.stage == over {
		return
	}
	n.stage = ready
	f.ready[n.class()] = append(f.ready[n.class()], n)
}

// smallLane keeps one batch of small contents under way with a peer.
func (f *Fetcher) smallLane(ctx context.Context, p *peer) {
	b := &batch{f: f, p: p}
	for ctx.Err() == nil {
		f.mu.Lock()
		now := f.o.Now()
		needs, until := f.takeSmall(p, now)
		changed := f.changed
		f.mu.Unlock()
		if len(needs) == 0 {
			var wait time.Duration
			if !until.IsZero() {
				wait = max(until.Sub(now), time.Millisecond)
			}
			if f.wait(ctx, changed, wait) != nil {
				return
			}
			continue
		}
		b.run(ctx, needs)
	}
}

// maxBatchPaths bounds the bytes of paths and ids in a request.
const maxBatchPaths = 48 << 10

// takeSmall takes what p shall be asked for next, or says when to look again.
// Called with f.mu held.
func (f *Fetcher) takeSmall(p *peer, now time.Time) (batch []*need, again time.Time) {
	if f.paused || p.bad {
		return nil, time.Time{}
	}
	if p.rest.until.After(now) {
		return nil, p.rest.until
	}
	bytes, names := f.o.Limits.BatchBytes, maxBatchPaths
	for class := range f.ready {
		keep := f.ready[class][:0]
		for i, n := range f.ready[class] {
			if n.stage != ready {
				continue
			}
			if len(batch) == f.o.Limits.BatchFiles || bytes <= 0 || names <= 0 {
				keep = append(keep, f.ready[class][i:]...)
				break
			}
			ok, until := f.may(n, p, now)
			if !ok {
				keep = append(keep, n)
				if !until.IsZero() && (again.IsZero() || until.Before(again)) {
					again = until
				}
				continue
			}
			n.stage, n.asked = running, p.dev
			batch = append(batch, n)
			bytes -= n.size
			names -= len(n.jobs[0].Entry.Path) + 64
		}
		clear(f.ready[class][len(keep):])
		f.ready[class] = keep
	}
	return batch, again
}

// batch is the request that a small lane has under way.
type batch struct {
	f      *Fetcher
	p      *peer
	disk   FS // for its length
	ctx    context.Context
	beat   *pulse
	needs  []*need
	wants  []tree.Want
	at     int   // the want that is being answered
	got    int   // bytes of it
	fine   bool  // it came whole and was handed on
	any    bool  // something came
	wrong  error // with the bytes of this want
	broken error // with the whole answer
	buf    []byte
}

func (b *batch) run(ctx context.Context, needs []*need) {
	f := b.f
	b.ctx, b.needs, b.wants = ctx, needs, b.wants[:0]
	b.at, b.got, b.fine, b.any, b.wrong, b.broken = 0, 0, false, false, nil, nil
	f.mu.Lock()
	for _, n := range needs {
		w := tree.Want{Content: n.content, Whole: true, Length: n.size}
		if len(n.jobs) > 0 {
			w.Path = n.jobs[0].Entry.Path
		}
		b.wants = append(b.wants, w)
	}
	f.mu.Unlock()
	var end func()
	b.disk, end = batchOf(f.o.FS)
	defer end()
	err := f.request(ctx, nil, func(ctx context.Context, beat *pulse) error {
		b.beat = beat
		return b.p.src.Fetch(ctx, f.o.Folder, b.wants, b.sink, b.done)
	})
	if b.broken != nil {
		err = b.broken
	} else if err == nil && b.at < len(needs) {
		err = errShort
	}
	b.settle(err)
	clear(b.needs)
	b.needs = nil
}

// sink takes a piece. It fails only for what makes the rest of the answer
// meaningless.
func (b *batch) sink(i int, off int64, data []byte) error {
	b.beat.working()
	defer b.beat.waiting()
	if b.broken != nil {
		return b.broken
	}
	if i != b.at || i >= len(b.needs) || off != int64(b.got) && b.wrong == nil {
		return b.protocol("a piece out of turn")
	}
	b.any = true
	b.f.received.Add(int64(len(data)))
	n := b.needs[i]
	if b.wrong != nil || b.fine && len(data) == 0 {
		return nil
	}
	if int64(b.got+len(data)) > n.size {
		b.wrong = errors.New("more bytes than there are")
		return nil
	}
	if b.got > 0 || int64(len(data)) < n.size {
		b.buf = append(b.buf[:b.got], data...)
		data = b.buf
	}
	if b.got = len(data); int64(b.got) < n.size {
		return nil
	}
	if chunk.Sum(data) != n.content {
		b.wrong = errors.New("another hash")
		return nil
	}
	b.fine = true
	n.received = n.size
	b.f.finishSmall(b.disk, n, data)
	return nil
}

// done ends the answer to a want.
func (b *batch) done(i int, err error) {
	b.beat.working()
	defer b.beat.waiting()
	if i != b.at || i >= len(b.needs) {
		b.broken = b.protocol("an end out of turn")
		return
	}
	n, wrong, fine := b.needs[i], b.wrong, b.fine
	b.at, b.got, b.fine, b.wrong, b.any = i+1, 0, false, nil, true
	switch {
	case fine:
	case isGone(err):
		b.f.again(b.ctx, n, func() {
			if s := n.source(b.p.dev); s != nil {
				s.gone = true
			}
		})
	case err != nil:
		b.f.again(b.ctx, n, func() { n.failed(b.p.dev, b.f.o.Now()) })
	default:
		if wrong == nil {
			wrong = errShort
		}
		b.f.lied(n, b.p, wrong)
		b.f.again(b.ctx, n, nil)
	}
}

func (b *batch) protocol(what string) error {
	return fmt.Errorf("%s: want %d of %d", what, b.at, len(b.needs))
}

// settle lines up again what the request did not bring. The first of these may
// be what it broke at; the rest are not held against the peer.
func (b *batch) settle(err error) {
	f, now := b.f, b.f.o.Now()
	blame := err != nil && !innocent(b.ctx, err)
	f.mu.Lock()
	if blame && !b.any {
		b.p.rest.fail(now, 250*time.Millisecond, time.Minute)
	} else if b.any {
		b.p.rest = retry{}
	}
	f.mu.Unlock()
	if blame {
		f.o.Log.Debug("a batch ended early", "device", b.p.dev.Short(), "err", err)
	}
	first := b.at
	if b.fine {
		first++ // it was whole, only its end is missing
	}
	for i := first; i < len(b.needs); i++ {
		n := b.needs[i]
		f.again(b.ctx, n, func() {
			if blame && i == first {
				n.failed(b.p.dev, now)
			}
		})
	}
}

// again lines a small need up once more after note was taken, or answers its
// jobs if nobody has it.
func (f *Fetcher) again(ctx context.Context, n *need, note func()) {
	f.mu.Lock()
	if note != nil {
		note()
	}
	if n.stage == over {
		f.mu.Unlock()
		return
	}
	look, _ := f.outlook(n, f.o.Now())
	if look != gone && look != lied {
		f.makeReady(n)
		f.wake()
		f.mu.Unlock()
		return
	}
	f.mu.Unlock()
	err := ErrGone
	if look == lied {
		err = ErrLied
	}
	f.failSmall(ctx, n, err)
}

func (f *Fetcher) failSmall(ctx context.Context, n *need, err error) {
	f.mu.Lock()
	jobs := f.close(n)
	f.wake()
	f.mu.Unlock()
	for _, j := range jobs {
		f.deliver(Result{Job: j, Err: err})
	}
}

// batchOf gives an FS for many operations in a row.
func batchOf(disk FS) (FS, func()) {
	if b, ok := disk.(Batcher); ok {
		return b.Batch()
	}
	return disk, func() {}
}

// look lets Options.Sealed look at a content.
func (f *Fetcher) look(data []byte) Look {
	switch {
	case f.o.Sealed == nil:
		return Unlooked
	case f.o.Sealed(data):
		return Sealed
	}
	return Plain
}

// finishSmall stages a verified content for each job that asks for it.
func (f *Fetcher) finishSmall(disk FS, n *need, data []byte) {
	f.mu.Lock()
	received, reused := n.received, n.reused
	jobs := slices.Clone(f.close(n))
	f.mu.Unlock()
	look := f.look(data)
	for i, j := range jobs {
		staged, err := f.stageSmall(disk, n.content, data, &jobs[i].Entry)
		f.deliver(Result{Job: j, Staged: staged, Look: look, Received: received, Reused: reused, Err: err})
		received, reused = 0, n.size
	}
}
