package history

import (
	"cmp"
	"fmt"
	"iter"
	"reflect"
	"slices"
	"testing"

	"pinion/engine/tree"

	"pgregory.net/rapid"
)

var pi1, pi2, pi3 = tree.DeviceID{1}, tree.DeviceID{2}, tree.DeviceID{3}

const oneDay = int64(86_400_000_000_000)

// put is a version named by a letter: written and put away on these days.
func put(name string, written, away float64, why tree.Reason) tree.Kept {
	return tree.Kept{
		Path: "f", Seq: uint64(away*100) + 1, When: int64(away * float64(oneDay)), MTime: int64(written * float64(oneDay)), Kind: tree.File,
		Size: int64(len(name)), Content: content(name), Reason: why,
	}
}

func content(name string) tree.ContentID {
	if name == "" {
		return tree.ContentID{}
	}
	c := tree.ContentID{tree.HashBLAKE3}
	copy(c[1:], name)
	return c
}

func nameOf(c tree.ContentID) string { return string(c[1:2]) }

// stands is a live file, written then.
func stands(name string, written float64) tree.Entry {
	return tree.Entry{
		Path: "f", Kind: tree.File, MTime: int64(written * float64(oneDay)), Content: content(name), Author: 7,
		Version: tree.Version{{Replica: 7, N: uint64(written * 86400)}},
	}
}

func TestChoose(t *testing.T) {
	replaced, deleted := tree.Replaced, tree.Removed
	// a was replaced by b on day 2, that by c on day 5, which was deleted on day 8.
	abc := []tree.Kept{put("a", 1, 2, replaced), put("b", 2, 5, replaced), put("c", 5, 8, deleted)}
	gone := tree.Entry{Path: "f", Kind: tree.File, Deleted: true}
	for _, c := range []struct {
		name string
		rows []tree.Kept
		live tree.Entry
		ask  Ask
		want string // the content, or the verdict
	}{
		{"nothing is kept", nil, gone, Ask{}, "nothing"},
		{"the newest of what is missing", abc, gone, Ask{}, "c"},
		{"the newest that is not what stands", abc, stands("c", 9), Ask{}, "b"},
		{"all that is kept stands", abc[:1], stands("a", 9), Ask{}, "stands"},
		{"of a directory, what was deleted", abc, gone, Ask{Missing: true}, "c"},
		{"of a directory, not what stands", abc, stands("d", 9), Ask{Missing: true}, "stands"},
		{"of a directory, not what moved away", abc[:2], gone, Ask{Missing: true}, "nothing"},
		{"what stood then", abc, gone, Ask{At: 1*oneDay + oneDay/2}, "a"},
		{"what stood a little later", abc, gone, Ask{At: 3 * oneDay}, "b"},
		{"what stood last", abc, gone, Ask{At: 7 * oneDay}, "c"},
		{"after the deletion", abc, gone, Ask{At: 9 * oneDay}, "not then"},
		{"before it was there", abc, gone, Ask{At: oneDay / 2}, "not then"},
		{"what stands is older", abc, stands("d", 9), Ask{At: 10 * oneDay}, "stands"},
		{"what stands is younger", abc, stands("d", 9), Ask{At: 7 * oneDay}, "c"},
		{"between a deletion and a new file", abc, stands("d", 10), Ask{At: 9 * oneDay}, "not then"},
		{"what stood then stands again", abc, stands("c", 9), Ask{At: 7 * oneDay}, "stands"},
		// pi2 was away and put a away only on day 9: what is live had come long before.
		{"put away late", []tree.Kept{put("a", 1, 9, replaced)}, stands("d", 5), Ask{At: 7 * oneDay}, "stands"},
		// c took its place within the second in which b was written.
		{"in the second of the last change", []tree.Kept{put("b", 2, 5.000001, replaced)}, stands("c", 5), Ask{At: 5*oneDay + 1}, "b"},
		// b came back on day 5 with its old mtime, then c came.
		{"an old version that stood again", []tree.Kept{put("a", 1, 2, replaced), put("b", 2, 4, replaced), put("a", 1, 6, replaced)}, stands("c", 6), Ask{At: 5 * oneDay}, "a"},
		{"content that is not known", []tree.Kept{put("", 1, 2, replaced)}, gone, Ask{}, "nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			v, verdict := Choose(Merge([]Told{{pi1, c.rows}}), c.live, c.ask)
			got := map[Verdict]string{Bring: nameOf(v.Content), Stands: "stands", NotThen: "not then", Nothing: "nothing"}[verdict]
			if got != c.want {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestMerge(t *testing.T) {
	replaced := tree.Replaced
	late := put("a", 1, 9, replaced)
	late.Expires = 100 * oneDay
	early := put("a", 1, 2, replaced)
	early.Expires = 30 * oneDay
	got := Merge([]Told{{pi2, []tree.Kept{late}}, {pi1, []tree.Kept{early, put("b", 2, 5, replaced)}}})
	want := early
	want.Expires = 100 * oneDay
	if len(got) != 2 || got[0].Kept != want || !slices.Equal(got[0].Keepers, []tree.DeviceID{pi1, pi2}) || nameOf(got[1].Content) != "b" {
		t.Errorf("%+v", got)
	}
	// A content that came back is two versions, also where both are kept twice.
	twice := []tree.Kept{put("a", 1, 2, replaced), put("b", 2, 3, replaced), put("a", 1, 4, replaced)}
	got = Merge([]Told{{pi1, twice}, {pi2, twice}})
	if len(got) != 3 || len(got[0].Keepers) != 2 || len(got[2].Keepers) != 2 {
		t.Errorf("%+v", got)
	}
	// What nobody has hashed is nobody's twin.
	if got = Merge([]Told{{pi1, []tree.Kept{put("", 1, 2, replaced)}}, {pi2, []tree.Kept{put("", 1, 2, replaced)}}}); len(got) != 2 {
		t.Errorf("%+v", got)
	}
}

// lists draws what devices keep, each in order.
func lists(t *rapid.T) []Told {
	var out []Told
	for _, dev := range []tree.DeviceID{pi1, pi2, pi3} {
		var rows []tree.Kept
		for range rapid.IntRange(0, 6).Draw(t, "rows") {
			k := put(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "content"), 1, float64(rapid.IntRange(1, 9).Draw(t, "day")), tree.Replaced)
			k.Path = rapid.SampledFrom([]tree.Path{"d", "d/x", "d.x", "e"}).Draw(t, "path")
			rows = append(rows, k)
		}
		slices.SortFunc(rows, func(a, b tree.Kept) int { return cmp.Or(a.Path.Compare(b.Path), cmp.Compare(a.When, b.When)) })
		for i := range rows {
			rows[i].Seq = uint64(i + 1)
		}
		out = append(out, Told{dev, rows})
	}
	return out
}

func sources(told []Told) (out []Source) {
	for _, d := range told {
		next, _ := iter.Pull(slices.Values(d.Rows))
		out = append(out, Source{d.Device, next})
	}
	return out
}

type joined struct {
	path     tree.Path
	versions []Edition
}

func collect(told []Told) (out []joined) {
	for p, vs := range Join(sources(told)) {
		out = append(out, joined{p, vs})
	}
	return out
}

// TestJoinLosesNothing: each row is kept by one version of its path; paths come
// once and in order; versions from the oldest on; no version has a keeper twice;
// and the order of devices makes no difference.
func TestJoinLosesNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		told := lists(t)
		got := collect(told)
		keepers, rows := 0, 0
		for i, j := range got {
			if i > 0 && got[i-1].path.Compare(j.path) >= 0 {
				t.Fatalf("%q comes after %q", j.path, got[i-1].path)
			}
			for n, v := range j.versions {
				if v.Path != j.path || n > 0 && v.When < j.versions[n-1].When {
					t.Fatalf("%+v", j.versions)
				}
				if len(slices.Compact(slices.Clone(v.Keepers))) != len(v.Keepers) {
					t.Fatalf("a keeper twice: %v", v.Keepers)
				}
				keepers += len(v.Keepers)
			}
		}
		for _, d := range told {
			rows += len(d.Rows)
			for _, k := range d.Rows {
				if !slices.ContainsFunc(got, func(j joined) bool {
					return j.path == k.Path && slices.ContainsFunc(j.versions, func(v Edition) bool {
						return v.Content == k.Content && v.When <= k.When && slices.Contains(v.Keepers, d.Device)
					})
				}) {
					t.Fatalf("%+v of %v is lost", k, d.Device)
				}
			}
		}
		if keepers != rows {
			t.Fatalf("%d rows became %d", rows, keepers)
		}
		slices.Reverse(told)
		if again := collect(told); !reflect.DeepEqual(again, got) {
			t.Fatalf("in another order:\n%+v\n%+v", again, got)
		}
	})
}

