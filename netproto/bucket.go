package netproto

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"
)

// class orders those who wait for a bucket.
type class int

const (
	urgent class = iota // small contents, lists, indexes
	bulk                // big contents
	classes
)

// bulkShare is the part of the bytes, one in so many, that bulk gets while urgent
// ones wait: so that what is under way goes on showing signs of life.
const bulkShare = 8

// bucket is what one direction of all limited sessions shares: bytes, which come
// at a rate and are taken before they are sent or asked for. What is taken is
// given back once it has gone (or come); what really went, as packets with all
// that belongs to them, is counted by spent. So the two never miss anything and
// count nothing twice for longer than it is under way, and what is not waited
// for, such as words on the control stream and acknowledgements, counts as well.
type bucket struct {
	now   func() time.Time
	spent func() int64 // bytes that went since the last call

	mu     sync.Mutex
	rate   int64 // bytes a second; 0: no limit
	life   int   // of the rate: what was taken in an earlier one is not given back
	level  int64 // bytes that may go now; less than zero after more went
	rest   int64 // of a byte, in nanoseconds times rate
	filled time.Time
	wait   [classes][]*waiter
	owed   int64 // to bulk, for what urgent ones got while it waited
	timer  *time.Timer
}

// waiter is a call of take that waits.
type waiter struct {
	n     int64
	ready chan struct{} // closed when it has what it wants
	got   ticket
	err   error
}

// ticket is what was taken.
type ticket struct {
	life int
	n    int64
}

func newBucket(now func() time.Time, spent func() int64) *bucket {
	return &bucket{now: now, spent: spent}
}

// burst is how much is saved up at most: a quarter of a second's worth.
func burst(rate int64) int64 { return max(rate/4, 1) }

// setRate begins anew with another rate; 0 is none. Who waits is told so.
func (b *bucket) setRate(rate int64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if rate == b.rate {
		return
	}
	b.spent()
	b.rate, b.level, b.rest, b.filled = rate, 0, 0, b.now()
	b.life++
	b.owed = 0
	for c := range b.wait {
		for _, w := range b.wait[c] {
			w.err = errAnew
			close(w.ready)
		}
		b.wait[c] = nil
	}
}

// errAnew says that the rate has changed: how much is taken at a time is another
// question now.
var errAnew = errors.New("another limit was set")

// limit is the rate, or 0 if there is none.
func (b *bucket) limit() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rate
}

// take waits until n bytes may go. More than burst at once puts the bucket into
// debt, which later ones wait for. errAnew: another rate was set meanwhile.
func (b *bucket) take(ctx context.Context, n int64, c class) (ticket, error) {
	b.mu.Lock()
	if b.rate == 0 || n <= 0 {
		b.mu.Unlock()
		return ticket{}, nil
	}
	w := &waiter{n: n, ready: make(chan struct{})}
	b.wait[c] = append(b.wait[c], w)
	b.grant()
	b.mu.Unlock()
	select {
	case <-w.ready:
		return w.got, w.err
	case <-ctx.Done():
	}
	b.mu.Lock()
	if i := slices.Index(b.wait[c], w); i >= 0 {
		b.wait[c] = slices.Delete(b.wait[c], i, i+1)
	}
	b.mu.Unlock()
	b.back(w.got)
	return ticket{}, ctx.Err()
}

// pass waits until the bucket is not in debt: for what can't be asked for by the
// byte.
func (b *bucket) pass(ctx context.Context) error {
	t, err := b.take(ctx, 1, urgent)
	b.back(t)
	return err
}

// back gives back what was taken, since it has gone, or never will.
func (b *bucket) back(t ticket) {
	if t.n == 0 {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if t.life == b.life && b.rate > 0 {
		b.level += t.n
		b.grant()
	}
}

// fill lets in what has come since it was called last, less what went.
func (b *bucket) fill() {
	now := b.now()
	passed := min(max(0, now.Sub(b.filled)), time.Minute)
	b.filled = now
	b.rest += int64(passed/time.Microsecond) * b.rate // mostRate holds this within an int64
	come := b.rest / 1e6
	b.rest -= come * 1e6
	b.level = min(b.level+come-b.spent(), burst(b.rate))
}

// grant serves those who wait, as far as there is something. Called with b.mu held.
func (b *bucket) grant() {
	if b.rate == 0 {
		return
	}
	b.fill()
	for {
		c := b.next()
		if c == classes {
			return
		}
		w := b.wait[c][0]
		if lack := min(w.n, burst(b.rate)) - b.level; lack > 0 {
			b.wake(lack)
			return
		}
		b.wait[c] = slices.Delete(b.wait[c], 0, 1)
		b.level -= w.n
		if c == bulk {
			b.owed = max(0, b.owed-w.n)
		} else if len(b.wait[bulk]) > 0 {
			b.owed = min(b.owed+max(1, w.n/(bulkShare-1)), burst(b.rate))
		}
		w.got = ticket{b.life, w.n}
		close(w.ready)
	}
}

// next is the class whose turn it is, or classes if nobody waits.
func (b *bucket) next() class {
	switch {
	case len(b.wait[urgent]) == 0 && len(b.wait[bulk]) == 0:
		return classes
	case len(b.wait[urgent]) == 0:
		return bulk
	case len(b.wait[bulk]) > 0 && b.owed >= min(b.wait[bulk][0].n, burst(b.rate)):
		return bulk
	}
	return urgent
}

// wake has grant called when lack has come.
func (b *bucket) wake(lack int64) {
	d := time.Duration(float64(lack)/float64(b.rate)*float64(time.Second)) + time.Millisecond
	if b.timer == nil {
		b.timer = time.AfterFunc(d, func() {
			b.mu.Lock()
			defer b.mu.Unlock()
			b.grant()
		})
		return
	}
	b.timer.Reset(d)
}

// stop lets everybody go and ends the timer.
func (b *bucket) stop() {
	b.setRate(0)
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.timer != nil {
		b.timer.Stop()
	}
}
