package policy

import (
	"testing"
	"time"
	_ "time/tzdata"
)

// start is a Saturday.
var start = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// plays decides for each of a case's steps in turn, each with the memory of the
// one before.
type step struct {
	after time.Duration // since start
	facts Facts
	waive bool // the person resumes before it
	hand  *Hand
	want  string // Verdict.Sentence
}

func TestCauses(t *testing.T) {
	metered, free := Facts{Metered: Yes}, Facts{Metered: No}
	onBattery := func(charge int) Facts { return Facts{Power: Battery, Charge: charge} }
	mains := Facts{Power: Mains, Charge: 50}
	moves := func(rate int64) Facts { return Facts{Rate: rate, Wanting: true} }
	s, m := time.Second, time.Minute
	later := start.Add(time.Hour)
	workday := Window{From: 11 * 60, To: 13 * 60, Do: Pause}
	for name, c := range map[string]struct {
		chosen Chosen
		steps  []step
	}{
		"nothing was chosen": {Chosen{}, []step{{0, metered, false, nil, ""}, {s, onBattery(1), false, nil, ""}, {m, moves(100), false, nil, ""}}},
		"by hand goes first": {Chosen{Rules: Rules{OnMetered: Small, OnBattery: Pause}}, []step{
			{0, metered, false, &Hand{}, "paused by hand"}, {s, onBattery(5), false, &Hand{&later}, "paused by hand"},
		}},
		"metered at once, free after a while": {Chosen{Rules: Rules{OnMetered: Pause}}, []step{
			{0, free, false, nil, ""}, {s, metered, false, nil, "paused: metered connection"},
			{10 * s, free, false, nil, "paused: metered connection"}, {30 * s, Facts{}, false, nil, "paused: metered connection"},
			{31 * s, free, false, nil, ""},
		}},
		"a link that comes and goes does not flap": {Chosen{Rules: Rules{OnMetered: Small}}, []step{
			{0, metered, false, nil, "small files only: metered connection"}, {20 * s, free, false, nil, "small files only: metered connection"},
			{25 * s, metered, false, nil, "small files only: metered connection"}, {50 * s, free, false, nil, "small files only: metered connection"},
			{54 * s, free, false, nil, "small files only: metered connection"}, {55 * s, free, false, nil, ""},
		}},
		"resumed by hand, until it has ended": {Chosen{Rules: Rules{OnMetered: Pause}}, []step{
			{0, metered, false, nil, "paused: metered connection"}, {s, metered, true, nil, ""}, {10 * m, metered, false, nil, ""},
			{11 * m, free, false, nil, ""}, {12 * m, free, false, nil, ""}, {13 * m, metered, false, nil, "paused: metered connection"},
		}},
		"a waiver is of that cause only": {Chosen{Rules: Rules{OnMetered: Pause, OnBattery: Small}}, []step{
			{0, metered, false, nil, "paused: metered connection"}, {s, metered, true, nil, ""},
			{2 * s, Facts{Metered: Yes, Power: Battery, Charge: 9}, false, nil, "small files only: on battery"},
		}},
		"battery below a charge": {Chosen{Rules: Rules{OnBattery: Pause, BatteryBelow: 30}}, []step{
			{0, onBattery(80), false, nil, ""}, {m, onBattery(30), false, nil, ""}, {2 * m, onBattery(29), false, nil, "paused: on battery"},
			{3 * m, onBattery(31), false, nil, "paused: on battery"}, {4 * m, mains, false, nil, ""},
			{5 * m, onBattery(-1), false, nil, "paused: on battery"},
		}},
		"a plug that is pulled and put back": {Chosen{Rules: Rules{OnBattery: Pause}}, []step{
			{0, onBattery(80), false, nil, "paused: on battery"}, {10 * s, mains, false, nil, "paused: on battery"}, {15 * s, onBattery(80), false, nil, "paused: on battery"},
			{20 * s, mains, false, nil, "paused: on battery"}, {35 * s, mains, false, nil, ""},
		}},
		"the stricter of two": {Chosen{Rules: Rules{OnBattery: Pause, OnMetered: Small}}, []step{
			{0, Facts{Metered: Yes, Power: Battery}, false, nil, "paused: on battery"},
		}},
		"slow for a while, then tried again": {Chosen{Rules: Rules{OnSlow: Small}}, []step{
			{0, moves(10 << 10), false, nil, ""}, {10 * s, moves(10 << 10), false, nil, ""}, {20 * s, moves(10 << 10), false, nil, "small files only: slow connection"},
			{10 * m, Facts{Rate: 5000}, false, nil, "small files only: slow connection"}, {16 * m, Facts{}, false, nil, ""},
			{17 * m, moves(9000), false, nil, ""}, {18 * m, moves(9000), false, nil, "small files only: slow connection"}, {19 * m, moves(1 << 20), false, nil, ""},
		}},
		"slow in one breath, and quick in the next": {Chosen{Rules: Rules{OnSlow: Small}}, []step{
			{0, moves(10 << 10), false, nil, ""}, {10 * s, moves(40 << 10), false, nil, ""}, {20 * s, moves(10 << 10), false, nil, ""}, {30 * s, moves(10 << 10), false, nil, ""},
		}},
		"not slow, only nothing to do": {Chosen{Rules: Rules{OnSlow: Small}}, []step{
			{0, Facts{Rate: 1000}, false, nil, ""}, {m, Facts{Rate: 1000}, false, nil, ""}, {2 * m, moves(10), false, nil, ""}, {3 * m, moves(10), false, nil, ""},
		}},
		"slow by its own limit": {Chosen{Rules: Rules{OnSlow: Small}, Limits: Limits{Up: 20 << 10}}, []step{
			{0, moves(10 << 10), false, nil, ""}, {m, moves(10 << 10), false, nil, ""},
		}},
		"a window": {Chosen{Schedule: []Window{workday}}, []step{
			{0, Facts{}, false, nil, "paused: by schedule"}, {59 * m, Facts{}, false, nil, "paused: by schedule"}, {60 * m, Facts{}, false, nil, ""},
		}},
		"a window is overruled until its end": {Chosen{Schedule: []Window{workday}}, []step{
			{0, Facts{}, false, nil, "paused: by schedule"}, {m, Facts{}, true, nil, ""}, {60 * m, Facts{}, false, nil, ""}, {23 * time.Hour, Facts{}, false, nil, "paused: by schedule"},
		}},
		"the clock is set back": {Chosen{Rules: Rules{OnMetered: Pause}}, []step{
			{time.Hour, metered, false, nil, "paused: metered connection"}, {0, free, false, nil, ""},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			var mem Memory
			for i, st := range c.steps {
				if st.waive {
					mem = mem.Waive()
				}
				now := start.Add(st.after)
				v, next, again := Decide(Input{Now: now, Chosen: c.chosen, Facts: st.facts, Hand: st.hand}, mem)
				mem = next
				if got := v.Sentence(); got != st.want {
					t.Errorf("step %d: %q, not %q", i, got, st.want)
				}
				if (v.Do == Small) != (v.SmallFile > 0) {
					t.Errorf("step %d: %s of %d bytes", i, v.Do, v.SmallFile)
				}
				if !again.After(now) {
					t.Errorf("step %d: again at %v, which is not later than %v", i, again, now)
				}
			}
		})
	}
}

