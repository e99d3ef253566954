package folder

import (
	"context"
	"io"

	"pinion/engine/tree"
)

// hashLarge hashes a large file and lets peers have what was read of it
// meanwhile, so that reading and sending overlap. What they get counts for
// nothing until the row has come, and with it the content's id.
func (c *cycle) hashLarge(h *hasher) func(context.Context, io.Reader, tree.Path, tree.Stat, tree.ContentID) (tree.Manifest, tree.ContentID, error) {
	return func(ctx context.Context, r io.Reader, path tree.Path, as tree.Stat, base tree.ContentID) (tree.Manifest, tree.ContentID, error) {
		told := func(tree.Chunk) {}
		if c.f.cfg.Mode != Receive {
			if took, over, ok := c.reading.Begin(c.f.cfg.ID, path, as, base); ok {
				told = took
				c.sayReading()
				defer c.sayReading()
				defer over()
			}
		}
		return h.each(ctx, r, as.Size, told)
	}
}

// sayReading has peers told what is being read, or that nothing is any more.
func (c *cycle) sayReading() {
	go c.ask(func() { c.saying.changed = true }) // the loop may be what waits for the scan
}

// comingWord is what peers are told of the file that is being read.
func (c *cycle) comingWord() tree.Coming {
	if c.paused != nil || c.reading == nil {
		return tree.Coming{}
	}
	w := c.reading.Word()
	if c.small.most > 0 && w.Size > c.small.most {
		return tree.Coming{}
	}
	return w
}

// heardComing has what a peer is still reading fetched, if this device takes
// files of that size and has room to spare.
func (c *cycle) heardComing(dev tree.DeviceID, w tree.Coming) {
	c.f.mu.Lock()
	same := c.comingOf[dev] == w
	if !same {
		if c.comingOf == nil {
			c.comingOf = map[tree.DeviceID]tree.Coming{}
		}
		c.comingOf[dev] = w
	}
	c.f.mu.Unlock()
	if !same && c.f.cfg.Mode != Send {
		c.ask(func() { c.coming.heard(c, dev, w) })
	}
}

// coming is what peers are reading, while this device still looks at what it has
// itself: that may be the same. The loop's.
type coming struct{ waiting map[tree.DeviceID]tree.Coming }

func (k *coming) heard(c *cycle, dev tree.DeviceID, w tree.Coming) {
	delete(k.waiting, dev)
	switch {
	case w.ID.IsZero():
		c.fetcher.Coming(dev, w)
	case c.small.most > 0 && w.Size > c.small.most:
	case !c.notice.fullDone:
		if k.waiting == nil {
			k.waiting = map[tree.DeviceID]tree.Coming{}
		}
		k.waiting[dev] = w // as many as there are members
	default:
		if c.space.measure(); w.Size < c.space.room/2 {
			c.fetcher.Coming(dev, w)
		}
	}
}

// looked takes up what was put off.
func (k *coming) looked(c *cycle) {
	for dev, w := range k.waiting {
		k.heard(c, dev, w)
	}
}
