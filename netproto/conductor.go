package netproto

import "time"

// maxMore is how many connections a session may have beside its first, each way.
const maxMore = 7

const (
	leastQueue = 25 * time.Millisecond
	mostQueue  = 120 * time.Millisecond
	// fastest is from which rate on nothing is restrained or spread: there it is
	// the processor that counts.
	fastest = 32 << 20
	// nearest is below which round trip one connection gets what there is.
	nearest = 2 * time.Millisecond
	// lossLasts is for how long a lost packet explains why a window is small.
	lossLasts = 3 * time.Second
	packet    = 1400
	leastRate = 4 << 10
)

// reading is what a session's connections say, together.
type reading struct {
	sent, lost int64         // bytes and packets so far
	rtt        time.Duration // the least round trip of what was acknowledged since the last reading; 0: nothing was
	smooth     time.Duration
	cwnd       int64         // all congestion windows
	more       int           // connections beside the first
	busy       time.Duration // in which there was something to send, so far
	waited     bool          // and it waited for the rate since the last reading
	limit      int64         // bytes a second that a person allows; 0: any
}

// conductor decides how fast a session's bulk goes, and over how many
// connections (SPEC.md, section 12). It is pure: what it knows are readings.
type conductor struct {
	base time.Duration // the way's own round trip
	rate float64       // bytes a second; 0: whatever the connections can take
	more int           // connections wanted beside the first

	begun  bool
	at     time.Time // of last
	last   reading
	low    time.Duration // the least round trip since at
	high   time.Duration // the greatest
	waited bool          // since at

	start   bool          // nothing is known of the way yet: the rate doubles
	width   float64       // what the narrowest part of the way can take, as far as it is known
	probes  int           // intervals in a row in which it could take more
	queue   time.Duration // behind which the last interval's packets stood
	speed   float64       // smoothed
	best    float64       // fading
	lossAt  time.Time
	held    int       // intervals in a row in which the windows held it back
	full    time.Time // since when the queue is too long though the rate is at its least
	learnt  time.Time // when base was last taken to be longer than it was thought to be
	crowded time.Time // since when the queue is too long

	helped    bool // more connections made it faster when there was bulk last
	trial     trial
	notBefore time.Time // the next trial
	pause     time.Duration
}

// trial is what was before more connections were opened.
type trial struct {
	at    time.Time // zero: there is none
	more  int
	speed float64
	mark  int64 // bytes sent when the new ones had settled; 0: not yet
	from  time.Time
}

// remembers is for how long what was found out of a way holds.
const remembers = 5 * time.Minute

// begin begins, or goes on after a rest.
func (c *conductor) begin(now time.Time, base time.Duration) {
	if now.Sub(c.at) > remembers {
		*c = conductor{base: base}
	}
	if c.base == 0 {
		c.base = base
	}
	c.begun, c.held, c.queue, c.speed, c.trial = false, 0, 0, 0, trial{}
	if c.rate == 0 && c.width == 0 && c.base >= far {
		c.start, c.rate = true, 32*packet/c.base.Seconds() // QUIC's first window
		if c.base > 5*far {
			c.rate /= 3
		}
	}
}

// far is from which round trip on a way is taken for one that may be slow: the
// first window of a connection alone could fill its queue for a second.
const far = 20 * time.Millisecond

// rest notes that there is nothing to send.
func (c *conductor) rest(now time.Time) {
	c.helped, c.more, c.at = c.more > 0 || c.helped, 0, now
}

// target is how long the queue may be.
func (c *conductor) target() time.Duration {
	t := min(max(c.base*6/10, leastQueue), mostQueue)
	if c.rate > 0 {
		t += time.Duration(1.5 * packet / c.rate * float64(time.Second))
	}
	return t
}

// step takes a reading and says whether it has drawn conclusions.
func (c *conductor) step(now time.Time, r reading) bool {
	if r.rtt > 0 {
		if c.base == 0 || r.rtt < c.base {
			c.base = r.rtt
		}
		if c.low == 0 || r.rtt < c.low {
			c.low = r.rtt
		}
		c.high = max(c.high, r.rtt)
	}
	c.waited = c.waited || r.waited
	if r.lost > c.last.lost {
		c.lossAt = now
	}
	if !c.begun {
		c.begun, c.at, c.last, c.more, c.crowded = true, now, r, r.more, now
		c.full = now
		return false
	}
	c.last.lost = r.lost
	if now.Sub(c.at) < max(min(r.smooth, 2*c.base), 50*time.Millisecond) {
		return false
	}
	i := c.interval(now, r)
	c.pace(now, i)
	c.open(now, r, i)
	c.at, c.last, c.low, c.high, c.waited = now, r, 0, 0, false
	return true
}

// interval is what happened since the last conclusions.
type interval struct {
	took  time.Duration
	speed float64
	busy  bool
	grew  time.Duration // of the queue
	known bool          // how long the queue is
	paced bool          // it is the rate that held it back

	passed float64 // speed, less what made the queue grow
}

