package sim

import "testing"

// Shrink leaves out of a story what its fault does not need, as long as tries
// last, and gives what is left.
func Shrink(t *testing.T, s Story, o Options, tries int) Story {
	o.Verbose = false
	fails := func(s Story) bool {
		tries--
		return tries >= 0 && len(Play(t, s, o).Faults) > 0
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
