package reconcile

import (
	"pinion/engine/plan"
	"pinion/engine/tree"
)

// Lookup answers what Decide has to know of other paths.
type Lookup interface {
	// At is the index's row of a path, live or a tombstone.
	At(tree.Path) (tree.Record, bool)
	// PendingAt says whether something announced at the path is undecided.
	PendingAt(tree.Path) bool
	// LiveChildren says what stands directly in a directory. Children that are
	// deleted in the batch under way may be left out.
	LiveChildren(tree.Path) Children
	// Replica says whose life a replica is; the zero Replica when not known.
	Replica(tree.ReplicaID) tree.Replica
	// Ancestor is a content that stood at the path in a version of which both
	// versions know all; zero when none is known here. Devices may answer
	// differently: see the package's doc.
	Ancestor(p tree.Path, a, b tree.Version) tree.ContentID
}

// Children sums up what stands in a directory.
type Children struct {
	Staying bool // at least one has no tombstone pending
	Leaving bool // at least one has
}

// Remote is what a device announced of the path.
type Remote struct {
	Device tree.DeviceID
	Entry  tree.Entry
}

// Input is all that is known of one path.
type Input struct {
	Path     tree.Path
	Local    tree.Record
	HasLocal bool
	Remotes  []Remote
	Lookup   Lookup
}

// Decision is what has to be done about one path.
type Decision struct {
	// Actions belong together: either all of them are committed or none. They
	// are in an order in which they can be done.
	Actions []plan.Action
	// Bump names the actions' paths whose Entry.Version must be bumped by the
	// own replica, with it as Author, before they are carried out: directories
	// that stay or come back for the sake of what is in them, and files to which
	// an edit followed a move.
	Bump    []tree.Path
	Sources []Source        // where the contents of Actions are to be had
	Wait    Reason          // not 0: nothing is done now, decide again later
	First   []tree.Path     // what has to be decided before, with Wait
	Drop    []tree.DeviceID // whose announcements of the path need nothing
	Facts   []Fact          // for the log and for the person
}

// Source says who announced a content.
type Source struct {
	Content tree.ContentID
	Devices []tree.DeviceID
}

// Reason says why a decision has to wait.
type Reason uint8

const (
	ForParent   Reason = iota + 1 // the directory it belongs into is undecided
	ForChildren                   // what stands in the directory is undecided
	ForMoved                      // where the file was moved to is undecided
	ForName                       // no name is free for a conflict copy
)

func (r Reason) String() string {
	switch r {
	case ForParent:
		return "its directory is not decided yet"
	case ForChildren:
		return "what is in the directory is not decided yet"
	case ForMoved:
		return "the place where it was moved to is not decided yet"
	case ForName:
		return "no name is free for a conflict copy"
	}
	return ""
}

// FactKind is what a Fact tells.
type FactKind uint8

const (
	ConflictMade      FactKind = iota + 1 // Other is the copy
	EditBeatDeletion                      // a change is kept though somebody deleted the path
	DirectoryRevived                      // a deleted directory stays for what is in it
	EditFollowedMove                      // Other is where the change went
	DeletionConfirmed                     // what a new index found here had been deleted before
)

// Fact is something that a person may want to know.
type Fact struct {
	Kind  FactKind
	Path  tree.Path
	Other tree.Path
	By    tree.ReplicaID // who wrote what lost or gave way; 0 when nobody did
	When  uint64         // of EditBeatDeletion: when it was deleted, in seconds since 1970
}
