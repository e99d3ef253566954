package control

import (
	"context"
	"net/http"
	"time"

	"pinion/engine/tree"
)

// Placing is where folders stand on this device, and how.
type Placing interface {
	FolderConfig(ctx context.Context, folder string) (FolderConfig, error) // a name or an id
	LookAt(ctx context.Context, path string) (Spot, error)                 // before a folder is put there; changes nothing
	// Decline says that an offered folder is not wanted here: it is not asked about
	// again, and a store does not take it.
	Decline(ctx context.Context, r Decline) error
}

type (
	// FolderConfig is what was chosen for a folder on this device: what
	// FolderSettings changes, in the same form, and what their zero values come to.
	FolderConfig struct {
		ID         tree.FolderID `json:"id"`
		Name       string        `json:"name"`
		Path       string        `json:"path"`
		Mode       string        `json:"mode"`
		State      string        `json:"state"` // disk or home: where the index lives
		ScanEvery  time.Duration `json:"scan_every"`
		Attributes bool          `json:"attributes"`
		Owner      bool          `json:"owner"`
		MayOwn     bool          `json:"may_own"` // the engine can give files to others
		KeepDays   int           `json:"keep_days"`
		KeepBytes  int64         `json:"keep_bytes"`
		Reserve    int64         `json:"reserve"`
		Merge      string        `json:"merge"` // auto or ask
		Usual      Usual         `json:"usual"`
	}
	// Usual is what holds where nothing was chosen. Bytes are 0 while the disk is
	// not there.
	Usual struct {
		KeepDays  int   `json:"keep_days"`
		KeepBytes int64 `json:"keep_bytes"`
		Reserve   int64 `json:"reserve"`
	}

	// Spot is a place on the engine's disk where a folder might come to stand.
	Spot struct {
		Path      string `json:"path"` // cleaned
		There     bool   `json:"there"`
		Empty     bool   `json:"empty"`             // nothing stands in it
		Was       bool   `json:"was"`               // it was a folder of Pinion before, and would go on as the same
		Refused   string `json:"refused,omitempty"` // a sentence: why no folder can be there
		FSType    string `json:"fs_type,omitempty"`
		Network   bool   `json:"network"`
		Removable bool   `json:"removable"`
		ReadOnly  bool   `json:"read_only"`
		Free      int64  `json:"free"`
		Total     int64  `json:"total"`
	}

	Decline struct {
		Folder string `json:"folder"`         // name or id of an offer
		Undo   bool   `json:"undo,omitempty"` // it is asked about again
	}
)

func servePlaces(mux *http.ServeMux, e Placing) {
	serve(mux, "folder/config", func(ctx context.Context, r named) (any, error) { return e.FolderConfig(ctx, r.Name) })
	serve(mux, "folder/look", func(ctx context.Context, r named) (any, error) { return e.LookAt(ctx, r.Name) })
	serve(mux, "folder/decline", func(ctx context.Context, r Decline) (any, error) { return nothing{}, e.Decline(ctx, r) })
}

func (c *Client) FolderConfig(ctx context.Context, folder string) (FolderConfig, error) {
	return ask[FolderConfig](ctx, c, "folder/config", named{folder})
}

func (c *Client) LookAt(ctx context.Context, path string) (Spot, error) {
	return ask[Spot](ctx, c, "folder/look", named{path})
}

func (c *Client) Decline(ctx context.Context, r Decline) error {
	return do(ctx, c, "folder/decline", r)
}
