package reconcile

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

// The test alphabet: v(a, 3) is a version, file(1, v) a file with content 1 and
// mtime 1, and so on. a, b and c are replicas (and devices) of that name.
const a, b, c tree.ReplicaID = 1, 2, 3

func v(pairs ...uint64) (out tree.Version) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, tree.Stamp{Replica: tree.ReplicaID(pairs[i]), N: pairs[i+1]})
	}
	return out
}

func by(ver tree.Version) tree.ReplicaID { return ver[len(ver)-1].Replica }

func file(n int, ver tree.Version) tree.Entry {
	return tree.Entry{Path: "d/p.txt", Kind: tree.File, Content: content(n), Size: int64(n), MTime: int64(n), Mode: 0o644, Version: ver, Author: by(ver)}
}

func dir(ver tree.Version) tree.Entry {
	return tree.Entry{Path: "d/p.txt", Kind: tree.Dir, Mode: 0o755, Version: ver, Author: by(ver)}
}

func link(to string, ver tree.Version) tree.Entry {
	return tree.Entry{Path: "d/p.txt", Kind: tree.Symlink, Target: to, Version: ver, Author: by(ver)}
}

func gone(e tree.Entry, ver tree.Version) tree.Entry {
	e.Deleted, e.Version, e.Author = true, ver, by(ver)
	return e
}

func based(e tree.Entry, on int) tree.Entry { e.Base = content(on); return e }
func at(e tree.Entry, p tree.Path) tree.Entry {
	e.Path = p
	return e
}

// around is what stands at other paths; d stands always.
type around struct {
	rows     map[tree.Path]tree.Record
	pending  []tree.Path
	children Children
	ancestor tree.ContentID
}

func (l around) At(p tree.Path) (tree.Record, bool) {
	if r, ok := l.rows[p]; ok {
		return r, true
	}
	return tree.Record{Entry: tree.Entry{Path: "d", Kind: tree.Dir}, Seq: 1}, p == "d"
}
func (l around) PendingAt(p tree.Path) bool                                 { return slices.Contains(l.pending, p) }
func (l around) LiveChildren(tree.Path) Children                            { return l.children }
func (l around) Ancestor(p tree.Path, one, two tree.Version) tree.ContentID { return l.ancestor }
func (l around) Replica(r tree.ReplicaID) tree.Replica {
	return tree.Replica{ID: r, Name: string(rune('A' + r - 1))}
}

func (l around) with(e tree.Entry) around {
	rows := map[tree.Path]tree.Record{e.Path: {Entry: e, Seq: 7}}
	for p, r := range l.rows {
		rows[p] = r
	}
	l.rows = rows
	return l
}

func decide(look around, local *tree.Entry, remotes ...tree.Entry) Decision {
	in := Input{Path: "d/p.txt", Lookup: look}
	if local != nil {
		in.HasLocal, in.Local = true, tree.Record{Entry: *local, Seq: 5}
	}
	for _, r := range remotes {
		in.Remotes = append(in.Remotes, Remote{tree.DeviceID{byte(r.Author)}, r})
	}
	return Decide(in)
}

// told gives a decision as a sentence.
func told(d Decision) string {
	var s []string
	if d.Wait != 0 {
		s = append(s, fmt.Sprintf("wait %d for %s", d.Wait, d.First))
	}
	for _, x := range d.Actions {
		what := cid(x.Entry.Content)
		if x.Entry.Kind != tree.File {
			what = x.Entry.Kind.String()
		}
		line := fmt.Sprintf("%s %s %s %v", x.Op, x.Entry.Path, what, x.Entry.Version)
		if x.Keep != nil {
			line += fmt.Sprintf(" keep %s %s %v", cid(x.Keep.Content), x.Keep.Path, x.Keep.Version)
		}
		s = append(s, line)
	}
	for _, p := range d.Bump {
		s = append(s, "bump "+string(p))
	}
	for _, dev := range d.Drop {
		s = append(s, fmt.Sprintf("drop %d", dev[0]))
	}
	return strings.Join(s, "; ")
}

