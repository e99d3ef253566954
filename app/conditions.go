package main

import (
	"context"
	"sync"

	"pinion/engine"
	"pinion/engine/policy"
	"pinion/platform/netcost"
	"pinion/platform/power"
)

// conditions tells the engine what the machine knows of its power and of what its
// connection costs, until ctx ends.
func conditions(ctx context.Context, told func(engine.Conditions)) {
	var mu sync.Mutex
	c := engine.Conditions{Charge: -1}
	change := func(f func()) {
		mu.Lock()
		defer mu.Unlock()
		f()
		told(c)
	}
	var watches sync.WaitGroup
	watches.Go(func() {
		power.Watch(ctx, func(s power.State) {
			change(func() {
				c.Charge = s.Charge
				c.Power = map[power.Source]policy.Power{power.Battery: policy.Battery, power.Mains: policy.Mains}[s.Source]
			})
		})
	})
	watches.Go(func() {
		netcost.Watch(ctx, func(s netcost.State) {
			change(func() {
				c.Metered = map[netcost.State]policy.Known{netcost.Metered: policy.Yes, netcost.Free: policy.No}[s]
			})
		})
	})
	watches.Wait()
}
