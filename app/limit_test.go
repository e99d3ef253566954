package main

import (
	"strings"
	"testing"
	"time"

	"pinion/engine/control"
	"pinion/engine/policy"
	"pinion/engine/status"
)

func TestLimitAsksForWhatWasGiven(t *testing.T) {
	for _, c := range []struct {
		args []string
		want string
	}{
		{[]string{"limit"}, "settings"},
		{[]string{"limit", "--up", "200KiB"}, `set settings {"up":204800}`},
		{[]string{"limit", "--down", "5MB/s", "--lan", "no"}, `set settings {"down":5000000,"free_lan":true}`},
		{[]string{"limit", "--up", "unlimited", "--lan", "yes"}, `set settings {"up":0,"free_lan":false}`},
		{[]string{"limit", "--off"}, `set settings {"up":0,"down":0}`},
		{[]string{"rules"}, "settings"},
		{[]string{"rules", "--no-schedule"}, `set settings {"schedule":[]}`},
		{[]string{"rules", "--on-metered", "small"}, `set settings {"rules":{"on_battery":"pause","battery_below":20,"on_metered":"small","on_slow":"","slow_below":0,"small_file":0}}`},
		{[]string{"rules", "--schedule", "sat,sun 9:00-12:00 small", "--schedule", "22:00-6:00 limit up 1MiB down unlimited"}, `set settings {"schedule":[{"days":"sat,sun","from":"09:00","to":"12:00","do":"small"},{"days":"","from":"22:00","to":"06:00","do":"limit","up":1048576,"down":-1}]}`},
	} {
		b := newBench(t, status.State{})
		b.fake.settings.Rules = control.Rules{OnBattery: policy.Pause, BatteryBelow: 20}
		if out := b.run(c.args...); out.code != 0 {
			t.Errorf("%v: %+v", c.args, out)
		}
		b.askedFor(c.want)
	}
}

func TestLimitRefuses(t *testing.T) {
	for _, args := range []string{
		"limit --up much", "limit --up 5", "limit --lan perhaps", "limit --off --down 1MiB", "limit 5MB",
		"rules --on-battery stop", "rules --on-slow pause", "rules --battery-below 200", "rules --small-file unlimited", "rules --schedule tomorrow",
		"rules --no-schedule --schedule 8:00-9:00|pause", "rules --schedule 8:00-8:00|pause", "rules --schedule 8:00-9:00|limit", "rules --schedule 8:00-9:00|pause|up|5MB",
		"rules --schedule 8:00-9:00|limit|up", "rules --on-metered=",
	} {
		b := newBench(t, status.State{})
		words := strings.Fields(args)
		for i := range words {
			words[i] = strings.ReplaceAll(words[i], "|", " ")
		}
		if out := b.run(words...); out.code != 2 {
			t.Errorf("%s: %+v", args, out)
		}
	}
}

func TestRulesAreShown(t *testing.T) {
	b := newBench(t, status.State{})
	until := noon().Add(5 * time.Hour)
	b.fake.settings = control.Settings{
		Limits:   control.Limits{Up: 200 << 10},
		Rules:    control.Rules{OnBattery: policy.Pause, BatteryBelow: 30, OnMetered: policy.Small, OnSlow: policy.Run},
		Schedule: []control.Window{{Days: 1 << time.Monday, From: 480, To: 1020, Do: policy.Pause}, {From: 1320, To: 360, Do: policy.Limit, Up: policy.Unlimited}},
		Now:      control.Verdict{Do: policy.Pause, Cause: policy.BySchedule, Reason: "by schedule", Until: &until, Limits: control.Limits{Up: 5000}},
		Facts:    control.Facts{Power: policy.Battery, Charge: 42, Metered: policy.No},
	}
	want := `on battery   pause below 30 % (on battery now, 42 %)
on metered   small files only (it is not now)
on slow      run (below 32KiB/s)
small files  up to 1MiB
schedule     mon 08:00-17:00 pause
             22:00-06:00 limit up unlimited
now          paused: by schedule, until 17:00
`
	if out := b.run("rules"); out.out != want {
		t.Errorf("%s", out.out)
	}
	want = `up    200KiB/s
down  unlimited
lan   yes: the limits hold there, too
by the schedule these hold now: up 5kB/s, down unlimited
`
	if out := b.run("limit"); out.out != want {
		t.Errorf("%s", out.out)
	}
}
