package folder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"pinion/engine/index"
	"pinion/engine/transfer"
	"pinion/engine/tree"
)

// ErrClosed: the folder is not open now, or is paused.
var ErrClosed = errors.New("folder is not open")

// PeerUp says that a device that holds this folder, too, can be reached and has
// it open. A later session with the same device takes the place of the earlier.
func (f *Folder) PeerUp(ctx context.Context, p Peer) {
	ctx, cancel := context.WithCancel(ctx)
	l := &link{peer: p, ctx: ctx, end: cancel}
	f.mu.Lock()
	old := f.peers[p.Device()]
	if old != nil && old.peer == p {
		f.mu.Unlock()
		cancel()
		return
	}
	f.peers[p.Device()] = l
	c := f.cycle
	f.mu.Unlock()
	if old != nil {
		old.end()
	}
	if c != nil {
		c.peerUp(ctx, l)
	}
}

// PeerDown says that the device is gone, or has closed the folder.
func (f *Folder) PeerDown(dev tree.DeviceID) {
	f.mu.Lock()
	l, c := f.peers[dev], f.cycle
	delete(f.peers, dev)
	f.mu.Unlock()
	if l == nil {
		return
	}
	l.end()
	if c != nil {
		c.exchange.Down(dev)
		c.fetcher.PeerDown(dev)
		f.mu.Lock()
		delete(c.comingOf, dev)
		f.mu.Unlock()
		go c.ask(c.work.dropUnreachable) // the caller may be what the loop waits for
	}
}

func (c *cycle) peerUp(ctx context.Context, l *link) {
	if err := c.exchange.Up(ctx, l.peer); err != nil {
		c.log.Warn("no exchange", "device", l.peer.Device().Short(), "err", err)
		return
	}
	c.fetcher.PeerUp(l.peer)
	go c.ask(c.work.allAnother) // the loop itself may be what connects anew
	c.wake()
}

// announced has content that is being fetched asked for there, too. It goes
// through the loop, so that nothing falls between what a round of decisions has
// read and what it hands to the fetcher.
func (c *cycle) announced(dev tree.DeviceID, entries []tree.Entry) {
	if c.index.Counts().PendingPaths == 0 {
		return
	}
	c.ask(func() {
		for _, e := range entries {
			c.names.takeUp(e.Path)
			c.work.another(e.Path)
			if e.Deleted || e.Kind != tree.File {
				continue
			}
			c.fetcher.AddSource(e.Content, dev)
			for i, j := range c.work.unsent {
				if j.Entry.Content == e.Content && !slices.Contains(j.Sources, dev) {
					c.work.unsent[i].Sources = append(slices.Clip(j.Sources), dev)
				}
			}
		}
	})
}

// links are the sessions with all peers that have the folder open.
func (f *Folder) links() []*link {
	f.mu.Lock()
	defer f.mu.Unlock()
	links := make([]*link, 0, len(f.peers))
	for _, l := range f.peers {
		links = append(links, l)
	}
	return links
}

// refused lists what a peer told and could not be taken.
func (c *cycle) refused(dev tree.DeviceID, path tree.Path, why error) {
	c.log.Debug("what a peer told is not taken", "device", dev.Short(), "path", path, "err", why)
	c.ask(func() {
		c.problems.note(c.f.cfg.Now(), string(path), fmt.Sprintf("what %s says of it is not taken: %v", c.f.cfg.NameOf(dev), why))
		c.saying.changed = true
	})
}

// relink begins the exchange with all peers anew.
func (f *Folder) relink(ctx context.Context, c *cycle) {
	for _, l := range f.links() {
		c.peerUp(l.ctx, l)
	}
}

// Heard takes a peer's word on its folder.
func (f *Folder) Heard(dev tree.DeviceID, s tree.FolderState) {
	c := f.current()
	if c == nil {
		return
	}
	live := c.exchange.Knows(dev, s.Life) // a first word may be about long ago
	c.exchange.Heard(dev, s)
	c.heardSmall(dev, s.Small)
	c.heardComing(dev, s.Coming)
	// An answer from the future would make every later one count for nothing.
	most := c.f.cfg.Now().Add(maxAhead).UnixNano()
	if s.Confirmed > c.confirmedAt.Load() && s.Confirmed < most {
		c.ask(func() { c.missing.confirm(s.Confirmed, live) })
	}
	if s.TakenBack > c.takenBackAt.Load() && s.TakenBack < most {
		c.ask(func() { c.taking.takeBack(s.TakenBack, live, nil) })
	}
}

// maxAhead is how far ahead another device's clock may be for a person's answer
// that it tells of to count.
const maxAhead = 24 * time.Hour

// Batch records rows that a peer told.
func (f *Folder) Batch(ctx context.Context, dev tree.DeviceID, b tree.Batch) error {
	c := f.current()
	if c == nil {
		return nil
	}
	c.moves.announce(ctx, dev, b)
	recorded, err := c.moves.recording(ctx)
	if errors.Is(err, ErrClosed) {
		return nil
	}
	if err != nil {
		return err
	}
	err = c.exchange.Batch(ctx, dev, b)
	recorded()
	if ownFault(err) || err != nil && c.stopped.Load() {
		// The peer is not to blame. The folder closes until its disk serves again, and
		// is told again from where it is.
		c.stopped.Store(true)
		select {
		case c.broken <- err:
		default:
		}
		return nil
	}
	return err
}

// ownFault says whether what a peer told could not be recorded for a reason of
// this device's own.
func ownFault(err error) bool {
	return isFull(err) || errors.Is(err, index.ErrDisk) || errors.Is(err, index.ErrDamaged)
}

// Manifest gives the chunks of content that is here.
func (f *Folder) Manifest(ctx context.Context, content, base tree.ContentID) (tree.Manifest, error) {
	c := f.serving()
	if c == nil {
		return nil, ErrClosed
	}
	return c.server.Manifest(ctx, content, base)
}

// Serve sends what a peer asks for.
func (f *Folder) Serve(ctx context.Context, wants []tree.Want, w transfer.PieceWriter) error {
	c := f.serving()
	if c == nil {
		return ErrClosed
	}
	return c.server.Serve(ctx, f.cfg.ID, wants, w)
}

func (f *Folder) serving() *cycle {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.paused != nil {
		return nil
	}
	return f.cycle
}
