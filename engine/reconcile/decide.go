package reconcile

import (
	"slices"

	"pinion/engine/plan"
	"pinion/engine/tree"
)

// Decide says what has to become of one path.
func Decide(in Input) Decision {
	front, drop := frontier(in)
	if len(front) == 0 || (len(front) == 1 && front[0].local) {
		return Decision{Drop: drop}
	}
	d := &decider{in: in, out: merge(in.Path, front), named: map[tree.Path]tree.ContentID{}}
	for _, c := range front {
		if c.Conflict != nil && (d.original == "" || c.Conflict.Of < d.original) {
			d.original = c.Conflict.Of
		}
	}
	d.settle()
	if d.Wait != 0 {
		return Decision{Wait: d.Wait, First: d.First, Drop: drop}
	}
	if len(d.Actions) == 0 {
		for _, r := range in.Remotes {
			drop = append(drop, r.Device)
		}
		slices.SortFunc(drop, compareDevices)
		return Decision{Drop: slices.Compact(drop)}
	}
	d.standApart(front)
	d.lead()
	d.Drop = drop
	d.Facts = append(d.out.facts, d.Facts...)
	if f, ok := d.settledElsewhere(); ok {
		d.Facts = append(d.Facts, f)
	}
	d.Sources = sources(d.Actions, in.Remotes)
	return d.Decision
}

// settledElsewhere recognises an edit that beat a deletion where another device
// has decided that before this one: what came covers our tombstone, but was
// edited from the very content that the tombstone took away.
func (d *decider) settledElsewhere() (Fact, bool) {
	local, top := d.in.Local, d.out.top
	if !d.in.HasLocal || !local.Deleted || local.Kind != tree.File || !top.Exists() || top.Base.IsZero() || top.Base != local.Content ||
		top.Version.Compare(local.Version) != tree.After {
		return Fact{}, false
	}
	return Fact{Kind: EditBeatDeletion, Path: d.in.Path, By: local.Author, When: local.Version.Counter(local.Author)}, true
}

// decider gathers one decision.
type decider struct {
	Decision
	in       Input
	out      outcome
	original tree.Path                    // of a conflict copy that the path holds
	named    map[tree.Path]tree.ContentID // copies of this decision
}

func (d *decider) settle() {
	switch local := d.in.Local; {
	case d.followMove():
	case d.stands(tree.Dir) && d.out.entry.Kind == tree.Dir && d.out.entry.Exists():
		d.stand()
	case d.stands(tree.Dir):
		d.clearDirectory()
	case d.out.entry.Exists():
		d.stand()
	case d.in.HasLocal && local.Exists():
		d.act(plan.Delete, d.out.entry)
	default:
		d.act(plan.Adopt, d.out.entry)
	}
}

// standApart stamps an outcome anew whose joined version is that of something else:
// of a conflict copy, which has its version from another path (see unrelated). One
// version would stand for two contents.
func (d *decider) standApart(front []candidate) {
	join := d.out.entry.Version
	if !d.out.entry.Exists() || d.out.top.Version.Compare(join) != tree.Before || slices.Contains(d.Bump, d.in.Path) {
		return
	}
	taken := slices.ContainsFunc(front, func(c candidate) bool {
		return c.Exists() && c.Version.Compare(join) == tree.Equal && !c.SameContent(d.out.entry)
	})
	here := slices.ContainsFunc(d.Actions, func(a plan.Action) bool { return a.Entry.Path == d.in.Path && a.Entry.Exists() })
	if taken && here {
		d.Bump = append(d.Bump, d.in.Path)
	}
}

// lead lets the action at the path itself wait for all others: its version covers
// what they bring to stand elsewhere.
func (d *decider) lead() {
	var others []tree.Path
	at := -1
	for i, a := range d.Actions {
		if a.Entry.Path == d.in.Path {
			at = i
		} else {
			others = append(others, a.Entry.Path)
		}
	}
	if at >= 0 {
		d.Actions[at].Needs = others
	}
}

// stands says whether something of the kind stands here now.
func (d *decider) stands(k tree.Kind) bool {
	return d.in.HasLocal && d.in.Local.Exists() && d.in.Local.Kind == k
}

