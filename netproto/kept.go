package netproto

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"pinion/engine/tree"
	"pinion/netproto/wire"
)

// Keeper is a Handler that also tells peers what its archives hold. Whether it is
// one is said in Hello.
type Keeper interface {
	// Kept gives a page of what the archive of a folder holds, or an error (which
	// is logged): the peer is told that there is none.
	Kept(ctx context.Context, s *Session, folder tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error)
}

// ErrUnsupported says that a peer runs a version that can't do what it was asked
// for.
var ErrUnsupported = fmt.Errorf("the peer runs a version that does not know this: %w", errors.ErrUnsupported)

// caps are what this device says of itself in Hello.
func (n *Node) caps() (caps uint64) {
	caps = wire.CapAttrs | wire.CapMore | wire.CapGifts | wire.CapMoved
	if _, ok := n.cfg.Handler.(Keeper); ok {
		caps |= wire.CapHistory | wire.CapNames
	}
	return caps
}

// Kept asks the peer for a page of what its archive of a folder holds. ErrGone:
// the folder is not open there. The rows are the peer's word, but what the
// SPEC says of them holds: they lie within what was asked for, in order, after
// where the page begins.
func (s *Session) Kept(ctx context.Context, folder tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error) {
	if s.hello.Caps&wire.CapHistory == 0 || q.Names && s.hello.Caps&wire.CapNames == 0 {
		return tree.KeptPage{}, fmt.Errorf("ask what is kept: %w", ErrUnsupported)
	}
	frame, err := wire.AppendKeptRequest(nil, wire.KeptRequest{Folder: folder, Query: q})
	if err != nil {
		return tree.KeptPage{}, fmt.Errorf("ask what is kept: %w", err)
	}
	a := &keptAsk{query: q, end: make(chan error, 1)}
	l, err := s.lane(ctx, wire.Lists, false)
	if err == nil {
		l, err = s.submit(ctx, l, frame, a)
	}
	if err != nil {
		return tree.KeptPage{}, fmt.Errorf("ask what is kept: %w", err)
	}
	select {
	case err = <-a.end:
	case <-ctx.Done():
		err = ctx.Err()
		a.left.Store(true)
		l.trim()
	}
	if err != nil {
		return tree.KeptPage{}, fmt.Errorf("ask what is kept: %w", s.over(err))
	}
	if a.part.Gone {
		return tree.KeptPage{}, ErrGone
	}
	return a.part.Page, nil
}

// keptAsk waits for a page. part is the lane's until end has something.
type keptAsk struct {
	query tree.KeptQuery
	end   chan error // of length 1
	part  wire.KeptPart
	left  atomic.Bool
}

func (a *keptAsk) wanted() bool   { return !a.left.Load() }
func (a *keptAsk) over(err error) { a.end <- err }

func (a *keptAsk) take(t wire.Type, payload []byte) (last bool, err error) {
	if t != wire.TypeKeptPart {
		return false, failure(wire.OutOfOrder, fmt.Errorf("type %d instead of what is kept", t))
	}
	p, err := wire.ParseKeptPart(payload)
	if err != nil {
		return false, err
	}
	if len(p.Page.Rows) > 0 && p.Page.Rows[0].Precedes(a.query.Path, a.query.Seq) {
		return false, fmt.Errorf("%w: a page that goes back", wire.ErrBad)
	}
	for _, k := range p.Page.Rows {
		if !k.Path.Within(a.query.Within) {
			return false, fmt.Errorf("%w: a kept version of another path", wire.ErrBad)
		}
	}
	a.part = p
	return true, nil
}

// serveKept answers one KeptRequest.
func (s *Session) serveKept(ctx context.Context, payload []byte, w *answers) error {
	keeper, ok := s.node.cfg.Handler.(Keeper)
	if !ok {
		return failure(wire.OutOfOrder, errors.New("a request that was not announced as known"))
	}
	req, err := wire.ParseKeptRequest(payload)
	if err != nil {
		return err
	}
	page, err := keeper.Kept(ctx, s, req.Folder, req.Query)
	if err == nil {
		w.buf, _, err = wire.AppendKeptPart(w.buf, wire.KeptPart{Page: page})
	}
	if err != nil {
		s.unserved(err)
		w.buf, _, err = wire.AppendKeptPart(w.buf, wire.KeptPart{Gone: true})
	}
	return err
}
