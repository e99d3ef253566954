package transfer

import (
	"time"

	"pinion/engine/chunk"
	"pinion/engine/tree"
)

// stage is where a need stands.
type stage uint8

const (
	fresh   stage = iota // small: not yet looked for here
	looking              // small: being looked for here
	ready                // small: to be asked for. Big: to be begun or gone on with
	running              // small: asked for. Big: under way
	over                 // answered or dropped
)

// need is a content that jobs ask for. Guarded by Fetcher.mu, apart from part,
// which guards itself.
type need struct {
	content tree.ContentID
	size    int64
	jobs    []Job // empty while running: dropped, but not yet stopped
	sources []source
	urgent  bool
	final   bool // a job is Final
	stage   stage
	looked  bool // big: what can be done without a peer was done

	// of a big one
	part      *part  // while it has one open
	offered   bool   // what the part lacks is to be asked for
	cancel    func() // while running
	kept      *kept  // after it was set aside
	reusedAll bool   // what is here was made use of; owned by the runner
	early     int64  // bytes that came before it was asked for; owned by the runner

	asked            tree.DeviceID // of a small one that is running
	received, reused int64         // bytes
}

func (n *need) small() bool { return n.size <= chunk.SmallMax }

// class is the queue that it stands in: urgent ones are served first.
func (n *need) class() int {
	if n.urgent {
		return 0
	}
	return 1
}

// source is a device that announced a content.
type source struct {
	dev   tree.DeviceID
	gone  bool // it says that it has not got it
	lied  bool // what it sent was something else
	retry retry
}

// retry is when something that failed is tried again.
type retry struct {
	fails int
	until time.Time
}

func (r *retry) fail(now time.Time, first, most time.Duration) {
	wait := first << min(r.fails, 16)
	r.fails++
	r.until = now.Add(min(wait, most))
}

func (n *need) source(dev tree.DeviceID) *source {
	for i := range n.sources {
		if n.sources[i].dev == dev {
			return &n.sources[i]
		}
	}
	return nil
}

// announced notes that dev has the content (again).
func (n *need) announced(dev tree.DeviceID) {
	if s := n.source(dev); s != nil {
		s.gone = false
		return
	}
	n.sources = append(n.sources, source{dev: dev})
}

func (n *need) failed(dev tree.DeviceID, now time.Time) {
	if s := n.source(dev); s != nil {
		s.retry.fail(now, time.Second, 5*time.Minute)
	}
}

// drop takes off the jobs of which fn says so.
func (n *need) drop(fn func(Job) bool) (dropped int) {
	kept := n.jobs[:0]
	n.urgent = false
	for _, j := range n.jobs {
		if fn(j) {
			dropped++
			continue
		}
		kept = append(kept, j)
		n.urgent = n.urgent || j.Urgent
	}
	clear(n.jobs[len(kept):])
	n.jobs = kept
	return dropped
}

// outlook is what can be expected for a need.
type outlook uint8

const (
	nobody outlook = iota // nobody who may have it is connected: wait
	later                 // somebody is, but failed just now: wait until then
	usable                // ask
	gone                  // those who are connected have not got it
	lied                  // those who are connected sent something else
)

// outlook judges a need's sources. Called with f.mu held.
func (f *Fetcher) outlook(n *need, now time.Time) (outlook, time.Time) {
	var isGone, isLied, alive bool
	var first time.Time
	for i := range n.sources {
		s := &n.sources[i]
		isGone, isLied = isGone || s.gone, isLied || s.lied
		p := f.peers[s.dev]
		if s.gone || s.lied || p == nil || p.bad {
			continue
		}
		at := s.retry.until
		if p.rest.until.After(at) {
			at = p.rest.until
		}
		if !alive || at.Before(first) {
			alive, first = true, at
		}
	}
	switch {
	case alive && f.paused:
		return nobody, time.Time{}
	case alive && first.After(now):
		return later, first
	case alive:
		return usable, time.Time{}
	case isGone:
		return gone, time.Time{}
	case isLied:
		return lied, time.Time{}
	case n.final:
		return gone, time.Time{}
	}
	return nobody, time.Time{}
}

// may says whether p can be asked for n now; if not now but later, when.
// Called with f.mu held.
func (f *Fetcher) may(n *need, p *peer, now time.Time) (bool, time.Time) {
	s := n.source(p.dev)
	if s == nil || s.gone || s.lied {
		return false, time.Time{}
	}
	if s.retry.until.After(now) {
		return false, s.retry.until
	}
	return true, time.Time{}
}
