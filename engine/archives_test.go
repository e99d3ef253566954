package engine

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pinion/engine/tree"
)

func kept(i int) tree.Kept {
	return tree.Kept{Path: "f", Seq: uint64(i), When: int64(i), Kind: tree.File, Reason: tree.Replaced}
}

// readAll reads a stream to its end.
func readAll(ctx context.Context, s *stream) (rows []uint64) {
	s.pages = make(chan tree.KeptPage, 1)
	var group sync.WaitGroup
	group.Go(func() { s.read(ctx, tree.KeptQuery{}) })
	for k, ok := s.next(); ok; k, ok = s.next() {
		rows = append(rows, k.Seq)
	}
	group.Wait()
	return rows
}

// TestASilentDeviceIsNotWaitedFor: what it told before counts.
func TestASilentDeviceIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &stream{now: time.Now(), ask: func(ctx context.Context, q tree.KeptQuery) (tree.KeptPage, error) {
			if q.Seq == 0 {
				return tree.KeptPage{Rows: []tree.Kept{kept(1), kept(2)}, More: true}, nil
			}
			<-ctx.Done()
			return tree.KeptPage{}, errors.New("the session says it in its own words")
		}}
		began := time.Now()
		if rows := readAll(t.Context(), s); !slices.Equal(rows, []uint64{1, 2}) {
			t.Errorf("%v", rows)
		}
		if !errors.Is(s.err, context.DeadlineExceeded) || time.Since(began) != askFor {
			t.Errorf("%v after %v", s.err, time.Since(began))
		}
	})
}

// TestPagesThatSayMoreAndGiveNothing end.
func TestPagesThatSayMoreAndGiveNothing(t *testing.T) {
	s := &stream{now: time.Now(), ask: func(context.Context, tree.KeptQuery) (tree.KeptPage, error) { return tree.KeptPage{More: true}, nil }}
	if rows := readAll(t.Context(), s); len(rows) != 0 || s.err != nil {
		t.Errorf("%v, %v", rows, s.err)
	}
}

// TestAClockThatIsAhead makes nothing newer than now.
func TestAClockThatIsAhead(t *testing.T) {
	now := time.Unix(1_000_000, 0)
	ahead := kept(1)
	ahead.When = now.Add(time.Hour).UnixNano()
	s := &stream{now: now, rows: []tree.Kept{ahead}}
	if k, ok := s.next(); !ok || k.When != now.UnixNano() {
		t.Errorf("%v", k.When)
	}
}
