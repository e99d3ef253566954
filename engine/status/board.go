package status

import (
	"context"
	"reflect"
	"sync"
)

// Board holds the newest State. The zero Board is ready, with an empty State of
// version 0.
type Board struct {
	mu      sync.Mutex
	state   State
	changed chan struct{} // closed when state is replaced; nil until somebody waits
}

// Post makes s the newest state unless nothing in it is new.
func (b *Board) Post(s State) {
	b.mu.Lock()
	defer b.mu.Unlock()
	s.Version = b.state.Version
	if reflect.DeepEqual(s, b.state) {
		return
	}
	s.Version++
	b.state = s
	if b.changed != nil {
		close(b.changed)
		b.changed = nil
	}
}

// Now is the newest state.
func (b *Board) Now() State {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.state
}

// After waits for a state newer than version and returns the newest; with
// version 0 the first one posted. It ends with ctx's error.
func (b *Board) After(ctx context.Context, version uint64) (State, error) {
	for {
		b.mu.Lock()
		if b.state.Version > version {
			s := b.state
			b.mu.Unlock()
			return s, nil
		}
		if b.changed == nil {
			b.changed = make(chan struct{})
		}
		wait := b.changed
		b.mu.Unlock()
		select {
		case <-wait:
		case <-ctx.Done():
			return State{}, ctx.Err()
		}
	}
}
