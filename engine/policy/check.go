package policy

import (
	"errors"
	"fmt"
)

// MaxSchedule is how many windows a schedule has at most.
const MaxSchedule = 50

// least is the lowest limit, in bytes a second: below it not even the words
// between devices would pass.
const least = 1 << 10

// most bounds what a person may write where bytes are meant.
const most = 1 << 50

// Check says in a sentence what is wrong with the limits.
func (l Limits) Check() error {
	return errors.Join(checkLimit(l.Up), checkLimit(l.Down))
}

func checkLimit(n int64) error {
	switch {
	case n == 0:
	case n < least:
		return errors.New("a limit is at least 1KiB a second; to stop everything, pause")
	case n > most:
		return errors.New("that is no limit: the link is slower")
	}
	return nil
}

// Check says in a sentence what is wrong with the rules.
func (r Rules) Check() error {
	for _, rule := range []struct {
		name string
		do   Do
	}{{"battery", r.OnBattery}, {"metered", r.OnMetered}, {"slow", r.OnSlow}} {
		switch rule.do {
		case "", Run, Small:
		case Pause:
			if rule.name == "slow" {
				return errors.New("on a slow link one can run, or move small files only; pausing would never end")
			}
		default:
			return fmt.Errorf("on %s one can run, move small files only, or pause, not %q", rule.name, rule.do)
		}
	}
	switch {
	case r.BatteryBelow < 0 || r.BatteryBelow > 100:
		return fmt.Errorf("a charge is 0 to 100 percent, not %d", r.BatteryBelow)
	case r.SlowBelow < 0 || r.SlowBelow > most:
		return errors.New("what a slow link is has to be a number of bytes a second")
	case r.SmallFile < 0 || r.SmallFile > most:
		return errors.New("the size of a small file has to be a number of bytes")
	}
	return nil
}

// Check says in a sentence what is wrong with the window.
func (w Window) Check() error {
	switch {
	case w.From < 0 || w.From >= 24*60 || w.To < 0 || w.To > 24*60:
		return errors.New("times of day are 00:00 to 24:00")
	case w.From == w.To:
		return errors.New("it begins when it ends; a whole day is 00:00-24:00")
	case w.Days >= 1<<7:
		return errors.New("a week has seven days")
	case w.Do == Limit && w.Up == 0 && w.Down == 0:
		return errors.New("a limit needs up, down, or both")
	case w.Do == Limit:
		return errors.Join(checkLimit(max(0, w.Up)), checkLimit(max(0, w.Down)))
	case w.Do != Pause && w.Do != Small:
		return fmt.Errorf("a schedule's entry says pause, small or limit, not %q", w.Do)
	case w.Up != 0 || w.Down != 0:
		return errors.New("up and down belong to limit")
	}
	return nil
}
