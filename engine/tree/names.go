package tree

import (
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// FoldName gives the form in which two names are equal when a file system without
// case, or without Unicode forms, could take one for the other. Which it takes for
// which it alone knows; this errs on the side of "could".
func FoldName(name string) string {
	return norm.NFC.String(strings.Map(foldRune, norm.NFC.String(name)))
}

// foldRune gives the least of the runes that differ from r in case only.
func foldRune(r rune) rune {
	if r < 0x80 {
		if 'A' <= r && r <= 'Z' {
			return r + ('a' - 'A')
		}
		return r
	}
	least := r
	for s := unicode.SimpleFold(r); s != r; s = unicode.SimpleFold(s) {
		if s < least {
			least = s
		}
	}
	if least < 0x80 {
		return unicode.ToLower(least)
	}
	return least
}

// SameName says whether a file system could take two names for one.
func SameName(a, b string) bool { return a == b || FoldName(a) == FoldName(b) }

// BadOnWindows says why a name can't live where Windows' rules hold, as a phrase
// for a person; empty: it can.
func BadOnWindows(name string) string {
	if i := strings.IndexFunc(name, func(r rune) bool { return r < 0x20 || strings.ContainsRune(`<>:"\|?*`, r) }); i >= 0 {
		return "has the character " + quoteRune(name[i]) + ", which Windows does not allow in names"
	}
	if strings.HasSuffix(name, ".") || strings.HasSuffix(name, " ") {
		return "ends with a dot or a space, which Windows does not allow in names"
	}
	stem, _, _ := strings.Cut(name, ".")
	switch upper := strings.ToUpper(strings.TrimRight(stem, " ")); upper {
	case "CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$":
		return "is " + upper + " to Windows, which is a device and no file"
	default:
		port, numbered := strings.CutPrefix(upper, "COM")
		if !numbered {
			port, numbered = strings.CutPrefix(upper, "LPT")
		}
		if numbered && strings.Contains("|1|2|3|4|5|6|7|8|9|¹|²|³|", "|"+port+"|") && port != "" {
			return "is " + upper + " to Windows, which is a device and no file"
		}
	}
	return ""
}

func quoteRune(c byte) string {
	if c < 0x20 {
		const hex = "0123456789abcdef"
		return `\x` + string(hex[c>>4]) + string(hex[c&15])
	}
	return string(rune(c))
}
