package folder

import (
	"testing"

	"pinion/engine/apply"
	"pinion/engine/plan"
)

// A deep path brings all its directories along: a group is bounded by its actions,
// too.
func TestAGroupIsNoLargerThanApplyTakes(t *testing.T) {
	k := carry{c: &cycle{lim: Limits{}.withDefaults()}}
	for range 40 {
		k.ready = append(k.ready, &unit{actions: make([]plan.Action, 256)})
	}
	k.ready = append(k.ready, &unit{actions: make([]plan.Action, apply.MaxGroup+1)}) // can't be helped
	for left := len(k.ready); left > 0; {
		units, actions := k.takeReady(), 0
		for _, u := range units {
			actions += len(u.actions)
		}
		if len(units) == 0 || actions > apply.MaxGroup && len(units) > 1 {
			t.Fatalf("%d units with %d actions", len(units), actions)
		}
		left -= len(units)
	}
}
