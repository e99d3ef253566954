package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"pinion/app/show"
	"pinion/engine/config"
	"pinion/engine/control"
	"pinion/engine/policy"
)

// newLimit shows and sets how fast bytes may go.
func newLimit(a *app) *cobra.Command {
	var up, down, lan string
	var off bool
	cmd := &cobra.Command{
		Use: "limit", Short: "Show or set how fast bytes may go to other devices, and come from them", Args: takes(),
		Long: `Show or set how many bytes a second may go to all other devices together (--up), and come from them (--down).

  pinion limit                          what holds now
  pinion limit --up 200KiB --down 1MiB
  pinion limit --up unlimited
  pinion limit --lan no                 devices in the local network are not limited
  pinion limit --off                    neither direction is limited`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var change control.SettingsChange
			err := errors.Join(rateFlag(cmd, "up", up, &change.Up), rateFlag(cmd, "down", down, &change.Down))
			if err == nil && cmd.Flags().Changed("lan") {
				var holds bool
				holds, err = parseYes("--lan", lan)
				free := !holds
				change.FreeLAN = &free
			}
			if err != nil {
				return err
			}
			if off {
				if change.Up != nil || change.Down != nil {
					return usagef("give either --off or --up and --down")
				}
				change.Up, change.Down = new(int64), new(int64)
			}
			s, err := a.settings(cmd, change)
			if err != nil {
				return err
			}
			return a.answer(limitJSON{s.Limits, s.Now.Limits}, func() string { return limitText(s) })
		},
	}
	cmd.Flags().StringVar(&up, "up", "", "to other devices, a second, such as 200KiB or 5MB; unlimited lifts it")
	cmd.Flags().StringVar(&down, "down", "", "from other devices, the same")
	cmd.Flags().StringVar(&lan, "lan", "", "yes or no: whether that holds in the local network, too (yes unless set)")
	cmd.Flags().BoolVar(&off, "off", false, "lift both limits")
	return cmd
}

// limitJSON is what was set, and what holds now by the schedule.
type limitJSON struct {
	control.Limits
	Now control.Limits `json:"now"`
}

func limitText(s control.Settings) string {
	var b strings.Builder
	fmt.Fprintf(&b, "up    %s\ndown  %s\n", rateText(s.Limits.Up), rateText(s.Limits.Down))
	if s.Limits.Up > 0 || s.Limits.Down > 0 || s.Limits.FreeLAN {
		holds := "yes: the limits hold there, too"
		if s.Limits.FreeLAN {
			holds = "no: devices in the local network are not limited"
		}
		fmt.Fprintf(&b, "lan   %s\n", holds)
	}
	if n := s.Now.Limits; n != s.Limits {
		fmt.Fprintf(&b, "by the schedule these hold now: up %s, down %s\n", rateText(n.Up), rateText(n.Down))
	}
	return b.String()
}

func rateText(n int64) string {
	if n == 0 {
		return "unlimited"
	}
	return config.Size(n).String() + "/s"
}

