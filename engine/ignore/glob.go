package ignore

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// shape is how a component of a pattern is matched; what can be cheap is.
type shape uint8

const (
	literal shape = iota
	suffix        // *text
	prefix        // text*
	glob
	anyDirs // **: any number of components
)

// part is one component of a pattern.
type part struct {
	shape shape
	text  string // without escapes, but for a glob
}

func newPart(s string) (part, bool) {
	if len(s) > 1 && strings.Trim(s, "*") == "" {
		return part{shape: anyDirs}, true
	}
	if !strings.ContainsAny(s, `*?[\`) {
		return part{text: s}, true
	}
	for i, kind := range []shape{suffix, prefix} {
		rest, ok := s, false
		if i == 0 {
			rest, ok = strings.CutPrefix(s, "*")
		} else {
			rest, ok = strings.CutSuffix(s, "*")
		}
		if ok && !strings.ContainsAny(rest, `*?[\`) {
			return part{shape: kind, text: rest}, true
		}
	}
	if !strings.ContainsAny(s, "*?[") {
		text, ok := unescape(s)
		return part{text: text}, ok
	}
	return part{shape: glob, text: s}, validGlob(s)
}

func unescape(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' {
			if i++; i == len(s) {
				return "", false
			}
		}
		b.WriteByte(s[i])
	}
	return b.String(), true
}

func (p part) match(name string) bool {
	switch p.shape {
	case literal:
		return p.text == name
	case suffix:
		return strings.HasSuffix(name, p.text)
	case prefix:
		return strings.HasPrefix(name, p.text)
	case glob:
		return matchGlob(p.text, name)
	}
	return false
}

// matchParts matches components of a pattern against those of a path. Work is
// bounded by the product of their numbers: only the last "**" is gone back to.
func matchParts(parts []part, names []string) bool {
	i, j, back, from := 0, 0, -1, 0
	for j < len(names) {
		switch {
		case i < len(parts) && parts[i].shape == anyDirs:
			back, from = i, j
			if i++; i == len(parts) {
				return true // a trailing ** matches all that is inside
			}
			continue
		case i < len(parts) && parts[i].match(names[j]):
			i, j = i+1, j+1
			continue
		case back < 0:
			return false
		}
		from++
		i, j = back+1, from
	}
	return i == len(parts)
}

// matchGlob matches one name; the pattern is valid and has no slash. As in
// matchParts, only the last star is gone back to.
func matchGlob(pattern, name string) bool {
	i, j, back, from := 0, 0, -1, 0
	for j < len(name) {
		r, width := utf8.DecodeRuneInString(name[j:])
		if i < len(pattern) && pattern[i] == '*' {
			i++
			back, from = i, j
			continue
		}
		if n := matchOne(pattern[i:], r); n > 0 {
			i, j = i+n, j+width
			continue
		}
		if back < 0 {
			return false
		}
		_, width = utf8.DecodeRuneInString(name[from:])
		from += width
		i, j = back, from
	}
	return strings.Trim(pattern[i:], "*") == ""
}

// matchOne matches the first element of a pattern, not a star, and gives its
// length; 0 if it does not match.
func matchOne(pattern string, r rune) int {
	if pattern == "" {
		return 0
	}
	switch pattern[0] {
	case '?':
		return 1
	case '[':
		n, in := class(pattern, r)
		if !in {
			return 0
		}
		return n
	case '\\':
		pattern = pattern[1:]
		want, n := utf8.DecodeRuneInString(pattern)
		if n == 0 || want != r {
			return 0
		}
		return n + 1
	}
	want, n := utf8.DecodeRuneInString(pattern)
	if want != r {
		return 0
	}
	return n
}

// class reads the bracket expression that pattern begins with. Its length is 0
// if it does not end.
func class(pattern string, r rune) (length int, in bool) {
	i, negated := 1, false
	if i < len(pattern) && (pattern[i] == '!' || pattern[i] == '^') {
		i, negated = i+1, true
	}
	for first := true; i < len(pattern); first = false {
		if pattern[i] == ']' && !first {
			return i + 1, in != negated
		}
		if name, ok := strings.CutPrefix(pattern[i:], "[:"); ok {
			if end := strings.Index(name, ":]"); end >= 0 {
				is, known := named(name[:end])
				if !known {
					return 0, false
				}
				in = in || is(r)
				i += end + 4
				continue
			}
		}
		low, n := classRune(pattern[i:])
		if n == 0 {
			return 0, false
		}
		i += n
		high := low
		if i+1 < len(pattern) && pattern[i] == '-' && pattern[i+1] != ']' {
			if high, n = classRune(pattern[i+1:]); n == 0 {
				return 0, false
			}
			i += n + 1
		}
		in = in || (low <= r && r <= high)
	}
	return 0, false
}

func classRune(s string) (rune, int) {
	escaped := 0
	if strings.HasPrefix(s, `\`) {
		s, escaped = s[1:], 1
	}
	r, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return 0, 0
	}
	return r, n + escaped
}

// named gives the test of a POSIX character class.
func named(name string) (is func(rune) bool, known bool) {
	switch name {
	case "alpha":
		return unicode.IsLetter, true
	case "digit":
		return func(r rune) bool { return r >= '0' && r <= '9' }, true
	case "alnum":
		return func(r rune) bool { return unicode.IsLetter(r) || (r >= '0' && r <= '9') }, true
	case "upper":
		return unicode.IsUpper, true
	case "lower":
		return unicode.IsLower, true
	case "space":
		return unicode.IsSpace, true
	case "blank":
		return func(r rune) bool { return r == ' ' || r == '\t' }, true
	case "punct":
		return func(r rune) bool { return unicode.IsPunct(r) || unicode.IsSymbol(r) }, true
	case "print":
		return unicode.IsPrint, true
	case "graph":
		return unicode.IsGraphic, true
	case "cntrl":
		return unicode.IsControl, true
	case "xdigit":
		return func(r rune) bool { return unicode.Is(unicode.ASCII_Hex_Digit, r) }, true
	}
	return nil, false
}

// validGlob says whether brackets end and nothing is escaped at the end.
func validGlob(s string) bool {
	for i := 0; i < len(s); {
		switch s[i] {
		case '\\':
			if i++; i == len(s) {
				return false
			}
			i++
		case '[':
			n, _ := class(s[i:], 0)
			if n == 0 {
				return false
			}
			i += n
		default:
			i++
		}
	}
	return true
}
