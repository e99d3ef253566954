package status

import (
	"time"

	"pinion/engine/tree"
)

// State is everything a person may want to know at one moment. Treat as
// immutable: whoever changes something makes a new one.
type State struct {
	Version uint64   `json:"version"` // grows with each change on one Board
	Device  Self     `json:"device"`
	Paused  Pause    `json:"paused"`
	Folders []Folder `json:"folders"`
	Devices []Device `json:"devices"`
	Offers  []Offer  `json:"offers"`
	// Notes are sentences about the engine as a whole: a key file whose rights
	// were mended, a UDP buffer that is small, a removed membership.
	Notes []string `json:"notes,omitempty"`
}

// Self is this device.
type Self struct {
	ID      tree.DeviceID `json:"id"`
	Name    string        `json:"name"`
	Version string        `json:"version"`
	Listen  string        `json:"listen,omitempty"`
}

// Pause says whether bytes may move.
type Pause struct {
	State  string     `json:"state"`  // "running" or "paused"
	Reason string     `json:"reason"` // a sentence; while running why only small files move, if so
	Until  *time.Time `json:"until"`  // null: until it is resumed
}

// The states of a folder, worst last.
const (
	Synced   = "synced"   // true with every connected peer
	Scanning = "scanning" // looking at the disk
	Syncing  = "syncing"  // something is to be fetched, or a peer lacks something
	Paused   = "paused"
	Full     = "full"    // nothing but room on the disk is lacking; it goes on by itself
	Held     = "held"    // a deletion or change waits for a person
	Missing  = "missing" // the disk or the marker is not there
	Error    = "error"
)

// Folder is one folder on this device.
type Folder struct {
	ID        tree.FolderID `json:"id"`
	Name      string        `json:"name"`
	Path      string        `json:"path"`
	Mode      string        `json:"mode"`
	State     string        `json:"state"`
	Reason    string        `json:"reason,omitempty"` // a sentence, for held, missing, error, paused
	Holds     []Hold        `json:"holds,omitempty"`  // what waits for a person: here first, then by others' word
	Files     int64         `json:"files"`
	Bytes     int64         `json:"bytes"`
	Need      Need          `json:"need"`
	Progress  Progress      `json:"progress"`
	Conflicts int64         `json:"conflicts"`
	Problems  []Problem     `json:"problems"`
	Archive   Archive       `json:"archive"`
	Disk      *Disk         `json:"disk,omitempty"` // absent where the system does not tell
	Peers     []FolderPeer  `json:"peers"`
	Moving    []Moving      `json:"moving,omitempty"` // some of what is being fetched just now, at most 8
	// Away are devices that are not connected, but hold the folder, or did when they
	// were last heard of.
	Away []tree.DeviceID `json:"away,omitempty"`
}

// Moving is a file on its way here.
type Moving struct {
	Path  string   `json:"path"`
	Done  int64    `json:"done"`
	Total int64    `json:"total"`
	From  []string `json:"from,omitempty"` // names of devices
}

// Archive is what is kept of what was replaced or deleted.
type Archive struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Disk is the one that a folder is on, as it was last looked at. Of Free, Reserve
// is left alone.
type Disk struct {
	Free    int64 `json:"free"`
	Total   int64 `json:"total"`
	Reserve int64 `json:"reserve"`
}

// Hold is much that was lost at once and waits for a person, who answers on any
// device: pinion confirm lets it happen everywhere, pinion restore FOLDER takes it
// back.
type Hold struct {
	Device      string   `json:"device"` // that holds it
	Files       int64    `json:"files"`
	Deleted     bool     `json:"deleted"`
	Overwritten bool     `json:"overwritten"`        // with what looks encrypted
	OfOthers    bool     `json:"of_others"`          // another device did it, and this one has not carried it out
	Examples    []string `json:"examples,omitempty"` // some of the paths; here only
	// Since is when it was noticed, here only.
	Since time.Time `json:"since,omitzero"`
}

// Need counts what this device lacks.
type Need struct {
	Files int64 `json:"files"`
	Bytes int64 `json:"bytes"`
}

// Progress of what moves towards this device. ETA is -1 when it can't be told.
type Progress struct {
	BytesDone  int64 `json:"bytes_done"`
	BytesTotal int64 `json:"bytes_total"`
	FilesDone  int64 `json:"files_done"`
	FilesTotal int64 `json:"files_total"`
	Rate       int64 `json:"rate_bps"` // bytes per second
	ETA        int64 `json:"eta_s"`
	Scanned    int64 `json:"scanned"` // files seen by a scan under way
}

// Problem is one path that can't be synced, and its cure.
type Problem struct {
	Path  string `json:"path"`
	Error string `json:"error"`
}

// FolderPeer is how far another device is with a folder, by its own word.
type FolderPeer struct {
	Device    string        `json:"device"`
	ID        tree.DeviceID `json:"id"`
	Connected bool          `json:"connected"`
	NeedFiles int64         `json:"need_files"`
	NeedBytes int64         `json:"need_bytes"`
	NoRoom    int64         `json:"no_room,omitempty"` // of need_files, those for which its disk has no room
	UpToDate  bool          `json:"up_to_date"`
	Disk      *Disk         `json:"disk,omitempty"` // the one that it has the folder on, by its word; without Reserve. Absent: not told
}

// Device is a member of the circle.
type Device struct {
	ID        tree.DeviceID `json:"id"`
	Name      string        `json:"name"`
	Connected bool          `json:"connected"`
	Address   string        `json:"address"`
	RTT       float64       `json:"rtt_ms"`
	LastSeen  *time.Time    `json:"last_seen"`
	Software  string        `json:"software,omitempty"`
	Error     string        `json:"error,omitempty"`  // why the last session ended, if in anger
	Given     []string      `json:"given,omitempty"`  // addresses given by hand
	Paused    *Pause        `json:"paused,omitempty"` // by hand, with this device; absent: it is not
}

// Offer is a folder of the circle that this device does not hold.
type Offer struct {
	ID   tree.FolderID `json:"id"`
	Name string        `json:"name"`
	From string        `json:"from"`
	// Declined: a person said that it is not wanted here, or removed it. It can be
	// accepted all the same, and nobody is asked about it.
	Declined bool `json:"declined,omitempty"`
}
