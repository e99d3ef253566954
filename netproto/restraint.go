package netproto

import (
	"context"
	"sync"
	"time"
)

// restraint paces the bulk of a session, over all its connections, at the rate
// that its conductor has set. Urgent bytes (small contents) are not held up by
// big ones, but count: big ones get what they leave.
type restraint struct {
	now func() time.Time

	mu      sync.Mutex
	rate    float64            // guarded by mu: bytes a second; 0: as fast as it goes
	at      [classes]time.Time // guarded by mu: when the next byte of the class may go
	active  int                // guarded by mu: who has something to send
	since   time.Time          // guarded by mu: when busy was last reckoned
	busy    time.Duration      // guarded by mu: in which there was something to send
	waited  bool               // guarded by mu: somebody had to wait since the last look
	running bool               // guarded by mu: the conductor is at work
}

// paceBurst is how much may be saved up while nobody sends.
const paceBurst = 5 * time.Millisecond

// paces says whether there is a rate.
func (r *restraint) paces() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.rate > 0
}

// next is how many of n bytes to send at a time, after wait.
func (r *restraint) next(n int, c class) (int, time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rate == 0 {
		return n, 0
	}
	n = min(n, max(1<<10, min(int(r.rate*paceBurst.Seconds()), 16<<10)))
	now := r.now()
	took := time.Duration(float64(n) / r.rate * float64(time.Second))
	for k := c; k < classes; k++ {
		if least := now.Add(-paceBurst); r.at[k].Before(least) {
			r.at[k] = least
		}
		r.at[k] = r.at[k].Add(took)
	}
	wait := r.at[c].Add(-took).Sub(now)
	if wait > 0 {
		r.waited = true
	}
	return n, wait
}

// set makes this the rate.
func (r *restraint) set(rate float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.rate = rate
}

// unit is how many bytes of answers go to one connection at a time: little enough
// that none is waited for for long.
func (r *restraint) unit() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.rate == 0 {
		return 2 * leastUnit
	}
	return min(max(int(r.rate*0.02), leastUnit), mostUnit)
}

const (
	leastUnit = 16 << 10 // less does not pack well
	mostUnit  = 32 << 10
)

// begin says that there is something to send; end that it went.
func (r *restraint) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reckon()
	r.active++
}

// start says whether a conductor has to begin to work.
func (r *restraint) start() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	first := !r.running
	r.running = true
	return first
}

func (r *restraint) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reckon()
	r.active--
}

func (r *restraint) reckon() {
	now := r.now()
	if r.active > 0 {
		r.busy += now.Sub(r.since)
	}
	r.since = now
}

// look is how long there was something to send, in all, and whether it had to wait
// since the last look.
func (r *restraint) look() (busy time.Duration, waited bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reckon()
	waited, r.waited = r.waited, false
	return r.busy, waited
}

// rest ends the conductor's work, unless there is something to send.
func (r *restraint) rest() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.active > 0 {
		return false
	}
	r.running = false
	return true
}

// send writes p to out within what the conductor and the limits allow.
func (s *Session) send(ctx context.Context, out interface{ Write([]byte) (int, error) }, p []byte, c class) error {
	for len(p) > 0 {
		n, wait := s.restraint.next(len(p), c)
		if wait > time.Millisecond {
			t := time.NewTimer(wait)
			select {
			case <-t.C:
			case <-ctx.Done():
				t.Stop()
				return ctx.Err()
			}
		}
		if err := s.write(ctx, out, p[:n], c); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}
