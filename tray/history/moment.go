package history

import (
	"errors"
	"strconv"
	"strings"
	"time"
	"unicode"

	"fyne.io/fyne/v2/lang"
)

// What is wrong with a moment that a person has typed.
var (
	errNoMoment = errors.New("not a moment")
	errFuture   = errors.New("in the future")
)

// sentenceOf says it to the person.
func sentenceOf(err error) string {
	if errors.Is(err, errFuture) {
		return lang.L("That is still to come.")
	}
	return lang.L("Try 14:03, yesterday 9:00, 3 days ago, 20 Nov 18:00 or 2026-11-20 14:03.")
}

// parseMoment understands a moment in a person's words, in the zone of now. A day
// without a time is its end, as that is how one thinks of "as it was on Friday";
// nil is now.
func parseMoment(text string, now time.Time) (*time.Time, error) {
	words := strings.FieldsFunc(strings.ToLower(text), func(r rune) bool { return unicode.IsSpace(r) || r == ',' })
	if len(words) == 0 || len(words) == 1 && words[0] == "now" {
		return nil, nil
	}
	if len(words) > 8 {
		return nil, errNoMoment
	}
	t, err := read(words, now)
	switch {
	case err != nil:
		return nil, err
	case t.After(now):
		return nil, errFuture
	case t.Year() < 1970:
		return nil, errNoMoment
	}
	return &t, nil
}

func read(words []string, now time.Time) (time.Time, error) {
	if n := len(words); words[n-1] == "ago" {
		return ago(words[:n-1], now)
	}
	if words[0] == "last" || words[0] == "on" {
		words = words[1:]
	}
	var clock *[2]int
	var day []string
	for _, w := range words {
		switch c, ok := clockOf(w); {
		case w == "at" || w == "in" || w == "the":
		case ok && clock == nil:
			clock = &c
		case w == "morning" && clock == nil:
			clock = &[2]int{9, 0}
		case w == "noon" && clock == nil:
			clock = &[2]int{12, 0}
		case w == "evening" && clock == nil:
			clock = &[2]int{18, 0}
		default:
			day = append(day, w)
		}
	}
	if len(day) == 0 && clock == nil {
		return time.Time{}, errNoMoment
	}
	date, err := dayOf(day, now)
	if err != nil {
		return time.Time{}, err
	}
	if clock == nil {
		end := endOfDay(date)
		if end.After(now) && !date.After(now) {
			end = now
		}
		return end, nil
	}
	return time.Date(date.Year(), date.Month(), date.Day(), clock[0], clock[1], 0, 0, now.Location()), nil
}

// endOfDay is the last moment of a day.
func endOfDay(t time.Time) time.Time {
	return midnight(t).AddDate(0, 0, 1).Add(-time.Nanosecond)
}

func midnight(t time.Time) time.Time {
	return time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, t.Location())
}

// ago reads "3 days", "an hour", "2h", "90 min".
func ago(words []string, now time.Time) (time.Time, error) {
	if len(words) == 1 { // 2h
		i := strings.IndexFunc(words[0], func(r rune) bool { return !unicode.IsDigit(r) })
		if i <= 0 {
			return time.Time{}, errNoMoment
		}
		words = []string{words[0][:i], words[0][i:]}
	}
	if len(words) != 2 {
		return time.Time{}, errNoMoment
	}
	n, err := strconv.Atoi(words[0])
	switch {
	case words[0] == "a" || words[0] == "an" || words[0] == "one":
		n = 1
	case err != nil || n < 0 || n > 100_000:
		return time.Time{}, errNoMoment
	}
	switch strings.TrimSuffix(words[1], "s") {
	case "minute", "min", "m":
		return now.Add(-time.Duration(n) * time.Minute), nil
	case "hour", "h", "hr":
		return now.Add(-time.Duration(n) * time.Hour), nil
	case "day", "d":
		return now.AddDate(0, 0, -n), nil
	case "week", "w":
		return now.AddDate(0, 0, -7*n), nil
	case "month":
		return now.AddDate(0, -n, 0), nil
	case "year", "y":
		return now.AddDate(-n, 0, 0), nil
	}
	return time.Time{}, errNoMoment
}

