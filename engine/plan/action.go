package plan

import "pinion/engine/tree"

// Op is what an Action does to the disk.
type Op uint8

const (
	Adopt    Op = iota + 1 // nothing: only the index is told
	Make                   // a directory comes to stand
	Put                    // a file's content comes to stand, where nothing or something else stood
	Link                   // a symlink comes to stand
	Meta                   // mode or mtime change
	Delete                 // what stands there goes
	Move                   // a file goes from From.Path to Entry.Path
	Relocate               // a directory goes from From.Path to Entry.Path with all that is in it; never in a group with others
)

func (o Op) String() string {
	switch o {
	case Adopt:
		return "adopt"
	case Make:
		return "make"
	case Put:
		return "put"
	case Link:
		return "link"
	case Meta:
		return "meta"
	case Delete:
		return "delete"
	case Move:
		return "move"
	case Relocate:
		return "relocate"
	}
	return "no operation"
}

// Action is one change of one path (a Move: of two), with what it rests on.
type Action struct {
	Op    Op
	Entry tree.Entry  // what the index will say of Entry.Path afterwards
	Was   tree.Record // what the index says stands at Entry.Path now; Was.Seq==0: nothing was ever there; tombstone: nothing stands there
	Keep  *tree.Entry // set: what is displaced becomes this entry (a conflict copy at Keep.Path) instead of going to the archive
	// From is set for a Move and a Relocate: the live row of what goes from there to
	// Entry.Path; FromGone is its tombstone.
	From     *tree.Record
	FromGone *tree.Entry
	// Needs are the paths of actions without which this one must not be done: it would
	// settle what only they bring to stand, and nobody would bring it any more.
	Needs  []tree.Path
	Staged string // Put: path of the verified content in .pinion/tmp; filled in before apply
	// Flush is the number of the flush after which the disk keeps what is staged
	// (apply.Applier.NextFlush); 0: it is not known.
	Flush uint64
}