func expect(t *testing.T, d Decision, want string) {
	t.Helper()
	if got := told(d); got != want {
		t.Errorf("decided\n  %s\ninstead of\n  %s", got, want)
	}
}

func ptr(e tree.Entry) *tree.Entry { return &e }

func TestEqualContentConcurrentMergesSilently(t *testing.T) {
	d := decide(around{}, ptr(file(1, v(1, 1))), file(1, v(2, 1)))
	expect(t, d, "adopt d/p.txt c1 [{1 1} {2 1}]")
	if len(d.Facts) > 0 {
		t.Errorf("facts %v", d.Facts)
	}
	expect(t, decide(around{}, ptr(dir(v(1, 1))), dir(v(2, 1))), "adopt d/p.txt directory [{1 1} {2 1}]")
}

func TestRemoteAfterLocalIsTaken(t *testing.T) {
	old := file(1, v(1, 1))
	chmod, tagged := file(1, v(1, 2)), file(1, v(1, 2))
	chmod.Mode, tagged.Conflict = 0o600, &tree.Conflict{Of: "d/o"}
	for _, x := range []struct {
		local *tree.Entry
		next  tree.Entry
		want  string
	}{
		{nil, file(1, v(1, 1)), "put d/p.txt c1 [{1 1}]"},
		{nil, dir(v(1, 1)), "make d/p.txt directory [{1 1}]"},
		{nil, link("x", v(1, 1)), "link d/p.txt symlink [{1 1}]"},
		{nil, gone(old, v(1, 2)), "adopt d/p.txt c1 [{1 2}]"},
		{&old, file(2, v(1, 2)), "put d/p.txt c2 [{1 2}]"},
		{&old, gone(old, v(1, 2)), "delete d/p.txt c1 [{1 2}]"},
		{&old, link("x", v(1, 2)), "link d/p.txt symlink [{1 2}]"},
		{&old, dir(v(1, 2)), "make d/p.txt directory [{1 2}]"},
		{&old, chmod, "meta d/p.txt c1 [{1 2}]"},
		{&old, tagged, "adopt d/p.txt c1 [{1 2}]"},
		{ptr(dir(v(1, 1))), file(2, v(1, 2)), "put d/p.txt c2 [{1 2}]"},
		{ptr(dir(v(1, 1))), gone(dir(v(1, 1)), v(1, 2)), "delete d/p.txt directory [{1 2}]"},
		{ptr(gone(old, v(1, 2))), file(2, v(1, 3)), "put d/p.txt c2 [{1 3}]"},
		{ptr(gone(old, v(1, 2))), gone(old, v(1, 3)), "adopt d/p.txt c1 [{1 3}]"},
	} {
		expect(t, decide(around{}, x.local, x.next), x.want)
	}
	expect(t, decide(around{}, ptr(file(2, v(1, 2))), old), "drop 1")
	expect(t, decide(around{}, &old, old), "drop 1")
}

func TestSourcesAreThoseThatAnnouncedTheContent(t *testing.T) {
	d := decide(around{}, ptr(file(1, v(1, 1))), file(2, v(1, 1, 2, 1)), file(2, v(1, 1, 3, 1)), file(3, v(1, 1, 4, 1)))
	want := []Source{
		{content(2), []tree.DeviceID{{2}, {3}}},
		{content(3), []tree.DeviceID{{4}}},
	}
	slices.SortFunc(d.Sources, func(x, y Source) int { return slices.Compare(x.Content[:], y.Content[:]) })
	if !reflect.DeepEqual(d.Sources, want) {
		t.Errorf("sources %v", d.Sources)
	}
}

const copyOf1, copyOf2 = "d/p (conflict A 1970-01-01 0000 0001).txt", "d/p (conflict B 1970-01-01 0000 0002).txt"

