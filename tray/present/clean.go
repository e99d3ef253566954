package present

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

const (
	longest  = 512 // runes that Clean lets through when it is given no bound
	mostMark = 6   // marks in a row on one letter; more of them paint over the lines around
)

// Clean makes text that came from a peer (names of files, folders and devices,
// sentences that hold one) fit to be shown: whatever would break the line, turn
// the direction of writing or not be seen at all is written out as an escape,
// and what is longer than max runes ends in an ellipsis. The result is plain
// text: it must still be escaped where markup is read.
func Clean(s string, max int) string {
	return cut(visible(s, max), bound(max))
}

// CleanName is Clean for names and paths: what is too long loses its middle, so
// that the beginning and the ending of a file's name can be read.
func CleanName(s string, max int) string {
	max = bound(max)
	if utf8.RuneCountInString(s) > 2*max+2 { // only the ends can be seen: the middle is not even looked at
		s = firstRunes(s, max+1) + lastRunes(s, max+1)
	}
	r := []rune(escape(s))
	if len(r) <= max {
		return string(r)
	}
	if max < 5 {
		return string(r[:max-1]) + "…"
	}
	tail := (max - 1) * 2 / 3
	return string(r[:max-1-tail]) + "…" + string(r[len(r)-tail:])
}

func bound(max int) int {
	if max <= 0 || max > longest {
		return longest
	}
	return max
}

// visible escapes as much of s as can be shown in max runes, and a little more.
func visible(s string, max int) string {
	return escape(firstRunes(s, bound(max)+1))
}

func cut(s string, max int) string {
	if utf8.RuneCountInString(s) <= max {
		return s
	}
	return firstRunes(s, max-1) + "…"
}

func firstRunes(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

func lastRunes(s string, n int) string {
	i := len(s)
	for ; n > 0 && i > 0; n-- {
		_, size := utf8.DecodeLastRuneInString(s[:i])
		i -= size
	}
	return s[i:]
}

func escape(s string) string {
	var b strings.Builder
	marks := 0
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if marks++; !unicode.In(r, unicode.Mn, unicode.Me) {
			marks = 0
		}
		switch {
		case r == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case !harmful(r) && marks <= mostMark:
			b.WriteRune(r)
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
	switch r {
	case '\u200c', '\u200d': // joiners, within words and emoji
		return false
	case '\u2028', '\u2029', // ends of line and paragraph
		'\u115f', '\u1160', '\u3164', '\uffa0', '\u2800': // letters that show nothing
		return true
	}
	return !unicode.IsGraphic(r) && !unicode.Is(unicode.Co, r)
}