// clockOf reads 14:03, 9.30, 9am.
func clockOf(w string) (c [2]int, ok bool) {
	if h, found := strings.CutSuffix(w, "am"); found {
		n, err := strconv.Atoi(h)
		return [2]int{n % 12}, err == nil && n >= 1 && n <= 12
	}
	if h, found := strings.CutSuffix(w, "pm"); found {
		n, err := strconv.Atoi(h)
		return [2]int{n%12 + 12}, err == nil && n >= 1 && n <= 12
	}
	h, m, found := strings.Cut(w, ":")
	if !found || len(m) != 2 || len(h) == 0 || len(h) > 2 {
		return c, false
	}
	hour, err := strconv.Atoi(h)
	minute, err2 := strconv.Atoi(m)
	if err != nil || err2 != nil || hour < 0 || hour > 23 || minute < 0 || minute > 59 {
		return c, false
	}
	return [2]int{hour, minute}, true
}

var shortMonths = [...]string{"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"}

// dayOf reads a day: nothing is today.
func dayOf(words []string, now time.Time) (time.Time, error) {
	switch len(words) {
	case 0:
		return now, nil
	case 1:
		return oneWord(words[0], now)
	case 2, 3:
		if len(words[0]) >= 3 && len(words) == 3 { // fri 20 nov
			if _, ok := weekdayOf(words[0]); ok {
				words = words[1:]
			}
		}
		return dated(words, now)
	case 4: // fri 20 nov 2026
		if _, ok := weekdayOf(words[0]); ok {
			return dated(words[1:], now)
		}
	}
	return time.Time{}, errNoMoment
}

func oneWord(w string, now time.Time) (time.Time, error) {
	switch w {
	case "today":
		return now, nil
	case "yesterday":
		return now.AddDate(0, 0, -1), nil
	case "week": // last week
		return now.AddDate(0, 0, -7), nil
	case "month":
		return now.AddDate(0, -1, 0), nil
	case "year":
		return now.AddDate(-1, 0, 0), nil
	}
	if d, ok := weekdayOf(w); ok {
		back := (int(now.Weekday()) - int(d) + 7) % 7
		if back == 0 {
			back = 7
		}
		return now.AddDate(0, 0, -back), nil
	}
	for _, form := range []string{"2006-01-02", "2006/01/02", "2.1.2006", "2/1/2006"} {
		if t, err := time.ParseInLocation(form, w, now.Location()); err == nil {
			return t, nil
		}
	}
	if t, err := time.ParseInLocation("2.1.", w, now.Location()); err == nil {
		return lastSuch(t.Month(), t.Day(), now)
	}
	return time.Time{}, errNoMoment
}

func weekdayOf(w string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); len(w) >= 3 && strings.HasPrefix(name, w) {
			return d, true
		}
	}
	return 0, false
}

// dated reads "20 nov", "nov 20", "20 november 2026".
func dated(words []string, now time.Time) (time.Time, error) {
	day, month, year := 0, time.Month(0), 0
	for _, w := range words {
		n, err := strconv.Atoi(strings.TrimRight(w, "."))
		m, isMonth := monthOf(w)
		switch {
		case isMonth && month == 0:
			month = m
		case err == nil && day == 0 && n >= 1 && n <= 31:
			day = n
		case err == nil && year == 0 && n >= 1970 && n <= 9999:
			year = n
		default:
			return time.Time{}, errNoMoment
		}
	}
	if day == 0 || month == 0 {
		return time.Time{}, errNoMoment
	}
	if year == 0 {
		return lastSuch(month, day, now)
	}
	return exactly(year, month, day, now)
}

func monthOf(w string) (time.Month, bool) {
	for i, short := range shortMonths {
		if name := strings.ToLower(time.Month(i + 1).String()); strings.HasPrefix(w, short) && strings.HasPrefix(name, strings.TrimRight(w, ".")) {
			return time.Month(i + 1), true
		}
	}
	return 0, false
}

// lastSuch is the day of that date that came last.
func lastSuch(m time.Month, d int, now time.Time) (time.Time, error) {
	for year := now.Year(); year >= now.Year()-8; year-- { // a 29 February may be long ago
		if t, err := exactly(year, m, d, now); err == nil && !midnight(t).After(now) {
			return t, nil
		}
	}
	return time.Time{}, errNoMoment
}

func exactly(y int, m time.Month, d int, now time.Time) (time.Time, error) {
	t := time.Date(y, m, d, 12, 0, 0, 0, now.Location())
	if t.Day() != d {
		return time.Time{}, errNoMoment
	}
	return t, nil
}