func TestEditEditKeepsBoth(t *testing.T) {
	one, two := file(1, v(1, 1)), file(2, v(2, 1))
	d := decide(around{}, &one, two)
	expect(t, d, "put d/p.txt c2 [{1 1} {2 1}] keep c1 "+copyOf1+" [{1 1}]")
	if k := d.Actions[0].Keep; k.Conflict.Of != "d/p.txt" || k.Author != a || k.MTime != 1 {
		t.Errorf("copy %+v", k)
	}
	if len(d.Facts) != 1 || d.Facts[0].Kind != ConflictMade || d.Facts[0].Other != copyOf1 {
		t.Errorf("facts %v", d.Facts)
	}
	d = decide(around{}, &two, one)
	expect(t, d, "put "+copyOf1+" c1 [{1 1}]; adopt d/p.txt c2 [{1 1} {2 1}]")
	if !slices.Equal(d.Actions[1].Needs, []tree.Path{copyOf1}) {
		t.Errorf("the winner may stand without the copy: %+v", d.Actions)
	}
	expect(t, decide(around{}, nil, one, two), "put "+copyOf1+" c1 [{1 1}]; put d/p.txt c2 [{1 1} {2 1}]")
	// a third party that has the copy needs no other
	expect(t, decide(around{}.with(at(one, copyOf1)), &two, one), "adopt d/p.txt c2 [{1 1} {2 1}]")
	expect(t, decide(around{}.with(at(file(1, v(3, 1)), copyOf1)), &two, one), "adopt "+copyOf1+" c1 [{1 1} {3 1}]; adopt d/p.txt c2 [{1 1} {2 1}]")
	// and none that was deleted
	expect(t, decide(around{}.with(at(gone(one, v(1, 1, 3, 1)), copyOf1)), &two, one), "adopt d/p.txt c2 [{1 1} {2 1}]")
	// but a deletion that did not know of it does not count
	expect(t, decide(around{}.with(at(gone(one, v(3, 1)), copyOf1)), &two, one),
		"put "+copyOf1+" c1 [{1 1} {3 1}]; adopt d/p.txt c2 [{1 1} {2 1}]")
}

// The base of a conflict is a content from which both sides were made, or none:
// never a state that only one of them was in.
func TestBaseOfAConflict(t *testing.T) {
	one, two := file(1, v(1, 1)), file(2, v(2, 1))
	for _, x := range []struct {
		name     string
		one, two tree.Entry
		look     around
		local    *tree.Entry
		want     tree.ContentID
	}{
		{"both edited the same", based(one, 8), based(two, 8), around{}, nil, content(8)},
		{"one of them twice", based(one, 8), based(two, 7), around{}, nil, tree.ContentID{}},
		{"one of them twice, and the past is known", based(one, 8), based(two, 7), around{ancestor: content(6)}, nil, content(6)},
		{"it still stands here", based(file(1, v(1, 1, 3, 1)), 8), based(file(2, v(2, 1, 3, 1)), 7), around{}, ptr(file(6, v(3, 1))), content(6)},
		{"made apart", one, two, around{}, nil, tree.ContentID{}},
	} {
		d := decide(x.look, x.local, x.one, x.two)
		found := false
		for _, a := range d.Actions {
			if c := a.Entry.Conflict; c != nil {
				found = true
				if c.Base != x.want {
					t.Errorf("%s: base %s", x.name, cid(c.Base))
				}
			}
		}
		if !found {
			t.Errorf("%s: %s", x.name, told(d))
		}
	}
}

