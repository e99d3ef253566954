package present

import (
	"time"

	"fyne.io/fyne/v2/lang"
	"github.com/dustin/go-humanize"

	"pinion/engine/status"
)

type data = map[string]any

// When says when t was, as a person would: "just now", "5 minutes ago", "today
// 14:03", "yesterday 14:03", "Mon 9 Nov 14:03", "2025-11-09 14:03". In the zone of
// now. A time that is not known is "never".
func When(t, now time.Time) string {
	d := now.Sub(t)
	switch {
	case t.IsZero():
		return lang.L("never")
	case d > -time.Minute && d < time.Minute: // a little ahead: clocks of devices differ
		return lang.L("just now")
	case d >= time.Minute && d < 2*time.Minute:
		return lang.L("a minute ago")
	case d >= time.Minute && d < time.Hour:
		n := int(d / time.Minute)
		return lang.N("{{.N}} minutes ago", n, data{"N": n})
	}
	return At(t, now)
}

// At is When without what goes stale while somebody looks at it: "today 14:03".
func At(t, now time.Time) string {
	if t.IsZero() {
		return lang.L("never")
	}
	t = t.In(now.Location())
	clock := data{"Time": t.Format("15:04")}
	switch days := daysBetween(t, now); {
	case days == 0:
		return lang.L("today {{.Time}}", clock)
	case days == 1:
		return lang.L("yesterday {{.Time}}", clock)
	case days == -1:
		return lang.L("tomorrow {{.Time}}", clock)
	case days < -180 || days > 180: // the year would be guessed wrong
		return t.Format("2006-01-02 15:04")
	}
	return lang.L("{{.Weekday}} {{.Day}} {{.Month}} {{.Time}}", data{
		"Weekday": weekday(t.Weekday()), "Day": t.Day(), "Month": month(t.Month()), "Time": t.Format("15:04"),
	})
}

// Until says till when: "until 18:00", "until tomorrow 08:00".
func Until(t, now time.Time) string {
	if daysBetween(t.In(now.Location()), now) == 0 {
		return lang.L("until {{.Time}}", data{"Time": t.In(now.Location()).Format("15:04")})
	}
	return lang.L("until {{.Time}}", data{"Time": At(t, now)})
}

// daysBetween counts midnights from t to now; both are of one zone.
func daysBetween(t, now time.Time) int {
	day := func(t time.Time) time.Time {
		y, m, d := t.Date()
		return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
	}
	return int(day(now).Sub(day(t)) / (24 * time.Hour))
}

func weekday(d time.Weekday) string {
	switch d {
	case time.Monday:
		return lang.L("Mon")
	case time.Tuesday:
		return lang.L("Tue")
	case time.Wednesday:
		return lang.L("Wed")
	case time.Thursday:
		return lang.L("Thu")
	case time.Friday:
		return lang.L("Fri")
	case time.Saturday:
		return lang.L("Sat")
	}
	return lang.L("Sun")
}

func month(m time.Month) string {
	names := [...]string{
		lang.L("Jan"), lang.L("Feb"), lang.L("Mar"), lang.L("Apr"), lang.L("May"), lang.L("Jun"),
		lang.L("Jul"), lang.L("Aug"), lang.L("Sep"), lang.L("Oct"), lang.L("Nov"), lang.L("Dec"),
	}
	return names[m-1]
}

// Size is a number of bytes: "1.2 MB".
func Size(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// Rate is a number of bytes per second: "1.2 MB/s".
func Rate(bps int64) string { return lang.L("{{.Size}}/s", data{"Size": Size(bps)}) }

// Number is "12,345".
func Number(n int64) string { return humanize.Comma(n) }

// Files is "1 file", "12,345 files".
func Files(n int64) string {
	if n == 1 {
		return lang.L("1 file")
	}
	return plural("{{.N}} files", n)
}

// Conflicts is "1 conflict", "12 conflicts".
func Conflicts(n int64) string {
	if n == 1 {
		return lang.L("1 conflict")
	}
	return plural("{{.N}} conflicts", n)
}

// plural translates a sentence with the number N in it, which is not 1: English
// says that one in a sentence of its own, so that it is right without a catalogue.
func plural(sentence string, n int64) string {
	return lang.N(sentence, int(min(n, 1<<30)), data{"N": Number(n)})
}

// Left says how long something will take: "about 3 minutes left"; "" when it
// can't be told.
func Left(d time.Duration) string {
	if d < 0 {
		return ""
	}
	if d < time.Minute {
		return lang.L("less than a minute left")
	}
	return lang.L("about {{.Time}} left", data{"Time": Duration(d)})
}

// LeftOf is Left of an engine's seconds, which are -1 when it can't be told.
func LeftOf(seconds int64) string {
	if seconds < 0 || seconds > int64(100*365*24*time.Hour/time.Second) {
		return ""
	}
	return Left(time.Duration(seconds) * time.Second)
}

// Duration is a time in its greatest unit, rounded: "3 minutes", "2 hours",
// "5 days".
func Duration(d time.Duration) string {
	switch {
	case d < 90*time.Second:
		return lang.L("a minute")
	case d < 59*time.Minute+30*time.Second:
		return plural("{{.N}} minutes", int64(d.Round(time.Minute)/time.Minute))
	case d < 90*time.Minute:
		return lang.L("an hour")
	case d < 36*time.Hour:
		return plural("{{.N}} hours", int64(d.Round(time.Hour)/time.Hour))
	}
	return plural("{{.N}} days", int64(d.Round(24*time.Hour)/(24*time.Hour)))
}

// Percent is how much of total is done, from 0 to 100; 100 only when all is.
func Percent(done, total int64) int {
	switch {
	case done >= total:
		return 100
	case done <= 0:
		return 0
	}
	return min(int(float64(done)/float64(total)*100), 99) // of great numbers the quotient is rounded to one
}

// FolderWords is a folder's state in a few words: "Up to date", "Syncing, 43 %".
func FolderWords(f status.Folder) string {
	switch f.State {
	case status.Synced:
		if f.Conflicts > 0 {
			return Conflicts(f.Conflicts)
		}
		return lang.L("Up to date")
	case status.Scanning:
		return lang.L("Looking for changes")
	case status.Syncing:
		return syncing(f)
	case status.Paused:
		return lang.L("Paused")
	case status.Full:
		return lang.L("Disk full")
	case status.Held:
		return lang.L("Waits for your answer")
	case status.Missing:
		return lang.L("Disk or folder not there")
	case status.Error:
		return lang.L("Trouble")
	}
	return lang.L("Not known")
}

func syncing(f status.Folder) string {
	if f.Need.Files == 0 {
		return lang.L("Sending to others")
	}
	if f.Progress.BytesTotal > 0 {
		return lang.L("Syncing, {{.Percent}} %", data{"Percent": min(Percent(f.Progress.BytesDone, f.Progress.BytesTotal), 99)})
	}
	return lang.L("Syncing")
}

// DeviceWords is a device's state in a few words: "Connected", "Last seen
// yesterday 14:03".
func DeviceWords(d status.Device, now time.Time) string {
	switch {
	case d.Connected:
		return lang.L("Connected")
	case d.LastSeen == nil || d.LastSeen.IsZero():
		return lang.L("Not seen yet")
	}
	return lang.L("Last seen {{.When}}", data{"When": When(*d.LastSeen, now)})
}
