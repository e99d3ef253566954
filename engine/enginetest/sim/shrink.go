package sim

import (
	"slices"
	"strings"
	"testing"
)

// Shrink leaves out of a story what its fault does not need, as long as tries
// last, and gives what is left. What is left breaks the same law.
func Shrink(t *testing.T, s Story, o Options, tries int) Story {
	o.Verbose = false
	law := lawOf(Play(t, s, o).Faults)
	fails := func(s Story) bool {
		tries--
		return tries >= 0 && lawOf(Play(t, s, o).Faults) == law
	}
	for size := max(1, s.Len()/2); ; size /= 2 {
		for from := 0; from < s.Len(); {
			if less := s.Without(from, min(from+size, s.Len())); fails(less) {
				s = less
			} else {
				from += size
			}
		}
		if size <= 1 || tries <= 0 {
			return s
		}
	}
}

// lawOf says what the first of some faults is about; nothing if there are none.
func lawOf(faults []string) string {
	if len(faults) == 0 {
		return ""
	}
	words := []string{": lost: ", "holds what nobody wrote", "not live", "not level", "differ:", "never rests", "at rest", "conflict cop", "missing:", "stands for"}
	i := slices.IndexFunc(words, func(w string) bool { return strings.Contains(faults[0], w) })
	if i < 0 {
		return "another"
	}
	return words[i]
}
