package history

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

const day = 24 * time.Hour

// shelf is an archive: versions of paths, oldest first.
type shelf []book

type book struct {
	path string
	age  time.Duration
	size int64
	pin  bool
}

func (s shelf) version(i int) Version {
	b := s[i]
	newest := true
	for _, o := range s[i+1:] {
		newest = newest && o.path != b.path
	}
	return Version{ID: int64(i), When: noon.Add(-b.age).UnixNano(), Size: b.size, Newest: newest, Pinned: b.pin}
}

func (s shelf) bytes() (n int64) {
	for _, b := range s {
		n += b.size
	}
	return n
}

// thin carries a thinning out, n versions to a page, and gives what is left and
// the order in which the others went.
func thin(s shelf, r Rules, byAge bool, need int64, n int) (left, gone shelf) {
	t := NewThinning(r, noon, byAge, s.bytes(), need)
	left = slices.Clone(s)
	for _, p := range Passes() {
		for at, more := 0, true; more && at < len(left); {
			end := min(at+n, len(left))
			var page []Version
			for i := at; i < end; i++ {
				page = append(page, left.version(i))
			}
			var drop []int
			drop, more = t.Take(p, page)
			for k, i := range drop {
				gone = append(gone, left[at+i-k])
				left = slices.Delete(left, at+i-k, at+i-k+1)
			}
			at = end - len(drop)
		}
	}
	return left, gone
}

func TestThinning(t *testing.T) {
	s := shelf{
		{"a", 40 * day, 10, false}, {"b", 35 * day, 10, false}, {"a", 20 * day, 10, false},
		{"c", 10 * day, 10, false}, {"a", 5 * day, 10, false}, {"c", time.Minute, 10, false},
	}
	pinned := slices.Clone(s)
	pinned[0].pin = true
	for name, c := range map[string]struct {
		s     shelf
		r     Rules
		byAge bool
		need  int64
		want  []int // the places of those that go, in their order
	}{
		"nothing":                           {s, Rules{}, true, 0, nil},
		"a month":                           {s, Rules{Keep: 30 * day}, true, 0, []int{0, 1}},
		"a month, the clock is not trusted": {s, Rules{Keep: 30 * day}, false, 0, nil},
		"the bound is kept":                 {s, Rules{Bytes: 60}, true, 0, nil},
		"older ones go first":               {s, Rules{Bytes: 45}, true, 0, []int{0, 2}},
		"then the newest, oldest first":     {s, Rules{Bytes: 25}, true, 0, []int{0, 2, 3, 1}},
		"never what is young":               {s, Rules{Bytes: 1}, true, 0, []int{0, 2, 3, 1, 4}},
		"never what came meanwhile":         {shelf{{"b", -2 * day, 10, false}, {"a", -time.Millisecond, 10, false}}, Rules{}, true, 15, []int{0}},
		"need":                              {s, Rules{}, true, 15, []int{0, 2}},
		"need and age":                      {s, Rules{Keep: 30 * day}, true, 25, []int{0, 1, 2}},
		"more need than there is":           {s, Rules{}, true, 1000, []int{0, 2, 3, 1, 4}},
		"a pinned one outlives its time":    {pinned, Rules{Keep: 30 * day}, true, 0, []int{0, 1}[1:]},
		"a pinned one is no help":           {pinned, Rules{}, true, 15, []int{2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			for _, n := range []int{1, 2, 100} {
				_, gone := thin(c.s, c.r, c.byAge, c.need, n)
				want := shelf{}
				for _, i := range c.want {
					want = append(want, c.s[i])
				}
				if !slices.Equal(gone, want) {
					t.Errorf("in pages of %d: gone %v, want %v", n, gone, want)
				}
			}
		})
	}
}

func TestThinningProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s shelf
		for range rapid.IntRange(0, 30).Draw(t, "n") {
			s = append(s, book{
				path: rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "path"),
				age:  time.Duration(rapid.IntRange(-200, 60*24*4).Draw(t, "age")) * 15 * time.Minute,
				size: int64(rapid.IntRange(0, 50).Draw(t, "size")), pin: rapid.IntRange(0, 9).Draw(t, "pin") == 0,
			})
		}
		slices.SortStableFunc(s, func(a, b book) int { return int(b.age - a.age) })
		r := Rules{Keep: time.Duration(rapid.IntRange(0, 60).Draw(t, "days")) * day, Bytes: int64(rapid.IntRange(0, 500).Draw(t, "bytes"))}
		byAge, need := rapid.Bool().Draw(t, "byAge"), int64(rapid.IntRange(0, 300).Draw(t, "need"))
		left, gone := thin(s, r, byAge, need, rapid.IntRange(1, 9).Draw(t, "page"))

		aged := func(b book) bool { return byAge && r.Keep > 0 && b.age >= r.Keep }
		free := func(b book) bool { return !b.pin && (b.age <= -ahead || b.age >= Young) }
		var freed, agedBytes int64
		for _, b := range gone {
			if !free(b) {
				t.Fatalf("%v went, which is pinned or young", b)
			}
			freed += b.size
			if aged(b) {
				agedBytes += b.size
			}
		}
		over := max(0, need, func() int64 {
			if r.Bytes == 0 {
				return 0
			}
			return s.bytes() - r.Bytes
		}())
		canFree := false
		for i, b := range left {
			if aged(b) && free(b) {
				t.Fatalf("%v is kept although its time is over", b)
			}
			canFree = canFree || free(b) && b.size > 0
			if !free(b) || aged(b) {
				continue
			}
			// While an older version of a path can go, its newest does not; while
			// anything that is not the newest of its path can go, no newest does.
			for _, g := range gone {
				if !aged(g) && newestOf(s, g) && !left.version(i).Newest {
					t.Fatalf("%v went, the newest of its path, while %v is kept", g, b)
				}
			}
		}
		if freed < over && canFree {
			t.Fatalf("%d bytes had to go and only %d went, while there were more", over, freed)
		}
		if n := len(gone); n > 0 && !aged(gone[n-1]) && freed-gone[n-1].size >= over {
			t.Fatalf("%v went for nothing: %d of %d were freed without", gone[n-1], freed-gone[n-1].size, over)
		}
	})
}

// newestOf says whether b is the last of its path that is like it.
func newestOf(s shelf, b book) bool {
	last := book{}
	for _, o := range s {
		if o.path == b.path {
			last = o
		}
	}
	return last == b
}

func TestExpires(t *testing.T) {
	if got := (Rules{}).Expires(noon.UnixNano()); got != nil {
		t.Errorf("kept for ever, it expires %v", got)
	}
	if got := (Rules{Keep: 2 * day}).Expires(noon.UnixNano()); got == nil || !got.Equal(noon.Add(2*day)) {
		t.Errorf("it expires %v", got)
	}
}

func TestTrustClock(t *testing.T) {
	for ago, want := range map[time.Duration]bool{0: true, day: true, 9 * day: true, 11 * day: false, -time.Minute: true, -2 * time.Hour: false, 50 * 365 * day: false} {
		if TrustClock(noon, noon.Add(-ago)) != want {
			t.Errorf("last looked at %v ago: %v", ago, !want)
		}
	}
	if TrustClock(noon, time.Time{}) {
		t.Error("a first look trusts the clock")
	}
}