// TestChooseIsSound: what is brought was put away after the moment, was written
// before it, and nothing that fits was put away earlier.
func TestChooseIsSound(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := int64(rapid.IntRange(1, 10).Draw(t, "at"))*oneDay - oneDay/2
		for p, vs := range Join(sources(lists(t))) {
			live := tree.Entry{Path: p, Deleted: true}
			if rapid.Bool().Draw(t, "live") {
				live = stands(rapid.SampledFrom([]string{"a", "z"}).Draw(t, "what"), float64(rapid.IntRange(0, 10).Draw(t, "since")))
			}
			v, verdict := Choose(vs, live, Ask{At: at})
			if verdict != Bring {
				continue
			}
			if v.When <= at || v.MTime > at || live.Exists() && live.Content == v.Content {
				t.Fatalf("%+v was brought for %d", v, at)
			}
			for _, o := range vs {
				if o.When > at && o.When < v.When {
					t.Fatalf("%+v stood before %+v", o, v)
				}
			}
		}
	})
}

func TestJoinIsBounded(t *testing.T) {
	n := uint64(0)
	s := Source{pi1, func() (tree.Kept, bool) {
		n++
		k := put("a", 1, 1, tree.Replaced)
		k.Seq, k.When, k.Content = n, int64(n), content(fmt.Sprint(n))
		return k, n <= 3*MaxVersions
	}}
	for _, vs := range Join([]Source{s}) {
		if len(vs) != MaxVersions || vs[len(vs)-1].Seq != 3*MaxVersions {
			t.Errorf("%d versions up to %d", len(vs), vs[len(vs)-1].Seq)
		}
	}
}

// TestJoinEndsWithALiar: a source whose rows go back is heard no more, so that
// nothing goes round for ever.
func TestJoinEndsWithALiar(t *testing.T) {
	s := Source{pi1, func() (tree.Kept, bool) { return put("a", 1, 1, tree.Replaced), true }}
	n := 0
	for range Join([]Source{s}) {
		n++
	}
	if n != 1 {
		t.Errorf("%d paths", n)
	}
}
