package present

import (
	"math"
	"strings"
	"testing"
	"testing/quick"
	"time"
	"unicode"
	"unicode/utf8"

	"pinion/engine/status"
)

var berlin = time.FixedZone("CET", 3600)

// now is a Saturday's noon.
func now() time.Time { return time.Date(2026, 11, 21, 12, 0, 0, 0, berlin) }

func TestWhen(t *testing.T) {
	at := func(y int, m time.Month, d, h, min int) time.Time { return time.Date(y, m, d, h, min, 0, 0, berlin) }
	for _, c := range []struct {
		t        time.Time
		when, at string
	}{
		{time.Time{}, "never", "never"},
		{now(), "just now", "today 12:00"},
		{now().Add(-59 * time.Second), "just now", "today 11:59"},
		{now().Add(59 * time.Second), "just now", "today 12:00"},
		{now().Add(-60 * time.Second), "a minute ago", "today 11:59"},
		{now().Add(-5*time.Minute - 50*time.Second), "5 minutes ago", "today 11:54"},
		{now().Add(-59*time.Minute - 59*time.Second), "59 minutes ago", "today 11:00"},
		{now().Add(-time.Hour), "today 11:00", "today 11:00"},
		{at(2026, 11, 21, 0, 0), "today 00:00", "today 00:00"},
		{at(2026, 11, 20, 23, 59), "yesterday 23:59", "yesterday 23:59"},
		{at(2026, 11, 20, 0, 0), "yesterday 00:00", "yesterday 00:00"},
		{at(2026, 11, 19, 14, 3), "Thu 19 Nov 14:03", "Thu 19 Nov 14:03"},
		{at(2026, 6, 1, 8, 0), "Mon 1 Jun 08:00", "Mon 1 Jun 08:00"},
		{at(2025, 11, 9, 14, 3), "2025-11-09 14:03", "2025-11-09 14:03"},
		{at(2026, 11, 21, 18, 0), "today 18:00", "today 18:00"},
		{at(2026, 11, 22, 8, 0), "tomorrow 08:00", "tomorrow 08:00"},
		{at(2027, 1, 2, 8, 0), "Sat 2 Jan 08:00", "Sat 2 Jan 08:00"},
		{at(2106, 1, 2, 8, 0), "2106-01-02 08:00", "2106-01-02 08:00"},
		{time.Date(2026, 11, 20, 22, 30, 0, 0, time.UTC), "yesterday 23:30", "yesterday 23:30"},
		{time.Date(2026, 11, 20, 23, 30, 0, 0, time.UTC), "today 00:30", "today 00:30"},
		{time.Unix(0, 0), "1970-01-01 01:00", "1970-01-01 01:00"},
	} {
		if got := When(c.t, now()); got != c.when {
			t.Errorf("When(%v): %q, want %q", c.t, got, c.when)
		}
		if got := At(c.t, now()); got != c.at {
			t.Errorf("At(%v): %q, want %q", c.t, got, c.at)
		}
	}
	// Shortly after midnight, five minutes ago was yesterday.
	if got := When(at(2026, 11, 20, 23, 57), at(2026, 11, 21, 0, 2)); got != "5 minutes ago" {
		t.Error(got)
	}
	if got := Until(at(2026, 11, 21, 18, 0), now()); got != "until 18:00" {
		t.Error(got)
	}
	if got := Until(at(2026, 11, 22, 8, 0), now()); got != "until tomorrow 08:00" {
		t.Error(got)
	}
}

func TestDuration(t *testing.T) {
	for _, c := range []struct {
		d    time.Duration
		left string
	}{
		{-time.Second, ""},
		{0, "less than a minute left"},
		{59 * time.Second, "less than a minute left"},
		{time.Minute, "about a minute left"},
		{89 * time.Second, "about a minute left"},
		{90 * time.Second, "about 2 minutes left"},
		{59 * time.Minute, "about 59 minutes left"},
		{59*time.Minute + 45*time.Second, "about an hour left"},
		{89 * time.Minute, "about an hour left"},
		{90 * time.Minute, "about 2 hours left"},
		{35 * time.Hour, "about 35 hours left"},
		{36 * time.Hour, "about 2 days left"},
		{240 * time.Hour, "about 10 days left"},
	} {
		if got := Left(c.d); got != c.left {
			t.Errorf("%v: %q, want %q", c.d, got, c.left)
		}
	}
	for _, s := range []int64{-1, math.MaxInt64, math.MinInt64} {
		if got := LeftOf(s); got != "" {
			t.Errorf("%d: %q", s, got)
		}
	}
	if got := LeftOf(125); got != "about 2 minutes left" {
		t.Error(got)
	}
}

func TestNumbers(t *testing.T) {
	for _, c := range [][2]string{
		{Files(0), "0 files"}, {Files(1), "1 file"}, {Files(12345), "12,345 files"}, {Files(math.MaxInt64), "9,223,372,036,854,775,807 files"},
		{Conflicts(1), "1 conflict"}, {Conflicts(12), "12 conflicts"},
		{Size(-5), "0 B"}, {Size(1_200_000), "1.2 MB"}, {Rate(1500), "1.5 kB/s"}, {Number(-1234), "-1,234"},
	} {
		if c[0] != c[1] {
			t.Errorf("%q, want %q", c[0], c[1])
		}
	}
}

