package enginetest

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"pinion/engine"
	"pinion/engine/tree"
)

// network is a device's engine.Network.
type network struct{ d *Device }

var errNoPairing = errors.New("the devices of this world know each other already")

func (n *network) Invite(context.Context) (string, time.Time, error) {
	return "", time.Time{}, errNoPairing
}

func (n *network) Join(context.Context, string, string) (tree.DeviceID, string, error) {
	return tree.DeviceID{}, "", errNoPairing
}

func (n *network) Members() []engine.Member {
	w := n.d.w
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []engine.Member
	for _, name := range w.order {
		if o := w.devices[name]; o != n.d {
			out = append(out, engine.Member{ID: o.ID, Name: o.name})
		}
	}
	return out
}

func (n *network) OwnName() string {
	n.d.w.mu.Lock()
	defer n.d.w.mu.Unlock()
	return n.d.name
}

func (n *network) Remove(context.Context, tree.DeviceID) error { return errNoPairing }

func (n *network) Rename(_ context.Context, dev tree.DeviceID, name string) error {
	w := n.d.w
	w.mu.Lock()
	var tell []*engine.Engine
	for _, o := range w.devices {
		if o.ID == dev {
			o.name = name
		}
		if o.engine != nil {
			tell = append(tell, o.engine)
		}
	}
	w.mu.Unlock()
	for _, e := range tell {
		e.CircleChanged()
	}
	return nil
}

func (n *network) SetAddresses(map[tree.DeviceID][]string) {}

func (n *network) Sessions() []engine.SessionInfo {
	w := n.d.w
	w.mu.Lock()
	defer w.mu.Unlock()
	var out []engine.SessionInfo
	for _, name := range w.order {
		if o := w.devices[name]; o != n.d {
			out = append(out, engine.SessionInfo{Device: o.ID, Connected: w.links[pairOf(n.d.Name, name)] != nil, Address: "memory:" + name})
		}
	}
	return out
}

func (n *network) Listening() string { return "memory:" + n.d.Name }
func (n *network) Notes() []string   { return nil }

// connectAll connects a device with all others that run.
func (w *World) connectAll(name string) {
	for _, other := range w.order {
		if other != name {
			w.connect(name, other)
		}
	}
}

// connect makes a connection between two devices if both run, nothing keeps them
// apart and there is none.
func (w *World) connect(a, b string) {
	p := pairOf(a, b)
	w.mu.Lock()
	defer w.mu.Unlock()
	da, db := w.devices[p[0]], w.devices[p[1]]
	if w.ending || w.cut[p] || w.links[p] != nil || da.engine == nil || db.engine == nil {
		return
	}
	l := newLink(w, da, db)
	w.links[p] = l
	l.begin()
}

// disconnect ends the connection of two devices and returns when both know.
func (w *World) disconnect(p pair) {
	w.mu.Lock()
	l := w.links[p]
	delete(w.links, p)
	w.mu.Unlock()
	if l != nil {
		l.cancel(nil)
		<-l.over
	}
}

// Again connects two devices once more while they are connected, as happens when
// both dial at once: the later session takes the place of the earlier, whose end
// the engines hear of afterwards.
func (w *World) Again(a, b string) {
	w.t.Helper()
	p := pairOf(a, b)
	w.mu.Lock()
	old := w.links[p]
	if old == nil {
		w.mu.Unlock()
		w.t.Fatalf("%s and %s are not connected", a, b)
	}
	l := newLink(w, w.devices[p[0]], w.devices[p[1]])
	w.links[p] = l
	w.mu.Unlock()
	l.meet() // now, so that of two links made one after the other the later is the later
	l.begin()
	old.cancel(nil)
	<-old.over
}

// mend notes why a session broke and connects its ends again.
func (w *World) mend(l *link, why error) {
	p := pairOf(l.a.local.Name, l.b.local.Name)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.broken = append(w.broken, why)
	if w.links[p] != l {
		return
	}
	delete(w.links, p)
	w.wg.Go(func() {
		time.Sleep(50 * time.Millisecond)
		w.connect(p[0], p[1])
	})
}

// gate lets content through, or after some bytes no more.
type gate struct {
	waiting atomic.Int64 // who is kept waiting

	mu   sync.Mutex
	left int64
	wait chan struct{} // not nil: shut once left is used up
}

func (g *gate) shut(after int64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.left = after
	if g.wait == nil {
		g.wait = make(chan struct{})
	}
}

func (g *gate) open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.wait != nil {
		close(g.wait)
		g.wait = nil
	}
}

// pass waits while the gate is shut to n bytes.
func (g *gate) pass(ctx context.Context, n int64) error {
	g.mu.Lock()
	wait := g.wait
	if wait != nil && g.left >= n {
		g.left -= n
		wait = nil
	}
	g.mu.Unlock()
	if wait == nil {
		return ctx.Err()
	}
	g.waiting.Add(1)
	defer g.waiting.Add(-1)
	select {
	case <-wait:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}
