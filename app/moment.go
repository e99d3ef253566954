package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// parseSpan reads a time span: what time.ParseDuration reads, and days in front
// (1d, 1d12h).
func parseSpan(s string) (time.Duration, error) {
	text, days := s, 0
	if n, rest, ok := strings.Cut(s, "d"); ok {
		d, err := strconv.Atoi(n)
		if err != nil || d < 0 || d > 3650 {
			return 0, fmt.Errorf("%q is not a time span", s)
		}
		text, days = rest, d
	}
	var d time.Duration
	if text != "" || days == 0 {
		var err error
		if d, err = time.ParseDuration(text); err != nil {
			return 0, fmt.Errorf("%q is not a time span", s)
		}
	}
	d += time.Duration(days) * 24 * time.Hour
	if d <= 0 {
		return 0, fmt.Errorf("%q is no time at all", s)
	}
	return d, nil
}

// parseMoment reads a point in time as a person writes it, in now's time zone. A
// time of day alone is the next one (ahead) or the last one.
func parseMoment(s string, now time.Time, ahead bool) (time.Time, error) {
	for _, layout := range []string{"15:04", "15:04:05"} {
		t, err := time.ParseInLocation(layout, s, now.Location())
		if err != nil {
			continue
		}
		day := now.Day()
		at := func(day int) time.Time {
			return time.Date(now.Year(), now.Month(), day, t.Hour(), t.Minute(), t.Second(), 0, now.Location())
		}
		switch {
		case ahead && !at(day).After(now):
			day++
		case !ahead && at(day).After(now):
			day--
		}
		return at(day), nil
	}
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", "2006-01-02T15:04:05", "2006-01-02T15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a time", s)
}
