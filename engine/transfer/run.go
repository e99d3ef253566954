package transfer

import (
	"context"
	"errors"
	"time"

	"pinion/engine/tree"
)

// span is a row of chunks.
type span struct{ first, count int }

// run is what one request to a peer asks for of one part.
type run struct {
	need    *need
	part    *part
	peer    *peer
	spans   []span
	started time.Time

	// guarded by part.mu
	left   int   // chunks that have not come, from anywhere
	rest   int64 // their bytes
	got    int64 // bytes that this run brought
	cancel context.CancelCauseFunc
}

// maxSpans bounds the wants in a request.
const maxSpans = 64

func (r *run) covers(i int) bool {
	for _, s := range r.spans {
		if i >= s.first && i < s.first+s.count {
			return true
		}
	}
	return false
}

// came notes that a chunk is there. A run whose last chunk came from elsewhere
// is ended. Called with part.mu held.
func (r *run) came(i int, elsewhere bool) {
	if !r.covers(i) {
		return
	}
	r.left--
	r.rest -= int64(r.part.m[i].Len)
	if r.left == 0 && elsewhere && r.cancel != nil {
		r.cancel(errNotNeeded)
	}
}

func (r *run) add(i int) {
	if k := len(r.spans) - 1; k >= 0 && r.spans[k].first+r.spans[k].count == i {
		r.spans[k].count++
	} else {
		r.spans = append(r.spans, span{i, 1})
	}
	r.left++
	r.rest += int64(r.part.m[i].Len)
}

// take makes a run of the first chunks that nobody was asked for; nil if there
// are none.
func (p *part) take(peer *peer, now time.Time) *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left == 0 || p.failed != nil {
		return nil
	}
	r := &run{part: p, peer: peer, started: now}
	free := true // no chunk that is to be asked for was passed over
	for i := p.next; i < len(p.m); i++ {
		if p.have.has(i) || p.asked.has(i) || p.later.has(i) {
			if free {
				p.next = i + 1
			}
			continue
		}
		if r.rest >= peer.take || len(r.spans) == maxSpans {
			break
		}
		free = false
		p.asked.set(i)
		r.add(i)
	}
	if r.left == 0 {
		return nil
	}
	p.flying = append(p.flying, r)
	return r
}

// release takes a run off; what it did not bring may be asked for again.
func (p *part) release(r *run) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for k, other := range p.flying {
		if other == r {
			p.flying = append(p.flying[:k], p.flying[k+1:]...)
			break
		}
	}
	for _, s := range r.spans {
		for i := s.first; i < s.first+s.count; i++ {
			if !p.have.has(i) && !p.elsewhere(i) {
				p.asked.unset(i)
				p.next = min(p.next, i)
			}
		}
	}
}

// elsewhere says whether a run under way will bring chunk i. Called with p.mu held.
func (p *part) elsewhere(i int) bool {
	for _, r := range p.flying {
		if r.covers(i) {
			return true
		}
	}
	return false
}

// help makes a run for peer of the last half of what the slowest other run still
// lacks, if peer is likely to bring it much earlier. What is asked for twice
// already is left alone.
func (p *part) help(peer *peer, rateOf func(*peer) float64, now time.Time) *run {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed != nil {
		return nil
	}
	var slow *run
	var worst time.Duration
	for _, r := range p.flying {
		if r.peer == peer || r.left == 0 {
			continue
		}
		// Its own pace so far counts, and that it may have stopped altogether.
		ran := now.Sub(r.started)
		pace := float64(r.got) / max(ran.Seconds(), 1e-3)
		need := duration(r.rest, pace)
		if r.got == 0 {
			need = max(ran, duration(r.rest, rateOf(r.peer)))
		}
		mine := duration(r.rest, rateOf(peer))
		if rateOf(peer) == 0 {
			mine = time.Second
		}
		if need > worst && need > 2*mine+200*time.Millisecond {
			slow, worst = r, need
		}
	}
	if slow == nil {
		return nil
	}
	var lacking []int
	for _, s := range slow.spans {
		for i := s.first; i < s.first+s.count; i++ {
			if !p.have.has(i) && p.asks(i) < 2 {
				lacking = append(lacking, i)
			}
		}
	}
	r := &run{part: p, peer: peer, started: now}
	for _, i := range lacking[len(lacking)/2:] {
		if len(r.spans) < maxSpans {
			r.add(i)
		}
	}
	if r.left == 0 {
		return nil
	}
	p.flying = append(p.flying, r)
	return r
}

