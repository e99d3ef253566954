package policy

import "time"

// Chosen is what a person has chosen.
type Chosen struct {
	Limits   Limits
	Rules    Rules
	Schedule []Window
}

// Facts are what is known of the conditions; the zero value is that nothing is,
// but for Charge.
type Facts struct {
	Power   Power
	Charge  int // of the battery, in percent; -1: not known
	Metered Known
	// Rate is what passed of late on all connections, in bytes a second; Wanting
	// says that more would have, had the link let it.
	Rate    int64
	Wanting bool
}

// Power is where the machine gets its power from.
type Power string

const (
	Battery Power = "battery"
	Mains   Power = "mains"
)

// Known is yes, no, or "" for not known.
type Known string

const (
	Yes Known = "yes"
	No  Known = "no"
)

// Hand is a pause by hand. Until nil: until it is resumed.
type Hand struct{ Until *time.Time }

// Input is all that a decision is made of. Now's location is the one whose
// clock on the wall the schedule follows.
type Input struct {
	Now    time.Time
	Chosen Chosen
	Facts  Facts
	Hand   *Hand // nil: none, or over
}

// Memory is what one decision leaves for the next. The zero value is a start.
type Memory struct {
	metered, battery, slow held
	slowSince              time.Time // since when it has been slow without a break; zero: it is not
	windows                uint64    // the open ones of the schedule, by their place
	windowsWaived          bool
}

// held is a cause that holds, or has lately.
type held struct {
	on     bool
	last   time.Time // when it was last so; of slow: when it began
	waived bool
}

// How long a cause goes on after it was last so.
const (
	meteredLinger = 30 * time.Second
	batteryLinger = 20 * time.Second
	slowFor       = 20 * time.Second // how long it has to be slow
	slowRetry     = 15 * time.Minute // after which a slow link is tried again

	chargeSlack = 3 // percent above BatteryBelow at which the battery's pause ends
	slowSlack   = 2 // times SlowBelow
)

// still says whether a cause holds, and remembers.
func (h *held) still(now time.Time, so bool, linger time.Duration) bool {
	switch {
	case so:
		h.on, h.last = true, now
	case h.on && (now.Before(h.last) || now.Sub(h.last) >= linger): // before: the clock was set back
		*h = held{}
	}
	return h.on
}

// Decide gives what may happen now, and when that has to be decided again at the
// latest, if nothing of the input changes.
func Decide(in Input, m Memory) (Verdict, Memory, time.Time) {
	open := openWindows(in.Now, in.Chosen.Schedule)
	if open != m.windows {
		m.windows, m.windowsWaived = open, false
	}
	v := Verdict{Do: Run, Limits: in.Chosen.Limits}
	if !m.windowsWaived {
		v.Limits = limitsOf(in.Chosen, open)
	}
	ask := func(do Do, cause Cause) {
		if do == Pause && v.Do != Pause || do == Small && v.Do == Run {
			v.Do, v.Cause = do, cause
		}
	}
	if in.Hand != nil {
		ask(Pause, ByHand)
	}
	if !m.windowsWaived {
		ask(strictest(in.Chosen.Schedule, open), BySchedule)
	}
	r := in.Chosen.Rules
	if m.metered.still(in.Now, in.Facts.Metered == Yes, meteredLinger) && !m.metered.waived {
		ask(r.OnMetered, ByMetered)
	}
	if m.battery.still(in.Now, onBattery(in, m), batteryLinger) && !m.battery.waived {
		ask(r.OnBattery, ByBattery)
	}
	if m.isSlow(in) && !m.slow.waived {
		ask(r.OnSlow, BySlow)
	}
	v.explain(in)
	return v, m, again(in, m)
}

// Waive is what a person's "resume" does to the causes that hold.
func (m Memory) Waive() Memory {
	m.metered.waived, m.battery.waived, m.slow.waived = m.metered.on, m.battery.on, m.slow.on
	m.windowsWaived = m.windows != 0
	return m
}

func onBattery(in Input, m Memory) bool {
	below := in.Chosen.Rules.BatteryBelow
	if in.Facts.Power != Battery {
		return false
	}
	if m.battery.on {
		below += chargeSlack
	}
	return in.Chosen.Rules.BatteryBelow == 0 || in.Facts.Charge < 0 || in.Facts.Charge < below
}

// trickle is what passes where nothing does: keep-alives. Who moves no faster is
// held up by something else than the link.
const trickle = 64

func (m *Memory) isSlow(in Input) bool {
	below := in.Chosen.Rules.SlowBelow
	if below == 0 {
		below = DefaultSlow
	}
	lim := in.Chosen.Limits
	limited := lim.Up > 0 && lim.Up < slowSlack*below || lim.Down > 0 && lim.Down < slowSlack*below
	if in.Chosen.Rules.OnSlow != Small || limited {
		m.slow, m.slowSince = held{}, time.Time{}
		return false
	}
	if m.slow.on {
		if in.Facts.Rate >= slowSlack*below || in.Now.Before(m.slow.last) || in.Now.Sub(m.slow.last) >= slowRetry {
			m.slow, m.slowSince = held{}, time.Time{}
		}
		return m.slow.on
	}
	switch {
	case !in.Facts.Wanting || in.Facts.Rate <= trickle || in.Facts.Rate >= below || in.Now.Before(m.slowSince):
		m.slowSince = time.Time{}
	case m.slowSince.IsZero():
		m.slowSince = in.Now
	case in.Now.Sub(m.slowSince) >= slowFor:
		m.slow = held{on: true, last: in.Now}
	}
	return m.slow.on
}

// explain fills in the words, the end, and what is small.
func (v *Verdict) explain(in Input) {
	switch v.Do {
	case Run:
		return
	case Small:
		if v.SmallFile = in.Chosen.Rules.SmallFile; v.SmallFile == 0 {
			v.SmallFile = DefaultSmall
		}
	}
	switch v.Cause {
	case ByHand:
		v.Reason, v.Until = "by hand", in.Hand.Until
	case BySchedule:
		v.Reason, v.Until = "by schedule", until(in.Now, in.Chosen.Schedule, v.Do)
	case ByMetered:
		v.Reason = "metered connection"
	case ByBattery:
		v.Reason = "on battery"
	case BySlow:
		v.Reason = "slow connection"
	}
}

// Sentence is the verdict as a person reads it; "" when all may move.
func (v Verdict) Sentence() string {
	switch {
	case v.Do == Pause && v.Cause == ByHand:
		return "paused by hand"
	case v.Do == Pause:
		return "paused: " + v.Reason
	case v.Do == Small:
		return "small files only: " + v.Reason
	}
	return ""
}

// again is when something ends or begins by itself.
func again(in Input, m Memory) time.Time {
	next := in.Now.Add(24 * time.Hour)
	sooner := func(t time.Time) {
		if t.After(in.Now) && t.Before(next) {
			next = t
		}
	}
	if in.Hand != nil && in.Hand.Until != nil {
		sooner(*in.Hand.Until)
	}
	for _, t := range edges(in.Now, in.Chosen.Schedule) {
		sooner(t)
	}
	if m.metered.on {
		sooner(m.metered.last.Add(meteredLinger))
	}
	if m.battery.on {
		sooner(m.battery.last.Add(batteryLinger))
	}
	if m.slow.on {
		sooner(m.slow.last.Add(slowRetry))
	} else if !m.slowSince.IsZero() {
		sooner(m.slowSince.Add(slowFor))
	}
	return next
}
