package engine

import (
	"testing"
	"time"

	"pinion/engine/status"
)

// TestRepose: rest is told once after much work, when nothing has been under way
// for a while, and not for a short piece of work.
func TestRepose(t *testing.T) {
	quiet := status.State{Folders: []status.Folder{{State: status.Synced}}}
	busy := status.State{Folders: []status.Folder{{State: status.Synced}, {State: status.Syncing}}}
	for _, c := range []struct {
		name  string
		steps []status.State // a second apart
		told  []int          // at which of them
	}{
		{"nothing ever", []status.State{quiet, quiet, quiet, quiet, quiet}, nil},
		{"a save", []status.State{quiet, busy, quiet, quiet, quiet, quiet, quiet}, nil},
		{"much work", []status.State{quiet, busy, busy, quiet, quiet, quiet, quiet, quiet, quiet}, []int{6}},
		{"much work in two parts", []status.State{busy, quiet, busy, quiet, quiet, quiet, quiet, quiet}, []int{6}},
		{"twice", []status.State{busy, busy, quiet, quiet, quiet, quiet, busy, busy, quiet, quiet, quiet, quiet}, []int{5, 11}},
	} {
		var r repose
		var told []int
		now := time.Unix(1e9, 0)
		for i, s := range c.steps {
			if now = now.Add(time.Second); r.over(s, now) {
				told = append(told, i)
			}
		}
		if len(told) != len(c.told) || len(told) > 0 && (told[0] != c.told[0] || told[len(told)-1] != c.told[len(told)-1]) {
			t.Errorf("%s: told at %v, not %v", c.name, told, c.told)
		}
	}
}
