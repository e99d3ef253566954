package plan

import "pinion/engine/tree"

// Going is what is known of one path below a directory that goes elsewhere, and of
// the path that it has there.
type Going struct {
	Here  tree.Record  // live, at the old path
	Gone  []tree.Entry // what others tell of the old path and the index does not cover
	There tree.Record  // the row at the new path; zero: none
	Come  []tree.Entry // what others tell of the new path
}

// Along says whether what stands here only has to go along with the directory: all
// that is told of the old path is one deletion of what stands here, all that is told
// of the new one is that the same stands there, and there is nothing yet.
func (g Going) Along() bool {
	if len(g.Gone) != 1 || len(g.Come) != 1 || !g.Here.Exists() || g.Here.Kind != g.Here.Disk.Kind || g.There.Exists() {
		return false
	}
	gone, come := g.Gone[0], g.Come[0]
	return gone.Deleted && gone.Version.Compare(g.Here.Version) == tree.After && (gone.MovedTo == "" || gone.MovedTo == come.Path) &&
		come.Exists() && come.Version.Covers(g.There.Version) && come.SameContent(g.Here.Entry) &&
		come.Size == g.Here.Size && come.Conflict == nil && come.Mode == g.Here.Mode && come.MTime == g.Here.MTime && come.Attrs == g.Here.Attrs
}

// Relocation is the action by which the directory itself goes, with all that is
// below it, given what is known of it. It is none where something else is to be done.
func (g Going) Relocation() (a Action, ok bool) {
	if !g.Along() || g.Here.Kind != tree.Dir {
		return a, false
	}
	return Action{Op: Relocate, Entry: g.Come[0], Was: g.There, From: &g.Here, FromGone: &g.Gone[0]}, true
}