// Who knew of a base and who did not tell each other, and then both know.
func TestAKnownBaseBeatsNone(t *testing.T) {
	with, without := at(file(1, v(1, 1)), copyOf1), at(file(1, v(1, 1)), copyOf1)
	with.Conflict = &tree.Conflict{Of: "d/p.txt", Base: content(9)}
	without.Conflict = &tree.Conflict{Of: "d/p.txt"}
	for _, x := range []struct{ local, told tree.Entry }{{with, without}, {without, with}} {
		d := Decide(Input{Path: copyOf1, Lookup: around{}, HasLocal: true, Local: tree.Record{Entry: x.local, Seq: 5}, Remotes: []Remote{{tree.DeviceID{2}, x.told}}})
		if changes := x.local.Conflict.Base.IsZero(); changes != (len(d.Actions) == 1) || changes && d.Actions[0].Entry.Conflict.Base != content(9) {
			t.Errorf("%s", told(d))
		}
	}
}

func TestEditEditThreeWays(t *testing.T) {
	one, two, three := file(1, v(1, 1)), file(2, v(2, 1)), file(3, v(3, 1))
	expect(t, decide(around{}, &one, two, three),
		"put "+copyOf2+" c2 [{2 1}]; put d/p.txt c3 [{1 1} {2 1} {3 1}] keep c1 "+copyOf1+" [{1 1}]")
	expect(t, decide(around{}, &three, one, two),
		"put "+copyOf2+" c2 [{2 1}]; put "+copyOf1+" c1 [{1 1}]; adopt d/p.txt c3 [{1 1} {2 1} {3 1}]")
}

func TestEditEditNameThatIsTaken(t *testing.T) {
	one, two := file(1, v(1, 1)), file(2, v(2, 1))
	expect(t, decide(around{}.with(at(file(9, v(3, 1)), copyOf1)), &one, two),
		"put d/p.txt c2 [{1 1} {2 1}] keep c1 d/p (conflict A 1970-01-01 0000 00012500).txt [{1 1}]")
}

func TestCopiesNeverNest(t *testing.T) {
	one, two := file(1, v(1, 1)), file(2, v(2, 1))
	one.Path, two.Path = "d/x", "d/x"
	one.Conflict, two.Conflict = &tree.Conflict{Of: "d/o.txt"}, &tree.Conflict{Of: "d/o.txt"}
	expect(t, decide(around{}, &one, two), "put d/x c2 [{1 1} {2 1}] keep c1 d/o (conflict A 1970-01-01 0000 0001).txt [{1 1}]")
}

func TestStaleCopyIsNoConflict(t *testing.T) {
	chmod := file(1, v(1, 1, 2, 1))
	chmod.MTime = 99
	edit := based(file(2, v(1, 1, 3, 1)), 1)
	expect(t, decide(around{}, &chmod, edit), "put d/p.txt c2 [{1 1} {2 1} {3 1}]")
	expect(t, decide(around{}, &edit, chmod), "adopt d/p.txt c2 [{1 1} {2 1} {3 1}]")
}

func TestEditDeleteEditWins(t *testing.T) {
	base := file(1, v(1, 1))
	edit, del := based(file(2, v(1, 1, 2, 1)), 1), gone(base, v(1, 1, 3, 1))
	d := decide(around{}, &edit, del)
	expect(t, d, "adopt d/p.txt c2 [{1 1} {2 1} {3 1}]")
	if len(d.Facts) != 1 || d.Facts[0].Kind != EditBeatDeletion || d.Facts[0].By != c {
		t.Errorf("facts %v", d.Facts)
	}
	expect(t, decide(around{}, &del, edit), "put d/p.txt c2 [{1 1} {2 1} {3 1}]")
	expect(t, decide(around{}, &base, edit, del), "put d/p.txt c2 [{1 1} {2 1} {3 1}]")
	expect(t, decide(around{}, &del, gone(base, v(1, 1, 2, 1))), "adopt d/p.txt c1 [{1 1} {2 1} {3 1}]")

	// Another device has decided it already: the one that deleted still says so.
	settled := based(file(2, v(1, 1, 2, 1, 3, 1)), 1)
	if d := decide(around{}, &del, settled); len(d.Facts) != 1 || d.Facts[0].Kind != EditBeatDeletion || d.Facts[0].By != c {
		t.Errorf("settled elsewhere: facts %v", d.Facts)
	}
	if d := decide(around{}, &del, file(2, v(1, 1, 2, 1, 3, 1))); len(d.Facts) != 0 {
		t.Errorf("made anew after the deletion: facts %v", d.Facts)
	}
}

