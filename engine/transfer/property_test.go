package transfer

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"pinion/engine/tree"
)

// mood is how a peer misbehaves, by chance.
type mood struct{ lie, gone, cut, stall, slow int } // in a thousand, at each piece

func (m mood) give(s *fake, seed uint64) {
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(seed, 1))
	roll := func(n int) bool {
		mu.Lock()
		defer mu.Unlock()
		return dice.IntN(1000) < n
	}
	s.spoil = func(_ tree.Want, _ int64, data []byte) {
		if roll(m.lie) {
			data[len(data)-1] ^= 0x80
		}
	}
	s.before = func(ctx context.Context, _ tree.Want, _ int64) error {
		switch {
		case roll(m.gone):
			return ErrGone
		case roll(m.cut):
			return errors.New("the link was cut")
		case roll(m.stall):
			<-ctx.Done()
			return ctx.Err()
		case roll(m.slow):
			return sleep(ctx, 3*time.Second)
		}
		return nil
	}
}

// Whatever peers do, a result is the content or an error, each job gets exactly
// one, and with a good peer beside them everything comes in the end.
func TestWhateverPeersDo(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		moods := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) mood {
			at := func(name string) int { return rapid.SampledFrom([]int{0, 0, 10, 100, 500}).Draw(t, name) }
			return mood{at("lie"), at("gone"), at("cut"), at("stall"), at("slow")}
		}), 1, 3).Draw(rt, "moods")
		sizes := rapid.SliceOfN(rapid.SampledFrom([]int{0, 1, 5000, 131072, 131073, 400_000, 1_500_000, 6_000_000}), 1, 8).Draw(rt, "sizes")
		seed := rapid.Uint64().Draw(rt, "seed")
		dice := rand.New(rand.NewPCG(seed, 2))
		var failure string
		synctest.Test(t, func(t *testing.T) {
			failure = weather(t, moods, sizes, seed, dice)
		})
		if failure != "" {
			rt.Fatal(failure)
		}
	})
}

func weather(t *testing.T, moods []mood, sizes []int, seed uint64, dice *rand.Rand) string {
	p := newPlace(t)
	p.opts.Limits = Limits{RunBytes: 512 << 10, BatchFiles: 3}
	good := newFake(99)
	var peers []*fake
	for i, m := range moods {
		s := newFake(byte(i + 1))
		s.piece = 1 + dice.IntN(200_000)
		m.give(s, seed+uint64(i))
		peers = append(peers, s)
	}
	things := map[tree.Path]thing{}
	var jobs []Job
	for i, size := range sizes {
		c := thingOf(noise(seed+uint64(i/2), size)) // some are twins
		path := fmt.Sprint("f", i)
		var from []*fake
		for _, s := range peers {
			if dice.IntN(3) > 0 {
				s.things[c.id] = c
				from = append(from, s)
			}
		}
		good.things[c.id] = c
		things[tree.Path(path)] = c
		jobs = append(jobs, c.job(path, from...))
	}
	p.start(peers...)
	defer p.stop()
	p.Submit(jobs)
	left := map[tree.Path]Job{}
	for _, j := range jobs {
		left[j.Entry.Path] = j
	}
	help := time.After(10 * time.Minute)
	end := time.After(10 * time.Hour)
	helped := false
	for len(left) > 0 {
		select {
		case r := <-p.Results():
			j, open := left[r.Job.Entry.Path]
			if !open {
				return fmt.Sprintf("two results for %s", r.Job.Entry.Path)
			}
			if r.Err == nil {
				if err := p.holdsThing(r, things[j.Entry.Path]); err != nil {
					return err.Error()
				}
				delete(left, j.Entry.Path)
				continue
			}
			if !errors.Is(r.Err, ErrGone) && !errors.Is(r.Err, ErrLied) {
				return r.Err.Error()
			}
			time.Sleep(time.Second)
			if helped {
				j.Sources = append(j.Sources, good.dev)
			}
			p.Submit([]Job{j})
		case <-help:
			helped = true
			p.PeerUp(good)
			for _, j := range left {
				p.AddSource(j.Entry.Content, good.dev)
			}
		case <-end:
			return fmt.Sprintf("%d never came: %+v", len(left), p.Progress())
		}
	}
	if g := p.Progress(); g.Jobs != 0 {
		return fmt.Sprintf("left over: %+v", g)
	}
	return ""
}
