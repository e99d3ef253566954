package power

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

func TestWatchTellsChangesOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		states := []State{{Mains, 50}, {Mains, 50}, {Battery, 50}, {Battery, 49}, {Battery, 49}}
		looks := 0
		read := func(context.Context) (State, bool) {
			s := states[min(looks, len(states)-1)]
			looks++
			return s, true
		}
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
		defer cancel()
		var told []State
		watch(ctx, read, func(s State) { told = append(told, s) })
		if want := []State{{Mains, 50}, {Battery, 50}, {Battery, 49}}; !slices.Equal(told, want) {
			t.Errorf("told %v, not %v", told, want)
		}
		if looks > 21 {
			t.Errorf("looked %d times in ten minutes", looks)
		}
	})
}

func TestWatchEndsWhereThereIsNoBattery(t *testing.T) {
	looks := 0
	watch(t.Context(), func(context.Context) (State, bool) { looks++; return State{Charge: -1}, false }, func(State) {})
	if looks != 1 {
		t.Errorf("looked %d times", looks)
	}
}

func TestParsePmset(t *testing.T) {
	for text, want := range map[string]State{
		"Now drawing from 'Battery Power'\n -InternalBattery-0 (id=4653155)\t63%; discharging; 5:12 remaining present: true\n": {Battery, 63},
		"Now drawing from 'AC Power'\n -InternalBattery-0 (id=4653155)\t100%; charged; 0:00 remaining present: true\n":         {Mains, 100},
		"Now drawing from 'AC Power'\n": {Mains, -1},
		"":                              {Unknown, -1},
		"Now drawing from 'UPS Power'\n -UPS (id=1)\t1234%; x\n": {Battery, -1},
	} {
		if got := parsePmset(text); got != want {
			t.Errorf("%q is %+v, not %+v", text, got, want)
		}
	}
}
