package traytest

import (
	"context"
	"fmt"
	"sync"

	"pinion/engine/control"
	"pinion/engine/status"
)

// Engine shows the state on its Board and writes down what it was asked. What a
// test needs beyond that it adds in a type that embeds this one; any other
// request panics.
type Engine struct {
	control.Engine
	Board status.Board

	mu    sync.Mutex
	asked []string
}

// Note writes down a request.
func (e *Engine) Note(format string, args ...any) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.asked = append(e.asked, fmt.Sprintf(format, args...))
}

// Asked is what was asked so far.
func (e *Engine) Asked() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]string(nil), e.asked...)
}

// Status waits as a real engine does.
func (e *Engine) Status(ctx context.Context, after uint64) (status.State, error) {
	if after == 0 {
		return e.Board.Now(), nil
	}
	return e.Board.After(ctx, after)
}
