package policy

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Days is a set of weekdays, a bit each; 0 is every day.
type Days uint8

// Clock is a time of day in minutes, 0 to 24*60.
type Clock int

var dayNames = [7]string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// Has says whether d is one of them.
func (s Days) Has(d time.Weekday) bool { return s == 0 || s&(1<<d) != 0 }

// ParseDays reads "mon-fri,sun"; "" and "daily" are every day.
func ParseDays(text string) (Days, error) {
	text = strings.ToLower(strings.TrimSpace(text))
	if text == "" || text == "daily" {
		return 0, nil
	}
	var s Days
	for part := range strings.SplitSeq(text, ",") {
		from, to, span := strings.Cut(strings.TrimSpace(part), "-")
		first, ok := dayOf(from)
		last := first
		if span && ok {
			last, ok = dayOf(to)
		}
		if !ok {
			return 0, fmt.Errorf("%q is not a list of days such as mon-fri,sun", text)
		}
		for d := first; ; d = (d + 1) % 7 {
			s |= 1 << d
			if d == last {
				break
			}
		}
	}
	if s == 1<<7-1 {
		s = 0
	}
	return s, nil
}

func dayOf(text string) (int, bool) {
	text = strings.TrimSpace(text)
	for i, n := range dayNames {
		if len(text) >= 3 && strings.HasPrefix(text, n) && strings.HasPrefix(strings.ToLower(time.Weekday(i).String()), text) {
			return i, true
		}
	}
	return 0, false
}

// String gives runs of three and more as mon-fri, beginning with Monday.
func (s Days) String() string {
	if s == 0 {
		return ""
	}
	var parts []string
	for i := 1; i <= 7; i++ {
		last := i
		for last <= 7 && s&(1<<(last%7)) != 0 {
			last++
		}
		switch n := last - i; {
		case n >= 3:
			parts = append(parts, dayNames[i]+"-"+dayNames[(last-1)%7])
		default:
			for d := i; d < last; d++ {
				parts = append(parts, dayNames[d%7])
			}
		}
		i = last
	}
	return strings.Join(parts, ",")
}

func (s Days) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

func (s *Days) UnmarshalText(b []byte) (err error) {
	*s, err = ParseDays(string(b))
	return err
}

// ParseClock reads 8:00, 22:30, 24:00.
func ParseClock(text string) (Clock, error) {
	h, m, ok := strings.Cut(strings.TrimSpace(text), ":")
	hour, err1 := strconv.ParseUint(h, 10, 8)
	minute, err2 := strconv.ParseUint(m, 10, 8)
	c := Clock(hour*60 + minute)
	if !ok || err1 != nil || err2 != nil || len(h) > 2 || len(m) != 2 || minute > 59 || c > 24*60 {
		return 0, fmt.Errorf("%q is not a time of day such as 8:00 or 22:30", text)
	}
	return c, nil
}

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", c/60, c%60) }

func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c *Clock) UnmarshalText(b []byte) (err error) {
	*c, err = ParseClock(string(b))
	return err
}

// span is when the window that begins on a day is open. On a day on which that
// time does not exist it may be empty.
func (w Window) span(day time.Time) (from, to time.Time) {
	y, mo, d := day.Date()
	at := func(c Clock, more int) time.Time {
		return time.Date(y, mo, d+more, int(c/60), int(c%60), 0, 0, day.Location())
	}
	if w.To > w.From {
		return at(w.From, 0), at(w.To, 0)
	}
	return at(w.From, 0), at(w.To, 1)
}

// days are those on which a window may begin that matters at now, or within a
// week of it.
func days(now time.Time, from, to int) []time.Time {
	y, mo, d := now.Date()
	var list []time.Time
	for i := from; i <= to; i++ {
		list = append(list, time.Date(y, mo, d+i, 12, 0, 0, 0, now.Location()))
	}
	return list
}

func (w Window) open(now time.Time) bool {
	for _, day := range days(now, -1, 0) {
		if from, to := w.span(day); w.Days.Has(day.Weekday()) && !now.Before(from) && now.Before(to) {
			return true
		}
	}
	return false
}

// openWindows has a bit for each window that is open. More than MaxSchedule are
// refused before.
func openWindows(now time.Time, schedule []Window) (open uint64) {
	for i, w := range schedule[:min(len(schedule), MaxSchedule)] {
		if w.open(now) {
			open |= 1 << i
		}
	}
	return open
}

// strictest is what the open windows ask for.
func strictest(schedule []Window, open uint64) Do {
	do := Run
	for i, w := range schedule {
		if open&(1<<i) != 0 && (w.Do == Pause || w.Do == Small && do == Run) {
			do = w.Do
		}
	}
	return do
}

// limitsOf gives the limits that hold while these windows are open: the least of
// theirs, and where they say nothing the person's.
func limitsOf(c Chosen, open uint64) Limits {
	l := c.Limits
	var up, down int64
	for i, w := range c.Schedule {
		if open&(1<<i) != 0 && w.Do == Limit {
			up, down = stricter(up, w.Up), stricter(down, w.Down)
		}
	}
	if up != 0 {
		l.Up = max(0, up)
	}
	if down != 0 {
		l.Down = max(0, down)
	}
	return l
}

// stricter is the lesser of two limits of windows, in which 0 says nothing and
// Unlimited lifts.
func stricter(a, b int64) int64 {
	switch {
	case a == 0 || a < 0 && b > 0:
		return b
	case b > 0 && b < a:
		return b
	}
	return a
}

// edges are the moments near now at which a window opens or closes.
func edges(now time.Time, schedule []Window) (list []time.Time) {
	for _, w := range schedule {
		for _, day := range days(now, -1, 1) {
			if from, to := w.span(day); w.Days.Has(day.Weekday()) && from.Before(to) {
				list = append(list, from, to)
			}
		}
	}
	return list
}

// until is when the schedule asks for something less strict than do; nil if it
// does not within a week.
func until(now time.Time, schedule []Window, do Do) *time.Time {
	at := now
	for range 4 * MaxSchedule * 7 {
		next := time.Time{}
		for _, t := range edges(at, schedule) {
			if t.After(at) && (next.IsZero() || t.Before(next)) {
				next = t
			}
		}
		if next.IsZero() || next.Sub(now) > 7*24*time.Hour {
			return nil
		}
		if is := strictest(schedule, openWindows(next, schedule)); is != Pause && is != do {
			return &next
		}
		at = next
	}
	return nil
}