// asks is how many runs will bring chunk i. Called with p.mu held.
func (p *part) asks(i int) (n int) {
	for _, r := range p.flying {
		if r.covers(i) {
			n++
		}
	}
	return n
}

func duration(bytes int64, rate float64) time.Duration {
	if rate <= 0 {
		return 0
	}
	return time.Duration(min(float64(bytes)/rate, 1e6) * float64(time.Second))
}

// bigLane keeps one run of chunks under way with a peer.
func (f *Fetcher) bigLane(ctx context.Context, p *peer) {
	var c catcher
	for ctx.Err() == nil {
		f.mu.Lock()
		r, wait := f.takeRun(p, f.o.Now())
		changed := f.changed
		f.mu.Unlock()
		if r == nil {
			if f.wait(ctx, changed, wait) != nil {
				return
			}
			continue
		}
		f.fetchRun(ctx, r, &c)
	}
}

// helpEvery is how often an idle lane looks whether somebody else has become slow.
const helpEvery = 500 * time.Millisecond

// takeRun takes what p shall be asked for next, or says how long to wait for
// that. Called with f.mu held.
func (f *Fetcher) takeRun(p *peer, now time.Time) (*run, time.Duration) {
	if f.paused || p.bad {
		return nil, 0
	}
	if p.rest.until.After(now) {
		return nil, p.rest.until.Sub(now)
	}
	var wait time.Duration
	soonest := func(d time.Duration) {
		if wait == 0 || d < wait {
			wait = d
		}
	}
	var mine []*need
	for _, n := range f.active {
		if !n.offered {
			continue
		}
		ok, until := f.may(n, p, now)
		if !ok {
			if !until.IsZero() {
				soonest(until.Sub(now))
			}
			continue
		}
		if r := n.part.take(p, now); r != nil {
			r.need = n
			return r, 0
		}
		mine = append(mine, n)
	}
	if len(f.peers) > 1 {
		for _, n := range mine {
			if r := n.part.help(p, func(p *peer) float64 { return p.rate }, now); r != nil {
				r.need = n
				return r, 0
			}
			soonest(helpEvery)
		}
	}
	return nil, wait
}

// fetchRun asks for a run and sees to how it ended.
func (f *Fetcher) fetchRun(ctx context.Context, r *run, c *catcher) {
	wants := make([]tree.Want, len(r.spans))
	f.mu.Lock()
	var path tree.Path
	if len(r.need.jobs) > 0 {
		path = r.need.jobs[0].Entry.Path
	}
	f.mu.Unlock()
	for i, s := range r.spans {
		from, to := r.part.at[s.first], r.part.at[s.first+s.count]
		wants[i] = tree.Want{
			Content: r.need.content, Path: path,
			First: uint32(s.first), Count: uint32(s.count), Offset: from, Length: to - from,
		}
	}
	c.begin(f, r)
	started := func(cancel context.CancelCauseFunc) {
		r.part.mu.Lock()
		defer r.part.mu.Unlock()
		if r.cancel = cancel; r.left == 0 {
			cancel(errNotNeeded)
		}
	}
	err := f.request(ctx, started, func(ctx context.Context, beat *pulse) error {
		c.beat = beat
		return r.peer.src.Fetch(ctx, f.o.Folder, wants, c.sink, c.done)
	})
	r.part.release(r)
	f.endRun(ctx, r, c, err)
}

