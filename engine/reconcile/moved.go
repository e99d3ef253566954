package reconcile

import (
	"pinion/engine/plan"
	"pinion/engine/tree"
)

// followMove applies an edit to where the file was moved meanwhile, and says
// whether it did (or has to wait to do so). Wherever anything is doubtful the
// edit wins under the old name instead: two files, nothing lost.
func (d *decider) followMove() bool {
	edit, gone := d.out.edit, d.out.moved
	if edit == nil || !followable(edit.Entry, gone, d.in.Path) || d.stands(tree.Dir) {
		return false
	}
	to, known := d.in.Lookup.At(gone.MovedTo)
	here := d.in.HasLocal && d.in.Local.Exists()
	if !known || !to.Exists() {
		// Who has nothing here waits for nothing, so that two paths never wait
		// for each other.
		if here && d.in.Lookup.PendingAt(gone.MovedTo) {
			d.Wait, d.First = ForMoved, []tree.Path{gone.MovedTo}
			return true
		}
		return false
	}
	if to.Kind != tree.File || (to.Content != gone.Content && to.Content != edit.Content) {
		return false
	}
	d.applyAt(to, edit.Entry)
	gone.Content, gone.Size = edit.Content, edit.Size
	gone.Version = d.out.entry.Version
	if here {
		d.act(plan.Delete, gone)
	} else {
		d.act(plan.Adopt, gone)
	}
	d.out.facts = nil
	d.fact(EditFollowedMove, gone.MovedTo, edit.Author)
	return true
}

func followable(edit, gone tree.Entry, at tree.Path) bool {
	return gone.MovedTo != "" && gone.MovedTo != at && gone.Kind == tree.File && edit.Kind == tree.File &&
		!gone.Content.IsZero() && (edit.Base == gone.Content || edit.Content == gone.Content)
}

// applyAt brings the edit to the row where the file is now. The edit's version
// says nothing of that path (its author may have written something there that
// nobody has seen yet), so that the result is stamped anew; two devices that do
// the same get the same content under concurrent versions, which merge.
func (d *decider) applyAt(to tree.Record, edit tree.Entry) {
	e := edit.Inherit(to.Entry)
	e.Path, e.Conflict, e.Version, e.Author = to.Path, to.Conflict, to.Version, to.Author
	if e.Content == to.Content {
		e.Base = to.Base
	}
	if same(e, to.Entry) {
		return
	}
	op := plan.Meta
	if e.Content != to.Content {
		op = plan.Put
	}
	d.Actions = append(d.Actions, plan.Action{Op: op, Entry: e, Was: to})
	d.Bump = append(d.Bump, e.Path)
}
