package control

import (
	"context"
	"net/http"
)

// Stopper is an Engine whose process ends when it is asked to.
type Stopper interface {
	// Stop begins a clean end and returns before it.
	Stop(ctx context.Context) error
}

// serveStop serves Stop if e can be stopped.
func serveStop(mux *http.ServeMux, e Engine) {
	if s, ok := e.(Stopper); ok {
		serve(mux, "stop", func(ctx context.Context, _ nothing) (any, error) { return nothing{}, s.Stop(ctx) })
	}
}

// Stop ends the engine's process, cleanly.
func (c *Client) Stop(ctx context.Context) error { return do(ctx, c, "stop", nothing{}) }