func TestDirectoryDeletedChildAdded(t *testing.T) {
	local, del := dir(v(1, 1)), gone(dir(v(1, 1)), v(1, 2))
	expect(t, decide(around{children: Children{Staying: true, Leaving: true}}, &local, del),
		"adopt d/p.txt directory [{1 2}]; bump d/p.txt")
	expect(t, decide(around{children: Children{Leaving: true}}, &local, del), "wait 2 for []")
	expect(t, decide(around{}, &local, del), "delete d/p.txt directory [{1 2}]")
	// replaced by a file: the file gives way
	expect(t, decide(around{children: Children{Staying: true}}, &local, file(1, v(1, 2))),
		"put "+copyOf1+" c1 [{1 2}]; adopt d/p.txt directory [{1 2}]; bump d/p.txt")
}

func TestChildOfDeletedDirectoryBringsItBack(t *testing.T) {
	e := file(1, v(2, 1))
	parent := tree.Entry{Path: "d", Kind: tree.Dir, Mode: 0o750, Deleted: true, Version: v(1, 2), Author: a}
	expect(t, decide(around{}.with(parent), nil, e), "make d directory [{1 2}]; put d/p.txt c1 [{2 1}]; bump d")
	expect(t, decide(around{pending: []tree.Path{"d"}}.with(parent), nil, e), "wait 1 for [d]")
	// where a file took its place, that moves out of the way
	inPlace := tree.Entry{Path: "d", Kind: tree.File, Content: content(4), Version: v(1, 2), Author: a}
	expect(t, decide(around{}.with(inPlace), nil, e),
		"make d directory [{1 2}] keep c4 d (conflict A 1970-01-01 0000 0004) [{1 2}]; put d/p.txt c1 [{2 1}]; bump d")
	// only what comes needs a directory
	expect(t, decide(around{}.with(parent), ptr(gone(e, v(2, 1))), gone(e, v(2, 2))), "adopt d/p.txt c1 [{2 2}]")
}

func TestDirectoryAndFile(t *testing.T) {
	f, d := file(1, v(1, 1)), dir(v(2, 1))
	expect(t, decide(around{}, &f, d), "make d/p.txt directory [{1 1} {2 1}] keep c1 "+copyOf1+" [{1 1}]")
	expect(t, decide(around{}, &d, f), "put "+copyOf1+" c1 [{1 1}]; adopt d/p.txt directory [{1 1} {2 1}]")
	l := link("x", v(3, 1))
	expect(t, decide(around{}, &f, l), "link d/p (conflict C 1970-01-01 0000 2d71).txt symlink [{3 1}]; adopt d/p.txt c1 [{1 1} {3 1}]")
}

func TestRenameEditFollows(t *testing.T) {
	moved := gone(file(1, v(1, 1)), v(1, 2))
	moved.MovedTo = "d/q.txt"
	edit := based(file(2, v(1, 1, 2, 1)), 1)
	q := at(file(1, v(1, 3)), "d/q.txt")
	// who moved it
	d := decide(around{}.with(q), &moved, edit)
	expect(t, d, "put d/q.txt c2 [{1 3}]; adopt d/p.txt c2 [{1 2} {2 1}]; bump d/q.txt")
	if d.Actions[0].Was.Seq != 7 || d.Actions[1].Entry.MovedTo != "d/q.txt" || d.Facts[0].Kind != EditFollowedMove {
		t.Errorf("decision %+v", d)
	}
	if !slices.Equal(d.Actions[1].Needs, []tree.Path{"d/q.txt"}) || d.Actions[0].Needs != nil {
		t.Errorf("the old name may go without the new one: %+v", d.Actions)
	}
	// who edited it
	expect(t, decide(around{}.with(q), &edit, moved), "put d/q.txt c2 [{1 3}]; delete d/p.txt c2 [{1 2} {2 1}]; bump d/q.txt")
	// who sees that it was done
	expect(t, decide(around{}.with(at(edit, "d/q.txt")), &edit, moved), "delete d/p.txt c2 [{1 2} {2 1}]")
	expect(t, decide(around{pending: []tree.Path{"d/q.txt"}}, &edit, moved), "wait 3 for [d/q.txt]")
	// doubtful: edited there too, gone, unknown, not edited from it
	for _, look := range []around{{}, around{}.with(at(file(5, v(1, 3)), "d/q.txt")), around{}.with(at(gone(q, v(1, 4)), "d/q.txt"))} {
		expect(t, decide(look, &edit, moved), "adopt d/p.txt c2 [{1 2} {2 1}]")
	}
	expect(t, decide(around{}.with(q), ptr(based(edit, 8)), moved), "adopt d/p.txt c2 [{1 2} {2 1}]")
}

