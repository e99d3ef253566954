package main

import (
	"context"
	"errors"
	"time"

	"pinion/engine"
	"pinion/engine/transfer"
	"pinion/engine/tree"
	"pinion/netproto"
	"pinion/netproto/membership"
)

// network plugs netproto into the engine: it is the engine's Network, and the
// node's Handler.
type network struct {
	node    *netproto.Node
	members *membership.Membership
	engine  *engine.Engine
}

func (n *network) Invite(ctx context.Context) (string, time.Time, error) {
	return n.members.Invite(ctx)
}

func (n *network) Join(ctx context.Context, link, address string) (tree.DeviceID, string, error) {
	return n.members.Join(ctx, link, address)
}

func (n *network) Members() []engine.Member {
	list := n.members.Members()
	out := make([]engine.Member, len(list))
	for i, m := range list {
		out[i] = engine.Member{ID: m.Device, Name: m.Name}
	}
	return out
}

func (n *network) OwnName() string { return n.members.OwnName() }

func (n *network) Remove(ctx context.Context, dev tree.DeviceID) error {
	return n.members.Remove(ctx, dev)
}

func (n *network) Rename(ctx context.Context, dev tree.DeviceID, name string) error {
	return n.members.Rename(ctx, dev, name)
}

func (n *network) SetAddresses(typed map[tree.DeviceID][]string) { n.members.SetAddresses(typed) }

func (n *network) Sessions() []engine.SessionInfo {
	infos := n.node.Sessions()
	out := make([]engine.SessionInfo, len(infos))
	for i, s := range infos {
		out[i] = engine.SessionInfo{
			Device: s.Device, Connected: s.Connected, Address: s.Addr, RTT: s.RTT, Software: s.Software, LastSeen: n.members.Seen(s.Device),
			Bytes: s.BytesIn + s.BytesOut,
		}
		if s.LastError != nil && !s.Connected {
			out[i].LastError = s.LastError.Error()
		}
	}
	return out
}

func (n *network) Listening() string { return n.node.Addr().String() }

func (n *network) Notes() []string {
	notes := n.members.Notes()
	if err := n.node.Warning(); err != nil {
		notes = append(notes, err.Error())
	}
	return notes
}

// session is a netproto session as the engine knows it.
type session struct{ *netproto.Session }

// goneError is netproto's word for content that a peer has not got, in a form
// that transfer understands.
type goneError struct{ error }

func (goneError) Gone() bool { return true }

func translate(err error) error {
	if errors.Is(err, netproto.ErrGone) {
		return goneError{err}
	}
	return err
}

func (s session) Manifest(ctx context.Context, folder tree.FolderID, content, base tree.ContentID, most int64) (tree.Manifest, error) {
	m, err := s.Session.Manifest(ctx, folder, content, base, most)
	return m, translate(err)
}

var _ engine.Keeper = session{} // Kept is netproto's own

func (s session) Fetch(ctx context.Context, folder tree.FolderID, wants []tree.Want, sink func(int, int64, []byte) error, done func(int, error)) error {
	return translate(s.Session.Fetch(ctx, folder, wants, sink, func(i int, err error) { done(i, translate(err)) }))
}

func (n *network) Connected(s *netproto.Session) {
	n.members.Connected(s)
	n.engine.Connected(session{s})
}

func (n *network) Disconnected(s *netproto.Session, err error) {
	n.members.Disconnected(s)
	n.engine.Disconnected(session{s}, err)
}

func (n *network) Roster(s *netproto.Session, statements [][]byte) error {
	return n.members.Roster(s, statements)
}

func (n *network) Offers(s *netproto.Session, offers []tree.Offer) error {
	n.engine.Offers(session{s}, offers)
	return nil
}

func (n *network) State(s *netproto.Session, st tree.FolderState) error {
	n.engine.State(session{s}, st)
	return nil
}

func (n *network) Batch(ctx context.Context, s *netproto.Session, folder tree.FolderID, b tree.Batch) error {
	return n.engine.Batch(ctx, session{s}, folder, b)
}

func (n *network) Manifest(ctx context.Context, _ *netproto.Session, folder tree.FolderID, content tree.ContentID) (tree.Manifest, error) {
	m, err := n.engine.Manifest(ctx, folder, content, tree.ContentID{})
	if errors.Is(err, transfer.ErrGone) {
		return nil, netproto.ErrGone
	}
	return m, err
}

func (n *network) Kept(ctx context.Context, _ *netproto.Session, folder tree.FolderID, q tree.KeptQuery) (tree.KeptPage, error) {
	return n.engine.Kept(ctx, folder, q)
}

var _ netproto.Keeper = (*network)(nil)

func (n *network) Serve(ctx context.Context, _ *netproto.Session, folder tree.FolderID, wants []tree.Want, w netproto.PieceWriter) error {
	return n.engine.Serve(ctx, folder, wants, w)
}
