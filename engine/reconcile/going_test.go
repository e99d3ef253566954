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
// come to stand there, just so. Every draw begins with what does go along, of which
// up to three things are then drawn anew.
func TestWhatGoesAlongWouldBeMoved(t *testing.T) {
	along, drawn := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		drawn++
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
		file := func(p tree.Path, v tree.Version) tree.Entry {
			return tree.Entry{Path: p, Kind: tree.File, Size: 4, Mode: 0o644, Version: v, Author: 1, Content: tree.ContentID{1, 1}, MTime: 1}
		}
		here := file("old/f", version("here"))
		gone := file("old/f", here.Version.Bump(2, 0))
		gone.Deleted, gone.MovedTo = true, "new/f"
		come, there := file("new/f", version("come")), file("new/f", nil)
		hasThere := false
		for range rapid.IntRange(0, 3).Draw(t, "changes") {
			e := rapid.SampledFrom([]*tree.Entry{&here, &gone, &come, &there}).Draw(t, "of")
			if e == &there && !hasThere {
				hasThere, there.Version = true, version("there")
				there.Deleted = rapid.Bool().Draw(t, "deleted")
				continue
			}
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0:
				e.Version = version("version")
			case 1:
				e.Content = tree.ContentID{1, 2}
			case 2:
				e.MTime = 2
			case 3:
				e.Deleted = !e.Deleted
			case 4:
				e.MovedTo = ""
			}
		}
		g := plan.Going{
			Here: tree.Record{Entry: here, Disk: tree.Stat{Kind: tree.File}, Seq: 4},
			Gone: []tree.Entry{gone}, Come: []tree.Entry{come},
		}
		if hasThere {
			g.There = tree.Record{Entry: there, Seq: 5}
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
		if put := d.Actions[0].Entry; !put.SameContent(here) || put.MTime != here.MTime {
			t.Fatalf("%+v is put, and %+v moved", put, here)
		}
	})
	if along == 0 || along == drawn {
		t.Errorf("%d of %d went along", along, drawn)
	}
}
