package control

import (
	"context"
	"time"

	"pinion/engine/status"
	"pinion/engine/tree"
)

// Engine is what the API offers: all that a person can ask of a running engine.
// Errors are sentences for a person. The server and the client both implement
// it, so that a window or a command is the same beside the engine and across a
// socket.
type Engine interface {
	Status(ctx context.Context, after uint64) (status.State, error) // waits for a state newer than after; 0: at once

	Circle
	Folders
	Placing
	Ignoring
	Pausing
	Choosing
	Settling
	Keeping
	Browsing
	Looking
}

type (
	// Circle is the person's devices.
	Circle interface {
		Invite(ctx context.Context) (Invitation, error)
		Join(ctx context.Context, r JoinRequest) (Joined, error)
		RemoveDevice(ctx context.Context, device string) error // a name, an id, or the beginning of an id
		RenameDevice(ctx context.Context, device, name string) error
		SetDevice(ctx context.Context, device string, s DeviceSettings) error
	}
	// Folders is what is kept the same.
	Folders interface {
		AddFolder(ctx context.Context, r AddFolder) (status.Folder, error)
		Accept(ctx context.Context, r Accept) (status.Folder, error)
		RemoveFolder(ctx context.Context, folder string) error // a name or an id; the files stay
		SetFolder(ctx context.Context, folder string, s FolderSettings) error
		Scan(ctx context.Context, folder string) error    // "" is every folder
		Confirm(ctx context.Context, folder string) error // lets a held deletion happen
	}
	// Pausing is when bytes move.
	Pausing interface {
		Pause(ctx context.Context, r PauseRequest) error
		Resume(ctx context.Context, r PauseRequest) error
	}
	// Settling is what was written twice.
	Settling interface {
		Conflicts(ctx context.Context) ([]Conflict, error)
		ListConflicts(ctx context.Context, r ConflictsRequest) (ConflictsPage, error) // a page of them
		Content(ctx context.Context, r ContentRequest) (Content, error)
		Resolve(ctx context.Context, r Resolve) error
		Undo(ctx context.Context, r Undo) error
	}
	// Keeping is what was, and has it back.
	Keeping interface {
		History(ctx context.Context, r HistoryRequest) (History, error)
		Restore(ctx context.Context, r Restore) (Restored, error)
		Activity(ctx context.Context, r ActivityRequest) (ActivityPage, error)
	}
	// Looking is the engine seen from outside: its health and its settings.
	Looking interface {
		Doctor(ctx context.Context, r DoctorRequest) ([]Finding, error)
		Config(ctx context.Context) (Config, error)
	}
)

