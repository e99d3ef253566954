package control

import (
	"context"
	"net/http"

	"pinion/engine/tree"
)

// Ignoring is what is left out of a folder: the rules of its .pinionignore, a
// file that is synced like any other. Folders are named by name or id.
type Ignoring interface {
	Ignores(ctx context.Context, folder string) (Ignores, error)
	SetIgnores(ctx context.Context, r SetIgnores) (Ignores, error)
	TryIgnores(ctx context.Context, r TryIgnores) (Tried, error) // changes nothing; ends with ctx
}

type (
	// Ignores are the rules as they stand.
	Ignores struct {
		Text     string         `json:"text"` // "" where there is no such file
		Seen     tree.ContentID `json:"seen"` // names this text; "" where there is no such file
		Problems []IgnoreLine   `json:"problems"`
	}
	// IgnoreLine is a line that is no rule.
	IgnoreLine struct {
		Line int    `json:"line"` // from 1
		Text string `json:"text"`
		Why  string `json:"why"` // a phrase: "names nothing"
	}
	// SetIgnores writes the rules, as an ordinary change that all devices take.
	// It is refused when a line is no rule, and when the rules are not any more
	// those that were Seen.
	SetIgnores struct {
		Folder string         `json:"folder"`
		Text   string         `json:"text"` // up to MaxIgnores bytes
		Seen   tree.ContentID `json:"seen"`
	}
	// TryIgnores asks what other rules would change. The totals come with the first
	// page.
	TryIgnores struct {
		Folder string    `json:"folder"`
		Text   string    `json:"text"`
		After  tree.Path `json:"after,omitempty"` // Tried.Next of the page before
		Limit  int       `json:"limit"`           // at most 1000; 0: 100
	}
	// Tried is what would be left out that is kept the same now. A directory stands
	// for all that is in it.
	Tried struct {
		Out      []TriedPath  `json:"out"`
		Next     tree.Path    `json:"next,omitempty"` // where the next page begins; "" at the end
		Files    int64        `json:"files"`
		Bytes    int64        `json:"bytes"`
		Back     []TriedPath  `json:"back"` // some of what is on this disk, is left out now and would not be
		BackSum  Sum          `json:"back_sum"`
		Problems []IgnoreLine `json:"problems"`
	}
	TriedPath struct {
		Path  tree.Path `json:"path"`
		Dir   bool      `json:"dir"`
		Files int64     `json:"files"` // 1 for a file
		Bytes int64     `json:"bytes"`
	}
	Sum struct {
		Files int64 `json:"files"`
		Bytes int64 `json:"bytes"`
		More  bool  `json:"more,omitempty"` // not all of the disk was looked at: there may be more
	}
)

// MaxIgnores is how long rules that are set or tried may be, in bytes.
const MaxIgnores = 256 << 10

func serveIgnores(mux *http.ServeMux, e Ignoring) {
	serve(mux, "ignore", func(ctx context.Context, r named) (any, error) { return e.Ignores(ctx, r.Name) })
	serve(mux, "ignore/set", func(ctx context.Context, r SetIgnores) (any, error) { return e.SetIgnores(ctx, r) })
	serve(mux, "ignore/try", func(ctx context.Context, r TryIgnores) (any, error) { return e.TryIgnores(ctx, r) })
}

func (c *Client) Ignores(ctx context.Context, folder string) (Ignores, error) {
	return ask[Ignores](ctx, c, "ignore", named{folder})
}

func (c *Client) SetIgnores(ctx context.Context, r SetIgnores) (Ignores, error) {
	return ask[Ignores](ctx, c, "ignore/set", r)
}

func (c *Client) TryIgnores(ctx context.Context, r TryIgnores) (Tried, error) {
	return ask[Tried](ctx, c, "ignore/try", r)
}
