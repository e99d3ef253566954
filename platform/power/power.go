package power

import (
	"context"
	"time"
)

// Source is where the power comes from.
type Source int

const (
	Unknown Source = iota
	Battery
	Mains
)

// State is what is known.
type State struct {
	Source Source
	Charge int // of the batteries, in percent; -1: not known, or there is none
}

// every is how often is looked. A battery loses about a percent in so long.
const every = 30 * time.Second

// Watch calls told with what is known, and again whenever that changes, until ctx
// ends. On a machine without a battery it returns after the first call.
func Watch(ctx context.Context, told func(State)) { watch(ctx, read, told) }

// watch does it with a system's read, which also says whether there is a battery.
func watch(ctx context.Context, read func(context.Context) (State, bool), told func(State)) {
	last, battery := read(ctx)
	told(last)
	if !battery {
		return
	}
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		if now, _ := read(ctx); now != last {
			told(now)
			last = now
		}
	}
}
