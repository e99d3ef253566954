package config

import (
	"errors"
	"fmt"
	"strings"

	"pinion/engine/policy"
)

// Limits are how many bytes a second may go; 0: as many as can.
type Limits struct {
	Up   Size `toml:"up,omitempty" comment:"a second, such as 200KiB; unlimited unless given"`
	Down Size `toml:"down,omitempty"`
	// FreeLAN: they don't hold in the local network.
	FreeLAN bool `toml:"free_lan,omitempty" comment:"true: they don't hold in the local network"`
}

// Rules are policy.Rules as they stand in the file.
type Rules struct {
	OnBattery    string `toml:"on_battery,omitempty"`
	BatteryBelow int    `toml:"battery_below,omitempty" comment:"percent: only with less charge than this"`
	OnMetered    string `toml:"on_metered,omitempty"`
	OnSlow       string `toml:"on_slow,omitempty" comment:"run or small"`
	SlowBelow    Size   `toml:"slow_below,omitempty" comment:"a second: what a slow link is; 32KiB unless given"`
	SmallFile    Size   `toml:"small_file,omitempty" comment:"up to what size a file is small; 1MiB unless given"`
}

// Policy is the limits in bytes; unlimited is 0.
func (l Limits) Policy() policy.Limits {
	return policy.Limits{Up: max(0, int64(l.Up)), Down: max(0, int64(l.Down)), FreeLAN: l.FreeLAN}
}

// Policy is the rules in the words of their room.
func (r Rules) Policy() policy.Rules {
	return policy.Rules{
		OnBattery: policy.Do(r.OnBattery), BatteryBelow: r.BatteryBelow, OnMetered: policy.Do(r.OnMetered), OnSlow: policy.Do(r.OnSlow),
		SlowBelow: max(0, int64(r.SlowBelow)), SmallFile: max(0, int64(r.SmallFile)),
	}
}

// LimitsOf and RulesOf are the form of the file.
func LimitsOf(l policy.Limits) Limits {
	return Limits{Up: Size(l.Up), Down: Size(l.Down), FreeLAN: l.FreeLAN}
}

func RulesOf(r policy.Rules) Rules {
	return Rules{
		OnBattery: string(r.OnBattery), BatteryBelow: r.BatteryBelow, OnMetered: string(r.OnMetered), OnSlow: string(r.OnSlow),
		SlowBelow: Size(r.SlowBelow), SmallFile: Size(r.SmallFile),
	}
}

func (r Rules) check() error {
	if r.SlowBelow < 0 || r.SmallFile < 0 {
		return errors.New("slow_below and small_file can't be unlimited")
	}
	return r.Policy().Check()
}

// MaxSchedule is how many windows a schedule has at most.
const MaxSchedule = policy.MaxSchedule

// Window is a policy.Window written as "mon-fri 08:00-17:00 limit up 1MiB".
type Window policy.Window

// ParseWindow reads [DAYS] FROM-TO pause|small|limit [up SIZE] [down SIZE].
func ParseWindow(text string) (Window, error) {
	var w policy.Window
	words := strings.Fields(text)
	bad := fmt.Errorf("%q is not an entry such as 'mon-fri 08:00-17:00 pause' or '22:00-06:00 limit up 200KiB down 1MiB'", text)
	if len(words) > 0 && !strings.Contains(words[0], ":") {
		var err error
		if w.Days, err = policy.ParseDays(words[0]); err != nil {
			return Window{}, err
		}
		words = words[1:]
	}
	if len(words) < 2 {
		return Window{}, bad
	}
	from, to, _ := strings.Cut(words[0], "-")
	var err1, err2 error
	w.From, err1 = policy.ParseClock(from)
	w.To, err2 = policy.ParseClock(to)
	if err := errors.Join(err1, err2); err != nil {
		return Window{}, bad
	}
	w.Do = policy.Do(words[1])
	for words = words[2:]; len(words) > 0; words = words[2:] {
		if len(words) == 1 || w.Do != policy.Limit {
			return Window{}, bad
		}
		n, err := ParseSize(words[1])
		switch {
		case err != nil:
			return Window{}, err
		case words[0] == "up":
			w.Up = max(policy.Unlimited, int64(n))
		case words[0] == "down":
			w.Down = max(policy.Unlimited, int64(n))
		default:
			return Window{}, bad
		}
	}
	if err := w.Check(); err != nil {
		return Window{}, fmt.Errorf("%q: %w", text, err)
	}
	return Window(w), nil
}

func (w Window) String() string {
	text := fmt.Sprintf("%s-%s %s", w.From, w.To, w.Do)
	if w.Days != 0 {
		text = w.Days.String() + " " + text
	}
	if w.Up != 0 {
		text += " up " + Size(w.Up).String()
	}
	if w.Down != 0 {
		text += " down " + Size(w.Down).String()
	}
	return text
}

func (w Window) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

func (w *Window) UnmarshalText(b []byte) (err error) {
	*w, err = ParseWindow(string(b))
	return err
}
