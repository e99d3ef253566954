package netproto

import (
	"context"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// load is somebody who takes from a bucket again and again, for a link that
// moves what was taken after a while.
type load struct {
	class   class
	portion int64
	link    time.Duration
	over    float64 // what passes for each byte taken

	moved int64 // guarded by the world's mu
}

// world runs loads against one bucket in virtual time.
type world struct {
	mu    sync.Mutex
	wire  int64 // passed and not yet told to the bucket
	total int64
	b     *bucket
}

func newWorld(rate int64) *world {
	w := &world{}
	w.b = newBucket(time.Now, func() int64 {
		w.mu.Lock()
		defer w.mu.Unlock()
		n := w.wire
		w.wire = 0
		return n
	})
	w.b.setRate(rate)
	return w
}

func (w *world) pass(n int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.wire += n
	w.total += n
}

func (w *world) sum() int64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.total
}

func (w *world) run(ctx context.Context, l *load) {
	for {
		t, err := w.b.take(ctx, l.portion, l.class)
		if err != nil {
			return
		}
		go func() {
			time.Sleep(l.link)
			w.pass(int64(float64(l.portion) * l.over))
			w.mu.Lock()
			l.moved += l.portion
			w.mu.Unlock()
			w.b.back(t)
		}()
	}
}

// TestBucketKeepsToItsRate: what passes as packets in ten seconds is within 5 %
// of the rate, whoever takes, with one peer and with several, on quick links and
// on slow ones, compressed and with packets' own bytes.
func TestBucketKeepsToItsRate(t *testing.T) {
	for _, rate := range []int64{20 << 10, 200 << 10, 1 << 20, 10 << 20} {
		for name, loads := range map[string][]*load{
			"one":        {{class: bulk, portion: rate / 10, link: time.Millisecond, over: 1.05}},
			"three":      {{class: bulk, portion: rate / 10, link: time.Millisecond, over: 1.05}, {class: bulk, portion: rate / 20, link: 80 * time.Millisecond, over: 1.1}, {class: urgent, portion: 4000, link: 10 * time.Millisecond, over: 1.2}},
			"compressed": {{class: urgent, portion: rate / 10, link: 5 * time.Millisecond, over: 0.3}},
			"far":        {{class: bulk, portion: rate / 10, link: 300 * time.Millisecond, over: 1}},
		} {
			synctest.Test(t, func(t *testing.T) {
				w := newWorld(rate)
				ctx, cancel := context.WithCancel(t.Context())
				for _, l := range loads {
					go w.run(ctx, l)
				}
				time.Sleep(2 * time.Second)
				for range 3 {
					before := w.sum()
					time.Sleep(10 * time.Second)
					if got := float64(w.sum()-before) / 10 / float64(rate); got < 0.95 || got > 1.05 {
						t.Errorf("%s at %d: %.3f of the rate", name, rate, got)
					}
				}
				cancel()
				time.Sleep(time.Second)
				w.b.stop()
			})
		}
	}
}

// TestBucketUnaskedBytesCount: what nobody waited for slows down those who wait.
func TestBucketUnaskedBytesCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 100 << 10
		w := newWorld(rate)
		ctx, cancel := context.WithCancel(t.Context())
		l := &load{class: bulk, portion: rate / 10, link: time.Millisecond, over: 1}
		go w.run(ctx, l)
		go func() {
			for ctx.Err() == nil {
				w.pass(rate / 20)
				time.Sleep(100 * time.Millisecond)
			}
		}()
		time.Sleep(20 * time.Second)
		w.mu.Lock()
		if got := float64(l.moved) / (20 * rate); got < 0.45 || got > 0.55 {
			t.Errorf("%.2f of the rate went to who waited, though half of it went past", got)
		}
		w.mu.Unlock()
		cancel()
		time.Sleep(time.Second)
		w.b.stop()
	})
}

// TestBucketUrgentGoesFirst: what is urgent waits for no more than what was let
// go before it, and what is not still gets its share.
func TestBucketUrgentGoesFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate = 200 << 10
		w := newWorld(rate)
		ctx, cancel := context.WithCancel(t.Context())
		for range 4 {
			go w.run(ctx, &load{class: bulk, portion: rate / 10, link: time.Millisecond, over: 1})
		}
		time.Sleep(3 * time.Second)
		began := time.Now()
		tk, err := w.b.take(ctx, 5000, urgent)
		if waited := time.Since(began); err != nil || waited > 150*time.Millisecond {
			t.Errorf("a small one waited for %v (%v)", waited, err)
		}
		w.b.back(tk)

		b := &load{class: bulk, portion: rate / 10, link: time.Millisecond, over: 1}
		u := &load{class: urgent, portion: rate / 10, link: time.Millisecond, over: 1}
		go w.run(ctx, b)
		go w.run(ctx, u)
		time.Sleep(10 * time.Second)
		w.mu.Lock()
		if b.moved == 0 || u.moved < 5*b.moved {
			t.Errorf("urgent moved %d bytes and a fifth of bulk %d", u.moved, b.moved)
		}
		w.mu.Unlock()
		cancel()
		time.Sleep(time.Second)
		w.b.stop()
	})
}

// TestBucketLetsGo: without a limit nobody waits, and who gives up leaves nothing
// behind.
func TestBucketLetsGo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newWorld(1000)
		first, err := w.b.take(t.Context(), 100_000, bulk) // a debt of 100 s
		if err != nil || first.n != 100_000 {
			t.Fatalf("%+v, %v", first, err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := w.b.take(ctx, 1, urgent); err == nil {
			t.Error("a byte passed while there was none")
		}
		done := make(chan error)
		go func() {
			_, err := w.b.take(t.Context(), 1, bulk)
			done <- err
		}()
		time.Sleep(time.Second)
		w.b.setRate(0)
		if err := <-done; err != errAnew {
			t.Errorf("who waited was told %v", err)
		}
		w.b.setRate(2000)
		w.b.back(first) // of an earlier rate: it counts for nothing
		w.b.mu.Lock()
		if w.b.level > 0 || len(w.b.wait[bulk])+len(w.b.wait[urgent]) != 0 {
			t.Errorf("level %d", w.b.level)
		}
		w.b.mu.Unlock()
		w.b.stop()
	})
}