// endRun draws the conclusions from a request that has ended.
func (f *Fetcher) endRun(ctx context.Context, r *run, c *catcher, err error) {
	n, p, now := r.need, r.peer, f.o.Now()
	r.part.mu.Lock()
	left, got := r.left, r.got
	r.part.mu.Unlock()
	switch {
	case c.wrong != nil:
		f.lied(n, p, c.wrong)
		return
	case c.local != nil || left == 0 || innocent(ctx, err):
		err = nil
	case c.gone:
	case c.failed != nil:
		err = c.failed
	case err == nil:
		err = errShort
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	defer f.wake()
	p.paced(got, now.Sub(r.started), f.o.Limits.RunBytes)
	switch {
	case c.gone:
		if s := n.source(p.dev); s != nil {
			s.gone = true
		}
	case err != nil:
		f.o.Log.Debug("a run ended early", "device", p.dev.Short(), "err", err)
		n.failed(p.dev, now)
		if got == 0 {
			p.rest.fail(now, 250*time.Millisecond, time.Minute)
		}
	}
	if got > 0 {
		p.rest = retry{}
		if s := n.source(p.dev); s != nil && err == nil {
			s.retry = retry{}
		}
	}
}

// paced learns from a run how much to ask for in the next: about a second's
// worth, so that little is under way when peers change, and much when they are
// quick. Called with f.mu held.
func (p *peer) paced(bytes int64, took time.Duration, most int64) {
	if bytes < 64<<10 {
		return
	}
	rate := float64(bytes) / max(took.Seconds(), 1e-4)
	if p.rate == 0 {
		p.rate = rate
	}
	p.rate = (p.rate + rate) / 2
	switch {
	case took < 500*time.Millisecond && bytes >= p.take/2:
		p.take *= 2
	case took > 2*time.Second:
		p.take /= 2
	}
	p.take = max(min(p.take, most), 128<<10)
}

// catcher puts pieces together to chunks and hands these to the part.
type catcher struct {
	f      *Fetcher
	run    *run
	beat   *pulse
	want   int   // the span that is being answered
	chunk  int   // the chunk of it that comes next
	off    int64 // where its next piece begins
	buf    []byte
	wrong  error // the peer's fault
	local  error // our own
	failed error // what it said of a want that it could not answer
	gone   bool
}

// keepBuffer is how much of a buffer an idle lane holds on to.
const keepBuffer = 1 << 20

func (c *catcher) begin(f *Fetcher, r *run) {
	if cap(c.buf) > keepBuffer {
		c.buf = nil
	}
	*c = catcher{f: f, run: r, buf: c.buf[:0]}
	c.open()
}

func (c *catcher) open() {
	if c.want < len(c.run.spans) {
		c.chunk = c.run.spans[c.want].first
		c.off = c.run.part.at[c.chunk]
	}
	c.buf = c.buf[:0]
}

func (c *catcher) blame(what string) error {
	c.wrong = errors.New(what)
	return c.wrong
}

func (c *catcher) sink(i int, off int64, data []byte) error {
	c.beat.working()
	defer c.beat.waiting()
	if c.wrong != nil {
		return c.wrong
	}
	if i != c.want || i >= len(c.run.spans) || off != c.off {
		return c.blame("a piece out of turn")
	}
	c.f.received.Add(int64(len(data)))
	s, p := c.run.spans[i], c.run.part
	if c.off += int64(len(data)); c.off > p.at[s.first+s.count] {
		return c.blame("more bytes than were asked for")
	}
	for len(data) > 0 {
		size := int(p.m[c.chunk].Len)
		whole := data
		if len(c.buf) == 0 && len(data) >= size {
			whole, data = data[:size], data[size:]
		} else {
			n := min(size-len(c.buf), len(data))
			if c.buf == nil || cap(c.buf) < size {
				c.buf = append(make([]byte, 0, size), c.buf...)
			}
			c.buf, data = append(c.buf, data[:n]...), data[n:]
			if len(c.buf) < size {
				break
			}
			whole = c.buf
		}
		if err := c.accept(whole); err != nil {
			return err
		}
		c.buf = c.buf[:0]
		c.chunk++
	}
	return nil
}

func (c *catcher) accept(data []byte) error {
	r := c.run
	r.part.mu.Lock()
	r.got += int64(len(data))
	r.part.mu.Unlock()
	switch err := r.part.put(c.chunk, data, r); {
	case err == nil:
		return nil
	case errors.Is(err, errWrong):
		return c.blame("another hash")
	default:
		c.local = err
		return err
	}
}

func (c *catcher) done(i int, err error) {
	c.beat.working()
	defer c.beat.waiting()
	if i != c.want || i >= len(c.run.spans) {
		_ = c.blame("an end out of turn")
		return
	}
	s := c.run.spans[i]
	c.want++
	switch {
	case isGone(err):
		c.gone = true
	case err != nil:
		c.failed = err
	case c.wrong == nil && c.local == nil && c.chunk != s.first+s.count:
		_ = c.blame("fewer bytes than were asked for")
	}
	c.open()
}
