package reconcile

import (
	"testing"

	"pgregory.net/rapid"

	"pinion/engine/plan"
	"pinion/engine/tree"
)

// atRest is a Lookup of a folder in which the directories stand and nothing else.
type atRest struct{}

func (atRest) At(p tree.Path) (tree.Record, bool) {
	if p == "old" || p == "new" {
		return tree.Record{Entry: tree.Entry{Path: p, Kind: tree.Dir}, Seq: 1}, true
	}
	return tree.Record{}, false
}
func (atRest) PendingAt(tree.Path) bool            { return false }
func (atRest) LiveChildren(tree.Path) Children     { return Children{} }
func (atRest) Replica(tree.ReplicaID) tree.Replica { return tree.Replica{} }
func (atRest) Ancestor(tree.Path, tree.Version, tree.Version) tree.ContentID {
	return tree.ContentID{}
}

// What goes along with its directory would, decided by itself, be removed here and
// come to stand there, just so.
func TestWhatGoesAlongWouldBeMoved(t *testing.T) {
	along := 0
	rapid.Check(t, func(t *rapid.T) {
		version := func(label string) (v tree.Version) {
			for r := tree.ReplicaID(1); r <= 2; r++ {
				if n := rapid.Uint64Range(0, 3).Draw(t, label); n > 0 {
					v = append(v, tree.Stamp{Replica: r, N: n})
				}
			}
			if len(v) == 0 {
				v = tree.Version{{Replica: 1, N: 1}}
			}
			return v
		}
		entry := func(p tree.Path, label string) tree.Entry {
			e := tree.Entry{Path: p, Kind: tree.File, Size: 4, Mode: 0o644, Version: version(label), Author: 1}
			e.Content = tree.ContentID{1, byte(rapid.IntRange(1, 2).Draw(t, label))}
			e.MTime = int64(rapid.IntRange(1, 2).Draw(t, label))
			e.Deleted = rapid.IntRange(0, 3).Draw(t, label) == 0
			return e
		}
		here, gone, come := entry("old/f", "here"), entry("old/f", "gone"), entry("new/f", "come")
		if rapid.Bool().Draw(t, "gone") {
			gone.Deleted, gone.MovedTo = true, "new/f"
		}
		g := plan.Going{
			Here: tree.Record{Entry: here, Disk: tree.Stat{Kind: tree.File}, Seq: 4},
			Gone: []tree.Entry{gone}, Come: []tree.Entry{come},
		}
		if rapid.IntRange(0, 2).Draw(t, "there") == 0 {
			g.There = tree.Record{Entry: entry("new/f", "there"), Seq: 5}
		}
		if !g.Along() {
			return
		}
		along++
		dev := tree.DeviceID{2}
		d := Decide(Input{Path: "old/f", Local: g.Here, HasLocal: true, Remotes: []Remote{{Device: dev, Entry: gone}}, Lookup: atRest{}})
		if len(d.Actions) != 1 || d.Actions[0].Op != plan.Delete || d.Actions[0].Entry.Version.Compare(gone.Version) != tree.Equal {
			t.Fatalf("the old path: %+v", d)
		}
		d = Decide(Input{Path: "new/f", Local: g.There, HasLocal: g.There.Seq != 0, Remotes: []Remote{{Device: dev, Entry: come}}, Lookup: atRest{}})
		if len(d.Actions) != 1 || d.Actions[0].Op != plan.Put || d.Actions[0].Keep != nil || d.Actions[0].Entry.Version.Compare(come.Version) != tree.Equal {
			t.Fatalf("the new path: %+v of %+v", d, g)
		}
	})
	if along == 0 && !testing.Short() { // which draws few
		t.Error("nothing went along")
	}
}
