package history

import (
	"errors"
	"testing"
	"time"
)

func TestParseMoment(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 30, 0, 0, time.FixedZone("", 3600)) // a Saturday
	end := "23:59"
	for text, want := range map[string]string{
		"14:03": "future", "9:05": "2026-11-21 09:05", "9am": "2026-11-21 09:00", "12pm": "2026-11-21 12:00", "12am": "2026-11-21 00:00",
		"today": "2026-11-21 12:30", "today 9:05": "2026-11-21 09:05", "this is nonsense": "",
		"yesterday": "2026-11-20 " + end, "Yesterday 14:03": "2026-11-20 14:03", "yesterday at 14:03": "2026-11-20 14:03", "yesterday evening": "2026-11-20 18:00", "in the morning": "2026-11-21 09:00",
		"an hour ago": "2026-11-21 11:30", "2h ago": "2026-11-21 10:30", "90 minutes ago": "2026-11-21 11:00", "3 days ago": "2026-11-18 12:30", "a week ago": "2026-11-14 12:30",
		"1 month ago": "2026-10-21 12:30", "a year ago": "2025-11-21 12:30", "ago": "", "-3 days ago": "", "3 fortnights ago": "", "99999999 days ago": "", "5 days 2 hours ago": "",
		"friday": "2026-11-20 " + end, "fri 8:00": "2026-11-20 08:00", "saturday": "2026-11-14 " + end, "on Sunday": "2026-11-15 " + end, "last monday": "2026-11-16 " + end, "last week": "2026-11-14 " + end, "fr": "",
		"20 Nov": "2026-11-20 " + end, "nov 20 18:00": "2026-11-20 18:00", "Fri 20 Nov 18:00": "2026-11-20 18:00", "24 Dec": "2025-12-24 " + end, "20 november 2025": "2025-11-20 " + end, "29 feb": "2024-02-29 " + end,
		"31 feb": "", "32 nov": "", "20 nox": "", "20. Nov.": "2026-11-20 " + end,
		"2026-11-20": "2026-11-20 " + end, "2026-11-20 14:03": "2026-11-20 14:03", "2026/11/20": "2026-11-20 " + end, "20.11.2026": "2026-11-20 " + end, "20.11.": "2026-11-20 " + end, "20/11/2026 7:00": "2026-11-20 07:00",
		"2026-11-22": "future", "2027-01-01 10:00": "future", "1969-01-01": "", "25:00": "", "14:60": "", "1 2 3 4 5 6 7 8 9": "", "14:03 9:00": "",
	} {
		got, err := parseMoment(text, now)
		switch want {
		case "":
			if !errors.Is(err, errNoMoment) {
				t.Errorf("%q: %v, %v", text, got, err)
			}
		case "future":
			if !errors.Is(err, errFuture) {
				t.Errorf("%q: %v, %v", text, got, err)
			}
		default:
			if err != nil || got == nil || got.Format("2006-01-02 15:04") != want || got.Location() != now.Location() {
				t.Errorf("%q: %v, %v; want %s", text, got, err, want)
			}
		}
	}
	for _, text := range []string{"", "  ", "now", "NOW"} {
		if got, err := parseMoment(text, now); got != nil || err != nil {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
}

func FuzzParseMoment(f *testing.F) {
	now := time.Date(2026, 11, 21, 12, 30, 0, 0, time.UTC)
	f.Add("fri 20 nov 2026 14:03")
	f.Add("3 days ago")
	f.Fuzz(func(t *testing.T, text string) {
		if got, err := parseMoment(text, now); err == nil && got != nil && (got.After(now) || got.Year() < 1970) {
			t.Errorf("%q is %v", text, got)
		}
	})
}
