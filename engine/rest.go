package engine

import (
	"context"
	"time"

	"pinion/engine/status"
)

const (
	// restAfter is how long nothing must have been under way for the engine to be at rest.
	restAfter = 3 * time.Second
	// muchWork is how long something must have been under way since the last rest for
	// the next one to be told: a save now and then is no work.
	muchWork = 2 * time.Second
)

// repose notices when much work has ended.
type repose struct {
	at   time.Time // when it looked last
	busy bool      // what it saw then
	work time.Duration
	free time.Time // since when nothing is under way
}

// over takes in a state and says whether the engine rests after much work.
func (r *repose) over(s status.State, now time.Time) bool {
	if passed := now.Sub(r.at); r.busy && passed > 0 {
		r.work += min(passed, refresh)
	}
	was := r.busy
	r.at, r.busy = now, underWay(s)
	if was && !r.busy {
		r.free = now
	}
	if r.busy || r.work < muchWork || now.Sub(r.free) < restAfter {
		return false
	}
	r.work = 0
	return true
}

// underWay says whether any folder is looked through or moves bytes.
func underWay(s status.State) bool {
	for _, f := range s.Folders {
		if f.State == status.Scanning || f.State == status.Syncing {
			return true
		}
	}
	return false
}

// rest gives back what much work has left behind.
func (e *Engine) rest(ctx context.Context) {
	for _, f := range e.list() {
		f.Rest(ctx)
	}
	if e.o.Rested != nil {
		e.o.Rested()
	}
}
