package control

import (
	"context"
	"net/http"
	"time"

	"pinion/engine/tree"
)

// Browsing is a folder as it stood at a moment, a page at a time, and what
// belongs to having it back.
type Browsing interface {
	// Browse looks into a directory, or through all below it for a name, as this
	// device and those that can be reached know it.
	Browse(ctx context.Context, r BrowseRequest) (BrowsePage, error)
	// Moments says when something changed in a folder.
	Moments(ctx context.Context, r MomentsRequest) (Moments, error)
	// RestoreProgress says how far a Restore with that ticket is.
	RestoreProgress(ctx context.Context, ticket string) (RestoreProgress, error)
	// UndoRestore takes back what a Restore did: what it replaced stands again, and
	// what it brought goes to the archive. Files that were changed since stay.
	UndoRestore(ctx context.Context, undo string) (Restored, error)
}

type (
	BrowseRequest struct {
		Folder  string     `json:"folder"`         // name or id
		Dir     string     `json:"dir,omitempty"`  // relative, with slashes; "": the whole folder
		At      *time.Time `json:"at,omitempty"`   // the moment; absent: now
		Deleted bool       `json:"deleted"`        // show also what was deleted before that and can be brought back, or was deleted lately
		Text    string     `json:"text,omitempty"` // instead of one directory all below it, of which the name (with a slash in it: the path) holds this text, in whatever case
		After   string     `json:"after,omitempty"`
		Limit   int        `json:"limit,omitempty"` // at most 500; 0: 200
		Here    bool       `json:"here,omitempty"`  // ask no other device: the answer comes at once
	}
	// BrowsePage is in the order of the names' bytes. Of a search a page may hold
	// nothing and yet not be the last.
	BrowsePage struct {
		Entries []Browsed `json:"entries"`
		Next    string    `json:"next,omitempty"`  // After of the next page; absent: there is none
		Notes   []string  `json:"notes,omitempty"` // sentences: who could not be asked
	}
	// Browsed is a name as it stood at the moment.
	Browsed struct {
		Name    string         `json:"name"`
		Path    string         `json:"path"` // relative to the folder
		Kind    string         `json:"kind"` // file, directory, symlink
		Size    int64          `json:"size"`
		MTime   *time.Time     `json:"mtime"` // when it was written; null of a directory
		Content tree.ContentID `json:"content,omitempty"`
		Device  string         `json:"device,omitempty"` // who wrote it; absent: not known any more
		State   string         `json:"state"`            // one of the States
		// Of what is not the same any more: when that happened, and by whom.
		Since   *time.Time `json:"since,omitempty"`
		By      string     `json:"by,omitempty"`
		MovedTo string     `json:"moved_to,omitempty"`
		// Of what is not the same any more: who of those that were asked keeps it, and
		// when the last of them lets go of it.
		KeptBy   []string   `json:"kept_by,omitempty"`
		Expires  *time.Time `json:"expires,omitempty"`
		Versions int        `json:"versions,omitempty"` // that are kept, as far as this listing looked: at least so many
	}

	// MomentsRequest names moments, at most 400, ascending: the midnights of some
	// days, for instance.
	MomentsRequest struct {
		Folder string      `json:"folder"`
		Bounds []time.Time `json:"bounds"`
	}
	// Moments is how many changes fell between each two of the moments: one number
	// less than there are moments. As far as this device remembers: its last changes,
	// and before them what it has in its archive; there a number ends at MaxMoment.
	Moments struct {
		Changes []int64 `json:"changes"`
	}

	RestoreProgress struct {
		Looked int64 `json:"looked"` // paths
		Files  int64 `json:"files"`  // brought
		Bytes  int64 `json:"bytes"`
		Ended  bool  `json:"ended"`
	}
)

// States of a Browsed.
const (
	StateSame    = "same"    // it stands unchanged
	StateChanged = "changed" // something else stands at its path now
	StateDeleted = "deleted"
	StateMoved   = "moved"
)

// MaxMoment is up to where changes are counted in the archive.
const MaxMoment = 200

func serveBrowse(mux *http.ServeMux, e Browsing) {
	serve(mux, "browse", func(ctx context.Context, r BrowseRequest) (any, error) { return e.Browse(ctx, r) })
	serve(mux, "moments", func(ctx context.Context, r MomentsRequest) (any, error) { return e.Moments(ctx, r) })
	serve(mux, "restore/progress", func(ctx context.Context, r named) (any, error) { return e.RestoreProgress(ctx, r.Name) })
	serve(mux, "restore/undo", func(ctx context.Context, r named) (any, error) { return e.UndoRestore(ctx, r.Name) })
}

func (c *Client) Browse(ctx context.Context, r BrowseRequest) (BrowsePage, error) {
	return ask[BrowsePage](ctx, c, "browse", r)
}

func (c *Client) Moments(ctx context.Context, r MomentsRequest) (Moments, error) {
	return ask[Moments](ctx, c, "moments", r)
}

func (c *Client) RestoreProgress(ctx context.Context, ticket string) (RestoreProgress, error) {
	return ask[RestoreProgress](ctx, c, "restore/progress", named{ticket})
}

func (c *Client) UndoRestore(ctx context.Context, undo string) (Restored, error) {
	return ask[Restored](ctx, c, "restore/undo", named{undo})
}