func (d *decider) was() tree.Record {
	if d.in.HasLocal {
		return d.in.Local
	}
	return tree.Record{}
}

func (d *decider) act(op plan.Op, e tree.Entry) {
	d.Actions = append(d.Actions, plan.Action{Op: op, Entry: e, Was: d.was()})
}

// stand lets the outcome stand at the path, the losers beside it.
func (d *decider) stand() {
	exists := d.in.HasLocal && d.in.Local.Exists()
	if !exists && !d.parents() {
		return
	}
	keep := d.copies(d.out.losers)
	if d.Wait != 0 {
		return
	}
	e, local := d.out.entry, d.in.Local.Entry
	a := plan.Action{Op: create(e.Kind), Entry: e, Was: d.was(), Keep: keep}
	if exists && e.SameContent(local) {
		a.Op = plan.Adopt
		if e.Mode != local.Mode || e.MTime != local.MTime || e.Attrs != local.Attrs {
			a.Op = plan.Meta
		}
		unchanged := e.SameMeta(local) && e.Version.Compare(local.Version) == tree.Equal
		if unchanged && len(d.Actions) == 0 {
			return
		}
	}
	d.Actions = append(d.Actions, a)
}

func create(k tree.Kind) plan.Op {
	switch k {
	case tree.Dir:
		return plan.Make
	case tree.Symlink:
		return plan.Link
	}
	return plan.Put
}

// clearDirectory is for a directory that has to go or to give way: it stays if
// anything in it stays.
func (d *decider) clearDirectory() {
	in := d.in.Lookup.LiveChildren(d.in.Path)
	switch {
	case in.Staying:
		d.reviveLocal()
	case in.Leaving:
		d.Wait = ForChildren
	case d.out.entry.Exists():
		d.stand()
	default:
		d.act(plan.Delete, d.out.entry)
	}
}

func (d *decider) reviveLocal() {
	losers := d.out.losers
	if d.out.entry.Exists() {
		losers = append([]candidate{{Entry: d.out.entry}}, losers...)
	}
	if d.copies(losers); d.Wait != 0 {
		return
	}
	e := d.in.Local.Entry
	e.Version = d.out.entry.Version
	d.act(plan.Adopt, e)
	d.Bump = append(d.Bump, d.in.Path)
	d.fact(DirectoryRevived, "", d.out.entry.Author)
}

// parents makes sure that the directories above the path stand, reviving those
// that were deleted. It says whether one can go on.
func (d *decider) parents() bool {
	var missing []tree.Record
	for p := d.in.Path.Dir(); p != ""; p = p.Dir() {
		rec, known := d.in.Lookup.At(p)
		if known && rec.Exists() && rec.Kind == tree.Dir {
			break
		}
		if d.in.Lookup.PendingAt(p) {
			d.First = append(d.First, p)
		}
		if !known {
			rec = tree.Record{}
		}
		rec.Path = p
		missing = append(missing, rec)
	}
	if len(d.First) > 0 {
		slices.Reverse(d.First)
		d.Wait = ForParent
		return false
	}
	for _, rec := range slices.Backward(missing) {
		if !d.reviveParent(rec) {
			return false
		}
	}
	return true
}

// madeUpMode is that of a directory whose own entry was never seen. It gives way
// to any that is told later, and shows nobody what is private.
const madeUpMode = 0o700

func (d *decider) reviveParent(rec tree.Record) bool {
	a := plan.Action{Op: plan.Make, Was: rec}
	if rec.Seq == 0 {
		a.Was = tree.Record{}
	}
	a.Entry = tree.Entry{Path: rec.Path, Kind: tree.Dir, Mode: madeUpMode, Version: rec.Version, Author: rec.Author}
	if rec.Kind == tree.Dir {
		a.Entry.Mode, a.Entry.Attrs = rec.Mode, rec.Attrs
	}
	if rec.Exists() {
		original := d.original
		d.original = ""
		if rec.Conflict != nil {
			d.original = rec.Conflict.Of
		}
		a.Keep = d.copyOf(candidate{Entry: rec.Entry, local: true})
		d.original = original
	}
	d.Actions = append(d.Actions, a)
	d.Bump = append(d.Bump, rec.Path)
	d.Facts = append(d.Facts, Fact{Kind: DirectoryRevived, Path: rec.Path, By: rec.Author})
	return d.Wait == 0
}

