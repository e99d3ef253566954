package power

import (
	"strconv"
	"strings"
)

// parsePmset reads what pmset -g batt prints on macOS.
func parsePmset(text string) State {
	s := State{Charge: -1}
	first, rest, _ := strings.Cut(text, "\n")
	switch {
	case strings.Contains(first, "'AC Power'"):
		s.Source = Mains
	case strings.Contains(first, "'Battery Power'"), strings.Contains(first, "'UPS Power'"):
		s.Source = Battery
	}
	if before, _, ok := strings.Cut(rest, "%"); ok {
		digits := before[strings.LastIndexFunc(before, func(r rune) bool { return r < '0' || r > '9' })+1:]
		if n, err := strconv.Atoi(digits); err == nil && n <= 100 {
			s.Charge = n
		}
	}
	return s
}