func TestLimitsOfTheSchedule(t *testing.T) {
	night := Window{From: 22 * 60, To: 6 * 60, Do: Limit, Up: Unlimited}
	lunch := Window{From: 12 * 60, To: 13 * 60, Do: Limit, Up: 5000, Down: 9000}
	meal := Window{From: 11 * 60, To: 14 * 60, Do: Limit, Up: 7000, Down: Unlimited}
	own := Limits{Up: 100_000, Down: 200_000, FreeLAN: true}
	for name, c := range map[string]struct {
		hour     int
		schedule []Window
		want     Limits
	}{
		"none is open":             {8, []Window{night, lunch}, own},
		"lifts one direction":      {23, []Window{night}, Limits{Down: 200_000, FreeLAN: true}},
		"another limit":            {12, []Window{lunch}, Limits{Up: 5000, Down: 9000, FreeLAN: true}},
		"the least of two":         {12, []Window{meal, lunch}, Limits{Up: 5000, Down: 9000, FreeLAN: true}},
		"in whichever order":       {12, []Window{lunch, meal}, Limits{Up: 5000, Down: 9000, FreeLAN: true}},
		"one that is open, of two": {11, []Window{lunch, meal}, Limits{Up: 7000, FreeLAN: true}},
	} {
		v, _, _ := Decide(Input{Now: time.Date(2026, 11, 21, c.hour, 30, 0, 0, time.UTC), Chosen: Chosen{Limits: own, Schedule: c.schedule}}, Memory{})
		if v.Limits != c.want || v.Do != Run {
			t.Errorf("%s: %+v, not %+v", name, v.Limits, c.want)
		}
	}
}
