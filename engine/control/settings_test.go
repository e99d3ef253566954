package control_test

import (
	"context"
	"time"

	"pinion/engine/control"
	"pinion/engine/policy"
)

func (f *fake) Settings(context.Context) (control.Settings, error) {
	return someSettings(), f.ask("settings")
}

func (f *fake) SetSettings(_ context.Context, c control.SettingsChange) (control.Settings, error) {
	return someSettings(), f.ask("set settings %s %v %d %v %+v %v", *c.Name, c.Listen, *c.Up, *c.FreeLAN, *c.Rules, *c.Schedule)
}

func someSettings() control.Settings {
	until := time.Date(2026, 11, 21, 17, 0, 0, 0, time.UTC)
	return control.Settings{
		Name: "laptop", LAN: true, Limits: control.Limits{Up: 200 << 10}, Rules: control.Rules{OnMetered: policy.Small, BatteryBelow: 30},
		Schedule: []control.Window{{Days: 1<<time.Monday | 1<<time.Tuesday, From: 8 * 60, To: 24 * 60, Do: policy.Limit, Up: policy.Unlimited}, {From: 60, To: 30, Do: policy.Pause}},
		Now:      control.Verdict{Do: policy.Pause, Cause: policy.BySchedule, Reason: "by schedule", Until: &until},
		Facts:    control.Facts{Power: policy.Battery, Charge: 42, Metered: policy.Yes, Rate: 7},
	}
}

func settingsCalls(c control.Engine) map[string]func(context.Context) (any, error) {
	s := someSettings()
	name, up, yes := "laptop", int64(5000), true
	return map[string]func(context.Context) (any, error){
		"settings": func(x context.Context) (any, error) { return c.Settings(x) },
		"set settings laptop <nil> 5000 true {OnBattery: BatteryBelow:30 OnMetered:small OnSlow: SlowBelow:0 SmallFile:0} [{mon,tue 08:00 24:00 limit -1 0} { 01:00 00:30 pause 0 0}]": func(x context.Context) (any, error) {
			return c.SetSettings(x, control.SettingsChange{Name: &name, Up: &up, FreeLAN: &yes, Rules: &s.Rules, Schedule: &s.Schedule})
		},
	}
}
