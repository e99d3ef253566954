package policy

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestDays(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "daily": "", "mon-sun": "", "mon-fri": "mon-fri", "sat,sun": "sat,sun", "fri-mon": "mon,fri-sun", "Monday, wed": "mon,wed", "sun-tue,thu": "mon,tue,thu,sun", "tue-wed": "tue,wed",
	} {
		d, err := ParseDays(text)
		if err != nil || d.String() != want {
			t.Errorf("%q is %q (%v), not %q", text, d, err, want)
		}
	}
	for _, text := range []string{"mo", "mon-", "-fri", "mon fri", "monkey", ",", "8"} {
		if d, err := ParseDays(text); err == nil {
			t.Errorf("%q is %q", text, d)
		}
	}
	for d := Days(0); d < 127; d++ {
		if again, err := ParseDays(d.String()); err != nil || again != d {
			t.Errorf("%07b is written as %q and read as %07b (%v)", d, d, again, err)
		}
	}
}

func TestClock(t *testing.T) {
	for text, want := range map[string]Clock{"0:00": 0, "08:05": 485, "23:59": 1439, "24:00": 1440} {
		if c, err := ParseClock(text); err != nil || c != want {
			t.Errorf("%q is %d (%v)", text, c, err)
		}
	}
	for _, text := range []string{"", "8", "8:5", "24:01", "-1:00", "8:60", "08:00:00", "+8:00", "008:00", "255:00"} {
		if c, err := ParseClock(text); err == nil {
			t.Errorf("%q is %v", text, c)
		}
	}
}

