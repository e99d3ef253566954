package history

import (
	"testing"

	"pinion/engine/tree"
)

const s = second

// wrote is what the index says of a file that was written at a second.
func wrote(written int64, c byte) tree.Record {
	return tree.Record{Entry: tree.Entry{
		Path: "f", Kind: tree.File, Size: int64(c), MTime: written * s, Content: tree.ContentID{1, c}, Author: 1, Version: tree.Version{{Replica: 1, N: uint64(written)}},
	}}
}

func tomb(gone int64, r tree.Record) tree.Record {
	r.Deleted, r.Version = true, tree.Version{{Replica: 1, N: uint64(gone)}}
	return r
}

func movedTo(r tree.Record, p tree.Path) tree.Record { r.MovedTo = p; return r }

// was is a version that was written at a second and put away at another.
func was(written, away int64, c byte, why tree.Reason) Edition {
	return Edition{Kept: tree.Kept{
		Path: "f", Kind: tree.File, Size: int64(c), MTime: written * s, When: away * s, Content: tree.ContentID{1, c}, Reason: why, By: tree.DeviceID{9},
	}, Keepers: []tree.DeviceID{{2}}}
}

func TestLookAt(t *testing.T) {
	none := tree.Record{}
	replaced, deleted := was(10, 20, 1, tree.Replaced), was(10, 20, 1, tree.Removed)
	for name, x := range map[string]struct {
		versions []Edition
		row      tree.Record
		at       int64 // in seconds
		state    State // 0: nothing stood
		size     int64
		since    int64
		lost     bool
	}{
		"it stands":                          {nil, wrote(10, 1), 0, Same, 1, 0, false},
		"it stood and stands":                {nil, wrote(10, 1), 15, Same, 1, 0, false},
		"it was not written yet":             {nil, wrote(10, 1), 5, 0, 0, 0, false},
		"it was changed since":               {[]Edition{replaced}, wrote(20, 2), 15, Changed, 1, 20, false},
		"now, of what was changed":           {[]Edition{replaced}, wrote(20, 2), 0, Same, 2, 0, false},
		"before the first of two":            {[]Edition{replaced}, wrote(20, 2), 5, 0, 0, 0, false},
		"it was deleted since":               {[]Edition{deleted}, tomb(20, wrote(10, 1)), 15, Deleted, 1, 20, false},
		"it was deleted before":              {[]Edition{deleted}, tomb(20, wrote(10, 1)), 25, 0, 0, 0, false},
		"now, deleted":                       {[]Edition{deleted}, tomb(20, wrote(10, 1)), 0, Deleted, 1, 20, false},
		"deleted, and only the archive says": {[]Edition{deleted}, none, 15, Deleted, 1, 20, false},
		"deleted, and nobody keeps it":       {nil, tomb(20, wrote(10, 1)), 15, Deleted, 1, 20, true},
		"now, deleted, nobody keeps it":      {nil, tomb(20, wrote(10, 1)), 0, Deleted, 1, 20, true},
		"it was moved since":                 {nil, movedTo(tomb(20, wrote(10, 1)), "g"), 15, Moved, 1, 20, true},
		"now, moved":                         {nil, movedTo(tomb(20, wrote(10, 1)), "g"), 0, 0, 0, 0, false},
		"edited, then moved":                 {[]Edition{replaced}, movedTo(tomb(30, wrote(20, 2)), "g"), 15, Moved, 1, 30, false},
		"nobody ever heard of it":            {nil, none, 15, 0, 0, 0, false},
		"restored to what it was":            {[]Edition{replaced, was(20, 30, 2, tree.Replaced)}, wrote(30, 1), 15, Same, 1, 0, false},
	} {
		got, ok := LookAt(x.versions, x.row, x.at*s)
		if ok != (x.state != 0) {
			t.Errorf("%s: %+v, %v", name, got, ok)
			continue
		}
		if ok && (got.State != x.state || got.Size != x.size || got.Since != x.since*s || got.Lost != x.lost) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestLookAtDir(t *testing.T) {
	dir := func(written int64) tree.Record {
		return tree.Record{Entry: tree.Entry{Path: "d", Kind: tree.Dir, Author: 1, Version: tree.Version{{Replica: 1, N: uint64(written)}}}}
	}
	gone := func(at int64) tree.Record { r := dir(at); r.Deleted = true; return r }
	for name, x := range map[string]struct {
		row   tree.Record
		at    int64
		below Beneath
		state State
	}{
		"it stands":         {dir(10), 0, Beneath{}, Same},
		"it stood":          {dir(10), 15, Beneath{}, Same},
		"it was made later": {dir(10), 5, Beneath{Held: true}, 0},
		"it was touched later, and something stood": {dir(10), 5, Beneath{Held: true, Stood: true}, Same},
		"it was deleted since, empty":               {gone(20), 15, Beneath{}, Deleted},
		"it was deleted since, with what is kept":   {gone(20), 15, Beneath{Held: true, Stood: true}, Deleted},
		"it was renamed: nothing below can be had":  {gone(20), 15, Beneath{Held: true}, 0},
		"it was deleted before":                     {gone(20), 25, Beneath{Held: true, Stood: true}, 0},
		"now, deleted":                              {gone(20), 0, Beneath{Held: true, Stood: true}, Deleted},
		"only archives know of it":                  {tree.Record{}, 15, Beneath{Held: true, Stood: true}, Deleted},
		"only archives know of it, of another time": {tree.Record{}, 15, Beneath{Held: true}, 0},
	} {
		got, ok := LookAtDir(x.row, x.at*s, x.below)
		if ok != (x.state != 0) || ok && got.State != x.state {
			t.Errorf("%s: %+v, %v", name, got, ok)
		}
	}
}

func TestWhatIsWorthALine(t *testing.T) {
	for name, x := range map[string]struct {
		s    Sight
		want bool
	}{
		"it is kept":          {Sight{State: Deleted, Since: 5}, true},
		"nobody keeps it":     {Sight{State: Deleted, Lost: true, Since: 5}, false},
		"it was deleted just": {Sight{State: Deleted, Lost: true, Since: 15}, true},
		"it was moved":        {Sight{State: Moved, Lost: true, Since: 5}, true},
	} {
		if got := x.s.Worth(10); got != x.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