func (c *conductor) interval(now time.Time, r reading) interval {
	i := interval{took: now.Sub(c.at)}
	i.speed = float64(r.sent-c.last.sent) / i.took.Seconds()
	i.busy = r.busy-c.last.busy > i.took*7/10
	i.paced = c.rate > 0 && c.waited && i.speed > 0.8*c.rate
	if c.low > 0 {
		queue := c.low - c.base
		if c.start {
			queue = c.high - c.base // it has not come to rest yet
		}
		i.grew, i.known, c.queue = queue-c.queue, true, queue
	}
	if c.speed == 0 {
		c.speed = i.speed
	}
	c.speed += (i.speed - c.speed) * min(1, i.took.Seconds()/0.5)
	// What passes the narrowest part while there is a queue before it, is what it
	// can take.
	i.passed = i.speed / (1 + max(-0.5, i.grew.Seconds()/i.took.Seconds()))
	return i
}

// pace finds the rate at which the queue stays about half as long as it may be.
func (c *conductor) pace(now time.Time, i interval) {
	target := c.target()
	over := i.known && c.queue > target
	if c.start && !over && i.speed <= fastest {
		if c.probes++; !i.paced || !i.known || c.queue >= target/4 {
			c.probes = 0
		} else if c.base < 5*far || c.probes > 1 { // a round trip later it shows
			c.rate, c.probes = 2*c.rate, 0
		}
		return
	}
	c.start = false
	if i.speed > fastest || c.rate == 0 && !(over && i.busy) {
		c.rate, c.width = 0, 0
		return
	}
	switch {
	case c.width == 0:
		c.width, c.best, c.full = i.passed, i.passed, now
	case i.known && i.busy && min(c.queue, c.queue-i.grew) > target/8:
		c.width += (i.passed - c.width) / 4
		c.probes = 0
	case i.known && i.paced && c.queue < target/8:
		c.probes++ // no queue: it could take more
		c.width *= 1 + 0.01*float64(min(c.probes, 8))
	}
	c.best = max(c.width, c.best*(1-0.05*min(1, i.took.Seconds())))
	least := max(c.best/4, leastRate)
	c.width = max(c.width, least)
	lack := float64(target/2-c.queue) / float64(max(i.took, c.base))
	c.rate = max(c.width*(1+min(max(0.5*lack, -0.4), 0.1)), least)
	if !over || c.rate > least {
		c.full = now
	} else if now.Sub(c.full) > 10*time.Second {
		c.base, c.full, c.learnt = c.low, now, now
	}
}

// open finds how many connections there should be.
func (c *conductor) open(now time.Time, r reading, i interval) {
	target := c.target()
	if !i.known || c.queue <= target {
		c.crowded = now
	} else if now.Sub(c.crowded) > 5*time.Second && c.more > 0 {
		c.more, c.crowded, c.trial = c.more/2, now, trial{}
		return
	}
	if c.trial.at != (time.Time{}) {
		c.judge(now, r, i)
		return
	}
	if c.wants(now, r, i) {
		c.held++
	} else {
		c.held = 0
	}
	enough := 2
	if c.helped {
		enough = 1
	}
	if c.held < enough || now.Before(c.notBefore) || r.more < c.more || c.more >= maxMore {
		return
	}
	c.trial = trial{at: now, more: c.more, speed: max(c.speed, i.speed)}
	c.held = 0
	if c.width == 0 { // the new ones begin with much at a time
		c.start, c.rate = true, 1.5*max(c.trial.speed, leastRate)
	}
	if c.more < 3 {
		c.more = 3
	} else {
		c.more = maxMore
	}
}

// wants says whether it is the congestion windows that hold the bulk back, because
// the link loses packets by itself.
func (c *conductor) wants(now time.Time, r reading, i interval) bool {
	trip := max(r.smooth, c.base).Seconds()
	windows := i.speed*trip > 0.4*float64(r.cwnd)
	paced := i.paced || r.limit > 0 && float64(r.cwnd) > 0.8*trip*float64(r.limit)
	short := c.queue < c.target() && (c.learnt.IsZero() || now.Sub(c.learnt) > time.Minute)
	lossy := c.helped || !c.lossAt.IsZero() && now.Sub(c.lossAt) < lossLasts
	return i.busy && !paced && windows && lossy && i.known && short && c.base >= nearest && i.speed < fastest
}

// judge sees whether the new connections have made it faster.
func (c *conductor) judge(now time.Time, r reading, i interval) {
	t := &c.trial
	switch {
	case !i.busy, i.paced && !c.start:
		*t = trial{} // there is no more to be had, or nothing to send: either is fine
		c.pause = 0
	case t.mark == 0:
		if now.Sub(t.at) > max(4*r.smooth, 200*time.Millisecond) {
			t.mark, t.from = r.sent, now
		}
	case now.Sub(t.from) > max(6*r.smooth, 600*time.Millisecond):
		if got := float64(r.sent-t.mark) / now.Sub(t.from).Seconds(); got < 1.1*t.speed {
			c.more, c.helped = t.more, t.more > 0
			c.pause = min(max(2*c.pause, 10*time.Second), 10*time.Minute)
			c.notBefore = now.Add(c.pause)
		} else {
			c.pause = 0
		}
		*t = trial{}
	}
}