// TestUntil: when a pause by schedule ends, over midnight, over windows that touch
// and overlap, and on days in which the clock is changed.
func TestUntil(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	at := func(text string) time.Time {
		v, err := time.ParseInLocation("2006-01-02 15:04", text, berlin)
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	days := func(text string) Days {
		d, err := ParseDays(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	night := Window{From: 22 * 60, To: 6 * 60, Do: Pause}
	for name, c := range map[string]struct {
		now      string
		schedule []Window
		until    string // "" runs, "-" without an end
	}{
		"before midnight":               {"2026-11-21 23:00", []Window{night}, "2026-11-22 06:00"},
		"after midnight":                {"2026-11-22 05:59", []Window{night}, "2026-11-22 06:00"},
		"at its end":                    {"2026-11-22 06:00", []Window{night}, ""},
		"at its beginning":              {"2026-11-22 22:00", []Window{night}, "2026-11-23 06:00"},
		"begun on Friday, now Saturday": {"2026-11-21 03:00", []Window{{Days: days("fri"), From: 22 * 60, To: 6 * 60, Do: Pause}}, "2026-11-21 06:00"},
		"on Friday only":                {"2026-11-22 03:00", []Window{{Days: days("fri"), From: 22 * 60, To: 6 * 60, Do: Pause}}, ""},
		"two that touch":                {"2026-11-21 23:00", []Window{night, {From: 6 * 60, To: 8 * 60, Do: Pause}}, "2026-11-22 08:00"},
		"two that overlap":              {"2026-11-21 23:00", []Window{night, {From: 5 * 60, To: 7 * 60, Do: Pause}}, "2026-11-22 07:00"},
		"small inside it is no end":     {"2026-11-21 23:00", []Window{night, {From: 3 * 60, To: 4 * 60, Do: Small}}, "2026-11-22 06:00"},
		"all week":                      {"2026-11-21 23:00", []Window{{From: 0, To: 24 * 60, Do: Pause}}, "-"},
		"the weekend":                   {"2026-11-21 10:00", []Window{{Days: days("sat,sun"), From: 0, To: 24 * 60, Do: Pause}}, "2026-11-23 00:00"},
		"the night that is short":       {"2026-03-28 23:00", []Window{night}, "2026-03-29 06:00"},
		"the night that is long":        {"2026-10-24 23:00", []Window{night}, "2026-10-25 06:00"},
		"in the hour that is not there": {"2026-03-29 03:20", []Window{{From: 2*60 + 15, To: 4 * 60, Do: Pause}}, "2026-03-29 04:00"},
	} {
		v, _, _ := Decide(Input{Now: at(c.now), Chosen: Chosen{Schedule: c.schedule}}, Memory{})
		got := ""
		switch {
		case v.Do == Pause && v.Until == nil:
			got = "-"
		case v.Do == Pause:
			got = v.Until.Format("2006-01-02 15:04")
		}
		if got != c.until {
			t.Errorf("%s: until %q, not %q", name, got, c.until)
		}
	}
	short := at("2026-03-29 06:00").Sub(at("2026-03-28 22:00"))
	long := at("2026-10-25 06:00").Sub(at("2026-10-24 22:00"))
	if short != 7*time.Hour || long != 9*time.Hour {
		t.Errorf("those nights are %v and %v long", short, long)
	}
}

// TestEdges: between now and the moment that Decide names nothing changes by
// itself.
func TestEdges(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	rapid.Check(t, func(t *rapid.T) {
		var chosen Chosen
		for range rapid.IntRange(1, 4).Draw(t, "windows") {
			w := Window{
				Days: Days(rapid.IntRange(0, 126).Draw(t, "days")), From: Clock(rapid.IntRange(0, 24*60-1).Draw(t, "from")), To: Clock(rapid.IntRange(0, 24*60).Draw(t, "to")),
				Do: rapid.SampledFrom([]Do{Pause, Small}).Draw(t, "do"),
			}
			if w.Check() == nil {
				chosen.Schedule = append(chosen.Schedule, w)
			}
		}
		first := time.Date(2026, 3, 27, 0, 0, 0, 0, berlin)
		now := first.Add(time.Duration(rapid.Int64Range(0, int64(4*24*time.Hour)).Draw(t, "now")))
		v, m, again := Decide(Input{Now: now, Chosen: chosen}, Memory{})
		for _, at := range []time.Time{now.Add(again.Sub(now) / 2), again.Add(-time.Nanosecond)} {
			if w, _, _ := Decide(Input{Now: at, Chosen: chosen}, m); w.Do != v.Do {
				t.Fatalf("%s at %v, %s at %v, though nothing was to change before %v", v.Do, now, w.Do, at, again)
			}
		}
		if v.Until != nil {
			if w, _, _ := Decide(Input{Now: v.Until.Add(-time.Nanosecond), Chosen: chosen}, m); w.Do != v.Do && w.Do != Pause {
				t.Fatalf("%s until %v, but %s just before", v.Do, v.Until, w.Do)
			}
			if w, _, _ := Decide(Input{Now: *v.Until, Chosen: chosen}, m); w.Do == v.Do {
				t.Fatalf("%s until %v, and then still", v.Do, v.Until)
			}
		}
	})
}

func TestChecks(t *testing.T) {
	for _, l := range []Limits{{}, {Up: 1024}, {Down: 1 << 30, Up: 1 << 20}} {
		if err := l.Check(); err != nil {
			t.Errorf("%+v: %v", l, err)
		}
	}
	for _, l := range []Limits{{Up: 1}, {Down: -1}, {Up: 1 << 60}} {
		if l.Check() == nil {
			t.Errorf("%+v is let pass", l)
		}
	}
	for _, r := range []Rules{{}, {OnBattery: Pause, BatteryBelow: 100, OnMetered: Small, OnSlow: Small, SlowBelow: 5000, SmallFile: 1}, {OnBattery: Run}} {
		if err := r.Check(); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
	for _, r := range []Rules{{OnBattery: "stop"}, {OnSlow: Pause}, {OnMetered: Limit}, {BatteryBelow: 101}, {BatteryBelow: -1}, {SmallFile: -1}, {SlowBelow: -1}} {
		if r.Check() == nil {
			t.Errorf("%+v is let pass", r)
		}
	}
	for _, w := range []Window{{From: 5, To: 5, Do: Pause}, {From: -1, To: 5, Do: Pause}, {From: 24 * 60, To: 5, Do: Pause}, {To: 5}, {To: 5, Do: Run}, {To: 5, Do: Limit}, {To: 5, Do: Limit, Up: 3}, {To: 5, Do: Pause, Up: 5000}, {Days: 200, To: 5, Do: Pause}} {
		if w.Check() == nil {
			t.Errorf("%+v is let pass", w)
		}
	}
}