// copies appends what brings the losers to stand as conflict copies; what stands
// here already is given back to be moved out of the way.
func (d *decider) copies(losers []candidate) (keep *tree.Entry) {
	for _, l := range losers {
		if e := d.copyOf(l); e != nil {
			keep = e
		}
	}
	return keep
}

// copyOf lets a loser stand as a conflict copy, unless it stood under that name
// and was deleted. Where the same content stands there it takes on the loser's
// version, so that no older deletion takes it away. Where what stands here only
// has to be moved there, its entry is given back instead.
func (d *decider) copyOf(l candidate) *tree.Entry {
	e := l.Entry
	at := e.Path
	if e.Conflict == nil {
		of := at
		if d.original != "" {
			of = d.original
		}
		e.Conflict = &tree.Conflict{Of: of, Base: d.ancestor(e)}
	}
	named := beside(at, e.Conflict.Of)
	for _, digits := range nameDigits() {
		e.Path = conflictPath(named, deviceOf(d.in.Lookup, e.Author), e.MTime, identity(e), digits)
		id, planned := d.named[e.Path]
		rec, known := d.in.Lookup.At(e.Path)
		equal := rec.Kind == e.Kind && rec.Content == e.Content && rec.Target == e.Target
		done := known && (rec.Exists() || rec.Version.Covers(e.Version))
		switch {
		case e.Path == at:
		case planned && id == identity(e), !planned && done && equal && rec.Version.Covers(e.Version):
			return nil
		case !planned && done && equal:
			d.named[e.Path] = identity(e)
			e = rec.Entry
			e.Version = e.Version.Join(l.Version)
			d.Actions = append(d.Actions, plan.Action{Op: plan.Adopt, Entry: e, Was: rec})
			return nil
		case planned || done:
		default:
			d.named[e.Path] = identity(e)
			d.fact(ConflictMade, e.Path, e.Author)
			if l.local && !known {
				return &e
			}
			// a tombstone of an earlier copy gives way
			e.Version = e.Version.Join(rec.Version)
			d.Actions = append(d.Actions, plan.Action{Op: create(e.Kind), Entry: e, Was: rec})
			return nil
		}
	}
	d.Wait = ForName
	return nil
}

// ancestor is the content from which both the winner and a loser were made; zero
// when none is certain. What only the loser was edited from will not do: it may
// be a state between that the winner has never been in.
func (d *decider) ancestor(loser tree.Entry) tree.ContentID {
	top, local := d.out.top, d.in.Local
	older := func(e tree.Entry) bool { return local.Version.Compare(e.Version) == tree.Before }
	switch {
	case top.Kind != tree.File || loser.Kind != tree.File:
		return tree.ContentID{}
	case !top.Base.IsZero() && top.Base == loser.Base:
		return top.Base
	case d.in.HasLocal && local.Exists() && local.Kind == tree.File && older(top) && older(loser):
		return local.Content
	}
	return d.in.Lookup.Ancestor(d.in.Path, top.Version, loser.Version)
}

func (d *decider) fact(k FactKind, other tree.Path, by tree.ReplicaID) {
	d.Facts = append(d.Facts, Fact{Kind: k, Path: d.in.Path, Other: other, By: by})
}

func sources(actions []plan.Action, remotes []Remote) (all []Source) {
	for _, a := range actions {
		if a.Op != plan.Put {
			continue
		}
		s := Source{Content: a.Entry.Content}
		for _, r := range remotes {
			if r.Entry.Exists() && r.Entry.Content == s.Content {
				s.Devices = append(s.Devices, r.Device)
			}
		}
		slices.SortFunc(s.Devices, compareDevices)
		s.Devices = slices.Compact(s.Devices)
		if !slices.ContainsFunc(all, func(o Source) bool { return o.Content == s.Content }) {
			all = append(all, s)
		}
	}
	return all
}
