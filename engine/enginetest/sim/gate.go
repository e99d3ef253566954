package sim

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
)

// errDead is what a device that has crashed is told until it is gone.
var errDead = errors.New("the device has lost power")

// gates is where everything waits that a device does to its disk or the network,
// until it is its turn.
type gates struct {
	mu      sync.Mutex
	serial  uint64
	waiting []*waiter
	open    bool // nobody waits any more: the world is ending
}

// waiter is a step that somebody is about to take.
type waiter struct {
	who, op, what string
	serial        uint64
	life          *life
	turn          chan struct{}
}

func (w *waiter) String() string { return w.who + ": " + w.op + " " + w.what }

// wait returns when it is this step's turn, ctx is over, or the life is.
func (g *gates) wait(ctx context.Context, l *life, who, op, what string) error {
	w := &waiter{who: who, op: op, what: what, life: l, turn: make(chan struct{})}
	g.mu.Lock()
	if g.open {
		g.mu.Unlock()
		if l != nil && l.dead() {
			return errDead
		}
		return ctx.Err()
	}
	g.serial++
	w.serial = g.serial
	g.waiting = append(g.waiting, w)
	g.mu.Unlock()
	var died <-chan struct{}
	if l != nil {
		died = l.died
	}
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		g.leave(w)
		return ctx.Err()
	case <-died:
		g.leave(w)
		return errDead
	}
}

func (g *gates) leave(w *waiter) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.waiting = slices.DeleteFunc(g.waiting, func(x *waiter) bool { return x == w })
}

// list gives who waits, in an order that does not depend on who came first
// where that is an accident.
func (g *gates) list() []*waiter {
	g.mu.Lock()
	defer g.mu.Unlock()
	slices.SortFunc(g.waiting, func(a, b *waiter) int {
		return cmp.Or(cmp.Compare(a.who, b.who), cmp.Compare(a.op, b.op), cmp.Compare(a.what, b.what), cmp.Compare(a.serial, b.serial))
	})
	return slices.Clone(g.waiting)
}

// pass lets one go.
func (g *gates) pass(w *waiter) {
	g.leave(w)
	close(w.turn)
}

// openAll lets everybody go, now and from now on.
func (g *gates) openAll() {
	g.mu.Lock()
	list := g.waiting
	g.waiting, g.open = nil, true
	g.mu.Unlock()
	for _, w := range list {
		close(w.turn)
	}
}