// newRules shows and sets what is done by itself.
func newRules(a *app) *cobra.Command {
	var f ruleFlags
	cmd := &cobra.Command{
		Use: "rules", Short: "Show or set when syncing pauses by itself, or moves small files only", Args: takes(),
		Long: `Show or set when syncing pauses by itself, or moves small files only.

  pinion rules                                    what was set, and what comes of it now
  pinion rules --on-battery pause --battery-below 30
  pinion rules --on-metered small --small-file 1MiB
  pinion rules --schedule 'mon-fri 08:00-17:00 pause' --schedule '22:00-06:00 limit up 200KiB down unlimited'
  pinion rules --no-schedule

A schedule that is given takes the place of the one before. pinion resume overrules whatever holds at the moment, until it has ended.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			change, err := f.change(cmd, func() (control.Settings, error) { return a.settings(cmd, control.SettingsChange{}) })
			if err != nil {
				return err
			}
			s, err := a.settings(cmd, change)
			if err != nil {
				return err
			}
			if s.Schedule == nil {
				s.Schedule = []control.Window{}
			}
			return a.answer(rulesJSON{s.Rules, s.Schedule, s.Now, s.Facts}, func() string { return rulesText(s, a.options()) })
		},
	}
	f.define(cmd)
	return cmd
}

type rulesJSON struct {
	Rules    control.Rules    `json:"rules"`
	Schedule []control.Window `json:"schedule"`
	Now      control.Verdict  `json:"now"`
	Facts    control.Facts    `json:"facts"`
}

// ruleFlags are the flags of pinion rules.
type ruleFlags struct {
	battery, metered, slow string
	below                  int
	slowBelow, small       string
	schedule               []string
	none                   bool
}

func (f *ruleFlags) define(cmd *cobra.Command) {
	p := cmd.Flags()
	p.StringVar(&f.battery, "on-battery", "", "while the machine runs on battery: run, small (small files only) or pause")
	p.IntVar(&f.below, "battery-below", 0, "that holds only with less charge than so many percent; 0: with any")
	p.StringVar(&f.metered, "on-metered", "", "while the connection is metered: run, small or pause")
	p.StringVar(&f.slow, "on-slow", "", "while the connection is slow: run or small")
	p.StringVar(&f.slowBelow, "slow-below", "", "what a slow connection is, a second, such as 32KiB")
	p.StringVar(&f.small, "small-file", "", "up to what size a file is small, such as 1MiB")
	p.StringArrayVar(&f.schedule, "schedule", nil, "an entry `'[DAYS] FROM-TO pause|small|limit [up SIZE] [down SIZE]'`; may be given several times")
	p.BoolVar(&f.none, "no-schedule", false, "no schedule any more")
}

// change is what the flags ask for. The rules that are not named stay as they are.
func (f *ruleFlags) change(cmd *cobra.Command, now func() (control.Settings, error)) (control.SettingsChange, error) {
	var c control.SettingsChange
	given := cmd.Flags().Changed
	if given("schedule") && f.none {
		return c, usagef("give either --schedule or --no-schedule")
	}
	if given("schedule") || f.none {
		list := []control.Window{}
		for _, text := range f.schedule {
			w, err := config.ParseWindow(text)
			if err != nil {
				return c, usagef("--schedule: %v", err)
			}
			list = append(list, policy.Window(w))
		}
		c.Schedule = &list
	}
	if !given("on-battery") && !given("battery-below") && !given("on-metered") && !given("on-slow") && !given("slow-below") && !given("small-file") {
		return c, nil
	}
	s, err := now()
	if err != nil {
		return c, err
	}
	r := s.Rules
	for _, x := range []struct {
		flag, value string
		to          *policy.Do
	}{{"on-battery", f.battery, &r.OnBattery}, {"on-metered", f.metered, &r.OnMetered}, {"on-slow", f.slow, &r.OnSlow}} {
		if !given(x.flag) {
			continue
		}
		if *x.to = policy.Do(x.value); x.value == "" {
			return c, usagef("--%s takes run, small or pause", x.flag)
		}
	}
	if given("battery-below") {
		r.BatteryBelow = f.below
	}
	for _, x := range []struct {
		flag, value string
		to          *int64
	}{{"slow-below", f.slowBelow, &r.SlowBelow}, {"small-file", f.small, &r.SmallFile}} {
		if !given(x.flag) {
			continue
		}
		n, err := config.ParseSize(x.value)
		if err != nil || n < 0 {
			return c, usagef("--%s takes a size such as 32KiB or 1MiB, not %q", x.flag, x.value)
		}
		*x.to = int64(n)
	}
	if err := r.Check(); err != nil {
		return c, usagef("%v", err)
	}
	c.Rules = &r
	return c, nil
}

func rulesText(s control.Settings, o show.Options) string {
	var b strings.Builder
	r := s.Rules
	battery := doText(r.OnBattery)
	if r.BatteryBelow > 0 && r.OnBattery != policy.Run {
		battery += fmt.Sprintf(" below %d %%", r.BatteryBelow)
	}
	line := func(name, text, fact string) {
		if fact != "" {
			text += " (" + fact + ")"
		}
		fmt.Fprintf(&b, "%-12s %s\n", name, text)
	}
	line("on battery", battery, powerText(s.Facts))
	line("on metered", doText(r.OnMetered), map[policy.Known]string{policy.Yes: "it is now", policy.No: "it is not now"}[s.Facts.Metered])
	slow, small := config.Size(orElse(r.SlowBelow, policy.DefaultSlow)), config.Size(orElse(r.SmallFile, policy.DefaultSmall))
	line("on slow", doText(r.OnSlow), fmt.Sprintf("below %s/s", slow))
	line("small files", fmt.Sprintf("up to %s", small), "")
	for i, w := range s.Schedule {
		name := ""
		if i == 0 {
			name = "schedule"
		}
		line(name, config.Window(w).String(), "")
	}
	now := "everything may move"
	if text := s.Now.Sentence(); text != "" {
		now = text
		if s.Now.Until != nil {
			now += ", until " + show.Moment(*s.Now.Until, o.Now)
		}
	}
	line("now", now, "")
	return b.String()
}

func orElse(n, otherwise int64) int64 {
	if n == 0 {
		return otherwise
	}
	return n
}

func doText(d policy.Do) string {
	switch d {
	case policy.Small:
		return "small files only"
	case policy.Pause:
		return "pause"
	}
	return "run"
}

func powerText(f control.Facts) string {
	switch {
	case f.Power == policy.Battery && f.Charge >= 0:
		return fmt.Sprintf("on battery now, %d %%", f.Charge)
	case f.Power == policy.Battery:
		return "on battery now"
	case f.Power == policy.Mains:
		return "on mains now"
	}
	return ""
}

// settings changes what is given, if anything is, and gives the settings.
func (a *app) settings(cmd *cobra.Command, c control.SettingsChange) (control.Settings, error) {
	e, err := a.engine()
	if err != nil {
		return control.Settings{}, err
	}
	if c == (control.SettingsChange{}) {
		return e.Settings(cmd.Context())
	}
	return e.SetSettings(cmd.Context(), c)
}

// rateFlag reads a limit; 0 is none.
func rateFlag(cmd *cobra.Command, name, text string, to **int64) error {
	if !cmd.Flags().Changed(name) {
		return nil
	}
	n, err := config.ParseSize(strings.TrimSuffix(strings.TrimSpace(text), "/s"))
	if err != nil {
		return usagef("--%s takes bytes a second such as 200KiB or 5MB, or unlimited, not %q", name, text)
	}
	v := max(0, int64(n))
	if err := (policy.Limits{Up: v}).Check(); err != nil {
		return usagef("--%s %s: %v", name, text, err)
	}
	*to = &v
	return nil
}

func parseYes(flag, text string) (bool, error) {
	switch strings.ToLower(text) {
	case "yes", "on", "true":
		return true, nil
	case "no", "off", "false":
		return false, nil
	}
	return false, usagef("%s takes yes or no, not %q", flag, text)
}
