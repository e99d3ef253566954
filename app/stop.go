package main

import (
	"context"

	"pinion/engine"
)

// stoppable is an engine whose process ends when that is asked for over the socket:
// the tray ends so what it has begun, also where there are no signals.
type stoppable struct {
	*engine.Engine
	end context.CancelFunc
}

func (s stoppable) Stop(context.Context) error {
	s.end()
	return nil
}
