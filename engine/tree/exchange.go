package tree

// Position is a place in one index's history. Epoch is drawn at random each time
// an index is opened for writing, so that a position in a history that was lost
// (an index restored from a backup) is recognised.
type Position struct {
	Replica ReplicaID
	Epoch   uint64
	Seq     uint64
}

// Batch is a run of one index's rows in the order of their Seq.
type Batch struct {
	Entries  []Entry
	Moved    []Moved   // others, told by what the receiver has
	Replicas []Replica // those that the entries name and that were not yet told in this session
	After    uint64    // the Seq up to which the sender had told before; who has recorded less has missed a batch
	Upto     Position  // after this batch all of the sender's history up to here is told
}

// FolderState is what a device says about a folder whenever it changes: how far
// it is, and how far it has recorded the receiver's index.
type FolderState struct {
	Folder    FolderID
	Life      uint64   // drawn when the sender began to exchange the folder with the receiver; another one: it has begun anew
	At        Position // the sender's own newest
	Have      Position // of the receiver's index; zero: nothing
	Busy      bool     // the sender is still looking at its disk, or has yet to carry something out: At may be about to move
	Files     int64    // files that stand in the sender's folder
	Bytes     int64
	NeedFiles int64 // of all that the sender knows of, what it lacks
	NeedBytes int64
	NoRoom    int64 // of NeedFiles, those for which the sender's disk has no room; they come once it has
	// Confirmed is when a person last said yes, on any device, to a held deletion
	// in this folder: nanoseconds since 1970, 0 for never. Who hears of a later
	// one lets what it holds happen.
	Confirmed int64
	// HeldFiles is how many files wait for a person on the sender, deleted or
	// overwritten as HeldKind says; 0: none.
	HeldFiles int64
	HeldKind  Held
	// TakenBack is when a person last asked, on any device, for what is held to be
	// taken back, as Confirmed is for a yes.
	TakenBack int64
	// Digest sums up what stands in the folder; 0: it is not to be compared now.
	// Devices that are level with each other have equal ones.
	Digest uint64
	Clock  int64 // the sender's clock when it sent this, milliseconds since 1970; 0: not told
	// DiskFree and DiskTotal are bytes of the disk that the sender's folder is on, for
	// a person to see; nothing is decided by them. Total 0: not told.
	DiskFree, DiskTotal int64
	// Small is up to how many bytes a file may have that the sender takes or gives
	// now, since its link is slow or costs; 0: any. Larger ones come later.
	Small int64
	// Coming is a large file that the sender is reading: it can be asked for in
	// part before its content has an id.
	Coming Coming
}

// Coming is a file that is being read; zero: none is.
type Coming struct {
	ID   ContentID // stands for it until its content has one
	Size int64
	Base ContentID // the content that stood there before; zero: none did
}

// Held says what is held: bits. Others are of later versions, and ignored.
type Held uint8

const (
	HeldDeleted     Held = 1 << iota // files that are gone
	HeldOverwritten                  // files that were overwritten with what looks encrypted
	HeldOfOthers                     // by another device than the one that says so: it has not carried it out
)

// Offer names a folder that a device holds.
type Offer struct {
	Folder FolderID
	Name   string
}
