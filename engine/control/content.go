package control

import (
	"context"

	"pinion/engine/tree"
)

// Bounds of what is read and written by way of this API, in bytes.
const (
	MaxContent = 4 << 20 // of one answer; more is asked for with Offset
	MaxText    = 8 << 20 // of Resolve.Text
)

// maxResolve bounds the body of a request to settle, which may hold a text.
const maxResolve = MaxText/3*4 + maxRequest

type (
	// ContentRequest asks for the bytes of a file that stands, or of a version by
	// its content wherever it is: standing, in this device's archive, or (if it is
	// small enough to be merged) with a device that is connected.
	ContentRequest struct {
		Folder  string         `json:"folder"`            // name or id
		Path    string         `json:"path,omitempty"`    // relative to the folder; with Content a hint where it stood
		Content tree.ContentID `json:"content,omitempty"` // "": what stands at Path
		Offset  int64          `json:"offset,omitempty"`
		Limit   int64          `json:"limit,omitempty"` // of bytes; 0: MaxContent
	}
	Content struct {
		Data []byte `json:"data"`
		Size int64  `json:"size"` // of all of it
		// Content is what the bytes are of; "" where the file has changed and was not
		// looked at yet.
		Content tree.ContentID `json:"content"`
		Media   string         `json:"media"`          // by its first bytes, such as image/png; "" past the beginning
		From    string         `json:"from,omitempty"` // the device that it was fetched from; absent: it is here
		Link    bool           `json:"link,omitempty"` // the path is a symbolic link, and Data what it points to
	}

	// ConflictsRequest asks for a page of conflicts: folder by folder, in each what
	// was edited twice by path, then what was edited and deleted.
	ConflictsRequest struct {
		Folder string `json:"folder,omitempty"` // name or id; "" is every folder
		Path   string `json:"path,omitempty"`   // of this file or copy only; with Folder
		After  string `json:"after,omitempty"`  // ConflictsPage.Next of the page before
		Limit  int    `json:"limit,omitempty"`  // at most 200; 0: 50
	}
	// ConflictsPage: in it Conflict.Path is relative to the folder, and what
	// Resolve takes is FOLDER/COPY.
	ConflictsPage struct {
		Conflicts []Conflict       `json:"conflicts"`
		Next      string           `json:"next,omitempty"` // absent: there are no more
		Folders   []ConflictsCount `json:"folders"`        // of which some are
	}
	ConflictsCount struct {
		Folder string `json:"folder"`
		Count  int64  `json:"count"`
	}

	// Seen is what a person was shown of a conflict. "" for a side that there is none
	// of: a name that nothing holds, a deletion.
	Seen struct {
		This tree.ContentID `json:"this"`
		That tree.ContentID `json:"that"`
	}

	// Undo takes back what Resolve did: both versions stand again as they were.
	Undo struct {
		Conflict Conflict `json:"conflict"` // as it was listed
		Keep     string   `json:"keep"`     // as it was settled
	}
)

func (c *Client) Content(ctx context.Context, r ContentRequest) (Content, error) {
	return ask[Content](ctx, c, "content", r)
}

func (c *Client) ListConflicts(ctx context.Context, r ConflictsRequest) (ConflictsPage, error) {
	return ask[ConflictsPage](ctx, c, "conflicts/list", r)
}

func (c *Client) Undo(ctx context.Context, r Undo) error { return do(ctx, c, "resolve/undo", r) }