type (
	Invitation struct {
		Link    string    `json:"link"`
		Expires time.Time `json:"expires"`
	}
	JoinRequest struct {
		Link    string `json:"link"`
		Address string `json:"address,omitempty"` // HOST:PORT, tried before those in the link
	}
	Joined struct {
		Device tree.DeviceID `json:"device"`
		Name   string        `json:"name"`
	}
	// DeviceSettings: nil fields stay as they are.
	DeviceSettings struct {
		Addresses *[]string `json:"addresses,omitempty"` // given by hand, tried first
	}

	AddFolder struct {
		Path  string `json:"path"` // absolute
		Name  string `json:"name,omitempty"`
		Mode  string `json:"mode,omitempty"`  // two-way (default), send, receive
		State string `json:"state,omitempty"` // "disk" (default): the index lives beside the files; "home": in the home directory
	}
	Accept struct {
		Folder string `json:"folder"` // name or id of an offer
		Path   string `json:"path"`   // absolute
		Mode   string `json:"mode,omitempty"`
		State  string `json:"state,omitempty"`
	}
	// FolderSettings: nil fields stay as they are.
	FolderSettings struct {
		Name      *string        `json:"name,omitempty"`
		Mode      *string        `json:"mode,omitempty"`
		ScanEvery *time.Duration `json:"scan_every,omitempty"` // the safety net's interval
		// Attributes: extended attributes and access control lists; Owner: owners and
		// groups by name, which only an engine that is root can carry.
		Attributes *bool   `json:"attributes,omitempty"`
		Owner      *bool   `json:"owner,omitempty"`
		KeepDays   *int    `json:"keep_days,omitempty"`  // how long what was replaced or deleted is kept; 0: the default, -1: for ever
		KeepBytes  *int64  `json:"keep_bytes,omitempty"` // how much of it; 0: the default, -1: no bound
		Reserve    *int64  `json:"reserve,omitempty"`    // how much of the disk is left free; 0: the default
		Merge      *string `json:"merge,omitempty"`      // auto: conflicts of text that merge cleanly are merged; ask
	}

	PauseRequest struct {
		Folder string        `json:"folder,omitempty"` // "" is everything
		Device string        `json:"device,omitempty"`
		For    time.Duration `json:"for,omitempty"` // 0: until resumed
		Until  *time.Time    `json:"until,omitempty"`
	}

	// Side is one of two versions in a conflict. Of a deletion: who deleted, and as
	// mtime when.
	Side struct {
		Device string    `json:"device"`
		Size   int64     `json:"size"`
		MTime  time.Time `json:"mtime"`
	}
	Conflict struct {
		Folder string         `json:"folder"`
		Path   string         `json:"path"` // what Resolve takes
		Copy   string         `json:"copy"` // the copy, relative to the folder; with EditDelete the file itself
		This   *Side          `json:"this"` // what holds the name; null when nothing does any more
		That   Side           `json:"that"` // the copy; with EditDelete the deletion
		Base   tree.ContentID `json:"base"` // what both were made from; "" when that is not known
		Kind   string         `json:"kind"` // EditEdit or EditDelete
		// BaseHere: this device has the base. If not, another may have it.
		BaseHere bool `json:"base_here"`
		// What the sides are: of a symbolic link the content of its target's text; ""
		// where there is none. For Resolve.If, and to ask for what was settled.
		ThisContent tree.ContentID `json:"this_content"`
		ThatContent tree.ContentID `json:"that_content"`

		Differ *Differ `json:"differ"` // null where it was not counted
	}
	// Differ is how many lines of each side the other has not. Of small texts only.
	Differ struct {
		This int `json:"this"`
		That int `json:"that"`
	}
	Resolve struct {
		Path string `json:"path"` // as Conflict.Path, FOLDER/PATH, an absolute path, or the copy's path
		Keep string `json:"keep"` // one of the Keep words
		// Text, with KeepMerge, is the result as a person has edited it, at most MaxText
		// bytes; null: what merges by itself.
		Text []byte `json:"text"`
		// If has it fail with KindChanged, changing nothing, where what stands is not what
		// the person saw.
		If *Seen `json:"if,omitempty"`
	}

	HistoryRequest struct {
		Path    string `json:"path,omitempty"`    // a file or a directory; "" is everything
		Deleted bool   `json:"deleted,omitempty"` // what was deleted and is not there now: the version that a restore would bring
	}
	// History is what this device and those that can be reached keep: newest first,
	// after what stands at the path now, if it is a file's.
	History struct {
		Versions []Kept   `json:"versions"`
		Notes    []string `json:"notes,omitempty"` // sentences: who could not be asked
	}
	// Kept is one version in the archives of the devices, or the live one.
	Kept struct {
		Folder  string         `json:"folder"`
		Path    string         `json:"path"`
		Time    time.Time      `json:"time"` // when it was put away, by the first device that did; of the live one: about when it was written here
		Size    int64          `json:"size"`
		Device  string         `json:"device"` // whose change took it away; of the live one: who wrote it
		Reason  string         `json:"reason"` // replaced, deleted, conflict; live
		Content tree.ContentID `json:"content"`
		MTime   time.Time      `json:"mtime"`             // when it was written
		KeptBy  []string       `json:"kept_by"`           // names of devices
		Expires *time.Time     `json:"expires,omitempty"` // when the last of them lets go of it; absent: not known, or never
	}
	Restore struct {
		Path string     `json:"path"`
		At   *time.Time `json:"at,omitempty"` // the version that stood at this time; nil: the newest kept
		To   string     `json:"to,omitempty"` // another path in the folder, or an absolute path in it
		// Content: of a file, the newest version with this content, whenever it stood.
		Content tree.ContentID `json:"content,omitempty"`
		Try     bool           `json:"try,omitempty"`    // changes nothing, and only counts
		Ticket  string         `json:"ticket,omitempty"` // drawn by who asks, for RestoreProgress
	}
	Restored struct {
		Files  int64    `json:"files"`
		Bytes  int64    `json:"bytes"`
		Dirs   int64    `json:"dirs,omitempty"` // empty directories
		Path   string   `json:"path"`
		Absent int64    `json:"absent,omitempty"` // paths of which something is kept, but where nothing stood at the time
		Notes  []string `json:"notes,omitempty"`  // sentences: who could not be asked
		// Replaced is at how many of the paths something else stood, which went to the
		// archive. Undo is what UndoRestore takes; absent: it can't be taken back at once.
		Replaced int64  `json:"replaced,omitempty"`
		Undo     string `json:"undo,omitempty"`
	}

	ActivityRequest struct {
		After uint64        `json:"after"`          // an Activity.ID; 0: the last Limit
		Limit int           `json:"limit"`          // at most 1000
		Wait  time.Duration `json:"wait,omitempty"` // how long to wait for the first new one
		// Before an Activity.ID: the last Limit of those that are older. With those of one
		// moment a page may be longer.
		Before uint64 `json:"before,omitempty"`
		// Only those of a folder (name or id), of a device (name, id or its beginning), of
		// one action, and those whose path holds a text in whatever case.
		Folder string `json:"folder,omitempty"`
		Device string `json:"device,omitempty"`
		Action string `json:"action,omitempty"`
		Text   string `json:"text,omitempty"`
	}
	Activity struct {
		ID     uint64    `json:"id"`
		Time   time.Time `json:"time"`
		Folder string    `json:"folder"`
		Path   string    `json:"path"`
		Action string    `json:"action"` // added, changed, deleted, moved, conflict, merged, kept (a change beat a deletion), restored
		Device string    `json:"device"` // who made the change
	}
	ActivityPage struct {
		Items  []Activity `json:"items"`            // oldest first
		Next   uint64     `json:"next"`             // After of the next request
		Before uint64     `json:"before,omitempty"` // Before of the request for older ones; absent: there are none
	}

	DoctorRequest struct {
		Folder string `json:"folder,omitempty"` // "" is every folder
		Deep   bool   `json:"deep,omitempty"`   // read every file and compare it with what is recorded
	}
	// Finding is a doctor's sentence.
	Finding struct {
		Folder string `json:"folder,omitempty"`
		Level  string `json:"level"` // ok, note, problem
		Text   string `json:"text"`
	}
	Config struct {
		Home string `json:"home"`
		File string `json:"file"`
		Text string `json:"text"` // config.toml as it stands
	}
)

// ReasonLive is the Reason of a version that was not put away: it stands.
const ReasonLive = "live"

// Kinds of a Conflict.
const (
	EditEdit   = "edit/edit"   // changed on two devices
	EditDelete = "edit/delete" // changed on one, deleted on another: the change was kept
)

// Words of Resolve.Keep. With EditDelete, edit (or this) leaves the file and
// deletion deletes it after all; the others are for EditEdit.
const (
	KeepThis     = "this"
	KeepThat     = "that"
	KeepBoth     = "both"
	KeepMerge    = "merge" // fails and changes nothing where the two can't be merged
	KeepEdit     = "edit"
	KeepDeletion = "deletion"
)

// Kinds of errors on which callers branch; the text is for the person.
const (
	KindFailed     = "failed"
	KindUsage      = "usage"       // the request itself is wrong
	KindNotFound   = "not-found"   // no such folder, device, path
	KindNotRunning = "not-running" // no engine answers (client only)
	KindTimeout    = "timeout"
	KindChanged    = "changed" // what stands is not what the person saw
)

// Error carries a kind across the socket.
type Error struct {
	Kind string `json:"kind"`
	Text string `json:"error"`
}

func (e *Error) Error() string { return e.Text }
