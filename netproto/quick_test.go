package netproto

import (
	"context"
	"errors"
	"testing"
	"time"

	"pinion/engine/tree"
)

// TestAFewSmallContentsPassABatch: what a person has just saved comes while the one
// who takes a long batch of small contents does not get on with it.
func TestAFewSmallContentsPassABatch(t *testing.T) {
	h := newRecorder()
	h.onServe = serveAll(64 << 10)
	a, c := launch(t, nil, nil), launch(t, nil, h)
	s, _ := meet(t, a, c)

	ctx, cancel := context.WithCancel(t.Context())
	stuck, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		first := true
		ended <- s.Fetch(ctx, tree.FolderID{1}, smallWants(2000, 2<<10), func(int, int64, []byte) error {
			if first {
				first = false
				close(stuck)
				<-ctx.Done()
			}
			return ctx.Err()
		}, func(int, error) {})
	}()
	<-stuck
	late, over := context.WithTimeout(t.Context(), 20*time.Second)
	defer over()
	came := 0
	err := s.Fetch(late, tree.FolderID{2}, smallWants(3, 2<<10), func(int, int64, []byte) error { return nil }, func(_ int, err error) {
		if err == nil {
			came++
		}
	})
	if err != nil || came != 3 {
		t.Errorf("%d of 3 came while a batch was stuck: %v", came, err)
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("the batch that was given up: %v", err)
	}
}