func TestRenameRenameBothNamesExist(t *testing.T) {
	one, two := gone(file(1, v(1, 1)), v(1, 2)), gone(file(1, v(1, 1)), v(1, 1, 2, 1))
	one.MovedTo, two.MovedTo = "d/q", "d/r"
	expect(t, decide(around{}, &one, two), "adopt d/p.txt c1 [{1 2} {2 1}]")
}

func TestMetadataOnlyNeverCopies(t *testing.T) {
	one, two := file(1, v(1, 1)), file(1, v(2, 1))
	two.Mode = 0o755
	expect(t, decide(around{}, &one, two), "meta d/p.txt c1 [{1 1} {2 1}]")
	d := decide(around{}, &two, one)
	expect(t, d, "adopt d/p.txt c1 [{1 1} {2 1}]")
	if d.Actions[0].Entry.Mode != 0o755 {
		t.Error("the other one won here")
	}
}

func TestRebuiltIndex(t *testing.T) {
	was := file(1, v(1, 1))
	del := gone(was, v(1, 2))
	d := decide(around{}, ptr(file(1, v(9, 1))), del)
	expect(t, d, "delete d/p.txt c1 [{1 2} {9 1}]")
	if d.Facts[0].Kind != DeletionConfirmed {
		t.Errorf("facts %v", d.Facts)
	}
	expect(t, decide(around{}, &del, file(1, v(9, 1))), "adopt d/p.txt c1 [{1 2} {9 1}]")
	expect(t, decide(around{}, ptr(file(2, v(9, 1))), del), "adopt d/p.txt c2 [{1 2} {9 1}]")
	expect(t, decide(around{}, ptr(file(1, v(1, 1, 9, 1))), del), "adopt d/p.txt c1 [{1 2} {9 1}]")
	expect(t, decide(around{children: Children{Staying: true}}, ptr(dir(v(9, 1))), gone(dir(v(1, 1)), v(1, 2))),
		"adopt d/p.txt directory [{1 2} {9 1}]; bump d/p.txt")
}

func TestEqualVersionsHeal(t *testing.T) {
	one, two := file(1, v(1, 1)), file(2, v(1, 1))
	expect(t, decide(around{}, &one, two), "put d/p.txt c2 [{1 1}] keep c1 "+copyOf1+" [{1 1}]")
	expect(t, decide(around{}, &two, one), "put "+copyOf1+" c1 [{1 1}]; adopt d/p.txt c2 [{1 1}]")
	expect(t, decide(around{}.with(at(one, copyOf1)), &two, one), "drop 1")
	expect(t, decide(around{}, ptr(gone(one, v(1, 1))), one), "put d/p.txt c1 [{1 1}]")
	if Settled(one, two) || !Settled(two, two) || !Settled(file(1, v(1, 2)), one) || Settled(one, file(3, v(2, 1))) {
		t.Error("Settled is wrong")
	}
}

