package engine

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"time"

	"pinion/engine/folder"
	"pinion/engine/history"
	"pinion/engine/tree"
)

// Keeper is a Session with a device that tells what its archives hold. One whose
// version does not know of that gives errors.ErrUnsupported.
type Keeper interface {
	Kept(ctx context.Context, folder tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error)
}

// Kept answers a peer.
func (e *Engine) Kept(ctx context.Context, id tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error) {
	if f := e.folder(id); f != nil {
		return f.ServeKept(ctx, q)
	}
	return tree.KeptPage{}, folder.ErrClosed
}

// askFor is how long a device has to answer with one page.
const askFor = 10 * time.Second

// archives reads what this device and those that can be reached keep of a
// folder, side by side, two pages of each at a time.
type archives struct {
	e       *Engine
	folder  *folder.Folder
	query   tree.KeptQuery
	streams []*stream
	away    []string // sentences about devices that can't be asked
	end     context.CancelFunc
	group   sync.WaitGroup
}

// stream is what one device tells.
type stream struct {
	dev   tree.DeviceID
	ask   func(ctx context.Context, q tree.KeptQuery) (tree.KeptPage, error)
	now   time.Time // when it was opened
	pages chan tree.KeptPage
	rows  []tree.Kept
	err   error // set before pages is closed
}

// openArchives begins to read. close has to be called.
func (e *Engine) openArchives(ctx context.Context, f *folder.Folder, q tree.KeptQuery) *archives {
	a := e.ownArchive(f, q)
	a.addOthers(ctx)
	a.begin(ctx)
	return a
}

// ownArchive is this device's own, not yet begun.
func (e *Engine) ownArchive(f *folder.Folder, q tree.KeptQuery) *archives {
	a := &archives{e: e, folder: f, query: q}
	a.add(e.o.Device, f.Kept)
	return a
}

// addOthers adds those that can be reached, and notes who can't.
func (a *archives) addOthers(ctx context.Context) {
	e, f := a.e, a.folder
	asked := map[tree.DeviceID]bool{}
	for _, s := range e.sessionsWith(f.ID()) {
		asked[s.Device()] = true
		if k, ok := s.(Keeper); ok {
			a.add(s.Device(), func(ctx context.Context, q tree.KeptQuery) (tree.KeptPage, error) { return k.Kept(ctx, f.ID(), q) })
		} else {
			a.away = append(a.away, a.cannot(s.Device(), errors.ErrUnsupported))
		}
	}
	for _, m := range e.o.Network.Members() {
		if !asked[m.ID] && f.Knows(ctx, m.ID) {
			a.away = append(a.away, e.whyAway(m.ID, f))
		}
	}
}

func (a *archives) begin(ctx context.Context) {
	ctx, a.end = context.WithCancel(ctx)
	for _, s := range a.streams {
		a.group.Go(func() { s.read(ctx, a.query) })
	}
}

func (a *archives) add(dev tree.DeviceID, ask func(context.Context, tree.KeptQuery) (tree.KeptPage, error)) {
	a.streams = append(a.streams, &stream{dev: dev, ask: ask, now: a.e.o.Now(), pages: make(chan tree.KeptPage, 1)})
}

// sessionsWith gives the sessions with devices that have a folder open to us.
func (e *Engine) sessionsWith(id tree.FolderID) (out []Session) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for dev, m := range e.sessions {
		for _, o := range m.offers {
			if o.Folder == id && !e.devicePausedLocked(dev) {
				out = append(out, m.session)
				break
			}
		}
	}
	return out
}

// whyAway says why a device that has a folder is not asked.
func (e *Engine) whyAway(dev tree.DeviceID, f *folder.Folder) string {
	e.mu.Lock()
	_, connected := e.sessions[dev]
	paused := e.devicePausedLocked(dev)
	e.mu.Unlock()
	switch {
	case !connected:
		return e.nameOf(dev) + " is not connected"
	case paused:
		return e.nameOf(dev) + " is paused here"
	}
	return fmt.Sprintf("%s does not have the folder %s open", e.nameOf(dev), f.Name())
}

// cannot says why a device that was asked did not answer.
func (a *archives) cannot(dev tree.DeviceID, err error) string {
	name := a.e.nameOf(dev)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return name + " runs an older version of Pinion, which does not tell what it keeps"
	case errors.Is(err, context.DeadlineExceeded):
		return name + " does not answer"
	}
	return name + " can't be asked what it keeps"
}

// read asks for one page after the other, each in time.
func (s *stream) read(ctx context.Context, q tree.KeptQuery) {
	defer close(s.pages)
	for {
		page, err := s.page(ctx, q)
		if err != nil {
			s.err = err
			return
		}
		if q.Names && page.More {
			page.Rows = wholeNames(q.Within, page.Rows)
		}
		select {
		case s.pages <- page:
		case <-ctx.Done():
			return
		}
		if !page.More || len(page.Rows) == 0 {
			return
		}
		q = q.After(page)
	}
}

// wholeNames leaves out the last name of a page: it may have been cut within it.
func wholeNames(dir tree.Path, rows []tree.Kept) []tree.Kept {
	for i := len(rows) - 1; i > 0; i-- {
		if rows[i-1].Path.NameIn(dir) != rows[i].Path.NameIn(dir) {
			return rows[:i]
		}
	}
	return rows
}

func (s *stream) page(ctx context.Context, q tree.KeptQuery) (tree.KeptPage, error) {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	page, err := s.ask(ctx, q)
	if err != nil && ctx.Err() != nil {
		return page, ctx.Err()
	}
	return page, err
}

// next gives the next row, and waits for it.
func (s *stream) next() (tree.Kept, bool) {
	for len(s.rows) == 0 {
		page, ok := <-s.pages
		if !ok {
			return tree.Kept{}, false
		}
		s.rows = page.Rows
	}
	k := s.rows[0]
	s.rows = s.rows[1:]
	k.When = min(k.When, s.now.UnixNano()) // a clock that is ahead makes nothing the newest for ever
	return k, true
}

// paths goes through the paths of which somebody keeps something.
func (a *archives) paths() iter.Seq2[tree.Path, []history.Edition] {
	sources := make([]history.Source, len(a.streams))
	for i, s := range a.streams {
		sources[i] = history.Source{Device: s.dev, Next: s.next}
	}
	return history.Join(sources)
}

// close ends the reading, and gives the devices that did not tell all, as
// phrases, and the error of this device's own archive.
func (a *archives) close() (away []string, err error) {
	a.end()
	a.group.Wait()
	away = a.away
	for _, s := range a.streams {
		switch {
		case s.err == nil || errors.Is(s.err, context.Canceled):
		case s.dev == a.e.o.Device:
			err = s.err
		default:
			a.e.log.Info("not told what is kept", "device", a.e.nameOf(s.dev), "folder", a.folder.Name(), "err", s.err)
			away = append(away, a.cannot(s.dev, s.err))
		}
	}
	return away, err
}