func TestPercentSays100WhenAllIsDone(t *testing.T) {
	for _, c := range [][3]int64{
		{0, 0, 100}, {5, 0, 100}, {-1, 10, 0}, {0, 10, 0}, {1, 1000, 0}, {50, 100, 50}, {999, 1000, 99},
		{math.MaxInt64 - 1, math.MaxInt64, 99}, {math.MaxInt64, math.MaxInt64, 100},
	} {
		if got := Percent(c[0], c[1]); got != int(c[2]) {
			t.Errorf("%d of %d: %d, want %d", c[0], c[1], got, c[2])
		}
	}
	holds := func(done, total int64) bool {
		p := Percent(done, total)
		return p >= 0 && p <= 100 && (p == 100) == (done >= total)
	}
	if err := quick.Check(holds, nil); err != nil {
		t.Error(err)
	}
}

func TestFolderWords(t *testing.T) {
	for want, f := range map[string]status.Folder{
		"Up to date":               {State: status.Synced},
		"2 conflicts":              {State: status.Synced, Conflicts: 2},
		"Looking for changes":      {State: status.Scanning},
		"Sending to others":        {State: status.Syncing},
		"Syncing":                  {State: status.Syncing, Need: status.Need{Files: 1}},
		"Syncing, 43 %":            {State: status.Syncing, Need: status.Need{Files: 1}, Progress: status.Progress{BytesDone: 43, BytesTotal: 100}},
		"Syncing, 99 %":            {State: status.Syncing, Need: status.Need{Files: 1}, Progress: status.Progress{BytesDone: 100, BytesTotal: 100}},
		"Paused":                   {State: status.Paused},
		"Disk full":                {State: status.Full},
		"Waits for your answer":    {State: status.Held},
		"Disk or folder not there": {State: status.Missing},
		"Trouble":                  {State: status.Error},
		"Not known":                {State: "of a newer engine"},
	} {
		if got := FolderWords(f); got != want {
			t.Errorf("%+v: %q, want %q", f, got, want)
		}
	}
	seen := now().Add(-time.Hour)
	for want, d := range map[string]status.Device{
		"Connected":             {Connected: true, LastSeen: &seen},
		"Last seen today 11:00": {LastSeen: &seen},
		"Not seen yet":          {},
	} {
		if got := DeviceWords(d, now()); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestClean(t *testing.T) {
	for _, c := range [][2]string{
		{"", ""},
		{"letter.txt", "letter.txt"},
		{"Grüße 日本語 👩\u200d👩\u200d👧.txt", "Grüße 日本語 👩\u200d👩\u200d👧.txt"},
		{"a\nb\tc\rd", `a\nb\tc\rd`},
		{"\x1b[31mred\x00\x7f", `\x1b[31mred\x00\x7f`},
		{"photo\u202egpj.exe", `photo\u202egpj.exe`},
		{"\u2066x\u2069\u200f\u200b\ufeff", `\u2066x\u2069\u200f\u200b\ufeff`},
		{"a\u2028b\u3164c", `a\u2028b\u3164c`},
		{"bad\xff\xc3(", `bad\xff\xc3(`},
		{"<b>&amp; $(id) `id` '\"", "<b>&amp; $(id) `id` '\""}, // plain text: who reads markup escapes it
		{"o" + strings.Repeat("\u0301", 8), "o" + strings.Repeat("\u0301", 6) + `\u0301\u0301`},
	} {
		if got := Clean(c[0], 0); got != c[1] {
			t.Errorf("%q: %q, want %q", c[0], got, c[1])
		}
		if got := CleanName(c[0], 0); got != c[1] {
			t.Errorf("name %q: %q, want %q", c[0], got, c[1])
		}
	}
	if got := Clean("a long sentence", 8); got != "a long …" {
		t.Error(got)
	}
	if got := CleanName("a very long name of a report.pdf", 20); got != "a very …a report.pdf" {
		t.Error(got)
	}
	if got := CleanName("abcdefgh", 4); got != "abc…" {
		t.Error(got)
	}
}

func FuzzClean(f *testing.F) {
	f.Add("a\nb\u202e<b>\xff", 10)
	f.Add(strings.Repeat("é", 3000), 0)
	f.Add(strings.Repeat("\xff", 30), 7)
	f.Fuzz(func(t *testing.T, s string, max int) {
		for _, got := range []string{Clean(s, max), CleanName(s, max)} {
			if n := utf8.RuneCountInString(got); n > bound(max) {
				t.Fatalf("%d runes, at most %d", n, bound(max))
			}
			for _, r := range got {
				if r == utf8.RuneError && !strings.ContainsRune(s, r) || unicode.IsControl(r) || harmful(r) {
					t.Fatalf("%q holds %U", got, r)
				}
			}
		}
	})
}