// A clock that is far ahead, or an mtime that was set so, wins nothing.
func TestMTimeIsClampedToItsAuthorsStamp(t *testing.T) {
	ahead, now := file(1, v(1, 100)), file(2, v(2, 200))
	ahead.MTime, now.MTime = 1e18, 150e9
	expect(t, decide(around{}, &now, ahead), "put d/p (conflict A 2001-09-09 0146 0001).txt c1 [{1 100}]; adopt d/p.txt c2 [{1 100} {2 200}]")
}

func TestRankIsATotalOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var es []tree.Entry
		for range 3 {
			es = append(es, drawEntry(t))
		}
		if x := rank(es[0], es[1]); x != -rank(es[1], es[0]) || (x == 0) != reflect.DeepEqual(es[0], es[1]) && es[0].Exists() {
			t.Fatalf("%v and %v: %d", es[0], es[1], x)
		}
		if rank(es[0], es[1]) >= 0 && rank(es[1], es[2]) >= 0 && rank(es[0], es[2]) < 0 {
			t.Fatalf("not transitive: %v", es)
		}
	})
}

// Whatever the order in which remotes are named, the decision is the same, its
// version covers them all, and deciding again changes nothing.
func TestDecisionDoesNotDependOnTheOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		in := Input{Path: "d/p.txt", Lookup: around{}}
		if in.HasLocal = rapid.Bool().Draw(t, "has local"); in.HasLocal {
			in.Local = tree.Record{Entry: drawEntry(t), Seq: 5}
		}
		for i := range rapid.IntRange(1, 4).Draw(t, "remotes") {
			in.Remotes = append(in.Remotes, Remote{tree.DeviceID{byte(i + 1)}, drawEntry(t)})
		}
		d := Decide(in)
		in.Remotes = rapid.Permutation(in.Remotes).Draw(t, "order")
		if o := Decide(in); told(o) != told(d) {
			t.Fatalf("%s\n%s", told(d), told(o))
		}
		for _, x := range d.Actions {
			if x.Entry.Path != in.Path {
				continue
			}
			again := in
			again.HasLocal, again.Local = true, tree.Record{Entry: x.Entry, Seq: 6}
			for _, r := range in.Remotes {
				if !x.Entry.Version.Covers(r.Entry.Version) {
					t.Fatalf("%v does not cover %v", x.Entry.Version, r.Entry.Version)
				}
			}
			for _, y := range Decide(again).Actions {
				if y.Entry.Path == in.Path && !same(y.Entry, x.Entry) {
					t.Fatalf("%s\nthen %s", told(d), told(Decide(again)))
				}
			}
		}
	})
}

func drawEntry(t *rapid.T) tree.Entry {
	var ver tree.Version
	for _, r := range []tree.ReplicaID{a, b, c} {
		if n := rapid.IntRange(0, 2).Draw(t, "counter"); n > 0 {
			ver = append(ver, tree.Stamp{Replica: r, N: uint64(n)})
		}
	}
	if ver == nil {
		ver = v(1, 1)
	}
	e := file(rapid.IntRange(1, 3).Draw(t, "content"), ver)
	switch rapid.IntRange(0, 4).Draw(t, "kind") {
	case 0:
		e = dir(ver)
	case 1:
		e = link("x", ver)
	case 2:
		e.Base = content(rapid.IntRange(1, 3).Draw(t, "base"))
	}
	e.Deleted = rapid.IntRange(0, 3).Draw(t, "deleted") == 0
	return e
}

// Losers that are alike in all but their versions are told apart, too: else which
// of them becomes the copy would follow from who was heard first.
func TestRankTellsVersionsApart(t *testing.T) {
	one, two := file(1, v(1, 1, 3, 1)), file(1, v(2, 1, 3, 1))
	one.Author, two.Author = c, c
	if x, y := rank(one, two), rank(two, one); x == 0 || x != -y {
		t.Errorf("%d one way, %d the other", x, y)
	}
}
