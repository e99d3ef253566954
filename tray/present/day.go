package present

import (
	"time"

	"fyne.io/fyne/v2/lang"
)

// Day is a day without its time, for what is weeks away: "21 Dec", or with the year
// where that would be guessed wrong "2027-03-02".
func Day(t, now time.Time) string {
	t = t.In(now.Location())
	if days := daysBetween(t, now); days < -180 || days > 180 {
		return t.Format(time.DateOnly)
	}
	return lang.L("{{.Day}} {{.Month}}", data{"Day": t.Day(), "Month": month(t.Month())})
}
