package show

import (
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"golang.org/x/text/width"
)

// Clean escapes what a terminal would act on: control characters, invalid UTF-8,
// and the marks that turn the direction of writing.
func Clean(s string) string {
	if strings.IndexFunc(s, harmful) < 0 && utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case !harmful(r):
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < 0x100:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		i += n
	}
	return b.String()
}

func harmful(r rune) bool {
	if r == '\u200c' || r == '\u200d' { // joiners, within words and emoji
		return false
	}
	return !unicode.IsGraphic(r) && !unicode.Is(unicode.Co, r) || r == '\u2028' || r == '\u2029'
}

// cells is how many columns of a terminal s takes.
func cells(s string) int {
	n := 0
	for _, r := range s {
		n += runeCells(r)
	}
	return n
}

func runeCells(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf):
		return 0
	case r >= 0x1f300 && r <= 0x1faff:
		return 2
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// cut shortens s to at most n cells, with an ellipsis where something went.
func cut(s string, n int) string {
	if cells(s) <= n {
		return s
	}
	if n <= 0 {
		return ""
	}
	return prefix(s, n-1) + "…"
}

// prefix is as much of the beginning of s as fits into n cells.
func prefix(s string, n int) string {
	used := 0
	for i, r := range s {
		if used += runeCells(r); used > n {
			return s[:i]
		}
	}
	return s
}

// cutPath shortens a path in its middle, so that both ends can be read.
func cutPath(s string, n int) string {
	if cells(s) <= n {
		return s
	}
	if n < 5 {
		return cut(s, n)
	}
	head := cut(s, n/3)
	tail := []rune(s)
	for len(tail) > 0 && cells(string(tail)) > n-cells(head) {
		tail = tail[1:]
	}
	return head + string(tail)
}

func pad(s string, n int) string { return s + strings.Repeat(" ", max(0, n-cells(s))) }

// Size is a number of bytes for a person.
func Size(n int64) string { return humanize.Bytes(uint64(max(n, 0))) }

// Count is "1 file", "12,345 files".
func Count(n int64, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return humanize.Comma(n) + " " + one + "s"
}

// Left is a time for a person, in at most two units.
func Left(d time.Duration) string {
	s := int64(d.Round(time.Second) / time.Second)
	switch {
	case s < 60:
		return fmt.Sprintf("%ds", max(s, 0))
	case s < 3600:
		return fmt.Sprintf("%dm %ds", s/60, s%60)
	case s < 86400:
		return fmt.Sprintf("%dh %dm", s/3600, s%3600/60)
	}
	return fmt.Sprintf("%dd %dh", s/86400, s%86400/3600)
}

// Ago says how long before now t was.
func Ago(t, now time.Time) string {
	d := now.Sub(t)
	if d < 10*time.Second {
		return "just now"
	}
	unit := func(n int64, one string) string { return Count(n, one) + " ago" }
	switch {
	case d < time.Minute:
		return unit(int64(d/time.Second), "second")
	case d < time.Hour:
		return unit(int64(d/time.Minute), "minute")
	case d < 48*time.Hour:
		return unit(int64(d/time.Hour), "hour")
	}
	return unit(int64(d/(24*time.Hour)), "day")
}

// Moment is a time of today as 15:04, of another day with its date.
func Moment(t, now time.Time) string {
	t = t.In(now.Location())
	if t.Format(time.DateOnly) == now.Format(time.DateOnly) {
		return t.Format("15:04")
	}
	return t.Format("2006-01-02 15:04")
}

// Bar draws a share between 0 and 1 on n cells.
func Bar(share float64, n int) string {
	if n <= 0 {
		return ""
	}
	share = min(max(share, 0), 1)
	eighths := int(share * float64(n*8))
	full := eighths / 8
	b := strings.Repeat("█", full)
	if part := eighths % 8; part > 0 {
		b += string([]rune("▏▎▍▌▋▊▉")[part-1])
		full++
	}
	return b + strings.Repeat("░", n-full)
}
