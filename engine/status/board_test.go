package status

import (
	"context"
	"testing"
	"testing/synctest"
)

func TestWatcherGetsNewestAndOnlyNews(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b Board
		got := make(chan State)
		go func() {
			var last uint64
			for range 2 {
				s, err := b.After(context.Background(), last)
				if err != nil {
					t.Error(err)
				}
				last = s.Version
				got <- s
			}
		}()
		synctest.Wait()
		b.Post(State{Device: Self{Name: "a"}})
		if s := <-got; s.Device.Name != "a" || s.Version != 1 {
			t.Fatalf("first state: %+v", s)
		}
		b.Post(State{Device: Self{Name: "a"}})
		synctest.Wait()
		select {
		case s := <-got:
			t.Fatalf("an unchanged state was told: %+v", s)
		default:
		}
		b.Post(State{Device: Self{Name: "b"}})
		if s := <-got; s.Device.Name != "b" || s.Version != 2 {
			t.Fatalf("second state: %+v", s)
		}
	})
}

func TestAfterEndsWithContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var b Board
	if _, err := b.After(ctx, 0); err == nil {
		t.Fatal("no error after the context ended")
	}
}
